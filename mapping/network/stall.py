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
from mapping.network.counters import FREE, ROUTED, SENDING, WAITING
from mapping.network.tables import BRANCH, BUFFER, CHANNEL, PACKET, IntArray, Setup, Tables
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
    wants : Channel
        What it waits for: the next channel of the cycle, or one that the next packet holds.
    source, target, tag : int
        Of the packet; `target` is -1 for a multicast.
    """

    channel: Channel | None
    lane: int
    wants: Channel
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
    """Who is blocked, by branch number, and by whom."""

    def __init__(self, setup: Setup, t: Tables) -> None:
        self.setup, self.t = setup, t
        self.cores = 5 * setup.routers * setup.lanes
        self.under_way = np.zeros(len(t.channel), dtype=bool)
        for slot in range(setup.horizon):
            self.under_way[t.credits[slot, : t.due[slot, 0]]] = True
            arriving = t.arrivals[slot, : 2 * t.due[slot, 1] : 2]
            self.under_way[arriving] = True
        # The cores take whatever reaches them.
        self.under_way[self.cores :] |= t.channel[self.cores :, CHANNEL.credits] > 0
        state = t.branch[:, BRANCH.state]
        asking = (state == WAITING) | (state == SENDING)
        buffers = t.buffer[t.branch[:, BRANCH.buffer]]
        self.blocked = asking & (buffers[:, BUFFER.state] == ROUTED)

    def branches(self, buffer: int) -> range:
        """Branches of the packet at the front of a buffer."""
        first = buffer * self.setup.branches
        return range(first, first + int(self.t.buffer[buffer, BUFFER.copies]))

    def stuck(self, buffer: int) -> int:
        """A blocked branch that keeps the front flit of a buffer where it is, or -1."""
        if buffer >= self.cores or self.t.buffer[buffer, BUFFER.state] != ROUTED:
            return -1
        if self.t.buffer[buffer, BUFFER.flits] == 0:
            return -1
        for branch in self.branches(buffer):
            if self.blocked[branch] and self.t.branch[branch, BRANCH.ahead] == 0:
                return branch
        return -1

    def cause(self, branch: int) -> int:
        """A blocked branch that this one waits for, or -1 if it may yet move."""
        t, setup = self.t, self.setup
        buffer = int(t.branch[branch, BRANCH.buffer])
        if t.branch[branch, BRANCH.state] == WAITING:
            return self._cause_of_wait(branch, buffer)
        channel = int(t.branch[branch, BRANCH.out])
        if t.branch[branch, BRANCH.ahead] < t.buffer[buffer, BUFFER.flits]:
            if t.channel[channel, CHANNEL.credits] > 0 or self.under_way[channel]:
                return -1
            return self.stuck(channel)
        # It has sent all that is here; the rest of its packet is still to come.
        if t.buffer[buffer, BUFFER.flits] == setup.depth:
            return self.stuck(buffer)
        upstream = int(t.channel[buffer, CHANNEL.owner])
        if upstream < 0 or self.under_way[buffer] or not self.blocked[upstream]:
            return -1
        return upstream

    def _cause_of_wait(self, branch: int, buffer: int) -> int:
        t, setup = self.t, self.setup
        slot = int(t.flit[buffer * setup.depth + t.buffer[buffer, BUFFER.oldest]]) >> 2
        need = int(t.packet[slot, PACKET.flits]) if setup.cut_through else 0
        found = -1
        for channel in self.wanted(branch):
            owner = int(t.channel[channel, CHANNEL.owner])
            if owner >= 0:
                if not self.blocked[owner]:
                    return -1
                after = self.stuck(channel)
                cause = owner if after < 0 else after
            elif self.under_way[channel] or (
                owner == FREE and t.channel[channel, CHANNEL.credits] >= need
            ):
                return -1
            else:
                cause = self.stuck(channel)
                if cause < 0:
                    return -1
            found = cause if found < 0 else found
        return found

    def wanted(self, branch: int) -> list[int]:
        """Virtual channels that a waiting branch would take."""
        t, setup = self.t, self.setup
        n = int(t.branch[branch, BRANCH.offers])
        if n == 0:
            router = int(t.buffer[t.branch[branch, BRANCH.buffer], BUFFER.router])
            first = (5 * setup.routers + router) * setup.lanes
            return list(range(first, first + setup.lanes))
        found = []
        for k in range(n):
            link, lanes = (int(x) for x in t.offer[branch, 2 * k : 2 * k + 2])
            found += [link * setup.lanes + i for i in range(setup.lanes) if lanes >> i & 1]
        return found

    def settle(self) -> IntArray:
        """Take away whoever may move, until nobody may; the blocked branches that remain."""
        while True:
            asked = np.flatnonzero(self.blocked)
            moving = [int(branch) for branch in asked if self.cause(int(branch)) < 0]
            if not moving:
                return asked
            self.blocked[moving] = False


def find_stall(setup: Setup, t: Tables, now: int) -> Stall | None:
    """The deadlock that a network is in, or None if every packet can still move."""
    snapshot = _Snapshot(setup, t)
    blocked = snapshot.settle()
    if blocked.size == 0:
        return None
    order: dict[int, int] = {}
    branch = int(blocked[0])
    while branch not in order:
        order[branch] = len(order)
        branch = snapshot.cause(branch)
    cycle = list(order)[order[branch] :]
    waiting: list[WaitingPacket] = []
    buffers = [int(t.branch[member, BRANCH.buffer]) for member in cycle]
    for k, (member, buffer) in enumerate(zip(cycle, buffers, strict=True)):
        if len(cycle) > 1 and buffer == buffers[(k + 1) % len(cycle)]:
            continue  # held up by another branch of the same packet, which comes next
        oldest = int(t.buffer[buffer, BUFFER.oldest])
        packet = t.packet[int(t.flit[buffer * setup.depth + oldest]) >> 2]
        here, lane = _channel(setup, buffer)
        sends = t.branch[member, BRANCH.state] == SENDING
        wanted = int(t.branch[member, BRANCH.out]) if sends else snapshot.wanted(member)[0]
        wants = _channel(setup, wanted)[0]
        assert wants is not None
        waiting.append(
            WaitingPacket(
                here,
                lane,
                wants,
                int(packet[PACKET.source]),
                int(packet[PACKET.target]),
                int(packet[PACKET.tag]),
            )
        )
    fronts = t.branch[blocked, BRANCH.buffer]
    slots = t.flit[fronts * setup.depth + t.buffer[fronts, BUFFER.oldest]] >> 2
    packets = np.unique(t.packet[slots, PACKET.number])
    return Stall(tuple(waiting), int(packets.size), now)


def _channel(setup: Setup, buffer: int) -> tuple[Channel | None, int]:
    """Channel of the routing function and lane that a buffer belongs to."""
    port, number = divmod(buffer, setup.lanes)
    vc, lane = divmod(number, setup.copies)
    return (Channel(port, vc) if port < 4 * setup.routers else None), lane
