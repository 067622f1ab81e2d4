"""Simulated annealing: moves within a window that shrinks as the temperature falls.

Temperatures fall geometrically from one that accepts most moves to one that accepts almost none.
The window, the distance a core may go in one move, follows the share of accepted moves, so that
about 44 % of those tried are accepted for as long as it can do that. What is left is removed by a
greedy descent over all moves.

S. Kirkpatrick, C. D. Gelatt, M. P. Vecchi, Optimization by simulated annealing, Science 220,
1983; as a quadratic assignment problem: R. E. Burkard, F. Rendl, EJOR 17, 1984; the window:
V. Betz, J. Rose, VPR: a new packing, placement and routing tool for FPGA research, FPL 1997.
"""

from __future__ import annotations

import math

import numpy as np

from mapping.graph import IntArray
from mapping.kernel_part import kernel
from mapping.mesh import Mesh
from mapping.placement._base import Solution
from mapping.placement._course import Course
from mapping.placement._legal import random_legal
from mapping.placement._moves import (
    FloatArray,
    State,
    allowed_move,
    copy_into,
    descend,
    drop_move,
    keep_move,
    start_state,
    try_move,
)
from mapping.placement._options import at_least
from mapping.placement._problem import Problem, Tables
from mapping.traffic import Traffic
from simulator.errors import MappingError

__all__ = ["anneal", "anneal_from", "descend_from", "mean_change", "place", "work_per_move"]

_ACCEPTED = 0.44  # share of moves the window aims at
# A slice of work between two looks at the clock, in partners visited: some hundredths of a second.
_SLICE = 20_000_000


def place(
    traffic: Traffic,
    mesh: Mesh,
    *,
    seed: int,
    problem: Problem,
    moves_per_core: int = 20_000,
    n_temperatures: int = 200,
    hottest: float = 0.4,
    coldest: float = 0.02,
) -> Solution:
    """Anneal from a random placement.

    Parameters
    ----------
    seed : int
        Key of the counter-based generator (Philox).
    moves_per_core : int
        Moves tried over the whole schedule, per physical core.
    n_temperatures : int
        Steps of the schedule; the convergence record has one row each, one before for the
        start, and those of the descent after them.
    hottest, coldest : float
        [1] first and last temperature, in units of the mean |change| of random moves.

    Raises
    ------
    MappingError
        An option out of range.
    """
    at_least("annealing", 1, moves_per_core=moves_per_core, n_temperatures=n_temperatures)
    if not 0 < coldest <= hottest < np.inf:
        raise MappingError(
            f"annealing: coldest = {coldest}, hottest = {hottest}; expected 0 < coldest <= hottest"
        )
    rng = np.random.Generator(np.random.Philox(key=seed))
    start = random_legal(problem.allowed, mesh, rng)
    moves = moves_per_core * mesh.n_cores
    return anneal_from(problem, start, rng, moves, n_temperatures, hottest, coldest, bounded=False)


def anneal_from(
    problem: Problem,
    start: IntArray,
    rng: np.random.Generator,
    moves: int,
    n_temperatures: int,
    hottest: float,
    coldest: float,
    *,
    bounded: bool = True,
) -> Solution:
    """Anneal from a given placement, then descend; see `place`.

    Parameters
    ----------
    bounded : bool
        Whether the descent may take at most a quarter of the moves of the annealing.
    """
    t, mesh = problem.tables, problem.mesh
    s = start_state(problem, start)
    guide = _guide(t, s)
    scale = mean_change(t, start_state(problem, start), guide, 1000, np.empty(3), rng)
    # With a scale of zero every placement found costs the same: there is nothing to anneal.
    temperatures = scale * np.geomspace(hottest, coldest, n_temperatures if scale > 0 else 0)
    first = float(temperatures[0]) if temperatures.size else 0.0
    course = Course(start, s.sums[0], problem.bound, problem.watch, first)
    best_core_of, best = s.core_of.copy(), np.array([s.sums[0]])
    farthest = float(max(mesh.width, mesh.height))
    reach = farthest
    per_step = max(1, moves // n_temperatures)
    after = np.empty(3)
    going = s.sums[0] > problem.bound
    for temperature in temperatures:
        if not going:
            break
        window = int(reach)
        accepted = anneal(
            t, s, temperature, guide, per_step, window, best, best_core_of, after, rng
        )
        reach = min(max(reach * (1.0 - _ACCEPTED + accepted / per_step), 1.0), farthest)
        going = course.add(per_step, s.sums[0], best[0], best_core_of, temperature)
    if going:
        # All moves of many cores are dear; a few rounds of them are no more than the annealing was.
        most = max(moves // 4, 4 * problem.n) if bounded else None
        descend_from(problem, course, most)
    return course.solution()


def descend_from(problem: Problem, course: Course, most: int | None = None) -> None:
    """Take improving moves from the best placement of a course until none, or `most`, are left."""
    t = problem.tables
    s = start_state(problem, course.best_core_of)
    visits = max(1, 4 * (t.partner.size + t.partner_in.size) // max(1, problem.n))
    where, left = np.zeros(2, dtype=np.int64), np.inf if most is None else most
    after = np.empty(3)
    while where[1] < s.core_of.size * s.occupant.size and left > 0:
        tried = descend(t, s, where, int(min(left, max(1, _SLICE // visits))), after)
        left -= tried
        if not course.add(tried, s.sums[0], s.sums[0], s.core_of):
            break


def work_per_move(problem: Problem) -> float:
    """What trying a move costs, in units of looking at one pair of cores in a tabu search."""
    t = problem.tables
    partners = (t.partner.size + t.partner_in.size) / problem.n
    work = 20.0 + 2.0 * partners
    if t.load_weight > 0:
        hops = (t.width + t.height) / 3.0
        work += 4.0 * partners * hops + t.width * t.height
    return work


def _guide(t: Tables, s: State) -> float:
    """What a unit of squared load counts while annealing, so that not only the heaviest link does.

    With it the sum of squares counts as the mean load that a packet meets does.
    """
    total = float(s.loads.sum())
    return t.load_weight / total if total > 0 else 0.0


@kernel
def mean_change(
    t: Tables, s: State, guide: float, n_samples: int, after: FloatArray, rng: np.random.Generator
) -> float:
    """Mean |change| over random moves, every one of them made; `after` is room for their sums."""
    total = 0.0
    for _ in range(n_samples):
        a = int(rng.random() * s.core_of.size)
        to = int(rng.random() * s.occupant.size)
        b = s.occupant[to]
        if to != s.core_of[a] and allowed_move(t, s, a, b, to):
            change = try_move(t, s, a, b, to, after)
            total += abs(change + guide * (after[2] - s.sums[2]))
            keep_move(s, a, b, to, after)
    return total / n_samples


@kernel
def anneal(
    t: Tables,
    s: State,
    temperature: float,
    guide: float,
    moves: int,
    reach: int,
    best: FloatArray,
    best_core_of: IntArray,
    after: FloatArray,
    rng: np.random.Generator,
) -> int:
    """Try moves of at most `reach` tiles along each axis; returns how many were made.

    `best` (one value) and `best_core_of` are kept up to date; `after` is room for the sums after a
    move.
    """
    accepted = 0
    # On a torus a window must not meet itself.
    across = min(reach, (t.width - 1) // 2 if t.torus else t.width - 1)
    down = min(reach, (t.height - 1) // 2 if t.torus else t.height - 1)
    for _ in range(moves):
        a = int(rng.random() * s.core_of.size)
        y, x = divmod(s.core_of[a], t.width)
        if t.torus:
            left, right, top, bottom = x - across, x + across, y - down, y + down
            if 2 * reach >= t.width:
                left, right = 0, t.width - 1
            if 2 * reach >= t.height:
                top, bottom = 0, t.height - 1
        else:
            left, right = max(0, x - across), min(t.width - 1, x + across)
            top, bottom = max(0, y - down), min(t.height - 1, y + down)
        columns = right - left + 1
        pick = int(rng.random() * (columns * (bottom - top + 1)))
        to_y, to_x = divmod(pick, columns)
        to = (to_y + top) % t.height * t.width + (to_x + left) % t.width
        b = s.occupant[to]
        if to == s.core_of[a] or not allowed_move(t, s, a, b, to):
            continue
        change = try_move(t, s, a, b, to, after) + guide * (after[2] - s.sums[2])
        if change > 0.0 and rng.random() >= math.exp(-change / temperature):
            drop_move(t, s, a, b, to)
            continue
        keep_move(s, a, b, to, after)
        accepted += 1
        if s.sums[0] < best[0]:
            best[0] = s.sums[0]
            copy_into(best_core_of, s.core_of)
    return accepted
