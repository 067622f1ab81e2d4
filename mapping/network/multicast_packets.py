"""Packets for several cores at once: whom they are for, and the trees that they travel along."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mapping.graph import IntArray, integers
from mapping.mesh import Mesh
from mapping.multicast import MulticastTree, multicast_tree
from mapping.network.packets import Packets, packets
from mapping.network.trees import PacketTree
from simulator.errors import MappingError
from simulator.ragged import entries_of, row_starts

__all__ = ["MulticastPackets", "MulticastTrace", "TargetSet", "multicast_trace", "packet_trees"]


class TargetSet(NamedTuple):
    """A source core and the cores that it sends to, ascending."""

    source: int
    targets: tuple[int, ...]


class MulticastTrace(NamedTuple):
    """Packets in order of creation, each for a set of cores, whatever way it takes there.

    Attributes
    ----------
    cycle : int64 array, shape (n,)
        When each is created.
    to : int64 array, shape (n,)
        Its place in `sets`.
    flits : int64 array, shape (n,)
        Length.
    tag : int64 array, shape (n,)
        Handed back with the delivery of every copy.
    sets : tuple of TargetSet
        All different.
    """

    cycle: IntArray
    to: IntArray
    flits: IntArray
    tag: IntArray
    sets: tuple[TargetSet, ...]

    @property
    def n_packets(self) -> int:
        return int(self.cycle.size)

    @property
    def source(self) -> IntArray:
        """Core that each packet leaves, shape (n,)."""
        return np.array([one.source for one in self.sets], dtype=np.int64)[self.to]

    def unicast(self) -> Packets:
        """The same with a packet of its own for each target."""
        start = row_starts(len(one.targets) for one in self.sets)
        target = np.array([core for one in self.sets for core in one.targets], dtype=np.int64)
        which, entry = entries_of(start, self.to)
        return Packets(
            self.cycle[which],
            self.source[which],
            target[entry],
            self.flits[which],
            self.tag[which],
        )

    def trees(self, mesh: Mesh, method: str) -> list[MulticastTree]:
        """The tree to each of `sets`, by one of `mapping.multicast.multicast_names()`."""
        return [multicast_tree(mesh, method, *one) for one in self.sets]

    def branching(self, mesh: Mesh, method: str) -> MulticastPackets:
        """The same as packets along such trees: one each, or the few that the method sends.

        Raises
        ------
        MappingError
            An unknown method, a core that is not there, or a mesh that the method does not suit.
        """
        parts = [packet_trees(tree) for tree in self.trees(mesh, method)]
        which, tree = entries_of(row_starts(map(len, parts)), self.to)
        trees = tuple(one for part in parts for one in part)
        return MulticastPackets(self.cycle[which], tree, self.flits[which], self.tag[which], trees)


class MulticastPackets(NamedTuple):
    """Packets in order of creation, each with the tree that it travels along.

    Attributes
    ----------
    cycle : int64 array, shape (n,)
        When each is created.
    tree : int64 array, shape (n,)
        Its place in `trees`.
    flits : int64 array, shape (n,)
        Length.
    tag : int64 array, shape (n,)
        Handed back with the delivery of every copy.
    trees : tuple of PacketTree
    """

    cycle: IntArray
    tree: IntArray
    flits: IntArray
    tag: IntArray
    trees: tuple[PacketTree, ...]

    @property
    def n_packets(self) -> int:
        return int(self.cycle.size)

    @property
    def source(self) -> IntArray:
        """Core that each packet leaves, shape (n,)."""
        return np.array([tree.source for tree in self.trees], dtype=np.int64)[self.tree]

    @property
    def copies(self) -> IntArray:
        """Cores that each packet goes to, shape (n,)."""
        return np.array([len(tree.targets) for tree in self.trees], dtype=np.int64)[self.tree]

    def trace(self) -> MulticastTrace:
        """The same packets without their trees."""
        sets: dict[TargetSet, int] = {}
        ends = [TargetSet(tree.source, tuple(sorted(tree.targets))) for tree in self.trees]
        to = np.array([sets.setdefault(one, len(sets)) for one in ends], dtype=np.int64)
        return MulticastTrace(self.cycle, to[self.tree], self.flits, self.tag, tuple(sets))


def multicast_trace(
    cycle: ArrayLike,
    source: ArrayLike,
    targets: Sequence[Iterable[int]],
    flits: ArrayLike = 1,
    tag: ArrayLike = 0,
) -> MulticastTrace:
    """Packets from arrays (or one number for all) and a set of target cores each.

    Raises
    ------
    MappingError
        Unequal lengths, anything but integers, a negative one, a length of no flits, no target, a
        target that is given twice or is the source.
    """
    n = len(targets)
    given = [np.atleast_1d(np.asarray(values)) for values in (cycle, source, flits)]
    for name, values in zip(("cycle", "source", "flits"), given, strict=True):
        if values.size not in (1, n):
            raise MappingError(f"packets: {name} has {values.size} entries for {n} sets of targets")
    cycles, sources, lengths = (np.broadcast_to(v, n) if v.size == 1 else v for v in given)
    # The place of each packet among those given stands in for its target.
    sent = packets(cycles, sources, np.arange(n), lengths, tag)
    sets: dict[TargetSet, int] = {}
    known: dict[tuple[int, tuple[int, ...]], int] = {}
    to = np.zeros(n, dtype=np.int64)
    for k, (place, core) in enumerate(zip(sent.target.tolist(), sent.source.tolist(), strict=True)):
        key = core, tuple(targets[place])
        if key not in known:
            one = TargetSet(core, _checked_targets(place, *key))
            known[key] = sets.setdefault(one, len(sets))
        to[k] = known[key]
    return MulticastTrace(sent.cycle, to, sent.flits, sent.tag, tuple(sets))


def packet_trees(tree: MulticastTree) -> list[PacketTree]:
    """What is sent along a multicast tree: one packet, or one per branch at its source.

    Examples
    --------
    >>> tree = multicast_tree(mesh, "xy_tree", 0, [2, 5, 8])
    >>> network.inject_tree(0, network.add_trees(packet_trees(tree)))
    """
    found = []
    for parent_of in tree.packets():
        place = {channel: k for k, channel in enumerate(parent_of)}
        parents = [-1 if parent is None else place[parent] for parent in parent_of.values()]
        targets = [core for core, channel in tree.arrival.items() if channel in place]
        found.append(PacketTree(tree.source, tuple(place), tuple(parents), tuple(targets)))
    return found


def _checked_targets(place: int, source: int, targets: tuple[int, ...]) -> tuple[int, ...]:
    where = f"packets: targets[{place}]"
    cores = integers(where, np.array(targets))
    ascending = np.unique(cores)
    if not cores.size:
        raise MappingError(f"{where} is empty; a packet goes to one core at least")
    if ascending.size != cores.size:
        raise MappingError(f"{where} = {cores.tolist()} names a core twice")
    if ascending[0] < 0:
        raise MappingError(f"{where} has core {ascending[0]}; it must be >= 0")
    if source in ascending:
        raise MappingError(f"{where} holds the source, core {source}; that is a local delivery")
    return tuple(ascending.tolist())
