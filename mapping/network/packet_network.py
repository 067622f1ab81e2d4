"""A mesh of routers that packets travel through, flit by flit and cycle by cycle.

    network = PacketNetwork(mesh, "xy", lanes=4)
    network.inject(cycle=0, source=0, target=9, flits=2, tag=7)
    arrived = network.run(until=1_000)      # may be called again and again, with packets between

Input-queued routers with virtual channels, credits and two separable round-robin allocators. A
head flit is routed, asks for a virtual channel of the next buffer, then all flits of the packet
ask for the switch one by one; the channel belongs to the packet until its tail has left. A buffer
begins with its next packet only then. What happens in a cycle is in drive.py and the files that it
calls (arrivals, sources, heads, channels, switch); where everything is stored, in layout.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mapping.mesh import Mesh
from mapping.network import counters as c
from mapping.network import layout as at
from mapping.network.drive import compiled_drive
from mapping.network.forest import Forest
from mapping.network.layout import addresses
from mapping.network.pending import Pending
from mapping.network.pipeline import Pipeline
from mapping.network.readings import Readings
from mapping.network.records import Deliveries, deliveries_of, joined
from mapping.network.setup import setup_of, whole
from mapping.network.stall import StallError
from mapping.network.state import restored, saved, with_room
from mapping.network.tables import DELIVERY, PENDING, TREE, IntArray, empty_tables, rows
from mapping.network.trees import PacketTree
from mapping.routing import Channel, RoutingFunction, compiled_offers, grid_of, routing_function
from mapping.routing._base import dead_end

__all__ = ["PacketNetwork"]

_BATCH = 1 << 16
_CHECK_CYCLES = 1 << 13


class PacketNetwork(Readings):
    """The routers and wires of a mesh, with the packets in them.

    Parameters
    ----------
    mesh : Mesh
    routing : str or RoutingFunction
        Of several channels that it offers, a packet asks for the one with the most credits among
        those with a free lane, and again in each cycle in which it got none.
    lanes : int
        Buffers for each virtual channel of the routing function; a packet takes any free one. XY
        on four virtual channels is XY with four lanes.
    buffer_flits : int
        [flits] of each buffer.
    switching : str
        "wormhole": a channel is given to a packet whatever room is left behind it; "cut_through":
        only when all of the packet fits.
    pipeline : Pipeline or None
        Cycles of each stage; None for one of each.
    queue_packets : int or None
        Packets that wait at a core before it refuses more; None for no limit.
    drop_after : int or None
        [cycles] A head that was not given a channel for that long is dropped, with all its flits;
        0 drops it at once. A channel is then only given if it has a credit, so that a packet never
        waits elsewhere. None never drops.
    empty_first : bool
        Give a channel to the next packet only when its buffer has drained, and not as soon as the
        tail was sent. Deadlock freedom by an escape set (Duato) needs it under wormhole switching;
        freedom by an order of all channels does not.
    multicast : bool
        Whether `inject_tree` is to be used; it takes more memory.
    seed : int
        Of the choices between equally good channels.

    Raises
    ------
    MappingError
        A parameter out of range, or a routing function that does not suit the mesh.
    """

    def __init__(
        self,
        mesh: Mesh,
        routing: str | RoutingFunction = "xy",
        *,
        lanes: int = 1,
        buffer_flits: int = 8,
        switching: str = "wormhole",
        pipeline: Pipeline | None = None,
        queue_packets: int | None = None,
        drop_after: int | None = None,
        empty_first: bool = False,
        multicast: bool = False,
        seed: int = 0,
    ) -> None:
        self._parameters: dict[str, Any] = {
            "lanes": lanes,
            "buffer_flits": buffer_flits,
            "switching": switching,
            "pipeline": Pipeline() if pipeline is None else pipeline,
            "queue_packets": queue_packets,
            "drop_after": drop_after,
            "empty_first": empty_first,
            "multicast": multicast,
            "seed": seed,
        }
        self.mesh: Mesh = mesh
        self.routing = routing_function(routing, mesh)
        self.pipeline: Pipeline = self._parameters["pipeline"]
        self._setup, shape = setup_of(mesh, self.routing, **self._parameters)
        self.switching = switching
        self._offers = compiled_offers(self.routing)
        self._grid = grid_of(mesh, self.routing)
        self._there = addresses(mesh, shape)
        self._tables = empty_tables(mesh, self._setup, shape, self._there)
        self._pending = Pending(
            mesh.n_cores,
            np.isin(np.arange(mesh.n_cores), mesh.faulty_routers),
            self._setup.depth if self._setup.cut_through else None,
        )
        self._forest = Forest(mesh, self._setup)
        self._lanes = self._there.lane[self._there.lane > 0]
        self._fronts = np.full(self._lanes.size, -1, dtype=np.int64)
        self._next_check = _CHECK_CYCLES

    def like(self) -> PacketNetwork:
        """A new network with the same parameters, and nothing in it."""
        return PacketNetwork(self.mesh, self.routing, **self._parameters)

    def inject(
        self,
        cycle: ArrayLike,
        source: ArrayLike,
        target: ArrayLike,
        flits: ArrayLike = 1,
        tag: ArrayLike = 0,
    ) -> None:
        """Have packets created, one or an array of them.

        Parameters
        ----------
        cycle : int or array, shape (n,)
            When each is created, >= `now`; it joins the injection queue of its core. Packets of
            one core and cycle queue in the order given.
        source, target : int or array, shape (n,)
            Cores; the same core is allowed and goes through its router.
        flits : int or array, shape (n,)
            Length, >= 1; for cut-through at most `buffer_flits`.
        tag : int or array, shape (n,)
            Handed back with the delivery.

        Raises
        ------
        MappingError
            A cycle that has passed, a core that is not there or whose router is faulty, a length
            out of range.
        """
        self._pending.add(self.now, cycle, source, target, flits, tag)

    def run(self, until: int) -> Deliveries:
        """Simulate up to, not including, the cycle `until`.

        Returns
        -------
        Deliveries
            Of the packets whose tails arrived in these cycles.

        Raises
        ------
        MappingError
            `until` has passed, or the routing function offers no channel to a packet.
        StallError
            The network is in a deadlock; `now` is the cycle after which it was found.
        """
        until = whole("until", until, self.now)
        parts = []
        while self.now < until:
            batch, end = self._pending.batch(self.now, min(until, self._next_check), _BATCH)
            parts.append(self._run_batch(batch, end))
            self._check()
        return joined(parts)

    def drain(self, most_cycles: int = 1_000_000) -> Deliveries:
        """Simulate until nothing is in flight or to come, or for `most_cycles`.

        Cycles after the last delivery may be simulated as well, until its credits are back.
        """
        end = self.now + whole("most_cycles", most_cycles, 1)
        parts = []
        step = 256
        while self.now < end and (self.counts.in_flight or self.n_waiting):
            parts.append(self.run(min(end, self.now + step)))
            step *= 2
        return joined(parts)

    def state(self) -> dict[str, IntArray]:
        """Everything that `restore` needs to go on from here, as arrays that can be saved."""
        return {
            **saved(self._setup, self._tables),
            "pending": self._pending.table.copy(),
            "packets": np.array([self._pending.given]),
            "roots": self._forest.saved(),
        }

    def restore(self, state: Mapping[str, ArrayLike]) -> None:
        """Go on from a `state` of a network with the same parameters, bit for bit.

        Raises
        ------
        MappingError
            The state is that of another kind of network, or incomplete.
        """
        self._tables, others = restored(self._setup, self._tables, state)
        self._pending.replace(others["pending"], int(others["packets"][0]))
        self._forest.restore(others["roots"])
        self._fronts[:] = -1
        self._next_check = self.now - self.now % _CHECK_CYCLES + _CHECK_CYCLES

    def _check(self) -> None:
        """Look for a deadlock when nothing moves, and now and then where something did not."""
        w = self._tables.words
        halted = self._tables.counters[c.STATUS] == c.STALLED
        if not halted and self.now < self._next_check:
            return
        oldest = w[self._lanes + at.OLDEST].astype(np.int64)
        flit = w[self._lanes + self._setup.ring + oldest]
        there = w[self._lanes + at.FLITS] > 0
        now_there = np.where(there, (flit.astype(np.int64) << 32) + oldest, -1)
        if halted or (there & (now_there == self._fronts)).any():
            found = self.stall()
            if found is not None:
                raise StallError(found, self.mesh)
        self._fronts = now_there
        self._next_check = self.now + _CHECK_CYCLES

    def add_tree(
        self,
        source: int,
        channels: Sequence[Channel],
        parents: Sequence[int],
        targets: Iterable[int],
    ) -> int:
        """Make a tree of channels known, for `inject_tree`; a route is a tree without branches.

        Parameters
        ----------
        source : int
            Core at its root.
        channels : sequence of Channel
        parents : sequence of int
            For each channel the place of the one before it in `channels`, -1 at the source.
        targets : iterable of int
            Cores that get a copy, each where the tree first reaches it.

        Returns
        -------
        int
            The number of the tree.

        Raises
        ------
        MappingError
            The network was not made with `multicast`, or these channels are no tree to the
            targets.
        """
        tree = PacketTree(source, tuple(channels), tuple(parents), tuple(targets))
        return int(self.add_trees([tree])[0])

    def add_trees(self, trees: Iterable[PacketTree]) -> IntArray:
        """Make many trees known at once; see `add_tree` and `packet_trees`.

        Returns
        -------
        int64 array, shape (n_trees,)
            Their numbers, for `inject_tree`.
        """
        self._tables, roots = self._forest.plant(self._tables, trees)
        return roots

    def inject_tree(
        self, cycle: ArrayLike, tree: ArrayLike, flits: ArrayLike = 1, tag: ArrayLike = 0
    ) -> None:
        """Have packets created that travel along trees, a copy to each target of the tree.

        Parameters
        ----------
        cycle, flits, tag : int or array, shape (n,)
            As in `inject`.
        tree : int or array, shape (n,)
            Numbers that `add_tree` or `add_trees` returned.

        Raises
        ------
        MappingError
            An unknown tree, or as `inject`.
        """
        numbers, sources = self._forest.find(tree)
        packet = self._pending.add(self.now, cycle, sources, sources, flits, tag)
        packet[:, PENDING.target] = -1
        packet[:, PENDING.node] = numbers
        packet[:, PENDING.leaves] = self._tables.tree[packet[:, PENDING.node], TREE.leaves]

    def _run_batch(self, batch: IntArray, until: int) -> Deliveries:
        self._tables = t = with_room(self._tables, len(batch))
        delivery = rows(int(t.counters[c.LIVE] + batch[:, PENDING.leaves].sum()), DELIVERY)
        t.counters[c.DELIVERIES] = t.counters[c.NEXT_PENDING] = 0
        drive, status = compiled_drive(), c.NO_ROOM
        while status == c.NO_ROOM:
            status = drive(self._offers, self._grid, self._setup, t, batch, delivery, until)
            if status == c.NO_ROOM:
                self._tables = t = with_room(t, 2 * int(t.counters[c.FREE_SLOTS]) + 1)
        t.counters[c.STATUS] = status
        self._pending.remove(int(t.counters[c.NEXT_PENDING]))
        if status == c.DEAD_END:
            lane = int(t.counters[c.PLACE])
            router = t.words[t.words[lane + at.IN_SIDE] + at.IN_ROUTER]
            slot = t.words[lane + self._setup.ring + t.words[lane + at.OLDEST]] >> 2
            here, target = t.words[router + at.NUMBER], t.road[slot * at.ROAD_WORDS + at.TARGET]
            raise dead_end(self.mesh, self.routing, int(here), int(target))
        return deliveries_of(delivery[: int(t.counters[c.DELIVERIES])])
