"""Relations given as plain Python only: every state that a packet can meet is written down.

Layout of the table: for each state and target the place of its list, then the lists themselves,
each its length and the channel numbers. A state is a channel number, or the number of channels
plus the router of injection.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from mapping.mesh import Mesh
from mapping.routing._base import Channel, Flow, RoutingFunction, checked_channels
from mapping.routing._grid import Grid, IntArray
from simulator.errors import MappingError

__all__ = ["offers", "table_of"]

_MAX_ENTRIES = 1 << 26


def offers(grid: Grid, router: int, came_by: int, target: int, out: IntArray) -> int:
    """The list of this state; none where no packet can be."""
    cores = grid.width * grid.height
    state = came_by if came_by >= 0 else 4 * cores * grid.virtual_channels + router
    place = grid.table[state * cores + target]
    if place < 0:
        return 0
    count = grid.table[place]
    for k in range(count):
        out[k] = grid.table[place + 1 + k]
    return int(count)


def table_of(
    mesh: Mesh, function: RoutingFunction, flows: Iterable[Flow] | None = None
) -> IntArray:
    """Follow packets of the flows (None: all pairs) through `next_channels`.

    Raises
    ------
    MappingError
        A dead end, a channel that is not there, or a mesh too large for one call per state.
    """
    lanes = function.virtual_channels
    n_channels = mesh.n_link_ids * lanes
    n_places = (n_channels + mesh.n_cores) * mesh.n_cores
    if n_places > _MAX_ENTRIES:
        raise MappingError(
            f"routing {function.name!r} has no `offers`, and the {mesh} is too large to write its "
            "relation down; give it `offers`, a function on arrays (see mapping/routing/xy.py)"
        )
    places = np.full(n_places, -1, dtype=np.int64)
    lists: list[int] = []
    sources: defaultdict[int, set[int]] = defaultdict(set)
    for source, target in function.pairs(mesh) if flows is None else flows:
        sources[target].add(source)
    for target, starts in sources.items():
        waiting: list[tuple[int, Channel | None]] = [(s, None) for s in starts if s != target]
        while waiting:
            router, came_by = waiting.pop()
            if router == target:
                continue
            number = n_channels + router if came_by is None else came_by.link * lanes + came_by.vc
            if places[number * mesh.n_cores + target] >= 0:
                continue
            offered = checked_channels(mesh, function, router, came_by, target)
            places[number * mesh.n_cores + target] = n_places + len(lists)
            lists.append(len(offered))
            lists.extend(link * lanes + vc for link, vc in offered)
            waiting.extend((mesh.link_target(c.link), Channel(*c)) for c in offered)
    return np.concatenate((places, np.array(lists, dtype=np.int64)))
