"""Packets that branch along multicast trees, as arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mapping.graph import IntArray
from mapping.multicast import MulticastTree
from mapping.network.trees import PacketTree

__all__ = ["MulticastPackets", "packet_trees"]


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
