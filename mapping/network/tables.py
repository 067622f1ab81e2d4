"""The state of a packet network: a few tables of integers, one row for each thing it is made of.

Numbering, used by every kernel:

- A *port* is one end of a wire. Ports 0..4n-1 are the links of the mesh by id (n routers), port
  4n + c the wire from core c into its router, 5n + c the wire from router c to its core.
- Port p has `lanes` virtual channels, numbered ``p * lanes + lane``. Such a number is at once the
  virtual channel at the sending end (its credits, its owner) and the buffer at the receiving end.
- A router has five sides: N, E, S, W = 0..3 and its core = 4; a buffer belongs to the side on
  which its wire arrives, whoever sends.
- A *branch* is one copy that a buffer's packet sends on: one for a packet to one core, as many as
  the tree has branches there for a multicast. Branch numbers are ``buffer * branches + k``.
- A *packet slot* holds what its flits have in common, in each buffer's own copy for a multicast.
- A flit is ``4 * slot + 2 * is_head + is_tail``.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mapping.mesh import Mesh

__all__ = [
    "DELIVERY",
    "FLAT",
    "PACKET",
    "PENDING",
    "WIDE",
    "IntArray",
    "Setup",
    "Tables",
    "empty_tables",
    "rows",
]

IntArray: TypeAlias = NDArray[np.int64]  # or narrower: see WIDE


def columns(*names: str) -> Any:
    """Column numbers by name; a table's entry is ``table[row, COLUMNS.name]``, compiled or not."""
    kind: Any = namedtuple("Columns", list(names))  # type: ignore[misc]
    return kind(*range(len(names)))


def rows(n: int, which: Any, dtype: type[np.signedinteger] = np.int64) -> IntArray:
    """A table of `n` rows of zeros."""
    return np.zeros((n, len(which)), dtype=dtype)


BUFFER: Any = columns(
    "state", "oldest", "flits", "port", "router", "copies", "behind", "since", "peak", "came_by"
)
BRANCH: Any = columns(
    "state", "out", "out_port", "side", "ahead", "turn", "offers", "slot", "buffer", "place"
)
CHANNEL: Any = columns("owner", "credits", "turn", "port", "mask")
IN_PORT: Any = columns("router", "side", "waiting", "ready", "turn", "lane_turn", "held")
OUT_PORT: Any = columns(
    "router", "turn", "busy_until", "free", "flits", "packets", "flit_delay", "cycles"
)
ROUTER: Any = columns("active", "unsettled", "ready", "waiting")
SOURCE: Any = columns("first", "last", "packets", "sent", "lane", "last_lane", "active")
PACKET: Any = columns(
    "target", "flits", "created", "entered", "arrived", "hops", "source", "tag", "number", "node",
    "following", "leaves",
)  # fmt: skip
TREE: Any = columns("first", "branches", "leaves")
TWIG: Any = columns("link", "lanes", "node")  # link -1: to the core of this router
PENDING: Any = columns("cycle", "source", "target", "flits", "tag", "number", "node", "leaves")
DELIVERY: Any = columns(
    "tag", "source", "target", "flits", "created", "entered", "cycle", "hops", "number"
)


class Setup(NamedTuple):
    """What does not change during a run; all integers."""

    routers: int
    lanes: int  # virtual channels of a port
    vcs: int  # virtual channels of the routing function
    copies: int  # lanes for each of them
    branches: int  # that one buffer can have
    most_offers: int
    depth: int  # flits of a buffer
    horizon: int  # a power of two, beyond the cycles that an event can lie ahead
    routing: int  # cycles from a head's arrival to its first request for a channel
    turnaround: int
    out_delay: int  # from the switch allocation to the arrival at the core
    credit_delay: int  # from the switch allocation to the credit's use upstream
    source_credit_delay: int
    out_credit_delay: int
    cut_through: int
    empty_first: int  # a channel is given to the next packet only when its buffer has drained
    drop_after: int  # -1: never
    queue_limit: int  # -1: none
    seed: int


class Tables(NamedTuple):
    """Everything that changes; see the top of the module for the numbering."""

    buffer: IntArray
    branch: IntArray
    channel: IntArray
    in_port: IntArray
    out_port: IntArray
    router: IntArray
    source: IntArray
    packet: IntArray
    flit: IntArray  # (n_buffers * depth,) rings
    offer: IntArray  # (n_branches, 2 * most_offers): link and set of lanes, best first
    inputs: IntArray  # (n, 5) port that arrives on each side, -1 where none does
    arrivals: IntArray  # (horizon, 2 * most): virtual channel, flit
    credits: IntArray  # (horizon, most)
    starts: IntArray  # (horizon, n_buffers): heads whose routing is done
    due: IntArray  # (horizon, 3): how many of these there are
    to_route: IntArray  # (n_buffers,)
    active: IntArray  # (n,) routers with work
    active_sources: IntArray  # (n,)
    free_slots: IntArray
    tree: IntArray  # multicast: a row for each router that a tree passes
    twig: IntArray  # its branches, those of a router one after another
    ask: IntArray  # scratch of the allocators
    grants: IntArray
    proposal: IntArray
    offered: IntArray  # (most_offers,) scratch of the routing function
    counters: IntArray  # see counters.py


FLAT = ("flit", "to_route", "active", "active_sources", "free_slots", "offered", "counters")
# Those that hold times, sums, sets of bits or what others read; the rest has half the size, so
# that what a flit touches on its way is sooner in the cache.
WIDE = ("in_port", "out_port", "packet", "offered", "counters")


def _arriving_ports(mesh: Mesh) -> IntArray:
    inputs = np.full((mesh.n_cores, 5), -1, dtype=np.int64)
    links = np.array(mesh.links, dtype=np.int64)
    inputs[mesh.link_targets[links], (links % 4 + 2) % 4] = links
    inputs[:, 4] = 4 * mesh.n_cores + np.arange(mesh.n_cores)
    return inputs


def empty_tables(mesh: Mesh, setup: Setup, link_delay: int, n_counters: int) -> Tables:
    """The tables of a network without packets.

    Parameters
    ----------
    link_delay : int
        [cycles] from the switch allocation to the arrival over a link of one cycle per flit.
    """
    n, lanes = mesh.n_cores, setup.lanes
    n_buffers = 5 * n * lanes
    buffer = rows(n_buffers, BUFFER, np.int32)
    branch = rows(n_buffers * setup.branches, BRANCH, np.int32)
    channel = rows(6 * n * lanes, CHANNEL, np.int32)
    in_port, out_port = rows(5 * n, IN_PORT), rows(6 * n, OUT_PORT)
    inputs = _arriving_ports(mesh)
    there = inputs >= 0
    in_port[inputs[there], IN_PORT.router] = np.nonzero(there)[0]
    in_port[inputs[there], IN_PORT.side] = np.nonzero(there)[1]
    buffer[:, BUFFER.port] = np.arange(n_buffers) // lanes
    buffer[:, BUFFER.router] = in_port[buffer[:, BUFFER.port], IN_PORT.router]
    branch[:, BRANCH.out] = -1
    branch[:, BRANCH.buffer] = np.arange(len(branch)) // setup.branches
    branch[:, BRANCH.place] = np.arange(len(branch)) % (lanes * setup.branches)
    came_by = np.arange(n_buffers) // setup.copies  # channels of the relation
    buffer[:, BUFFER.came_by] = np.where(buffer[:, BUFFER.port] < 4 * n, came_by, -1)
    channel[:, CHANNEL.owner] = -1
    channel[:, CHANNEL.credits] = setup.depth
    channel[:, CHANNEL.port] = np.arange(6 * n * lanes) // lanes
    channel[:, CHANNEL.mask] = 1 << (np.arange(6 * n * lanes) % lanes)
    ports = np.arange(6 * n)
    out_port[:, OUT_PORT.router] = np.where(ports < 4 * n, ports // 4, ports % n)
    out_port[:, OUT_PORT.free] = (1 << lanes) - 1
    out_port[:, OUT_PORT.cycles] = 1
    out_port[: 4 * n, OUT_PORT.cycles] = np.maximum(mesh.link_cycles, 1)
    out_port[:, OUT_PORT.flit_delay] = setup.out_delay
    out_port[: 4 * n, OUT_PORT.flit_delay] = link_delay + out_port[: 4 * n, OUT_PORT.cycles] - 1
    source = rows(n, SOURCE, np.int32)
    source[:, SOURCE.first] = source[:, SOURCE.last] = source[:, SOURCE.last_lane] = -1
    most_arrivals = 6 * n
    width = 5 * lanes * setup.branches
    # Flits that are dropped free their whole buffer at once; otherwise one flit leaves a side.
    most_credits = 6 * n + (n_buffers * setup.depth if setup.drop_after >= 0 else 0)
    return Tables(
        buffer=buffer,
        branch=branch,
        channel=channel,
        in_port=in_port,
        out_port=out_port,
        router=rows(n, ROUTER, np.int32),
        source=source,
        packet=rows(0, PACKET),
        flit=np.zeros(n_buffers * setup.depth, dtype=np.int32),
        offer=np.zeros((n_buffers * setup.branches, 2 * setup.most_offers), dtype=np.int32),
        inputs=inputs.astype(np.int32),
        arrivals=np.zeros((setup.horizon, 2 * most_arrivals), dtype=np.int32),
        credits=np.zeros((setup.horizon, most_credits), dtype=np.int32),
        starts=np.zeros((setup.horizon, n_buffers), dtype=np.int32),
        due=np.zeros((setup.horizon, 3), dtype=np.int32),
        to_route=np.zeros(n_buffers, dtype=np.int32),
        active=np.zeros(n, dtype=np.int32),
        active_sources=np.zeros(n, dtype=np.int32),
        free_slots=np.zeros(0, dtype=np.int32),
        tree=rows(0, TREE, np.int32),
        twig=rows(0, TWIG, np.int32),
        ask=np.zeros((5, width), dtype=np.int32),
        grants=np.zeros((2, width), dtype=np.int32),
        proposal=np.full((5, 6), -1, dtype=np.int32),
        offered=np.zeros(setup.most_offers, dtype=np.int64),
        counters=np.zeros(n_counters, dtype=np.int64),
    )
