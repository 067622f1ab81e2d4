"""Simulated annealing: swaps of two cores, or a move to an empty one, at falling temperature.

Objective: C = sum c_ij M_ij (packets x hops). A move costs one pass over the partners of the
cores it touches, not a recomputation. Temperatures fall geometrically from one that accepts most
moves to one that accepts almost none; what is left is removed by a greedy descent over all swaps.

S. Kirkpatrick, C. D. Gelatt, M. P. Vecchi, Optimization by simulated annealing, Science 220,
1983; as a quadratic assignment problem: R. E. Burkard, F. Rendl, EJOR 17, 1984.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapping.graph import IntArray
from mapping.mesh import Mesh
from mapping.placement._base import Convergence, Solution, placement_cost
from mapping.traffic import Traffic
from simulator.errors import MappingError

__all__ = ["anneal", "descend", "place", "swap_delta"]

FloatArray = NDArray[np.float64]


def place(
    traffic: Traffic,
    mesh: Mesh,
    *,
    seed: int,
    moves_per_core: int = 20_000,
    n_temperatures: int = 200,
    hottest: float = 0.4,
    coldest: float = 0.02,
) -> Solution:
    """Anneal from a random placement.

    Parameters
    ----------
    traffic, mesh
        The problem; costs must stay below 2^53, so that all of them are exact integers.
    seed : int
        Key of the counter-based generator (Philox).
    moves_per_core : int
        Moves tried over the whole schedule, per physical core.
    n_temperatures : int
        Steps of the schedule; the convergence record has one row each, one before for the
        start, and one after for the descent.
    hottest, coldest : float
        [1] first and last temperature, in units of the mean |change of cost| of random moves.

    Raises
    ------
    MappingError
        An option out of range, or more packets than costs can be exact for.
    """
    for name, value in (("moves_per_core", moves_per_core), ("n_temperatures", n_temperatures)):
        if value < 1:
            raise MappingError(f"annealing: {name} = {value}; it must be >= 1")
    if not 0 < coldest <= hottest < np.inf:
        raise MappingError(
            f"annealing: coldest = {coldest}, hottest = {hottest}; expected 0 < coldest <= hottest"
        )
    rng = np.random.Generator(np.random.Philox(key=seed))
    n, n_cores = traffic.n_cores, mesh.n_cores
    problem = problem_arrays(traffic, mesh)
    core_of = rng.permutation(n_cores)[:n].astype(np.int64)
    occupant = np.full(n_cores, -1, dtype=np.int64)
    occupant[core_of] = np.arange(n)
    scale = mean_change(*problem, core_of, occupant, 1000, rng)
    if scale == 0.0:
        # Every placement found costs the same: no traffic, or nowhere else to go.
        cost = np.array([placement_cost(traffic, core_of, mesh)], dtype=np.float64)
        nothing = np.zeros(1)
        return Solution(core_of, Convergence(nothing.astype(np.int64), cost, cost, nothing))
    temperature = scale * np.geomspace(hottest, coldest, n_temperatures)
    moves = max(1, moves_per_core * n_cores // n_temperatures)
    best_core_of = core_of.copy()
    # Rows of the record: the start, one per temperature, the descent.
    cost = np.empty(n_temperatures + 2)
    best = np.empty(n_temperatures + 2)
    cost[0] = best[0] = placement_cost(traffic, core_of, mesh)
    anneal(*problem, core_of, occupant, temperature, moves, best_core_of, cost, best, rng)

    occupant[:] = -1
    occupant[best_core_of] = np.arange(n)
    cost[-1] = best[-1] = best[-2] + descend(*problem, best_core_of, occupant)
    return Solution(
        best_core_of,
        Convergence(
            moves=moves * np.array([*range(n_temperatures + 1), n_temperatures]),
            cost=cost,
            best=best,
            temperature=np.concatenate((temperature[:1], temperature, [0.0])),
        ),
    )


def problem_arrays(
    traffic: Traffic, mesh: Mesh
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Partners of each logical core in compressed rows, packets both ways, and distances."""
    # The descent ends because every change of cost is an exact integer; floats hold them to 2^53.
    if float(traffic.packets.sum(dtype=np.float64)) * float(mesh.distances.max()) >= 2.0**53:
        raise MappingError(
            f"annealing: {traffic.packets.sum(dtype=np.float64):.3g} packets on the {mesh} exceed "
            "2^53 packets x hops, beyond which costs are not exact; scale the counts down"
        )
    both_ways = traffic.packets + traffic.packets.T
    row, partner = np.nonzero(both_ways)
    start = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=traffic.n_cores))))
    return (
        start.astype(np.int64),
        partner.astype(np.int64),
        both_ways[row, partner].astype(np.float64),
        mesh.distances.astype(np.float64),
    )


@njit(cache=True)
def swap_delta(
    start: IntArray,
    partner: IntArray,
    packets: FloatArray,
    distance: FloatArray,
    core_of: IntArray,
    a: int,
    b: int,
    to: int,
) -> float:
    """Change of cost when logical core `a` goes to physical core `to` and its occupant `b` back.

    b = -1 for an empty core. The distance between a and b is the same afterwards (distances are
    symmetric), so their own traffic does not count.
    """
    here = core_of[a]
    delta = 0.0
    for k in range(start[a], start[a + 1]):
        j = partner[k]
        if j != b:
            p = core_of[j]
            delta += packets[k] * (distance[to, p] - distance[here, p])
    if b >= 0:
        for k in range(start[b], start[b + 1]):
            j = partner[k]
            if j != a:
                p = core_of[j]
                delta += packets[k] * (distance[here, p] - distance[to, p])
    return delta


@njit(cache=True)
def swap(core_of: IntArray, occupant: IntArray, a: int, b: int, to: int) -> None:
    here = core_of[a]
    core_of[a] = to
    occupant[to] = a
    occupant[here] = b
    if b >= 0:
        core_of[b] = here


@njit(cache=True)
def mean_change(
    start: IntArray,
    partner: IntArray,
    packets: FloatArray,
    distance: FloatArray,
    core_of: IntArray,
    occupant: IntArray,
    n_samples: int,
    rng: np.random.Generator,
) -> float:
    """Mean |change of cost| over random moves, every one of them made."""
    total = 0.0
    for _ in range(n_samples):
        a = int(rng.random() * core_of.size)
        to = int(rng.random() * occupant.size)
        if to != core_of[a]:
            b = occupant[to]
            total += abs(swap_delta(start, partner, packets, distance, core_of, a, b, to))
            swap(core_of, occupant, a, b, to)
    return total / n_samples


@njit(cache=True)
def anneal(
    start: IntArray,
    partner: IntArray,
    packets: FloatArray,
    distance: FloatArray,
    core_of: IntArray,
    occupant: IntArray,
    temperature: FloatArray,
    moves: int,
    best_core_of: IntArray,
    cost_record: FloatArray,
    best_record: FloatArray,
    rng: np.random.Generator,
) -> None:
    """`moves` moves at each temperature; leaves the best placement in `best_core_of`.

    Row 0 of the records holds the cost to start from; row k + 1 is filled after temperature k.
    """
    cost = cost_record[0]
    best = cost
    best_core_of[:] = core_of
    for step in range(temperature.size):
        for _ in range(moves):
            a = int(rng.random() * core_of.size)
            to = int(rng.random() * occupant.size)
            if to == core_of[a]:
                continue
            b = occupant[to]
            delta = swap_delta(start, partner, packets, distance, core_of, a, b, to)
            if delta > 0.0 and rng.random() >= math.exp(-delta / temperature[step]):
                continue
            swap(core_of, occupant, a, b, to)
            cost += delta
            if cost < best:
                best = cost
                best_core_of[:] = core_of
        cost_record[step + 1] = cost
        best_record[step + 1] = best


@njit(cache=True)
def descend(
    start: IntArray,
    partner: IntArray,
    packets: FloatArray,
    distance: FloatArray,
    core_of: IntArray,
    occupant: IntArray,
) -> float:
    """Take every improving move in turn until none is left; returns the change of cost."""
    total = 0.0
    improved = True
    while improved:
        improved = False
        for a in range(core_of.size):
            for to in range(occupant.size):
                if to == core_of[a]:
                    continue
                b = occupant[to]
                delta = swap_delta(start, partner, packets, distance, core_of, a, b, to)
                if delta < 0.0:
                    swap(core_of, occupant, a, b, to)
                    total += delta
                    improved = True
    return total
