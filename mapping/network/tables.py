"""The arrays of a packet network that change while it runs, and their numbers at the beginning."""

from __future__ import annotations

from collections import namedtuple
from typing import Any, NamedTuple

import numpy as np

from mapping.mesh import Mesh
from mapping.network import layout as at
from mapping.network.counters import N_COUNTERS
from mapping.network.layout import Addresses, IntArray, Shape, Words
from mapping.network.setup import Setup
from simulator.ragged import row_starts

__all__ = [
    "ARRIVALS",
    "CREDITS",
    "DELIVERY",
    "ENDS",
    "PENDING",
    "SIXTY_FOUR_BITS",
    "STARTS",
    "TREE",
    "TWIG",
    "IntArray",
    "Tables",
    "empty_tables",
    "rows",
]


def columns(*names: str) -> Any:
    """Column numbers by name; a table's entry is ``table[row, COLUMNS.name]``, compiled or not."""
    kind: Any = namedtuple("Columns", list(names))  # type: ignore[misc]
    return kind(*range(len(names)))


def rows(n: int, which: Any) -> IntArray:
    """A table of `n` rows of zeros."""
    return np.zeros((n, len(which)), dtype=np.int64)


TREE: Any = columns("first", "branches", "leaves")
TWIG: Any = columns("link", "lanes", "node")  # link -1: to the core of this router
PENDING: Any = columns("cycle", "source", "target", "flits", "tag", "number", "node", "leaves")
DELIVERY: Any = columns(
    "tag", "source", "target", "flits", "created", "entered", "cycle", "hops", "number"
)

# The calendars, and how many words an entry of each has. Credits: the channel. Arrivals: lane and
# flit. Starts: lanes whose head asks for a channel from that cycle on. Ends: core and slot of a
# packet whose tail reaches its core.
CREDITS, ARRIVALS, STARTS, ENDS, CALENDARS = 0, 1, 2, 3, 4
ENTRY_WORDS = (1, 2, 1, 2)


class Tables(NamedTuple):
    """Everything that changes; see layout.py for the numbering.

    A calendar has a page for each of the coming cycles, by the cycle modulo the horizon. A flit is
    ``4 * slot + 2 * is_head + is_tail``, slots number the packets in flight.
    """

    words: Words
    wide: IntArray  # the same memory, two words at a time
    packet: IntArray  # (n_slots * PACKET_WORDS,)
    road: Words  # (n_slots * ROAD_WORDS,)
    calendar: Words  # the pages, by calendar and then by page
    page: Words  # (horizon * CALENDARS,) where each page begins
    filled: Words  # the same, where it ends
    active: Words  # (n,) addresses of routers with work
    awake: Words  # (n,) addresses of sources that can send
    free_slots: Words
    known: Words  # offers of the routing function if it offers one channel, see `heads.route`
    branch_at: Words  # (5 * SIDE,) from a router to its branches, by side * SIDE + place
    tree: IntArray  # multicast: a row for each router that a tree passes
    twig: IntArray  # its branches, those of a router one after another
    asks: Words  # scratch of the allocators
    proposals: Words  # (25,)
    offered: IntArray  # (most_offers,) scratch of the routing function
    counters: IntArray  # see counters.py


SIXTY_FOUR_BITS = frozenset(
    {
        *("wide", "packet", "tree", "twig", "offered", "counters"),
    }
)
ASK_WORDS = 8
_MOST_KNOWN = 1 << 20  # pairs of a channel and a target


def empty_tables(mesh: Mesh, setup: Setup, shape: Shape, there: Addresses) -> Tables:
    """The tables of a network without packets."""
    n, lanes = mesh.n_cores, setup.lanes
    wide = _aligned(((n + 1) * shape.router + lanes * at.LINE) // 2)
    words = wide.view(np.uint32)
    _write_wires(words, mesh, setup, there)
    _write_lanes(words, setup, there)
    n_lanes = 5 * n * lanes
    # Flits that are dropped free their whole buffer at once; otherwise one flit leaves a side.
    most_credits = 6 * n + (n_lanes * setup.depth if setup.drop_after >= 0 else 0)
    most = np.array([most_credits, 5 * n, n_lanes, n]) * ENTRY_WORDS
    starts = row_starts(np.repeat(most, setup.horizon))
    page = starts[:-1].reshape(CALENDARS, setup.horizon).T.ravel()
    states = 4 * n * setup.vcs + n
    side, place = np.divmod(np.arange(5 * at.SIDE), at.SIDE)
    lane = side * lanes + place // setup.branches
    branch_at = setup.first_lane + lane * setup.lane_words + at.BRANCHES
    branch_at += place % setup.branches * setup.branch_words
    return Tables(
        words=words,
        wide=wide,
        packet=np.zeros(0, dtype=np.int64),
        road=np.zeros(0, dtype=np.uint32),
        calendar=np.zeros(int(starts[-1]), dtype=np.uint32),
        page=page.astype(np.uint32),
        filled=page.astype(np.uint32),
        active=np.zeros(n, dtype=np.uint32),
        awake=np.zeros(n, dtype=np.uint32),
        free_slots=np.zeros(0, dtype=np.uint32),
        known=np.zeros(states * n if states * n <= _MOST_KNOWN else 0, dtype=np.uint32),
        branch_at=branch_at.astype(np.uint32),
        tree=rows(0, TREE),
        twig=rows(0, TWIG),
        asks=np.zeros(5 * at.SIDE * ASK_WORDS, dtype=np.uint32),
        proposals=np.zeros(25, dtype=np.uint32),
        offered=np.zeros(setup.most_offers, dtype=np.int64),
        counters=np.zeros(N_COUNTERS, dtype=np.int64),
    )


def _aligned(n: int) -> IntArray:
    """`n` zeros that begin where a line of the cache does."""
    line = 4 * at.LINE
    memory = np.zeros(n + line // 8, dtype=np.int64)
    first = -memory.ctypes.data % line // 8
    return memory[first : first + n]


def _write_wires(words: Words, mesh: Mesh, setup: Setup, there: Addresses) -> None:
    """Routers, their sides and channels."""
    n, lanes = mesh.n_cores, setup.lanes
    words[there.router + at.NUMBER] = np.arange(n)
    for side in range(5):
        in_side = there.router + at.IN_SIDES + at.IN_WORDS * side
        words[in_side + at.IN_ROUTER] = there.router
        words[in_side + at.IN_BIT] = 1 << side
        out_side = there.router + at.OUT_SIDES + at.OUT_WORDS * side
        words[out_side + at.OUT_ROUTER] = there.router
        words[out_side + at.FREE] = (1 << lanes) - 1
        words[out_side + at.CYCLES] = 1
        words[out_side + at.DELAY] = setup.out_delay
    links = there.out_side[: 4 * n]
    cycles = np.maximum(mesh.link_cycles, 1)
    words[links + at.CYCLES] = cycles
    words[links + at.DELAY] = setup.wire_delay + cycles - 1
    number = np.arange(6 * n * lanes)
    port, channel = number // lanes, there.channel
    first, wires = channel[::lanes], np.r_[: 4 * n, 5 * n : 6 * n]
    words[there.out_side[wires] + at.FIRST_CHANNEL] = first[wires]
    words[channel + at.CREDITS] = setup.depth
    words[channel + at.OF_SIDE] = there.out_side[port]
    words[channel + at.CHANNEL_BIT] = 1 << number % lanes
    words[channel[: there.lane.size] + at.DOWNSTREAM] = there.lane
    words[channel[(port >= 4 * n) & (port < 5 * n)] + at.OWNER] = at.SOURCE
    words[there.source + at.LAST_LANE] = lanes - 1


def _write_lanes(words: Words, setup: Setup, there: Addresses) -> None:
    n, lanes = setup.routers, setup.lanes
    number = np.flatnonzero(there.lane)
    lane, port = there.lane[number], number // lanes
    words[lane + at.UPSTREAM] = there.channel[number]
    words[lane + at.IN_SIDE] = there.in_side[port]
    words[lane + at.COPIES] = 1
    # Channels of the routing function, and the cores after them.
    links = 4 * n
    words[lane + at.CAME_BY] = np.where(
        port < links, number // setup.copies, links * setup.vcs + port - links
    )
    for k in range(setup.branches):
        branch = lane + at.BRANCHES + k * setup.branch_words
        words[branch + at.PLACE] = number % lanes * setup.branches + k
        words[branch + at.LANE] = lane
        words[branch + at.SLOT] = at.NOWHERE
