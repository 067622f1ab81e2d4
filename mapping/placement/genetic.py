"""Memetic search: a genetic algorithm whose children are improved by a short tabu search.

A child takes the places on which its parents agree; every other logical core takes the place it has
in one parent or the other, whichever is still free, or one of those left over. It is improved, and
replaces the worst of the population if it is no worse and not there yet. For objectives that are
not a sum over pairs (link loads) children are improved by annealing from a low temperature instead.
When children no longer get in, all but the best make room for new random ones.

P. Merz, B. Freisleben, Fitness landscape analysis and memetic algorithms for the quadratic
assignment problem, IEEE Trans. Evolutionary Computation 4, 2000; with the tabu search as in
U. Benlic, J.-K. Hao, Memetic search for the quadratic assignment problem, Expert Systems with
Applications 42, 2015.
"""

from __future__ import annotations

import numpy as np

from mapping.graph import IntArray
from mapping.mesh import Mesh
from mapping.placement._base import Solution
from mapping.placement._course import Course
from mapping.placement._improve import Improver
from mapping.placement._legal import nearest_legal, random_legal
from mapping.placement._options import at_least
from mapping.placement._problem import Problem
from mapping.traffic import Traffic

__all__ = ["cross", "evolve", "place"]

_LONGEST = 20  # iterations of a tabu search, per logical core
_FOUNDING = 1e9  # pairs of cores looked at for the founders, at most, unless more work is asked for
_STALE = 3  # children per placement kept that may fail to improve the population


def place(
    traffic: Traffic,
    mesh: Mesh,
    *,
    seed: int,
    problem: Problem,
    population: int = 10,
    iterations: int | None = None,
    work: int = 100_000_000,
) -> Solution:
    """Evolve a population of random placements.

    Parameters
    ----------
    seed : int
        Key of the counter-based generator (Philox).
    population : int
        Placements kept, >= 2.
    iterations : int, optional
        Of the tabu search that improves each; None for 20 per logical core, or fewer on hundreds of
        cores, where that would take minutes.
    work : int
        Pairs of cores looked at in all, some 5 ns each. All founders and one child are made in any
        case.

    Raises
    ------
    MappingError
        An option out of range.
    """
    at_least("genetic", 2, population=population)
    rng = np.random.Generator(np.random.Philox(key=seed))
    each = _LONGEST * traffic.n_cores if iterations is None else iterations
    if iterations is None:
        founding = population * Improver(problem, each, rng).work
        each = max(1, int(each * min(1.0, max(_FOUNDING, work) / founding)))
    at_least("genetic", 1, iterations=each, work=work)
    founders = [random_legal(problem.allowed, mesh, rng) for _ in range(population)]
    return evolve(problem, founders, each, float(work), rng)


def evolve(
    problem: Problem,
    founders: list[IntArray],
    iterations: int,
    work: float,
    rng: np.random.Generator,
) -> Solution:
    """Evolve given placements; see `place`."""
    improver = Improver(problem, iterations, rng)
    children = max(1, int(work / improver.work) - len(founders))
    course = Course(founders[0], problem.value(founders[0]), problem.bound, problem.watch)
    people: list[IntArray] = []
    values: list[float] = []
    refused = 0
    for k in range(len(founders) + children):
        if k < len(founders):
            child = founders[k]
        elif len(people) < len(founders):
            child = random_legal(problem.allowed, problem.mesh, rng)
        else:
            mother, father = rng.choice(len(people), 2, replace=False)
            child = cross(people[mother], people[father], problem, rng)
        moves, value, core_of = improver.improve(child)
        if len(people) < len(founders):
            people.append(core_of)
            values.append(value)
        else:
            worst = int(np.argmax(values))
            known = any(np.array_equal(core_of, other) for other in people)
            refused += 1
            if value <= values[worst] and not known:
                refused -= value < values[worst]
                people[worst], values[worst] = core_of, value
            if refused > _STALE * len(people):
                # Nothing new comes of them any more: all but the best make room for new ones.
                best = int(np.argmin(values))
                people, values, refused = [people[best]], [values[best]], 0
        if not course.add(moves, value, value, core_of):
            break
    return course.solution()


def cross(
    mother: IntArray, father: IntArray, problem: Problem, rng: np.random.Generator
) -> IntArray:
    """A child that has of every logical core the place in one parent, as far as that is free."""
    child = np.where(mother == father, mother, -1)
    free = np.zeros(problem.mesh.n_cores, dtype=np.bool_)
    free[problem.possible] = True
    free[child[child >= 0]] = False
    for i in rng.permutation(np.flatnonzero(child < 0)):
        first, second = (mother, father) if rng.random() < 0.5 else (father, mother)
        for place in (first[i], second[i]):
            if free[place]:
                child[i] = place
                free[place] = False
                break
    left = rng.permutation(np.flatnonzero(child < 0))
    places = rng.permutation(np.flatnonzero(free))
    child[left] = places[: left.size]
    if problem.allowed[np.arange(child.size), child].all():
        return child
    return nearest_legal(problem.allowed, problem.mesh, child)
