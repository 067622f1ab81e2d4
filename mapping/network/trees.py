"""Multicast trees as rows of two tables that the kernel walks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mapping.mesh import Mesh
from mapping.network.setup import Setup
from mapping.network.tables import TREE, TWIG, IntArray
from mapping.routing import Channel
from simulator.errors import MappingError

__all__ = ["PacketTree", "tree_tables"]


class PacketTree(NamedTuple):
    """The way of one packet; see `PacketNetwork.add_tree`."""

    source: int
    channels: tuple[Channel, ...]
    parents: tuple[int, ...]
    targets: tuple[int, ...]


def tree_tables(mesh: Mesh, setup: Setup, one: PacketTree) -> tuple[IntArray, IntArray]:
    """Rows of `Tables.tree` and `Tables.twig`: node 0 is the source, node k + 1 behind channel k.

    Raises
    ------
    MappingError
        A channel that is not there or does not begin where its parent ends, a branch that leads
        to no target, or a target that is not reached.
    """
    source, channels, parents, targets = one
    where = f"tree from {mesh.coordinates(source)}"
    if len(parents) != len(channels):
        raise MappingError(f"{where}: {len(channels)} channels and {len(parents)} parents")
    routers = [source]
    children: list[list[int]] = [[] for _ in range(len(channels) + 1)]
    for k, ((link, vc), parent) in enumerate(zip(channels, parents, strict=True)):
        if not (mesh.has_link(link) and 0 <= vc < setup.vcs and -1 <= parent < k):
            raise MappingError(
                f"{where}: channel {k} is link {link}, virtual channel {vc}, behind channel "
                f"{parent}; a parent comes before it, and the network must have the channel"
            )
        if link // 4 != routers[parent + 1]:
            raise MappingError(
                f"{where}: {mesh.link_text(link)} does not begin at "
                f"{mesh.coordinates(routers[parent + 1])}, where its parent ends"
            )
        routers.append(mesh.link_target(link))
        children[parent + 1].append(k)
    wanted = set(targets)
    ends = [False] * len(routers)
    for node, router in enumerate(routers):
        ends[node] = router in wanted
        wanted.discard(router)
    if wanted or not any(ends):
        missing = mesh.coordinates(min(wanted)) if wanted else "any target"
        raise MappingError(f"{where} does not reach {missing}")
    leaves = [int(end) for end in ends]
    for k in reversed(range(len(channels))):
        leaves[parents[k] + 1] += leaves[k + 1]
        if leaves[k + 1] == 0:
            raise MappingError(f"{where}: {mesh.link_text(channels[k][0])} leads to no target")
    tree = np.zeros((len(routers), len(TREE)), dtype=np.int64)
    twigs: list[tuple[int, int, int]] = []
    copies = (1 << setup.copies) - 1
    for node in range(len(routers)):
        tree[node] = (len(twigs), len(children[node]) + ends[node], leaves[node])
        for k in children[node]:
            link, vc = channels[k]
            twigs.append((link, copies << vc * setup.copies, k + 1))
        if ends[node]:
            twigs.append((-1, 0, -1))
    return tree, np.array(twigs, dtype=np.int64).reshape(-1, len(TWIG))
