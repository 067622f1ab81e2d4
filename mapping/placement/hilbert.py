"""Logical cores in order along a Hilbert curve: what is near in the order is near on the mesh.

The curve is generalised to any rectangle: it is cut into three parts, or into two where it is more
than half as long again as wide, until a side is 1. Where an odd side has to be halved one step of
it goes diagonally.
"""

from __future__ import annotations

import numpy as np

from mapping.graph import IntArray
from mapping.mesh import Mesh
from mapping.placement._base import Solution
from mapping.placement._legal import along
from mapping.placement._problem import Problem
from mapping.traffic import Traffic

__all__ = ["hilbert_order", "place"]


def place(traffic: Traffic, mesh: Mesh, *, seed: int, problem: Problem) -> Solution:
    """Along the curve, past cores that cannot be used; `seed` has no effect."""
    return Solution(along(problem.allowed, mesh, hilbert_order(mesh.width, mesh.height)))


def hilbert_order(width: int, height: int) -> IntArray:
    """Core numbers of a grid along a generalised Hilbert curve from core 0.

    Returns
    -------
    int64 array, shape (width * height,)

    References
    ----------
    D. Hilbert, Über die stetige Abbildung einer Linie auf ein Flächenstück, Math. Annalen 38, 1891;
    the recursion for rectangles is that of J. Červený, gilbert, 2018.

    Examples
    --------
    >>> hilbert_order(2, 2)
    array([0, 2, 3, 1])
    """
    cells: list[tuple[int, int]] = []
    if width >= height:
        _curve(cells, (0, 0), (width, 0), (0, height))
    else:
        _curve(cells, (0, 0), (0, height), (width, 0))
    x, y = np.array(cells, dtype=np.int64).T
    order: IntArray = y * width + x
    return order


_Vector = tuple[int, int]


def _curve(cells: list[_Vector], start: _Vector, a: _Vector, b: _Vector) -> None:
    """Append the cells of the rectangle spanned by `a`, along which the curve goes, and `b`."""
    (x, y), (ax, ay), (bx, by) = start, a, b
    long, wide = abs(ax + ay), abs(bx + by)
    step_a, step_b = (_sign(ax), _sign(ay)), (_sign(bx), _sign(by))
    if wide == 1:
        cells += [(x + k * step_a[0], y + k * step_a[1]) for k in range(long)]
        return
    if long == 1:
        cells += [(x + k * step_b[0], y + k * step_b[1]) for k in range(wide)]
        return
    half_a, half_b = (_half(ax), _half(ay)), (_half(bx), _half(by))
    if 2 * long > 3 * wide:
        if abs(sum(half_a)) % 2 and long > 2:
            half_a = (half_a[0] + step_a[0], half_a[1] + step_a[1])
        _curve(cells, start, half_a, b)
        _curve(cells, _plus(start, half_a), _minus(a, half_a), b)
        return
    if abs(sum(half_b)) % 2 and wide > 2:
        half_b = (half_b[0] + step_b[0], half_b[1] + step_b[1])
    _curve(cells, start, half_b, half_a)
    _curve(cells, _plus(start, half_b), a, _minus(b, half_b))
    corner = _plus(start, (ax - step_a[0], ay - step_a[1]))
    corner = _plus(corner, (half_b[0] - step_b[0], half_b[1] - step_b[1]))
    _curve(cells, corner, (-half_b[0], -half_b[1]), _minus(half_a, a))


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _half(value: int) -> int:
    return value // 2


def _plus(a: _Vector, b: _Vector) -> _Vector:
    return a[0] + b[0], a[1] + b[1]


def _minus(a: _Vector, b: _Vector) -> _Vector:
    return a[0] - b[0], a[1] - b[1]
