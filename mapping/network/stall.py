"""Deadlock while a network runs: packets none of which can ever move, and the cycle they wait in.

A branch (one copy that a buffer sends on) can move if it has a flit and a credit, or if a channel
it asks for is free; credits and flits that are still under way count as if they were there. Of
those that cannot, the ones that wait for something that can move are taken away until none is
left to take away. What remains waits for itself alone: by induction over time none of it moves
first, so that nothing but a fault or a dropped packet could ever move it. It is not a guess from
the time that packets have waited, and it finds a deadlock in one corner while the rest runs on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mapping.mesh import Mesh
from mapping.network import layout as at
from mapping.network.layout import Addresses
from mapping.network.setup import Setup
from mapping.network.tables import ARRIVALS, CALENDARS, CREDITS, IntArray, Tables
from mapping.routing import Channel
from simulator.errors import MappingError

__all__ = ["Stall", "StallError", "WaitingPacket", "find_stall"]


class WaitingPacket(NamedTuple):
    """A packet of a stall and what it waits for.

    Attributes
    ----------
    channel : Channel or None
        Whose buffer it waits in; None for the wire from its source core into the router, where
        only a multicast packet can be part of a cycle, by the channels that its branches hold.
    lane : int
        Among the lanes of that channel.
    wants : Channel or None
        What it waits for: the next channel of the cycle, or one that the next packet holds; None
        for the wire from a router to its core, which a multicast packet can hold while another of
        its branches waits.
    source, target, tag : int
        Of the packet; `target` is -1 for a multicast.
    """

    channel: Channel | None
    lane: int
    wants: Channel | None
    source: int
    target: int
    tag: int


class Stall(NamedTuple):
    """Packets that wait for each other for ever.

    Attributes
    ----------
    cycle : tuple of WaitingPacket
        Each wants the channel that the next one is in, the last that of the first.
    n_blocked : int
        Packets that can never move, those that wait for the cycle from outside included.
    now : int
        [cycles] when it was found.
    """

    cycle: tuple[WaitingPacket, ...]
    n_blocked: int
    now: int

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels of the cycle."""
        return tuple(packet.channel for packet in self.cycle if packet.channel is not None)

    def text(self, mesh: Mesh) -> str:
        """The cycle, channel by channel."""

        def name(packet: WaitingPacket) -> str:
            if packet.channel is None:
                return f"core {mesh.coordinates(packet.source)}"
            return packet.channel.text(mesh)

        return " -> ".join(name(packet) for packet in (*self.cycle, self.cycle[0]))


class StallError(MappingError):
    """A packet network has come to a deadlock; `stall` holds the cycle of channels."""

    def __init__(self, stall: Stall, mesh: Mesh) -> None:
        super().__init__(
            f"packet network, cycle {stall.now}: {stall.n_blocked} packets can never move; they "
            f"wait in a circle: {stall.text(mesh)}; use a deadlock-free routing function (see "
            "find_deadlock), or drop_after"
        )
        self.stall = stall


class _Snapshot:
    """Who is blocked, by the addresses of branches, and by whom."""

    def __init__(self, setup: Setup, there: Addresses, t: Tables) -> None:
        self.setup, self.w, self.t = setup, t.words.astype(np.int64), t
        w = self.w
        self.under_way: set[int] = set()  # channels with a flit or a credit on its way
        pages = t.page.reshape(-1, CALENDARS), t.filled.reshape(-1, CALENDARS)
        for first, end in zip(pages[0][:, CREDITS], pages[1][:, CREDITS], strict=True):
            self.under_way.update(t.calendar[first:end].tolist())
        for first, end in zip(pages[0][:, ARRIVALS], pages[1][:, ARRIVALS], strict=True):
            lanes = t.calendar[first:end:2].astype(np.int64)
            self.under_way.update(w[lanes + at.UPSTREAM].tolist())
        branch = there.branch[there.branch > 0]
        doing = w[branch + at.DOING]
        asking = (doing == at.WAITS) | (doing == at.SENDS)
        routed = w[w[branch + at.LANE] + at.STATE] == at.ROUTED
        # In the order of their numbers.
        self.blocked = dict.fromkeys(branch[asking & routed].tolist())

    def branches(self, lane: int) -> range:
        """Branches of the packet at the front of a buffer."""
        first, size = lane + at.BRANCHES, self.setup.branch_words
        return range(first, first + size * int(self.w[lane + at.COPIES]), size)

    def stuck(self, lane: int) -> int:
        """A blocked branch that keeps the front flit of a buffer where it is, or 0."""
        w = self.w
        if lane == 0 or w[lane + at.STATE] != at.ROUTED or w[lane + at.FLITS] == 0:
            return 0  # cores take whatever reaches them
        for branch in self.branches(lane):
            if branch in self.blocked and w[branch + at.AHEAD] == 0:
                return branch
        return 0

    def cause(self, branch: int) -> int:
        """A blocked branch that this one waits for, or 0 if it may yet move."""
        w = self.w
        lane = int(w[branch + at.LANE])
        if w[branch + at.DOING] == at.WAITS:
            return self._cause_of_wait(branch)
        channel = int(w[branch + at.OUT])
        if w[branch + at.AHEAD] < w[lane + at.FLITS]:
            if w[channel + at.CREDITS] > 0 or channel in self.under_way:
                return 0
            return self.stuck(int(w[channel + at.DOWNSTREAM]))
        # It has sent all that is here; the rest of its packet is still to come.
        if w[lane + at.FLITS] == self.setup.depth:
            return self.stuck(lane)
        upstream = int(w[lane + at.UPSTREAM])
        owner = int(w[upstream + at.OWNER])
        return owner if owner in self.blocked and upstream not in self.under_way else 0

    def _cause_of_wait(self, branch: int) -> int:
        w = self.w
        need = 0
        if self.setup.cut_through:
            need = int(self.t.road[w[branch + at.SLOT] * at.ROAD_WORDS + at.LENGTH])
        found = 0
        for channel in self.wanted(branch):
            owner = int(w[channel + at.OWNER])
            after = self.stuck(int(w[channel + at.DOWNSTREAM]))
            if owner >= at.FIRST_OWNER:
                if owner not in self.blocked:
                    return 0
                cause = after if after else owner
            elif (
                channel in self.under_way
                or (w[channel + at.DOWNSTREAM] == 0 and w[channel + at.CREDITS] > 0)
                or (owner == at.NOBODY and w[channel + at.CREDITS] >= need)
                or not after
            ):
                return 0
            else:
                cause = after
            found = found if found else cause
        return found

    def wanted(self, branch: int) -> list[int]:
        """Channels that a waiting branch would take."""
        w, lanes = self.w, self.setup.lanes
        router = int(w[w[w[branch + at.LANE] + at.IN_SIDE] + at.IN_ROUTER])
        first = router + at.CHANNELS
        n = int(w[branch + at.N_OFFERS])
        offers = [int(offer) for offer in w[branch + at.OFFERS : branch + at.OFFERS + n]]
        if n == 0:
            offers = [((1 << lanes) - 1) << 2]
            first += 4 * lanes * at.CHANNEL_WORDS
        return [
            first + ((offer & 3) * lanes + lane) * at.CHANNEL_WORDS
            for offer in offers
            for lane in range(lanes)
            if offer >> 2 >> lane & 1
        ]

    def settle(self) -> list[int]:
        """Take away whoever may move, until nobody may; the blocked branches that remain."""
        while True:
            moving = [branch for branch in self.blocked if not self.cause(branch)]
            if not moving:
                return list(self.blocked)
            for branch in moving:
                del self.blocked[branch]


def find_stall(setup: Setup, there: Addresses, t: Tables, now: int) -> Stall | None:
    """The deadlock that a network is in, or None if every packet can still move."""
    snapshot = _Snapshot(setup, there, t)
    w = snapshot.w
    blocked = snapshot.settle()
    if not blocked:
        return None
    order: dict[int, int] = {}
    branch = blocked[0]
    while branch not in order:
        order[branch] = len(order)
        branch = snapshot.cause(branch)
    cycle = list(order)[order[branch] :]
    lanes = [int(w[member + at.LANE]) for member in cycle]
    waiting: list[WaitingPacket] = []
    for k, (member, lane) in enumerate(zip(cycle, lanes, strict=True)):
        if len(cycle) > 1 and lane == lanes[(k + 1) % len(cycle)]:
            continue  # held up by another branch of the same packet, which comes next
        slot = _front(setup, w, lane)
        here, number = _channel(setup, there, int(w[lane + at.UPSTREAM]))
        sends = w[member + at.DOING] == at.SENDS
        wanted = int(w[member + at.OUT]) if sends else snapshot.wanted(member)[0]
        target = int(t.road[slot * at.ROAD_WORDS + at.TARGET])
        waiting.append(
            WaitingPacket(
                here,
                number,
                _channel(setup, there, wanted)[0],
                int(t.packet[slot * at.PACKET_WORDS + at.ORIGIN]),
                -1 if target == at.NOWHERE else target,
                int(t.packet[slot * at.PACKET_WORDS + at.TAG]),
            )
        )
    slots = [_front(setup, w, int(w[member + at.LANE])) for member in blocked]
    packets = {int(t.packet[slot * at.PACKET_WORDS + at.SERIAL]) for slot in slots}
    return Stall(tuple(waiting), len(packets), now)


def _front(setup: Setup, words: IntArray, lane: int) -> int:
    """Slot of the packet at the front of a buffer."""
    return int(words[lane + setup.ring + words[lane + at.OLDEST]]) >> 2


def _channel(setup: Setup, there: Addresses, channel: int) -> tuple[Channel | None, int]:
    """Channel of the routing function and lane of a virtual channel, by its address."""
    port, number = divmod(int(np.flatnonzero(there.channel == channel)[0]), setup.lanes)
    vc, lane = divmod(number, setup.copies)
    return (Channel(port, vc) if port < 4 * setup.routers else None), lane
