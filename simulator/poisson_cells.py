"""Poisson spikes of one neuron, drawn a cell of time at a time from (key, neuron, cell).

The intervals of a Poisson process are exponential and have no memory, so that it may begin anew
with every cell.  Every cell can be drawn by itself, then, by whoever needs it: the source, for all
its neurons in order of time, or the target of a private input, for itself and some time ahead.  The
random numbers are hashes of a counter.

Sources: counter-based numbers, Salmon et al. 2011; the finaliser of Steele, Lea & Flood 2014
(SplitMix64).
"""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np

from simulator.inner import register_jitable

__all__ = ["MEAN_IN_CELL", "MOST_IN_CELL", "draw_cell"]

MEAN_IN_CELL = 32.0  # spikes of the busiest neuron in a cell, at most
MOST_IN_CELL = 128  # with that mean, fewer than one cell in 1e35 would hold more

_STRIDE = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio, as an increment
_OTHER = np.uint64(0xD1B54A32D192ED03)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_1 = np.uint64(1)
_UNIT = 2.0**-53


@register_jitable(forceinline=True)
def _mix(x):
    """A bijection of 64 bits without visible structure; wraps around."""
    x = (x ^ (x >> _30)) * _MIX_1
    x = (x ^ (x >> _27)) * _MIX_2
    return x ^ (x >> _31)


@register_jitable
def draw_cell(
    key: Any, neuron: int, cell: int, length: float, starts: Any, rates: Any, columns: int,
    delay: float, times: Any, n: int,
) -> int:  # fmt: skip
    """Append the arrivals of a neuron's spikes in a cell to ``times``, of which ``n`` are used.

    Parameters
    ----------
    key : uint64
        Of the source.
    length : float
        Of a cell (ms): cell k is [k length, (k + 1) length).
    starts, rates : arrays of shape (n_pieces,) and (n_pieces * columns,)
        Rate (1/ms) from each time (ms) on; none before the first.  One column, or one a neuron.
    delay : float
        Added to each time (ms).
    times : array
        With room for MOST_IN_CELL more.

    Returns
    -------
    int
        How many are used now.
    """
    begin, end = cell * length, (cell + 1) * length
    state = _mix(_mix(key + np.uint64(neuron + 1) * _STRIDE) + np.uint64(cell + 1) * _OTHER)
    first, column = n, neuron if columns > 1 else 0
    for piece in range(starts.size):
        t = max(begin, starts[piece])
        stop = end if piece + 1 == starts.size else min(end, starts[piece + 1])
        rate = rates[piece * columns + column]
        if not (stop > t and rate > 0.0):
            continue
        mean, before = 1.0 / rate, -1.0
        while n - first < MOST_IN_CELL:
            state += _STRIDE
            t -= mean * log(((_mix(state) >> _11) + _1) * _UNIT)
            if t <= before:  # rounded to the one before
                t = np.nextafter(before, stop)
            if t >= stop:
                break
            times[n] = before = t
            n += 1
    for b in range(first, n):
        times[b] += delay
    return n
