"""Spiking networks on a mesh of cores: partition, placement, routing, and a deadlock verdict.

One call does it all::

    report = map_network(graph, Mesh.parse("8x8"), routing="xy", seed=0)
    report.to_json("mapping.json")

The steps are there one by one as well: `partition_neurons`, `spike_traffic`, `place`, `route`,
`find_deadlock`, and every measure in `mapping.metrics`; pictures are in `mapping.draw`.
"""

from __future__ import annotations

from mapping.closed_loop import AsynchronousPartition
from mapping.cosimulation import CoSimulation, Journeys, homes_of
from mapping.deadlock import Verdict, channel_dependency_graph, find_deadlock
from mapping.deadlock_multicast import MulticastVerdict, find_multicast_deadlock
from mapping.deadlock_witness import WitnessPacket, witness_packets
from mapping.graph import Edges, SpikingGraph
from mapping.hamiltonian import hamiltonian_cycle, hamiltonian_loop
from mapping.hypergraph import Hypergraph
from mapping.layer import ConvLayer, resnet50
from mapping.limit import MappingLimit, degree_bound, mapping_limit
from mapping.mesh import LOIHI_HOP_ENERGY, CoreCapacity, HopEnergy, Mesh
from mapping.multicast import MulticastTree, multicast_names, multicast_tree
from mapping.partition import (
    CapacityError,
    Partition,
    compatible_cores,
    partition_hypergraph,
    partition_names,
    partition_neurons,
)
from mapping.pipeline import map_network, measure_mapping
from mapping.placement import Placement, place, placement_names
from mapping.presets import NO_LIMIT, preset_names, preset_rows
from mapping.report import MappingReport
from mapping.routing import Channel, RoutingFunction, route, routing_function, routing_names
from mapping.simulated import graph_of
from mapping.tensor_partition import SynchronousPartition
from mapping.traffic import Traffic, packets_over_time, spike_traffic

__all__ = [
    "LOIHI_HOP_ENERGY",
    "NO_LIMIT",
    "AsynchronousPartition",
    "CapacityError",
    "Channel",
    "CoSimulation",
    "ConvLayer",
    "CoreCapacity",
    "Edges",
    "HopEnergy",
    "Hypergraph",
    "Journeys",
    "MappingLimit",
    "MappingReport",
    "Mesh",
    "MulticastTree",
    "MulticastVerdict",
    "Partition",
    "Placement",
    "RoutingFunction",
    "SpikingGraph",
    "SynchronousPartition",
    "Traffic",
    "Verdict",
    "WitnessPacket",
    "channel_dependency_graph",
    "compatible_cores",
    "degree_bound",
    "find_deadlock",
    "find_multicast_deadlock",
    "graph_of",
    "hamiltonian_cycle",
    "hamiltonian_loop",
    "homes_of",
    "map_network",
    "mapping_limit",
    "measure_mapping",
    "multicast_names",
    "multicast_tree",
    "packets_over_time",
    "partition_hypergraph",
    "partition_names",
    "partition_neurons",
    "place",
    "placement_names",
    "preset_names",
    "preset_rows",
    "resnet50",
    "route",
    "routing_function",
    "routing_names",
    "spike_traffic",
    "witness_packets",
]
