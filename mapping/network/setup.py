"""What does not change while a packet network runs: its parameters as the kernels read them."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from mapping.mesh import Mesh
from mapping.network.layout import Shape
from mapping.network.pipeline import Pipeline
from mapping.routing import RoutingFunction
from simulator.errors import MappingError

__all__ = ["Setup", "setup_of", "whole"]

_SWITCHING = ("wormhole", "cut_through")
_MOST_BITS = 30
_LARGE = 1 << 18  # words: a megabyte


class Setup(NamedTuple):
    """All integers; what the last of them are is told in `layout.Shape`."""

    routers: int
    lanes: int  # virtual channels of a port
    vcs: int  # virtual channels of the routing function
    copies: int  # lanes for each of them
    branches: int  # that one buffer can have
    depth: int  # flits of a buffer
    horizon: int  # a power of two, beyond the cycles that an event can lie ahead
    routing: int  # cycles from a head's arrival to its first request for a channel
    turnaround: int
    wire_delay: int  # from the switch allocation to the arrival over a wire of one cycle
    out_delay: int  # the same, at the core
    credit_delay: int  # from the switch allocation to the credit's use upstream
    source_credit_delay: int
    out_credit_delay: int
    cut_through: int
    large: int  # whether the routers are more than the cache holds
    slow_links: int  # whether a link takes several cycles for a flit
    empty_first: int  # a channel is given to the next packet only when its buffer has drained
    drop_after: int  # -1: never
    queue_limit: int  # -1: none
    seed: int
    most_offers: int
    branch_words: int
    ring: int
    lane_words: int
    first_lane: int
    source: int
    router_words: int


def whole(name: str, value: Any, least: int) -> int:
    """An integer of at least `least`, or a MappingError."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool | np.bool_):
        raise MappingError(f"{name} = {value!r}; it must be an integer >= {least}")
    return number


def setup_of(
    mesh: Mesh,
    routing: RoutingFunction,
    *,
    pipeline: Pipeline,
    lanes: int,
    buffer_flits: int,
    switching: str,
    queue_packets: int | None,
    drop_after: int | None,
    empty_first: bool,
    multicast: bool,
    seed: int,
) -> tuple[Setup, Shape]:
    """The setup of a network with the parameters of `PacketNetwork`, which are checked here."""
    if switching not in _SWITCHING:
        raise MappingError(
            f"switching {switching!r}; it must be one of {', '.join(map(repr, _SWITCHING))}"
        )
    copies = whole("lanes", lanes, 1)
    vcs = routing.virtual_channels
    branches = 5 if multicast else 1
    if vcs * copies > _MOST_BITS // branches:
        raise MappingError(
            f"lanes = {lanes}: {vcs * copies} virtual channels on a link; at most "
            f"{_MOST_BITS // branches}"
        )
    to_wire = pipeline.switch_allocation + pipeline.switch_traversal
    furthest = max(
        to_wire + pipeline.link + int(mesh.link_cycles.max(initial=1)),
        pipeline.packet_turnaround + pipeline.routing + pipeline.vc_allocation,
        to_wire + 3 + pipeline.credit,
        2 + pipeline.link + pipeline.credit,
    )
    depth = whole("buffer_flits", buffer_flits, 1)
    shape = Shape.of(vcs * copies, branches, 4 * vcs, depth)
    setup = Setup(
        routers=mesh.n_cores,
        lanes=vcs * copies,
        vcs=vcs,
        copies=copies,
        branches=branches,
        depth=depth,
        horizon=1 << furthest.bit_length(),
        routing=pipeline.routing + pipeline.vc_allocation - 1,
        turnaround=pipeline.packet_turnaround,
        wire_delay=to_wire + pipeline.link,
        out_delay=to_wire + 1,
        credit_delay=1 + pipeline.link + pipeline.credit,
        source_credit_delay=2,
        out_credit_delay=to_wire + 1 + 2 + pipeline.credit,
        cut_through=int(switching == "cut_through"),
        large=int(mesh.n_cores * shape.router > _LARGE),
        slow_links=int(mesh.link_cycles.max(initial=1) > 1),
        empty_first=int(bool(empty_first)),
        drop_after=-1 if drop_after is None else whole("drop_after", drop_after, 0),
        queue_limit=-1 if queue_packets is None else whole("queue_packets", queue_packets, 1),
        seed=whole("seed", seed, 0) & 0x7FFFFFFF,
        most_offers=4 * vcs,
        branch_words=shape.branch,
        ring=shape.ring,
        lane_words=shape.lane,
        first_lane=shape.first_lane,
        source=shape.source,
        router_words=shape.router,
    )
    return setup, shape
