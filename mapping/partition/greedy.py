"""Cores filled one by one with the vertex most connected to what is there already.

The pull of a core on a vertex is the weight of the nets that both touch: packets that the vertex
would cause on another core and not on this one. A core is closed when none of the vertices it
pulls most still fits.
"""

from __future__ import annotations

import numpy as np

from mapping.graph import IntArray
from mapping.kernel_part import kernel, kernel_part, wide
from mapping.partition._base import CapacityError
from mapping.partition._level import (
    Assignment,
    FloatArray,
    Int32Array,
    Level,
    Limits,
    may_share,
    shift,
    within,
)
from mapping.partition._level import (
    assign as count,
)
from mapping.partition._problem import Problem

__all__ = ["assign", "grow"]

_PATIENCE = 32  # Vertices that do not fit, before a core is closed.


def assign(problem: Problem, *, seed: int = 0) -> IntArray:
    """Slot of each vertex; `seed` changes nothing.

    Raises
    ------
    CapacityError
        The cores do not suffice for this order.
    """
    core_of = np.zeros(problem.n_vertices, dtype=np.int32)
    left = grow(problem.level, problem.limits, core_of)
    if left:
        slots = problem.n_slots
        raise CapacityError(
            f"{problem.machine}: {left} of {problem.n_vertices} vertices are left over when the "
            f"{slots} cores are filled by connectivity; take a larger machine or another method",
            "cores",
            slots + 1,
            slots,
        )
    return core_of.astype(np.int64)


def grow(level: Level, limits: Limits, core_of: Int32Array) -> int:
    """Fill `core_of`; returns how many vertices no core had room for (they get -1)."""
    n_cores = limits.capacity.shape[0]
    # One core more than there are holds what has not been placed yet.
    waiting = Limits(
        capacity=np.concatenate((limits.capacity, np.full((1, 3), 2**62, dtype=np.int64))),
        allowed=np.concatenate(
            (limits.allowed, np.ones((limits.allowed.shape[0], 1), dtype=np.bool_)), axis=1
        ),
        blocks=limits.blocks,
        sizes=limits.sizes,
        spikes=limits.spikes,
        any_block=limits.any_block,
    )
    start = np.full(level.neurons.size, n_cores, dtype=np.int32)
    a = count(level, waiting, start)
    n = level.neurons.size
    # Largest pull in each stretch of vertices, so that the next one is found in about sqrt(n).
    width = max(int(np.sqrt(n)), 1)
    left = int(
        _grow(
            level,
            waiting,
            a,
            np.zeros(n),
            np.zeros(-(-n // width)),
            width,
            np.full(n, -1, dtype=np.int64),
            np.full(level.source.size, -1, dtype=np.int64),
        )
    )
    core_of[:] = np.where(a.core_of == n_cores, -1, a.core_of)
    return left


@kernel
def _grow(
    level: Level,
    limits: Limits,
    a: Assignment,
    pull: FloatArray,
    top: FloatArray,
    width: int,
    banned: IntArray,
    touched: IntArray,
) -> int:
    """How many vertices are left over.

    `top` is the largest pull in each stretch of `width` vertices; `banned` the core that a vertex
    was too much for, and `touched` the one that a net has pulled for, both -1 at first.
    """
    n = level.neurons.size
    n_cores = a.use.shape[0] - 1
    left = n
    for c in range(n_cores):
        if left == 0:
            break
        for u in range(n):
            pull[u] = 0.0
        for block in range(top.size):
            top[block] = 0.0
        misses = 0
        while left > 0 and misses < _PATIENCE:
            v = wide(_next_vertex(level, limits, a, c, pull, banned, top, width))
            if v < 0:
                break
            pull[v] = 0.0
            if not within(level, limits, a, v, c, limits.capacity):
                banned[v] = c
                misses += 1
                continue
            shift(level, limits, a, v, c)
            left -= 1
            misses = 0
            _spread(level, limits, a, v, pull, top, width, touched)
    if left > 0:
        left = 0
        for v in range(n):
            if a.core_of[v] != n_cores:
                continue
            for c in range(n_cores):
                if may_share(level, limits, a, v, c) and within(
                    level, limits, a, v, c, limits.capacity
                ):
                    shift(level, limits, a, v, c)
                    break
            else:
                left += 1
    return left


@kernel_part
def _next_vertex(
    level: Level,
    limits: Limits,
    a: Assignment,
    c: int,
    pull: FloatArray,
    banned: IntArray,
    top: FloatArray,
    width: int,
) -> int:
    """The waiting vertex with the largest pull; without any pull the first that waits.

    `_spread` pulls only those that pinning and group allow on core `c`: neighbours of another
    group are no reason to close it.
    """
    waiting = a.use.shape[0] - 1
    while True:
        block = 0
        for other in range(1, top.size):
            if top[other] > top[block]:
                block = other
        if top[block] <= 0.0:
            break
        best, most = wide(-1), 0.0
        for v in range(block * width, min((block + 1) * width, pull.size)):
            if pull[v] > most and a.core_of[v] == waiting and banned[v] != c:
                best, most = v, pull[v]
        # The stretch may have been promised by a vertex that is placed by now.
        if best >= 0 and most >= top[block]:
            return int(best)
        top[block] = most
    u = wide(a.head[waiting])
    chosen = wide(-1)
    for _ in range(a.n_members[waiting]):
        if banned[u] != c and may_share(level, limits, a, u, c):
            chosen = u
            break
        u = wide(a.follow[u])
    return int(chosen)


@kernel_part
def _spread(
    level: Level,
    limits: Limits,
    a: Assignment,
    v: int,
    pull: FloatArray,
    top: FloatArray,
    width: int,
    touched: IntArray,
) -> None:
    """The nets of `v`, which has just come to its core, pull what waits and may come there."""
    net_start, net_pin, source, weight = level.net_start, level.net_pin, level.source, level.weight
    core_of, group, pinning = a.core_of, level.group, level.pinning
    c = core_of[v]
    allowed = limits.allowed[:, c]
    waiting = a.use.shape[0] - 1
    first, own_first = level.vert_start[v], level.own_start[v]
    n_in = level.vert_start[v + 1] - first
    for i in range(n_in + level.own_start[v + 1] - own_first):
        e = level.vert_net[first + i] if i < n_in else level.own_net[own_first + i - n_in]
        if touched[e] == c:
            continue
        touched[e] = c
        w = weight[e] + 1e-9
        begin, end = net_start[e], net_start[e + 1]
        for k in range(begin, end + 1):
            u = net_pin[k] if k < end else source[e]
            if u < 0 or core_of[u] != waiting or group[u] != group[v] or not allowed[pinning[u]]:
                continue
            pull[u] += w
            if pull[u] > top[u // width]:
                top[u // width] = pull[u]
