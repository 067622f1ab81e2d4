"""North-last: no hop after one to the north but north. Partially adaptive, deadlock-free.

The two turns out of the north (towards row 0) are forbidden. Southbound packets choose freely
between their row and their column; northbound ones go along the row first. Minimal.

C. J. Glass, L. M. Ni, The turn model for adaptive routing, ISCA 1992.
"""

from __future__ import annotations

from mapping.mesh import Mesh
from mapping.routing._base import RoutingFunction, refuse_torus
from mapping.routing._grid import Grid, IntArray

__all__ = ["ROUTING", "NorthLast"]


def offers(grid: Grid, router: int, came_by: int, target: int, out: IntArray) -> int:
    """Along the row and south as needed; north once only north is left."""
    x, y = router % grid.width, router // grid.width
    to_x, to_y = target % grid.width, target // grid.width
    links = grid.link_target
    count = 0
    if to_x != x:
        horizontal = 4 * router + (1 if to_x > x else 3)
        if links[horizontal] >= 0:
            out[count] = horizontal
            count += 1
    if to_y > y and links[4 * router + 2] >= 0:
        out[count] = 4 * router + 2
        count += 1
    if to_y < y and to_x == x and links[4 * router] >= 0:
        out[count] = 4 * router
        count += 1
    return count


class NorthLast(RoutingFunction):
    """Minimal north-last."""

    name = "north_last"
    offers = staticmethod(offers)

    def check_mesh(self, mesh: Mesh) -> None:
        refuse_torus(self, mesh)


ROUTING = NorthLast()
