"""Logical core i on the i-th usable physical core, row by row: the baseline."""

from __future__ import annotations

import numpy as np

from mapping.mesh import Mesh
from mapping.placement._base import Solution
from mapping.placement._legal import along
from mapping.placement._problem import Problem
from mapping.traffic import Traffic

__all__ = ["place"]


def place(traffic: Traffic, mesh: Mesh, *, seed: int, problem: Problem) -> Solution:
    """Row-major order, past cores that cannot be used; `seed` has no effect."""
    return Solution(along(problem.allowed, mesh, np.arange(mesh.n_cores, dtype=np.int64)))
