"""Logical core i on physical core i, row by row: the baseline."""

from __future__ import annotations

import numpy as np

from mapping.mesh import Mesh
from mapping.placement._base import Solution
from mapping.traffic import Traffic

__all__ = ["place"]


def place(traffic: Traffic, mesh: Mesh, *, seed: int) -> Solution:
    """Row-major order; `seed` has no effect."""
    return Solution(np.arange(traffic.n_cores, dtype=np.int64))
