"""The best of the other methods within a budget of work; what `place` does if not told otherwise.

The plain orders, the spectral layout and the force-directed one come first: they cost next to
nothing, and one of them may be as good as there can be. Then, for objectives that are a sum over
pairs of up to some hundred cores, a memetic search (`genetic`) that has the best of them in its
population; otherwise annealing, once from the best of them at temperatures that keep its outline,
and once from scratch.
"""

from __future__ import annotations

import numpy as np

from mapping.graph import IntArray
from mapping.mesh import Mesh
from mapping.placement import (
    force_directed,
    hamiltonian_loop,
    hilbert,
    sequential,
    serpentine,
    spectral,
)
from mapping.placement._base import Convergence, Solution
from mapping.placement._legal import random_legal
from mapping.placement._options import positive
from mapping.placement._problem import Problem
from mapping.placement._tabu import PairSearch
from mapping.placement.annealing import anneal_from, work_per_move
from mapping.placement.genetic import evolve
from mapping.traffic import Traffic

__all__ = ["place"]

_STARTS = (sequential, serpentine, hilbert, hamiltonian_loop, spectral, force_directed)
_FOUNDERS = 10
# Pairs of cores looked at with effort 1: least, most, and per square of the number of places.
_LEAST, _MOST, _PER_SQUARE = 40e6, 3e9, 120e3
_MEMETIC_PLACES = 200  # beyond, an iteration of tabu search is too dear
_N_TEMPERATURES = 200


def place(
    traffic: Traffic, mesh: Mesh, *, seed: int, problem: Problem, effort: float = 1.0
) -> Solution:
    """Try the quick methods, then search from the best of them.

    Parameters
    ----------
    seed : int
        Key of the counter-based generator (Philox).
    effort : float
        [1] how much to search; 1 takes some tenths of a second for 30 cores and some seconds for
        100 and more.

    Raises
    ------
    MappingError
        An option out of range.
    """
    positive("auto", effort=effort)
    rng = np.random.Generator(np.random.Philox(key=seed))
    starts: list[tuple[float, Solution]] = []
    for method in _STARTS:
        solution = method.place(traffic, mesh, seed=seed, problem=problem)
        starts.append((problem.value(solution.core_of), solution))
        going = problem.watch.tell(0, starts[-1][0])
        if starts[-1][0] <= problem.bound or not going:
            break
    starts.sort(key=lambda start: start[0])
    best, first = starts[0]
    if best <= problem.bound or not going:
        return first
    places = np.count_nonzero(problem.possible)
    budget = effort * min(max(_LEAST, _PER_SQUARE * places**2), _MOST)
    if problem.pairwise and places <= _MEMETIC_PLACES:
        found = [_memetic(problem, starts, budget, rng)]
    else:
        found = _annealings(problem, first.core_of, budget, rng)
    records = [part.convergence for part in found if part.convergence is not None]
    winner = min([first, *found], key=lambda part: problem.value(part.core_of))
    return Solution(winner.core_of, Convergence.joined(records), winner.remark)


def _memetic(
    problem: Problem,
    starts: list[tuple[float, Solution]],
    budget: float,
    rng: np.random.Generator,
) -> Solution:
    mesh = problem.mesh
    founders = [start.core_of for _, start in starts[: _FOUNDERS // 3]]
    while len(founders) < _FOUNDERS:
        founders.append(random_legal(problem.allowed, mesh, rng))
    iterations = budget / PairSearch(problem).work_per_iteration
    # Long improvements for many cores, but enough children that they matter.
    each = max(1, min(20 * problem.n, int(iterations / (6 * _FOUNDERS))))
    return evolve(problem, founders, each, budget, rng)


def _annealings(
    problem: Problem, start: IntArray, budget: float, rng: np.random.Generator
) -> list[Solution]:
    # Most of it from scratch: on 256 cores 0.5 % better than half and half.
    moves = max(1, int(budget / 4 / work_per_move(problem)))
    found = [anneal_from(problem, start, rng, moves, _N_TEMPERATURES, 0.05, 0.005)]
    record = found[0].convergence
    assert record is not None
    if record.best[-1] > problem.bound and not problem.watch.stopped:
        scratch = random_legal(problem.allowed, problem.mesh, rng)
        found.append(anneal_from(problem, scratch, rng, 3 * moves, _N_TEMPERATURES, 0.4, 0.01))
    return found
