"""The route of every pair of cores, in a table small enough to be walked millions of times."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from mapping.graph import IntArray
from mapping.kernel_part import kernel, kernel_part
from mapping.mesh import Mesh
from mapping.routing import (
    Grid,
    RoutingFunction,
    compiled_offers,
    grid_of,
    grid_type,
    offers_type,
    routing_function,
)
from simulator.errors import MappingError

__all__ = ["RouteTable", "add_route", "default_routing", "route_table", "route_weights"]

Int32Array = NDArray[np.int32]
FloatArray = NDArray[np.float64]

# 1 GiB of int32: a mesh of 16,384 cores, unless the routes depend on the way a packet came.
_MOST_ENTRIES = 2**28


class RouteTable(NamedTuple):
    """Where a packet goes next.

    Attributes
    ----------
    next_hop : int32 array, shape (n_states, n_cores)
        Hop taken in a state by packets for a core, -1 at the core itself and where none comes by.
        The states below n_cores are those of packets that start at that core.
    link, state : int32 arrays, shape (n_hops,)
        Link that a hop takes, and the state it leads to.
    """

    next_hop: Int32Array
    link: Int32Array
    state: Int32Array


def default_routing(mesh: Mesh) -> str:
    """Name of the dimension order that is minimal on this mesh."""
    return "torus_dimension_order" if mesh.torus else "xy"


@lru_cache(maxsize=4)
def route_table(mesh: Mesh, routing: str | RoutingFunction) -> RouteTable:
    """Routes between all usable cores.

    Raises
    ------
    MappingError
        The function does not suit the mesh, is adaptive, or does not lead everywhere; or the
        table would be too large.
    """
    function = routing_function(routing, mesh)
    cores = mesh.usable_cores.astype(np.int64)
    grid, offers = grid_of(mesh, function), compiled_offers(function)
    lanes, n = function.virtual_channels, mesh.n_cores
    where = np.zeros(2, dtype=np.int64)
    links = np.arange(mesh.n_link_ids, dtype=np.int32)
    # Mostly the way on depends on the router alone; if not, on the channel a packet came by.
    next_hop = _empty(n, n, mesh)
    status = _walker()(offers, grid, cores, False, next_hop, where)
    link, state = links, mesh.link_targets.astype(np.int32)
    if status == _DIFFERS:
        next_hop = _empty(n + mesh.n_link_ids * lanes, n, mesh)
        status = _walker()(offers, grid, cores, True, next_hop, where)
        link = np.repeat(links, lanes)
        state = (n + np.arange(link.size)).astype(np.int32)
    if status != _FINE:
        ends = f"from {mesh.coordinates(int(where[0]))} to {mesh.coordinates(int(where[1]))}"
        raise MappingError(
            f"routing {function.name!r} {_WORDS[status]} {ends} on the {mesh}; link loads need "
            "one route for every pair of cores: give a deterministic `routing` that has them"
        )
    return RouteTable(next_hop, link, state)


def route_weights(table: RouteTable, mesh: Mesh, weight: FloatArray) -> FloatArray:
    """Sum of the links' weights along every route, shape (n_cores, n_cores); 0 for no route."""
    sums = np.zeros((mesh.n_cores, mesh.n_cores))
    _sum_weights(table, mesh.usable_cores.astype(np.int64), weight, sums)
    return sums


def _empty(n_states: int, n: int, mesh: Mesh) -> Int32Array:
    if n_states * n > _MOST_ENTRIES:
        raise MappingError(
            f"the routes of the {mesh} need a table of {n_states:,} x {n:,} entries, more than "
            f"{_MOST_ENTRIES:,}; place for 'packet_hops', which needs none"
        )
    return np.full((n_states, n), -1, dtype=np.int32)


_FINE, _DIFFERS, _ADAPTIVE, _ASTRAY, _CIRCLE = range(5)
_WORDS = {
    _ADAPTIVE: "is adaptive",
    _ASTRAY: "knows no way on",
    _CIRCLE: "goes round in a circle",
}


@cache
def _walker() -> Any:
    number: Any = types.int64
    ints = types.int64[::1]
    signature = number(offers_type(), grid_type(), ints, types.boolean, types.int32[:, ::1], ints)
    return njit(signature, cache=True)(walk_routes)


def walk_routes(
    offers: Any,
    grid: Grid,
    cores: IntArray,
    by_channel: bool,
    next_hop: Int32Array,
    where: IntArray,
) -> int:
    """Fill `next_hop` from every core to every other; each state is asked once per target."""
    lanes = grid.virtual_channels
    link_target = grid.link_target
    n = link_target.size // 4
    met_for = np.full(link_target.size * lanes, -1, dtype=np.int64)
    out = np.zeros(4 * lanes, dtype=np.int64)
    for target in cores:
        for source in cores:
            router, held = source, np.int64(-1)
            steps = 0
            while router != target:
                if held >= 0:
                    if met_for[held] == target:
                        break
                    met_for[held] = target
                where[0], where[1] = source, target
                count = offers(grid, router, held, target, out)
                if count > 1:
                    return _ADAPTIVE
                channel = out[0]
                if count < 1 or channel < 0 or channel >= met_for.size:
                    return _ASTRAY
                link = channel // lanes
                if link // 4 != router or link_target[link] < 0:
                    return _ASTRAY
                if by_channel:
                    next_hop[router if held < 0 else n + held, target] = channel
                elif next_hop[router, target] < 0:
                    next_hop[router, target] = link
                elif next_hop[router, target] != link:
                    return _DIFFERS
                held = channel
                router = link_target[link]
            # A circle has been walked all round if its states lead back to themselves.
            state = np.int64(source)
            while state >= 0 and steps <= met_for.size + n:
                hop = next_hop[state, target]
                if hop < 0:
                    break
                state = np.int64(n + hop) if by_channel else link_target[hop]
                steps += 1
            if steps > met_for.size + n:
                return _CIRCLE
    return _FINE


@kernel_part
def add_route(routes: RouteTable, source: int, target: int, packets: int, loads: IntArray) -> float:
    """Add packets to every link of a route; returns the change of the sum of squared loads."""
    change = 0.0
    state = np.int64(source)
    hop = routes.next_hop[state, target]
    while hop >= 0:
        link = routes.link[hop]
        change += float(packets) * (2.0 * float(loads[link]) + float(packets))
        loads[link] += packets
        state = np.int64(routes.state[hop])
        hop = routes.next_hop[state, target]
    return change


@kernel
def _sum_weights(routes: RouteTable, cores: IntArray, weight: FloatArray, sums: FloatArray) -> None:
    for source in cores:
        for target in cores:
            state = np.int64(source)
            hop = routes.next_hop[state, target]
            while hop >= 0:
                sums[source, target] += weight[routes.link[hop]]
                state = np.int64(routes.state[hop])
                hop = routes.next_hop[state, target]
