"""Local search on one level: heat-bath moves, and swaps where the cores are full.

A vertex drawn at random sees what it would save on every core (`gain_vector`) and goes to one of
them with probability proportional to exp(saving / T). Where that core is full, the best of a few
of its vertices goes the other way, and the two together are accepted as by Metropolis. At T = 0
this is plain descent with swaps.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from mapping.graph import IntArray
from mapping.partition._level import (
    Assignment,
    FloatArray,
    Int32Array,
    Level,
    Limits,
    fits,
    gain,
    gain_vector,
    may_share,
    packets,
    shift,
    within,
)

__all__ = ["anneal", "overflow", "rebalance"]


@njit(cache=True)
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
    n = level.neurons.size
    n_cores = a.use.shape[0]
    out = np.zeros(n_cores)
    odds = np.zeros(n_cores)
    cost = packets(level, limits, a)
    best_cost = cost
    best[:] = a.core_of
    for t in range(temperatures.size):
        temperature = temperatures[t]
        for _ in range(n):
            v = min(int(rng.random() * n), n - 1)
            here = a.core_of[v]
            gain_vector(level, limits, a, v, out)
            top = -np.inf
            for c in range(n_cores):
                if c != here and out[c] > top and may_share(level, limits, a, v, c):
                    top = out[c]
            if top == -np.inf:
                continue
            # The stay (saving 0) takes part; far worse cores are not worth an exponential.
            there = -1
            if temperature <= 0.0:
                if top < 0.0:
                    continue
                n_top = 0
                for c in range(n_cores):
                    if c != here and out[c] >= top and may_share(level, limits, a, v, c):
                        n_top += 1
                        if rng.random() * n_top < 1.0:
                            there = c
            else:
                floor = max(top, 0.0) - 8.0 * temperature
                if top < floor:
                    continue
                total = 0.0
                for c in range(n_cores):
                    odds[c] = 0.0
                    if out[c] >= floor and (c == here or may_share(level, limits, a, v, c)):
                        odds[c] = np.exp((out[c] - max(top, 0.0)) / temperature)
                        total += odds[c]
                draw = rng.random() * total
                for c in range(n_cores):
                    if odds[c] > 0.0:
                        there = c
                        draw -= odds[c]
                        if draw < 0.0:
                            break
            if there == here or there < 0:
                continue
            if within(level, limits, a, v, there, capacity):
                cost -= out[there]
                shift(level, limits, a, v, there)
                continue
            cost -= _swap(level, limits, a, capacity, v, there, out[there], temperature, partners, rng)
        if cost < best_cost - 1e-9:
            best_cost = cost
            best[:] = a.core_of
    return best_cost


@njit(cache=True)
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
    here = a.core_of[v]
    if a.n_members[there] >= a.first[there + 1] - a.first[there]:
        return 0.0
    shift(level, limits, a, v, there)
    chosen, most = -1, -np.inf
    n_members = a.n_members[there]
    tries = min(partners, n_members)
    begin = min(int(rng.random() * n_members), n_members - 1)
    for i in range(tries):
        u = a.member[a.first[there] + (begin + i) % n_members]
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


@njit(cache=True)
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


@njit(cache=True)
def rebalance(level: Level, limits: Limits, a: Assignment, capacity: IntArray) -> int:
    """Empty overfull cores by the moves that cost least; returns how many stay overfull."""
    n_cores = a.use.shape[0]
    out = np.zeros(n_cores)
    stuck = 0
    for c in range(n_cores):
        while (
            a.use[c, 0] > capacity[c, 0]
            or a.use[c, 1] > capacity[c, 1]
            or a.use[c, 2] > capacity[c, 2]
        ):
            chosen, target, least = -1, -1, -np.inf
            for i in range(a.n_members[c]):
                v = a.member[a.first[c] + i]
                gain_vector(level, limits, a, v, out)
                for b in range(n_cores):
                    score = out[b] / level.neurons[v]
                    if b != c and score > least and fits(level, limits, a, v, b, capacity):
                        chosen, target, least = v, b, score
            if chosen < 0:
                stuck += 1
                break
            shift(level, limits, a, chosen, target)
    return stuck
