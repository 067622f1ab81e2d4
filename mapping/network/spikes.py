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
from mapping.multicast import multicast_tree
from mapping.network.multicast_packets import MulticastPackets, packet_trees
from mapping.network.packets import Packets, packets
from mapping.network.trees import PacketTree
from mapping.partition import Partition
from simulator.errors import MappingError
from simulator.ragged import entries_of

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
    if multicast is not None:
        return _branching(partition, place, mesh, ids, emitted, flits, multicast)
    start, core = partition.destinations
    spike, entry = entries_of(start, ids)
    target = core[entry]
    source = partition.core_of[ids[spike]]
    leaves = target != source
    spike = spike[leaves]
    return packets(emitted[spike], place[source[leaves]], place[target[leaves]], flits, spike)


def _branching(
    partition: Partition,
    place: IntArray,
    mesh: Mesh,
    ids: IntArray,
    emitted: IntArray,
    flits: int,
    method: str,
) -> MulticastPackets:
    """One row for each packet of each spike; neurons with the same cores share their trees."""
    start, core = partition.destinations
    neurons, which = np.unique(ids, return_inverse=True)
    trees: list[PacketTree] = []
    known: dict[tuple[int, bytes], list[int]] = {}
    of_neuron: list[list[int]] = []
    for neuron in neurons:
        home = int(partition.core_of[neuron])
        reached = core[start[neuron] : start[neuron + 1]]
        targets = np.sort(place[reached[reached != home]])
        key = (home, targets.tobytes())
        if key not in known:
            known[key] = []
            if targets.size:
                found = packet_trees(multicast_tree(mesh, method, int(place[home]), targets))
                known[key] = list(range(len(trees), len(trees) + len(found)))
                trees += found
        of_neuron.append(known[key])
    spike = np.repeat(np.arange(ids.size), np.array([len(of_neuron[k]) for k in which], np.int64))
    tree = np.array([number for k in which for number in of_neuron[k]], dtype=np.int64)
    order = np.argsort(emitted[spike], kind="stable")
    spike, tree = spike[order], tree[order]
    length = np.full(spike.size, flits, dtype=np.int64)
    return MulticastPackets(emitted[spike], tree, length, spike, tuple(trees))
