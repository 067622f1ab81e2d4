"""Robust tabu search over all swaps of two places, see `mapping.placement._tabu`.

For objectives that are a sum over pairs of cores (packets x hops, energy). With link loads in the
objective it searches by packets x hops, and a descent on the objective follows.
"""

from __future__ import annotations

import numpy as np

from mapping.mesh import Mesh
from mapping.placement._base import Solution
from mapping.placement._course import Course
from mapping.placement._improve import tenures
from mapping.placement._legal import random_legal
from mapping.placement._options import at_least
from mapping.placement._problem import Problem, pose_problem
from mapping.placement._tabu import PairSearch
from mapping.placement.annealing import descend_from
from mapping.traffic import Traffic

__all__ = ["place"]


def place(
    traffic: Traffic,
    mesh: Mesh,
    *,
    seed: int,
    problem: Problem,
    work: int = 100_000_000,
) -> Solution:
    """Search from a random placement.

    Parameters
    ----------
    seed : int
        Key of the counter-based generator (Philox).
    work : int
        Pairs of cores looked at, some 5 ns each; an iteration looks at all of them. At least as
        many iterations are made as there are logical cores.

    Raises
    ------
    MappingError
        An option out of range.
    """
    at_least("tabu", 1, work=work)
    rng = np.random.Generator(np.random.Philox(key=seed))
    start = random_legal(problem.allowed, mesh, rng)
    pairwise = problem if problem.tables.load_weight == 0 else by_hops(problem)
    tabu = PairSearch(pairwise)
    tabu.start(start)
    iterations = max(problem.n, int(work / tabu.work_per_iteration))
    # A row of the record each; long ones look at the clock in between.
    each = max(1, iterations // 200)
    course = Course(start, tabu.cost, pairwise.bound, problem.watch)
    going, left = course.best > pairwise.bound, iterations
    while going and left > 0:
        tabu.run(min(each, left), tenures(tabu.places.size), rng)
        tried = min(each, left) * tabu.moves_per_iteration
        left -= each
        going = course.add(tried, tabu.cost, tabu.best, tabu.best_core_of)
    if problem.pairwise:
        return course.solution()
    found = course.best_core_of
    course = Course(found, problem.value(found), problem.bound, problem.watch)
    descend_from(problem, course)
    return course.solution()


def by_hops(problem: Problem) -> Problem:
    """The same question with packets x hops for an objective."""
    traffic, mesh = problem.traffic, problem.mesh
    return pose_problem(
        traffic,
        mesh,
        objective="packet_hops",
        allowed=problem.allowed,
        routing=None,
        watch=problem.watch,
    )
