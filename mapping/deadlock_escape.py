"""Escape channels: freedom from deadlock in spite of cycles of dependencies (Duato's theory).

A set of escape channels is ranked. If every packet, wherever it may be, is offered an escape
channel that ranks above all escape channels it may still hold, no set of packets can block each
other: the one holding the highest ranked of all channels held by them is offered a channel that
none of them holds. This is acyclicity of Duato's extended dependency graph with its direct,
indirect and cross dependencies: what a packet *may* hold is any escape channel on its way, taken
as an escape or not, whatever came in between.

It takes for granted that a virtual channel is given to a packet only when it is empty, or that
packets fit into one buffer: a packet waiting behind another one's tail is not offered anything.

Ranks start as the lengths of the longest chains of direct dependencies, and are raised where an
indirect one asks for more, until none does. That ends unless there is a cycle.

References
----------
J. Duato, A new theory of deadlock-free adaptive routing in wormhole networks, IEEE TPDS 4, 1993,
theorem 1; A necessary and sufficient condition for deadlock-free adaptive routing in wormhole
networks, IEEE TPDS 6, 1995 (cross dependencies).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from mapping.deadlock_cycles import graph_of_edges, levels
from mapping.deadlock_dependencies import (
    BITS,
    Choices,
    FlowLists,
    ends_of,
    explore,
    flow_lists,
    is_memoryless,
    raise_status,
    router_of,
)
from mapping.mesh import Mesh
from mapping.routing import (
    Grid,
    RoutingFunction,
    compiled_offers,
    grid_of,
    grid_type,
    offers_signature,
    offers_type,
    routing_function,
)
from mapping.routing._grid import IntArray, Offers
from simulator.errors import MappingError

BoolArray = NDArray[np.bool_]

__all__ = ["EscapeRanks", "find_escape"]

DECLARED, LINKS, WHOLE = 0, 1, 2
NOT_OFFERED, NONE_OFFERED, CYCLIC = 3, 4, 5
_SEARCHED = ("xy", "yx", "west_first", "north_last", "negative_first")
# A search that does not settle after so many passes over all flows is given up as not proven.
_MAX_PASSES = 64


class EscapeRanks(NamedTuple):
    """A set of escape channels that works.

    Attributes
    ----------
    name : str
        Which it is, in words.
    rank : int64 array, shape (n_channels,)
        -1 for channels that are no escape channels.
    injection_rank, consumption_rank : int64 array, shape (n_cores,)
        Of the cores' own channels where consumption waits for injection; -1 elsewhere.
    """

    name: str
    rank: IntArray
    injection_rank: IntArray
    consumption_rank: IntArray


class _Candidate(NamedTuple):
    name: str
    kernel: Any
    plain: Offers
    grid: Grid
    mode: int
    vc: int


def find_escape(
    mesh: Mesh,
    function: RoutingFunction,
    grid: Grid,
    flows: FlowLists,
    dependent: BoolArray,
    follows: IntArray,
) -> EscapeRanks | None:
    """Ranks of the escape channels that the function declares, or of some that are searched for.

    The search tries, on each virtual channel, XY, YX and the turn models as far as the function
    offers them, and the whole of the virtual channel. It is not exhaustive: None means that
    freedom is not proven.

    Parameters
    ----------
    dependent : bool array, shape (n_cores,)
        Cores that consume only when they can inject.
    follows : int64 array, shape (n_channels, n_words)
        All dependencies, as `find_dependencies` gives them.

    Raises
    ------
    MappingError
        A declared escape channel that the function does not offer.
    """
    if function.escape is not None:
        declared = _declared(function, grid)
        return _ranks(mesh, function, grid, flows, dependent, declared, follows)
    promising = _promising_names(mesh, function)
    for candidate in _candidates(mesh, function, grid):
        if promising is None or candidate.name in promising:
            found = _ranks(mesh, function, grid, flows, dependent, candidate)
            if found is not None:
                return found
    return None


def _declared(function: RoutingFunction, grid: Grid) -> _Candidate:
    escape = type(function).escape
    return _Candidate("as declared", _compiled_escape(escape), escape, grid, DECLARED, 0)


@cache
def _compiled_escape(escape: Offers) -> Any:
    return njit(offers_signature(), cache=True)(escape)


def _candidates(mesh: Mesh, function: RoutingFunction, grid: Grid) -> Iterator[_Candidate]:
    for vc in range(grid.virtual_channels):
        for name in () if mesh.torus else _SEARCHED:
            simple = routing_function(name, mesh)
            kernel = compiled_offers(simple)
            words = f"{name} on virtual channel {vc}"
            yield _Candidate(words, kernel, simple.offers, grid_of(mesh, simple), LINKS, vc)
        if grid.virtual_channels > 1:
            kernel = compiled_offers(function)
            own = function.own_offers() or _remembers
            yield _Candidate(f"virtual channel {vc}", kernel, own, grid, WHOLE, vc)


def _remembers(grid: Grid, router: int, came_by: int, target: int, out: IntArray) -> int:
    """Stands for a relation of which nothing is known: it reads `came_by`."""
    return came_by


def _promising_names(mesh: Mesh, function: RoutingFunction) -> set[str] | None:
    """Names of the candidates that work on a small mesh of the kind; None if that says nothing.

    What fails there is not tried on a large one, where each try takes seconds.
    """
    if mesh.n_cores <= 36 or function.own_offers() is None:
        return None
    small = Mesh(min(mesh.width, 4), min(mesh.height, 4), mesh.torus)
    try:
        grid = grid_of(small, function)
        lists = flow_lists(small, function, None)
        nobody = np.zeros(small.n_cores, dtype=np.bool_)
        return {
            candidate.name
            for candidate in _candidates(small, function, grid)
            if _ranks(small, function, grid, lists, nobody, candidate) is not None
        }
    except MappingError:  # a table that is made for the large mesh, for instance
        return None


def _ranks(
    mesh: Mesh,
    function: RoutingFunction,
    grid: Grid,
    flows: FlowLists,
    dependent: BoolArray,
    candidate: _Candidate,
    follows: IntArray | None = None,
) -> EscapeRanks | None:
    lanes = grid.virtual_channels
    own = function.own_offers()
    plain = is_memoryless(candidate.plain)
    memoryless = own is not None and is_memoryless(own) and plain
    status = np.zeros(4, dtype=np.int64)
    collect, settle, everywhere = _kernels()
    relation = (compiled_offers(function), candidate.kernel, grid, candidate.grid)
    how = (candidate.mode, candidate.vc, memoryless)

    def settled(is_escape: IntArray, rows: IntArray) -> EscapeRanks | None:
        rank = _chain_lengths(mesh, is_escape, rows, lanes)
        if rank is None:
            return None
        injection = np.where(dependent, 0, -1).astype(np.int64)
        consumption = injection.copy()
        ends = (injection, consumption, dependent)
        status[:] = 0
        settle(*relation, *how, *flows, rank, *ends, _MAX_PASSES, status)
        if status[0] in (CYCLIC, NONE_OFFERED):
            return None
        _raise_escape_status(mesh, function, status)
        return EscapeRanks(candidate.name, rank, injection, consumption)

    is_escape = np.zeros(4 * mesh.n_cores * lanes, dtype=np.int64)
    if follows is not None and plain:
        # At large meshes half of the time: take all channels that the escape function has for
        # anybody, and all dependencies among them. If that is too much, look closer.
        everywhere(candidate.kernel, candidate.grid, flows.targets, is_escape)
        found = settled(is_escape, follows)
        if found is not None:
            return found
    is_escape[:] = 0
    rows = np.zeros((is_escape.size, -(-4 * lanes // BITS)), dtype=np.int64)
    status[:] = 0
    collect(*relation, *how, *flows, is_escape, rows, status)
    if status[0] == NONE_OFFERED:
        return None
    _raise_escape_status(mesh, function, status)
    return settled(is_escape, rows)


def _chain_lengths(mesh: Mesh, is_escape: IntArray, rows: IntArray, lanes: int) -> IntArray | None:
    """Longest chain of dependencies before each escape channel, -1 for others; None on a cycle."""
    start, place = _bits(rows, lanes)
    end = 4 * lanes * mesh.link_targets[start // lanes] + place
    chosen = (is_escape[start] > 0) & (is_escape[end] > 0)
    rank = levels(graph_of_edges(is_escape.size, start[chosen], end[chosen]))
    if (rank[is_escape > 0] < 0).any():
        return None
    rank[is_escape == 0] = -1
    return rank


def _raise_escape_status(mesh: Mesh, function: RoutingFunction, status: IntArray) -> None:
    if status[0] == NOT_OFFERED:
        raise MappingError(
            f"routing {function.name!r} at {mesh.coordinates(int(status[1]))} declares escape "
            f"channel {status[3]} towards {mesh.coordinates(int(status[2]))}, which it does not "
            "offer there"
        )
    raise_status(mesh, function, status)


def _bits(rows: IntArray, lanes: int) -> tuple[IntArray, IntArray]:
    """Row and place of every bit that is set."""
    places = np.arange(4 * lanes)
    bits = (rows[:, places // BITS] >> (places % BITS)) & 1
    found = np.nonzero(bits)
    return found[0].astype(np.int64), found[1].astype(np.int64)


@njit(cache=True)
def _choose(
    escape: Any,
    grid: Grid,
    escape_grid: Grid,
    mode: int,
    vc: int,
    memoryless: bool,
    ends: IntArray,
    target: int,
    queue: IntArray,
    size: int,
    choices: Choices,
    n_choices: IntArray,
    masks: IntArray,
    out: IntArray,
    chosen: Choices,
    n_chosen: IntArray,
    status: IntArray,
) -> None:
    """Write the escape channels of every state into `chosen`: those of the candidate on offer."""
    lanes = grid.virtual_channels
    for i in range(size):
        state = queue[i]
        router = router_of(state, ends, memoryless)
        count = 0
        if mode == 2:
            for k in range(n_choices[state]):
                if choices[state, k] % lanes == vc:
                    chosen[state, count] = choices[state, k]
                    count += 1
        else:
            came_by = -1 if mode == 1 or memoryless or state >= ends.size else state
            n_wanted = escape(escape_grid, router, came_by, target, out)
            for wanted in range(n_wanted):
                channel = out[wanted] * lanes + vc if mode == 1 else out[wanted]
                place = channel - 4 * router * lanes
                there = place >= 0 and place < 4 * lanes
                if there and (masks[state, place >> 5] >> (place & 31)) & 1:
                    chosen[state, count] = channel
                    count += 1
                elif mode == 0:
                    status[0], status[1], status[2], status[3] = 3, router, target, channel
                    return
        n_chosen[state] = count
        if count == 0:
            status[0], status[1], status[2] = 4, router, target
            return


@cache
def _kernels() -> tuple[Any, Any, Any]:
    numbers, matrix = types.int64[::1], types.int64[:, ::1]
    relation = (offers_type(), offers_type(), grid_type(), grid_type())
    how = (types.int64, types.int64, types.boolean)
    lists = (numbers, numbers, numbers, numbers)
    collect = types.void(*relation, *how, *lists, numbers, matrix, numbers)
    ranks = (numbers, numbers, numbers, types.boolean[::1])
    settle = types.void(*relation, *how, *lists, *ranks, types.int64, numbers)
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
    lanes = grid.virtual_channels
    n_channels, words = rows.shape
    ends = ends_of(grid)
    n_states = n_channels + grid.width * grid.height
    met = np.zeros(n_states, np.int64)
    queue = np.empty(n_states, np.int64)
    choices = np.empty((n_states, 4 * lanes), np.int32)
    n_choices = np.zeros(n_states, np.int64)
    masks = np.zeros((n_states, words), np.int64)
    escapes = np.zeros((n_states, words), np.int64)
    waits = np.zeros(n_states, np.int64)
    out = np.empty(4 * lanes, np.int64)
    chosen = np.empty((n_states, 4 * lanes), np.int32)
    n_chosen = np.zeros(n_states, np.int64)
    for k in range(targets.size):
        target = targets[k]
        size = explore(
            offers,
            grid,
            memoryless,
            ends,
            sources[first[k] : last[k]],
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
        _choose(
            escape,
            grid,
            escape_grid,
            mode,
            vc,
            memoryless,
            ends,
            target,
            queue,
            size,
            choices,
            n_choices,
            masks,
            out,
            chosen,
            n_chosen,
            status,
        )
        if status[0] != 0:
            return
        for i in range(size):
            state = queue[i]
            base = 4 * lanes * router_of(state, ends, memoryless)
            for word in range(words):
                escapes[state, word] = 0
            for j in range(n_chosen[state]):
                is_escape[chosen[state, j]] = 1
                place = chosen[state, j] - base
                escapes[state, place >> 5] |= 1 << (place & 31)
        for i in range(size):
            state = queue[i]
            for j in range(n_choices[state]):
                channel = choices[state, j]
                if ends[channel] != target:
                    following = ends[channel] if memoryless else channel
                    for word in range(words):
                        rows[channel, word] |= escapes[following, word]


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
    max_passes: int,
    status: IntArray,
) -> None:
    """Raise ranks until every escape channel offered ranks above all that a packet may hold."""
    lanes = grid.virtual_channels
    n_channels = rank.size
    ends = ends_of(grid)
    n_states = n_channels + grid.width * grid.height
    met = np.zeros(n_states, np.int64)
    queue = np.empty(n_states, np.int64)
    order = np.empty(n_states, np.int64)
    choices = np.empty((n_states, 4 * lanes), np.int32)
    n_choices = np.zeros(n_states, np.int64)
    masks = np.zeros((n_states, (4 * lanes + 31) // 32), np.int64)
    held = np.full(n_states, -1, np.int64)
    waits = np.zeros(n_states, np.int64)
    out = np.empty(4 * lanes, np.int64)
    chosen = np.empty((n_states, 4 * lanes), np.int32)
    n_chosen = np.zeros(n_states, np.int64)
    highest = n_channels + 2 * consumption.size
    changed = True
    passes = 0
    while changed:
        changed = False
        passes += 1
        if passes > max_passes:
            status[0] = 5
            return
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
            _choose(
                escape,
                grid,
                escape_grid,
                mode,
                vc,
                memoryless,
                ends,
                target,
                queue,
                size,
                choices,
                n_choices,
                masks,
                out,
                chosen,
                n_chosen,
                status,
            )
            if status[0] != 0:
                return
            count = 0
            for i in range(size):
                state = queue[i]
                held[state] = -1
                met[state] = 0  # the next pass comes with the same targets
                if waits[state] == 0:
                    order[count] = state
                    count += 1
            for source in some:
                held[source if memoryless else n_channels + source] = injection[source]
            # Each state behind those it is reached from, as far as that is possible; then those
            # on cycles of states, or behind them, again and again until nothing changes.
            at = 0
            while at < count:
                state = order[at]
                at += 1
                risen = _pass_on(
                    state, memoryless, ends, choices, n_choices, chosen, n_chosen, held, rank
                )
                changed = changed or risen & 1 == 1
                for j in range(n_choices[state]):
                    channel = choices[state, j]
                    if ends[channel] != target:
                        following = ends[channel] if memoryless else channel
                        waits[following] -= 1
                        if waits[following] == 0:
                            order[count] = following
                            count += 1
            again = count < size
            while again:
                again = False
                for i in range(size):
                    if waits[queue[i]] > 0:
                        risen = _pass_on(
                            queue[i],
                            memoryless,
                            ends,
                            choices,
                            n_choices,
                            chosen,
                            n_chosen,
                            held,
                            rank,
                        )
                        changed = changed or risen & 1 == 1
                        again = again or risen & 2 == 2
                        if held[queue[i]] > highest:
                            status[0] = 5
                            return
            if dependent[target]:
                for i in range(size):
                    state = queue[i]
                    for j in range(n_choices[state]):
                        channel = choices[state, j]
                        most = max(held[state], rank[channel])
                        if ends[channel] == target and consumption[target] <= most:
                            consumption[target] = most + 1
                            changed = True
            if dependent[target] and injection[target] <= consumption[target]:
                injection[target] = consumption[target] + 1
                changed = True
        if rank.max() > highest or injection.max() > highest:
            status[0] = 5
            return


@njit(cache=True)
def _pass_on(
    state: int,
    memoryless: bool,
    ends: IntArray,
    choices: Choices,
    n_choices: IntArray,
    chosen: Choices,
    n_chosen: IntArray,
    held: IntArray,
    rank: IntArray,
) -> int:
    """Raise the escape channels of a state, and what the next states may hold.

    Returns 1 if a rank rose, plus 2 if another state may hold more.
    """
    risen = 0
    most_held = held[state]
    for j in range(n_chosen[state]):
        if rank[chosen[state, j]] <= most_held:
            rank[chosen[state, j]] = most_held + 1
            risen |= 1
    for j in range(n_choices[state]):
        channel = choices[state, j]
        following = ends[channel] if memoryless else channel
        most = max(most_held, rank[channel])
        # At the target nothing is passed on; what is written there is never read.
        if most > held[following]:
            held[following] = most
            risen |= 2
    return risen
