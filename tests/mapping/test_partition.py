import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping import CapacityError, Edges, Mesh, SpikingGraph, partition_neurons
from tests.mapping.support import demo_graph, graphs, naive_axons, naive_synapses

capacities = {
    "neurons_per_core": st.integers(1, 8),
    "fan_in_per_core": st.integers(1, 12),
    "synapses_per_core": st.integers(1, 40),
}
meshes = st.builds(Mesh, st.integers(1, 4), st.integers(1, 4), **capacities)


@given(graphs(), meshes, st.booleans(), st.booleans())
def test_no_core_is_ever_over_a_capacity(graph, mesh, balance, mix):
    if not exists(graph, mesh, mix):
        with pytest.raises(CapacityError) as refusal:
            partition_neurons(graph, mesh, balance=balance, mix_populations=mix)
        assert refusal.value.needed > refusal.value.available
        return
    partition = partition_neurons(graph, mesh, balance=balance, mix_populations=mix)
    core_of = partition.core_of
    assert sorted(set(core_of.tolist())) == list(range(partition.n_cores))
    assert partition.n_cores <= mesh.n_cores
    assert np.all(np.diff(core_of) >= 0)
    axons, synapses = naive_axons(graph, core_of), naive_synapses(graph)
    for core in range(partition.n_cores):
        n_neurons = int(np.sum(core_of == core))
        n_synapses = sum(core_of[j] == core for _, j in synapses)
        assert partition.neurons[core] == n_neurons <= mesh.neurons_per_core
        assert partition.fan_in[core] == len(axons[core]) <= mesh.fan_in_per_core
        assert partition.synapses[core] == n_synapses <= mesh.synapses_per_core
        if not mix:
            assert len(set(graph.population_of[core_of == core].tolist())) == 1


def exists(graph, mesh, mix):
    """Whether any cut of the neuron order fits: fewest pieces by dynamic programming."""
    synapses = naive_synapses(graph)

    def fits(first, last):
        inbound = [(i, j) for i, j in synapses if first <= j < last]
        one_population = len(set(graph.population_of[first:last].tolist())) == 1
        return (
            last - first <= mesh.neurons_per_core
            and len({i for i, _ in inbound}) <= mesh.fan_in_per_core
            and len(inbound) <= mesh.synapses_per_core
            and (mix or one_population)
        )

    fewest = [0] + [10**9] * graph.n_neurons
    for last in range(1, graph.n_neurons + 1):
        for first in range(last):
            if fits(first, last):
                fewest[last] = min(fewest[last], fewest[first] + 1)
    return fewest[-1] <= mesh.n_cores


@given(graphs(), meshes, st.booleans())
def test_balance_never_holds_more_neurons_on_the_fullest_core(graph, mesh, mix):
    try:
        packed = partition_neurons(graph, mesh, mix_populations=mix)
    except CapacityError:
        return
    spread = partition_neurons(graph, mesh, balance=True, mix_populations=mix)
    assert spread.neurons.max() <= packed.neurons.max()
    assert spread.n_cores >= packed.n_cores


def test_balance_spreads_the_demo_over_the_chip():
    partition = partition_neurons(demo_graph(), Mesh(8, 8), balance=True)
    # Five neurons per core need 50 + 7 cores; four would need 63 + 8 > 64.
    assert partition.n_cores == 57
    assert partition.neurons.tolist() == [5] * 54 + [4] * 3
    packed = partition_neurons(demo_graph(), Mesh(8, 8))
    assert packed.neurons.tolist() == [250, 32]
    assert packed.fan_in.tolist() == [0, 282]
    assert packed.synapses.tolist() == [0, 250 * 32 + 32 * 31]


def test_mixing_fills_the_gap_at_the_end_of_a_population():
    graph = SpikingGraph({"a": 3, "b": 3}, [], [0] * 6, 1.0)
    mesh = Mesh(2, 2, neurons_per_core=2)
    assert partition_neurons(graph, mesh).neurons.tolist() == [2, 1, 2, 1]
    assert partition_neurons(graph, mesh, mix_populations=True).neurons.tolist() == [2, 2, 2]


def test_a_lone_neuron_needs_no_axon_from_itself():
    edges = [Edges("a", "a", self_connections=False)]
    graph = SpikingGraph({"a": 4}, edges, [1] * 4, 1.0)
    alone = partition_neurons(graph, Mesh(2, 2, fan_in_per_core=3))
    assert (alone.n_cores, alone.fan_in.tolist()) == (4, [3, 3, 3, 3])
    together = partition_neurons(graph, Mesh(2, 2, fan_in_per_core=4))
    assert (together.n_cores, together.fan_in.tolist()) == (1, [4])


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        (
            {"fan_in_per_core": 100},
            r"neuron hidden\[0\] needs 281 inbound axons .* fan_in_per_core = 100: 181 short; "
            r".* fan_in_per_core >= 281 would do",
        ),
        (
            {"synapses_per_core": 280},
            r"neuron hidden\[0\] needs 281 synapses .* synapses_per_core = 280: 1 short",
        ),
        (
            {"neurons_per_core": 50},
            r"2x2 mesh: 282 neurons need 6 cores and there are 4: 2 short "
            r"\(neurons_per_core = 50 closed 4\); a 3x3 mesh would do, or a larger neurons_",
        ),
        (
            {"synapses_per_core": 562},
            r"need 17 cores and there are 4: 13 short \(synapses_per_core = 562 closed 15\); "
            r"a 5x5 mesh would do, or a larger synapses_per_core",
        ),
        (
            {"neurons_per_core": 71},
            r"need 5 cores .*: 1 short .*; a 3x3 mesh would do, or mix_populations=True",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_shortfall_and_the_remedy(limit, message):
    with pytest.raises(CapacityError, match=message) as caught:
        partition_neurons(demo_graph(), Mesh(2, 2, **limit))
    assert caught.value.needed > caught.value.available
    assert caught.value.resource in (*limit, "cores")


def test_the_remedies_of_the_refusal_do_work():
    graph = demo_graph()
    tight = {"neurons_per_core": 71}
    assert partition_neurons(graph, Mesh(3, 3, **tight)).n_cores == 5
    assert partition_neurons(graph, Mesh(2, 2, **tight), mix_populations=True).n_cores == 4
