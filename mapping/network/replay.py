"""A deadlock that is possible on paper, played on the packet network."""

from __future__ import annotations

from collections.abc import Iterable

from mapping.deadlock import Flow, Verdict
from mapping.deadlock_witness import witness_packets
from mapping.mesh import Mesh
from mapping.network.packet_network import PacketNetwork
from mapping.network.stall import Stall, StallError
from mapping.routing import Channel, RoutingFunction, routing_function

__all__ = ["replay"]

_MOST_CYCLES = 200_000


def replay(
    verdict: Verdict,
    mesh: Mesh,
    buffer_flits: int = 4,
    *,
    routing: str | RoutingFunction | None = None,
    flows: Iterable[Flow] | None = None,
) -> Stall | None:
    """Send the packets of a witness, each along its route, and return the stall they come to.

    Parameters
    ----------
    verdict : Verdict
        *Possible*, of `find_deadlock` for this mesh.
    buffer_flits : int
        [flits] of each virtual channel.
    routing : str or RoutingFunction, or None
        The relation, if it is not found under the name in the verdict.
    flows : iterable of (source, target), or None
        Those that the verdict was asked for, if not all.

    Returns
    -------
    Stall or None
        The circle that the packets wait in. None if the verdict has no packets to show
        (`witness_packets` is empty), or they pass each other.

    Raises
    ------
    MappingError
        As `witness_packets`.
    """
    function = routing_function(verdict.routing if routing is None else routing, mesh)
    packets = witness_packets(verdict, mesh, buffer_flits, routing=routing, flows=flows)
    if not packets:
        return None
    # The packets use lane 0 of every channel, so that one lane is all they need.
    network = PacketNetwork(mesh, function, buffer_flits=buffer_flits, multicast=True)
    first = min(packet.release for packet in packets)
    for k, packet in enumerate(packets):
        before = range(-1, len(packet.route) - 1)
        route = [Channel(link, vc // verdict.lanes) for link, vc in packet.route]
        tree = network.add_tree(packet.source, route, before, [packet.target])
        at = (packet.release - first) * network.pipeline.cycles_per_hop
        network.inject_tree(at, tree, packet.flits, k)
    try:
        network.drain(_MOST_CYCLES)
    except StallError as error:
        return error.stall
    return None
