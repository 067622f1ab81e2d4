"""Negative-first: all hops to the west and south before any to the east and north.

The negative directions are those of a map with north on top, west and south, although rows are
numbered from the top. The turns from a positive into a negative direction are forbidden:
deadlock-free. Packets to the south-west and to the north-east choose freely, the others have one
route. Minimal.

C. J. Glass, L. M. Ni, The turn model for adaptive routing, ISCA 1992.
"""

from __future__ import annotations

from mapping.mesh import Mesh
from mapping.routing._base import RoutingFunction, refuse_torus
from mapping.routing._grid import Grid, IntArray

__all__ = ["ROUTING", "NegativeFirst"]


def offers(grid: Grid, router: int, came_by: int, target: int, out: IntArray) -> int:
    """West and south as needed, then east and north."""
    x, y = router % grid.width, router // grid.width
    to_x, to_y = target % grid.width, target // grid.width
    links = grid.link_target
    # Horizontal and vertical direction of this phase, -1 if none is needed.
    if to_x < x or to_y > y:
        horizontal = 3 if to_x < x else -1
        vertical = 2 if to_y > y else -1
    else:
        horizontal = 1 if to_x > x else -1
        vertical = 0 if to_y < y else -1
    count = 0
    for direction in (horizontal, vertical):
        if direction >= 0 and links[4 * router + direction] >= 0:
            out[count] = 4 * router + direction
            count += 1
    return count


class NegativeFirst(RoutingFunction):
    """Minimal negative-first."""

    name = "negative_first"
    offers = staticmethod(offers)

    def check_mesh(self, mesh: Mesh) -> None:
        refuse_torus(self, mesh)


ROUTING = NegativeFirst()
