"""Flits that leave a buffer: one by one, or passed over because they are dropped."""

from __future__ import annotations

from mapping.kernel_part import kernel_part, rare_part
from mapping.network import layout as at
from mapping.network.calendar import NOT_NEGATIVE, put_credit, put_start
from mapping.network.counters import DROPPED, LIVE
from mapping.network.setup import Setup
from mapping.network.tables import Tables
from mapping.network.wake import free_slot

__all__ = ["begin_next", "credit_delay", "discard", "drop", "pop_sent", "ring_place"]


@kernel_part
def ring_place(setup: Setup, t: Tables, lane: int, ahead: int) -> int:
    """Address of the flit that is `ahead` places behind the oldest of a buffer."""
    place: int = (t.words[lane + at.OLDEST] | 0) + ahead  # signed
    if place >= setup.depth:
        place -= setup.depth
    return (lane + setup.ring + place) & NOT_NEGATIVE


@kernel_part
def credit_delay(setup: Setup, side_bit: int) -> int:
    """Cycles from the departure of a flit to the use of its credit where it came from."""
    if side_bit == 16:  # the core's side
        return setup.source_credit_delay
    return setup.credit_delay


@kernel_part
def begin_next(setup: Setup, t: Tables, lane: int, now: int) -> None:
    """A tail has left: the next packet of the buffer begins, if there is one."""
    w = t.words
    if w[lane + at.FLITS] == 0:
        w[lane + at.STATE] = at.IDLE
        return
    start = now + max(1, setup.turnaround - 1)
    if now + setup.routing > start:
        slot = w[ring_place(setup, t, lane, 0)] >> 2
        start = max(start, t.packet[slot * at.PACKET_WORDS + at.ARRIVED] + setup.routing)
    w[lane + at.BEHIND] = 1
    put_start(setup, t, lane, start)


@rare_part
def pop_sent(setup: Setup, t: Tables, lane: int, now: int) -> None:
    """Remove the flits that all branches have sent; after a tail, the next packet begins."""
    w = t.words
    branches = lane + at.BRANCHES
    n = w[lane + at.COPIES]
    sent = w[branches + at.AHEAD]
    for k in range(1, n):
        sent = min(sent, w[branches + k * setup.branch_words + at.AHEAD])
    side = w[lane + at.IN_SIDE]
    delay = credit_delay(setup, w[side + at.IN_BIT])
    for _ in range(sent):
        flit = w[ring_place(setup, t, lane, 0)]
        w[lane + at.OLDEST] = (
            0 if w[lane + at.OLDEST] + 1 == setup.depth else w[lane + at.OLDEST] + 1
        )
        w[lane + at.FLITS] -= 1
        t.wide[(side + at.HELD) >> 1] += now
        put_credit(setup, t, w[lane + at.UPSTREAM], now + delay)
        for k in range(n):
            w[branches + k * setup.branch_words + at.AHEAD] -= 1
        if flit & 1:
            if n != 1 or w[branches + at.SLOT] != flit >> 2:
                free_slot(t, flit >> 2)
            begin_next(setup, t, lane, now)


@rare_part
def discard(setup: Setup, t: Tables, lane: int, now: int) -> None:
    """Pass over the flits of branches that were dropped."""
    w = t.words
    for k in range(w[lane + at.COPIES]):
        branch = lane + at.BRANCHES + k * setup.branch_words
        while w[branch + at.DOING] == at.DROPS and w[branch + at.AHEAD] < w[lane + at.FLITS]:
            flit = w[ring_place(setup, t, lane, w[branch + at.AHEAD])]
            w[branch + at.AHEAD] += 1
            if flit & 1:
                w[branch + at.DOING] = at.NONE
                slot = w[branch + at.SLOT]
                w[branch + at.SLOT] = at.NOWHERE
                leaves = t.road[slot * at.ROAD_WORDS + at.LEAVES]
                t.counters[DROPPED] += leaves
                t.counters[LIVE] -= leaves
                if slot != flit >> 2:
                    free_slot(t, slot)
    pop_sent(setup, t, lane, now)


@rare_part
def drop(setup: Setup, t: Tables, branch: int, now: int) -> None:
    """A branch that waits gives up: its flits are passed over, those still to come as well."""
    t.words[branch + at.DOING] = at.DROPS
    discard(setup, t, t.words[branch + at.LANE], now)
