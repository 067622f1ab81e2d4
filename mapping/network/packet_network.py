"""A mesh of routers that packets travel through, flit by flit and cycle by cycle.

    network = PacketNetwork(mesh, "xy", lanes=4)
    network.inject(cycle=0, source=0, target=9, flits=2, tag=7)
    arrived = network.run(until=1_000)      # may be called again and again, with packets between

Input-queued routers with virtual channels, credits and two separable round-robin allocators. A
head flit is routed, asks for a virtual channel of the next buffer, then all flits of the packet
ask for the switch one by one; the channel belongs to the packet until its tail has left. A buffer
begins with its next packet only then. The kernels are in events.py (what arrives), channels.py,
switch.py and drive.py; the numbering of everything is in tables.py.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mapping.graph import integers
from mapping.mesh import Mesh
from mapping.network import counters as c
from mapping.network.drive import compiled_drive
from mapping.network.pipeline import Pipeline
from mapping.network.stall import Stall, StallError, find_stall
from mapping.network.tables import (
    BUFFER,
    DELIVERY,
    IN_PORT,
    OUT_PORT,
    PACKET,
    PENDING,
    TREE,
    TWIG,
    IntArray,
    Setup,
    Tables,
    empty_tables,
    rows,
)
from mapping.network.trees import PacketTree, tree_tables
from mapping.routing import Channel, RoutingFunction, compiled_offers, grid_of, routing_function
from mapping.routing._base import dead_end
from simulator.errors import MappingError

__all__ = ["Counts", "Deliveries", "PacketNetwork", "Work"]

_SWITCHING = ("wormhole", "cut_through")
_MOST_BITS = 30
_BATCH = 1 << 16
_CHECK_CYCLES = 1 << 13


class Counts(NamedTuple):
    """Copies of packets, one for each core a packet goes to; see `PacketNetwork.counts`.

    At every cycle injected = delivered + dropped + in_flight; copies that were refused at a full
    injection queue never entered.
    """

    injected: int
    delivered: int
    dropped: int
    refused: int
    in_flight: int


class Work(NamedTuple):
    """Work of a simulation: flits sent over links, cycles not jumped over, visits of routers."""

    flit_hops: int
    cycles: int
    router_visits: int


class Deliveries(NamedTuple):
    """Packets whose tails reached their cores, in the order in which they did.

    Every field is an int64 array, shape (n,). `created` is the cycle given to `inject`, `entered`
    that in which the head left the injection queue, `cycle` that in which the tail arrived; `hops`
    counts links; `number` is that of the packet in the order of injection.
    """

    tag: IntArray
    source: IntArray
    target: IntArray
    flits: IntArray
    created: IntArray
    entered: IntArray
    cycle: IntArray
    hops: IntArray
    number: IntArray

    @property
    def latency(self) -> IntArray:
        """[cycles] from creation to the arrival of the tail, the wait at the source included."""
        return self.cycle - self.created


class PacketNetwork:
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
        self.mesh = mesh
        self.routing = routing_function(routing, mesh)
        self.pipeline = Pipeline() if pipeline is None else pipeline
        if switching not in _SWITCHING:
            raise MappingError(
                f"switching {switching!r}; it must be one of {', '.join(map(repr, _SWITCHING))}"
            )
        self.switching = switching
        copies = _whole("lanes", lanes, 1)
        vcs = self.routing.virtual_channels
        most = _MOST_BITS // (5 if multicast else 1)
        if vcs * copies > most:
            raise MappingError(
                f"lanes = {lanes}: {vcs * copies} virtual channels on a link; at most {most}"
            )
        stages = self.pipeline
        to_wire = stages.switch_allocation + stages.switch_traversal
        longest = int(mesh.link_cycles.max(initial=1))
        furthest = max(
            to_wire + stages.link + longest,
            stages.packet_turnaround + stages.routing + stages.vc_allocation,
            to_wire + 3 + stages.credit,
            2 + stages.link + stages.credit,
        )
        self._setup = Setup(
            routers=mesh.n_cores,
            lanes=vcs * copies,
            vcs=vcs,
            copies=copies,
            branches=5 if multicast else 1,
            most_offers=4 * vcs,
            depth=_whole("buffer_flits", buffer_flits, 1),
            horizon=1 << furthest.bit_length(),
            routing=stages.routing + stages.vc_allocation - 1,
            turnaround=stages.packet_turnaround,
            out_delay=to_wire + 1,
            credit_delay=1 + stages.link + stages.credit,
            source_credit_delay=2,
            out_credit_delay=to_wire + 1 + 2 + stages.credit,
            cut_through=int(switching == "cut_through"),
            empty_first=int(bool(empty_first)),
            drop_after=-1 if drop_after is None else _whole("drop_after", drop_after, 0),
            queue_limit=-1 if queue_packets is None else _whole("queue_packets", queue_packets, 1),
            seed=_whole("seed", seed, 0) & 0x7FFFFFFF,
        )
        self._offers = compiled_offers(self.routing)
        self._grid = grid_of(mesh, self.routing)
        self.tables: Tables = empty_tables(mesh, self._setup, to_wire + stages.link, c.N_COUNTERS)
        self._pending = rows(0, PENDING)  # sorted by cycle
        self._added: list[IntArray] = []
        self._packets = 0
        self._roots: dict[int, int] = {}  # source core of each tree, by its first node
        self._fronts = np.full(len(self.tables.buffer), -1, dtype=np.int64)
        self._next_check = _CHECK_CYCLES
        self._cut_off = np.isin(np.arange(mesh.n_cores), mesh.faulty_routers)

    @property
    def now(self) -> int:
        """The first cycle that was not simulated yet."""
        return int(self.tables.counters[c.NOW])

    @property
    def counts(self) -> Counts:
        """What became of the packets whose time of creation has passed."""
        n = self.tables.counters
        kept = (c.INJECTED, c.DELIVERED, c.DROPPED, c.REFUSED, c.LIVE)
        return Counts(*(int(n[place]) for place in kept))

    @property
    def n_waiting(self) -> int:
        """Packets that were given to `inject` for a cycle that is still to come."""
        return len(self._pending) + sum(map(len, self._added))

    @property
    def occupied_slots(self) -> int:
        """Packets that have a slot in the tables: those in flight, counted independently."""
        return len(self.tables.packet) - int(self.tables.counters[c.FREE_SLOTS])

    @property
    def packets_injected(self) -> int:
        """Packets given to `inject` so far."""
        return self._packets

    @property
    def wire_flits(self) -> IntArray:
        """Flits sent over each link and from each router to its core, shape (n_link_ids + n,)."""
        return self._of_wires(OUT_PORT.flits)

    @property
    def wire_packets(self) -> IntArray:
        """Heads sent over each link and from each router to its core, shape (n_link_ids + n,)."""
        return self._of_wires(OUT_PORT.packets)

    def _of_wires(self, column: int) -> IntArray:
        sent = self.tables.out_port[:, column]
        n = self.mesh.n_cores
        return np.concatenate([sent[: 4 * n], sent[5 * n :]])

    @property
    def occupied_flit_cycles(self) -> IntArray:
        """[flits x cycles] sum over time of the flits in the buffers of each wire into a router.

        Shape (n_link_ids + n,): those of the links, then those of the cores' wires.
        """
        t = self.tables
        flits = t.buffer[:, BUFFER.flits].reshape(-1, self._setup.lanes).sum(axis=1)
        held: IntArray = t.in_port[:, IN_PORT.held] + flits * self.now
        return held

    @property
    def peak_occupancy(self) -> int:
        """[flits] most that a buffer ever held."""
        return int(self.tables.buffer[:, BUFFER.peak].max(initial=0))

    @property
    def work(self) -> Work:
        """How much was simulated so far."""
        n = self.tables.counters
        return Work(*(int(n[place]) for place in (c.FLIT_HOPS, c.CYCLES, c.VISITS)))

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
        names = ("cycle", "source", "target", "flits", "tag")
        given = [np.atleast_1d(np.asarray(x)) for x in (cycle, source, target, flits, tag)]
        try:
            shape = np.broadcast_shapes(*(x.shape for x in given))
        except ValueError:
            shapes = ", ".join(f"{k} {x.shape}" for k, x in zip(names, given, strict=True))
            raise MappingError(f"inject: arrays of different lengths: {shapes}") from None
        if len(shape) != 1:
            raise MappingError(f"inject: arrays of shape {shape}; expected (n,)")
        table = rows(shape[0], PENDING)
        if len(table) == 0:
            return
        most = self._setup.depth if self._setup.cut_through else np.iinfo(np.int64).max >> 8
        last = self.mesh.n_cores - 1
        allowed = {
            "cycle": (self.now, None),
            "source": (0, last),
            "target": (0, last),
            "flits": (1, int(most)),
            "tag": (None, None),
        }
        for name, values in zip(names, given, strict=True):
            checked = integers(f"inject: {name}", values)
            _within(name, checked, *allowed[name])
            if name in ("source", "target") and self._cut_off[checked].any():
                k = int(np.argmax(self._cut_off[checked]))
                raise MappingError(f"inject: {name}[{k}] = {checked[k]}, whose router is faulty")
            table[:, getattr(PENDING, name)] = checked
        table[:, PENDING.number] = self._packets + np.arange(len(table))
        table[:, PENDING.node] = -1
        table[:, PENDING.leaves] = 1
        self._packets += len(table)
        self._added.append(table)

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
        until = _whole("until", until, self.now)
        self._sort_pending()
        parts = []
        while self.now < until:
            first, end = self._pending[:_BATCH], min(until, self._next_check)
            cycle = self._pending[:, PENDING.cycle]
            if len(cycle) > _BATCH and cycle[_BATCH] < end:
                # A batch holds all packets of its cycles.
                end = max(int(cycle[_BATCH]), self.now + 1)
                first = self._pending[: int(np.searchsorted(cycle, end))]
            parts.append(self._run_batch(first, end))
            self._check()
        return _joined(parts)

    def drain(self, most_cycles: int = 1_000_000) -> Deliveries:
        """Simulate until nothing is in flight or to come, or for `most_cycles`.

        Cycles after the last delivery may be simulated as well, until its credits are back.
        """
        end = self.now + _whole("most_cycles", most_cycles, 1)
        parts = []
        step = 256
        while self.now < end and (self.counts.in_flight or self.n_waiting):
            parts.append(self.run(min(end, self.now + step)))
            step *= 2
        return _joined(parts)

    def stall(self) -> Stall | None:
        """The deadlock that the network is in at this moment, or None."""
        return find_stall(self._setup, self.tables, self.now)

    def state(self) -> dict[str, IntArray]:
        """Everything that `restore` needs to go on from here, as arrays that can be saved."""
        self._sort_pending()
        kept = {name: table.copy() for name, table in self.tables._asdict().items()}
        kept["pending"] = self._pending.copy()
        kept["packets"] = np.array([self._packets])
        kept["setup"] = np.array(self._setup)
        kept["roots"] = np.array(list(self._roots.items()), dtype=np.int64).reshape(-1, 2)
        return kept

    def restore(self, state: Mapping[str, ArrayLike]) -> None:
        """Go on from a `state` of a network with the same parameters, bit for bit.

        Raises
        ------
        MappingError
            The state is that of another kind of network, or incomplete.
        """
        arrays = {name: np.array(values, dtype=np.int64) for name, values in state.items()}
        wanted = {*Tables._fields, "pending", "packets", "setup", "roots"}
        if set(arrays) != wanted:
            wrong = sorted(set(arrays) ^ wanted)[0]
            raise MappingError(f"state of a packet network: {wrong!r} is missing or unknown")
        own = empty_tables(self.mesh, self._setup, 0, c.N_COUNTERS)
        same = np.array_equal(arrays["setup"], np.array(self._setup))
        if not same or any(
            arrays[name].shape[1:] != table.shape[1:] for name, table in own._asdict().items()
        ):
            raise MappingError(
                "state of a packet network with other parameters; restore it into one with the "
                "same mesh, routing and options"
            )
        self.tables = Tables(
            *(arrays[name].astype(table.dtype) for name, table in own._asdict().items())
        )
        self._pending, self._added = arrays["pending"], []
        self._packets = int(arrays["packets"][0])
        self._roots = dict(arrays["roots"].tolist())
        self._fronts[:] = -1
        self._next_check = self.now - self.now % _CHECK_CYCLES + _CHECK_CYCLES

    def _check(self) -> None:
        """Look for a deadlock when nothing moves, and now and then where something did not."""
        t = self.tables
        halted = t.counters[c.STATUS] == c.STALLED
        if not halted and self.now < self._next_check:
            return
        fronts = np.arange(len(t.buffer)) * self._setup.depth + t.buffer[:, BUFFER.oldest]
        now_there = np.where(t.buffer[:, BUFFER.flits] > 0, 4 * t.flit[fronts].astype(np.int64), -1)
        now_there += t.buffer[:, BUFFER.oldest] % 4
        unmoved = (now_there == self._fronts) & (t.buffer[:, BUFFER.flits] > 0)
        if halted or unmoved.any():
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
        *,
        lane: int | None = None,
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
        lane : int or None
            The only lane of its channels that a packet may take; None for any.

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
        return int(
            self._plant(
                [PacketTree(source, tuple(channels), tuple(parents), tuple(targets))], lane
            )[0]
        )

    def add_trees(self, trees: Iterable[PacketTree]) -> IntArray:
        """Make many trees known at once; see `add_tree` and `packet_trees`.

        Returns
        -------
        int64 array, shape (n_trees,)
            Their numbers, for `inject_tree`.
        """
        return self._plant(list(trees), None)

    def _plant(self, trees: Sequence[PacketTree], lane: int | None) -> IntArray:
        if self._setup.branches == 1:
            raise MappingError("add_tree: make the PacketNetwork with multicast=True")
        t = self.tables
        nodes, twigs = [t.tree], [t.twig]
        root, n_twigs = len(t.tree), len(t.twig)
        roots = []
        for source, channels, parents, targets in trees:
            tree, twig = tree_tables(
                self.mesh, self._setup, source, channels, parents, targets, lane
            )
            tree[:, TREE.first] += n_twigs
            twig[:, TWIG.node] += np.where(twig[:, TWIG.node] >= 0, root, 0)
            nodes.append(tree)
            twigs.append(twig)
            roots.append(root)
            root, n_twigs = root + len(tree), n_twigs + len(twig)
        self.tables = t._replace(
            tree=np.concatenate(nodes).astype(np.int32),
            twig=np.concatenate(twigs).astype(np.int32),
        )
        self._roots.update(zip(roots, (tree.source for tree in trees), strict=True))
        return np.array(roots, dtype=np.int64)

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
        numbers = integers("inject_tree: tree", np.atleast_1d(np.asarray(tree)))
        different, which = np.unique(numbers, return_inverse=True)
        for number in different.tolist():
            if number not in self._roots:
                raise MappingError(
                    f"inject_tree: there is no tree {number}; add_tree returns its number"
                )
        roots = np.array([self._roots[number] for number in different.tolist()], dtype=np.int64)
        before = len(self._added)
        self.inject(cycle, roots[which], roots[which], flits, tag)
        for packet in self._added[before:]:
            packet[:, PENDING.target] = -1
            packet[:, PENDING.node] = numbers
            packet[:, PENDING.leaves] = self.tables.tree[numbers, TREE.leaves]

    def _sort_pending(self) -> None:
        if self._added:
            both = np.concatenate([self._pending, *self._added])
            self._pending = both[np.argsort(both[:, PENDING.cycle], kind="stable")]
            self._added = []

    def _run_batch(self, batch: IntArray, until: int) -> Deliveries:
        self._make_room(len(batch))
        t = self.tables
        delivery = rows(int(t.counters[c.LIVE] + batch[:, PENDING.leaves].sum()), DELIVERY)
        t.counters[c.DELIVERIES] = t.counters[c.NEXT_PENDING] = 0
        drive, status = compiled_drive(), c.NO_ROOM
        while status == c.NO_ROOM:
            status = drive(self._offers, self._grid, self._setup, t, batch, delivery, until)
            if status == c.NO_ROOM:
                self._make_room(2 * int(t.counters[c.FREE_SLOTS]) + 1)
                t = self.tables
        t.counters[c.STATUS] = status
        self._pending = self._pending[int(t.counters[c.NEXT_PENDING]) :]
        if status == c.DEAD_END:
            buffer = int(t.counters[c.PLACE])
            slot = t.flit[buffer * self._setup.depth + t.buffer[buffer, BUFFER.oldest]] >> 2
            router, target = t.buffer[buffer, BUFFER.router], t.packet[slot, PACKET.target]
            raise dead_end(self.mesh, self.routing, int(router), int(target))
        return _deliveries(delivery[: int(t.counters[c.DELIVERIES])])

    def _make_room(self, n: int) -> None:
        """Have at least `n` free packet slots."""
        t = self.tables
        free, size = int(t.counters[c.FREE_SLOTS]), len(t.packet)
        if free >= n:
            return
        more = max(n - free, size // 2, 64)
        packet = rows(size + more, PACKET)
        packet[:size] = t.packet
        slots = np.zeros_like(t.free_slots, shape=size + more)
        slots[:free] = t.free_slots[:free]
        slots[free : free + more] = np.arange(size + more - 1, size - 1, -1)
        t.counters[c.FREE_SLOTS] = free + more
        self.tables = t._replace(packet=packet, free_slots=slots)


def _whole(name: str, value: Any, least: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool | np.bool_):
        raise MappingError(f"{name} = {value!r}; it must be an integer >= {least}")
    return number


def _within(name: str, values: IntArray, least: int | None, most: int | None) -> None:
    if least is None:
        return
    wrong = values < least
    if most is not None:
        wrong |= values > most
    if wrong.any():
        k = int(np.argmax(wrong))
        allowed = f">= {least}" if most is None else f"{least}..{most}"
        raise MappingError(f"inject: {name}[{k}] = {values[k]}; it must be {allowed}")


def _joined(parts: list[Deliveries]) -> Deliveries:
    if not parts:
        return _deliveries(rows(0, DELIVERY))
    if len(parts) == 1:
        return parts[0]
    return Deliveries(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _deliveries(table: IntArray) -> Deliveries:
    return Deliveries(*np.ascontiguousarray(table.T))
