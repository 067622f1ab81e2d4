"""Every measure of a placement, each with its formula and source.

Notation: c_ij packets from logical core i to j, p(i) the physical core of i, M_ij the shortest
distance in hops between p(i) and p(j), R_ij the links on the route from p(i) to p(j).

References
----------
Approaching the mapping limit with closed-loop mapping strategy for deploying neural networks on
neuromorphic hardware: equations 2 and 4, and the limit M_ij = 1 (equation 23).
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from mapping.graph import IntArray
from mapping.mesh import HopEnergy, Mesh
from mapping.partition import Partition
from mapping.placement import placement_cost
from mapping.routing import Channel, RoutingFunction, checked_channels, routing_function
from mapping.traffic import Traffic
from simulator.errors import MappingError

__all__ = [
    "Hops",
    "Utilisation",
    "communication_cost",
    "core_utilisation",
    "hops",
    "link_loads",
    "link_utilisation",
    "maximum_link_load",
    "network_energy_pj",
    "physical_flows",
]


class Hops(NamedTuple):
    """Distances that packets travel; both 0 when no packet enters the network."""

    average: float
    maximum: int


class Utilisation(NamedTuple):
    """Share of the machine in use, 0..1.

    Attributes
    ----------
    cores : float
        Cores that hold a neuron, of all cores.
    neurons, fan_in, synapses : float
        Highest use of that capacity over all cores, of the capacity.
    """

    cores: float
    neurons: float
    fan_in: float
    synapses: float


def communication_cost(traffic: Traffic, core_of: IntArray, mesh: Mesh) -> int:
    """C = sum_ij c_ij M_ij, in packets x hops (mapping-limit paper, equation 2)."""
    return placement_cost(traffic, core_of, mesh)


def hops(traffic: Traffic, core_of: IntArray, mesh: Mesh) -> Hops:
    """Average C / sum_ij c_ij and maximum of M_ij over c_ij > 0.

    The average is also the distance to the mapping limit as a ratio: no placement has less than
    one hop per packet (mapping-limit paper, equation 23).
    """
    if traffic.n_packets == 0:
        return Hops(0.0, 0)
    distance = mesh.distances[np.ix_(core_of, core_of)]
    cost = placement_cost(traffic, core_of, mesh)
    return Hops(cost / traffic.n_packets, int(distance[traffic.packets > 0].max()))


def physical_flows(traffic: Traffic, core_of: IntArray) -> list[tuple[int, int]]:
    """Pairs (source, target) of physical cores that exchange at least one packet, sorted."""
    source, target = np.nonzero(traffic.packets)
    return sorted(zip(core_of[source].tolist(), core_of[target].tolist(), strict=True))


def link_loads(
    traffic: Traffic, core_of: IntArray, mesh: Mesh, routing: str | RoutingFunction
) -> IntArray:
    """Packets over every link: load(l) = sum over i, j with l in R_ij of c_ij.

    Parameters
    ----------
    routing : str or RoutingFunction
        A deterministic one.

    Returns
    -------
    int64 array, shape (mesh.n_link_ids,)
        By link id, zero where there is no link. With shortest routes the sum is the
        communication cost.

    Raises
    ------
    MappingError
        An adaptive routing function, whose loads depend on congestion.
    """
    function = routing_function(routing, mesh)
    loads = np.zeros(mesh.n_link_ids, dtype=np.int64)
    for j in np.flatnonzero(traffic.packets.any(axis=0)):
        sources = np.flatnonzero(traffic.packets[:, j])
        injected = dict(
            zip(core_of[sources].tolist(), traffic.packets[sources, j].tolist(), strict=True)
        )
        _add_loads_towards(mesh, function, int(core_of[j]), injected, loads)
    return loads


_State = tuple[int, Channel | None]  # where a packet is, and the channel it holds


def _add_loads_towards(
    mesh: Mesh,
    routing: RoutingFunction,
    target: int,
    injected: dict[int, int],
    loads: IntArray,
) -> None:
    """Add the load of all packets to one target. Their routes merge, so each state is met once."""
    next_channel: dict[_State, Channel] = {}
    links_left: dict[_State, int] = {}
    for source in injected:
        trail: list[_State] = []
        state: _State = (source, None)
        while state[0] != target and state not in links_left:
            if state in next_channel:
                raise MappingError(
                    f"routing {routing.name!r} goes round in a circle from "
                    f"{mesh.coordinates(source)} to {mesh.coordinates(target)}"
                )
            offered = checked_channels(mesh, routing, *state, target)
            if len(offered) > 1:
                raise MappingError(
                    f"routing {routing.name!r} is adaptive; link loads need a deterministic one"
                )
            next_channel[state] = offered[0]
            trail.append(state)
            state = (mesh.link_target(offered[0].link), offered[0])
        left = links_left.get(state, 0)
        for passed in reversed(trail):
            left += 1
            links_left[passed] = left
    # Farthest states first: all that flows into a state is known before it flows on.
    packets: defaultdict[_State, int] = defaultdict(int)
    for source, count in injected.items():
        packets[source, None] = count
    for state in sorted(links_left, key=lambda state: links_left[state], reverse=True):
        channel = next_channel[state]
        loads[channel.link] += packets[state]
        packets[mesh.link_target(channel.link), channel] += packets[state]


def maximum_link_load(loads: IntArray) -> int:
    """max_l load(l), in packets: the link that limits the throughput of the network."""
    return int(loads.max())


def link_utilisation(loads: IntArray, mesh: Mesh) -> float:
    """Share of the links that carry at least one packet, 0..1 (0 on a mesh without links).

    Loads per unit of bandwidth need a link speed; that belongs to the packet network.
    """
    return float(np.count_nonzero(loads)) / len(mesh.links) if mesh.links else 0.0


def core_utilisation(partition: Partition, mesh: Mesh) -> Utilisation:
    """Cores in use of all cores, and the fullest core's use of each capacity."""
    return Utilisation(
        cores=partition.n_cores / mesh.n_cores,
        neurons=float(partition.neurons.max()) / mesh.neurons_per_core,
        fan_in=float(partition.fan_in.max()) / mesh.fan_in_per_core,
        synapses=float(partition.synapses.max()) / mesh.synapses_per_core,
    )


def network_energy_pj(traffic: Traffic, loads: IntArray, energy: HopEnergy) -> float:
    """Energy of all packets, in pJ, from the constants of the machine.

    E = e_ew load(east and west links) + e_ns load(north and south links)
      + e_local (sum_ij c_ij + local deliveries)

    Equation 4 of the mapping-limit paper with an energy per direction and without its division
    by the working period (which makes a power of it). The constants are those of
    `Mesh.energy`, whose `source` says where they come from. Neurons and synapses are not in it.
    """
    by_direction = loads.reshape(-1, 4).sum(axis=0)
    deliveries = traffic.n_packets + int(traffic.local.sum())
    return float(
        energy.east_west_pj * (by_direction[1] + by_direction[3])
        + energy.north_south_pj * (by_direction[0] + by_direction[2])
        + energy.local_pj * deliveries
    )
