"""Packets between logical cores, counted from the spikes of a run.

A spike makes one packet for each core that holds at least one target of the neuron, however
many synapses wait there: the core's own tables fan it out. A spike whose targets sit on the
neuron's own core is a local delivery; it never enters the network and is kept apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mapping.graph import IntArray, SpikingGraph, integers
from mapping.multicast_flows import MulticastFlows, multicast_flows
from mapping.partition import Partition
from simulator.errors import MappingError

__all__ = ["PacketRate", "Traffic", "packets_over_time", "spike_traffic"]


@dataclass(frozen=True, eq=False)
class Traffic:
    """Packets exchanged by logical cores during a run.

    Attributes
    ----------
    packets : int64 array, shape (n_cores, n_cores)
        [i, j]: packets from core i to core j; the diagonal is zero.
    local : int64 array, shape (n_cores,)
        Spikes delivered inside the core that emitted them.
    duration_ms : float
        [ms] length of the run they were counted in.
    multicast : MulticastFlows or None
        The same packets by sets of targets, for a network that forks packets; None if only the
        matrix is known.
    """

    packets: IntArray
    local: IntArray
    duration_ms: float
    multicast: MulticastFlows | None = None

    def __post_init__(self) -> None:
        n = self.local.size
        if self.packets.shape != (n, n) or n == 0:
            raise MappingError(
                f"packets has shape {self.packets.shape} and local {self.local.shape}; "
                "expected (n, n) and (n,) with n >= 1"
            )
        if self.packets.min() < 0 or self.local.min() < 0:
            raise MappingError("traffic holds a negative number of packets")
        if self.packets.diagonal().any():
            raise MappingError("packets from a core to itself belong in `local`")
        if not (np.isfinite(self.duration_ms) and self.duration_ms > 0):
            raise MappingError(f"duration_ms = {self.duration_ms}; it must be finite and > 0 ms")
        flows = self.multicast
        if flows is not None and not np.array_equal(flows.unicast(n), self.packets):
            raise MappingError("the multicast flows do not add up to the matrix of packets")

    @classmethod
    def from_multicast(cls, flows: MulticastFlows, local: ArrayLike, duration_ms: float) -> Traffic:
        """Traffic of multicast flows; `local` has one entry for each logical core."""
        spikes = integers("local", local)
        ends = np.concatenate((flows.source, flows.target))
        if ends.size and not 0 <= ends.min() <= ends.max() < spikes.size:
            raise MappingError(f"multicast flows: a core outside 0..{spikes.size - 1}")
        return cls(flows.unicast(spikes.size), spikes, float(duration_ms), flows)

    @classmethod
    def from_matrix(cls, packets: ArrayLike, duration_ms: float) -> Traffic:
        """Traffic from a square matrix of packet counts; the diagonal becomes `local`.

        Raises
        ------
        MappingError
            The matrix is not square, is empty, or holds anything but integers >= 0.
        """
        raw = np.asarray(packets)
        if raw.ndim != 2 or raw.shape[0] != raw.shape[1] or raw.size == 0:
            raise MappingError(f"packets has shape {raw.shape}; expected a square matrix")
        matrix = integers("packets (flattened)", raw.ravel()).reshape(raw.shape)
        local = matrix.diagonal().copy()
        np.fill_diagonal(matrix, 0)
        return cls(matrix, local, float(duration_ms))

    @property
    def n_cores(self) -> int:
        return int(self.local.size)

    @property
    def n_packets(self) -> int:
        """Packets that enter the network."""
        return int(self.packets.sum())


def spike_traffic(graph: SpikingGraph, partition: Partition) -> Traffic:
    """Count packets between the logical cores of a partition, one by one and as multicast.

    c_ij = sum over neurons s on core i of spikes(s), where s has a target on core j.
    """
    start, core = partition.destinations
    source = np.repeat(partition.core_of, np.diff(start))
    spikes = np.repeat(graph.spike_counts, np.diff(start))
    inside = source == core
    local = np.zeros(partition.n_cores, dtype=np.int64)
    np.add.at(local, source[inside], spikes[inside])
    return Traffic.from_multicast(multicast_flows(graph, partition), local, graph.duration_ms)


@dataclass(frozen=True, eq=False)
class PacketRate:
    """Packets that each logical core sends, per bin of time.

    Attributes
    ----------
    bin_start_ms : float64 array, shape (n_bins,)
    bin_ms : float
        [ms] width of a bin; the last one may reach past the end of the run.
    sent : int64 array, shape (n_bins, n_cores)
        Packets that enter the network, by the core that sends them.
    """

    bin_start_ms: NDArray[np.float64]
    bin_ms: float
    sent: IntArray


def packets_over_time(
    graph: SpikingGraph,
    partition: Partition,
    neuron_ids: ArrayLike,
    times_ms: ArrayLike,
    bin_ms: float,
) -> PacketRate:
    """Packets entering the network in each bin of time.

    Parameters
    ----------
    graph, partition
        The network and its cut.
    neuron_ids : array of int, shape (n_spikes,)
        Global neuron number of each recorded spike.
    times_ms : array of float, shape (n_spikes,)
        [ms] its time, in 0..duration_ms of the graph, in any order.
    bin_ms : float
        [ms] width of a bin, > 0.

    Raises
    ------
    MappingError
        Unequal lengths, unknown neurons, times that are NaN or outside the run.
    """
    ids = integers("neuron_ids", neuron_ids)
    times = np.asarray(times_ms, dtype=np.float64)
    if times.shape != ids.shape:
        raise MappingError(f"{ids.size} neuron_ids and times of shape {times.shape}; one time each")
    if not (np.isfinite(bin_ms) and bin_ms > 0):
        raise MappingError(f"bin_ms = {bin_ms}; it must be finite and > 0 ms")
    wrong = np.flatnonzero((ids < 0) | (ids >= graph.n_neurons))
    if wrong.size:
        raise MappingError(
            f"neuron_ids[{wrong[0]}] = {ids[wrong[0]]}; neurons are 0..{graph.n_neurons - 1}"
        )
    wrong = np.flatnonzero(~((times >= 0) & (times <= graph.duration_ms)))
    if wrong.size:
        raise MappingError(
            f"times_ms[{wrong[0]}] = {times[wrong[0]]} ms; the run lasts 0..{graph.duration_ms} ms"
        )
    start, core = partition.destinations
    owner = np.repeat(np.arange(graph.n_neurons), np.diff(start))
    remote = core != partition.core_of[owner]
    packets_per_spike = np.bincount(owner[remote], minlength=graph.n_neurons)
    n_bins = max(1, int(np.ceil(graph.duration_ms / bin_ms)))
    sent = np.zeros((n_bins, partition.n_cores), dtype=np.int64)
    # A spike at the very end belongs to the last bin.
    bins = np.minimum((times / bin_ms).astype(np.int64), n_bins - 1)
    np.add.at(sent, (bins, partition.core_of[ids]), packets_per_spike[ids])
    bin_start = bin_ms * np.arange(n_bins, dtype=np.float64)
    return PacketRate(bin_start, float(bin_ms), sent)
