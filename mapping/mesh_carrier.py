"""Carries spikes between cores as packets of the modelled mesh (:mod:`simulator.spread`).

Cycle c of the machine lasts from time (c - 1) / f to c / f, where f is its cycles per ms.  The
packet of a spike at time t is created in the first cycle that ends after t, and a tail that arrives
in cycle c is there at c / f.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mapping.multicast import MulticastTree, multicast_tree
from mapping.network.multicast_packets import TargetSet, packet_trees
from mapping.network.packet_network import PacketNetwork
from simulator.errors import MappingError
from simulator.ragged import entries_of, row_starts
from simulator.spread import Arrivals, Remote

__all__ = ["MeshCarrier"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_PACKETS = "packets/"  # before the names of what the packet network saves
_LAST_CYCLE = 1 << 53  # beyond, not every cycle has a time of its own


class MeshCarrier:
    """Spikes as packets.

    Parameters
    ----------
    remote
        Where the spikes of each neuron go.
    network
        At cycle 0, and nobody else's.
    cycles_per_ms
        > 0, finite.
    flits
        Of each packet.
    multicast
        One of `mapping.multicast.multicast_names()`: what is sent for a spike branches along such
        a tree to all of its cores; the network must have been made for that. None: a packet for
        each core.

    Attributes
    ----------
    trees : tuple of MulticastTree
        All different; none without `multicast`.

    Raises
    ------
    mapping.network.StallError
        From `carry`, when the packets deadlock.
    """

    def __init__(
        self,
        remote: Remote,
        network: PacketNetwork,
        cycles_per_ms: float,
        flits: int,
        multicast: str | None = None,
    ) -> None:
        self._remote, self._network = remote, network
        self._per_ms, self._flits = cycles_per_ms, flits
        shortest = network.pipeline.zero_load_latency(hops=1, flits=flits)
        self.least = shortest / cycles_per_ms * (1.0 - 1e-12)
        # Spikes under way, in places that packets carry as their tags.
        self._time = np.empty(0)
        self._neuron = np.empty(0, np.int64)
        self._left = np.empty(0, np.int64)  # destinations not yet reached; 0: the place is free
        self._multicast = multicast
        self.trees: tuple[MulticastTree, ...] = ()
        # Neuron g sends to the set k = _set_of[g] of cores, 0 being none at all, by the trees
        # _tree[_tree_start[k] : _tree_start[k + 1]].
        self._set_of = np.zeros(remote.home.size, np.int64)
        self._tree_start = self._tree = np.empty(0, np.int64)
        if multicast is not None:
            self._plant(multicast)

    def carry(self, times: Floats, neurons: Ints, now: float) -> Arrivals:
        """See :meth:`simulator.spread.Carrier.carry`."""
        if times.size:
            self._inject(times, neurons)
        ahead = self._cycle(math.nextafter(now, math.inf))
        arrived = self._network.run(max(ahead + 1, self._network.now))
        place = arrived.tag
        emitted = self._time[place]
        when = np.maximum(arrived.cycle / self._per_ms, emitted)
        reached = Arrivals(when, self._neuron[place], arrived.target, emitted)
        np.subtract.at(self._left, place, 1)
        return reached.where(reached.neurons >= 0)

    def under_way(self, now: float) -> float:
        """See :meth:`simulator.spread.Carrier.under_way`."""
        if not (self._network.counts.in_flight or self._network.n_waiting):
            return math.inf
        return self._network.now / self._per_ms

    def forget(self) -> None:
        """Packets that are under way go on, and carry nothing."""
        self._neuron[:] = -1

    def save(self) -> dict[str, npt.NDArray[Any]]:
        """Spikes and packets under way."""
        # Flat, because all but the last dimension of what is saved is that of the network.
        packets = {f"{_PACKETS}{name}": a.ravel() for name, a in self._network.state().items()}
        return {
            "time": self._time,
            "neuron": self._neuron,
            "left": self._left,
            "multicast": self._method(),
            **packets,
        }

    def restore(self, saved: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go on from what :meth:`save` gave.

        Raises
        ------
        MappingError
            The packets under way are on trees of another method, or of another kind of network.
        """
        if not np.array_equal(saved["multicast"], self._method()):
            other = bytes(saved["multicast"].astype(np.uint8)).decode() or None
            raise MappingError(
                f"the state is that of a machine with multicast = {other!r}, and this one has "
                f"{self._multicast!r}"
            )
        self._time, self._neuron, self._left = (
            np.array(saved[name]) for name in ("time", "neuron", "left")
        )
        self._network.restore(
            {
                name: np.reshape(saved[f"{_PACKETS}{name}"], (-1, *present.shape[1:]))
                for name, present in self._network.state().items()
            }
        )

    def _inject(self, times: Floats, neurons: Ints) -> None:
        which, destination = entries_of(self._remote.start, neurons)
        place = self._places(times.size)
        self._time[place], self._neuron[place] = times, neurons
        self._left[place] = np.bincount(which, minlength=times.size)
        cycles = self._cycles(times) + 1
        if self._multicast is not None:
            which, number = entries_of(self._tree_start, self._set_of[neurons])
            self._network.inject_tree(cycles[which], self._tree[number], self._flits, place[which])
            return
        self._network.inject(
            cycles[which],
            self._remote.home[neurons[which]],
            self._remote.core[destination],
            self._flits,
            place[which],
        )

    def _method(self) -> Ints:
        """The name of the multicast method, as numbers that can be saved."""
        return np.array(list((self._multicast or "").encode()), np.int64)

    def _plant(self, method: str) -> None:
        """Give every neuron its trees; those with the same cores share them."""
        start, core, home, _ = self._remote
        sets: dict[TargetSet, int] = {}
        bounds = start.tolist()
        for g, source in enumerate(home.tolist()):
            cores = tuple(core[bounds[g] : bounds[g + 1]].tolist())
            if cores:
                self._set_of[g] = sets.setdefault(TargetSet(source, cores), 1 + len(sets))
        self.trees = tuple(multicast_tree(self._network.mesh, method, *one) for one in sets)
        parts = [packet_trees(tree) for tree in self.trees]
        self._tree = self._network.add_trees(tree for part in parts for tree in part)
        self._tree_start = row_starts([0, *map(len, parts)])

    def _places(self, n: int) -> Ints:
        """So many free places."""
        free = np.flatnonzero(self._left == 0)
        if free.size < n:
            size = self._left.size
            more = max(n - free.size, size, 64)
            self._time = np.concatenate([self._time, np.zeros(more)])
            self._neuron = np.concatenate([self._neuron, np.full(more, -1, np.int64)])
            self._left = np.concatenate([self._left, np.zeros(more, np.int64)])
            free = np.concatenate([free, np.arange(size, size + more)])
        return free[:n]

    def _cycle(self, t: float) -> int:
        return int(self._cycles(np.array([t]))[0])

    def _cycles(self, t: Floats) -> Ints:
        """The last cycle that has ended by each time: the largest c with c / f <= t."""
        if t.size and not t.max() * self._per_ms < _LAST_CYCLE:
            raise MappingError(
                f"{t.max()} ms at {self._per_ms} cycles per ms is beyond cycle 2**53; take fewer "
                "cycles per ms, or infinitely many"
            )
        c = np.floor(t * self._per_ms).astype(np.int64)
        c += (c + 1) / self._per_ms <= t
        c -= c / self._per_ms > t
        return c
