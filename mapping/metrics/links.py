"""Packets over every link, packet by packet or counted once per multicast tree."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.graph import IntArray
from mapping.mesh import Mesh
from mapping.metrics import _flow_kernels
from mapping.multicast import multicast_tree
from mapping.routing import (
    Channel,
    RoutingFunction,
    checked_channels,
    compiled_offers,
    grid_of,
    routing_function,
)
from mapping.traffic import Traffic
from simulator.errors import MappingError
from simulator.ragged import row_starts

__all__ = [
    "AdaptiveRoutingError",
    "Loads",
    "expected_link_loads",
    "link_loads",
    "link_utilisation",
    "maximum_link_load",
    "multicast_link_loads",
]

FloatArray = NDArray[np.float64]
Loads = IntArray | FloatArray


class AdaptiveRoutingError(MappingError):
    """A measure that needs one route per packet, of a routing function that leaves a choice."""


def link_loads(
    traffic: Traffic, core_of: IntArray, mesh: Mesh, routing: str | RoutingFunction
) -> IntArray:
    """Packets over every link: load(l) = sum over i, j with l in R_ij of c_ij.

    Parameters
    ----------
    routing : str or RoutingFunction
        A deterministic one.

    Returns
    -------
    int64 array, shape (mesh.n_link_ids,)
        By link id, zero where there is no link. With shortest routes the sum is the
        communication cost.

    Raises
    ------
    AdaptiveRoutingError
        The function leaves a choice; the loads depend on congestion then.
    MappingError
        A dead end, or a route in a circle.
    """
    function = routing_function(routing, mesh)
    loads = _loads(traffic, core_of, mesh, function, split=False)
    return np.rint(loads).astype(np.int64)


def expected_link_loads(
    traffic: Traffic, core_of: IntArray, mesh: Mesh, routing: str | RoutingFunction
) -> FloatArray:
    """Packets over every link if each choice is taken equally often, for any routing function.

    Wherever the function offers several links, the packets split evenly over them (and, on one
    link, over its virtual channels). That is an idealisation: congestion decides in truth, and
    an order of preference is not looked at. For a deterministic function it is `link_loads`.

    Returns
    -------
    float64 array, shape (mesh.n_link_ids,)

    Raises
    ------
    MappingError
        A dead end, or a function that may lead a packet back to where it was.
    """
    function = routing_function(routing, mesh)
    return _loads(traffic, core_of, mesh, function, split=True)


def multicast_link_loads(
    traffic: Traffic,
    core_of: IntArray,
    mesh: Mesh,
    routing: str | RoutingFunction = "xy",
    *,
    tree: str | None = None,
) -> IntArray:
    """Packets over every link when one packet serves all targets of a spike.

    load(l) = sum over flows f with l in the union over their targets j of R_fj of packets(f):
    every link is counted once per packet, however many targets lie behind it. With XY routes the
    union is a tree.

    Parameters
    ----------
    traffic : Traffic
        With its multicast flows, as `spike_traffic` makes it.
    routing : str or RoutingFunction
        A deterministic one, whose routes to all targets together are the tree.
    tree : str, optional
        Instead of that: one of `mapping.multicast.multicast_names()`. Links are then counted once
        for each packet of the tree, which may be sent as several.

    Returns
    -------
    int64 array, shape (mesh.n_link_ids,)

    Raises
    ------
    AdaptiveRoutingError
        The function leaves a choice, so its routes form no tree.
    MappingError
        Traffic without multicast flows, or an unknown tree.
    """
    flows = traffic.multicast
    if flows is None:
        raise MappingError(
            "this traffic has no multicast flows (it was made from a matrix); spike_traffic makes "
            "them from a network and its partition"
        )
    loads = np.zeros(mesh.n_link_ids, dtype=np.int64)
    source, target = core_of[flows.source], core_of[flows.target]
    if tree is not None:
        for f in range(flows.n_flows):
            reached = target[flows.start[f] : flows.start[f + 1]].tolist()
            for packet in multicast_tree(mesh, tree, int(source[f]), reached).packets():
                for channel in packet:
                    loads[channel.link] += flows.packets[f]
        return loads
    function = routing_function(routing, mesh)
    where = np.zeros(3, dtype=np.int64)
    pairs = set(zip(np.repeat(source, np.diff(flows.start)).tolist(), target.tolist(), strict=True))
    status = _flow_kernels.tree_loads()(
        compiled_offers(function),
        grid_of(mesh, function, tuple(sorted(pairs))),
        np.ascontiguousarray(source),
        np.ascontiguousarray(flows.start),
        np.ascontiguousarray(target),
        np.ascontiguousarray(flows.packets),
        loads,
        where,
    )
    _raise_for(status, where, mesh, function)
    return loads


def maximum_link_load(loads: Loads) -> int:
    """max_l load(l), in packets: the link that limits the throughput of the network."""
    # A millionth of a packet is the rounding of shares, not load.
    return int(np.ceil(np.round(loads.max(), 6)))


def link_utilisation(loads: Loads, mesh: Mesh) -> float:
    """Share of the links that carry at least one packet, 0..1 (0 on a mesh without links).

    Loads per unit of time need a link speed: see `link_busy_share`.
    """
    return float(np.count_nonzero(loads)) / len(mesh.links) if mesh.links else 0.0


class _Flows(NamedTuple):
    """Flows by target, in compressed rows."""

    target: IntArray
    start: IntArray
    source: IntArray
    packets: FloatArray


def _by_target(traffic: Traffic, core_of: IntArray) -> _Flows:
    by_target = np.ascontiguousarray(traffic.packets.T)
    entry = np.flatnonzero(by_target)
    sent_to = np.count_nonzero(by_target, axis=1)
    row = np.flatnonzero(sent_to)
    return _Flows(
        core_of[row].astype(np.int64),
        row_starts(sent_to[row]),
        core_of[entry % traffic.n_cores].astype(np.int64),
        by_target.ravel()[entry].astype(np.float64),
    )


def _loads(
    traffic: Traffic, core_of: IntArray, mesh: Mesh, function: RoutingFunction, *, split: bool
) -> FloatArray:
    if traffic.packets.sum(dtype=np.float64) >= 2.0**53:
        raise MappingError("more than 2^53 packets: their sums are not exact; scale them down")
    flows = _by_target(traffic, core_of)
    loads = np.zeros(mesh.n_link_ids)
    where = np.zeros(3, dtype=np.int64)
    pairs = None
    if function.own_offers() is None:
        ends = np.repeat(flows.target, np.diff(flows.start))
        pairs = tuple(sorted(zip(flows.source.tolist(), ends.tolist(), strict=True)))
    status = _flow_kernels.flow_loads()(
        compiled_offers(function), grid_of(mesh, function, pairs), *flows, split, loads, where
    )
    _raise_for(status, where, mesh, function)
    return loads


def _raise_for(status: int, where: IntArray, mesh: Mesh, function: RoutingFunction) -> None:
    """The sentence for a status code of the kernels; `where` is router, channel held, target."""
    if status == _flow_kernels.FINE:
        return
    router, held, target = where.tolist()
    if status == _flow_kernels.ADAPTIVE:
        raise AdaptiveRoutingError(
            f"routing {function.name!r} is adaptive; link loads need a deterministic one, "
            "expected_link_loads splits the packets evenly"
        )
    if status == _flow_kernels.CIRCLE:
        raise MappingError(
            f"routing {function.name!r} goes round in a circle through {mesh.coordinates(router)} "
            f"on the way to {mesh.coordinates(target)}"
        )
    came_by = None if held < 0 else Channel(*divmod(held, function.virtual_channels))
    checked_channels(mesh, function, router, came_by, target)
    raise MappingError(  # the relation said something else when it was asked again
        f"routing {function.name!r} at {mesh.coordinates(router)} does not always give the same "
        "answer; a relation must not change"
    )
