"""Routing functions as relations, one file each, found by name.

To add one, add a file ``mapping/routing/<name>.py`` with a subclass of `RoutingFunction` and a
line ``ROUTING = MyFunction()``.
"""

from __future__ import annotations

import sys

from mapping import _discovery
from mapping.mesh import Mesh
from mapping.routing._base import Channel, RoutingFunction, checked_channels
from mapping.routing._compiled import (
    compiled_offers,
    grid_of,
    grid_type,
    offers_signature,
    offers_type,
)
from mapping.routing._grid import Grid
from mapping.routing._table_driven import TableDriven
from mapping.routing._turn_set import TURNS, TurnSet
from simulator.errors import MappingError

__all__ = [
    "TURNS",
    "Channel",
    "Grid",
    "RoutingFunction",
    "TableDriven",
    "TurnSet",
    "checked_channels",
    "compiled_offers",
    "grid_of",
    "grid_type",
    "offers_signature",
    "offers_type",
    "route",
    "routing_function",
    "routing_names",
]


def routing_names() -> list[str]:
    """Names that `routing_function` accepts."""
    return _discovery.names(sys.modules[__name__])


def routing_function(routing: str | RoutingFunction, mesh: Mesh) -> RoutingFunction:
    """Routing function by name (or the object itself), after checking that it suits the mesh.

    Besides the names of `routing_names`, ``"turn_set:E2N+W2S+..."`` gives a `TurnSet` and
    ``"table_driven:FILE.csv"`` a `TableDriven`.

    Raises
    ------
    MappingError
        Unknown name, or a function that is not meant for this topology.
    """
    if isinstance(routing, str) and routing.startswith("turn_set:"):
        found: object = TurnSet(routing.removeprefix("turn_set:"))
    elif isinstance(routing, str) and routing.startswith("table_driven:"):
        found = TableDriven.read_csv(routing.removeprefix("table_driven:"), mesh)
    elif isinstance(routing, str):
        found = _discovery.load(sys.modules[__name__], routing, "routing", "ROUTING")
    else:
        found = routing
    if not isinstance(found, RoutingFunction):
        raise MappingError(f"routing {routing!r} is not a RoutingFunction")
    found.check_mesh(mesh)
    return found


def route(mesh: Mesh, routing: str | RoutingFunction, source: int, target: int) -> list[Channel]:
    """Channels that a packet takes from one core to another; empty if they are the same.

    Raises
    ------
    MappingError
        The function offers a choice (it is adaptive, so there is no one route), a dead end, or
        goes round in a circle.
    """
    function = routing_function(routing, mesh)
    mesh.coordinates(source)
    mesh.coordinates(target)
    path: list[Channel] = []
    router, came_by = source, None
    while router != target:
        offered = checked_channels(mesh, function, router, came_by, target)
        if len(offered) > 1:
            raise MappingError(
                f"routing {function.name!r} offers {len(offered)} channels at "
                f"{mesh.coordinates(router)} for {mesh.coordinates(target)}; "
                "an adaptive function has no single route"
            )
        came_by = offered[0]
        if came_by in path:
            raise MappingError(
                f"routing {function.name!r} goes round in a circle from "
                f"{mesh.coordinates(source)} to {mesh.coordinates(target)}"
            )
        path.append(came_by)
        router = mesh.link_target(came_by.link)
    return path
