"""Torus dimension order with datelines: two virtual channels break the cycle of each ring.

A packet that still has to cross the wrap-around link of its ring travels on virtual channel 0,
all others on virtual channel 1; so channel 1 of a wrap-around link is never used, nobody on
channel 1 of a ring waits for channel 0 of it, and both are chains. Deterministic, minimal.

W. J. Dally, C. L. Seitz, Deadlock-free message routing in multiprocessor interconnection
networks, IEEE Trans. Computers C-36, 1987 (low and high virtual channels of a ring).
"""

from __future__ import annotations

from mapping.mesh import Mesh
from mapping.routing._base import RoutingFunction
from mapping.routing._grid import Grid, IntArray
from simulator.errors import MappingError

__all__ = ["ROUTING", "TorusDatelines"]


def offers(grid: Grid, router: int, came_by: int, target: int, out: IntArray) -> int:
    """The shorter way along the row, then along the column; halfway round, east or south."""
    x, y = router % grid.width, router // grid.width
    to_x, to_y = target % grid.width, target // grid.width
    if x != to_x:
        onwards = 2 * ((to_x - x) % grid.width) <= grid.width
        direction = 1 if onwards else 3
        wraps = (to_x < x) if onwards else (to_x > x)
    else:
        onwards = 2 * ((to_y - y) % grid.height) <= grid.height
        direction = 2 if onwards else 0
        wraps = (to_y < y) if onwards else (to_y > y)
    link = 4 * router + direction
    out[0] = 2 * link + (0 if wraps else 1)
    return 1 if grid.link_target[link] >= 0 else 0


class TorusDatelines(RoutingFunction):
    """Dimension order on a torus with two virtual channels."""

    name = "torus_datelines"
    virtual_channels = 2
    offers = staticmethod(offers)

    def check_mesh(self, mesh: Mesh) -> None:
        if not mesh.torus:
            raise MappingError("routing 'torus_datelines' needs a torus; use 'xy' on a mesh")


ROUTING = TorusDatelines()
