"""The loop over cycles: only routers with work are visited, cycles without any are jumped over."""

from __future__ import annotations

from functools import cache
from typing import Any

from numba import njit, types

from mapping import kernel_part as kernel
from mapping.kernel_part import OPTIONS, kernel_part, rare_part
from mapping.network import (
    arrivals,
    bits,
    buffers,
    calendar,
    channels,
    counters,
    heads,
    layout,
    sources,
    switch,
    tables,
    wake,
)
from mapping.network import layout as at
from mapping.network import setup as setups
from mapping.network.arrivals import accept_arrivals, accept_credits, accept_ends
from mapping.network.bits import lowest_bit
from mapping.network.calendar import page_of, quiet_cycles
from mapping.network.channels import (
    BRANCH,
    CHANNEL,
    allocate_channels,
    drop_overdue,
    take_channel,
)
from mapping.network.counters import (
    ACTIVE,
    AWAKE,
    CYCLES,
    DEAD_END,
    DONE,
    FREE_SLOTS,
    LIVE,
    NEXT_PENDING,
    NO_ROOM,
    NOW,
    STALLED,
    VISITS,
)
from mapping.network.heads import start_heads
from mapping.network.setup import Setup
from mapping.network.sources import create_packets, send_sources
from mapping.network.switch import allocate_switch
from mapping.network.tables import (
    ARRIVALS,
    ASK_WORDS,
    PENDING,
    SIXTY_FOUR_BITS,
    STARTS,
    IntArray,
    Tables,
)
from mapping.routing import Grid, grid_type, offers_type
from simulator import prefetch as prefetches
from simulator.prefetch import prefetch_to_write
from simulator.specialise import digest
from simulator.uncollected import UncollectedCompiler

__all__ = ["compiled_drive"]


@kernel_part
def _prefetch_router(setup: Setup, t: Tables, later: int, sooner: int) -> None:
    """Ask for the sides of a router, and for the buffers of one whose sides are there."""
    w = t.words
    for line in range(0, at.CHANNELS, at.LINE):
        prefetch_to_write(w, later + line)
    sides = (w[sooner + at.READY_SIDES] | w[sooner + at.WAITING_SIDES]) | 0
    while sides:
        side = lowest_bit(sides)
        sides &= sides - 1
        in_side = sooner + at.IN_SIDES + side * at.IN_WORDS
        branches = (w[in_side + at.READY] | w[in_side + at.WAITING]) | 0
        while branches:
            branch = sooner + t.branch_at[side * at.SIDE + lowest_bit(branches)]
            branches &= branches - 1
            prefetch_to_write(w, branch)
            prefetch_to_write(w, branch + at.LINE)


@rare_part
def _take_at_once(setup: Setup, t: Tables, end: int) -> None:
    """Give channels to packets that had them chosen while they waited behind another."""
    for row in range(0, end, ASK_WORDS):
        lane = t.words[t.asks[row + BRANCH] + at.LANE]
        if t.asks[row + CHANNEL] and t.words[lane + at.BEHIND]:
            take_channel(setup, t, row)
            t.asks[row + CHANNEL] = 0


@kernel_part
def _visit_routers(setup: Setup, t: Tables, now: int) -> None:
    """One cycle of every router with work.

    Both allocations see what the cycle began with: a channel given now can be used from the next
    cycle on, and one that a tail leaves now can be given from the next cycle on. Where the router
    is made so, a packet that waited behind another can leave at once.
    """
    w = t.words
    early = setup.turnaround == 1
    kept, n = 0, t.counters[ACTIVE]
    for k in range(n):
        if setup.large:
            _prefetch_router(setup, t, t.active[min(k + 4, n - 1)], t.active[min(k + 2, n - 1)])
        router = t.active[k]
        end = 0
        if w[router + at.UNSETTLED]:
            end = ASK_WORDS * allocate_channels(setup, t, router)
            if early:
                _take_at_once(setup, t, end)
        allocate_switch(setup, t, router, now)
        for row in range(0, end, ASK_WORDS):
            if t.asks[row + CHANNEL]:
                take_channel(setup, t, row)
        if setup.drop_after >= 0 and w[router + at.UNSETTLED]:
            w[router + at.UNSETTLED] = 1 if drop_overdue(setup, t, router, now) else 0
        if w[router + at.UNSETTLED] or w[router + at.READY_SIDES]:
            t.active[kept] = router
            kept += 1
        else:
            w[router + at.ACTIVE] = 0
    t.counters[VISITS] += n
    t.counters[ACTIVE] = kept


@kernel_part
def _room_for_copies(setup: Setup, t: Tables, now: int) -> int:
    """Slots that the packets which branch in a cycle may need."""
    if setup.branches == 1:
        return 0
    starts, arrivals = page_of(setup, STARTS, now), page_of(setup, ARRIVALS, now)
    heads = t.filled[starts] - t.page[starts] + t.filled[arrivals] - t.page[arrivals]
    return int(setup.branches * heads)


@kernel_part
def _drive(
    offers: Any,
    grid: Grid,
    setup: Setup,
    t: Tables,
    pending: Any,
    delivery: Any,
    until: int,
) -> int:
    """Simulate the cycles from ``count[NOW]`` up to, not including, `until`; returns a status."""
    count = t.counters
    now = count[NOW]
    while now < until:
        to_come = pending.shape[0] - count[NEXT_PENDING]
        if count[FREE_SLOTS] < to_come + _room_for_copies(setup, t, now):
            count[NOW] = now
            return NO_ROOM
        accept_credits(setup, t, now)
        accept_ends(setup, t, delivery, now)
        accept_arrivals(setup, t, now)
        create_packets(setup, t, pending, now)
        send_sources(setup, t, now)
        if start_heads(offers, grid, setup, t, now) != DONE:
            count[NOW] = now
            return DEAD_END
        _visit_routers(setup, t, now)
        count[CYCLES] += 1
        if count[ACTIVE] or count[AWAKE]:
            now += 1
            continue
        quiet = quiet_cycles(setup, t, now)
        if quiet == setup.horizon and count[LIVE] > 0:
            count[NOW] = now + 1
            return STALLED
        following = until
        if count[NEXT_PENDING] < pending.shape[0]:
            following = min(until, pending[count[NEXT_PENDING], PENDING.cycle])
        if quiet < setup.horizon:
            following = min(following, now + quiet)
        now = max(following, now + 1)
    count[NOW] = until
    return DONE


@cache
def compiled_drive() -> Any:
    """The loop, compiled once for all routing functions and machines, and kept on disk.

    ``drive(offers, grid, setup, tables, pending, delivery, until) -> status`` simulates the
    cycles from ``count[NOW]`` up to, not including, `until`.
    """
    # numba looks for changes in one file only; closed over, this text stands for all of them.
    source = digest(
        arrivals,
        bits,
        buffers,
        calendar,
        channels,
        counters,
        heads,
        kernel,
        layout,
        prefetches,
        setups,
        sources,
        switch,
        tables,
        wake,
    )

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
    arrays = []
    for name in Tables._fields:
        entry = types.int64 if name in SIXTY_FOUR_BITS else types.uint32
        arrays.append(entry[:, ::1] if name in ("tree", "twig") else entry[::1])
    of_tables = named(arrays, Tables)
    of_setup = named_alike(number, len(Setup._fields), Setup)
    signature = number(offers_type(), grid_type(), of_setup, of_tables, table, table, number)
    return njit(signature, cache=True, pipeline_class=UncollectedCompiler, **OPTIONS)(drive)
