"""Torus dimension order, x before y, each ring the shorter way round, one virtual channel.

Deterministic and minimal. In a ring of four or more tiles the routes close a cycle of channels,
so it can deadlock: that is what datelines (a second virtual channel) are for.

W. J. Dally, C. L. Seitz, Deadlock-free message routing in multiprocessor interconnection
networks, IEEE Trans. Computers C-36, 1987.
"""

from __future__ import annotations

from mapping.mesh import Mesh
from mapping.routing._base import Channel, RoutingFunction
from simulator.errors import MappingError

__all__ = ["ROUTING", "TorusDimensionOrder"]


class TorusDimensionOrder(RoutingFunction):
    """Dimension order on a torus without datelines; halfway round, it goes east or south."""

    name = "torus_dimension_order"

    def next_channels(
        self, mesh: Mesh, router: int, came_by: Channel | None, target: int
    ) -> tuple[Channel]:
        y, x = divmod(router, mesh.width)
        to_y, to_x = divmod(target, mesh.width)
        if x != to_x:
            direction = 1 if 2 * ((to_x - x) % mesh.width) <= mesh.width else 3
        else:
            direction = 2 if 2 * ((to_y - y) % mesh.height) <= mesh.height else 0
        return (Channel(4 * router + direction),)

    def check_mesh(self, mesh: Mesh) -> None:
        if not mesh.torus:
            raise MappingError("routing 'torus_dimension_order' needs a torus; use 'xy' on a mesh")


ROUTING = TorusDimensionOrder()
