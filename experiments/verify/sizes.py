"""How much of everything is looked at: in seconds by default, in minutes in full."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FULL", "QUICK", "Sizes"]


@dataclass(frozen=True)
class Sizes:
    """Numbers of random cases, of each model or rule."""

    intervals: int  # decided by bounds and compared with the model
    integrated: int  # the same for models that integrate numerically
    grazes: int
    by_digits: int  # potentials and spike times in 50 digits
    trains: int  # pairs of spike trains of a rule
    cuts: int  # random ways to cut or save a run
    duration: float  # ms, of the networks that are run in several ways


QUICK = Sizes(20_000, 2_000, 1_000, 100, 200, 3, 150.0)
FULL = Sizes(1_000_000, 40_000, 5_000, 1_000, 2_000, 10, 400.0)
