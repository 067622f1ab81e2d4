"""The loop over cycles: only routers with work are visited, cycles without any are jumped over."""

from __future__ import annotations

from functools import cache
from typing import Any

from numba import njit, types

from mapping.network import channels, counters, events, switch, tables
from mapping.network import kernel_part as kernel
from mapping.network.channels import allocate_channels, drop_overdue, take_channel
from mapping.network.counters import (
    ACTIVE,
    ACTIVE_SOURCES,
    CYCLES,
    DEAD_END,
    DONE,
    EVENTS,
    FREE_SLOTS,
    LIVE,
    NEXT_PENDING,
    NO_ROOM,
    NOW,
    PLACE,
    RECENT,
    ROUTED,
    STALLED,
    TO_ROUTE,
    VISITS,
    WAITING,
)
from mapping.network.events import (
    accept_arrivals,
    accept_credits,
    create_packets,
    send_sources,
    unsettle,
)
from mapping.network.kernel_part import OPTIONS, kernel_part
from mapping.network.switch import allocate_switch
from mapping.network.tables import (
    BRANCH,
    BUFFER,
    FLAT,
    IN_PORT,
    PACKET,
    PENDING,
    ROUTER,
    TREE,
    TWIG,
    WIDE,
    IntArray,
    Setup,
    Tables,
)
from mapping.routing import Grid, grid_type, offers_type
from simulator.specialise import digest

__all__ = ["compiled_drive"]


@kernel_part
def _start(setup: Setup, t: Tables, now: int) -> None:
    """Heads whose route is known ask for a channel from this cycle on."""
    slot = now & (setup.horizon - 1)
    for k in range(t.due[slot, 2]):
        buffer = t.starts[slot, k]
        port = t.buffer[buffer, BUFFER.port]
        t.buffer[buffer, BUFFER.since] = now & RECENT
        for j in range(t.buffer[buffer, BUFFER.copies]):
            branch = buffer * setup.branches + j
            t.branch[branch, BRANCH.state] = WAITING
            t.in_port[port, IN_PORT.waiting] |= 1 << t.branch[branch, BRANCH.place]
        t.buffer[buffer, BUFFER.state] = ROUTED
        router = t.buffer[buffer, BUFFER.router]
        t.router[router, ROUTER.waiting] |= 1 << t.in_port[port, IN_PORT.side]
        unsettle(t, router)
    t.counters[EVENTS] -= t.due[slot, 2]
    t.due[slot, 2] = 0


@kernel_part
def _allocate(
    setup: Setup, t: Tables, ask: IntArray, grants: IntArray, proposal: IntArray, now: int
) -> None:
    """One cycle of every router with work.

    Both allocations see what the cycle began with: a channel given now can be used from the next
    cycle on, and one that a tail leaves now can be given from the next cycle on.
    """
    kept = 0
    for k in range(t.counters[ACTIVE]):
        router = t.active[k]
        granted = 0
        if t.router[router, ROUTER.unsettled]:
            granted = allocate_channels(setup, t, router, ask, grants)
        ahead = setup.turnaround == 1
        if ahead:  # a packet that had its channel chosen while it waited can leave at once
            for j in range(granted):
                if t.buffer[t.branch[grants[0, j], BRANCH.buffer], BUFFER.behind]:
                    take_channel(setup, t, grants[0, j], grants[1, j])
        allocate_switch(setup, t, router, proposal, now)
        for j in range(granted):
            if not (ahead and t.buffer[t.branch[grants[0, j], BRANCH.buffer], BUFFER.behind]):
                take_channel(setup, t, grants[0, j], grants[1, j])
        if setup.drop_after >= 0 and t.router[router, ROUTER.unsettled]:
            t.router[router, ROUTER.unsettled] = 1 if drop_overdue(setup, t, router, now) else 0
        work = t.router[router, ROUTER.unsettled] | t.router[router, ROUTER.ready]
        if work:
            t.active[kept] = router
            kept += 1
        else:
            t.router[router, ROUTER.active] = 0
    t.counters[VISITS] += t.counters[ACTIVE]
    t.counters[ACTIVE] = kept


@kernel_part
def _next_cycle(setup: Setup, t: Tables, pending: Any, now: int, until: int) -> int:
    """The next cycle in which anything can happen."""
    if t.counters[ACTIVE] or t.counters[ACTIVE_SOURCES]:
        return now + 1
    following = until
    if t.counters[NEXT_PENDING] < pending.shape[0]:
        following = min(until, pending[t.counters[NEXT_PENDING], PENDING.cycle])
    if t.counters[EVENTS]:
        for at in range(now + 1, min(now + setup.horizon, following)):
            slot = at & (setup.horizon - 1)
            if t.due[slot, 0] or t.due[slot, 1] or t.due[slot, 2]:
                return at
    return max(following, now + 1)


@kernel_part
def _fork(t: Tables, setup: Setup, buffer: int, slot: int) -> None:
    """Give every branch of a multicast packet a copy of it, for the tree node it leads to."""
    node = t.packet[slot, PACKET.node]
    n, first = t.tree[node, TREE.branches], t.tree[node, TREE.first]
    t.buffer[buffer, BUFFER.copies] = n
    for k in range(n):
        branch, following = buffer * setup.branches + k, t.twig[first + k, TWIG.node]
        copy = slot
        if n > 1:
            t.counters[FREE_SLOTS] -= 1
            copy = t.free_slots[t.counters[FREE_SLOTS]]
            for column in range(t.packet.shape[1]):
                t.packet[copy, column] = t.packet[slot, column]
            t.packet[copy, PACKET.leaves] = 1 if following < 0 else t.tree[following, TREE.leaves]
        t.packet[copy, PACKET.node] = following
        t.branch[branch, BRANCH.slot] = copy
        link = t.twig[first + k, TWIG.link]
        t.branch[branch, BRANCH.offers] = 0 if link < 0 else 1
        t.offer[branch, 0] = link
        t.offer[branch, 1] = t.twig[first + k, TWIG.lanes]


@kernel_part
def _drive(
    offers: Any, grid: Grid, setup: Setup, t: Tables, pending: Any, delivery: Any, until: int
) -> int:
    """Simulate the cycles from ``count[NOW]`` up to, not including, `until`; returns a status."""
    ask, grants, proposal, out = t.ask, t.grants, t.proposal, t.offered
    count = t.counters
    now = count[NOW]
    # Heads that may come to the front of their buffers in one cycle, each with five branches.
    room = 50 * setup.routers if setup.branches > 1 else 0
    while now < until:
        if count[FREE_SLOTS] < room + pending.shape[0] - count[NEXT_PENDING]:
            count[NOW] = now
            return NO_ROOM
        accept_credits(setup, t, now)
        accept_arrivals(setup, t, delivery, now)
        create_packets(setup, t, pending, now)
        send_sources(setup, t, now)
        for k in range(count[TO_ROUTE]):
            buffer = t.to_route[k]
            slot = t.flit[buffer * setup.depth + t.buffer[buffer, BUFFER.oldest]] >> 2
            if t.packet[slot, PACKET.node] >= 0:
                _fork(t, setup, buffer, slot)
                continue
            router, target = t.buffer[buffer, BUFFER.router], t.packet[slot, PACKET.target]
            branch = buffer * setup.branches
            t.buffer[buffer, BUFFER.copies] = 1
            t.branch[branch, BRANCH.slot] = slot
            t.branch[branch, BRANCH.offers] = 0
            if target != router:
                n = offers(grid, router, t.buffer[buffer, BUFFER.came_by], target, out)
                if n == 0:
                    count[PLACE], count[NOW] = buffer, now
                    return DEAD_END
                t.branch[branch, BRANCH.offers] = n
                for j in range(n):
                    link = out[j]
                    if setup.vcs > 1:
                        link = out[j] // setup.vcs
                    lowest = (out[j] - link * setup.vcs) * setup.copies
                    t.offer[branch, 2 * j] = link
                    t.offer[branch, 2 * j + 1] = ((1 << setup.copies) - 1) << lowest
        count[TO_ROUTE] = 0
        _start(setup, t, now)
        _allocate(setup, t, ask, grants, proposal, now)
        count[CYCLES] += 1
        idle = count[EVENTS] == 0 and count[ACTIVE] == 0 and count[ACTIVE_SOURCES] == 0
        if idle and count[LIVE] > 0:
            count[NOW] = now + 1
            return STALLED
        now = _next_cycle(setup, t, pending, now, until)
    count[NOW] = until
    return DONE


@cache
def compiled_drive() -> Any:
    """The loop, compiled once for all routing functions and machines, and kept on disk.

    ``drive(offers, grid, setup, tables, pending, delivery, until) -> status`` simulates the cycles
    from ``count[NOW]`` up to, not including, `until`.
    """
    # numba looks for changes in one file only; closed over, this text stands for all of them.
    source = digest(channels, counters, events, kernel, switch, tables)

    def drive(
        offers: Any,
        grid: Grid,
        setup: Setup,
        t: Tables,
        pending: IntArray,
        delivery: IntArray,
        until: int,
    ) -> int:
        _ = source
        return int(_drive(offers, grid, setup, t, pending, delivery, until))

    number, table = types.int64, types.int64[:, ::1]
    named: Any = types.NamedTuple
    named_alike: Any = types.NamedUniTuple
    fields = Tables._fields
    arrays = []
    for name in fields:
        entry = types.int64 if name in WIDE else types.int32
        arrays.append(entry[::1] if name in FLAT else entry[:, ::1])
    of_tables = named(arrays, Tables)
    of_setup = named_alike(number, len(Setup._fields), Setup)
    signature = number(offers_type(), grid_type(), of_setup, of_tables, table, table, number)
    return njit(signature, cache=True, **OPTIONS)(drive)
