"""Which channel may be held while which other is asked for: every packet followed, compiled.

Dependencies are kept as bits: channel c ends at router r, and bit j of row c says that a packet
may hold c and ask for channel ``4 * virtual_channels * r + j``.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from mapping.deadlock_flows import FlowLists
from mapping.deadlock_states import BITS, explore, is_memoryless, new_states, raise_status
from mapping.mesh import Mesh
from mapping.routing import Grid, RoutingFunction, compiled_offers, grid_type, offers_type
from mapping.routing._grid import IntArray

__all__ = ["Dependencies", "find_dependencies"]


class Dependencies(NamedTuple):
    """What packets of the flows may hold and ask for.

    Attributes
    ----------
    follows, sole : int64 array, shape (n_channels, n_words)
        Dependencies as bits; `sole` only those of packets that are offered nothing else.
    follows_target, sole_target : int32 array, shape (n_channels, 4 * virtual_channels)
        Target of a packet that causes each, -1 where there is none.
    used : uint8 array, shape (n_channels,)
        1 for channels that a packet may take.
    starts, sole_starts : int64 array, shape (n_cores, n_words)
        Channels that packets injected at a router are offered, as bits; and those that are the
        only one offered to some packet.
    ends : uint8 array, shape (n_channels,)
        1 for channels by which a packet may reach its target.
    choice : uint8 array, shape (1,)
        1 if some packet is ever offered more than one channel.
    """

    follows: IntArray
    sole: IntArray
    follows_target: NDArray[np.int32]
    sole_target: NDArray[np.int32]
    used: NDArray[np.uint8]
    starts: IntArray
    sole_starts: IntArray
    ends: NDArray[np.uint8]
    choice: NDArray[np.uint8]


def find_dependencies(
    mesh: Mesh, function: RoutingFunction, grid: Grid, flows: FlowLists
) -> Dependencies:
    """Follow the packets of all flows.

    Raises
    ------
    MappingError
        The relation offers a dead end, or a channel that is not there.
    """
    width = 4 * grid.virtual_channels
    n_channels = mesh.n_cores * width
    words = -(-width // BITS)
    found = Dependencies(
        follows=np.zeros((n_channels, words), dtype=np.int64),
        sole=np.zeros((n_channels, words), dtype=np.int64),
        follows_target=np.full((n_channels, width), -1, dtype=np.int32),
        sole_target=np.full((n_channels, width), -1, dtype=np.int32),
        used=np.zeros(n_channels, dtype=np.uint8),
        starts=np.zeros((mesh.n_cores, words), dtype=np.int64),
        sole_starts=np.zeros((mesh.n_cores, words), dtype=np.int64),
        ends=np.zeros(n_channels, dtype=np.uint8),
        choice=np.zeros(1, dtype=np.uint8),
    )
    status = np.zeros(4, dtype=np.int64)
    own = function.own_offers()
    memoryless = own is not None and is_memoryless(own)
    _kernel()(compiled_offers(function), grid, memoryless, *flows, *found, status)
    raise_status(mesh, function, status)
    return found


@cache
def _kernel() -> Any:
    numbers, matrix = types.int64[::1], types.int64[:, ::1]
    narrow, flags = types.int32[:, ::1], types.uint8[::1]
    lists = (numbers, numbers, numbers, numbers)
    found = (matrix, matrix, narrow, narrow, flags, matrix, matrix, flags, flags)
    arguments = (offers_type(), grid_type(), types.boolean, *lists, *found, numbers)
    return njit(types.void(*arguments), cache=True)(_follow_all)


def _follow_all(
    offers: Any,
    grid: Grid,
    memoryless: bool,
    targets: IntArray,
    first: IntArray,
    last: IntArray,
    sources: IntArray,
    follows: IntArray,
    sole: IntArray,
    follows_target: NDArray[np.int32],
    sole_target: NDArray[np.int32],
    used: NDArray[np.uint8],
    starts: IntArray,
    sole_starts: IntArray,
    delivers: NDArray[np.uint8],
    choice: NDArray[np.uint8],
    status: IntArray,
) -> None:
    vcs = grid.virtual_channels
    n_channels, words = follows.shape
    states = new_states(grid, memoryless)
    queue, offered = states.queue, states.offered
    first_hop, last_hop = states.first, states.last
    hop_link, hop_following, hop_lanes = states.link, states.following, states.lanes
    # What was written last for each set of channels that lead to one state. Targets next to each
    # other mostly ask for the same again, which need not be written down again.
    n_sets = grid.link_target.size if memoryless else n_channels
    last_lanes = np.full(n_sets, -1, np.int64)
    last_offered = np.full(n_sets, -1, np.int64)
    last_start = np.full(starts.shape[0], -1, np.int64)
    for k in range(targets.size):
        target = targets[k]
        some = sources[first[k] : last[k]]
        size = explore(offers, grid, memoryless, some, target, k, states, status)
        if status[0] != 0:
            return
        for source in some:
            if source == target:
                continue
            state = source if memoryless else n_channels + source
            if words == 1 and last_start[source] == offered[state, 0]:
                continue
            last_start[source] = offered[state, 0]
            alone = _is_sole(offered, state)
            for word in range(words):
                starts[source, word] |= offered[state, word]
                if alone:
                    sole_starts[source, word] |= offered[state, word]
            if not alone:
                choice[0] = 1
        for i in range(size):
            state = queue[i]
            for hop in range(first_hop[state], last_hop[state]):
                channel = hop_link[hop] * vcs
                lanes = hop_lanes[hop]
                following = hop_following[hop]
                if following < 0:
                    while lanes:
                        if lanes & 1:
                            used[channel] = 1
                            delivers[channel] = 1
                        lanes >>= 1
                        channel += 1
                    continue
                which = hop_link[hop] if memoryless else following
                asked = offered[following, 0]
                if words == 1 and last_lanes[which] == lanes and last_offered[which] == asked:
                    continue
                last_lanes[which], last_offered[which] = lanes, asked
                alone = _is_sole(offered, following)
                if not alone:
                    choice[0] = 1
                while lanes:
                    if lanes & 1:
                        used[channel] = 1
                        _join(follows, follows_target, channel, offered, following, target)
                        if alone:
                            _join(sole, sole_target, channel, offered, following, target)
                    lanes >>= 1
                    channel += 1


@njit(cache=True)
def _is_sole(offered: IntArray, state: int) -> bool:
    """Whether one channel is all that this state is offered."""
    several = False
    some = False
    for word in range(offered.shape[1]):
        bits = offered[state, word]
        several |= bits & (bits - 1) != 0 or (some and bits != 0)
        some |= bits != 0
    return not several


@njit(cache=True)
def _join(
    rows: IntArray,
    row_target: NDArray[np.int32],
    channel: int,
    offered: IntArray,
    state: int,
    target: int,
) -> None:
    """Add what a state is offered to the row of a channel; note the target of bits that are new."""
    for word in range(rows.shape[1]):
        new = offered[state, word] & ~rows[channel, word]
        if new:
            rows[channel, word] |= new
            for bit in range(BITS):
                if (new >> bit) & 1:
                    row_target[channel, BITS * word + bit] = target
