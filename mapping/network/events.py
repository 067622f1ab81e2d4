"""What reaches a router or a core in a cycle: credits, flits, and new packets at the sources."""

from __future__ import annotations

from typing import Any

from mapping.network.counters import (
    ACTIVE,
    ACTIVE_SOURCES,
    DELIVERED,
    DELIVERIES,
    DRAINING,
    DROPPED,
    DROPPING,
    EVENTS,
    FLITS_DELIVERED,
    FREE,
    FREE_SLOTS,
    IDLE,
    INJECTED,
    LIVE,
    NEXT_PENDING,
    NONE,
    REFUSED,
    ROUTED,
    ROUTING,
    SENDING,
    TO_ROUTE,
)
from mapping.network.kernel_part import kernel_part
from mapping.network.tables import (
    BRANCH,
    BUFFER,
    CHANNEL,
    DELIVERY,
    IN_PORT,
    OUT_PORT,
    PACKET,
    PENDING,
    ROUTER,
    SOURCE,
    Setup,
    Tables,
)

__all__ = ["accept_arrivals", "accept_credits", "begin", "create_packets", "pop", "send_sources"]


@kernel_part
def activate(t: Tables, router: int) -> None:
    """Put a router on the list of those with work."""
    if t.router[router, ROUTER.active] == 0:
        t.router[router, ROUTER.active] = 1
        t.active[t.counters[ACTIVE]] = router
        t.counters[ACTIVE] += 1


@kernel_part
def unsettle(t: Tables, router: int) -> None:
    """Have the heads that wait in a router ask for channels again."""
    t.router[router, ROUTER.unsettled] = 1
    activate(t, router)


@kernel_part
def make_ready(t: Tables, branch: int, buffer: int) -> None:
    """Enter a branch that has a flit and a credit for the next switch allocation."""
    port, router = t.buffer[buffer, BUFFER.port], t.buffer[buffer, BUFFER.router]
    t.in_port[port, IN_PORT.ready] |= 1 << t.branch[branch, BRANCH.place]
    t.router[router, ROUTER.ready] |= 1 << t.in_port[port, IN_PORT.side]
    activate(t, router)


@kernel_part
def put_credit(setup: Setup, t: Tables, channel: int, at: int) -> None:
    slot = at & (setup.horizon - 1)
    t.credits[slot, t.due[slot, 0]] = channel
    t.due[slot, 0] += 1
    t.counters[EVENTS] += 1


@kernel_part
def put_arrival(setup: Setup, t: Tables, channel: int, flit: int, at: int) -> None:
    slot = at & (setup.horizon - 1)
    n = t.due[slot, 1]
    t.arrivals[slot, 2 * n] = channel
    t.arrivals[slot, 2 * n + 1] = flit
    t.due[slot, 1] = n + 1
    t.counters[EVENTS] += 1


@kernel_part
def accept_credits(setup: Setup, t: Tables, now: int) -> None:
    """Count the credits that can be used from this cycle on, and wake who waited for them."""
    slot, n = now & (setup.horizon - 1), setup.routers
    for k in range(t.due[slot, 0]):
        channel = t.credits[slot, k]
        t.channel[channel, CHANNEL.credits] += 1
        port = t.channel[channel, CHANNEL.port]
        if 4 * n <= port < 5 * n:
            core = port - 4 * n
            if t.source[core, SOURCE.active] == 0 and t.source[core, SOURCE.first] >= 0:
                t.source[core, SOURCE.active] = 1
                t.active_sources[t.counters[ACTIVE_SOURCES]] = core
                t.counters[ACTIVE_SOURCES] += 1
            continue
        owner = t.channel[channel, CHANNEL.owner]
        if owner >= 0:
            buffer = t.branch[owner, BRANCH.buffer]
            if t.branch[owner, BRANCH.ahead] < t.buffer[buffer, BUFFER.flits]:
                make_ready(t, owner, buffer)
        else:
            if owner == DRAINING and t.channel[channel, CHANNEL.credits] == setup.depth:
                t.channel[channel, CHANNEL.owner] = FREE
                t.out_port[port, OUT_PORT.free] |= t.channel[channel, CHANNEL.mask]
                unsettle(t, t.out_port[port, OUT_PORT.router])
            if setup.cut_through or setup.drop_after >= 0:
                unsettle(t, t.out_port[port, OUT_PORT.router])
    t.counters[EVENTS] -= t.due[slot, 0]
    t.due[slot, 0] = 0


@kernel_part
def accept_arrivals(setup: Setup, t: Tables, delivery: Any, now: int) -> None:
    """Put the flits that arrive in this cycle into their buffers, or hand them to their cores."""
    slot = now & (setup.horizon - 1)
    cores = 5 * setup.routers * setup.lanes
    for k in range(t.due[slot, 1]):
        channel, flit = t.arrivals[slot, 2 * k], t.arrivals[slot, 2 * k + 1]
        if channel >= cores:
            t.counters[FLITS_DELIVERED] += 1
            if flit & 1:
                core = t.channel[channel, CHANNEL.port] - 5 * setup.routers
                _deliver(t, delivery, flit >> 2, core, now)
        else:
            _push(setup, t, channel, flit, now)
    t.counters[EVENTS] -= t.due[slot, 1]
    t.due[slot, 1] = 0


@kernel_part
def _deliver(t: Tables, delivery: Any, slot: int, core: int, now: int) -> None:
    row = t.counters[DELIVERIES]
    t.counters[DELIVERIES] += 1
    delivery[row, DELIVERY.tag] = t.packet[slot, PACKET.tag]
    delivery[row, DELIVERY.source] = t.packet[slot, PACKET.source]
    delivery[row, DELIVERY.target] = core
    delivery[row, DELIVERY.flits] = t.packet[slot, PACKET.flits]
    delivery[row, DELIVERY.created] = t.packet[slot, PACKET.created]
    delivery[row, DELIVERY.entered] = t.packet[slot, PACKET.entered]
    delivery[row, DELIVERY.cycle] = now
    delivery[row, DELIVERY.hops] = t.packet[slot, PACKET.hops]
    delivery[row, DELIVERY.number] = t.packet[slot, PACKET.number]
    t.counters[DELIVERED] += 1
    t.counters[LIVE] -= 1
    free_slot(t, slot)


@kernel_part
def free_slot(t: Tables, slot: int) -> None:
    t.free_slots[t.counters[FREE_SLOTS]] = slot
    t.counters[FREE_SLOTS] += 1


@kernel_part
def _push(setup: Setup, t: Tables, buffer: int, flit: int, now: int) -> None:
    before = t.buffer[buffer, BUFFER.flits]
    place = t.buffer[buffer, BUFFER.oldest] + before
    if place >= setup.depth:
        place -= setup.depth
    t.flit[buffer * setup.depth + place] = flit
    t.buffer[buffer, BUFFER.flits] = before + 1
    if before + 1 > t.buffer[buffer, BUFFER.peak]:
        t.buffer[buffer, BUFFER.peak] = before + 1
    t.in_port[t.buffer[buffer, BUFFER.port], IN_PORT.held] -= now
    if flit & 2:
        t.packet[flit >> 2, PACKET.arrived] = now
    state = t.buffer[buffer, BUFFER.state]
    if state == IDLE:
        t.buffer[buffer, BUFFER.behind] = 0
        begin(setup, t, buffer, now + setup.routing)
    elif state == ROUTED:
        lost = False
        for k in range(t.buffer[buffer, BUFFER.copies]):
            branch = buffer * setup.branches + k
            if t.branch[branch, BRANCH.ahead] == before:
                if t.branch[branch, BRANCH.state] == SENDING:
                    if t.channel[t.branch[branch, BRANCH.out], CHANNEL.credits] > 0:
                        make_ready(t, branch, buffer)
                elif t.branch[branch, BRANCH.state] == DROPPING:
                    lost = True
        if lost:
            discard(setup, t, buffer, now)


@kernel_part
def begin(setup: Setup, t: Tables, buffer: int, at: int) -> None:
    """The head at the front of a buffer is to be routed, and to ask for a channel at `at`."""
    t.buffer[buffer, BUFFER.state] = ROUTING
    t.to_route[t.counters[TO_ROUTE]] = buffer
    t.counters[TO_ROUTE] += 1
    slot = at & (setup.horizon - 1)
    t.starts[slot, t.due[slot, 2]] = buffer
    t.due[slot, 2] += 1
    t.counters[EVENTS] += 1


@kernel_part
def discard(setup: Setup, t: Tables, buffer: int, now: int) -> None:
    """Pass over the flits of branches that were dropped."""
    for k in range(t.buffer[buffer, BUFFER.copies]):
        branch = buffer * setup.branches + k
        while (
            t.branch[branch, BRANCH.state] == DROPPING
            and t.branch[branch, BRANCH.ahead] < t.buffer[buffer, BUFFER.flits]
        ):
            place = t.buffer[buffer, BUFFER.oldest] + t.branch[branch, BRANCH.ahead]
            if place >= setup.depth:
                place -= setup.depth
            t.branch[branch, BRANCH.ahead] += 1
            flit = t.flit[buffer * setup.depth + place]
            if flit & 1:
                t.branch[branch, BRANCH.state] = NONE
                slot = t.branch[branch, BRANCH.slot]
                t.branch[branch, BRANCH.slot] = -1
                t.counters[DROPPED] += t.packet[slot, PACKET.leaves]
                t.counters[LIVE] -= t.packet[slot, PACKET.leaves]
                if slot != flit >> 2:
                    free_slot(t, slot)
    pop(setup, t, buffer, now)


@kernel_part
def pop(setup: Setup, t: Tables, buffer: int, now: int) -> None:
    """Remove the flits that all branches have sent; after a tail, the next packet begins."""
    first = buffer * setup.branches
    n = t.buffer[buffer, BUFFER.copies]
    sent = t.branch[first, BRANCH.ahead]
    for k in range(1, n):
        sent = min(sent, t.branch[first + k, BRANCH.ahead])
    port = t.buffer[buffer, BUFFER.port]
    delay = setup.credit_delay
    if port >= 4 * setup.routers:
        delay = setup.source_credit_delay
    for _ in range(sent):
        oldest = t.buffer[buffer, BUFFER.oldest]
        flit = t.flit[buffer * setup.depth + oldest]
        oldest += 1
        t.buffer[buffer, BUFFER.oldest] = 0 if oldest == setup.depth else oldest
        t.buffer[buffer, BUFFER.flits] -= 1
        t.in_port[port, IN_PORT.held] += now
        put_credit(setup, t, buffer, now + delay)
        for k in range(n):
            t.branch[first + k, BRANCH.ahead] -= 1
        if flit & 1:
            _end_packet(setup, t, buffer, flit >> 2, now)


@kernel_part
def _end_packet(setup: Setup, t: Tables, buffer: int, slot: int, now: int) -> None:
    n = t.buffer[buffer, BUFFER.copies]
    if n != 1 or t.branch[buffer * setup.branches, BRANCH.slot] != slot:
        free_slot(t, slot)
    t.buffer[buffer, BUFFER.copies] = 0
    if t.buffer[buffer, BUFFER.flits] == 0:
        t.buffer[buffer, BUFFER.state] = IDLE
        return
    following = t.flit[buffer * setup.depth + t.buffer[buffer, BUFFER.oldest]] >> 2
    at = now + max(1, setup.turnaround - 1)
    t.buffer[buffer, BUFFER.behind] = 1
    begin(setup, t, buffer, max(at, t.packet[following, PACKET.arrived] + setup.routing))


@kernel_part
def drop(setup: Setup, t: Tables, branch: int, buffer: int, now: int) -> None:
    """A branch that waits gives up: its flits are passed over, those still to come as well."""
    t.branch[branch, BRANCH.state] = DROPPING
    discard(setup, t, buffer, now)


@kernel_part
def create_packets(setup: Setup, t: Tables, pending: Any, now: int) -> None:
    """Put the packets that are created in this cycle into the queues of their cores."""
    k = t.counters[NEXT_PENDING]
    while k < pending.shape[0] and pending[k, PENDING.cycle] <= now:
        core, leaves = pending[k, PENDING.source], pending[k, PENDING.leaves]
        if 0 <= setup.queue_limit <= t.source[core, SOURCE.packets]:
            t.counters[REFUSED] += leaves
            k += 1
            continue
        t.counters[INJECTED] += leaves
        t.counters[LIVE] += leaves
        t.counters[FREE_SLOTS] -= 1
        slot = t.free_slots[t.counters[FREE_SLOTS]]
        t.packet[slot, PACKET.target] = pending[k, PENDING.target]
        t.packet[slot, PACKET.flits] = pending[k, PENDING.flits]
        t.packet[slot, PACKET.created] = pending[k, PENDING.cycle]
        t.packet[slot, PACKET.entered] = -1
        t.packet[slot, PACKET.hops] = 0
        t.packet[slot, PACKET.source] = core
        t.packet[slot, PACKET.tag] = pending[k, PENDING.tag]
        t.packet[slot, PACKET.number] = pending[k, PENDING.number]
        t.packet[slot, PACKET.node] = pending[k, PENDING.node]
        t.packet[slot, PACKET.leaves] = leaves
        t.packet[slot, PACKET.following] = -1
        if t.source[core, SOURCE.first] < 0:
            t.source[core, SOURCE.first] = slot
            t.source[core, SOURCE.active] = 1
            t.active_sources[t.counters[ACTIVE_SOURCES]] = core
            t.counters[ACTIVE_SOURCES] += 1
        else:
            t.packet[t.source[core, SOURCE.last], PACKET.following] = slot
        t.source[core, SOURCE.last] = slot
        t.source[core, SOURCE.packets] += 1
        k += 1
    t.counters[NEXT_PENDING] = k


@kernel_part
def send_sources(setup: Setup, t: Tables, now: int) -> None:
    """Every core that has a packet and a credit sends one flit into its router."""
    kept = 0
    for k in range(t.counters[ACTIVE_SOURCES]):
        core = t.active_sources[k]
        slot = t.source[core, SOURCE.first]
        if t.source[core, SOURCE.sent] == 0:
            t.source[core, SOURCE.lane] = _source_lane(setup, t, core, t.packet[slot, PACKET.flits])
        lane = t.source[core, SOURCE.lane]
        channel = (4 * setup.routers + core) * setup.lanes + lane
        if lane < 0 or t.channel[channel, CHANNEL.credits] == 0:
            t.source[core, SOURCE.active] = 0  # until a credit comes back
            continue
        t.channel[channel, CHANNEL.credits] -= 1
        sent = t.source[core, SOURCE.sent] + 1
        flit = 4 * slot
        if sent == 1:
            flit += 2
            t.packet[slot, PACKET.entered] = now
            t.source[core, SOURCE.last_lane] = lane
        if sent == t.packet[slot, PACKET.flits]:
            flit += 1
            sent = 0
            t.source[core, SOURCE.first] = t.packet[slot, PACKET.following]
            t.source[core, SOURCE.packets] -= 1
        t.source[core, SOURCE.sent] = sent
        put_arrival(setup, t, channel, flit, now + 2)
        if t.source[core, SOURCE.first] >= 0:
            t.active_sources[kept] = core
            kept += 1
        else:
            t.source[core, SOURCE.active] = 0
    t.counters[ACTIVE_SOURCES] = kept


@kernel_part
def _source_lane(setup: Setup, t: Tables, core: int, flits: int) -> int:
    """The first lane after the last one used that takes a packet now, or -1."""
    need = 1
    if setup.cut_through:
        need = flits
    if setup.empty_first:
        need = setup.depth
    first = (4 * setup.routers + core) * setup.lanes
    lane = t.source[core, SOURCE.last_lane]
    for _ in range(setup.lanes):
        lane = 0 if lane + 1 == setup.lanes else lane + 1
        if t.channel[first + lane, CHANNEL.credits] >= need:
            return int(lane)
    return -1
