"""What a network is asked to record: the part of its description that recorders read."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from simulator.errors import NetworkError

__all__ = ["EventSampling", "Recorders", "StateSampling", "WeightSampling", "sampling_times"]


@dataclass(frozen=True)
class StateSampling:
    """Record state variables of a population at given times (ms, ascending)."""

    population: str
    variables: tuple[str, ...]
    times: tuple[float, ...]


@dataclass(frozen=True)
class EventSampling:
    """Record state variables of some neurons whenever something happens to one of them."""

    population: str
    variables: tuple[str, ...]
    neurons: tuple[int, ...]


@dataclass(frozen=True)
class WeightSampling:
    """Record the weights of a projection at given times (ms, ascending)."""

    projection: str
    times: tuple[float, ...]


@dataclass
class Recorders:
    """What a run records."""

    spikes: set[str] = field(default_factory=set)
    states: list[StateSampling] = field(default_factory=list)
    events: list[EventSampling] = field(default_factory=list)
    weights: list[WeightSampling] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)  # projections whose every change is kept


def sampling_times(where: str, times: Iterable[float]) -> tuple[float, ...]:
    """Sampling times, sorted and checked; ``where`` names what is sampled."""
    result = tuple(sorted(float(t) for t in times))
    for t in result:
        if not math.isfinite(t) or t < 0.0:
            raise NetworkError(f"recorder of {where!r}: time {t} ms; times must be finite and >= 0")
    return result
