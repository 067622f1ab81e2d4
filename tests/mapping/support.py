"""Random networks for the tests of `mapping`, and slow, obvious twins of what it computes."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import strategies as st

from mapping import Edges, SpikingGraph

Pairs = set[tuple[int, int]]


@st.composite
def graphs(draw, max_populations=3, max_size=6):
    """Small networks with blocks, explicit lists, repeated synapses and overlapping projections."""
    sizes = draw(st.lists(st.integers(1, max_size), min_size=1, max_size=max_populations))
    names = [f"p{k}" for k in range(len(sizes))]
    edges = []
    for _ in range(draw(st.integers(0, 4))):
        pre = draw(st.integers(0, len(sizes) - 1))
        post = draw(st.integers(0, len(sizes) - 1))
        if draw(st.booleans()):
            edges.append(Edges(names[pre], names[post], self_connections=draw(st.booleans())))
        else:
            pair = st.tuples(st.integers(0, sizes[pre] - 1), st.integers(0, sizes[post] - 1))
            pairs = np.array(draw(st.lists(pair, max_size=12)), dtype=int).reshape(-1, 2)
            edges.append(Edges(names[pre], names[post], pairs[:, 0], pairs[:, 1]))
    counts = draw(st.lists(st.integers(0, 50), min_size=sum(sizes), max_size=sum(sizes)))
    return SpikingGraph(dict(zip(names, sizes, strict=True)), edges, counts, duration_ms=10.0)


def naive_synapses(graph: SpikingGraph) -> list[tuple[int, int]]:
    """Every synapse as a (source, target) pair of global neuron numbers, repeats included."""
    synapses = []
    for edge in graph.edges:
        pre = graph.names.index(edge.pre_population)
        post = graph.names.index(edge.post_population)
        if edge.pre_index is None:
            for i in range(graph.sizes[pre]):
                for j in range(graph.sizes[post]):
                    if pre != post or i != j or edge.self_connections:
                        synapses.append((graph.offsets[pre] + i, graph.offsets[post] + j))
        else:
            for i, j in zip(edge.pre_index, edge.post_index, strict=True):
                synapses.append((graph.offsets[pre] + i, graph.offsets[post] + j))
    return synapses


def naive_axons(graph: SpikingGraph, core_of) -> dict[int, set[int]]:
    """Distinct source neurons of each core."""
    axons = defaultdict(set)
    for source, target in naive_synapses(graph):
        axons[int(core_of[target])].add(int(source))
    return axons


def naive_packets(graph: SpikingGraph, core_of, n_cores: int) -> np.ndarray:
    """Packet matrix, local deliveries on the diagonal: one spike and one target core at a time."""
    packets = np.zeros((n_cores, n_cores), dtype=int)
    for neuron in range(graph.n_neurons):
        cores = {int(core_of[j]) for i, j in naive_synapses(graph) if i == neuron}
        for core in cores:
            packets[core_of[neuron], core] += graph.spike_counts[neuron]
    return packets


def demo_graph() -> SpikingGraph:
    """250 encoders all-to-all onto 32 neurons that inhibit each other."""
    counts = [36_000] * 250 + [1_100 + 7 * k for k in range(32)]
    edges = [Edges("code", "hidden"), Edges("hidden", "hidden", self_connections=False)]
    return SpikingGraph({"code": 250, "hidden": 32}, edges, counts, duration_ms=1_440_000.0)
