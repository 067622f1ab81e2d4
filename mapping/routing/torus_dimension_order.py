"""Torus dimension order, x before y, each ring the shorter way round, one virtual channel.

Deterministic and minimal. In a ring of four or more tiles the routes close a cycle of channels,
so it can deadlock: that is what datelines (a second virtual channel) are for.

W. J. Dally, C. L. Seitz, Deadlock-free message routing in multiprocessor interconnection
networks, IEEE Trans. Computers C-36, 1987.
"""

from __future__ import annotations

from mapping.mesh import Mesh
from mapping.routing._base import RoutingFunction
from mapping.routing._grid import Grid, IntArray
from simulator.errors import MappingError

__all__ = ["ROUTING", "TorusDimensionOrder"]


def offers(grid: Grid, router: int, came_by: int, target: int, out: IntArray) -> int:
    """The shorter way along the row, then along the column; halfway round, east or south."""
    x, y = router % grid.width, router // grid.width
    to_x, to_y = target % grid.width, target // grid.width
    if x != to_x:
        direction = 1 if 2 * ((to_x - x) % grid.width) <= grid.width else 3
    else:
        direction = 2 if 2 * ((to_y - y) % grid.height) <= grid.height else 0
    link = 4 * router + direction
    out[0] = link
    return 1 if grid.link_target[link] >= 0 else 0


class TorusDimensionOrder(RoutingFunction):
    """Dimension order on a torus without datelines; halfway round, it goes east or south."""

    name = "torus_dimension_order"
    offers = staticmethod(offers)

    def check_mesh(self, mesh: Mesh) -> None:
        if not mesh.torus:
            raise MappingError("routing 'torus_dimension_order' needs a torus; use 'xy' on a mesh")


ROUTING = TorusDimensionOrder()
