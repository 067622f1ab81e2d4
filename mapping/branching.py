"""Multicast flows along trees of a method: the trees, what they cost, whether they can deadlock."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mapping.deadlock_multicast import MulticastVerdict, find_multicast_deadlock
from mapping.graph import IntArray
from mapping.mesh import Mesh
from mapping.metrics import Hops
from mapping.multicast import MulticastTree, multicast_tree
from mapping.traffic import Traffic
from simulator.errors import MappingError

__all__ = ["Branching", "branching_of"]


class Branching(NamedTuple):
    """Spikes as packets that branch.

    Attributes
    ----------
    trees : tuple of MulticastTree
        Of every flow of `Traffic.multicast`.
    n_packets : int
        That enter the network; a method may send several for one spike.
    loads : int64 array, shape (mesh.n_link_ids,)
        Packets over each link, counted once per link of a tree.
    hops : Hops
        Of the copies, from the source to each target.
    """

    trees: tuple[MulticastTree, ...]
    n_packets: int
    loads: IntArray
    hops: Hops

    def verdict(self, mesh: Mesh, flits: int = 1) -> MulticastVerdict:
        """Whether packets of these trees can block each other.

        A packet of one flit is whole wherever it is, as with cut-through: a branch that has its
        channel goes on alone. Longer ones are taken to hold all branches they have got while they
        wait for the others.
        """
        switching = "cut_through" if flits == 1 else "wormhole"
        return find_multicast_deadlock(mesh, self.trees, switching=switching)


def branching_of(traffic: Traffic, core_of: IntArray, mesh: Mesh, method: str) -> Branching:
    """The trees of all multicast flows of a placed network, with their figures.

    Parameters
    ----------
    core_of : int64 array, shape (traffic.n_cores,)
        Physical core of each logical one.
    method : str
        One of `mapping.multicast.multicast_names()`.

    Raises
    ------
    MappingError
        Traffic without multicast flows, an unknown method, or a mesh that it does not suit.
    """
    flows = traffic.multicast
    if flows is None:
        raise MappingError(
            "this traffic has no multicast flows (it was made from a matrix); spike_traffic makes "
            "them from a network and its partition"
        )
    source, target = core_of[flows.source].tolist(), core_of[flows.target]
    trees: list[MulticastTree] = []
    loads = np.zeros(mesh.n_link_ids, dtype=np.int64)
    sent = copies = steps = furthest = 0
    for f, packets in enumerate(flows.packets.tolist()):
        reached = target[flows.start[f] : flows.start[f + 1]].tolist()
        tree = multicast_tree(mesh, method, source[f], reached)
        trees.append(tree)
        np.add.at(loads, [channel.link for channel in tree.parent], packets)
        depths = tree.depths()
        sent += packets * sum(1 for _ in tree.packets())
        copies += packets * len(depths)
        steps += packets * sum(depths.values())
        furthest = max(furthest, *depths.values())
    average = steps / copies if copies else 0.0
    return Branching(tuple(trees), sent, loads, Hops(average, furthest))
