"""Whether a network keeps up with its load: from when packets were created and delivered alone.

The backlog of a network that keeps up (flits created and not delivered yet) goes up and down
around a mean; that of one that does not grows with time, by (offered - accepted) flits a cycle.
The time of measurement is cut in two halves of equal length: if the backlog has grown by more than
1 % of the flits offered in *each* of them, and by more than chance brings (four standard deviations
of the flits offered), the run is unstable, and its latency, which depends on how long one looked,
is not a figure. Loads within 1 % of saturation cannot be told apart this way.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mapping.graph import IntArray
from simulator.errors import MappingError

__all__ = ["backlog_at", "is_stable"]

_GROWTH = 0.01
_DEVIATIONS = 4.0  # of the flits that independent packets bring in that time


def backlog_at(
    at: ArrayLike, created: ArrayLike, delivered: ArrayLike, flits: ArrayLike, ever: ArrayLike
) -> IntArray:
    """Flits created before each of the times `at` and not delivered before it.

    Parameters
    ----------
    created, flits : array, shape (n_packets,)
        Of all packets.
    delivered, ever : array, shape (n_packets,)
        Time of delivery, of no meaning where `ever` is false.
    """
    start, length = np.asarray(created), np.asarray(flits)
    there = np.asarray(ever, dtype=bool)
    end, gone = np.asarray(delivered)[there], length[there]

    def before(times: IntArray, weights: IntArray) -> IntArray:
        order = np.argsort(times, kind="stable")
        total = np.concatenate(([0], np.cumsum(weights[order])))
        return np.asarray(total[np.searchsorted(times[order], np.asarray(at), side="left")])

    backlog: IntArray = before(start, length) - before(end, gone)
    return backlog


def is_stable(
    first: int,
    last: int,
    created: ArrayLike,
    delivered: ArrayLike,
    flits: ArrayLike,
    ever: ArrayLike,
) -> bool:
    """Whether the backlog stops growing between the cycles `first` and `last`.

    Parameters are those of `backlog_at`.

    Raises
    ------
    MappingError
        Less than four cycles.
    """
    if last - first < 4:
        raise MappingError(f"stability between cycles {first} and {last}: too short to tell")
    middle = (first + last) // 2
    backlog = backlog_at([first, middle, last], created, delivered, flits, ever)
    start, length = np.asarray(created), np.asarray(flits)
    for before, after, a, b in ((0, 1, first, middle), (1, 2, middle, last)):
        offered = length[(start >= a) & (start < b)].astype(np.float64)
        chance = _DEVIATIONS * float(np.sqrt((offered**2).sum()))
        if backlog[after] - backlog[before] <= max(_GROWTH * float(offered.sum()), chance):
            return True
    return False
