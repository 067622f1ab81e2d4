"""Rows alternately left to right and right to left, so that consecutive cores are neighbours."""

from __future__ import annotations

import numpy as np

from mapping.mesh import Mesh
from mapping.placement._base import Solution
from mapping.placement._legal import along
from mapping.placement._problem import Problem
from mapping.traffic import Traffic

__all__ = ["place"]


def place(traffic: Traffic, mesh: Mesh, *, seed: int, problem: Problem) -> Solution:
    """Boustrophedon order, past cores that cannot be used; `seed` has no effect."""
    grid = np.arange(mesh.n_cores, dtype=np.int64).reshape(mesh.height, mesh.width)
    grid[1::2] = grid[1::2, ::-1].copy()
    return Solution(along(problem.allowed, mesh, grid.ravel()))
