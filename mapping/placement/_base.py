"""What a placement method takes and returns."""

from __future__ import annotations

from collections.abc import Sequence
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
        [unit of the objective] value after the step, and the lowest one seen so far.
    temperature : float64 array, shape (n_steps,)
        [unit of the objective]; 0 for steps that do not anneal.
    """

    moves: IntArray
    cost: NDArray[np.float64]
    best: NDArray[np.float64]
    temperature: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence[Convergence]) -> Convergence:
        """One search after the other: moves add up, and `best` is the best of all so far."""
        ends = np.cumsum([0, *(int(part.moves[-1]) for part in parts)])
        return cls(
            np.concatenate([part.moves + end for part, end in zip(parts, ends, strict=False)]),
            np.concatenate([part.cost for part in parts]),
            np.minimum.accumulate(np.concatenate([part.best for part in parts])),
            np.concatenate([part.temperature for part in parts]),
        )


class Solution(NamedTuple):
    """Result of a method.

    Attributes
    ----------
    core_of : int64 array, shape (n_logical,)
        Physical core of each logical core.
    convergence : Convergence or None
        Its course, if it has one.
    remark : str
        What the user should know of it, or "".
    """

    core_of: IntArray
    convergence: Convergence | None = None
    remark: str = ""


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
    objective : dict
        Weight of each term of the objective it was made for, as in `place`.
    value : float
        [unit of the objective] value of that objective; the cost, for packets x hops.
    remark : str
        What the method has to say of it, or "".
    """

    core_of: IntArray
    method: str
    seed: int
    cost: int
    convergence: Convergence | None
    objective: dict[str, float]
    value: float
    remark: str = ""


def placement_cost(traffic: Traffic, core_of: IntArray, mesh: Mesh) -> int:
    """C = sum over i, j of c_ij M_ij, in packets x hops.

    c_ij packets from logical core i to j, M_ij shortest distance of their places (mapping-limit
    paper, equation 2). Exact, in integers.
    """
    return int(np.sum(traffic.packets * mesh.distances[np.ix_(core_of, core_of)]))
