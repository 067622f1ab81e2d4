"""Latency by source and target: what each stream of a packet network went through."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.graph import IntArray

__all__ = ["PairLatency", "pair_latency"]


class PairLatency(NamedTuple):
    """Latency of everything that went from one core to another; arrays of shape (n_pairs,).

    Attributes
    ----------
    source, target : int64
        By source, then target; pairs that exchanged nothing are left out.
    copies : int64
        Packets of their own, and copies that branching packets left.
    mean : float64
        [cycles] from creation to the arrival of the tail.
    maximum : int64
        [cycles]
    """

    source: IntArray
    target: IntArray
    copies: IntArray
    mean: NDArray[np.float64]
    maximum: IntArray


def pair_latency(source: IntArray, target: IntArray, latency: IntArray) -> PairLatency:
    """Means over packets (or copies) from their ends and latencies, each of shape (n,)."""
    width = int(target.max(initial=0)) + 1
    pairs, which = np.unique(source * width + target, return_inverse=True)
    copies = np.bincount(which, minlength=pairs.size)
    maximum = np.zeros(pairs.size, dtype=np.int64)
    np.maximum.at(maximum, which, latency)
    total = np.bincount(which, latency, minlength=pairs.size)
    return PairLatency(pairs // width, pairs % width, copies, total / copies, maximum)
