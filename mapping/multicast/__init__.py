"""Multicast trees, one method per file, found by name.

To add one, add a file ``mapping/multicast/<name>.py`` with a function
``tree(mesh, source, targets) -> (parents, arrival)`` and, if the source sends a packet of its
own into each branch, a line ``APART = True``.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from mapping import _discovery
from mapping.mesh import Mesh
from mapping.multicast._base import MulticastTree
from simulator.errors import MappingError

__all__ = ["MulticastTree", "check_multicast", "multicast_names", "multicast_tree"]


def multicast_names() -> list[str]:
    """Names that `multicast_tree` accepts."""
    return _discovery.names(sys.modules[__name__])


def check_multicast(method: str | None) -> None:
    """MappingError unless it is one of `multicast_names()`, or None for no branches."""
    if method not in (None, *multicast_names()):
        raise MappingError(
            f"multicast = {method!r}; it can be None, {', '.join(multicast_names())}"
        )


def multicast_tree(mesh: Mesh, method: str, source: int, targets: Iterable[int]) -> MulticastTree:
    """The channels by which a packet from `source` reaches all of `targets`.

    Raises
    ------
    MappingError
        An unknown method or core, no target, the source among the targets, or a mesh that the
        method does not suit.

    Examples
    --------
    >>> tree = multicast_tree(Mesh(3, 3), "xy_tree", 0, [2, 5, 8])
    >>> tree.n_hops  # two along the row, two down the last column
    4
    """
    make: Any = _discovery.load(sys.modules[__name__], method, "multicast method", "tree")
    mesh.coordinates(source)
    wanted = sorted({operator.index(target) for target in targets})
    for target in wanted:
        mesh.coordinates(target)
    if not wanted:
        raise MappingError(f"multicast from core {source}: no target")
    if source in wanted:
        raise MappingError(
            f"multicast from core {source}: it is among its own targets; that is a local delivery"
        )
    parents, arrival = make(mesh, source, wanted)
    apart = getattr(import_module(f"{__name__}.{method}"), "APART", False)
    return MulticastTree(method, source, tuple(wanted), parents, arrival, apart)
