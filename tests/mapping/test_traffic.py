from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping import (
    CapacityError,
    Edges,
    Mesh,
    SpikingGraph,
    Traffic,
    packets_over_time,
    partition_neurons,
    spike_traffic,
)
from mapping.multicast_flows import MulticastFlows
from simulator.errors import MappingError
from tests.mapping.support import graphs, naive_packets, naive_synapses

meshes = st.builds(Mesh, st.integers(1, 4), st.integers(1, 4), neurons_per_core=st.integers(1, 8))


@given(graphs(), meshes, st.booleans(), st.booleans())
def test_packets_against_one_spike_at_a_time(graph, mesh, balance, mix):
    try:
        partition = partition_neurons(graph, mesh, balance=balance, mix_populations=mix)
    except CapacityError:
        return
    traffic = spike_traffic(graph, partition)
    expected = naive_packets(graph, partition.core_of, partition.n_cores)
    assert traffic.local.tolist() == expected.diagonal().tolist()
    np.fill_diagonal(expected, 0)
    assert traffic.packets.tolist() == expected.tolist()


def test_one_packet_per_spike_and_target_core_by_hand():
    # Two sources on core 0; three targets on cores 1 and 2; source 0 reaches all, source 1 one.
    edges = [Edges("a", "b", [0, 0, 0, 1], [0, 1, 2, 2]), Edges("a", "a", [0], [1])]
    graph = SpikingGraph({"a": 2, "b": 3}, edges, [10, 3, 7, 7, 7], 2.0)
    partition = partition_neurons(graph, Mesh(3, 1, neurons_per_core=2))
    traffic = spike_traffic(graph, partition)
    assert traffic.packets.tolist() == [[0, 10, 13], [0, 0, 0], [0, 0, 0]]
    assert traffic.local.tolist() == [10, 0, 0]
    assert (traffic.n_packets, traffic.duration_ms) == (23, 2.0)


@given(graphs(), st.data())
def test_packets_over_time_add_up_to_the_traffic(graph, data):
    partition = partition_neurons(graph, Mesh(6, 3, neurons_per_core=1))
    traffic = spike_traffic(graph, partition)
    ids = np.repeat(np.arange(graph.n_neurons), graph.spike_counts)
    time = st.floats(0.0, graph.duration_ms)
    times = data.draw(st.lists(time, min_size=ids.size, max_size=ids.size))
    bin_ms = data.draw(st.sampled_from([0.3, 2.5, 10.0, 100.0]))
    rate = packets_over_time(graph, partition, ids, times, bin_ms)
    assert rate.sent.sum(axis=0).tolist() == traffic.packets.sum(axis=1).tolist()
    assert rate.bin_start_ms[-1] < graph.duration_ms <= rate.bin_start_ms[-1] + bin_ms + 1e-9


def two_cores():
    graph = SpikingGraph({"a": 1, "b": 1}, [Edges("a", "b")], [3, 0], 10.0)
    return graph, partition_neurons(graph, Mesh(2, 1))


def test_packets_over_time_by_hand():
    rate = packets_over_time(*two_cores(), [0, 0, 0], [0.0, 4.9, 10.0], bin_ms=5.0)
    assert rate.bin_start_ms.tolist() == [0.0, 5.0]
    assert rate.sent.tolist() == [[2, 0], [1, 0]]


@pytest.mark.parametrize(
    ("ids", "times", "bin_ms", "message"),
    [
        ([0], [float("nan")], 1.0, r"times_ms\[0\] = nan ms; the run lasts 0..10.0 ms"),
        ([0], [11.0], 1.0, r"times_ms\[0\] = 11.0 ms"),
        ([0], [-1.0], 1.0, r"times_ms\[0\] = -1.0 ms"),
        ([2], [1.0], 1.0, r"neuron_ids\[0\] = 2; neurons are 0..1"),
        ([0, 0], [1.0], 1.0, r"2 neuron_ids and times of shape \(1,\)"),
        ([0], [1.0], 0.0, "bin_ms = 0.0"),
        ([0], [1.0], float("inf"), "bin_ms = inf"),
    ],
)
def test_bad_spikes_are_refused(ids, times, bin_ms, message):
    with pytest.raises(MappingError, match=message):
        packets_over_time(*two_cores(), ids, times, bin_ms)


@pytest.mark.parametrize(
    ("matrix", "duration_ms", "message"),
    [
        ([[0, 1]], 1.0, r"packets has shape \(1, 2\); expected a square matrix"),
        ([[]], 1.0, "expected a square matrix"),
        ([[0, -1], [0, 0]], 1.0, "negative number of packets"),
        ([[0, 0.5], [0, 0]], 1.0, "expected an integer"),
        ([[0, float("nan")], [0, 0]], 1.0, "expected an integer"),
        ([[0, 1], [0, 0]], 0.0, "duration_ms = 0.0"),
    ],
)
def test_bad_matrices_are_refused(matrix, duration_ms, message):
    with pytest.raises(MappingError, match=message):
        Traffic.from_matrix(matrix, duration_ms)


@given(graphs(), meshes, st.booleans())
def test_multicast_flows_spike_by_spike(graph, mesh, mix):
    try:
        partition = partition_neurons(graph, mesh, balance=True, mix_populations=mix)
    except CapacityError:
        return
    expected = Counter()
    for neuron in range(graph.n_neurons):
        core = int(partition.core_of[neuron])
        reached = {int(partition.core_of[j]) for i, j in naive_synapses(graph) if i == neuron}
        if reached - {core} and graph.spike_counts[neuron]:
            expected[core, frozenset(reached - {core})] += int(graph.spike_counts[neuron])
    flows = spike_traffic(graph, partition).multicast
    found = {}
    for f in range(flows.n_flows):
        row = flows.target[flows.start[f] : flows.start[f + 1]].tolist()
        assert row == sorted(set(row))
        found[int(flows.source[f]), frozenset(row)] = int(flows.packets[f])
    assert len(found) == flows.n_flows
    assert found == expected
    assert flows.n_packets == sum(expected.values())


@pytest.mark.parametrize(
    ("flows", "message"),
    [
        (([0], [0, 0], [], [1]), "every flow needs at least one target"),
        (([0], [0, 1], [1], [0]), "every flow needs at least one packet"),
        (([0], [0, 2], [0, 1], [1]), "a core sends to itself"),
        (([0], [0], [1], [1]), r"1 sources, 1 packet counts and 1 row starts"),
        (([0], [0, 1], [5], [1]), r"a core outside 0\.\.1"),
    ],
)
def test_bad_multicast_flows_are_refused(flows, message):
    with pytest.raises(MappingError, match=message):
        Traffic.from_multicast(MulticastFlows(*map(np.array, flows)), [0, 0], 1.0)


def test_multicast_flows_that_contradict_the_matrix_are_refused():
    flows = MulticastFlows(*map(np.array, ([0], [0, 1], [1], [4])))
    matrix, local = np.array([[0, 3], [0, 0]]), np.array([0, 0])
    with pytest.raises(MappingError, match="do not add up to the matrix of packets"):
        Traffic(matrix, local, 1.0, flows)
