"""What a placement method takes and returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.graph import IntArray
from mapping.mesh import Mesh
from mapping.traffic import Traffic

__all__ = ["Convergence", "Placement", "Solution", "placement_cost"]


@dataclass(frozen=True, eq=False)
class Convergence:
    """Course of an iterative placement, one row per recorded step.

    Attributes
    ----------
    moves : int64 array, shape (n_steps,)
        Moves tried up to and including each step.
    cost, best : float64 arrays, shape (n_steps,)
        [packets x hops] cost after the step, and the lowest cost seen so far.
    temperature : float64 array, shape (n_steps,)
        [packets x hops]; 0 for steps that only go downhill.
    """

    moves: IntArray
    cost: NDArray[np.float64]
    best: NDArray[np.float64]
    temperature: NDArray[np.float64]


class Solution(NamedTuple):
    """Result of a method: physical core of each logical core, and its course if it has one."""

    core_of: IntArray
    convergence: Convergence | None = None


@dataclass(frozen=True, eq=False)
class Placement:
    """A checked placement.

    Attributes
    ----------
    core_of : int64 array, shape (n_logical,)
        Physical core of each logical core; no two alike.
    method : str
    seed : int
    cost : int
        [packets x hops] see `placement_cost`.
    convergence : Convergence or None
    """

    core_of: IntArray
    method: str
    seed: int
    cost: int
    convergence: Convergence | None


def placement_cost(traffic: Traffic, core_of: IntArray, mesh: Mesh) -> int:
    """C = sum over i, j of c_ij M_ij, in packets x hops.

    c_ij packets from logical core i to j, M_ij shortest distance of their places (mapping-limit
    paper, equation 2). Exact, in integers.
    """
    return int(np.sum(traffic.packets * mesh.distances[np.ix_(core_of, core_of)]))
