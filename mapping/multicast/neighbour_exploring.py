"""Neighbour-exploring routing: each target is joined to what the tree already has nearby.

Targets are taken by distance from the source. Around each, circles of growing radius are searched
for a router of the tree; from the nearest (or the source, if none is within the radius), the
longest dimension is walked first. Trees are shorter than unions of routes where targets lie
together; a target may be reached by a detour.

J. Navaridas et al., SpiNNaker: enhanced multicast routing, Parallel Computing 45, 2015.
"""

from __future__ import annotations

from mapping.mesh import Mesh
from mapping.multicast._base import Parents, graft
from mapping.routing import Channel

__all__ = ["RADIUS", "tree"]

RADIUS = 20  # [hops] as in the paper


def tree(mesh: Mesh, source: int, targets: list[int]) -> tuple[Parents, dict[int, Channel]]:
    parents: Parents = {}
    came_by: dict[int, Channel] = {}
    distances = mesh.distances
    for target in sorted(targets, key=lambda t: (int(distances[source, t]), t)):
        if target in came_by:
            continue
        within = [core for core in (source, *came_by) if 0 <= distances[core, target] <= RADIUS]
        nearest = min(within, key=lambda core: (int(distances[core, target]), core), default=source)
        graft(mesh, parents, came_by, _longest_first(mesh, nearest, target, source))
    return parents, {target: came_by[target] for target in targets}


def _longest_first(mesh: Mesh, start: int, target: int, source: int) -> list[Channel]:
    """Channels along the longer of the two dimensions, then the other."""
    x, y = mesh.coordinates(start)
    to_x, to_y = mesh.coordinates(target)
    across, down = to_x - x, to_y - y
    if mesh.torus:
        across = (across + (mesh.width - 1) // 2) % mesh.width - (mesh.width - 1) // 2
        down = (down + (mesh.height - 1) // 2) % mesh.height - (mesh.height - 1) // 2
    legs = [("E" if across > 0 else "W", abs(across)), ("S" if down > 0 else "N", abs(down))]
    path: list[Channel] = []
    router = start
    for direction, count in sorted(legs, key=lambda leg: -leg[1]):
        for _ in range(count):
            channel = Channel(mesh.link(router, direction))
            router = mesh.link_target(channel.link)
            # Never back into the source, which no channel of the tree enters.
            path = [] if router == source else [*path, channel]
    return path
