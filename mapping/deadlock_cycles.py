"""Order a graph, or find its shortest cycle; compiled, on arrays.

A graph of n nodes is two arrays: the successors of node u are
``successors[first[u]:first[u + 1]]``, ascending.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapping.routing._grid import IntArray

BoolArray = NDArray[np.bool_]

__all__ = ["BoolArray", "Graph", "graph_of_edges", "levels", "shortest_cycle"]


class Graph(NamedTuple):
    """Successor lists."""

    first: IntArray
    successors: IntArray

    @property
    def n_edges(self) -> int:
        return int(self.successors.size)

    def successors_of(self, node: int) -> IntArray:
        return self.successors[self.first[node] : self.first[node + 1]]


def graph_of_edges(n_nodes: int, start: IntArray, end: IntArray) -> Graph:
    """Graph with these edges, repeats dropped."""
    edges = start.astype(np.int64) * n_nodes + end
    if (np.diff(edges) <= 0).any():  # those of one row after the other are in order already
        edges = np.unique(edges)
    first = np.searchsorted(edges, np.arange(n_nodes + 1, dtype=np.int64) * n_nodes)
    return Graph(first.astype(np.int64), edges % n_nodes)


def levels(graph: Graph) -> IntArray:
    """Edges on the longest path that ends in each node; -1 on a cycle and behind one.

    All edges rise in this number if and only if there is no -1. (Kahn's algorithm.)
    """
    level: IntArray = _levels(graph.first, graph.successors)
    return level


def shortest_cycle(graph: Graph) -> list[int]:
    """Nodes of a shortest cycle in its order, from its lowest node; empty if there is none.

    Among equals, that of the lowest node.
    """
    forward = _levels(graph.first, graph.successors)
    start = np.repeat(np.arange(forward.size), np.diff(graph.first))
    backward = levels(graph_of_edges(forward.size, graph.successors, start))
    # What is neither before nor behind all cycles: the cycles, and ways from one to another.
    core = (forward < 0) & (backward < 0)
    found: IntArray = _shortest_cycle(graph.first, graph.successors, core)
    return [int(node) for node in found]


@njit(cache=True)
def _levels(first: IntArray, successors: IntArray) -> IntArray:
    n = first.size - 1
    waiting_for = np.zeros(n, np.int64)
    for node in successors:
        waiting_for[node] += 1
    level = np.full(n, -1, np.int64)
    reached = np.zeros(n, np.int64)
    queue = np.empty(n, np.int64)
    size = 0
    for node in range(n):
        if waiting_for[node] == 0:
            queue[size] = node
            size += 1
    at = 0
    while at < size:
        node = queue[at]
        at += 1
        level[node] = reached[node]
        for k in range(first[node], first[node + 1]):
            other = successors[k]
            reached[other] = max(reached[other], level[node] + 1)
            waiting_for[other] -= 1
            if waiting_for[other] == 0:
                queue[size] = other
                size += 1
    return level


@njit(cache=True)
def _shortest_cycle(first: IntArray, successors: IntArray, core: BoolArray) -> IntArray:
    """Breadth first from every node of the core, no deeper than the best so far."""
    n = first.size - 1
    best = np.empty(0, np.int64)
    met = np.full(n, -1, np.int64)
    depth = np.zeros(n, np.int64)
    before = np.full(n, -1, np.int64)
    queue = np.empty(n, np.int64)
    for start in range(n):
        if not core[start]:
            continue
        met[start] = start
        depth[start] = 1
        queue[0] = start
        size, at, last = 1, 0, -1
        while at < size and last < 0:
            node = queue[at]
            at += 1
            if best.size and depth[node] >= best.size:
                break
            for k in range(first[node], first[node + 1]):
                other = successors[k]
                if other == start:
                    last = node
                    break
                if core[other] and met[other] != start:
                    met[other] = start
                    depth[other] = depth[node] + 1
                    before[other] = node
                    queue[size] = other
                    size += 1
        if last >= 0:
            best = np.empty(depth[last], np.int64)
            node = last
            for k in range(best.size - 1, -1, -1):
                best[k] = node
                node = before[node]
    return best
