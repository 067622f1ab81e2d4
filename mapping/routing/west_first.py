"""West-first: all hops to the west before any other. Partially adaptive, minimal, deadlock-free.

The two turns into the west are forbidden. Eastbound packets choose freely between their row and
their column; westbound ones have one route.

C. J. Glass, L. M. Ni, The turn model for adaptive routing, ISCA 1992.
"""

from __future__ import annotations

from mapping.mesh import Mesh
from mapping.routing._base import RoutingFunction, refuse_torus
from mapping.routing._grid import Grid, IntArray

__all__ = ["ROUTING", "WestFirst"]


def offers(grid: Grid, router: int, came_by: int, target: int, out: IntArray) -> int:
    """West while there is west to go, then east and along the column as needed."""
    x, y = router % grid.width, router // grid.width
    to_x, to_y = target % grid.width, target // grid.width
    links = grid.link_target
    count = 0
    if to_x < x:
        if links[4 * router + 3] >= 0:
            out[0] = 4 * router + 3
            count = 1
        return count
    if to_x > x and links[4 * router + 1] >= 0:
        out[count] = 4 * router + 1
        count += 1
    if to_y != y:
        vertical = 4 * router + (2 if to_y > y else 0)
        if links[vertical] >= 0:
            out[count] = vertical
            count += 1
    return count


class WestFirst(RoutingFunction):
    """Minimal west-first."""

    name = "west_first"
    offers = staticmethod(offers)

    def check_mesh(self, mesh: Mesh) -> None:
        refuse_torus(self, mesh)


ROUTING = WestFirst()
