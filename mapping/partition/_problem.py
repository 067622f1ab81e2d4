"""A network, or a hypergraph, and the cores it may use: what every method of this package sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mapping.graph import IntArray, SpikingGraph
from mapping.hypergraph import Hypergraph
from mapping.partition._coarsen import rows_by_value
from mapping.partition._level import Level, Limits
from simulator.errors import MappingError
from simulator.ragged import row_starts

__all__ = ["Problem", "problem_of_graph", "problem_of_hypergraph"]

Pinned = Mapping[str, int | Sequence[int]]


@dataclass(frozen=True, eq=False)
class Problem:
    """Vertices to be given one of `n_slots` cores each.

    Attributes
    ----------
    level : Level
        The nets; for a network, net i is neuron i's.
    limits : Limits
        Capacities of the slots and where pinning allows each vertex.
    slots : int64 array, shape (n_slots,)
        Physical core behind each slot, the largest cores first. A partition that fits the slots
        can always be placed: slot by slot on these cores.
    machine : str
        For error messages.
    graph : SpikingGraph or None
    mix_populations : bool
    """

    level: Level
    limits: Limits
    slots: IntArray
    machine: str
    graph: SpikingGraph | None
    mix_populations: bool

    @property
    def n_vertices(self) -> int:
        return int(self.level.neurons.size)

    @property
    def n_slots(self) -> int:
        return int(self.slots.size)

    def vertex_text(self, vertex: int) -> str:
        if self.graph is None:
            return f"vertex {vertex}"
        return f"neuron {self.graph.neuron_text(vertex)}"

    def with_slots(self, chosen: NDArray[np.int64]) -> Problem:
        """The same on some of the slots only."""
        limits = self.limits._replace(
            capacity=np.ascontiguousarray(self.limits.capacity[chosen]),
            allowed=np.ascontiguousarray(self.limits.allowed[:, chosen]),
        )
        return replace(self, limits=limits, slots=self.slots[chosen])

    def with_quota(self, quota: int) -> Problem:
        """The same with at most `quota` neurons on a core."""
        capacity = self.limits.capacity.copy()
        capacity[:, 0] = np.minimum(capacity[:, 0], quota)
        return replace(self, limits=self.limits._replace(capacity=capacity))


def problem_of_graph(
    graph: SpikingGraph,
    capacities: IntArray,
    machine: str,
    *,
    mix_populations: bool,
    pinned: Pinned | None,
) -> Problem:
    """Problem of a network on cores with the given `capacities` (0 neurons: not usable)."""
    links = graph.connections
    n = graph.n_neurons
    slots = _slots(capacities, machine)
    any_block = bool(links.blocks.any())
    owner = np.repeat(np.arange(n), np.diff(links.out_start))
    to_self = links.out_target == owner
    self_axons = np.bincount(owner[to_self], minlength=n).astype(np.int64)
    net_start = row_starts(np.bincount(owner[~to_self], minlength=n))
    # Silent networks are mapped by their connectivity alone.
    spikes = graph.spike_counts.astype(np.float64)
    if not spikes.any():
        spikes = np.ones(n)
    allowed, pinning = _pinning(graph, capacities, slots, pinned)
    group = graph.population_of if not mix_populations else np.zeros(n, dtype=np.int64)
    level = _level(
        net_start,
        links.out_target[~to_self],
        np.arange(n),
        spikes,
        self_axons,
        neurons=np.ones(n, dtype=np.int64),
        synapses=links.synapses,
        # Without all-to-all projections nothing asks for populations, and they would keep
        # clusters apart.
        population=graph.population_of if any_block else np.zeros(n, dtype=np.int64),
        group=group,
        pinning=pinning[graph.population_of],
        spikes=spikes,
    )
    limits = Limits(
        capacity=np.ascontiguousarray(capacities[slots]),
        allowed=allowed,
        blocks=links.blocks,
        sizes=graph.sizes,
        spikes=np.bincount(
            graph.population_of, weights=spikes, minlength=graph.n_populations
        ).astype(np.float64),
        any_block=any_block,
    )
    return Problem(level, limits, slots, machine, graph, mix_populations)


def problem_of_hypergraph(hypergraph: Hypergraph, capacities: IntArray, machine: str) -> Problem:
    """Problem of a hypergraph; every vertex may go anywhere."""
    n, m = hypergraph.n_vertices, hypergraph.n_nets
    slots = _slots(capacities, machine)
    owner = np.repeat(np.arange(m), np.diff(hypergraph.net_start))
    owner, pin = np.divmod(np.unique(owner * n + hypergraph.pins), n)
    to_self = pin == hypergraph.sources[owner]
    net_start = row_starts(np.bincount(owner[~to_self], minlength=m))
    weights = hypergraph.weights if hypergraph.weights.any() else np.ones(m)
    nothing = np.zeros(n, dtype=np.int64)
    level = _level(
        net_start,
        pin[~to_self],
        hypergraph.sources,
        weights,
        np.bincount(owner[to_self], minlength=m).astype(np.int64),
        neurons=hypergraph.neurons,
        synapses=hypergraph.synapses,
        population=nothing,
        group=nothing,
        pinning=nothing,
        spikes=np.zeros(n),
    )
    limits = Limits(
        capacity=np.ascontiguousarray(capacities[slots]),
        allowed=np.ones((1, slots.size), dtype=np.bool_),
        blocks=np.zeros((1, 1), dtype=np.int8),
        sizes=np.array([n], dtype=np.int64),
        spikes=np.zeros(1),
        any_block=False,
    )
    return Problem(level, limits, slots, machine, None, True)


def _level(
    net_start: IntArray,
    net_pin: IntArray,
    source: IntArray,
    weight: NDArray[np.float64],
    self_axons: IntArray,
    *,
    neurons: IntArray,
    synapses: IntArray,
    population: IntArray,
    group: IntArray,
    pinning: IntArray,
    spikes: NDArray[np.float64],
) -> Level:
    n, m = neurons.size, source.size
    pins, sources = net_pin.astype(np.int32), source.astype(np.int32)
    vert_start, vert_net = rows_by_value(net_start, pins, n)
    own_start, own_net = rows_by_value(np.arange(m + 1, dtype=np.int64), sources, n)
    return Level(
        net_start=net_start,
        net_pin=pins,
        source=sources,
        weight=np.ascontiguousarray(weight),
        axons=np.ones(m, dtype=np.int64),
        self_axons=self_axons,
        vert_start=vert_start,
        vert_net=vert_net,
        own_start=own_start,
        own_net=own_net,
        neurons=neurons,
        synapses=synapses,
        population=population.astype(np.int32),
        group=group.astype(np.int32),
        pinning=pinning.astype(np.int32),
        spikes=spikes,
    )


def _slots(capacities: IntArray, machine: str) -> IntArray:
    usable = np.flatnonzero(capacities[:, 0] > 0)
    if usable.size == 0:
        raise MappingError(f"{machine}: no core can be used; all of them are faulty or empty")
    # lexsort takes its last key first.
    largest_first = np.lexsort((usable, *(-capacities[usable, k] for k in (2, 1, 0))))
    return usable[largest_first].astype(np.int64)


def _pinning(
    graph: SpikingGraph, capacities: IntArray, slots: IntArray, pinned: Pinned | None
) -> tuple[NDArray[np.bool_], IntArray]:
    """Rows of allowed slots, row 0 all of them, and the row of each population."""
    rows = [np.ones(slots.size, dtype=np.bool_)]
    row_of = np.zeros(graph.n_populations, dtype=np.int64)
    for name, given in (pinned or {}).items():
        if name not in graph.names:
            raise MappingError(
                f"pinned: no population {name!r}; there are {', '.join(graph.names)}"
            )
        cores = np.atleast_1d(np.asarray(given))
        if cores.ndim != 1 or cores.size == 0 or cores.dtype.kind not in "iu":
            raise MappingError(f"pinned[{name!r}] = {given!r}; expected core numbers")
        for core in cores:
            if not 0 <= core < capacities.shape[0]:
                raise MappingError(
                    f"pinned[{name!r}]: no core {core}; cores are 0..{capacities.shape[0] - 1}"
                )
            if capacities[core, 0] == 0:
                raise MappingError(f"pinned[{name!r}]: core {core} is faulty or empty")
        row = np.isin(slots, cores)
        twin = [k for k, other in enumerate(rows) if np.array_equal(other, row)]
        if not twin:
            rows.append(row)
        row_of[graph.names.index(name)] = twin[0] if twin else len(rows) - 1
    return np.stack(rows), row_of
