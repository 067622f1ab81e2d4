"""What reaches a router or a core in a cycle: credits, flits, tails at their cores."""

from __future__ import annotations

from typing import Any

from mapping.kernel_part import kernel_part
from mapping.network import layout as at
from mapping.network.buffers import discard, ring_place
from mapping.network.calendar import page_of, put_start
from mapping.network.counters import DELIVERED, DELIVERIES, LIVE, PEAK
from mapping.network.setup import Setup
from mapping.network.tables import ARRIVALS, CREDITS, DELIVERY, ENDS, Tables
from mapping.network.wake import free_slot, make_ready, unsettle, wake_source
from simulator.prefetch import prefetch_to_write

__all__ = ["accept_arrivals", "accept_credits", "accept_ends"]


@kernel_part
def accept_credits(setup: Setup, t: Tables, now: int) -> None:
    """Count the credits that can be used from this cycle on, and wake who waited for them."""
    w = t.words
    page = page_of(setup, CREDITS, now)
    # Whether somebody may wait for more than one credit, or for a channel's last.
    choosy = setup.cut_through or setup.empty_first or setup.drop_after >= 0
    end = t.filled[page] | 0
    for k in range(t.page[page] | 0, end):
        if setup.large:
            prefetch_to_write(w, t.calendar[min(k + 12, end - 1)] + at.CREDITS)
        channel = t.calendar[k]
        before = w[channel + at.CREDITS]
        w[channel + at.CREDITS] = before + 1
        if before > 0 and not choosy:
            continue  # who could use it had one
        owner = w[channel + at.OWNER]
        if owner >= at.FIRST_OWNER:
            if before == 0:
                lane = w[owner + at.LANE]
                if w[owner + at.AHEAD] < w[lane + at.FLITS]:
                    make_ready(t, owner, w[lane + at.IN_SIDE])
        elif owner == at.SOURCE:
            source = w[channel + at.OF_SIDE]
            if w[source + at.AWAKE] == 0 and w[source + at.PACKETS] > 0:
                wake_source(t, source)
        else:
            side = w[channel + at.OF_SIDE]
            if owner == at.DRAINING and before + 1 == setup.depth:
                w[channel + at.OWNER] = at.NOBODY
                w[side + at.FREE] |= w[channel + at.CHANNEL_BIT]
                unsettle(t, w[side + at.OUT_ROUTER])
            if setup.cut_through or setup.drop_after >= 0:
                unsettle(t, w[side + at.OUT_ROUTER])
    t.filled[page] = t.page[page]


@kernel_part
def accept_arrivals(setup: Setup, t: Tables, now: int) -> None:
    """Put the flits that arrive in this cycle into their buffers."""
    w = t.words
    page = page_of(setup, ARRIVALS, now)
    end = t.filled[page] | 0
    for k in range(t.page[page] | 0, end, 2):
        if setup.large:
            later = t.calendar[min(k + 24, end - 2)]
            prefetch_to_write(w, later)
            prefetch_to_write(w, later + at.LINE)
            prefetch_to_write(w, w[t.calendar[min(k + 12, end - 2)] + at.IN_SIDE])
        lane, flit = t.calendar[k], t.calendar[k + 1]
        before = w[lane + at.FLITS]
        w[ring_place(setup, t, lane, before)] = flit
        w[lane + at.FLITS] = before + 1
        t.counters[PEAK] = max(t.counters[PEAK], before + 1)
        side = w[lane + at.IN_SIDE]
        t.wide[(side + at.HELD) >> 1] -= now
        if flit & 2 and setup.routing > 1:  # `begin_next` may want to know
            t.packet[(flit >> 2) * at.PACKET_WORDS + at.ARRIVED] = now
        state = w[lane + at.STATE]
        if state == at.IDLE:
            w[lane + at.BEHIND] = 0
            put_start(setup, t, lane, now + setup.routing)
        elif state == at.ROUTED:
            if setup.branches == 1 and setup.drop_after < 0:
                branch = lane + at.BRANCHES
                if before == 0 and w[w[branch + at.OUT] + at.CREDITS] > 0:
                    make_ready(t, branch, side)
            else:
                _offer_to_branches(setup, t, lane, before, now)
    t.filled[page] = t.page[page]


@kernel_part
def _offer_to_branches(setup: Setup, t: Tables, lane: int, before: int, now: int) -> None:
    """Have those branches send the flit that came who waited for it."""
    w = t.words
    lost = False
    for k in range(w[lane + at.COPIES]):
        branch = lane + at.BRANCHES + k * setup.branch_words
        if w[branch + at.AHEAD] == before:
            if w[branch + at.DOING] == at.SENDS:
                if w[w[branch + at.OUT] + at.CREDITS] > 0:
                    make_ready(t, branch, w[lane + at.IN_SIDE])
            elif w[branch + at.DOING] == at.DROPS:
                lost = True
    if lost:
        discard(setup, t, lane, now)


@kernel_part
def accept_ends(setup: Setup, t: Tables, delivery: Any, now: int) -> None:
    """Write down the packets whose tails reach their cores in this cycle."""
    page = page_of(setup, ENDS, now)
    end = t.filled[page] | 0
    for k in range(t.page[page] | 0, end, 2):
        if setup.large:
            later = t.calendar[min(k + 17, end - 1)]
            prefetch_to_write(t.packet, later * at.PACKET_WORDS)
            prefetch_to_write(t.road, later * at.ROAD_WORDS)
        core, slot = t.calendar[k], t.calendar[k + 1]
        packet, road = slot * at.PACKET_WORDS, slot * at.ROAD_WORDS
        row = t.counters[DELIVERIES]
        t.counters[DELIVERIES] += 1
        delivery[row, DELIVERY.tag] = t.packet[packet + at.TAG]
        delivery[row, DELIVERY.source] = t.packet[packet + at.ORIGIN]
        delivery[row, DELIVERY.target] = core
        delivery[row, DELIVERY.flits] = t.road[road + at.LENGTH]
        delivery[row, DELIVERY.created] = t.packet[packet + at.CREATED]
        delivery[row, DELIVERY.entered] = t.packet[packet + at.ENTERED]
        delivery[row, DELIVERY.cycle] = now
        delivery[row, DELIVERY.hops] = t.road[road + at.HOPS]
        delivery[row, DELIVERY.number] = t.packet[packet + at.SERIAL]
        t.counters[DELIVERED] += 1
        t.counters[LIVE] -= 1
        free_slot(t, slot)
    t.filled[page] = t.page[page]
