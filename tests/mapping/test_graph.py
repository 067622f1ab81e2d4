import numpy as np
import pytest
from hypothesis import given

from mapping import Edges, SpikingGraph
from simulator.errors import MappingError
from tests.mapping.support import graphs, naive_synapses


@given(graphs())
def test_fan_in_synapses_and_targets_against_sets(graph):
    synapses = naive_synapses(graph)
    pairs = set(synapses)
    for neuron in range(graph.n_neurons):
        assert graph.synapses()[neuron] == sum(j == neuron for _, j in synapses)
        assert graph.fan_in()[neuron] == sum(j == neuron for _, j in pairs)
        assert graph.targets(neuron).tolist() == sorted(int(j) for i, j in pairs if i == neuron)
    assert graph.n_synapses == len(synapses)


def test_two_overlapping_projections_count_synapses_twice_and_sources_once():
    graph = SpikingGraph(
        {"a": 3},
        [Edges("a", "a", self_connections=False), Edges("a", "a", [0, 0, 1], [1, 1, 1])],
        spike_counts=[1, 1, 1],
        duration_ms=1.0,
    )
    assert graph.synapses().tolist() == [2, 5, 2]
    assert graph.fan_in().tolist() == [2, 3, 2]  # the explicit 1 -> 1 is not in the block
    assert graph.targets(1).tolist() == [0, 1, 2]


def test_all_to_all_takes_no_memory_per_synapse():
    graph = SpikingGraph({"a": 40_000}, [Edges("a", "a")], np.ones(40_000), 1.0)
    assert graph.n_synapses == 1_600_000_000
    assert graph.connections.out_target.size == 0


def test_neurons_have_readable_names():
    graph = SpikingGraph([("a", 2), ("b", 3)], [], [0] * 5, 1.0)
    assert [graph.neuron_text(k) for k in (1, 2, 4)] == ["a[1]", "b[0]", "b[2]"]


def build(populations=None, edges=(), counts=(1, 1, 1), duration_ms=1.0):
    return SpikingGraph(populations or {"a": 2, "b": 1}, edges, counts, duration_ms)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"populations": [("a", 2), ("a", 1)]}, "population 'a' appears twice"),
        ({"populations": {"a": 0}}, "population 'a': size = 0; it must be >= 1"),
        ({"populations": {"a": 2.5}}, "population 'a': size = 2.5"),
        ({"counts": [1, 2]}, r"spike_counts has shape \(2,\).*3 neurons"),
        ({"counts": [1, -2, 3]}, r"spike_counts\[1\] = -2; counts must be >= 0"),
        ({"counts": [1, float("nan"), 3]}, r"spike_counts\[1\] = nan; expected an integer"),
        ({"counts": [1, 0.5, 3]}, r"spike_counts\[1\] = 0.5; expected an integer"),
        ({"counts": ["x", "y", "z"]}, "spike_counts has type .*expected integers"),
        ({"counts": [[1, 2, 3]]}, "spike_counts has 2 dimensions"),
        ({"duration_ms": 0.0}, "duration_ms = 0.0; it must be finite and > 0 ms"),
        ({"duration_ms": float("inf")}, "duration_ms = inf"),
        ({"duration_ms": float("nan")}, "duration_ms = nan"),
        ({"edges": [Edges("a", "c")]}, "edges 'a->c': no population 'c'; there are a, b"),
        ({"edges": [Edges("a", "b", [0])]}, "must both be given, or both be None"),
        ({"edges": [Edges("a", "b", [2], [0])]}, r"pre_index\[0\] = 2; population 'a' has neuron"),
        ({"edges": [Edges("a", "b", [0], [-1])]}, r"post_index\[0\] = -1; population 'b'"),
        ({"edges": [Edges("a", "b", [0, 1], [0])]}, "pre_index has 2 entries and post_index 1"),
        ({"edges": [Edges("a", "b", [float("inf")], [0])]}, r"pre_index\[0\] = inf"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(MappingError, match=message):
        build(**arguments)


def test_an_empty_network_is_refused():
    with pytest.raises(MappingError, match=r"no population; there is nothing to place"):
        SpikingGraph({}, [], [], 1.0)
