"""Brute force: no spike is missed or invented, in random intervals and at constructed grazes."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

import numpy as np

from experiments.reporting import Reporter
from experiments.verify.arithmetic import DIGITS, Digits
from experiments.verify.decide import decide, integrates
from experiments.verify.draws import draw
from experiments.verify.equations import find_equations
from experiments.verify.grazes import construct_grazes
from experiments.verify.probe import crossings
from experiments.verify.rows import Row, judged, not_run
from simulator.model import NeuronModel

__all__ = ["graze_rows", "random_rows", "seed_of"]

GROUP = "brute force"
TIME_MS = 1e-10  # closed forms
TIME_INTEGRATED_MS = 1e-6  # with the default tolerance
_HAIRS = (-13.0, -4.0)  # powers of ten
_HAIRS_INTEGRATED = (-8.0, -4.0)
_CHUNK, _CHUNK_TAYLOR = 50_000, 4_000


def seed_of(*words: object) -> int:
    """A seed that depends on what it is for and on nothing else."""
    return crc32("/".join(map(str, words)).encode())


def random_rows(
    model: type[NeuronModel],
    size: int,
    reporter: Reporter,
    digits: Digits | None,
    variant: str = "",
) -> Iterator[Row]:
    """Missed or invented spikes in ``size`` random intervals, and the largest error of a time."""
    name = label(model, variant)
    chunk = _CHUNK if find_equations(model) is not None else _CHUNK_TAYLOR
    wrong = spikes = undecided = by_digits = 0
    worst = 0.0
    with reporter.progress(f"{name}: random intervals", size) as bar:
        for start in range(0, size, chunk):
            n = min(chunk, size - start)
            s = draw(model, n, seed_of(name, "intervals", start), variant)
            truth = decide(s, digits)
            found = crossings(model, s.p, s.n, s.length)
            fires = np.isfinite(found)
            wrong += int(((fires != truth.fires) & ~truth.open).sum())
            undecided += int(truth.open.sum())
            spikes += int(truth.fires.sum())
            by_digits += truth.by_digits
            both = fires & np.isfinite(truth.time) & ~truth.open
            worst = max(worst, float(np.abs(found[both] - truth.time[both]).max(initial=0.0)))
            bar.advance(n)
    count = f"{size:,} random intervals, {spikes:,} spikes"
    how = f"; {by_digits} by {DIGITS} digits" if by_digits else ""
    yield judged(
        GROUP, f"{name}: missed or invented", f"{count}{how}", wrong + undecided, 0, "spikes"
    )
    allowed = TIME_INTEGRATED_MS if integrates(model, variant) else TIME_MS
    yield judged(GROUP, f"{name}: spike times", f"{count}, bracketed root", worst, allowed, "ms")


def graze_rows(
    model: type[NeuronModel],
    size: int,
    reporter: Reporter,
    digits: Digits | None,
    variant: str = "",
) -> Iterator[Row]:
    """Missed or invented spikes where V turns a hair above or below threshold."""
    name = label(model, variant)
    check = f"{name}: missed or invented at grazes"
    if digits is None and not variant:
        yield not_run(GROUP, check, "needs mpmath: pip install 'spikemesh[verify]'")
        return
    hairs = _HAIRS_INTEGRATED if variant else _HAIRS
    wrong = fires = by_digits = 0
    with reporter.progress(f"{name}: grazes", size) as bar:
        for start in range(0, size, 1000):
            n = min(1000, size - start)
            s = construct_grazes(model, n, seed_of(name, "grazes", start), variant, hairs)
            truth = decide(s, digits)
            found = np.isfinite(crossings(model, s.p, s.n, s.length))
            wrong += int(((found != truth.fires) | truth.open).sum())
            fires += int(truth.fires.sum())
            by_digits += truth.by_digits
            bar.advance(n)
    hair = f"1e{hairs[0]:.0f} to 1e{hairs[1]:.0f}"
    how = f"; {by_digits:,} by {DIGITS} digits" if by_digits else ""
    compared = f"{size:,} tops {hair} of the terms above ({fires:,}) or below{how}"
    yield judged(GROUP, check, compared, wrong, 0, "spikes")


def label(model: type[NeuronModel], variant: str) -> str:
    """The name of a model in the table."""
    return f"{model.__name__}, unequal tau" if variant == "unequal" else model.__name__
