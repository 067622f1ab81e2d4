"""Routing functions as compiled functions of one type, so that their callers are compiled once.

Every kernel that `compiled_offers` returns has the signature `offers_signature()`. A kernel that
calls it takes an argument of type `offers_type()`, a pointer to a function: it is compiled, and
kept on disk, once for all routing functions instead of once for each, and a call through the
pointer takes a few nanoseconds more than an inlined one.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import numpy as np
from numba import njit, types

from mapping.mesh import Mesh
from mapping.routing import _tabulated
from mapping.routing._base import Flow, RoutingFunction
from mapping.routing._grid import EMPTY_TABLE, Grid, IntArray, Offers
from simulator.errors import MappingError

__all__ = ["compiled_offers", "grid_of", "grid_type", "offers_signature", "offers_type"]


@cache
def grid_type() -> Any:
    """numba's type of a `Grid`."""
    array = types.int64[::1]
    fields = (types.int64, types.int64, types.boolean, types.int64, array, array)
    named: Any = types.NamedTuple
    return named(fields, Grid)


@cache
def offers_signature() -> Any:
    """int64 (Grid, int64 router, int64 came_by, int64 target, int64[::1] out)."""
    number = types.int64
    return number(grid_type(), number, number, number, types.int64[::1])


@cache
def offers_type() -> Any:
    """numba's type of an argument that is a routing function."""
    return types.FunctionType(offers_signature())


def compiled_offers(function: RoutingFunction) -> Any:
    """The relation of a routing function, compiled: call it with a `Grid` of `grid_of`.

    A function that has no `offers` is read from the table which `grid_of` makes of its
    `next_channels`. The same `offers` gives the same compiled function every time.
    """
    own = function.own_offers()
    return _compiled(_tabulated.offers if own is None else own)


@cache
def _compiled(offers: Offers) -> Any:
    try:
        return njit(offers_signature(), cache=True)(offers)
    except RuntimeError:  # its source is in no file (an interactive session): not kept on disk
        return njit(offers_signature())(offers)


def grid_of(mesh: Mesh, function: RoutingFunction, flows: tuple[Flow, ...] | None = None) -> Grid:
    """The `Grid` of a mesh, with the table of a routing function.

    Parameters
    ----------
    flows : tuple of (source, target), or None
        For a function without `offers`, which is written down state by state: only those that
        these flows meet. None for every pair of cores.

    Raises
    ------
    MappingError
        The function does not suit the mesh, or its table is not an int64 array.
    """
    if function.own_offers() is None:
        function.check_mesh(mesh)
        return _grid_with(mesh, function, _tabulated.table_of(mesh, function, flows))
    return _grid(mesh, function)


@lru_cache(maxsize=16)
def _grid(mesh: Mesh, function: RoutingFunction) -> Grid:
    function.check_mesh(mesh)
    return _grid_with(mesh, function, function.table(mesh))


def _grid_with(mesh: Mesh, function: RoutingFunction, table: IntArray) -> Grid:
    array = np.ascontiguousarray(table)
    if array.dtype != np.int64 or array.ndim != 1:
        raise MappingError(
            f"routing {function.name!r}: table(mesh) is {array.dtype} of {array.ndim} dimensions; "
            "it must be one-dimensional int64"
        )
    return Grid(
        mesh.width,
        mesh.height,
        bool(mesh.torus),
        function.virtual_channels,
        mesh.link_targets,
        array if array.size else EMPTY_TABLE,
    )
