"""A short local search, whatever the objective."""

from __future__ import annotations

import numpy as np

from mapping.graph import IntArray
from mapping.placement._problem import Problem
from mapping.placement._tabu import PairSearch
from mapping.placement.annealing import anneal_from, work_per_move

__all__ = ["Improver", "tenures"]


def tenures(n: int) -> tuple[float, float]:
    """Least and most iterations that a move stays tabu, for n places (Taillard 1991)."""
    return 0.9 * n, 1.1 * n + 4.0


class Improver:
    """Improves placements by `iterations` of tabu search, or as many moves of annealing.

    Parameters
    ----------
    problem : Problem
    iterations : int
    rng : Generator
    """

    def __init__(self, problem: Problem, iterations: int, rng: np.random.Generator) -> None:
        self._problem = problem
        self._iterations = iterations
        self._rng = rng
        self._tabu = PairSearch(problem) if problem.pairwise else None

    @property
    def work(self) -> float:
        """What improving one placement costs, in pairs of cores looked at."""
        if self._tabu is None:
            return self._iterations * self._problem.n * work_per_move(self._problem)
        return self._iterations * self._tabu.work_per_iteration

    def improve(self, core_of: IntArray) -> tuple[int, float, IntArray]:
        """Moves tried, value and placement of the best found."""
        tabu = self._tabu
        if tabu is None:
            moves = self._iterations * self._problem.n
            found = anneal_from(self._problem, core_of, self._rng, moves, 20, 0.1, 0.02)
            assert found.convergence is not None
            record = found.convergence
            return int(record.moves[-1]), float(record.best[-1]), found.core_of
        tabu.start(core_of)
        tabu.run(self._iterations, tenures(tabu.places.size), self._rng)
        return self._iterations * tabu.moves_per_iteration, tabu.best, tabu.best_core_of
