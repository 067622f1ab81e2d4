"""Which channel may be held while which other is asked for: every packet followed, compiled.

The state of a packet is its channel, or the router where it is injected; if the relation never
looks at the channel a packet came by, its router alone, which is an order of magnitude less to
follow. All sources of one target are followed together.

Dependencies are kept as bits: channel c ends at router r, and bit j of row c says that a packet
may hold c and ask for channel ``4 * virtual_channels * r + j``. 32 bits to a word.
"""

from __future__ import annotations

import dis
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from mapping.mesh import Mesh
from mapping.routing import Grid, RoutingFunction, compiled_offers, grid_type, offers_type
from mapping.routing._base import Flow, dead_end
from mapping.routing._grid import IntArray, Offers
from simulator.errors import MappingError

__all__ = [
    "BITS",
    "Choices",
    "Dependencies",
    "FlowLists",
    "ends_of",
    "explore",
    "find_dependencies",
    "flow_lists",
    "is_memoryless",
    "raise_status",
    "router_of",
]

BITS = 32
Choices = NDArray[np.int32]
DEAD_END, WRONG_CHANNEL = 1, 2


class FlowLists(NamedTuple):
    """Flows by target: the sources of ``targets[k]`` are ``sources[first[k]:last[k]]``.

    The target itself may be among them and is passed over.
    """

    targets: IntArray
    first: IntArray
    last: IntArray
    sources: IntArray

    def sources_of(self, target: int) -> list[int]:
        """Cores that send to it."""
        k = int(np.searchsorted(self.targets, target))
        some = self.sources[self.first[k] : self.last[k]].tolist()
        return [source for source in some if source != target]


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
    """

    follows: IntArray
    sole: IntArray
    follows_target: NDArray[np.int32]
    sole_target: NDArray[np.int32]
    used: NDArray[np.uint8]
    starts: IntArray
    sole_starts: IntArray
    ends: NDArray[np.uint8]


def is_memoryless(offers: Offers) -> bool:
    """True if the plain function never reads `came_by`, its third argument."""
    code: Any = getattr(offers, "__code__", None)
    if code is None or code.co_freevars or len(code.co_varnames) < 3:
        return False
    name = code.co_varnames[2]

    def mentioned(argument: object) -> bool:
        return name in argument if isinstance(argument, tuple) else argument == name

    return not any(mentioned(step.argval) for step in dis.get_instructions(offers))


def flow_lists(mesh: Mesh, function: RoutingFunction, flows: Iterable[Flow] | None) -> FlowLists:
    """Flows by target, without those from a core to itself; None for all that the function has.

    Raises
    ------
    MappingError
        A flow from or to a core that is not there.
    """
    if flows is None and type(function).pairs is RoutingFunction.pairs:
        everyone = mesh.usable_cores  # one list serves all targets
        none, all_of_them = np.zeros_like(everyone), np.full_like(everyone, everyone.size)
        return FlowLists(everyone, none, all_of_them, everyone)
    by_target: defaultdict[int, set[int]] = defaultdict(set)
    if flows is None:
        for source, target in function.pairs(mesh):
            by_target[target].add(source)
    else:
        for source, target in flows:
            mesh.coordinates(source)
            mesh.coordinates(target)
            if source != target:
                by_target[target].add(source)
    targets = sorted(by_target)
    sources = [sorted(by_target[target]) for target in targets]
    ends = np.cumsum([0, *(len(some) for some in sources)])
    flat = [source for some in sources for source in some]
    lists = (targets, ends[:-1], ends[1:], flat)
    return FlowLists(*(np.array(part, dtype=np.int64) for part in lists))


def find_dependencies(
    mesh: Mesh, function: RoutingFunction, grid: Grid, flows: FlowLists
) -> Dependencies:
    """Follow the packets of all flows.

    Raises
    ------
    MappingError
        The relation offers a dead end, or a channel that is not there.
    """
    lanes = grid.virtual_channels
    n_channels = 4 * mesh.n_cores * lanes
    words = -(-4 * lanes // BITS)
    found = Dependencies(
        np.zeros((n_channels, words), dtype=np.int64),
        np.zeros((n_channels, words), dtype=np.int64),
        np.full((n_channels, 4 * lanes), -1, dtype=np.int32),
        np.full((n_channels, 4 * lanes), -1, dtype=np.int32),
        np.zeros(n_channels, dtype=np.uint8),
        np.zeros((mesh.n_cores, words), dtype=np.int64),
        np.zeros((mesh.n_cores, words), dtype=np.int64),
        np.zeros(n_channels, dtype=np.uint8),
    )
    status = np.zeros(4, dtype=np.int64)
    own = function.own_offers()
    memoryless = own is not None and is_memoryless(own)
    kernel = _kernel()
    kernel(compiled_offers(function), grid, memoryless, *flows, *found, status)
    raise_status(mesh, function, status)
    return found


def raise_status(mesh: Mesh, function: RoutingFunction, status: IntArray) -> None:
    """The error that a kernel could not raise: [code, router, target, channel or count]."""
    code, router, target, channel = (int(value) for value in status)
    if code == DEAD_END:
        raise dead_end(mesh, function, router, target)
    if code == WRONG_CHANNEL:
        raise MappingError(
            f"routing {function.name!r} at {mesh.coordinates(router)} offers channel {channel} "
            f"towards {mesh.coordinates(target)}, which does not leave that router"
        )


@njit(cache=True)
def ends_of(grid: Grid) -> IntArray:
    """Router where each channel ends, -1 where there is none: divided once, not every time."""
    lanes = grid.virtual_channels
    ends = np.empty(grid.link_target.size * lanes, np.int64)
    for channel in range(ends.size):
        ends[channel] = grid.link_target[channel // lanes]
    return ends


@njit(cache=True)
def explore(
    offers: Any,
    grid: Grid,
    memoryless: bool,
    ends: IntArray,
    sources: IntArray,
    target: int,
    met: IntArray,
    queue: IntArray,
    choices: Choices,
    n_choices: IntArray,
    masks: IntArray,
    waits: IntArray,
    out: IntArray,
    status: IntArray,
) -> int:
    """All states that packets from `sources` to `target` can be in; how many.

    They are written into `queue`, what each is offered into `choices` and as bits into `masks`, and
    how often each is offered into `waits`; ``met[state]`` becomes the target's number plus one.
    States are routers for memoryless relations, else channels, or
    the number of channels plus the router of injection.
    """
    width = 4 * grid.virtual_channels
    stamp = target + 1
    size = 0
    for source in sources:
        state = source if memoryless else ends.size + source
        if source != target and met[state] != stamp:
            met[state] = stamp
            waits[state] = 0
            queue[size] = state
            size += 1
    at = 0
    while at < size:
        state = queue[at]
        at += 1
        router = router_of(state, ends, memoryless)
        came_by = -1 if memoryless or state >= ends.size else state
        count = offers(grid, router, came_by, target, out)
        if count <= 0:
            status[0], status[1], status[2] = 1, router, target
            return 0
        n_choices[state] = count
        base = width * router
        for word in range(masks.shape[1]):
            masks[state, word] = 0
        for k in range(count):
            channel = out[k]
            if channel < base or channel >= base + width or ends[channel] < 0:
                status[0], status[1], status[2], status[3] = 2, router, target, channel
                return 0
            choices[state, k] = channel
            place = channel - base
            masks[state, place >> 5] |= 1 << (place & 31)
            if ends[channel] == target:
                continue
            following = ends[channel] if memoryless else channel
            if met[following] != stamp:
                met[following] = stamp
                waits[following] = 0
                queue[size] = following
                size += 1
            waits[following] += 1
    return size


@njit(cache=True)
def router_of(state: int, ends: IntArray, memoryless: bool) -> int:
    """Where a packet in this state is."""
    if memoryless:
        return state
    return int(ends[state]) if state < ends.size else state - ends.size


@cache
def _kernel() -> Any:
    numbers, matrix = types.int64[::1], types.int64[:, ::1]
    narrow, flags = types.int32[:, ::1], types.uint8[::1]
    lists = (numbers, numbers, numbers, numbers)
    found = (matrix, matrix, narrow, narrow, flags, matrix, matrix, flags)
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
    status: IntArray,
) -> None:
    lanes = grid.virtual_channels
    n_channels, words = follows.shape
    ends = ends_of(grid)
    n_states = n_channels + grid.width * grid.height
    met = np.zeros(n_states, np.int64)
    queue = np.empty(n_states, np.int64)
    choices = np.empty((n_states, 4 * lanes), np.int32)
    n_choices = np.zeros(n_states, np.int64)
    masks = np.zeros((n_states, words), np.int64)
    waits = np.zeros(n_states, np.int64)
    out = np.empty(4 * lanes, np.int64)
    for k in range(targets.size):
        target = targets[k]
        some = sources[first[k] : last[k]]
        size = explore(
            offers,
            grid,
            memoryless,
            ends,
            some,
            target,
            met,
            queue,
            choices,
            n_choices,
            masks,
            waits,
            out,
            status,
        )
        if status[0] != 0:
            return
        for source in some:
            state = source if memoryless else n_channels + source
            if source != target:
                for word in range(words):
                    starts[source, word] |= masks[state, word]
                    if n_choices[state] == 1:
                        sole_starts[source, word] |= masks[state, word]
        for i in range(size):
            state = queue[i]
            for choice in range(n_choices[state]):
                channel = choices[state, choice]
                used[channel] = 1
                if ends[channel] == target:
                    delivers[channel] = 1
                    continue
                following = ends[channel] if memoryless else channel
                for word in range(words):
                    mask = masks[following, word]
                    if mask & ~follows[channel, word]:
                        _join(follows, follows_target, channel, word, mask, target)
                    if n_choices[following] == 1 and mask & ~sole[channel, word]:
                        _join(sole, sole_target, channel, word, mask, target)


@njit(cache=True)
def _join(
    rows: IntArray,
    row_target: NDArray[np.int32],
    channel: int,
    word: int,
    mask: int,
    target: int,
) -> None:
    """Add bits to the row of a channel, and note the target of those that are new."""
    new = mask & ~rows[channel, word]
    rows[channel, word] |= mask
    for bit in range(32):
        if (new >> bit) & 1:
            row_target[channel, 32 * word + bit] = target
