"""Spectral: eigenvectors of the traffic as coordinates, then every core to a place near them.

Logical cores that exchange much get nearly equal values in the smoothest eigenvectors of the
graph's Laplacian L x = lambda D x, D the diagonal of the packets per core: together with the
constant vector they minimise sum c_ij (x_i - x_j)^2 (K. M. Hall, An r-dimensional quadratic
placement algorithm, Management Science 17, 1970; degree-normalised: Y. Koren, Drawing graphs by
eigenvectors, Computers and Mathematics with Applications 49, 2005). Two of them are the axes; which
two, and how they are turned, is settled by trying (a square grid has equal eigenvalues, so its axes
come out turned by any angle, and the second smoothest vector of a long one is along the first). The
values become ranks, columns are filled by the first and then from top to bottom by the second, so
that every place gets one core, and the cheapest of all trials is kept. On a torus angles are tried
as well, see `mapping.placement._circles`.

Logical cores that do not reach each other by packets have no eigenvectors in common; each group is
laid out by itself in a run of a Hilbert curve.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from mapping.graph import IntArray
from mapping.mesh import Mesh
from mapping.placement._base import Solution
from mapping.placement._circles import angles_of, cut
from mapping.placement._eigenvectors import smoothest
from mapping.placement._legal import nearest_legal, traffic_groups
from mapping.placement._options import at_least
from mapping.placement._problem import Problem
from mapping.placement.hilbert import hilbert_order
from mapping.traffic import Traffic

__all__ = ["place"]

FloatArray = NDArray[np.float64]

_SAMPLE = 50_000  # pairs of cores
_HALVINGS = 6  # of the step between the angles tried, around the best of them


def place(
    traffic: Traffic, mesh: Mesh, *, seed: int, problem: Problem, angles: int = 32
) -> Solution:
    """Lay the traffic out by its eigenvectors.

    Parameters
    ----------
    seed : int
        Of the vectors the iteration starts from.
    angles : int
        Turns tried for each pair of axes.

    Raises
    ------
    MappingError
        An option out of range.
    """
    at_least("spectral", 1, angles=angles)
    rng = np.random.Generator(np.random.Philox(key=seed))
    order = hilbert_order(mesh.width, mesh.height)
    free = order[np.isin(order, np.flatnonzero(problem.possible))]
    wanted = np.empty(traffic.n_cores, dtype=np.int64)
    packets = (traffic.packets + traffic.packets.T).astype(np.float64)
    for members in traffic_groups(traffic):
        group = np.array(members)
        region, free = _take(problem, group, free)
        wanted[group] = _lay_out(packets[np.ix_(group, group)], region, mesh, angles, rng)
    return Solution(nearest_legal(problem.allowed, mesh, wanted))


def _take(problem: Problem, group: IntArray, free: IntArray) -> tuple[IntArray, IntArray]:
    """Places for a group, the first of `free` that one of its cores may have, and the others.

    The whole of what is left for the last group would spread it out, so it is given no more.
    """
    suitable = np.flatnonzero(problem.allowed[group].any(axis=0))
    taken = np.flatnonzero(np.isin(free, suitable))[: group.size]
    if taken.size < group.size:  # others took them; `nearest_legal` sorts it out
        taken = np.arange(group.size)
    return free[taken], np.delete(free, taken)


def _lay_out(
    packets: FloatArray, region: IntArray, mesh: Mesh, angles: int, rng: np.random.Generator
) -> IntArray:
    """Place of each core of a group in a region of as many places."""
    n = region.size
    if n < 4:
        return region
    y, x = np.divmod(region, mesh.width)
    long_side = max(np.ptp(x), np.ptp(y)) + 1
    short_side = min(np.ptp(x), np.ptp(y)) + 1
    # The second axis of a long region is a wave along it that is as short as the other is wide.
    ratio = int(np.ceil(long_side / short_side))
    n_vectors = min(n - 1, 2 + (2 * ratio if mesh.torus else ratio))
    i, j = np.nonzero(np.triu(packets, 1))
    weight = packets[i, j]
    if weight.size > _SAMPLE:
        # Which of some hundred trials is best shows in a sample of the packets as well.
        drawn = rng.choice(weight.size, _SAMPLE, p=weight / weight.sum())
        i, j, weight = i[drawn], j[drawn], np.ones(_SAMPLE)

    def cost(placed: IntArray) -> float:
        return float(np.sum(weight * mesh.distances[placed[i], placed[j]]))

    by_columns = _Columns(x, y, region)
    by_rows = _Columns(y, x, region)

    def turned(one: FloatArray, other: FloatArray, angle: float) -> tuple[float, IntArray]:
        """The cheaper filling for two axes, turned by an angle."""
        u = np.cos(angle) * one + np.sin(angle) * other
        v = np.cos(angle) * other - np.sin(angle) * one
        placed = [fill.place(u, v) for fill in (by_columns, by_rows)]
        return min(((cost(each), each) for each in placed), key=lambda found: found[0])

    best = (cost(region), region)
    for by_degree in (False, True):
        vectors = smoothest(packets, n_vectors, by_degree, rng).T
        for second in vectors[1:]:
            step = np.pi / angles
            trials = [(turned(vectors[0], second, step * k), step * k) for k in range(angles)]
            found, angle = min(trials, key=lambda trial: trial[0][0])
            for _ in range(_HALVINGS):
                step /= 2.0
                for near in (angle - step, angle + step):
                    trial = turned(vectors[0], second, near)
                    if trial[0] < found[0]:
                        found, angle = trial, near
            best = min(best, found, key=lambda trial: trial[0])
        if mesh.torus:
            for one, other in permutations(angles_of(vectors), 2):
                across, down = cut(one, mesh.width), cut(other, mesh.height)
                for placed in (by_columns.place(across, down), by_rows.place(down, across)):
                    best = min(best, (cost(placed), placed), key=lambda trial: trial[0])
        if best[0] <= weight.sum():
            break  # one hop each
    return best[1]


class _Columns:
    """Fills the columns of a region by one coordinate, and each from its top by the other."""

    def __init__(self, along: IntArray, across: IntArray, region: IntArray) -> None:
        self._sorted = region[np.lexsort((across, along))]
        columns, sizes = np.unique(along, return_counts=True)
        self._column = np.repeat(np.arange(columns.size), sizes)

    def place(self, u: FloatArray, v: FloatArray) -> IntArray:
        by_u = np.argsort(u, kind="stable")
        order = by_u[np.lexsort((v[by_u], self._column))]
        placed = np.empty_like(self._sorted)
        placed[order] = self._sorted
        return placed
