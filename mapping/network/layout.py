"""Where everything of a packet network is in one array of numbers: names of places, and addresses.

All that a flit touches on its way lies in one array of uint32, `Tables.words`: first a block of
zeros, then one block for each router with its source. A *thing* (a router, one of its sides, a
virtual channel, a buffer) is known by its *address*, the place of its first word, and things hold
the addresses of those they have to do with, so that a flit on its way costs no search, no division
and no table of tables, and a router lies in a few lines of the cache:

    words[lane + at.FLITS]            flits in the buffer at address `lane`
    words[words[lane + at.UPSTREAM] + at.CREDITS]    credits of whoever sends into it

The parts of a block, one after another:

- the router: its number, and which of its sides have something to do;
- five *in-sides* N, E, S, W, core: the wires that arrive;
- five *out-sides* N, E, S, W, core: the wires that leave;
- the *channels* of the out-sides: sending ends of virtual channels;
- the *lanes* of the in-sides: receiving ends of virtual channels, which are buffers. A lane has one
  or more *branches*: copies that its packet is sent on in, several for a multicast. Its flits
  follow, a ring;
- the source (the core's end of the wire into the router) with its channels.

Outside of the kernels, things have numbers; `Addresses` turns these into addresses. A *port* is one
end of a wire: 0..4n-1 are the links of the mesh by id (n routers), 4n + c the wire from core c into
its router, 5n + c that from router c to its core. Virtual channel ``port * lanes + lane`` has a
sending end everywhere, and a buffer at the receiving end everywhere but at cores.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mapping.mesh import Mesh

__all__ = ["Addresses", "IntArray", "Shape", "Words", "addresses", "arriving_ports"]

IntArray: TypeAlias = NDArray[np.int64]
Words: TypeAlias = NDArray[np.uint32]

LINE = 16  # words of a line of the cache
SIDE = 32  # more than the branches of a side, or the lanes

# A router. The last two are sets of in-sides.
NUMBER, ACTIVE, UNSETTLED, READY_SIDES, WAITING_SIDES, ROUTER_WORDS = 0, 1, 2, 3, 4, 8

# An in-side. READY and WAITING are sets of branches, by place: those that can send a flit, and
# those that ask for a channel. HELD (64 bits) is for `occupied_flit_cycles`.
IN_SIDES = ROUTER_WORDS
READY, WAITING, LANE_TURN, OUT_TURN, IN_ROUTER, IN_BIT, HELD, IN_WORDS = 0, 1, 2, 3, 4, 5, 6, 8

# An out-side. FREE is a set of lanes; the last three have 64 bits.
OUT_SIDES = IN_SIDES + 5 * IN_WORDS
FREE, IN_TURN, DELAY, CYCLES, OUT_ROUTER, FIRST_CHANNEL = 0, 1, 2, 3, 4, 5
SENT_FLITS, SENT_PACKETS, BUSY_UNTIL, OUT_WORDS = 6, 8, 10, 12

# A channel. OWNER is a branch, or one of these.
CHANNELS = OUT_SIDES + 5 * OUT_WORDS
OWNER, CREDITS, TURN, OF_SIDE, DOWNSTREAM, CHANNEL_BIT, CHANNEL_WORDS = 0, 1, 2, 3, 4, 5, 6
NOBODY, DRAINING, SOURCE = 0, 1, 2
FIRST_OWNER = 3

# A lane and its branches.
FLITS, OLDEST, STATE, BEHIND, UPSTREAM, IN_SIDE, COPIES, SINCE, CAME_BY, BRANCHES = range(10)
IDLE, ROUTING, ROUTED = 0, 1, 2  # of a lane
DOING, OUT, AHEAD, WISH, TO, PLACE, LANE, SLOT, N_OFFERS, OFFERS = range(10)
NONE, WAITS, SENDS, DROPS = 0, 1, 2, 3  # of a branch

# A source, and its channels after it.
PACKETS, FIRST, LAST, SENT, LANE_USED, LAST_LANE, AWAKE, CORE, SOURCE_WORDS = range(9)

# What a packet's flits have in common while it travels, `Tables.road`; NODE is 1 + its node of a
# tree, 0 without one.
TARGET, HOPS, LENGTH, NODE, LEAVES, FOLLOWING, ROAD_WORDS = 0, 1, 2, 3, 4, 5, 8
NOWHERE = 0xFFFFFFFF  # no slot; the target of a packet that branches

# What is only read at its beginning and end, `Tables.packet`.
CREATED, ENTERED, ARRIVED, ORIGIN, TAG, SERIAL, PACKET_WORDS = 0, 1, 2, 3, 4, 5, 6


class Shape(NamedTuple):
    """Sizes of the parts of a block, in words."""

    lanes: int  # of a side
    branches: int  # of a lane
    branch: int  # a branch
    ring: int  # from a lane to its flits
    lane: int
    first_lane: int  # from a router to its lanes
    source: int  # from a router to its source
    router: int  # all of it

    @classmethod
    def of(cls, lanes: int, branches: int, most_offers: int, depth: int) -> Shape:
        """Sizes for a network; blocks begin where a line of the cache may."""
        branch = OFFERS + most_offers
        ring = BRANCHES + branches * branch
        lane = -(-(ring + depth) // LINE) * LINE
        first_lane = -(-(CHANNELS + 5 * lanes * CHANNEL_WORDS) // LINE) * LINE
        source = first_lane + 5 * lanes * lane
        size = source + SOURCE_WORDS + lanes * CHANNEL_WORDS
        return cls(
            lanes, branches, branch, ring, lane, first_lane, source, -(-size // LINE) * LINE
        )  # fmt: skip


class Addresses(NamedTuple):
    """Addresses by number; int64 arrays, 0 for what is not there."""

    router: IntArray  # (n,)
    source: IntArray  # (n,)
    in_side: IntArray  # (5 n,) by port
    out_side: IntArray  # (6 n,) by port; a source for the wires of cores
    lane: IntArray  # (5 n lanes,) by virtual channel
    branch: IntArray  # (5 n lanes branches,)
    channel: IntArray  # (6 n lanes,) by virtual channel


def arriving_ports(mesh: Mesh) -> IntArray:
    """Port that arrives on each side of each router, -1 where none does; shape (n, 5)."""
    inputs = np.full((mesh.n_cores, 5), -1, dtype=np.int64)
    links = np.array(mesh.links, dtype=np.int64)
    inputs[mesh.link_targets[links], (links % 4 + 2) % 4] = links
    inputs[:, 4] = 4 * mesh.n_cores + np.arange(mesh.n_cores)
    return inputs


def addresses(mesh: Mesh, shape: Shape) -> Addresses:
    """Where everything is in a network on a mesh."""
    n, lanes = mesh.n_cores, shape.lanes
    router = shape.router * (1 + np.arange(n))
    source = router + shape.source
    inputs = arriving_ports(mesh)
    core, side = np.nonzero(inputs >= 0)
    in_side = np.zeros(5 * n, dtype=np.int64)
    lane = np.zeros((5 * n, lanes), dtype=np.int64)
    ports = inputs[core, side]
    in_side[ports] = router[core] + IN_SIDES + IN_WORDS * side
    first = router[core] + shape.first_lane + side * lanes * shape.lane
    lane[ports] = first[:, np.newaxis] + shape.lane * np.arange(lanes)
    out = router[:, np.newaxis] + OUT_SIDES + OUT_WORDS * np.arange(5)
    out_side = np.concatenate([out[:, :4].ravel(), source, out[:, 4]])
    each = np.arange(5)
    first = router[:, np.newaxis] + CHANNELS + each * lanes * CHANNEL_WORDS
    first = np.concatenate([first[:, :4].ravel(), source + SOURCE_WORDS, first[:, 4]])
    channel = first[:, np.newaxis] + CHANNEL_WORDS * np.arange(lanes)
    lanes_of = lane.ravel()[:, np.newaxis]
    branches = lanes_of + BRANCHES + shape.branch * np.arange(shape.branches)
    return Addresses(
        router=router,
        source=source,
        in_side=in_side,
        out_side=out_side,
        lane=lane.ravel(),
        branch=np.where(lanes_of > 0, branches, 0).ravel(),
        channel=channel.ravel(),
    )
