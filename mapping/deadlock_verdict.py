"""What `mapping.find_deadlock` answers, with what is needed to check it without trusting it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from mapping.deadlock_causes import EndChannel
from mapping.mesh import Mesh
from mapping.routing import Channel
from mapping.routing._base import Flow

__all__ = ["AnyChannel", "Verdict"]

AnyChannel: TypeAlias = Channel | EndChannel


@dataclass(frozen=True)
class Verdict:
    """Answer of `find_deadlock`, with what is needed to check it without trusting it.

    Attributes
    ----------
    free : bool
        True: no set of packets can wait for each other in a circle.
    routing : str
    all_flows : bool
        True if it holds for every pair of cores, False if only for the flows that were given.
    n_channels, n_dependencies : int
        Size of the channel dependency graph.
    channel_order : tuple of Channel or EndChannel, or None
        If free: an order in which every packet takes channels strictly upwards. If free by an
        escape set: an order of the escape channels alone, in which every packet is always
        offered one above all of them that it may hold.
    cycle : tuple of Channel or EndChannel, or None
        If not free: a shortest cycle, of those in which no packet has another channel to ask for
        if there are such; channel k may wait for channel k + 1, the last for the first. With
        several lanes: their lane 0.
    flows : tuple of (source, target), or None
        Physical cores of a packet that holds ``cycle[k]`` and asks for the next, for each k.
    routes : tuple of tuple of Channel, or None
        A whole route of that packet, for each k.
    escape : str or None
        Which escape set the proof uses.
    sole_choice : bool
        With a cycle: none of its packets is offered anything but the channel it waits for.
    lanes : int
        Copies of each virtual channel; channel ``vc`` has the lanes ``vc * lanes + 0..lanes-1``.
    message_dependence : bool
        Whether cores that consume only when they can inject were taken into account.
    """

    free: bool
    routing: str
    all_flows: bool
    n_channels: int
    n_dependencies: int
    channel_order: tuple[AnyChannel, ...] | None = None
    cycle: tuple[AnyChannel, ...] | None = None
    flows: tuple[Flow, ...] | None = None
    routes: tuple[tuple[Channel, ...], ...] | None = None
    escape: str | None = None
    sole_choice: bool = False
    lanes: int = 1
    message_dependence: bool = False

    @property
    def kind(self) -> str:
        """ "free", "free by escape set" or "possible"."""
        if not self.free:
            return "possible"
        return "free" if self.escape is None else "free by escape set"

    def text(self, mesh: Mesh) -> str:
        """The verdict in words; a witness is spelled out channel by channel."""
        scope = "all flows" if self.all_flows else "the flows of this network"
        on = f"{self.routing} on the {mesh}"
        if self.lanes > 1:
            on += f", {self.lanes} lanes"
        size = f"{self.n_channels} channels, {self.n_dependencies} dependencies"
        if self.cycle is None or self.flows is None or self.routes is None:
            if self.escape is None:
                return f"{on}: free of routing deadlock for {scope} ({size}, no cycle)"
            return (
                f"{on}: free of routing deadlock for {scope} by its escape channels, "
                f"{self.escape} ({size}; a virtual channel must be empty, or have room for the "
                "whole packet, before it is given to one)"
            )
        lines = [
            f"{on}: deadlock possible for {scope}; {len(self.cycle)} channels wait for each other:"
        ]
        for k, channel in enumerate(self.cycle):
            waits_for = self.cycle[(k + 1) % len(self.cycle)]
            holder = _holder(mesh, self.flows[k], self.routes[k])
            lines.append(
                f"  {channel.text(mesh)}, held by {holder}, waits for {waits_for.text(mesh)}"
            )
        if not self.sole_choice:
            lines.append(
                "  some of these packets may take other channels: freedom is not proven, but "
                "this cycle alone is not a deadlock"
            )
        return "\n".join(lines)


def _holder(mesh: Mesh, flow: Flow, route: tuple[Channel, ...]) -> str:
    start, end = mesh.coordinates(flow[0]), mesh.coordinates(flow[1])
    if not route:
        return "what the core must send first"
    stops = [mesh.coordinates(mesh.link_target(channel.link)) for channel in route[:-1]]
    by = "".join(f" ({x},{y})" for x, y in stops)
    text = f"a packet ({start[0]},{start[1]}) to ({end[0]},{end[1]})"
    return f"{text} by{by}" if by else text
