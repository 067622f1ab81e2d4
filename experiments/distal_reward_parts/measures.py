"""Whether the synapse was found, and what it changed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["LABELS", "follows", "lags", "measure"]

Floats = npt.NDArray[np.float64]

LABELS = {
    "weight": "its weight at the end, of the maximum",
    "rank": "share of the others that are weaker",
    "others": "mean weight of the others, of the maximum",
    "found_s": "time at which it reached nine tenths, s",
    "rewards": "rewards",
    "follows_early": "second after first within 10 ms, first third",
    "follows_late": "second after first within 10 ms, last third",
    "rate_hz": "mean rate of all neurons, Hz",
}


def measure(
    times: Floats,
    rewarded: Floats,
    others: Floats,
    first: Floats,
    second: Floats,
    n_rewards: int,
    total: float,
) -> dict[str, float | None]:
    """Of the course of the rewarded weight at ``times`` (ms) and the others at the end, in units
    of their maximum, and of the spikes of the two neurons (ms) until ``total``."""
    there = np.flatnonzero(rewarded >= 0.9)
    third = total / 3.0
    return {
        "weight": float(rewarded[-1]),
        "rank": float((others < rewarded[-1]).mean()),
        "others": float(others.mean()),
        "found_s": float(times[there[0]] / 1000.0) if there.size else None,
        "rewards": float(n_rewards),
        "follows_early": follows(first[first < third], second),
        "follows_late": follows(first[first >= total - third], second),
    }


def follows(first: Floats, second: Floats, window: float = 10.0) -> float:
    """Share of the spikes of the first neuron that one of the second follows within ``window``
    (ms)."""
    if first.size == 0:
        return 0.0
    return float(np.mean([((second > t) & (second <= t + window)).any() for t in first]))


def lags(first: Floats, second: Floats, most: float) -> Floats:
    """Times (ms) from each spike of the first neuron to those of the second, up to ``most``."""
    found = [second[(second > t - most) & (second < t + most)] - t for t in first]
    return np.concatenate([np.empty(0), *found])
