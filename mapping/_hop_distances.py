"""Shortest hops between cores: in closed form on a whole grid, by breadth-first search else."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["grid_distances", "reversed_links", "search_all", "search_from"]

IntArray = NDArray[np.int64]


def grid_distances(width: int, height: int, torus: bool) -> IntArray:
    """Hops between all cores of a mesh or torus that lacks nothing, shape (n, n)."""

    def along(n: int) -> IntArray:
        gap = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
        return np.minimum(gap, n - gap) if torus else gap

    # Row of the source, column of the source, row of the target, column of the target.
    hops = along(height)[:, None, :, None] + along(width)[None, :, None, :]
    return np.ascontiguousarray(hops.reshape(width * height, -1), dtype=np.int64)


def reversed_links(link_targets: IntArray) -> IntArray:
    """The same links, each against its direction: a search over them finds who reaches a core."""
    turned = np.full_like(link_targets, -1)
    link = np.flatnonzero(link_targets >= 0)
    # No two links enter a router from one side, so each gets the port it arrives at.
    turned[4 * link_targets[link] + (link + 2) % 4] = link // 4
    return turned


def search_from(link_targets: IntArray, source: int) -> IntArray:
    """Hops from one core to every other, -1 where there is no path, shape (n,)."""
    hops = np.full((1, link_targets.size // 4), -1, dtype=np.int64)
    fill_hops(link_targets, np.array([source], dtype=np.int64), hops)
    row: IntArray = hops[0]
    return row


def search_all(link_targets: IntArray) -> IntArray:
    """Hops between all cores, -1 where there is no path, shape (n, n)."""
    n = link_targets.size // 4
    hops = np.full((n, n), -1, dtype=np.int64)
    fill_hops(link_targets, np.arange(n, dtype=np.int64), hops)
    return hops


@njit(cache=True)
def fill_hops(link_targets: IntArray, sources: IntArray, hops: IntArray) -> None:
    """Breadth first from each source; `hops` comes filled with -1, one row per source."""
    queue = np.empty(hops.shape[1], dtype=np.int64)
    for row in range(sources.size):
        reached = hops[row]
        reached[sources[row]] = 0
        queue[0] = sources[row]
        first, last = 0, 1
        while first < last:
            core = queue[first]
            first += 1
            for link in range(4 * core, 4 * core + 4):
                target = link_targets[link]
                if target >= 0 and reached[target] < 0:
                    reached[target] = reached[core] + 1
                    queue[last] = target
                    last += 1
