"""Quadratic assignment problems on a grid, from the files of QAPLIB.

R. E. Burkard, S. E. Karisch, F. Rendl, QAPLIB - a quadratic assignment problem library, Journal of
Global Optimization 10, 1997. Where one of an instance's two matrices holds the distances of a full
grid, its objective is packets x hops on a mesh: the families nug, sko, tho and wil.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from mapping.graph import IntArray
from mapping.mesh import Mesh
from mapping.traffic import Traffic
from simulator.errors import DataError

__all__ = ["GridInstance", "read_instance", "read_solution"]


class GridInstance(NamedTuple):
    """An instance as a placement problem.

    Attributes
    ----------
    traffic : Traffic
        Its flows. A symmetric matrix counts each pair twice, as QAPLIB's objective does.
    mesh : Mesh
        The grid of its distances.
    """

    traffic: Traffic
    mesh: Mesh


def read_instance(path: str | Path) -> GridInstance:
    """Read a ``.dat`` file.

    Raises
    ------
    DataError
        The file cannot be read, is damaged, or has no matrix that is the distances of a grid.
    """
    numbers = _numbers(path)
    n = int(numbers[0]) if numbers.size else 0
    if n < 1 or numbers.size != 1 + 2 * n * n:
        raise DataError(
            f"'{path}' holds {numbers.size} numbers; expected n and two matrices of n x n"
        )
    one, other = numbers[1:].reshape(2, n, n)
    for height in range(1, n + 1):
        if n % height == 0:
            mesh = Mesh(n // height, height)
            for distance, flow in ((one, other), (other, one)):
                if np.array_equal(distance, mesh.distances):
                    return GridInstance(Traffic.from_matrix(flow, 1.0), mesh)
    raise DataError(f"'{path}': neither matrix holds the distances of a {n}-core rectangle")


def read_solution(path: str | Path) -> tuple[int, IntArray]:
    """Best known value and permutation (from 0) of a ``.sln`` file.

    Raises
    ------
    DataError
        The file cannot be read or is damaged.
    """
    numbers = _numbers(path)
    order = numbers[2:] - 1
    if numbers.size < 3 or not np.array_equal(np.sort(order), np.arange(numbers[0])):
        raise DataError(f"'{path}' does not hold n, a value and a permutation of 1..n")
    return int(numbers[1]), order


def _numbers(path: str | Path) -> IntArray:
    try:
        text = Path(path).read_text(encoding="ascii")
        return np.array([int(word) for word in text.replace(",", " ").split()], dtype=np.int64)
    except OSError as error:
        raise DataError(f"'{path}': cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, ValueError, OverflowError) as error:
        raise DataError(f"'{path}' holds something that is not an integer") from error
