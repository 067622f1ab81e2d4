"""Logical cores in order round a closed loop of one-hop steps.

A ring exchange, in which every core sends to the next, then costs one hop per packet: the mapping
limit. Where there is no such loop (both sides odd, cores that cannot be used) the steps that are
longer are named in the remark of the placement.

Approaching the mapping limit with closed-loop mapping strategy for deploying neural networks on
neuromorphic hardware, section 4.2; the loop is that of `mapping.hamiltonian`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.graph import IntArray
from mapping.hamiltonian import hamiltonian_loop, loop_hops
from mapping.mesh import Mesh
from mapping.placement._base import Solution
from mapping.placement._legal import along
from mapping.placement._problem import Problem
from mapping.traffic import Traffic

__all__ = ["place"]


def place(traffic: Traffic, mesh: Mesh, *, seed: int, problem: Problem) -> Solution:
    """Round a loop, past cores that cannot be used; `seed` has no effect.

    With fewer logical than physical cores the loop is that of the smallest rectangle of usable
    cores that holds them, and the cores left over are those before its end.
    """
    order = _loop(mesh, traffic.n_cores, problem.possible)
    core_of = along(problem.allowed, mesh, order)
    return Solution(core_of, remark=_long_steps(core_of, mesh))


def _loop(mesh: Mesh, n: int, usable: NDArray[np.bool_]) -> IntArray:
    """All cores of the mesh, those of the loop first."""
    whole = hamiltonian_loop(mesh.height, mesh.width, torus=bool(mesh.torus))
    if n == mesh.n_cores:
        return whole
    grid = np.arange(mesh.n_cores, dtype=np.int64).reshape(mesh.height, mesh.width)
    working = usable.reshape(grid.shape)
    for rows, columns in _rectangles(n, mesh.height, mesh.width):
        fits = np.lib.stride_tricks.sliding_window_view(working, (rows, columns)).all(axis=(2, 3))
        if fits.any():
            top, left = np.argwhere(fits)[0]
            inside = grid[top : top + rows, left : left + columns].ravel()
            loop = inside[hamiltonian_loop(rows, columns)]
            return np.concatenate((loop, whole[~np.isin(whole, loop)]))
    return whole


def _rectangles(n: int, height: int, width: int) -> list[tuple[int, int]]:
    """Sizes of rectangles with room for n: first those with a cycle, smallest, most square."""
    sizes = []
    for rows in range(1, height + 1):
        columns = -(-n // rows)
        sizes += [(rows, more) for more in (columns, columns + 1) if more <= width]

    def rank(size: tuple[int, int]) -> tuple[bool, int, int]:
        rows, columns = size
        cycle = min(size) >= 2 and rows * columns % 2 == 0
        return (not cycle and n > 2, rows * columns, abs(rows - columns))

    return sorted(sizes, key=rank)


def _long_steps(core_of: IntArray, mesh: Mesh) -> str:
    hops = loop_hops(core_of, mesh)
    long = np.flatnonzero(hops != 1) if core_of.size > 1 else np.zeros(0, dtype=np.int64)
    if long.size == 0:
        return ""
    shown = ", ".join(
        f"{k} -> {(k + 1) % core_of.size} ({'no path' if hops[k] < 0 else f'{hops[k]} hops'})"
        for k in long[:4].tolist()
    )
    more = "" if long.size <= 4 else f" and {long.size - 4} more"
    return f"steps of the loop longer than one hop, between logical cores: {shown}{more}"
