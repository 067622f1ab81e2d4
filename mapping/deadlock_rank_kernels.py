"""The compiled part of `mapping.deadlock_ranks`: what is an escape channel where, ranks raised."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from mapping.deadlock_cycles import BoolArray
from mapping.deadlock_states import BITS, States, explore, new_states
from mapping.routing import Grid, grid_type, offers_type
from mapping.routing._grid import IntArray

__all__ = ["CYCLIC", "DECLARED", "LINKS", "NONE_OFFERED", "NOT_OFFERED", "WHOLE", "rank_kernels"]

DECLARED, LINKS, WHOLE = 0, 1, 2  # see `mapping.deadlock_ranks.Candidate`
NOT_OFFERED, NONE_OFFERED, CYCLIC = 3, 4, 5  # status, besides those of `explore`
# A search that does not settle after so many passes over all flows is given up as not proven.
_MAX_PASSES = 64


@cache
def rank_kernels() -> tuple[Any, Any, Any]:
    """The compiled `_collect`, `_settle` and `_everywhere`."""
    numbers, matrix = types.int64[::1], types.int64[:, ::1]
    relation = (offers_type(), offers_type(), grid_type(), grid_type())
    how = (types.int64, types.int64, types.boolean)
    lists = (numbers, numbers, numbers, numbers)
    collect = types.void(*relation, *how, *lists, numbers, matrix, numbers)
    ranks = (numbers, numbers, numbers, types.boolean[::1])
    settle = types.void(*relation, *how, *lists, *ranks, numbers)
    everywhere = types.void(offers_type(), grid_type(), numbers, numbers)
    return (
        njit(collect, cache=True)(_collect),
        njit(settle, cache=True)(_settle),
        njit(everywhere, cache=True)(_everywhere),
    )


def _everywhere(escape: Any, grid: Grid, targets: IntArray, is_escape: IntArray) -> None:
    """Mark the escape channels of a memoryless function at all routers."""
    out = np.empty(4 * grid.virtual_channels, np.int64)
    for target in targets:
        for router in range(grid.width * grid.height):
            if router != target:
                for k in range(escape(grid, router, -1, target, out)):
                    is_escape[out[k]] = 1


@njit(cache=True)
def _choose(
    offers: Any,
    escape: Any,
    grid: Grid,
    escape_grid: Grid,
    mode: int,
    vc: int,
    memoryless: bool,
    sources: IntArray,
    target: int,
    stamp: int,
    states: States,
    chosen: NDArray[np.int32],
    n_chosen: NDArray[np.int32],
    status: IntArray,
) -> int:
    """All states on the way to a target, as `explore`; and into `chosen` the escape channels of
    each: those of the candidate on offer."""
    size = explore(offers, grid, memoryless, sources, target, stamp, states, status)
    vcs = grid.virtual_channels
    queue, router_of, offered, out = states.queue, states.router, states.offered, states.out
    first, last, hop_link, hop_lanes = states.first, states.last, states.link, states.lanes
    n_channels = grid.link_target.size * vcs
    for i in range(size):
        state = np.int64(queue[i])
        router = np.int64(router_of[state])
        count = 0
        if mode == WHOLE:
            for hop in range(first[state], last[state]):
                if hop_lanes[hop] >> vc & 1:
                    chosen[state, count] = hop_link[hop] * vcs + vc
                    count += 1
        else:
            came_by = -1 if mode == LINKS or memoryless or state >= n_channels else state
            for k in range(escape(escape_grid, router, came_by, target, out)):
                channel = out[k] * vcs + vc if mode == LINKS else out[k]
                place = channel - 4 * router * vcs
                there = place >= 0 and place < 4 * vcs
                if there and (offered[state, place // BITS] >> (place % BITS)) & 1:
                    chosen[state, count] = channel
                    count += 1
                elif mode == DECLARED:
                    status[0], status[1], status[2], status[3] = (
                        NOT_OFFERED,
                        router,
                        target,
                        channel,
                    )
                    return 0
        n_chosen[state] = count
        if count == 0:
            status[0], status[1], status[2] = NONE_OFFERED, router, target
            return 0
    return size


def _collect(
    offers: Any,
    escape: Any,
    grid: Grid,
    escape_grid: Grid,
    mode: int,
    vc: int,
    memoryless: bool,
    targets: IntArray,
    first: IntArray,
    last: IntArray,
    sources: IntArray,
    is_escape: IntArray,
    rows: IntArray,
    status: IntArray,
) -> None:
    """The set of escape channels, and which of them directly follows which channel."""
    vcs = grid.virtual_channels
    words = rows.shape[1]
    states = new_states(grid, memoryless)
    queue, router_of = states.queue, states.router
    escapes = np.zeros((router_of.size, words), np.int64)
    chosen = np.empty((router_of.size, 4 * vcs), np.int32)
    n_chosen = np.zeros(router_of.size, np.int32)
    for k in range(targets.size):
        target = targets[k]
        some = sources[first[k] : last[k]]
        size = _choose(
            offers, escape, grid, escape_grid, mode, vc, memoryless, some, target, k,
            states, chosen, n_chosen, status,
        )  # fmt: skip
        if status[0] != 0:
            return
        for i in range(size):
            state = queue[i]
            for word in range(words):
                escapes[state, word] = 0
            for j in range(n_chosen[state]):
                is_escape[chosen[state, j]] = 1
                place = chosen[state, j] - 4 * vcs * np.int64(router_of[state])
                escapes[state, place // BITS] |= 1 << (place % BITS)
        for i in range(size):
            state = queue[i]
            for hop in range(states.first[state], states.last[state]):
                following = states.following[hop]
                lanes = states.lanes[hop] if following >= 0 else 0
                channel = states.link[hop] * vcs
                while lanes:
                    if lanes & 1:
                        for word in range(words):
                            rows[channel, word] |= escapes[following, word]
                    lanes >>= 1
                    channel += 1


def _settle(
    offers: Any,
    escape: Any,
    grid: Grid,
    escape_grid: Grid,
    mode: int,
    vc: int,
    memoryless: bool,
    targets: IntArray,
    first: IntArray,
    last: IntArray,
    sources: IntArray,
    rank: IntArray,
    injection: IntArray,
    consumption: IntArray,
    dependent: BoolArray,
    status: IntArray,
) -> None:
    """Raise ranks until every escape channel offered ranks above all that a packet may hold."""
    vcs = grid.virtual_channels
    states = new_states(grid, memoryless)
    n_states = states.router.size
    n_inner = 0 if memoryless else rank.size
    order = np.empty(n_states, np.int32)
    held = np.empty(n_states, np.int64)
    chosen = np.empty((n_states, 4 * vcs), np.int32)
    n_chosen = np.zeros(n_states, np.int32)
    ranked = np.zeros(grid.link_target.size, np.int64)
    for channel in range(rank.size):
        if rank[channel] >= 0:
            ranked[channel // vcs] |= 1 << (channel % vcs)
    highest = rank.size + 2 * consumption.size
    changed = True
    passes = 0
    while changed:
        changed = False
        for k in range(targets.size):
            target = targets[k]
            some = sources[first[k] : last[k]]
            stamp = passes * targets.size + k
            size = _choose(
                offers, escape, grid, escape_grid, mode, vc, memoryless, some, target, stamp,
                states, chosen, n_chosen, status,
            )  # fmt: skip
            if status[0] != 0:
                return
            for i in range(size):
                held[states.queue[i]] = -1
            for source in some:
                held[n_inner + source] = injection[source]
            rose, arrived = _raise_ranks(
                vcs, size, states, chosen, n_chosen, rank, ranked, held, order, highest
            )
            if dependent[target]:
                if consumption[target] <= arrived:
                    consumption[target] = arrived + 1
                    rose = True
                if injection[target] <= consumption[target]:
                    injection[target] = consumption[target] + 1
                    rose = True
            changed |= rose
        passes += 1
        if passes == _MAX_PASSES or rank.max() > highest or injection.max() > highest:
            status[0] = CYCLIC
            return


@njit(cache=True)
def _raise_ranks(
    vcs: int,
    size: int,
    states: States,
    chosen: NDArray[np.int32],
    n_chosen: NDArray[np.int32],
    rank: IntArray,
    ranked: IntArray,
    held: IntArray,
    order: NDArray[np.int32],
    highest: int,
) -> tuple[bool, int]:
    """Raise the escape channels of one target's states above what is held there.

    Returns
    -------
    (bool, int)
        Whether a rank rose; the highest rank that a packet holds when it reaches the target.
        Stops when anything is above `highest`.
    """
    queue, waits, first, last = states.queue, states.waits, states.first, states.last
    hop_link, hop_following, hop_lanes = states.link, states.following, states.lanes
    count = 0
    for i in range(size):
        if waits[queue[i]] == 0:
            order[count] = queue[i]
            count += 1
    rose = again = False
    arrived = -1
    at, circular = 0, size
    while True:
        if at == count:
            # Each state came behind those it is reached from, as far as that is possible; then
            # those on cycles of states, or behind them, again and again until nothing changes.
            if count < size:
                circular = count
                for i in range(size):
                    if waits[queue[i]] > 0:
                        order[count] = queue[i]
                        count += 1
            elif again:
                at, again = circular, False
            else:
                break
        state = order[at]
        most_held = held[state]
        if most_held > highest:
            break
        for j in range(n_chosen[state]):
            if rank[chosen[state, j]] <= most_held:
                rank[chosen[state, j]] = most_held + 1
                rose = True
        for hop in range(first[state], last[state]):
            most = most_held
            lanes = hop_lanes[hop] & ranked[hop_link[hop]]
            channel = hop_link[hop] * vcs
            while lanes:
                if lanes & 1:
                    most = max(most, rank[channel])
                lanes >>= 1
                channel += 1
            following = hop_following[hop]
            if following < 0:
                arrived = max(arrived, most)
                continue
            if most > held[following]:
                held[following] = most
                again |= at >= circular
            if at < circular:
                waits[following] -= 1
                if waits[following] == 0:
                    order[count] = following
                    count += 1
        at += 1
    return rose, arrived
