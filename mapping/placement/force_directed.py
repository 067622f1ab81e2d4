"""Force-directed: neighbours on the mesh change places as long as their partners pull them to.

Logical cores start along a Hilbert curve, in the order of a walk through the traffic. The tension
of two neighbouring places is what the objective gains if they are swapped: the sum of the forces
with which the partners of both pull them to the other side. Each round works off the swaps under
tension from the strongest on, each if it is still a gain, until none is left.

O. Jin, Q. Xing, Y. Li, S. Deng, S. He, G. Pan, Mapping very large scale spiking neuron network to
neuromorphic hardware, ASPLOS 2023: Hilbert start and force-directed swaps.
"""

from __future__ import annotations

import numpy as np

from mapping.graph import IntArray
from mapping.kernel_part import kernel, kernel_part
from mapping.mesh import Mesh
from mapping.placement._base import Solution
from mapping.placement._course import Course
from mapping.placement._legal import along
from mapping.placement._moves import (
    FloatArray,
    State,
    allowed_move,
    drop_move,
    keep_move,
    start_state,
    try_move,
)
from mapping.placement._options import at_least
from mapping.placement._problem import Problem, Tables
from mapping.placement.hilbert import hilbert_order
from mapping.traffic import Traffic

__all__ = ["place"]


def place(
    traffic: Traffic, mesh: Mesh, *, seed: int, problem: Problem, rounds: int = 1000
) -> Solution:
    """Relax from a Hilbert curve; `seed` has no effect.

    Parameters
    ----------
    rounds : int
        At most so many.

    Raises
    ------
    MappingError
        An option out of range.
    """
    at_least("force_directed", 1, rounds=rounds)
    curve = along(problem.allowed, mesh, hilbert_order(mesh.width, mesh.height))
    start = np.empty_like(curve)
    start[_walk(traffic)] = curve
    if not problem.open:
        start = curve
    t, s = problem.tables, start_state(problem, start)
    course = Course(start, float(s.sums[0]), problem.bound, problem.watch)
    ends = _neighbours(mesh, problem)
    tension, after = np.empty(len(ends)), np.empty(3)
    for _ in range(rounds):
        tensions(t, s, ends, after, tension)
        strongest = np.argsort(-tension, kind="stable")
        strongest = strongest[tension[strongest] > 0.0]
        swapped = release(t, s, ends, after, strongest)
        going = course.add(len(ends) + strongest.size, s.sums[0], s.sums[0], s.core_of)
        if swapped == 0 or not going:
            break
    return course.solution()


def _walk(traffic: Traffic) -> IntArray:
    """Logical cores in an order that keeps partners together: always the one bound closest to those
    already in it."""
    packets = traffic.packets + traffic.packets.T
    pull = np.zeros(traffic.n_cores, dtype=np.int64)
    left = np.ones(traffic.n_cores, dtype=np.bool_)
    order = np.empty(traffic.n_cores, dtype=np.int64)
    degree = packets.sum(axis=1)
    for k in range(order.size):
        candidates = np.flatnonzero(left)
        best = candidates[np.lexsort((candidates, degree[candidates], -pull[candidates]))[0]]
        order[k] = best
        left[best] = False
        pull += packets[best]
    return order


def _neighbours(mesh: Mesh, problem: Problem) -> IntArray:
    """Pairs of places one link apart that somebody may have, shape (n, 2)."""
    possible = problem.possible
    link = np.array(mesh.links, dtype=np.int64)
    pairs = np.sort(np.stack((link // 4, mesh.link_targets[link]), axis=1), axis=1)
    pairs = np.unique(pairs[possible[pairs].all(axis=1)], axis=0)
    return np.ascontiguousarray(pairs)


@kernel
def tensions(t: Tables, s: State, ends: IntArray, after: FloatArray, tension: FloatArray) -> None:
    """What swapping each pair of places would gain; `after` is room for the sums after a move."""
    for k in range(len(ends)):
        tension[k] = -pull(t, s, ends[k, 0], ends[k, 1], after, False)


@kernel
def release(t: Tables, s: State, ends: IntArray, after: FloatArray, order: IntArray) -> int:
    """Swap pairs of places in an order, where that is a gain; returns how many were."""
    swapped = 0
    for k in order:
        if pull(t, s, ends[k, 0], ends[k, 1], after, True) < 0.0:
            swapped += 1
    return swapped


@kernel_part
def pull(t: Tables, s: State, one: int, other: int, after: FloatArray, keep: bool) -> float:
    """Change of the objective if two places are swapped; with `keep` a gain is taken."""
    here, to = one, other
    if s.occupant[here] < 0:
        here, to = other, one
    a, b = s.occupant[here], s.occupant[to]
    if a < 0 or not allowed_move(t, s, a, b, to):
        return 0.0
    change = try_move(t, s, a, b, to, after)
    if abs(change) <= 1e-12 * abs(s.sums[0]):
        change = 0.0  # rounding must not pass for a gain
    if keep and change < 0.0:
        keep_move(s, a, b, to, after)
    else:
        drop_move(t, s, a, b, to)
    return float(change)
