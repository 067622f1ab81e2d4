"""Spikes as multicast packets: one packet for all the cores that a spike must reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mapping.graph import IntArray, SpikingGraph
from mapping.partition import Partition
from simulator.errors import MappingError

__all__ = ["MulticastFlows", "multicast_flows"]


@dataclass(frozen=True, eq=False)
class MulticastFlows:
    """Packets by source core and set of target cores; all are logical cores.

    Attributes
    ----------
    source : int64 array, shape (n_flows,)
    start : int64 array, shape (n_flows + 1,)
    target : int64 array, shape (start[-1],)
        Targets of flow f: ``target[start[f]:start[f + 1]]``, ascending, at least one, never the
        source. No two flows have the same source and the same targets.
    packets : int64 array, shape (n_flows,)
        Spikes of the flow, each of them one packet; > 0.
    """

    source: IntArray
    start: IntArray
    target: IntArray
    packets: IntArray

    def __post_init__(self) -> None:
        n = self.source.size
        sizes = np.diff(self.start)
        if self.packets.shape != (n,) or self.start.shape != (n + 1,):
            raise MappingError(
                f"multicast flows: {n} sources, {self.packets.size} packet counts and "
                f"{self.start.size} row starts; expected n, n and n + 1"
            )
        if self.start[0] != 0 or self.start[-1] != self.target.size or np.any(sizes < 1):
            raise MappingError("multicast flows: every flow needs at least one target")
        if np.any(self.packets < 1):
            raise MappingError("multicast flows: every flow needs at least one packet")
        if np.any(self.target == np.repeat(self.source, sizes)):
            raise MappingError("multicast flows: a core sends to itself; that is a local delivery")

    @classmethod
    def from_sets(cls, packets: Mapping[tuple[int, tuple[int, ...]], int]) -> MulticastFlows:
        """Flows from {(source, targets): packets}, in that order."""
        rows = [sorted(targets) for _, targets in packets]
        return cls(
            source=np.array([source for source, _ in packets], dtype=np.int64),
            start=np.cumsum([0, *map(len, rows)], dtype=np.int64),
            target=np.array([target for row in rows for target in row], dtype=np.int64),
            packets=np.array(list(packets.values()), dtype=np.int64),
        )

    @property
    def n_flows(self) -> int:
        return int(self.source.size)

    @property
    def n_packets(self) -> int:
        """Packets that enter the network, each for all of its targets."""
        return int(self.packets.sum())

    def unicast(self, n_cores: int) -> IntArray:
        """The same spikes as one packet per target, shape (n_cores, n_cores)."""
        matrix = np.zeros((n_cores, n_cores), dtype=np.int64)
        sizes = np.diff(self.start)
        ends = (np.repeat(self.source, sizes), self.target)
        np.add.at(matrix, ends, np.repeat(self.packets, sizes))
        return matrix


def multicast_flows(graph: SpikingGraph, partition: Partition) -> MulticastFlows:
    """Spikes by source core and set of target cores, in order of source core, then of neuron.

    packets(i, S) = sum over neurons s on core i, whose targets off that core lie on the cores S,
    of spikes(s).
    """
    start, core = partition.destinations
    owner = np.repeat(np.arange(graph.n_neurons), np.diff(start))
    leaves = (core != partition.core_of[owner]) & (graph.spike_counts[owner] > 0)
    owner, core = owner[leaves], core[leaves].astype(np.int64)
    order = np.lexsort((core, owner, partition.core_of[owner]))
    owner, core = owner[order], core[order]
    firsts = np.flatnonzero(np.diff(owner, prepend=-1))
    found: dict[tuple[int, bytes], int] = {}
    packets: list[int] = []
    rows: list[IntArray] = []
    for first, last in zip(firsts, [*firsts[1:], owner.size], strict=False):
        neuron, targets = owner[first], core[first:last]
        key = (int(partition.core_of[neuron]), targets.tobytes())
        flow = found.setdefault(key, len(rows))
        if flow == len(rows):
            rows.append(targets)
            packets.append(0)
        packets[flow] += int(graph.spike_counts[neuron])
    sizes = np.array([row.size for row in rows], dtype=np.int64)
    return MulticastFlows(
        source=np.array([i for i, _ in found], dtype=np.int64),
        start=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        target=np.concatenate([*rows, np.empty(0, dtype=np.int64)]),
        packets=np.array(packets, dtype=np.int64),
    )
