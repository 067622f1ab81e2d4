"""The cores' ends of the wires into the routers: queues of packets, and one flit a cycle."""

from __future__ import annotations

from typing import Any

from mapping.kernel_part import kernel_part
from mapping.network import layout as at
from mapping.network.calendar import put_arrival
from mapping.network.counters import AWAKE, FREE_SLOTS, INJECTED, LIVE, NEXT_PENDING, REFUSED
from mapping.network.setup import Setup
from mapping.network.tables import PENDING, Tables
from mapping.network.wake import wake_source
from simulator.prefetch import prefetch_to_write

__all__ = ["create_packets", "send_sources"]


@kernel_part
def create_packets(setup: Setup, t: Tables, pending: Any, now: int) -> None:
    """Put the packets that are created in this cycle into the queues of their cores."""
    w = t.words
    k = t.counters[NEXT_PENDING]
    while k < pending.shape[0] and pending[k, PENDING.cycle] <= now:
        core, leaves = pending[k, PENDING.source], pending[k, PENDING.leaves]
        source = (core + 1) * setup.router_words + setup.source
        waiting = w[source + at.PACKETS]
        if 0 <= setup.queue_limit <= waiting:
            t.counters[REFUSED] += leaves
            k += 1
            continue
        t.counters[INJECTED] += leaves
        t.counters[LIVE] += leaves
        t.counters[FREE_SLOTS] -= 1
        slot = t.free_slots[t.counters[FREE_SLOTS]]
        packet, road = slot * at.PACKET_WORDS, slot * at.ROAD_WORDS
        node = pending[k, PENDING.node]
        t.road[road + at.TARGET] = pending[k, PENDING.target] if node < 0 else at.NOWHERE
        t.road[road + at.HOPS] = 0
        t.road[road + at.LENGTH] = pending[k, PENDING.flits]
        t.road[road + at.NODE] = node + 1
        t.road[road + at.LEAVES] = leaves
        t.packet[packet + at.CREATED] = pending[k, PENDING.cycle]
        t.packet[packet + at.ENTERED] = -1
        t.packet[packet + at.ORIGIN] = core
        t.packet[packet + at.TAG] = pending[k, PENDING.tag]
        t.packet[packet + at.SERIAL] = pending[k, PENDING.number]
        if waiting == 0:
            w[source + at.FIRST] = slot
            wake_source(t, source)
        else:
            t.road[w[source + at.LAST] * at.ROAD_WORDS + at.FOLLOWING] = slot
        w[source + at.LAST] = slot
        w[source + at.PACKETS] = waiting + 1
        k += 1
    t.counters[NEXT_PENDING] = k


@kernel_part
def send_sources(setup: Setup, t: Tables, now: int) -> None:
    """Every core that has a packet and a credit sends one flit into its router."""
    w = t.words
    kept = 0
    n = t.counters[AWAKE]
    for k in range(n):
        if setup.large:
            prefetch_to_write(w, t.awake[min(k + 12, n - 1)])
            prefetch_to_write(t.road, w[t.awake[min(k + 6, n - 1)] + at.FIRST] * at.ROAD_WORDS)
        source = t.awake[k]
        slot = w[source + at.FIRST]
        road = slot * at.ROAD_WORDS
        sent = w[source + at.SENT] + 1
        if sent == 1:
            w[source + at.LANE_USED] = _source_lane(setup, t, source, t.road[road + at.LENGTH])
        lane = w[source + at.LANE_USED]
        channel = source + at.SOURCE_WORDS + lane * at.CHANNEL_WORDS
        if lane == setup.lanes or w[channel + at.CREDITS] == 0:
            w[source + at.AWAKE] = 0  # until a credit comes back
            continue
        w[channel + at.CREDITS] -= 1
        flit = 4 * slot
        if sent == 1:
            flit += 2
            t.packet[slot * at.PACKET_WORDS + at.ENTERED] = now
            w[source + at.LAST_LANE] = lane
        waiting = w[source + at.PACKETS] | 0
        if sent == t.road[road + at.LENGTH]:
            flit += 1
            sent = 0
            w[source + at.FIRST] = t.road[road + at.FOLLOWING]
            waiting -= 1
            w[source + at.PACKETS] = waiting
        w[source + at.SENT] = sent
        put_arrival(setup, t, w[channel + at.DOWNSTREAM], flit, now + 2)
        if waiting:
            t.awake[kept] = source
            kept += 1
        else:
            w[source + at.AWAKE] = 0
    t.counters[AWAKE] = kept


@kernel_part
def _source_lane(setup: Setup, t: Tables, source: int, flits: int) -> int:
    """The first lane after the last one used that takes a packet now, `lanes` if none does."""
    w = t.words
    need = 1
    if setup.cut_through:
        need = flits
    if setup.empty_first:
        need = setup.depth
    lane = w[source + at.LAST_LANE] | 0
    for _ in range(setup.lanes):
        lane = 0 if lane + 1 == setup.lanes else lane + 1
        if w[source + at.SOURCE_WORDS + lane * at.CHANNEL_WORDS + at.CREDITS] >= need:
            return int(lane)
    return setup.lanes
