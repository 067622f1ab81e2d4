"""Packets times hops, and what is stored more than once.

References
----------
S. Wang et al., Approaching the mapping limit with closed-loop mapping strategy for deploying
neural networks on neuromorphic hardware, Frontiers in Neuroscience, 2023: equations 2 (cost) and
25 (redundancy). How far a cost is from the limit is in `mapping.limit`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mapping.graph import IntArray, SpikingGraph
from mapping.mesh import Mesh
from mapping.partition import Partition
from mapping.traffic import Traffic
from simulator.errors import MappingError

__all__ = ["Hops", "added_storage", "communication_cost", "hops", "physical_flows"]


class Hops(NamedTuple):
    """Distances that packets travel; both 0 when no packet enters the network."""

    average: float
    maximum: int


def communication_cost(traffic: Traffic, core_of: IntArray, mesh: Mesh) -> int:
    """C = sum_ij c_ij M_ij, in packets x hops (equation 2). Exact, in integers.

    Raises
    ------
    MappingError
        Two cores that exchange packets have no path between them.
    """
    packets, distance = _travelled(traffic, core_of, mesh)
    return int(np.sum(packets * distance))


def hops(traffic: Traffic, core_of: IntArray, mesh: Mesh) -> Hops:
    """Average sum_ij c_ij M_ij / sum_ij c_ij, and maximum of M_ij over c_ij > 0.

    Raises
    ------
    MappingError
        Two cores that exchange packets have no path between them.
    """
    packets, distance = _travelled(traffic, core_of, mesh)
    if packets.size == 0:
        return Hops(0.0, 0)
    return Hops(int(np.sum(packets * distance)) / int(packets.sum()), int(distance.max()))


def added_storage(graph: SpikingGraph, partition: Partition) -> float:
    """What a partition stores beyond once, of what there is; 0 is the mapping limit.

    (axon entries + synapses on all cores) / (sources + synapses) - 1, the redundancy of equation
    25 with axons for activations and synapses for weights: a source that reaches n cores has an
    entry on each of them, a synapse is stored with its target and nowhere else.
    """
    synapses = graph.n_synapses
    sources = int(np.count_nonzero(np.diff(partition.destinations.start)))
    stored = int(partition.fan_in.sum()) + int(partition.synapses.sum())
    return stored / (sources + synapses) - 1.0 if synapses else 0.0


def physical_flows(traffic: Traffic, core_of: IntArray) -> list[tuple[int, int]]:
    """Pairs (source, target) of physical cores that exchange at least one packet, sorted."""
    source, target = np.nonzero(traffic.packets)
    return sorted(zip(core_of[source].tolist(), core_of[target].tolist(), strict=True))


def _travelled(traffic: Traffic, core_of: IntArray, mesh: Mesh) -> tuple[IntArray, IntArray]:
    """Packets and hops of every pair that exchanges packets."""
    source, target = np.nonzero(traffic.packets)
    distance = mesh.distances[core_of[source], core_of[target]]
    if distance.size and distance.min() < 0:
        k = int(distance.argmin())
        start, end = int(core_of[source[k]]), int(core_of[target[k]])
        raise MappingError(
            f"{mesh}: core {start} at {mesh.coordinates(start)} sends packets to core {end} at "
            f"{mesh.coordinates(end)} and no path of working links leads there; place on cores "
            "that are connected (Mesh.check_connected)"
        )
    return traffic.packets[source, target], distance
