"""XY: first along the row, then along the column. Deterministic, minimal, deadlock-free.

W. J. Dally, C. L. Seitz, Deadlock-free message routing in multiprocessor interconnection
networks, IEEE Trans. Computers C-36, 1987 (dimension order).
"""

from __future__ import annotations

from mapping.mesh import Mesh
from mapping.routing._base import Channel, RoutingFunction
from simulator.errors import MappingError

__all__ = ["ROUTING", "XY"]


class XY(RoutingFunction):
    """Dimension order on a mesh, x before y."""

    name = "xy"

    def next_channels(
        self, mesh: Mesh, router: int, came_by: Channel | None, target: int
    ) -> tuple[Channel]:
        y, x = divmod(router, mesh.width)
        to_y, to_x = divmod(target, mesh.width)
        if x != to_x:
            return (Channel(4 * router + (1 if to_x > x else 3)),)
        return (Channel(4 * router + (2 if to_y > y else 0)),)

    def check_mesh(self, mesh: Mesh) -> None:
        if mesh.torus:
            raise MappingError(
                "routing 'xy' does not use the wrap-around links of a torus, so its routes are "
                "not shortest ones there; use 'torus_dimension_order'"
            )


ROUTING = XY()
