"""Statistics of spike trains by which two simulations of one network are compared."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

__all__ = [
    "MEASURES",
    "interval_cvs",
    "pair_correlations",
    "rates",
    "same_until",
    "statistics_of",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MEASURES = {
    "rate": "rate (Hz)",
    "cv": "CV of intervals (1)",
    "correlation": "pairwise correlation (1)",
}
LEAST_INTERVALS = 5  # of a neuron whose CV is taken
BIN_MS = 10.0  # of spike counts that are correlated
PAIRS = 1000  # no neuron is in two of them


def rates(neurons: Ints, n: int, duration_ms: float) -> Floats:
    """Rate of each of ``n`` neurons in Hz."""
    result: Floats = np.bincount(neurons, minlength=n) / duration_ms * 1000.0
    return result


def interval_cvs(times: Floats, neurons: Ints, least: int = LEAST_INTERVALS) -> Floats:
    """Standard deviation over mean of the intervals of each neuron that has enough of them."""
    order = np.lexsort((times, neurons))
    t, i = times[order], neurons[order]
    intervals, own = np.diff(t), np.diff(i) == 0
    intervals, i = intervals[own], i[1:][own]
    count = np.bincount(i)
    enough = count >= least
    mean = np.bincount(i, intervals)[enough] / count[enough]
    square = np.bincount(i, intervals**2)[enough] / count[enough]
    result: Floats = np.sqrt(np.maximum(square - mean**2, 0.0)) / mean
    return result


def pair_correlations(
    times: Floats, neurons: Ints, n: int, start_ms: float, stop_ms: float, seed: int
) -> Floats:
    """Correlation of the spike counts of disjoint pairs, drawn from the neurons that fire."""
    n_bins = int((stop_ms - start_ms) / BIN_MS)
    bins = ((times - start_ms) / BIN_MS).astype(np.int64)
    inside = (times >= start_ms) & (bins < n_bins)
    counts = np.zeros((n, n_bins))
    np.add.at(counts, (neurons[inside], bins[inside]), 1.0)
    counts -= counts.mean(axis=1, keepdims=True)
    norm = np.sqrt((counts**2).sum(axis=1))
    firing = np.random.default_rng(seed).permutation(np.flatnonzero(norm > 0.0))
    n_pairs = min(PAIRS, firing.size // 2)
    a, b = firing[:n_pairs], firing[n_pairs : 2 * n_pairs]
    result: Floats = (counts[a] * counts[b]).sum(axis=1) / (norm[a] * norm[b])
    return result


def statistics_of(
    spikes: Mapping[str, tuple[Floats, Ints]],
    sizes: Mapping[str, int],
    start_ms: float,
    stop_ms: float,
    seed: int,
) -> dict[str, Floats]:
    """All three over all populations, from spikes in [start, stop) ms."""
    times_of, neurons_of, n = [], [], 0
    for name, size in sizes.items():
        t, i = spikes[name]
        times_of.append(t)
        neurons_of.append(np.asarray(i, dtype=np.int64) + n)
        n += size
    times, neurons = np.concatenate(times_of), np.concatenate(neurons_of)
    inside = (times >= start_ms) & (times < stop_ms)
    times, neurons = times[inside], neurons[inside]
    return {
        "rate": rates(neurons, n, stop_ms - start_ms),
        "cv": interval_cvs(times, neurons),
        "correlation": pair_correlations(times, neurons, n, start_ms, stop_ms, seed),
    }


def same_until(a: tuple[Floats, Ints], b: tuple[Floats, Ints], tolerance_ms: float) -> float:
    """Time of the first spike that only one side has, or has elsewhere; infinite if there is none.

    Spike k of a neuron on one side belongs to spike k of it on the other.
    """
    keys, times = [], []
    for t, i in (a, b):
        order = np.lexsort((t, i))
        t, i = t[order], i[order]
        first = np.searchsorted(i, i, side="left")
        keys.append(i * (1 << 32) + np.arange(i.size) - first)
        times.append(t)
    _, in_a, in_b = np.intersect1d(keys[0], keys[1], assume_unique=True, return_indices=True)
    alone = [np.setdiff1d(np.arange(t.size), k) for t, k in zip(times, (in_a, in_b), strict=True)]
    apart = np.abs(times[0][in_a] - times[1][in_b]) > tolerance_ms
    found = [times[0][alone[0]], times[1][alone[1]], times[0][in_a][apart], times[1][in_b][apart]]
    return float(min((float(t.min()) for t in found if t.size), default=np.inf))
