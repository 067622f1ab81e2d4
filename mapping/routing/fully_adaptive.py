"""Minimal fully adaptive, one virtual channel: every shortest route. It can deadlock.

It is here as the yardstick of adaptiveness, and because all of its turns together close a cycle
on every mesh from 2x2 on; `adaptive_escape` is the one to use.
"""

from __future__ import annotations

from mapping.mesh import Mesh
from mapping.routing._base import RoutingFunction, at_least, refuse_torus
from mapping.routing._grid import Grid, IntArray

__all__ = ["ROUTING", "FullyAdaptive"]


def offers(grid: Grid, router: int, came_by: int, target: int, out: IntArray) -> int:
    """Every channel that leads nearer, on every virtual channel; the row first."""
    x, y = router % grid.width, router // grid.width
    to_x, to_y = target % grid.width, target // grid.width
    count = 0
    if to_x != x:
        horizontal = 4 * router + (1 if to_x > x else 3)
        if grid.link_target[horizontal] >= 0:
            for vc in range(grid.virtual_channels):
                out[count] = horizontal * grid.virtual_channels + vc
                count += 1
    if to_y != y:
        vertical = 4 * router + (2 if to_y > y else 0)
        if grid.link_target[vertical] >= 0:
            for vc in range(grid.virtual_channels):
                out[count] = vertical * grid.virtual_channels + vc
                count += 1
    return count


class FullyAdaptive(RoutingFunction):
    """Minimal fully adaptive.

    Parameters
    ----------
    virtual_channels : int
        All of them are free to use at any time, which changes nothing about deadlock.
    """

    name = "fully_adaptive"
    offers = staticmethod(offers)

    def __init__(self, virtual_channels: int = 1) -> None:
        self.virtual_channels = at_least("fully_adaptive", virtual_channels, 1)

    def check_mesh(self, mesh: Mesh) -> None:
        refuse_torus(self, mesh)


ROUTING = FullyAdaptive()
