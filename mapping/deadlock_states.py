"""The states that packets for one target can be in, and what each is offered: compiled.

The state of a packet is its channel, or the router where it is injected; if the relation never
looks at the channel a packet came by, its router alone, which is an order of magnitude less to
follow. All sources of one target are followed together.

What a state is offered is kept as *hops*: the channels that lead to one and the same next state,
as a link and a set of its virtual channels (bits). A relation without memory has one hop for each
link, whatever the number of its virtual channels; the others have one for each channel.
"""

from __future__ import annotations

import dis
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapping.mesh import Mesh
from mapping.routing import Grid, RoutingFunction
from mapping.routing._base import dead_end
from mapping.routing._grid import IntArray, Offers
from simulator.errors import MappingError

__all__ = ["BITS", "States", "explore", "is_memoryless", "new_states", "raise_status", "set_bits"]

BITS = 62  # of each word: all channels of a router up to 15 virtual channels, sign bit unused
_DEAD_END, _WRONG_CHANNEL = 1, 2
Narrow = NDArray[np.int32]


class States(NamedTuple):
    """States met on the way to one target; written anew for each (`explore`).

    Attributes
    ----------
    queue : int32 array, shape (n_states,)
        States in the order in which they were met.
    router : int32 array, shape (n_states,)
        Where a packet in each state is; the same for all targets.
    met : int64 array, shape (n_states,)
        When a state was last met: the stamp given to `explore`.
    waits : int32 array, shape (n_states,)
        How many hops lead to it.
    offered : int64 array, shape (n_states, n_words)
        Channels on offer as bits: bit j at router r is channel ``4 * virtual_channels * r + j``.
    first, last : int32 array, shape (n_states,)
        Its hops.
    link, following : int32 array, shape (n_hops,)
        Of each hop: its link; the state that it leads to, -1 for the target.
    lanes : int64 array, shape (n_hops,)
        Its virtual channels, as bits.
    side : int64 array, shape (4 * virtual_channels,)
        Direction of each channel of a router.
    out : int64 array, shape (4 * virtual_channels,)
        Scratch of the routing function.
    """

    queue: Narrow
    router: Narrow
    met: IntArray
    waits: Narrow
    offered: IntArray
    first: Narrow
    last: Narrow
    link: Narrow
    following: Narrow
    lanes: IntArray
    side: IntArray
    out: IntArray


def is_memoryless(offers: Offers) -> bool:
    """True if the plain function never reads `came_by`, its third argument."""
    code: Any = getattr(offers, "__code__", None)
    if code is None or code.co_freevars or len(code.co_varnames) < 3:
        return False
    name = code.co_varnames[2]

    def mentioned(argument: object) -> bool:
        return name in argument if isinstance(argument, tuple) else argument == name

    return not any(mentioned(step.argval) for step in dis.get_instructions(offers))


def raise_status(mesh: Mesh, function: RoutingFunction, status: IntArray) -> None:
    """The error that a kernel could not raise: [code, router, target, channel or count]."""
    code, router, target, channel = (int(value) for value in status)
    if code == _DEAD_END:
        raise dead_end(mesh, function, router, target)
    if code == _WRONG_CHANNEL:
        raise MappingError(
            f"routing {function.name!r} at {mesh.coordinates(router)} offers channel {channel} "
            f"towards {mesh.coordinates(target)}, which does not leave that router"
        )


@njit(cache=True)
def new_states(grid: Grid, memoryless: bool) -> States:
    """Room for the states of any target."""
    vcs = grid.virtual_channels
    n_routers = grid.width * grid.height
    n_channels = 4 * n_routers * vcs
    n_states = n_routers if memoryless else n_channels + n_routers
    n_hops = n_states * (4 if memoryless else 4 * vcs)
    router = np.empty(n_states, np.int32)
    for state in range(n_states):
        if memoryless:
            router[state] = state
        elif state < n_channels:
            router[state] = grid.link_target[state // vcs]
        else:
            router[state] = state - n_channels
    return States(
        np.empty(n_states, np.int32),
        router,
        np.full(n_states, -1, np.int64),
        np.empty(n_states, np.int32),
        np.empty((n_states, (4 * vcs + BITS - 1) // BITS), np.int64),
        np.empty(n_states, np.int32),
        np.empty(n_states, np.int32),
        np.empty(n_hops, np.int32),
        np.empty(n_hops, np.int32),
        np.empty(n_hops, np.int64),
        np.arange(4 * vcs) // vcs,
        np.empty(4 * vcs, np.int64),
    )


@njit(cache=True)
def explore(
    offers: Any,
    grid: Grid,
    memoryless: bool,
    sources: IntArray,
    target: int,
    stamp: int,
    states: States,
    status: IntArray,
) -> int:
    """Write down all states that packets from `sources` to `target` can be in; how many.

    `stamp` is another number at each call, >= 0. With a fault in the relation `status` is set,
    see `raise_status`.
    """
    # Taken out once: every look into a tuple of arrays costs a count of references.
    queue, router_of, met, waits = states.queue, states.router, states.met, states.waits
    offered, first, last = states.offered, states.first, states.last
    hop_link, hop_following, hop_lanes = states.link, states.following, states.lanes
    side, out = states.side, states.out
    link_target = grid.link_target
    vcs = grid.virtual_channels
    width = 4 * vcs
    n_channels = link_target.size * vcs
    size = 0
    for source in sources:
        state = source if memoryless else n_channels + source
        if source != target and met[state] != stamp:
            met[state] = stamp
            waits[state] = 0
            queue[size] = state
            size += 1
    at = 0
    n_hops = 0
    while at < size:
        state = queue[at]
        at += 1
        router = int(router_of[state])
        came_by = -1 if memoryless or state >= n_channels else int(state)
        count = offers(grid, router, came_by, target, out)
        if count <= 0:
            status[0], status[1], status[2] = _DEAD_END, router, target
            return 0
        first[state] = n_hops
        for word in range(1, offered.shape[1]):
            offered[state, word] = 0
        bits = 0
        hop, lowest, lanes = -1, width, 0  # the hop being written, its first place, its channels
        for k in range(count):
            place = out[k] - width * router
            same = memoryless and lowest <= place < lowest + vcs  # another channel of that link
            if not same and (
                place < 0 or place >= width or link_target[4 * router + side[place]] < 0
            ):
                status[0], status[1], status[2], status[3] = _WRONG_CHANNEL, router, target, out[k]
                return 0
            if place < BITS:
                bits |= 1 << place
            else:
                offered[state, place // BITS] |= 1 << (place % BITS)
            if same:
                lanes |= 1 << (place - lowest)
                continue
            if hop >= 0:
                hop_lanes[hop] = lanes
            link = int(4 * router + side[place])
            lowest = vcs * side[place]
            lanes = 1 << (place - lowest)
            hop = n_hops
            if memoryless:
                hop = int(first[state])
                while hop < n_hops and hop_link[hop] != link:
                    hop += 1
            if hop < n_hops:
                lanes |= hop_lanes[hop]
                continue
            n_hops += 1
            hop_link[hop] = link
            following = link_target[link] if memoryless else out[k]
            if link_target[link] == target:
                hop_following[hop] = -1
                continue
            hop_following[hop] = following
            if met[following] != stamp:
                met[following] = stamp
                waits[following] = 0
                queue[size] = following
                size += 1
            waits[following] += 1
        hop_lanes[hop] = lanes
        offered[state, 0] = bits
        last[state] = n_hops
    return size


def set_bits(bits: IntArray, virtual_channels: int) -> tuple[IntArray, IntArray]:
    """Row and place of every bit that is set, rows ascending."""
    places = np.arange(4 * virtual_channels)
    row, place = np.nonzero((bits[:, places // BITS] >> (places % BITS)) & 1)
    return row.astype(np.int64), place.astype(np.int64)
