"""YX: first along the column, then along the row. Deterministic, minimal, deadlock-free.

W. J. Dally, C. L. Seitz, Deadlock-free message routing in multiprocessor interconnection
networks, IEEE Trans. Computers C-36, 1987 (dimension order).
"""

from __future__ import annotations

from mapping.mesh import Mesh
from mapping.routing._base import RoutingFunction, refuse_torus
from mapping.routing._grid import Grid, IntArray

__all__ = ["ROUTING", "YX"]


def offers(grid: Grid, router: int, came_by: int, target: int, out: IntArray) -> int:
    """The link along the column, or along the row once the row is right."""
    x, y = router % grid.width, router // grid.width
    to_x, to_y = target % grid.width, target // grid.width
    direction = 1 if to_x > x else 3
    if y != to_y:
        direction = 2 if to_y > y else 0
    link = 4 * router + direction
    out[0] = link
    return 1 if grid.link_target[link] >= 0 else 0


class YX(RoutingFunction):
    """Dimension order on a mesh, y before x."""

    name = "yx"
    offers = staticmethod(offers)

    def check_mesh(self, mesh: Mesh) -> None:
        refuse_torus(self, mesh)


ROUTING = YX()
