"""Local search on one level: heat-bath moves, and swaps where the cores are full.

A vertex drawn at random sees what it would save on every core (`gain_vector`) and goes to one of
them with probability proportional to exp(saving / T). Where that core is full, the best of a few
of its vertices goes the other way, and the two together are accepted as by Metropolis. At T = 0
this is plain descent with swaps.
"""

from __future__ import annotations

import numpy as np

from mapping.graph import IntArray
from mapping.kernel_part import kernel, kernel_part, wide
from mapping.partition._level import (
    Assignment,
    FloatArray,
    Int32Array,
    Level,
    Limits,
    fits,
    gain,
    gain_vector,
    packets,
    shift,
    within,
)

__all__ = ["anneal", "overflow"]


def anneal(
    level: Level,
    limits: Limits,
    a: Assignment,
    capacity: IntArray,
    temperatures: FloatArray,
    partners: int,
    rng: np.random.Generator,
    best: Int32Array,
) -> float:
    """One sweep per temperature; `best` receives the best assignment seen at the end of a sweep.

    Returns its packets. The assignment itself is left where the last sweep ended.
    """
    cost = packets(level, limits, a)
    best[:] = a.core_of
    out, odds = np.zeros((2, a.use.shape[0]))
    return float(
        _sweeps(level, limits, a, capacity, temperatures, partners, rng, cost, best, out, odds)
    )


@kernel
def _sweeps(
    level: Level,
    limits: Limits,
    a: Assignment,
    capacity: IntArray,
    temperatures: FloatArray,
    partners: int,
    rng: np.random.Generator,
    cost: float,
    best: Int32Array,
    out: FloatArray,
    odds: FloatArray,
) -> float:
    n = level.neurons.size
    best_cost = cost
    for t in range(temperatures.size):
        temperature = temperatures[t]
        for _ in range(n):
            v = wide(min(int(rng.random() * n), n - 1))
            gain_vector(level, limits, a, v, out)
            there = wide(draw_core(level, limits, a, v, temperature, out, odds, rng))
            if there == a.core_of[v] or there < 0:
                continue
            if within(level, limits, a, v, there, capacity):
                cost -= out[there]
                shift(level, limits, a, v, there)
                continue
            cost -= _swap(
                level, limits, a, capacity, v, there, out[there], temperature, partners, rng
            )
        if cost < best_cost - 1e-9:
            best_cost = cost
            for v in range(n):
                best[v] = a.core_of[v]
    return best_cost


@kernel_part
def draw_core(
    level: Level,
    limits: Limits,
    a: Assignment,
    v: int,
    temperature: float,
    out: FloatArray,
    odds: FloatArray,
    rng: np.random.Generator,
) -> int:
    """A core by the heat bath of savings `out`, the one it is on (saving 0) included; -1: none."""
    here, group, row = a.core_of[v], level.group[v], level.pinning[v]
    allowed, group_on = limits.allowed, a.group_on
    top, n_top, there = -np.inf, 0, -1
    for c in range(out.size):
        if out[c] < top or c == here or not allowed[row, c]:
            continue
        if group_on[c] >= 0 and group_on[c] != group:
            continue
        # The best, ties at random, in case the temperature is 0.
        n_top = n_top + 1 if out[c] == top else 1
        if n_top == 1 or (temperature <= 0.0 and rng.random() * n_top < 1.0):
            there = c
        top = out[c]
    # Far worse cores are not worth an exponential.
    floor = max(top, 0.0) - 8.0 * max(temperature, 0.0)
    if top < floor or temperature <= 0.0:
        return there if top >= floor else -1
    total = 0.0
    for c in range(out.size):
        odds[c] = 0.0
        if out[c] < floor or not allowed[row, c]:
            continue
        if c == here or group_on[c] < 0 or group_on[c] == group:
            odds[c] = np.exp((out[c] - max(top, 0.0)) / temperature)
            total += odds[c]
    draw = rng.random() * total
    for c in range(out.size):
        if odds[c] > 0.0:
            there = c
            draw -= odds[c]
            if draw < 0.0:
                break
    return there


@kernel_part
def _swap(
    level: Level,
    limits: Limits,
    a: Assignment,
    capacity: IntArray,
    v: int,
    there: int,
    saved: float,
    temperature: float,
    partners: int,
    rng: np.random.Generator,
) -> float:
    """Exchange `v` with a vertex of core `there`; what that saved, 0.0 if it was turned down."""
    here = wide(a.core_of[v])
    shift(level, limits, a, v, there)
    chosen, most = wide(-1), -np.inf
    u = wide(a.head[there])
    for _ in range(min(partners, a.n_members[there])):
        u = wide(a.follow[u])
        # The next swap looks at the next few.
        a.head[there] = u
        if u == v:
            continue
        if (
            a.use[there, 0] - level.neurons[u] > capacity[there, 0]
            or a.use[there, 2] - level.synapses[u] > capacity[there, 2]
        ):
            continue
        g = gain(level, limits, a, u, here)
        if g > most and fits(level, limits, a, u, here, capacity):
            chosen, most = u, g
    if chosen >= 0:
        total = saved + most
        if total >= 0.0 or (temperature > 0.0 and rng.random() < np.exp(total / temperature)):
            shift(level, limits, a, chosen, here)
            if a.use[there, 1] <= capacity[there, 1]:
                return total
            shift(level, limits, a, chosen, there)
    shift(level, limits, a, v, here)
    return 0.0


@kernel
def overflow(a: Assignment, capacity: IntArray) -> int:
    """Cores that hold more than they can."""
    n = 0
    for c in range(a.use.shape[0]):
        if (
            a.use[c, 0] > capacity[c, 0]
            or a.use[c, 1] > capacity[c, 1]
            or a.use[c, 2] > capacity[c, 2]
        ):
            n += 1
    return n
