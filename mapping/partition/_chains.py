"""Legal again at the least cost: chains of moves from an overfull core to one with room.

Where every core is full, a vertex that must leave can rarely go where it would like to. It pushes
another out of the next core, and so on to a core with room. The cheapest chain is a shortest path
in the graph of cores, whose arc from i to j is the least loss of moving any vertex of i to j.
"""

from __future__ import annotations

import numpy as np

from mapping.graph import IntArray
from mapping.kernel_part import kernel, kernel_part, wide
from mapping.partition._level import (
    Assignment,
    BoolArray,
    FloatArray,
    Int32Array,
    Level,
    Limits,
    fits,
    gain_vector,
    may_share,
    shift,
)
from mapping.partition._order import sort_ascending

__all__ = ["legalise"]

_STRETCH = 128


@kernel_part
def over(a: Assignment, capacity: IntArray, c: int) -> bool:
    return bool(
        a.use[c, 0] > capacity[c, 0] or a.use[c, 1] > capacity[c, 1] or a.use[c, 2] > capacity[c, 2]
    )


@kernel_part
def survey(
    level: Level,
    limits: Limits,
    a: Assignment,
    i: int,
    loss: FloatArray,
    mover: Int32Array,
    known: IntArray,
    out: FloatArray,
) -> None:
    """Least loss of a move from core `i` to each other core, and the vertex that makes it.

    A core of many vertices is looked at as a whole only once; then the vertices that were best
    are rated again, and a stretch of the others, which next time is the next one.
    """
    n_known = 0
    for j in range(out.size):
        if mover[i, j] >= 0:
            known[n_known] = mover[i, j]
            n_known += 1
        loss[i, j] = np.inf
        mover[i, j] = -1
    n_looked_at = a.n_members[i]
    if n_known == 0 or n_looked_at <= 2 * _STRETCH:
        n_known = 0
    else:
        n_looked_at = _STRETCH
        sort_ascending(known, 0, n_known)
    v = wide(-1)
    for k in range(n_known + n_looked_at):
        if k < n_known:
            if known[k] == v or a.core_of[known[k]] != i:
                continue
            v = known[k]
        else:
            v = wide(a.follow[a.head[i]])
            a.head[i] = v
        _rate(level, limits, a, i, v, loss, mover, out)


@kernel_part
def _rate(
    level: Level,
    limits: Limits,
    a: Assignment,
    i: int,
    v: int,
    loss: FloatArray,
    mover: Int32Array,
    out: FloatArray,
) -> None:
    gain_vector(level, limits, a, v, out)
    for j in range(out.size):
        if -out[j] < loss[i, j] and j != i and may_share(level, limits, a, v, j):
            loss[i, j] = -out[j]
            mover[i, j] = v


def legalise(level: Level, limits: Limits, a: Assignment, capacity: IntArray) -> int:
    """Chains until no core is overfull; returns how many stay so because nothing fits."""
    if not (a.use > capacity).any():
        return 0
    n_cores = a.use.shape[0]
    square = (n_cores, n_cores)
    return int(
        _chains(
            level,
            limits,
            a,
            capacity,
            np.empty(square),
            np.full(square, -1, dtype=np.int32),
            np.empty((2, n_cores)),
            np.empty((4, n_cores + 1), dtype=np.int64),
            np.ones((2, n_cores), dtype=np.bool_),
        )
    )


@kernel
def _chains(
    level: Level,
    limits: Limits,
    a: Assignment,
    capacity: IntArray,
    loss: FloatArray,
    mover: Int32Array,
    floats: FloatArray,
    integers: IntArray,
    flags: BoolArray,
) -> int:
    """`loss` and `mover` are the arcs between cores, see `survey`; the rest is room to work in."""
    n_cores = a.use.shape[0]
    distance, out = floats[0], floats[1]
    before, path, moved, known = integers[0], integers[1], integers[2], integers[3]
    # A survey walks over the vertices of a core: only when a chain gets there, and only if the
    # core has changed since.
    changed, done = flags[0], flags[1]
    stuck = 0
    for origin in range(n_cores):
        failures = 0
        while over(a, capacity, origin):
            # Dijkstra with losses cut at 0: a chain may pick up gains on its way, and a cycle of
            # gains must not hold it for ever.
            for j in range(n_cores):
                distance[j] = np.inf
                done[j] = False
                before[j] = -1
            distance[origin] = 0.0
            end = -1
            while True:
                c, least = wide(-1), np.inf
                for j in range(n_cores):
                    if not done[j] and distance[j] < least:
                        c, least = j, distance[j]
                if c < 0:
                    break
                done[c] = True
                if c != origin:
                    v = wide(mover[before[c], c])
                    if not over(a, capacity, c) and fits(level, limits, a, v, c, capacity):
                        end = c
                        break
                if changed[c]:
                    survey(level, limits, a, c, loss, mover, known, out)
                    changed[c] = False
                for j in range(n_cores):
                    step = max(loss[c, j], 0.0) + 1e-6
                    if not done[j] and mover[c, j] >= 0 and distance[c] + step < distance[j]:
                        distance[j] = distance[c] + step
                        before[j] = c
            if end < 0:
                stuck += 1
                break
            n_path = 0
            c = end
            while c >= 0:
                path[n_path] = c
                n_path += 1
                c = before[c]
            # From the far end, so that every move finds the room the last one made.
            ok = True
            n_moved = 0
            for k in range(n_path - 1):
                i, j = path[k + 1], path[k]
                v = wide(mover[i, j])
                if a.core_of[v] != i or not fits(level, limits, a, v, j, capacity):
                    ok = False
                    loss[i, j] = np.inf
                    mover[i, j] = -1
                    break
                shift(level, limits, a, v, j)
                moved[n_moved] = v
                n_moved += 1
            if not ok:
                for k in range(n_moved - 1, -1, -1):
                    shift(level, limits, a, moved[k], path[k + 1])
                failures += 1
                if failures > 4 * n_cores:
                    stuck += 1
                    break
                continue
            for k in range(n_path):
                changed[path[k]] = True
    return stuck
