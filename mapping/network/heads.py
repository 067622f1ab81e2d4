"""Heads at the front of their buffers: where they may go on to, and copies of what branches."""

from __future__ import annotations

from typing import Any

from mapping.kernel_part import kernel_part, rare_part
from mapping.network import layout as at
from mapping.network.buffers import ring_place
from mapping.network.calendar import page_of
from mapping.network.counters import DEAD_END, DONE, FREE_SLOTS, PLACE, RECENT
from mapping.network.setup import Setup
from mapping.network.tables import STARTS, TREE, TWIG, Tables
from mapping.network.wake import unsettle
from mapping.routing import Grid
from simulator.prefetch import prefetch_to_write

__all__ = ["start_heads"]


@kernel_part
def start_heads(offers: Any, grid: Grid, setup: Setup, t: Tables, now: int) -> int:
    """Heads whose route is known ask for a channel from this cycle on; returns a status."""
    w = t.words
    page = page_of(setup, STARTS, now)
    end = t.filled[page] | 0
    for k in range(t.page[page] | 0, end):
        if setup.large:
            later = t.calendar[min(k + 12, end - 1)]
            prefetch_to_write(w, later)
            prefetch_to_write(w, later + at.LINE)
            later = t.calendar[min(k + 6, end - 1)]
            prefetch_to_write(t.road, (w[ring_place(setup, t, later, 0)] >> 2) * at.ROAD_WORDS)
            prefetch_to_write(w, w[later + at.IN_SIDE])
            prefetch_to_write(w, w[w[later + at.IN_SIDE] + at.IN_ROUTER])
        lane = t.calendar[k]
        slot = w[ring_place(setup, t, lane, 0)] >> 2
        side = w[lane + at.IN_SIDE]
        router = w[side + at.IN_ROUTER]
        w[lane + at.STATE] = at.ROUTED
        w[lane + at.SINCE] = now & RECENT
        if setup.branches > 1 and t.road[slot * at.ROAD_WORDS + at.NODE] > 0:
            _fork(setup, t, lane, slot)
            for j in range(w[lane + at.COPIES]):
                branch = lane + at.BRANCHES + j * setup.branch_words
                w[branch + at.DOING] = at.WAITS
                w[side + at.WAITING] |= 1 << w[branch + at.PLACE]
        else:
            branch = lane + at.BRANCHES
            w[lane + at.COPIES] = 1
            w[branch + at.SLOT] = slot
            w[branch + at.DOING] = at.WAITS
            target, here = t.road[slot * at.ROAD_WORDS + at.TARGET], w[router + at.NUMBER]
            n = 0
            if target != here:
                n = _route(offers, grid, setup, t, lane, here, target)
                if n == 0:
                    t.counters[PLACE] = lane
                    return DEAD_END
                t.road[slot * at.ROAD_WORDS + at.HOPS] += 1
            w[branch + at.N_OFFERS] = n
            w[side + at.WAITING] |= 1 << w[branch + at.PLACE]
        w[router + at.WAITING_SIDES] |= w[side + at.IN_BIT]
        unsettle(t, router)
    t.filled[page] = t.page[page]
    return DONE


@kernel_part
def _route(
    offers: Any, grid: Grid, setup: Setup, t: Tables, lane: int, here: int, target: int
) -> int:
    """Write down what the routing function offers: sets of lanes, and sides; returns how many.

    What it offers does not change, so that on a mesh that is not too large an offer of a single
    channel is remembered: 0 stands for one that was not asked for yet.
    """
    w = t.words
    offered = lane + at.BRANCHES + at.OFFERS
    came_by = w[lane + at.CAME_BY]
    known = came_by * setup.routers + target
    if t.known.size and t.known[known]:
        w[offered] = t.known[known]
        return 1
    cores = 4 * setup.routers * setup.vcs
    n: int = offers(grid, here, came_by if came_by < cores else -1, target, t.offered)
    for j in range(n):
        link = t.offered[j]
        if setup.vcs > 1:
            link = t.offered[j] // setup.vcs
        lowest = (t.offered[j] - link * setup.vcs) * setup.copies
        w[offered + j] = ((1 << setup.copies) - 1) << lowest << 2 | (link & 3)
    if n == 1 and t.known.size:
        t.known[known] = w[offered]
    return n


@rare_part
def _fork(setup: Setup, t: Tables, lane: int, slot: int) -> None:
    """Give every branch of a multicast packet a copy of it, for the tree node it leads to."""
    w = t.words
    road, packet = slot * at.ROAD_WORDS, slot * at.PACKET_WORDS
    node = t.road[road + at.NODE] - 1
    n, first = t.tree[node, TREE.branches], t.tree[node, TREE.first]
    w[lane + at.COPIES] = n
    for k in range(n):
        branch = lane + at.BRANCHES + k * setup.branch_words
        following, link = t.twig[first + k, TWIG.node], t.twig[first + k, TWIG.link]
        copy = slot
        if n > 1:
            t.counters[FREE_SLOTS] -= 1
            copy = t.free_slots[t.counters[FREE_SLOTS]]
            for word in range(at.ROAD_WORDS):
                t.road[copy * at.ROAD_WORDS + word] = t.road[road + word]
            for word in range(at.PACKET_WORDS):
                t.packet[copy * at.PACKET_WORDS + word] = t.packet[packet + word]
            leaves = 1 if following < 0 else t.tree[following, TREE.leaves]
            t.road[copy * at.ROAD_WORDS + at.LEAVES] = leaves
        t.road[copy * at.ROAD_WORDS + at.NODE] = following + 1
        w[branch + at.SLOT] = copy
        if link < 0:
            w[branch + at.N_OFFERS] = 0
        else:
            t.road[copy * at.ROAD_WORDS + at.HOPS] += 1
            w[branch + at.N_OFFERS] = 1
            w[branch + at.OFFERS] = t.twig[first + k, TWIG.lanes] << 2 | (link & 3)
