"""The spikes of a run as packets: one for each core, other than its own, that a spike must reach.

Or one for all of them, which branches on its way. The tag of a packet is the number of its spike in
the arrays given, so that deliveries can be led back to neurons and times.
"""

from __future__ import annotations

from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from mapping.graph import IntArray, SpikingGraph, integers
from mapping.mesh import Mesh
from mapping.network.multicast_packets import MulticastPackets, MulticastTrace, TargetSet
from mapping.network.packets import Packets
from mapping.partition import Partition
from simulator.errors import MappingError

__all__ = ["spike_cycles", "spike_packets"]


def spike_cycles(times_ms: ArrayLike, cycles_per_ms: float) -> IntArray:
    """The cycle in which each spike is emitted: floor(time x cycles_per_ms).

    Raises
    ------
    MappingError
        A time that is negative or not finite, or `cycles_per_ms` that is not > 0.
    """
    times = np.asarray(times_ms, dtype=np.float64)
    if not (np.isfinite(cycles_per_ms) and cycles_per_ms > 0):
        raise MappingError(f"cycles_per_ms = {cycles_per_ms}; it must be finite and > 0")
    wrong = ~(np.isfinite(times) & (times >= 0))
    if wrong.any():
        k = int(np.argmax(wrong))
        raise MappingError(f"spike {k} at {times[k]} ms; times must be finite and >= 0")
    cycles: IntArray = np.floor(times * cycles_per_ms).astype(np.int64)
    return cycles


@overload
def spike_packets(
    graph: SpikingGraph,
    partition: Partition,
    core_of: IntArray,
    mesh: Mesh,
    neuron_ids: ArrayLike,
    times_ms: ArrayLike,
    cycles_per_ms: float,
    flits: int = 1,
    *,
    multicast: None = None,
) -> Packets: ...


@overload
def spike_packets(
    graph: SpikingGraph,
    partition: Partition,
    core_of: IntArray,
    mesh: Mesh,
    neuron_ids: ArrayLike,
    times_ms: ArrayLike,
    cycles_per_ms: float,
    flits: int = 1,
    *,
    multicast: str,
) -> MulticastPackets: ...


def spike_packets(
    graph: SpikingGraph,
    partition: Partition,
    core_of: IntArray,
    mesh: Mesh,
    neuron_ids: ArrayLike,
    times_ms: ArrayLike,
    cycles_per_ms: float,
    flits: int = 1,
    *,
    multicast: str | None = None,
) -> Packets | MulticastPackets:
    """Packets of recorded spikes, sent in the cycle in which the spike is emitted.

    Parameters
    ----------
    core_of : int64 array, shape (partition.n_cores,)
        Physical core of each logical one, as in `Placement.core_of`.
    neuron_ids : array of int, shape (n_spikes,)
        Of the whole graph, as in `SpikingGraph`.
    times_ms : array, shape (n_spikes,)
        [ms]
    cycles_per_ms : float
        [cycles per ms] How fast the machine is compared to the network's time.
    multicast : str or None
        One of `mapping.multicast.multicast_names()`: a spike is one packet that branches along
        such a tree to all of its cores (or the few packets that the method sends). None: a packet
        of its own for each core.

    Returns
    -------
    Packets or MulticastPackets
        The tag is the spike's place in `neuron_ids`.

    Raises
    ------
    MappingError
        A neuron or a time out of range, a placement of another partition, or
        an unknown kind of tree.
    """
    ids = integers("neuron_ids", neuron_ids)
    emitted = spike_cycles(times_ms, cycles_per_ms)
    if ids.size != emitted.size:
        raise MappingError(f"{ids.size} neuron_ids and {emitted.size} times_ms; expected as many")
    if ids.size and not 0 <= ids.min() <= ids.max() < graph.n_neurons:
        k = int(np.argmax((ids < 0) | (ids >= graph.n_neurons)))
        raise MappingError(
            f"neuron_ids[{k}] = {ids[k]}; the graph has neurons 0..{graph.n_neurons - 1}"
        )
    place = integers("core_of", core_of)
    if place.size != partition.n_cores:
        raise MappingError(
            f"core_of has {place.size} entries; the partition has {partition.n_cores} cores"
        )
    if place.size and not 0 <= place.min() <= place.max() < mesh.n_cores:
        raise MappingError(f"core_of: a core outside 0..{mesh.n_cores - 1}")
    if isinstance(flits, bool) or int(flits) != flits or flits < 1:
        raise MappingError(f"flits = {flits}; it must be an integer >= 1")
    trace = _trace(partition, place, ids, emitted, int(flits))
    return trace.unicast() if multicast is None else trace.branching(mesh, multicast)


def _trace(
    partition: Partition, place: IntArray, ids: IntArray, emitted: IntArray, flits: int
) -> MulticastTrace:
    """One packet for each spike that has to leave its core; neurons with the same cores share
    their sets of targets."""
    start, core = partition.destinations
    neurons, which = np.unique(ids, return_inverse=True)
    sets: dict[TargetSet, int] = {}
    to = np.full(neurons.size, -1)
    for k, neuron in enumerate(neurons.tolist()):
        reached = core[start[neuron] : start[neuron + 1]]
        home = partition.core_of[neuron]
        away = np.sort(place[reached[reached != home]])
        if away.size:
            one = TargetSet(int(place[home]), tuple(away.tolist()))
            to[k] = sets.setdefault(one, len(sets))
    leaves = np.flatnonzero(to[which] >= 0)
    spike = leaves[np.argsort(emitted[leaves], kind="stable")]
    length = np.full(spike.size, flits, dtype=np.int64)
    return MulticastTrace(emitted[spike], to[which[spike]], length, spike, tuple(sets))
