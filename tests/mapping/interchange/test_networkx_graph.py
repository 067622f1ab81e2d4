import networkx as nx
import numpy as np
import pytest
from hypothesis import given

from mapping import Mesh, partition_neurons, spike_traffic
from mapping.interchange import (
    network_from_networkx,
    traffic_from_networkx,
    traffic_to_networkx,
)
from simulator.errors import MappingError
from tests.mapping.interchange.test_csv_file import traffics
from tests.mapping.support import demo_graph


@given(traffics())
def test_traffic_comes_back_from_networkx(traffic):
    graph = traffic_to_networkx(traffic)
    assert graph.number_of_nodes() == traffic.n_cores
    assert graph.size(weight="packets") == traffic.n_packets
    found = traffic_from_networkx(graph)
    assert found.packets.tolist() == traffic.packets.tolist()
    assert found.local.tolist() == traffic.local.tolist()
    assert found.duration_ms == traffic.duration_ms


def test_any_names_parallel_edges_and_another_weight():
    graph = nx.MultiDiGraph()
    graph.add_edge("b", "a", spikes=2)
    graph.add_edge("b", "a", spikes=3)
    graph.add_edge("a", "a", spikes=4)
    traffic = traffic_from_networkx(graph, weight="spikes", duration_ms=5.0)
    assert traffic.packets.tolist() == [[0, 5], [0, 0]]
    assert traffic.local.tolist() == [0, 4]


def test_a_network_of_neurons_from_networkx():
    graph = nx.MultiDiGraph(duration_ms=10.0)
    graph.add_node("x", population="in", spikes=7)
    graph.add_node("out0", population="out", spikes=1)
    graph.add_node("y", population="in", spikes=5)
    graph.add_edges_from([("x", "out0"), ("x", "out0"), ("y", "out0"), ("y", "x")])
    network = network_from_networkx(graph)
    assert (network.names, network.sizes.tolist()) == (("in", "out"), [2, 1])
    assert network.spike_counts.tolist() == [7, 5, 1]
    assert network.synapses().tolist() == [1, 0, 3]
    assert network.targets(1).tolist() == [0, 2]
    # Spike counts in the order of the nodes.
    again = network_from_networkx(graph, spike_counts=[1, 2, 3], duration_ms=2.0)
    assert (again.spike_counts.tolist(), again.duration_ms) == ([1, 3, 2], 2.0)


def test_a_whole_network_the_long_way_round_has_the_same_traffic():
    demo = demo_graph()
    graph = nx.DiGraph()
    for neuron in range(demo.n_neurons):
        name = demo.names[demo.population_of[neuron]]
        graph.add_node(neuron, population=name, spikes=int(demo.spike_counts[neuron]))
    graph.add_edges_from((i, j) for i in range(demo.n_neurons) for j in demo.targets(i))
    found = network_from_networkx(graph, duration_ms=demo.duration_ms)
    mesh = Mesh(3, 3, neurons_per_core=50)
    expected = spike_traffic(demo, partition_neurons(demo, mesh))
    traffic = spike_traffic(found, partition_neurons(found, mesh))
    assert np.array_equal(traffic.packets, expected.packets)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (nx.Graph([(0, 1)]), r"Graph is not a directed graph of networkx; .*to_directed"),
        (nx.DiGraph(), "the graph has no node"),
        (nx.DiGraph([(0, 1)], duration_ms=1), r"edge 0 -> 1 has no attribute 'packets'"),
        (nx.DiGraph([(0, 1, {"packets": 1})]), "no attribute 'duration_ms'; give duration_ms"),
        (nx.DiGraph([(0, 1, {"packets": -1})], duration_ms=1), r"0 -> 1: packets = -1; it must"),
        (nx.DiGraph([(0, 1, {"packets": 0.5})], duration_ms=1), r"expected an integer"),
    ],
)
def test_graphs_that_are_no_traffic_are_refused(graph, message):
    with pytest.raises(MappingError, match=message):
        traffic_from_networkx(graph)


def test_networks_without_spikes_are_refused():
    graph = nx.DiGraph([(0, 1)], duration_ms=1.0)
    with pytest.raises(MappingError, match="node 0 has no attribute 'spikes'"):
        network_from_networkx(graph)
    with pytest.raises(MappingError, match="3 entries for 2 nodes"):
        network_from_networkx(graph, spike_counts=[1, 2, 3])
