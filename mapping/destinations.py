"""To which cores the spikes of each neuron must go."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapping.graph import BLOCK_WITHOUT_SELF, NO_BLOCK, IntArray, SpikingGraph
from simulator.ragged import row_starts

__all__ = ["Destinations", "destination_cores", "net_destinations"]


class Destinations(NamedTuple):
    """Cores that hold at least one target of each neuron, its own core included.

    Attributes
    ----------
    start : int64 array, shape (n_neurons + 1,)
    core : int32 array
        Distinct cores of neuron i: ``core[start[i]:start[i + 1]]``, in no particular order.
    """

    start: IntArray
    core: NDArray[np.int32]


def destination_cores(graph: SpikingGraph, core_of: IntArray, n_cores: int) -> Destinations:
    """Destination cores of every neuron under an assignment of neurons to cores.

    Parameters
    ----------
    graph : SpikingGraph
    core_of : int64 array, shape (n_neurons,)
        Core of each neuron, 0..n_cores - 1.
    n_cores : int

    Returns
    -------
    Destinations
    """
    links = graph.connections
    # Members of each population on each core: an all-to-all block reaches the cores where the
    # count is positive, without ever looking at the neurons.
    members = np.zeros((graph.n_populations, n_cores), dtype=np.int64)
    np.add.at(members, (graph.population_of, core_of), 1)
    member_start = row_starts((members > 0).sum(axis=1))
    member_core = np.nonzero(members)[1].astype(np.int64)
    arguments = (
        graph.population_of,
        links.blocks,
        links.out_start,
        links.out_target,
        core_of,
        members,
        member_start,
        member_core,
    )
    start = np.zeros(graph.n_neurons + 1, dtype=np.int64)
    nothing = np.empty(0, dtype=np.int32)
    visit_destinations(*arguments, start, nothing, False)
    np.cumsum(start, out=start)
    core = np.empty(start[-1], dtype=np.int32)
    visit_destinations(*arguments, start, core, True)
    return Destinations(start, core)


@njit(cache=True)
def visit_destinations(
    population_of: IntArray,
    blocks: NDArray[np.int8],
    out_start: IntArray,
    out_target: IntArray,
    core_of: IntArray,
    members: IntArray,
    member_start: IntArray,
    member_core: IntArray,
    start: IntArray,
    core: NDArray[np.int32],
    write: bool,
) -> None:
    """First pass: count into start[i + 1]. Second pass: write the cores from start[i]."""
    seen_by = np.full(members.shape[1], -1, dtype=np.int64)
    for neuron in range(population_of.size):
        population = population_of[neuron]
        found = 0
        for post in range(blocks.shape[1]):
            kind = blocks[population, post]
            if kind == NO_BLOCK:
                continue
            for k in range(member_start[post], member_start[post + 1]):
                c = member_core[k]
                alone_there = (
                    kind == BLOCK_WITHOUT_SELF and c == core_of[neuron] and members[post, c] == 1
                )
                if seen_by[c] == neuron or alone_there:
                    continue
                seen_by[c] = neuron
                if write:
                    core[start[neuron] + found] = c
                found += 1
        for k in range(out_start[neuron], out_start[neuron + 1]):
            c = core_of[out_target[k]]
            if seen_by[c] == neuron:
                continue
            seen_by[c] = neuron
            if write:
                core[start[neuron] + found] = c
            found += 1
        if not write:
            start[neuron + 1] = found


def net_destinations(
    net_start: IntArray, pins: IntArray, core_of: IntArray, n_cores: int
) -> Destinations:
    """Distinct cores of the targets of every net of a hypergraph."""
    net = np.repeat(np.arange(net_start.size - 1), np.diff(net_start))
    net, core = np.divmod(np.unique(net * n_cores + core_of[pins]), n_cores)
    start = row_starts(np.bincount(net, minlength=net_start.size - 1))
    return Destinations(start, core.astype(np.int32))
