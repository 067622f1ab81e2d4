"""The multicast trees that a packet network knows, by the number of their roots."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from mapping.graph import integers
from mapping.mesh import Mesh
from mapping.network.setup import Setup
from mapping.network.tables import TREE, TWIG, IntArray, Tables
from mapping.network.trees import PacketTree, tree_tables
from simulator.errors import MappingError

__all__ = ["Forest"]


class Forest:
    """Trees of one network; their nodes are rows of `Tables.tree` and `Tables.twig`."""

    def __init__(self, mesh: Mesh, setup: Setup) -> None:
        self._mesh, self._setup = mesh, setup
        self._sources: dict[int, int] = {}  # core of each tree, by its first node

    def plant(self, t: Tables, trees: Iterable[PacketTree]) -> tuple[Tables, IntArray]:
        """The tables with the nodes of these trees, and the trees' numbers."""
        if self._setup.branches == 1:
            raise MappingError("add_tree: make the PacketNetwork with multicast=True")
        nodes, twigs = [t.tree], [t.twig]
        root, n_twigs = len(t.tree), len(t.twig)
        roots: list[int] = []
        sources: dict[int, int] = {}
        for one in trees:
            tree, twig = tree_tables(self._mesh, self._setup, one)
            tree[:, TREE.first] += n_twigs
            twig[:, TWIG.node] += np.where(twig[:, TWIG.node] >= 0, root, 0)
            nodes.append(tree)
            twigs.append(twig)
            roots.append(root)
            sources[root] = one.source
            root, n_twigs = root + len(tree), n_twigs + len(twig)
        self._sources |= sources
        grown = t._replace(tree=np.concatenate(nodes), twig=np.concatenate(twigs))
        return grown, np.array(roots, dtype=np.int64)

    def find(self, tree: ArrayLike) -> tuple[IntArray, IntArray]:
        """Numbers of trees, checked, and the cores at their roots."""
        numbers = integers("inject_tree: tree", np.atleast_1d(np.asarray(tree)))
        different, which = np.unique(numbers, return_inverse=True)
        for number in different.tolist():
            if number not in self._sources:
                raise MappingError(
                    f"inject_tree: there is no tree {number}; add_tree returns its number"
                )
        sources = [self._sources[number] for number in different.tolist()]
        return numbers, np.array(sources, dtype=np.int64)[which]

    def saved(self) -> IntArray:
        """Number and core of each tree, shape (n_trees, 2)."""
        return np.array(list(self._sources.items()), dtype=np.int64).reshape(-1, 2)

    def restore(self, saved: IntArray) -> None:
        """Go on from what `saved` gave."""
        self._sources = dict(saved.tolist())
