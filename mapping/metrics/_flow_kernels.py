"""Kernels that follow flows through a routing function; they return a status, see `links`.

They take the routing function as a pointer, so that each is compiled once for all of them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from mapping.graph import IntArray
from mapping.routing import Grid, grid_type, offers_type

__all__ = ["ADAPTIVE", "CIRCLE", "FINE", "WRONG", "flow_loads", "tree_loads"]

FloatArray = NDArray[np.float64]

FINE, ADAPTIVE, CIRCLE, WRONG = range(4)


@cache
def flow_loads() -> Any:
    """`add_flow_loads`, compiled."""
    ints, floats = types.int64[::1], types.float64[::1]
    number: Any = types.int64
    signature = number(
        offers_type(), grid_type(), ints, ints, ints, floats, types.boolean, floats, ints
    )
    return njit(signature, cache=True)(add_flow_loads)


@cache
def tree_loads() -> Any:
    """`add_tree_loads`, compiled."""
    ints = types.int64[::1]
    number: Any = types.int64
    signature = number(offers_type(), grid_type(), *[ints] * 6)
    return njit(signature, cache=True)(add_tree_loads)


def add_flow_loads(
    offers: Any,
    grid: Grid,
    targets: IntArray,
    start: IntArray,
    sources: IntArray,
    packets: FloatArray,
    split: bool,
    loads: FloatArray,
    where: IntArray,
) -> int:
    """Add the packets of all flows to the links they take; `split` shares out choices evenly.

    All flows to one target are followed together: a state is the channel a packet holds, or the
    core it starts from, and every state is asked once. States are then emptied in an order in
    which all that flows into one is known before it flows on.
    """
    lanes = grid.virtual_channels
    link_target = grid.link_target
    n_channels = link_target.size * lanes
    n_states = n_channels + link_target.size // 4
    found_for = np.full(n_states, -1, dtype=np.int64)
    entries = np.zeros(n_states, dtype=np.int64)  # ways into a state not yet emptied
    amount = np.zeros(n_states)
    n_next = np.zeros(n_states, dtype=np.int64)
    following = np.zeros((n_states, 4 * lanes), dtype=np.int64)
    found = np.empty(n_states, dtype=np.int64)
    ready = np.empty(n_states, dtype=np.int64)
    out = np.zeros(4 * lanes, dtype=np.int64)
    for t in range(targets.size):
        target = targets[t]
        n_found = 0
        for k in range(start[t], start[t + 1]):
            state = n_channels + sources[k]
            found_for[state] = t
            entries[state] = 0
            amount[state] = packets[k]
            found[n_found] = state
            n_found += 1
        asked = 0
        while asked < n_found:
            state = found[asked]
            asked += 1
            n_next[state] = 0
            held = state if state < n_channels else -1
            router = link_target[held // lanes] if held >= 0 else state - n_channels
            if router == target:
                continue
            where[0] = router
            where[1] = held
            where[2] = target
            count = offers(grid, router, held, target, out)
            if count <= 0:
                return WRONG
            if count > 1 and not split:
                return ADAPTIVE
            n_next[state] = count
            for m in range(count):
                channel = out[m]
                link = channel // lanes
                if channel < 0 or channel >= n_channels:
                    return WRONG
                if link // 4 != router or link_target[link] < 0:
                    return WRONG
                following[state, m] = channel
                if found_for[channel] != t:
                    found_for[channel] = t
                    entries[channel] = 0
                    amount[channel] = 0.0
                    found[n_found] = channel
                    n_found += 1
                entries[channel] += 1
        n_ready = 0
        for k in range(n_found):
            if entries[found[k]] == 0:
                ready[n_ready] = found[k]
                n_ready += 1
        emptied = 0
        while emptied < n_ready:
            state = ready[emptied]
            emptied += 1
            if state < n_channels:
                loads[state // lanes] += amount[state]
            count = n_next[state]
            n_links = 0
            for m in range(count):
                first = True
                for other in range(m):
                    if following[state, other] // lanes == following[state, m] // lanes:
                        first = False
                if first:
                    n_links += 1
            for m in range(count):
                channel = following[state, m]
                same_link = 0
                for other in range(count):
                    if following[state, other] // lanes == channel // lanes:
                        same_link += 1
                amount[channel] += amount[state] / (n_links * same_link)
                entries[channel] -= 1
                if entries[channel] == 0:
                    ready[n_ready] = channel
                    n_ready += 1
        if emptied < n_found:
            for k in range(n_found):
                if entries[found[k]] > 0:
                    where[0] = found[k] // lanes // 4
                    where[2] = target
                    return CIRCLE
    return FINE


def add_tree_loads(
    offers: Any,
    grid: Grid,
    sources: IntArray,
    start: IntArray,
    targets: IntArray,
    packets: IntArray,
    loads: IntArray,
    where: IntArray,
) -> int:
    """Add each flow's packets once to every link on the way to at least one of its targets."""
    lanes = grid.virtual_channels
    link_target = grid.link_target
    n_channels = link_target.size * lanes
    counted_for = np.full(link_target.size, -1, dtype=np.int64)
    out = np.zeros(4 * lanes, dtype=np.int64)
    for flow in range(sources.size):
        for k in range(start[flow], start[flow + 1]):
            target = targets[k]
            router = sources[flow]
            held = -1
            taken = 0
            while router != target:
                where[0] = router
                where[1] = held
                where[2] = target
                count = offers(grid, router, held, target, out)
                if count > 1:
                    return ADAPTIVE
                held = out[0]
                link = held // lanes
                if count <= 0 or held < 0 or held >= n_channels:
                    return WRONG
                if link // 4 != router or link_target[link] < 0:
                    return WRONG
                taken += 1
                if taken > n_channels:
                    return CIRCLE
                if counted_for[link] != flow:
                    counted_for[link] = flow
                    loads[link] += packets[flow]
                router = link_target[link]
    return FINE
