"""Robust tabu search: always the best move that is not tabu, over all pairs of places.

Every iteration makes the best swap of two logical cores, or move to an empty place, even if it is
for the worse; neither may then go back to its old place for a random number of iterations, unless
that would beat the best placement so far. The change that each pair of cores would make is kept in
a matrix and brought up to date in constant time per pair, so that an iteration over all N^2 / 2
moves costs N^2 / 2 multiplications.

E. Taillard, Robust taboo search for the quadratic assignment problem, Parallel Computing 17, 1991.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapping.graph import IntArray
from mapping.placement._problem import Problem

__all__ = ["PairSearch"]

FloatArray = NDArray[np.float64]

# Distances and packets of pairwise objectives are symmetric; sums may be taken in any order.
_FAST = {"reassoc", "nsz", "contract", "nnan"}
_NONE = 1e300


class Pairs(NamedTuple):
    """State of a tabu search over items: the logical cores, then the empty places.

    Attributes
    ----------
    packets : float64 array, shape (n_items, n_items)
        Of both directions; empty places exchange none.
    distance : float64 array, shape (n_places, n_places)
    allowed : bool array, shape (n_items, n_places)
    place : int64 array, shape (n_items,)
        Index among the places that are usable.
    between : float64 array, shape (n_items, n_items)
        Distance between the places of two items.
    change : float64 array, shape (n_items, n_items)
        [u, v], u < v: change of the objective if they swapped; infinite if they may not.
    until : float64 array, shape (n_items, n_items)
        [u, v]: last iteration in which u may not go to the place of v; empty places are free.
    both_until : float64 array, shape (n_items, n_items)
        The same for the swap of u and v, see `tabu_pair`.
    best_place : int64 array, shape (n_items,)
    costs : float64 array, shape (2,)
        Now, and the best.
    """

    packets: FloatArray
    distance: FloatArray
    allowed: NDArray[np.bool_]
    place: IntArray
    between: FloatArray
    change: FloatArray
    until: FloatArray
    both_until: FloatArray
    best_place: IntArray
    costs: FloatArray


class PairSearch:
    """A tabu search on a problem, which may be started again from other placements.

    Parameters
    ----------
    problem : Problem
        Link loads in its objective are left aside, and distances that differ with the direction
        are taken half from each.
    """

    def __init__(self, problem: Problem) -> None:
        self.places = np.flatnonzero(problem.possible)
        n, n_items = problem.n, self.places.size
        packets = np.zeros((n_items, n_items))
        packets[:n, :n] = problem.traffic.packets + problem.traffic.packets.T
        allowed = np.ones((n_items, n_items), dtype=np.bool_)
        allowed[:n] = problem.allowed[:, self.places]
        distance = (problem.tables.distance + problem.tables.distance.T) / 2.0
        square = (n_items, n_items)
        self._problem = problem
        self._pairs = Pairs(
            packets,
            np.ascontiguousarray(distance[np.ix_(self.places, self.places)]),
            allowed,
            np.zeros(n_items, dtype=np.int64),
            np.zeros(square),
            np.zeros(square),
            np.zeros(square),
            np.zeros(square),
            np.zeros(n_items, dtype=np.int64),
            np.zeros(2),
        )
        self._done = 0

    @property
    def moves_per_iteration(self) -> int:
        """Pairs that one iteration looks at."""
        n, n_items = self._problem.n, self.places.size
        return n * (n_items - n) + n * (n - 1) // 2

    @property
    def work_per_iteration(self) -> float:
        """What an iteration costs, in pairs looked at: making the move counts as well."""
        return self.moves_per_iteration + 8.0 * self.places.size + 100.0

    def start(self, core_of: IntArray) -> None:
        """Begin at a placement, with nothing tabu."""
        index = np.searchsorted(self.places, core_of)
        empty = np.setdiff1d(np.arange(self.places.size), index)
        self._pairs.place[:] = np.concatenate((index, empty))
        self._pairs.costs[:] = self._cost(core_of)
        self._pairs.best_place[:] = self._pairs.place
        begin(self._pairs, self._problem.n)
        self._done = 0

    def run(self, iterations: int, tenure: tuple[float, float], rng: np.random.Generator) -> None:
        """Go on for some iterations, or until the bound is reached.

        Parameters
        ----------
        tenure : (float, float)
            Least and most iterations that a core may not go back.
        """
        first = self._done
        self._done += iterations
        bound = self._problem.bound
        search(self._pairs, self._problem.n, first, self._done, *tenure, bound, rng)

    def _cost(self, core_of: IntArray) -> float:
        index = np.searchsorted(self.places, core_of)
        s, n = self._pairs, self._problem.n
        pairs = s.packets[:n, :n] * s.distance[np.ix_(index, index)]
        return self._problem.constant + float(pairs.sum()) / 2.0

    @property
    def cost(self) -> float:
        """Of the placement it is at."""
        return float(self._pairs.costs[0])

    @property
    def best(self) -> float:
        """Lowest cost since the start."""
        return float(self._pairs.costs[1])

    @property
    def best_core_of(self) -> IntArray:
        """The placement of that cost."""
        core_of: IntArray = self.places[self._pairs.best_place[: self._problem.n]]
        return core_of


@njit(cache=True, fastmath=_FAST)
def changes_of(s: Pairs, n: int, a: int) -> None:
    """Change of every swap that item `a` may take part in."""
    for v in range(s.place.size):
        if v == a or (a >= n and v >= n):
            continue
        change = 0.0
        for k in range(n):
            change += (s.packets[a, k] - s.packets[v, k]) * (s.between[v, k] - s.between[a, k])
        # What a and v send each other stays as far apart as it was.
        change += 2.0 * s.packets[a, v] * s.between[a, v]
        if not (s.allowed[a, s.place[v]] and s.allowed[v, s.place[a]]):
            change = np.inf
        s.change[min(a, v), max(a, v)] = change


@njit(cache=True)
def begin(s: Pairs, n: int) -> None:
    """Fill the matrices for the places at hand."""
    for u in range(s.place.size):
        for v in range(s.place.size):
            s.between[u, v] = s.distance[s.place[u], s.place[v]]
            s.until[u, v] = 0.0
            s.both_until[u, v] = 0.0
    for a in range(n):
        changes_of(s, n, a)


@njit(cache=True, fastmath=_FAST)
def least_changes(s: Pairs, n: int, iteration: float, wanted: float, least: FloatArray) -> None:
    """Smallest change in each row among moves that are not tabu or are below `wanted`."""
    for u in range(n):
        free, any_move = _NONE, _NONE
        for v in range(u + 1, s.place.size):
            change = s.change[u, v]
            free = min(free, change if s.both_until[u, v] < iteration else _NONE)
            any_move = min(any_move, change)
        least[u] = min(free, any_move if any_move < wanted else _NONE)


@njit(cache=True, fastmath=_FAST)
def update_changes(s: Pairs, n: int, x: FloatArray, y: FloatArray) -> None:
    """Bring the matrix up to date for all pairs that do not contain a moved item."""
    for u in range(n):
        xu, yu = x[u], y[u]
        for v in range(u + 1, s.place.size):
            s.change[u, v] += (xu - x[v]) * (yu - y[v])


@njit(cache=True)
def tabu_pair(s: Pairs, n: int, u: int, v: int) -> None:
    """A swap is tabu as long as it is for both, a move to an empty place for the one that moves."""
    if u < n and v < n:
        until = min(s.until[u, v], s.until[v, u])
    else:
        until = max(s.until[u, v], s.until[v, u])
    s.both_until[u, v] = until
    s.both_until[v, u] = until


@njit(cache=True)
def search(
    s: Pairs,
    n: int,
    first: int,
    last: int,
    shortest: float,
    longest: float,
    bound: float,
    rng: np.random.Generator,
) -> None:
    """Iterations first + 1 .. last."""
    n_items = s.place.size
    least, x, y = np.empty(n), np.empty(n_items), np.empty(n_items)
    for iteration in range(first + 1, last + 1):
        if s.costs[1] <= bound:
            return
        wanted = s.costs[1] - s.costs[0]
        least_changes(s, n, float(iteration), wanted, least)
        r, change = -1, _NONE
        for u in range(n):
            if least[u] < change:
                r, change = u, least[u]
        if r < 0:
            continue  # every move is tabu; the next ones will not be
        p = -1
        for v in range(r + 1, n_items):
            free = s.both_until[r, v] < iteration or change < wanted
            if free and s.change[r, v] == change:
                p = v
                break
        # Items r and p swap places; tabu times belong to places, so they swap columns.
        old_r, old_p = s.place[r], s.place[p]
        s.place[r], s.place[p] = old_p, old_r
        s.costs[0] += change
        for u in range(n_items):
            s.until[u, r], s.until[u, p] = s.until[u, p], s.until[u, r]
        s.until[r, p] = iteration + shortest + rng.random() * (longest - shortest)
        if p < n:
            s.until[p, r] = iteration + shortest + rng.random() * (longest - shortest)
        for u in range(n_items):
            tabu_pair(s, n, u, r)
            tabu_pair(s, n, u, p)
        for u in range(n_items):
            s.between[r, u], s.between[p, u] = s.between[p, u], s.between[r, u]
        for u in range(n_items):
            s.between[u, r], s.between[u, p] = s.between[u, p], s.between[u, r]
        if s.costs[0] < s.costs[1]:
            s.costs[1] = s.costs[0]
            for u in range(n_items):
                s.best_place[u] = s.place[u]
        for u in range(n_items):
            x[u] = s.packets[r, u] - s.packets[p, u]
            y[u] = s.between[u, p] - s.between[u, r]
        update_changes(s, n, x, y)
        changes_of(s, n, r)
        changes_of(s, n, p)
