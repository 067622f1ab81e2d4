"""XY tree: the union of the XY routes (on a torus, dimension order) to all targets.

Copies are made where routes part. Each target is reached as early as by unicast, and columns are
not shared between rows. The tree of one packet follows XY, but a packet that holds one branch
while it waits for another is nothing that XY knows: two of them can block each other.
"""

from __future__ import annotations

from mapping.mesh import Mesh
from mapping.multicast._base import Parents, graft
from mapping.routing import Channel, route, routing_function

__all__ = ["tree"]


def tree(mesh: Mesh, source: int, targets: list[int]) -> tuple[Parents, dict[int, Channel]]:
    parents: Parents = {}
    came_by: dict[int, Channel] = {}
    function = routing_function("torus_dimension_order" if mesh.torus else "xy", mesh)
    for target in targets:
        graft(mesh, parents, came_by, route(mesh, function, source, target))
    return parents, {target: came_by[target] for target in targets}
