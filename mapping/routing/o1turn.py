"""O1TURN: XY on virtual channel 0 or YX on virtual channel 1, chosen once, at injection.

Each packet has its two routes of at most one turn to choose from; drawn with equal odds, the
worst-case throughput of a mesh is near the best possible. Minimal. The two virtual networks share
no channel and each is dimension order: deadlock-free.

D. Seo et al., Near-optimal worst-case throughput routing for two-dimensional mesh networks, ISCA
2005.
"""

from __future__ import annotations

from mapping.mesh import Mesh
from mapping.routing._base import RoutingFunction, refuse_torus
from mapping.routing._grid import Grid, IntArray

__all__ = ["ROUTING", "O1Turn"]


def offers(grid: Grid, router: int, came_by: int, target: int, out: IntArray) -> int:
    """Both virtual networks at injection, later the one that the packet is in."""
    x, y = router % grid.width, router // grid.width
    to_x, to_y = target % grid.width, target // grid.width
    horizontal = 4 * router + (1 if to_x > x else 3)
    vertical = 4 * router + (2 if to_y > y else 0)
    count = 0
    if came_by < 0 or came_by % 2 == 0:
        link = horizontal if to_x != x else vertical
        if grid.link_target[link] >= 0:
            out[count] = 2 * link
            count += 1
    if came_by < 0 or came_by % 2 == 1:
        link = vertical if to_y != y else horizontal
        if grid.link_target[link] >= 0:
            out[count] = 2 * link + 1
            count += 1
    return count


class O1Turn(RoutingFunction):
    """Two virtual networks, XY and YX."""

    name = "o1turn"
    virtual_channels = 2
    offers = staticmethod(offers)

    def check_mesh(self, mesh: Mesh) -> None:
        refuse_torus(self, mesh)


ROUTING = O1Turn()
