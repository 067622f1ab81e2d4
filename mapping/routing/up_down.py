"""Up*/down*: deadlock-free on any connected network; the way out for meshes with missing parts.

A breadth-first tree from a root in the middle orders the routers by depth, then number; a link is
"up" if it leads towards the root in this order. A packet takes any number of up links, then any
number of down links, never up again, so no circle can close. Of the shortest legal routes one is
kept per state, spread over the choices: deterministic, not always as short as the mesh allows,
and busy near the root. Links that work one way only are not used.

M. D. Schroeder et al., Autonet: a high-speed, self-configuring local area network using
point-to-point links, IEEE JSAC 9, 1991.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from mapping.mesh import Mesh
from mapping.routing._base import RoutingFunction
from mapping.routing._grid import IntArray
from mapping.routing._turn_table import direction_masks, offers, packed, straight_on
from simulator.errors import MappingError

__all__ = ["ROUTING", "UpDown"]


class UpDown(RoutingFunction):
    """Up*/down* on the links that work both ways."""

    name = "up_down"
    offers = staticmethod(offers)

    def table(self, mesh: Mesh) -> IntArray:
        link_target = _two_way_links(mesh)
        order = _tree_order(mesh, link_target)
        allowed = straight_on(mesh.n_cores)
        for router in range(mesh.n_cores):
            for arrival in range(4):
                came_from = link_target[4 * router + (arrival + 2) % 4]
                if came_from < 0:
                    continue
                came_down = order[came_from] < order[router]
                for direction in range(4):
                    goes_to = link_target[4 * router + direction]
                    if goes_to >= 0 and direction != (arrival + 2) % 4:
                        goes_up = order[goes_to] < order[router]
                        allowed[router, 1 + arrival, direction] = not (came_down and goes_up)
        return packed(direction_masks(mesh, link_target, allowed, minimal=False, single=True))


def _two_way_links(mesh: Mesh) -> IntArray:
    target = np.full(mesh.n_link_ids, -1, dtype=np.int64)
    for link in mesh.links:
        end = mesh.link_target(link)
        if mesh.has_link(4 * end + (link % 4 + 2) % 4):
            target[link] = end
    return target


def _tree_order(mesh: Mesh, link_target: IntArray) -> IntArray:
    """Rank of every router by depth in the tree, then number; shape (n_cores,).

    Raises
    ------
    MappingError
        Some usable core cannot be reached over links that work both ways.
    """
    usable = mesh.usable_cores.tolist()
    if not usable:
        mesh.check_connected()

    def off_centre(core: int) -> tuple[int, int]:
        x, y = mesh.coordinates(core)
        return max(abs(2 * x - mesh.width + 1), abs(2 * y - mesh.height + 1)), core

    root = min(usable, key=off_centre)
    depth = np.full(mesh.n_cores, -1, dtype=np.int64)
    depth[root] = 0
    waiting = deque([root])
    while waiting:
        router = waiting.popleft()
        for link in range(4 * router, 4 * router + 4):
            end = int(link_target[link])
            if end >= 0 and depth[end] < 0:
                depth[end] = depth[router] + 1
                waiting.append(end)
    lost = [core for core in usable if depth[core] < 0]
    if lost:
        raise MappingError(
            f"routing 'up_down' on the {mesh}: no way between {mesh.coordinates(root)} and "
            f"{mesh.coordinates(lost[0])} over links that work both ways"
        )
    rank = np.empty(mesh.n_cores, dtype=np.int64)
    rank[np.lexsort((np.arange(mesh.n_cores), depth))] = np.arange(mesh.n_cores)
    return rank


ROUTING = UpDown()
