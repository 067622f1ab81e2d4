"""Shortest routes under forbidden turns, worked out once per mesh and read off a table.

A router may forbid turns: `allowed[router, arrival, direction]`, where arrival 0 is injection and
arrival 1 + d is "came moving in direction d". For each target a search backwards from it gives
every state's legal hops left; the table keeps, for each target, router and arrival, which
directions lie on a shortest legal route, as a mask of four bits. Eight masks share an int64.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapping.mesh import Mesh
from mapping.routing._grid import Grid, IntArray

__all__ = ["direction_masks", "offers", "packed", "straight_on"]

BoolArray = NDArray[np.bool_]
Masks = NDArray[np.uint8]


def offers(grid: Grid, router: int, came_by: int, target: int, out: IntArray) -> int:
    """The directions in the mask of this router, arrival and target."""
    arrival = 0 if came_by < 0 else 1 + came_by % 4
    place = (target * grid.width * grid.height + router) * 5 + arrival
    mask = (grid.table[place >> 3] >> ((place & 7) << 3)) & 15
    count = 0
    for direction in range(4):
        if (mask >> direction) & 1:
            out[count] = 4 * router + direction
            count += 1
    return count


def straight_on(n_routers: int) -> BoolArray:
    """Turns allowed at first: injection anywhere, and straight on; shape (n_routers, 5, 4)."""
    allowed = np.zeros((n_routers, 5, 4), dtype=np.bool_)
    allowed[:, 0, :] = True
    for direction in range(4):
        allowed[:, 1 + direction, direction] = True
    return allowed


def direction_masks(
    mesh: Mesh, link_target: IntArray, allowed: BoolArray, *, minimal: bool, single: bool
) -> Masks:
    """Masks of the directions on shortest legal routes, 0 where there is none.

    Parameters
    ----------
    link_target : int64 array, shape (n_link_ids,)
        The links that may be used, -1 for the others.
    minimal : bool
        Only routes as short as the mesh's distance.
    single : bool
        One direction of each mask, spread over the choices by router and target.

    Returns
    -------
    uint8 array, shape (n_routers, n_routers, 5)
        [target, router, arrival].
    """
    n = mesh.n_cores
    entering = np.full(4 * n, -1, dtype=np.int64)
    for link in np.flatnonzero(link_target >= 0):
        entering[4 * link_target[link] + link % 4] = link
    distances = np.ascontiguousarray(mesh.distances) if minimal else np.zeros((1, 1), np.int64)
    masks = np.zeros((n, n, 5), dtype=np.uint8)
    _fill(entering, allowed, distances, minimal, single, masks)
    return masks


def packed(masks: Masks) -> IntArray:
    """The masks eight to an int64, as `offers` reads them."""
    flat = masks.ravel()
    filled = np.zeros(-(-flat.size // 8) * 8, dtype=np.uint8)
    filled[: flat.size] = flat
    return filled.view("<i8").astype(np.int64, copy=False)


@njit(cache=True)
def _fill(
    entering: IntArray,
    allowed: BoolArray,
    distances: IntArray,
    minimal: bool,
    single: bool,
    masks: Masks,
) -> None:
    n = masks.shape[0]
    left = np.empty(4 * n, np.int64)  # hops left after taking this link; -1 if it leads nowhere
    queue = np.empty(4 * n, np.int64)
    for target in range(n):
        left[:] = -1
        size = 0
        for direction in range(4):
            link = entering[4 * target + direction]
            if link >= 0:
                left[link] = 0
                queue[size] = link
                size += 1
        first = 0
        while first < size:
            link = queue[first]
            first += 1
            router = link // 4
            if router == target:
                continue
            for direction in range(4):
                before = entering[4 * router + direction]
                if before < 0 or left[before] >= 0 or not allowed[router, 1 + direction, link % 4]:
                    continue
                left[before] = left[link] + 1
                queue[size] = before
                size += 1
        for router in range(n):
            if router == target:
                continue
            for arrival in range(5):
                best = _least(allowed, left, router, arrival)
                if best < 0 or (minimal and 1 + best != distances[router, target]):
                    continue
                mask = _mask(allowed, left, router, arrival, best)
                masks[target, router, arrival] = _one_of(mask, router + target) if single else mask


@njit(cache=True)
def _least(allowed: BoolArray, left: IntArray, router: int, arrival: int) -> int:
    """Fewest hops left after any allowed link, -1 if none leads to the target."""
    best = -1
    for direction in range(4):
        hops = left[4 * router + direction]
        if hops >= 0 and allowed[router, arrival, direction] and (best < 0 or hops < best):
            best = hops
    return best


@njit(cache=True)
def _mask(allowed: BoolArray, left: IntArray, router: int, arrival: int, best: int) -> int:
    """The allowed directions with that many hops left."""
    mask = 0
    for direction in range(4):
        if left[4 * router + direction] == best and allowed[router, arrival, direction]:
            mask |= 1 << direction
    return mask


@njit(cache=True)
def _one_of(mask: int, turn: int) -> int:
    """One bit of the mask: all of them in turn."""
    count = (mask & 1) + ((mask >> 1) & 1) + ((mask >> 2) & 1) + (mask >> 3)
    skip = turn % count
    for direction in range(4):
        if (mask >> direction) & 1:
            if skip == 0:
                return 1 << direction
            skip -= 1
    return 0
