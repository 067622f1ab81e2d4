"""What can be read off a packet network at any moment."""

from __future__ import annotations

import numpy as np

from mapping.mesh import Mesh
from mapping.network import counters as c
from mapping.network import layout as at
from mapping.network.layout import Addresses
from mapping.network.pending import Pending
from mapping.network.records import Counts, Work
from mapping.network.setup import Setup
from mapping.network.stall import Stall, find_stall
from mapping.network.tables import IntArray, Tables

__all__ = ["Readings"]


class Readings:
    """The state of a `PacketNetwork`, and its measures."""

    mesh: Mesh
    _setup: Setup
    _there: Addresses
    _tables: Tables
    _pending: Pending

    @property
    def now(self) -> int:
        """The first cycle that was not simulated yet."""
        return int(self._tables.counters[c.NOW])

    @property
    def counts(self) -> Counts:
        """What became of the packets whose time of creation has passed."""
        n = self._tables.counters
        kept = (c.INJECTED, c.DELIVERED, c.DROPPED, c.REFUSED, c.LIVE)
        return Counts(*(int(n[place]) for place in kept))

    @property
    def n_waiting(self) -> int:
        """Packets that were given to `inject` for a cycle that is still to come."""
        return len(self._pending)

    @property
    def occupied_slots(self) -> int:
        """Packets that have a slot in the tables: those in flight, counted independently."""
        return len(self._tables.free_slots) - int(self._tables.counters[c.FREE_SLOTS])

    @property
    def packets_injected(self) -> int:
        """Packets given to `inject` so far."""
        return self._pending.given

    @property
    def wire_flits(self) -> IntArray:
        """Flits sent over each link and from each router to its core, shape (n_link_ids + n,)."""
        return self._of_wires(at.SENT_FLITS)

    @property
    def wire_packets(self) -> IntArray:
        """Heads sent over each link and from each router to its core, shape (n_link_ids + n,)."""
        return self._of_wires(at.SENT_PACKETS)

    def _of_wires(self, number: int) -> IntArray:
        n = self.mesh.n_cores
        side = np.delete(self._there.out_side, np.s_[4 * n : 5 * n])
        sent: IntArray = self._tables.wide[(side + number) >> 1]
        return sent

    @property
    def occupied_flit_cycles(self) -> IntArray:
        """[flits x cycles] sum over time of the flits in the buffers of each wire into a router.

        Shape (n_link_ids + n,): those of the links, then those of the cores' wires.
        """
        t, lane = self._tables, self._there.lane
        flits = t.words[lane + at.FLITS].reshape(-1, self._setup.lanes).sum(axis=1)
        held = t.wide[(self._there.in_side + at.HELD) >> 1]
        sums: IntArray = held + flits.astype(np.int64) * self.now
        return sums

    @property
    def peak_occupancy(self) -> int:
        """[flits] most that a buffer ever held."""
        return int(self._tables.counters[c.PEAK])

    @property
    def work(self) -> Work:
        """How much was simulated so far."""
        n = self._tables.counters
        hops = int(self.wire_flits[: self.mesh.n_link_ids].sum())
        return Work(hops, int(n[c.CYCLES]), int(n[c.VISITS]))

    def stall(self) -> Stall | None:
        """The deadlock that the network is in at this moment, or None."""
        return find_stall(self._setup, self._there, self._tables, self.now)
