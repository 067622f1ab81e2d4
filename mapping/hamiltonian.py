"""Closed loops through all cores of a grid: the ring on which every step is one hop.

A mesh of m x n cores has a Hamiltonian cycle exactly if m, n >= 2 and m n is even: cores are
coloured like a chess board, every hop changes the colour, so a cycle needs as many of one as of the
other. A torus also has one where both sides are odd, or one side is 1.

References
----------
Approaching the mapping limit with closed-loop mapping strategy for deploying neural networks on
neuromorphic hardware, section 4.2. Its printed Algorithm 1 is not used: taken literally it gives a
cycle on no grid, and with its signs mended still none where m is odd and n >= 4. The cycle here
runs along row 0, to and fro through the other rows without column 0, and back up column 0.
"""

from __future__ import annotations

import operator

import numpy as np

from mapping.graph import IntArray
from mapping.mesh import Mesh
from simulator.errors import MappingError

__all__ = ["hamiltonian_cycle", "hamiltonian_loop", "loop_hops"]


def hamiltonian_cycle(rows: int, columns: int, *, torus: bool = False) -> IntArray | None:
    """Order of the cores of a grid in which each is one hop from the next, the last from the first.

    Parameters
    ----------
    rows, columns : int
        Size of the grid, >= 1; as `mesh.height` and `mesh.width`.
    torus : bool
        Whether rows and columns close on themselves.

    Returns
    -------
    int64 array, shape (rows * columns,), or None
        Core numbers ``row * columns + column`` in ring order, from core 0; None if there is no
        such cycle. Two cores in a line are none: their ring would use one pair of links twice.

    Raises
    ------
    MappingError
        A size that is not an integer >= 1.

    Examples
    --------
    >>> hamiltonian_cycle(2, 3)
    array([0, 1, 2, 5, 4, 3])
    >>> hamiltonian_cycle(3, 3) is None
    True
    """
    m, n = _sizes(rows, columns)
    if min(m, n) >= 2 and m * n % 2 == 0:
        cells = _even_rows(m, n) if m % 2 == 0 else _turned(_even_rows(n, m))
    elif torus and max(m, n) >= 3:  # both odd, or a single row or column
        cells = _odd_torus(m, n) if m >= n else _turned(_odd_torus(n, m))
    else:
        return None
    return _numbers(cells, n)


def hamiltonian_loop(rows: int, columns: int, *, torus: bool = False) -> IntArray:
    """The shortest closed tour of all cores: `hamiltonian_cycle`, or the best there is instead.

    Parameters
    ----------
    rows, columns, torus
        As in `hamiltonian_cycle`.

    Returns
    -------
    int64 array, shape (rows * columns,)
        Core numbers in ring order. Without a cycle one of its hops (see `loop_hops`) is longer
        than the others, and no closed tour has fewer hops in all: that one is of length 2 where
        both sides are odd (a closed tour of a mesh has an even number of hops, so one more than an
        odd number of cores), and the whole way back, n - 1, on a line of n cores (which every
        closed tour passes in both directions).

    Raises
    ------
    MappingError
        A size that is not an integer >= 1.

    Examples
    --------
    >>> loop_hops(hamiltonian_loop(3, 3), Mesh(3, 3)).tolist()
    [1, 1, 1, 1, 1, 1, 2, 1, 1]
    """
    m, n = _sizes(rows, columns)
    cycle = hamiltonian_cycle(m, n, torus=torus)
    if cycle is not None:
        return cycle
    if min(m, n) == 1:
        return np.arange(m * n, dtype=np.int64)
    return _numbers(_odd_grid(m, n), n)


def loop_hops(loop: IntArray, mesh: Mesh) -> IntArray:
    """[hops] Distance from each core of a loop to the next, the last to the first; its shape."""
    return np.asarray(mesh.distances[loop, np.roll(loop, -1)], dtype=np.int64)


_Cells = list[tuple[int, int]]  # (row, column)


def _even_rows(m: int, n: int) -> _Cells:
    """A cycle for even m: row 0, then to and fro without column 0, which is the way back."""
    cells = [(0, column) for column in range(n)]
    for row in range(1, m):
        there = range(n - 1, 0, -1) if row % 2 else range(1, n)
        cells += [(row, column) for column in there]
    return cells + [(row, 0) for row in range(m - 1, 0, -1)]


def _odd_grid(m: int, n: int) -> _Cells:
    """As `_even_rows`, but the last two rows are taken column by column: an even number of columns
    ends one row too high, so the step to column 0 is a diagonal of two hops."""
    cells = [(0, column) for column in range(n)]
    for row in range(1, m - 2):
        there = range(n - 1, 0, -1) if row % 2 else range(1, n)
        cells += [(row, column) for column in there]
    for column in range(n - 1, 0, -1):
        pair = (m - 2, m - 1) if column % 2 == 0 else (m - 1, m - 2)
        cells += [(row, column) for row in pair]
    return cells + [(row, 0) for row in range(m - 1, 0, -1)]


def _odd_torus(m: int, n: int) -> _Cells:
    """A cycle for odd n <= m, m odd or n = 1: every row is gone through whole, some rows eastwards.

    A row entered in column c is left in c - 1 if gone through eastwards, in c + 1 westwards. With
    (m + n) / 2 rows eastwards the last row is left n columns from the start, which is no distance.
    """
    cells, column = [], 0
    for row in range(m):
        step = 1 if row < (m + n) // 2 else -1
        cells += [(row, (column + step * k) % n) for k in range(n)]
        column -= step
    return cells


def _turned(cells: _Cells) -> _Cells:
    return [(column, row) for row, column in cells]


def _numbers(cells: _Cells, columns: int) -> IntArray:
    return np.array([row * columns + column for row, column in cells], dtype=np.int64)


def _sizes(rows: int, columns: int) -> tuple[int, int]:
    sizes = []
    for name, value in (("rows", rows), ("columns", columns)):
        try:
            size = 0 if isinstance(value, bool | np.bool_) else operator.index(value)
        except TypeError:
            size = 0
        if size < 1:
            raise MappingError(f"{name} = {value!r}; a grid has an integer >= 1 of them")
        sizes.append(size)
    return sizes[0], sizes[1]
