"""Minimal fully adaptive with an escape channel: virtual channel 0 goes by XY, the others freely.

A packet may take any channel that leads nearer on virtual channels 1 and up, and virtual channel
0 of the link that XY would take, whatever it did before. There are cycles of dependencies among
the adaptive channels, but a blocked packet can always ask for its escape channel, and escape
channels are never waited for in a circle.

J. Duato, A new theory of deadlock-free adaptive routing in wormhole networks, IEEE TPDS 4, 1993.
"""

from __future__ import annotations

from mapping.mesh import Mesh
from mapping.routing._base import RoutingFunction, at_least, refuse_torus
from mapping.routing._grid import Grid, IntArray

__all__ = ["ROUTING", "AdaptiveEscape"]


def offers(grid: Grid, router: int, came_by: int, target: int, out: IntArray) -> int:
    """The adaptive channels first, then the escape channel."""
    x, y = router % grid.width, router // grid.width
    to_x, to_y = target % grid.width, target // grid.width
    lanes = grid.virtual_channels
    horizontal = 4 * router + (1 if to_x > x else 3)
    vertical = 4 * router + (2 if to_y > y else 0)
    count = 0
    if to_x != x and grid.link_target[horizontal] >= 0:
        for vc in range(1, lanes):
            out[count] = horizontal * lanes + vc
            count += 1
    if to_y != y and grid.link_target[vertical] >= 0:
        for vc in range(1, lanes):
            out[count] = vertical * lanes + vc
            count += 1
    way_out = horizontal if to_x != x else vertical
    if grid.link_target[way_out] >= 0:
        out[count] = way_out * lanes
        count += 1
    return count


def escape(grid: Grid, router: int, came_by: int, target: int, out: IntArray) -> int:
    """Virtual channel 0 of the link that XY takes."""
    x, y = router % grid.width, router // grid.width
    to_x, to_y = target % grid.width, target // grid.width
    direction = 2 if to_y > y else 0
    if x != to_x:
        direction = 1 if to_x > x else 3
    link = 4 * router + direction
    out[0] = link * grid.virtual_channels
    return 1 if grid.link_target[link] >= 0 else 0


class AdaptiveEscape(RoutingFunction):
    """Duato's function on a mesh.

    Parameters
    ----------
    virtual_channels : int
        One for escape and at least one adaptive; >= 2.
    """

    name = "adaptive_escape"
    offers = staticmethod(offers)
    escape = staticmethod(escape)

    def __init__(self, virtual_channels: int = 2) -> None:
        self.virtual_channels = at_least("adaptive_escape", virtual_channels, 2)

    def check_mesh(self, mesh: Mesh) -> None:
        refuse_torus(self, mesh)


ROUTING = AdaptiveEscape()
