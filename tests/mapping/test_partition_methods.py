"""Every method within every capacity, packets counted again, kernels against brute force."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping import (
    CapacityError,
    Edges,
    Hypergraph,
    Mesh,
    SpikingGraph,
    compatible_cores,
    partition_hypergraph,
    partition_names,
    partition_neurons,
)
from mapping.partition._level import assign, axons_after, gain, gain_vector, packets, shift
from mapping.partition._problem import problem_of_graph, problem_of_hypergraph
from simulator.errors import MappingError
from tests.mapping.support import graphs, naive_axons, naive_packets

OWN = ("greedy", "multilevel", "sequential")
QUICK = {"multilevel": {"effort": 1e-3, "cycles": 1}}


@st.composite
def hypergraphs(draw, max_vertices=9):
    n = draw(st.integers(1, max_vertices))
    nets = draw(
        st.lists(
            st.tuples(
                st.integers(-1, n - 1),
                st.lists(st.integers(0, n - 1), max_size=n),
                st.integers(0, 5),
            ),
            min_size=1,
            max_size=10,
        )
    )
    start = np.cumsum([0, *(len(pins) for _, pins, _ in nets)])
    return Hypergraph(
        [source for source, _, _ in nets],
        start,
        [pin for _, pins, _ in nets for pin in pins],
        [weight for _, _, weight in nets],
        n_vertices=n,
    )


tables = st.lists(
    st.tuples(st.integers(1, 5), st.integers(0, 8), st.integers(0, 30)), min_size=1, max_size=5
).map(lambda rows: np.array(rows, dtype=np.int64))


def naive_use(hypergraph, core_of, core):
    """Neurons, axons and synapses of a core, one pin at a time."""
    held = [v for v in range(hypergraph.n_vertices) if core_of[v] == core]
    nets = {
        e
        for e in range(hypergraph.n_nets)
        for pin in hypergraph.pins[hypergraph.net_start[e] : hypergraph.net_start[e + 1]]
        if core_of[pin] == core
    }
    return [
        sum(hypergraph.neurons[v] for v in held),
        len(nets),
        sum(hypergraph.synapses[v] for v in held),
    ]


def naive_cost(hypergraph, core_of):
    total = 0.0
    for e in range(hypergraph.n_nets):
        pins = hypergraph.pins[hypergraph.net_start[e] : hypergraph.net_start[e + 1]]
        source = hypergraph.sources[e]
        away = {core_of[pin] for pin in pins} - ({core_of[source]} if source >= 0 else set())
        total += hypergraph.weights[e] * len(away)
    return total


@settings(max_examples=40, deadline=None)
@given(hypergraphs(), tables, st.booleans(), st.integers(0, 3))
def test_no_method_exceeds_a_capacity_of_a_hypergraph(hypergraph, table, balance, seed):
    packed, refusals = {}, []
    for method in OWN:
        try:
            partition = partition_hypergraph(
                hypergraph,
                table,
                method=method,
                seed=seed,
                balance=balance,
                **QUICK.get(method, {}),
            )
        except CapacityError as error:
            refusals.append((error.available, error.needed))
            continue
        packed[method] = partition.packets
        use = [naive_use(hypergraph, partition.core_of, c) for c in range(partition.n_cores)]
        assert partition.use.tolist() == use
        assert partition.packets == naive_cost(hypergraph, partition.core_of)
        # Some assignment of the logical cores to the real ones holds them all.
        assert has_room(use, table)
    assert all(needed > available for available, needed in refusals)
    if "sequential" in packed:
        assert set(packed) == set(OWN)
        assert packed["multilevel"] <= packed["sequential"]


def has_room(use, table):
    """Whether all logical cores find a core of their own: augmenting paths."""
    owner = {}

    def find(core, seen):
        for slot in range(len(table)):
            if slot not in seen and np.all(np.array(use[core]) <= table[slot]):
                seen.add(slot)
                if slot not in owner or find(owner[slot], seen):
                    owner[slot] = core
                    return True
        return False

    return all(find(core, set()) for core in range(len(use)))


@settings(max_examples=25, deadline=None)
@given(graphs(), st.integers(1, 6), st.integers(1, 12), st.booleans(), st.booleans())
def test_no_method_exceeds_a_capacity_of_a_network(graph, neurons, fan_in, balance, mix):
    mesh = Mesh(3, 2, neurons_per_core=neurons, fan_in_per_core=fan_in, synapses_per_core=40)
    packed = {}
    for method in OWN:
        try:
            partition = partition_neurons(
                graph,
                mesh,
                method=method,
                balance=balance,
                mix_populations=mix,
                **QUICK.get(method, {}),
            )
        except CapacityError:
            continue
        axons = naive_axons(graph, partition.core_of)
        assert partition.fan_in.tolist() == [len(axons[c]) for c in range(partition.n_cores)]
        assert np.all(partition.use <= [neurons, fan_in, 40])
        table = naive_packets(graph, partition.core_of, partition.n_cores)
        packed[method] = partition.packets
        assert partition.packets == table.sum() - table.trace()
    if "sequential" in packed and not mix:
        assert packed["multilevel"] <= packed["sequential"]


@settings(max_examples=30, deadline=None)
@given(graphs(), st.data())
def test_gains_and_axons_are_those_of_counting_again(graph, data):
    """Mixed all-to-all and explicit projections count twice where both reach one core."""
    table = np.full((3, 3), 1000, dtype=np.int64)
    problem = problem_of_graph(graph, table, "machine", mix_populations=False, pinned=None)
    level, limits = problem.level, problem.limits
    cores = st.lists(st.integers(0, 2), min_size=graph.n_neurons, max_size=graph.n_neurons)
    a = assign(level, limits, np.array(data.draw(cores), dtype=np.int32))
    out = np.zeros(3)
    for _ in range(4):
        v = data.draw(st.integers(0, graph.n_neurons - 1))
        there = data.draw(st.integers(0, 2))
        before = packets(level, limits, a)
        gain_vector(level, limits, a, v, out)
        saved = gain(level, limits, a, v, there)
        assert saved == out[there]
        if a.core_of[v] != there:
            axons = axons_after(level, limits, a, v, there)
            shift(level, limits, a, v, there)
            assert a.use[there, 1] == axons
        again = assign(level, limits, a.core_of.copy())
        assert packets(level, limits, again) == packets(level, limits, a) == before - saved
        for name in ("pins", "use", "held", "reached", "sent", "n_members", "n_near"):
            assert np.array_equal(getattr(a, name), getattr(again, name)), name


def test_tiny_networks_come_out_at_the_optimum():
    rng = np.random.default_rng(3)
    table = np.array([[3, 100, 100], [3, 100, 100]])
    for seed in range(6):
        pins = [rng.choice(6, size=rng.integers(1, 4), replace=False) for _ in range(6)]
        hypergraph = Hypergraph(
            np.arange(6),
            np.cumsum([0, *map(len, pins)]),
            np.concatenate(pins),
            rng.integers(1, 9, 6),
        )
        best = min(
            naive_cost(hypergraph, cores) for cores in product((0, 1), repeat=6) if sum(cores) == 3
        )
        found = partition_hypergraph(hypergraph, table, seed=seed, effort=0.01)
        assert found.packets == best


def planted(n_groups, size, seed):
    """Groups in which everybody reaches everybody, in shuffled order."""
    label = np.random.default_rng(seed).permutation(n_groups * size)
    groups = label.reshape(n_groups, size)
    rows = {v: group[group != v] for group in groups for v in group}
    pins = [rows[v] for v in range(n_groups * size)]
    return Hypergraph(
        np.arange(n_groups * size), np.cumsum([0, *map(len, pins)]), np.concatenate(pins)
    )


@pytest.mark.parametrize("method", ["greedy", "multilevel"])
def test_shuffled_groups_are_found_again(method):
    hypergraph = planted(8, 12, seed=1)
    table = np.tile([12, 10**6, 10**6], (8, 1))
    options = {"effort": 0.05} if method == "multilevel" else {}
    assert partition_hypergraph(hypergraph, table, method=method, **options).packets == 0
    assert partition_hypergraph(hypergraph, table, method="sequential").packets > 400


def test_neighbours_of_another_population_do_not_close_a_core():
    # Two rings, the first tied more to the second than along itself: whoever fills a core
    # with the one pulls ever more of the other, and none of them may come.
    here, neuron = np.arange(160), np.random.default_rng(0).permutation(160)
    window = (here[:, None] + np.arange(-20, 21)).ravel() % 160
    edges = [Edges("a", "b", neuron[np.repeat(here, 41)], neuron[window])]
    edges += [Edges(name, name, neuron, neuron[(here + 1) % 160]) for name in "ab"]
    graph = SpikingGraph({"a": 160, "b": 160}, edges, [1] * 320, 1.0)
    partition = partition_neurons(graph, Mesh(2, 4, neurons_per_core=80), method="greedy")
    assert partition.neurons.tolist() == [80] * 4
    # Each ring is cut twice, each `a` reaches a core of `b`, and 40 windows cross either cut.
    assert partition.packets == 2 * 2 + 160 + 2 * 40


def test_a_small_effort_fills_by_connectivity_and_descends():
    from experiments.mapping_parts.networks import draw_sheet

    graph = draw_sheet(320, 80, 10, near=1.0, seed=3)
    mesh = Mesh(4, 4, neurons_per_core=32, fan_in_per_core=150)
    in_order = partition_neurons(graph, mesh)
    options = {"method": "multilevel", "effort": 1e-6}
    found = partition_neurons(graph, mesh, **options)
    assert found.packets < 0.9 * in_order.packets
    assert (found.use <= [32, 150, 131_072]).all()
    again = partition_neurons(graph, mesh, **options)
    assert np.array_equal(found.core_of, again.core_of)


def test_the_same_seed_gives_the_same_partition():
    hypergraph = planted(4, 6, seed=2)
    table = np.tile([5, 10**6, 10**6], (5, 1))
    options = {"effort": 0.01, "seed": 7}
    first = partition_hypergraph(hypergraph, table, **options)
    assert np.array_equal(first.core_of, partition_hypergraph(hypergraph, table, **options).core_of)


def test_a_pinned_population_stays_on_its_cores():
    graph = SpikingGraph({"in": 6, "out": 6}, [Edges("in", "out")], [3] * 12, 1.0)
    mesh = Mesh(3, 2, neurons_per_core=3)
    for method in OWN:
        partition = partition_neurons(
            graph, mesh, method=method, pinned={"out": [1, 4]}, **QUICK.get(method, {})
        )
        allowed = compatible_cores(partition, mesh)
        counts = partition.population_counts(graph)
        for core in range(partition.n_cores):
            if counts[core, 1]:
                assert np.flatnonzero(allowed[core]).tolist() == [1, 4]
        assert partition.n_cores == 4
    with pytest.raises(CapacityError, match=r"the 1 cores that 'out' is pinned to .*1 short"):
        partition_neurons(graph, mesh, pinned={"out": 4})
    with pytest.raises(MappingError, match=r"pinned: no population 'up'; there are in, out"):
        partition_neurons(graph, mesh, pinned={"up": 4})
    with pytest.raises(MappingError, match=r"pinned\['out'\]: no core 9"):
        partition_neurons(graph, mesh, pinned={"out": [9]})


def test_faulty_and_unlike_cores_are_respected():
    graph = SpikingGraph({"a": 10}, [], [1] * 10, 1.0)
    mesh = Mesh(2, 2, neurons_per_core=4, faulty_cores=(0,))
    partition = partition_neurons(graph, mesh)
    assert partition.neurons.tolist() == [4, 4, 2]
    assert not compatible_cores(partition, mesh)[:, 0].any()
    table = np.array([[2, 9, 9], [0, 0, 0], [7, 9, 9], [1, 9, 9]])
    rest = Hypergraph([-1], [0, 0], [], n_vertices=10)
    for method in OWN:
        found = partition_hypergraph(rest, table, method=method)
        assert sorted(found.neurons.tolist()) == [1, 2, 7]


def test_interruption_keeps_the_best_and_progress_reaches_the_end():
    hypergraph = planted(4, 6, seed=2)
    table = np.tile([6, 10**6, 10**6], (4, 1))
    seen = []
    partition_hypergraph(
        hypergraph, table, effort=0.005, progress=lambda done, best: seen.append((done, best))
    )
    fractions, bests = zip(*seen, strict=True)
    assert all(0 < f <= 1 for f in fractions)
    assert list(fractions) == sorted(fractions)
    assert list(bests) == sorted(bests, reverse=True)

    def stop(done, best):
        raise KeyboardInterrupt

    kept = partition_hypergraph(hypergraph, table, progress=stop)
    assert kept.packets == partition_hypergraph(hypergraph, table, method="sequential").packets


@pytest.mark.parametrize("method", ["metis", "mtkahypar"])
def test_a_peer_is_made_to_fit(method):
    pytest.importorskip({"metis": "pymetis"}.get(method, method))
    hypergraph = planted(4, 6, seed=2)
    table = np.tile([6, 30, 200], (4, 1))
    partition = partition_hypergraph(hypergraph, table, method=method)
    assert np.all(partition.use <= table[0])
    assert partition.packets == naive_cost(hypergraph, partition.core_of)


def test_what_cannot_be_used_is_named():
    ring = Hypergraph([0, 1], [0, 1, 2], [1, 0])
    table = np.tile([1, 5, 5], (2, 1))
    assert set(partition_names()) >= {*OWN, "metis", "mtkahypar"}
    for arguments, message in [
        ({"method": "best"}, r"unknown partition method 'best'; there are greedy, metis"),
        ({"effort": 0}, r"effort = 0; it must be finite and > 0"),
        ({"effort": float("nan")}, r"effort = nan"),
        ({"cycles": -1}, r"cycles = -1"),
        ({"passes": 3}, r"'multilevel' has no option 'passes'; it has effort, cycles, progress"),
        ({"seed": -1}, r"seed = -1; it must be an integer >= 0"),
    ]:
        with pytest.raises(MappingError, match=message):
            partition_hypergraph(ring, table, **arguments)
    with pytest.raises(MappingError, match=r"capacities have shape \(3,\)"):
        partition_hypergraph(ring, [1, 2, 3])
    with pytest.raises(MappingError, match=r"used a core outside 0\.\.1"):
        partition_hypergraph(ring, table, method=lambda problem, *, seed: np.array([0, 7]))
    with pytest.raises(MappingError, match=r"core 0 2 of"):
        partition_hypergraph(ring, table, method=lambda problem, *, seed: np.array([0, 0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0], [0, 2], [1]), r"net_start runs from 0 to 2; .* number of pins, 1"),
        (([0], [0], []), r"net_start has 1 entries; 1 nets need 2"),
        (([0, 0], [0, 2, 1], [1]), r"net_start falls after entry 1"),
        (([-2], [0, 1], [1]), r"sources\[0\] = -2; vertices are 0\.\.1, and -1 is outside"),
        (([0], [0, 1], [-1]), r"pins\[0\] = -1"),
        (([0], [0, 1], [1], [np.nan]), r"weights\[0\] = nan; weights must be finite"),
        (([0], [0, 1], [1], [-1]), r"weights\[0\] = -1\.0"),
        (([], [0], []), r"n_vertices = None; a hypergraph has at least one vertex"),
    ],
)
def test_a_hypergraph_is_checked_at_the_door(arguments, message):
    with pytest.raises(MappingError, match=message):
        Hypergraph(*arguments)


def test_coarse_levels_cost_what_the_finest_costs():
    from mapping.partition._coarsen import clusters, contract

    hypergraph = planted(4, 6, seed=5)
    problem = problem_of_hypergraph(hypergraph, np.tile([24, 999, 999], (3, 1)), "machine")
    level, limits, n = problem.level, problem.limits, hypergraph.n_vertices
    cluster_of = np.empty(n, dtype=np.int32)
    most = np.array([3, 2**62, 999], dtype=np.int64)
    apart = np.full(n, -1, dtype=np.int32)
    count = clusters(level, np.arange(n), apart, most, 5, 1000, cluster_of)
    assert np.bincount(cluster_of).max() <= 3
    coarse = contract(level, cluster_of, count)
    core_of = np.random.default_rng(0).integers(0, 3, count).astype(np.int32)
    above, below = assign(coarse, limits, core_of), assign(level, limits, core_of[cluster_of])
    assert packets(coarse, limits, above) == packets(level, limits, below)
    assert np.array_equal(above.use, below.use)
