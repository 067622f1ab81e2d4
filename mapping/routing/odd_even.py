"""Odd-even: which turns are forbidden depends on the column. Partially adaptive, deadlock-free.

No packet turns from east into north or south in an even column, or from north or south into west
in an odd one; columns are numbered from 0. Adaptiveness is spread more evenly than in the turn
models. Minimal: the relation of the procedure ROUTE, where "in the column of the source" is read
off the channel that the packet came by: an eastbound packet in an even column may move along it
only if it did not enter it from the west.

G.-M. Chiu, The odd-even turn model for adaptive routing, IEEE TPDS 11, 2000, figure 2.
"""

from __future__ import annotations

from mapping.mesh import Mesh
from mapping.routing._base import RoutingFunction, refuse_torus
from mapping.routing._grid import Grid, IntArray

__all__ = ["ROUTING", "OddEven"]


def offers(grid: Grid, router: int, came_by: int, target: int, out: IntArray) -> int:
    """Channels that lead nearer and leave a permitted way to the target."""
    x, y = router % grid.width, router // grid.width
    to_x, to_y = target % grid.width, target // grid.width
    along_row = to_x != x
    along_column = to_y != y
    if to_x > x:
        came_east = came_by >= 0 and came_by % 4 == 1
        # The last column is entered on its own row if it is even: there is no turn in it.
        along_row = to_y == y or to_x % 2 == 1 or to_x - x != 1
        along_column = to_y != y and (x % 2 == 1 or not came_east)
    elif to_x < x:
        along_column = to_y != y and x % 2 == 0
    count = 0
    if along_row:
        horizontal = 4 * router + (1 if to_x > x else 3)
        if grid.link_target[horizontal] >= 0:
            out[count] = horizontal
            count += 1
    if along_column:
        vertical = 4 * router + (2 if to_y > y else 0)
        if grid.link_target[vertical] >= 0:
            out[count] = vertical
            count += 1
    return count


class OddEven(RoutingFunction):
    """Minimal odd-even."""

    name = "odd_even"
    offers = staticmethod(offers)

    def check_mesh(self, mesh: Mesh) -> None:
        refuse_torus(self, mesh)


ROUTING = OddEven()
