"""Traffic and networks as directed graphs of networkx."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mapping.graph import Edges, SpikingGraph, integers
from mapping.traffic import Traffic
from simulator.errors import MappingError

__all__ = ["network_from_networkx", "traffic_from_networkx", "traffic_to_networkx"]


def traffic_to_networkx(traffic: Traffic) -> Any:
    """Packets between logical cores as a `networkx.DiGraph`.

    Nodes 0..n_cores - 1 with the attribute ``local`` (local deliveries), an edge with the
    attribute ``packets`` for every pair that exchanges packets, and the graph attribute
    ``duration_ms``. Which packets go to several cores at once is not in it.
    """
    import networkx as nx

    graph = nx.DiGraph(duration_ms=traffic.duration_ms)
    graph.add_nodes_from((core, {"local": int(n)}) for core, n in enumerate(traffic.local))
    source, target = np.nonzero(traffic.packets)
    graph.add_weighted_edges_from(
        zip(
            source.tolist(), target.tolist(), traffic.packets[source, target].tolist(), strict=True
        ),
        weight="packets",
    )
    return graph


def traffic_from_networkx(
    graph: Any, *, weight: str = "packets", duration_ms: float | None = None
) -> Traffic:
    """Traffic from a directed graph; logical core k is the k-th node of the graph.

    Parameters
    ----------
    graph : networkx.DiGraph or MultiDiGraph
        Parallel edges add up; an edge of a node to itself, and its attribute ``local``, are
        local deliveries.
    weight : str
        Edge attribute with the number of packets, an integer >= 0.
    duration_ms : float, optional
        [ms] default, the graph attribute of that name.

    Raises
    ------
    MappingError
        Not a directed graph, an empty one, an edge without its weight or with one that is not a
        number of packets, or no duration.
    """
    _check_directed(graph)
    number = {node: k for k, node in enumerate(graph)}
    if not number:
        raise MappingError("the graph has no node; there is no traffic")
    duration = duration_ms if duration_ms is not None else graph.graph.get("duration_ms")
    if duration is None:
        raise MappingError("the graph has no attribute 'duration_ms'; give duration_ms")
    matrix = np.zeros((len(number), len(number)), dtype=np.int64)
    for source, target, attributes in graph.edges(data=True):
        if weight not in attributes:
            raise MappingError(f"edge {source!r} -> {target!r} has no attribute {weight!r}")
        label = f"edge {source!r} -> {target!r}: {weight}"
        matrix[number[source], number[target]] += _count(label, attributes[weight])
    for node, local in graph.nodes(data="local", default=0):
        matrix[number[node], number[node]] += _count(f"node {node!r}: local", local)
    return Traffic.from_matrix(matrix, float(duration))


def network_from_networkx(
    graph: Any, *, spike_counts: ArrayLike | str = "spikes", duration_ms: float | None = None
) -> SpikingGraph:
    """Neurons and synapses of a directed graph: node k is neuron k, an edge is a synapse.

    Parameters
    ----------
    graph : networkx.DiGraph or MultiDiGraph
        Parallel edges are several synapses. The node attribute ``population`` (default
        "neurons") groups neurons; they are numbered by population, in order of appearance.
    spike_counts : array of int, or str
        Spikes of each node, in the order of the graph, or the node attribute that holds them.
    duration_ms : float, optional
        [ms] default, the graph attribute of that name.

    Raises
    ------
    MappingError
        As `SpikingGraph` does, and for a graph that is not directed or lacks an attribute.
    """
    _check_directed(graph)
    nodes = list(graph)
    duration = duration_ms if duration_ms is not None else graph.graph.get("duration_ms")
    if duration is None:
        raise MappingError("the graph has no attribute 'duration_ms'; give duration_ms")
    if isinstance(spike_counts, str):
        lacking = [node for node in nodes if spike_counts not in graph.nodes[node]]
        if lacking:
            raise MappingError(f"node {lacking[0]!r} has no attribute {spike_counts!r}")
        counts = integers("spike_counts", [graph.nodes[node][spike_counts] for node in nodes])
    else:
        counts = integers("spike_counts", spike_counts)
    members: dict[str, list[int]] = {}
    for k, node in enumerate(nodes):
        members.setdefault(str(graph.nodes[node].get("population", "neurons")), []).append(k)
    place = {nodes[k]: (name, i) for name, row in members.items() for i, k in enumerate(row)}
    pairs: dict[tuple[str, str], tuple[list[int], list[int]]] = {}
    for source, target in graph.edges():
        (pre, i), (post, j) = place[source], place[target]
        ends = pairs.setdefault((pre, post), ([], []))
        ends[0].append(i)
        ends[1].append(j)
    if counts.shape != (len(nodes),):
        raise MappingError(f"spike_counts has {counts.size} entries for {len(nodes)} nodes")
    order = [k for row in members.values() for k in row]
    return SpikingGraph(
        {name: len(row) for name, row in members.items()},
        [Edges(pre, post, *ends) for (pre, post), ends in pairs.items()],
        counts[order],
        float(duration),
    )


def _check_directed(graph: Any) -> None:
    if not (hasattr(graph, "is_directed") and graph.is_directed()):
        raise MappingError(
            f"{type(graph).__name__} is not a directed graph of networkx; an undirected one can be "
            "made directed with graph.to_directed()"
        )


def _count(label: str, value: Any) -> int:
    count = int(integers(label, np.atleast_1d(np.asarray(value)))[0])
    if count < 0:
        raise MappingError(f"{label} = {count}; it must be >= 0")
    return count
