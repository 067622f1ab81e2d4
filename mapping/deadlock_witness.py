"""Packets that hold the channels of a cycle and wait for each other: a deadlock to be replayed.

Each packet holds one or more channels of the cycle, in a row, and its head waits for the first
channel of the next packet. The packets are chosen so that nothing disturbs them on their way: no
channel is taken by two of them, and no two start at one core. If all heads enter their part of
the cycle at the same time, each finds the next part taken: released `release` hops apart, the
packets stall for good, if flits are enough to keep a packet in all the channels it holds.

Dally and Seitz's theorem says that a cycle of a deterministic relation can be filled. That is so
for relations of (router, target) when every flow is there, and is shown here by the packets. With
given flows, or relations that look at the channel a packet came by, a cycle may be one that no
set of packets ever fills (Schwiebert 1997); then no packets are found, and none are claimed. For
adaptive relations only states are used in which a packet has no other channel to ask for.

References
----------
W. J. Dally, C. L. Seitz, IEEE Trans. Computers C-36, 1987. L. Schwiebert, Deadlock-free oblivious
wormhole routing with cyclic dependencies, SPAA 1997.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mapping.deadlock import Verdict
from mapping.deadlock_causes import EndChannel, Followed
from mapping.deadlock_flows import flow_lists
from mapping.mesh import Mesh
from mapping.routing import Channel, RoutingFunction, grid_of, routing_function
from mapping.routing._base import Flow
from simulator.errors import MappingError

__all__ = ["WitnessPacket", "witness_packets"]

# Per edge of the cycle: this many packets are tried, those that start and end nearest.
_PER_EDGE = 24
_MAX_TRIES = 20_000


class WitnessPacket(NamedTuple):
    """One packet of a deadlock.

    Attributes
    ----------
    source, target : int
        Physical cores.
    release : int
        [hops] when its head enters the network, relative to the others, for a network in which
        every hop takes equally long.
    flits : int
        Length.
    route : tuple of Channel
        Forced, from injection to delivery.
    held : int
        It holds ``route[:held]`` when it stalls, and waits for ``route[held]``.
    """

    source: int
    target: int
    release: int
    flits: int
    route: tuple[Channel, ...]
    held: int


class _Option(NamedTuple):
    route: list[int]
    place: int  # of the channel whose successor it waits for
    covers: int  # channels of the cycle that it holds, the last ones before it waits


def witness_packets(
    verdict: Verdict,
    mesh: Mesh,
    buffer_flits: int,
    *,
    routing: str | RoutingFunction | None = None,
    flows: Iterable[Flow] | None = None,
) -> tuple[WitnessPacket, ...]:
    """Packets that fill the cycle of a *possible* verdict, in order of release.

    Parameters
    ----------
    verdict : Verdict
    mesh : Mesh
        That of the verdict.
    buffer_flits : int
        [flits] of each virtual channel, >= 1: a packet is so long that it fills all channels
        that it holds.
    routing : str or RoutingFunction, or None
        The relation, if it is not found under the name in the verdict.
    flows : iterable of (source, target), or None
        Those that the verdict was asked for, if not all.

    Returns
    -------
    tuple of WitnessPacket
        Empty if no deadlock is claimed: some packet of the cycle has another way, or no packets
        were found that fill the cycle undisturbed.

    Raises
    ------
    MappingError
        The verdict is one of freedom, or its flows are missing.

    Notes
    -----
    With several lanes the routes use lane 0, and the packets wait for that lane alone. The cycle
    must be one of the network's channels; one through a core's own channels gives no packets.

    Examples
    --------
    >>> from mapping import Mesh, find_deadlock
    >>> ring = Mesh(4, 1, torus=True)
    >>> found = witness_packets(find_deadlock(ring, "torus_dimension_order"), ring, 4)
    >>> [(packet.source, packet.target, packet.flits) for packet in found]
    [(0, 2, 4), (1, 3, 4), (2, 0, 4), (3, 1, 4)]
    """
    if verdict.cycle is None:
        raise MappingError(f"{verdict.routing} is free of deadlock: there is no witness")
    if buffer_flits < 1:
        raise MappingError(f"buffer_flits = {buffer_flits}; it must be >= 1")
    if flows is None and not verdict.all_flows:
        raise MappingError("the verdict is one for given flows; pass them as `flows`")
    cycle = [channel for channel in verdict.cycle if isinstance(channel, Channel)]
    has_ends = any(isinstance(channel, EndChannel) for channel in verdict.cycle)
    if has_ends or not verdict.sole_choice:
        return ()
    function = routing_function(verdict.routing if routing is None else routing, mesh)
    search = _Search(mesh, function, flows, cycle, verdict.lanes)
    chosen = search.packets()
    lanes = verdict.lanes
    packets = []
    before = {id(option): option.place + 1 - option.covers for option in chosen}
    longest = max(before.values(), default=0)
    for option in chosen:
        route = [Channel(*divmod(c, function.virtual_channels)) for c in option.route]
        packets.append(
            WitnessPacket(
                source=route[0].link // 4,
                target=mesh.link_target(route[-1].link),
                release=longest - before[id(option)],
                flits=buffer_flits * (option.place + 1),
                route=tuple(Channel(link, vc * lanes) for link, vc in route),
                held=option.place + 1,
            )
        )
    return tuple(sorted(packets, key=lambda packet: (packet.release, packet.source)))


class _Search:
    """Choose one packet after the other round the cycle, going back where they get in each
    other's way."""

    def __init__(
        self,
        mesh: Mesh,
        function: RoutingFunction,
        flows: Iterable[Flow] | None,
        cycle: list[Channel],
        lanes: int,
    ) -> None:
        given = None if flows is None else tuple(flows)
        self.mesh = mesh
        self.lists = flow_lists(mesh, function, given)
        self.followed = Followed(mesh, function, grid_of(mesh, function, given))
        self.vcs = function.virtual_channels
        self.cycle = [link * self.vcs + vc // lanes for link, vc in cycle]
        self.place_of = {channel: k for k, channel in enumerate(self.cycle)}
        self.options = [list(self._options(k)) for k in range(len(self.cycle))]
        self.tries = 0

    def packets(self) -> list[_Option]:
        # The packet that waits at position k covers k and some positions before it; start with
        # every packet that covers the last position.
        n = len(self.cycle)
        for shift in range(n):
            for option in self.options[shift]:
                found = self._extend([option], (shift - option.covers) % n, n - option.covers)
                if found is not None:
                    return found
            if any(option.covers > 1 for some in self.options for option in some):
                continue
            break
        return []

    def _extend(self, chosen: list[_Option], at: int, left: int) -> list[_Option] | None:
        if left == 0:
            return chosen
        self.tries += 1
        for option in self.options[at] if self.tries < _MAX_TRIES else ():
            if option.covers <= left and all(self._apart(option, other) for other in chosen):
                following = (at - option.covers) % len(self.cycle)
                found = self._extend([*chosen, option], following, left - option.covers)
                if found is not None:
                    return found
        return None

    def _apart(self, a: _Option, b: _Option) -> bool:
        holds_a, holds_b = a.route[: a.place + 1], b.route[: b.place + 1]
        return a.route[0] // self.vcs // 4 != b.route[0] // self.vcs // 4 and not (
            set(holds_a) & set(holds_b)
        )

    def _options(self, k: int) -> Iterator[_Option]:
        """Packets that hold channel k of the cycle and can only ask for the next."""
        held, wanted = self.cycle[k], self.cycle[(k + 1) % len(self.cycle)]
        distances = self.mesh.distances
        start, end = held // self.vcs // 4, self.followed.end(wanted)
        targets = [t for t in self.lists.targets.tolist() if distances[end, t] >= 0]
        given = 0
        for target in sorted(targets, key=lambda t: (int(distances[end, t]), t)):
            if self.followed.offered(self.followed.end(held), held, target) != [wanted]:
                continue
            sources = [s for s in self.lists.sources_of(target) if distances[s, start] >= 0]
            for source in sorted(sources, key=lambda s: (int(distances[s, start]), s)):
                found = self.followed.through([source], target, held, wanted)
                if found is not None:
                    option = self._option(*found, k)
                    if option is not None:
                        yield option
                        given += 1
                if given >= _PER_EDGE:
                    return

    def _option(self, route: list[int], place: int, k: int) -> _Option | None:
        covers = 1
        n = len(self.cycle)
        while covers <= place and covers < n - 1:
            if route[place - covers] != self.cycle[(k - covers) % n]:
                break
            covers += 1
        elsewhere = route[: place + 1 - covers]
        if any(channel in self.place_of for channel in elsewhere):
            return None
        return _Option(route, place, covers)
