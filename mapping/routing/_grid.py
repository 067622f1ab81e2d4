"""What a routing function sees of the machine: numbers and arrays, so that it can be compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["EMPTY_TABLE", "Grid", "IntArray", "Offers"]

IntArray: TypeAlias = NDArray[np.int64]

EMPTY_TABLE: IntArray = np.zeros(0, dtype=np.int64)
EMPTY_TABLE.setflags(write=True)  # numba takes read-only arrays for another type


class Grid(NamedTuple):
    """A mesh as routing functions see it.

    Attributes
    ----------
    width, height : int
        Tiles per row and rows; router ``y * width + x`` is at ``(x, y)``, row 0 on top.
    torus : bool
        With wrap-around links.
    virtual_channels : int
        Per link. Channel number = ``link * virtual_channels + vc``; link = ``4 * router +
        direction``, the directions N, E, S, W = 0..3.
    link_target : int64 array, shape (4 * width * height,)
        Router at the far end of each link, -1 where there is no (working) link.
    table : int64 array, shape (n,)
        Whatever the function's ``table(mesh)`` made; empty for most.
    """

    width: int
    height: int
    torus: bool
    virtual_channels: int
    link_target: IntArray
    table: IntArray


# (grid, router, came_by, target, out) -> how many channel numbers were written into `out`.
Offers: TypeAlias = Callable[[Grid, int, int, int, IntArray], int]
