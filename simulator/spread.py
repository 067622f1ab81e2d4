"""An engine whose neurons sit on the cores of a machine: spikes to other cores take their time.

A spike reaches the synapses on the core of its neuron as ever.  To every other core on which it has
a synapse it is *carried*, by whatever is given as the carrier; what arrives there at time a goes on
to each synapse with the delay of the synapse, as if it had been emitted at a.  With a carrier that
takes no time, every bit is that of the plain engine.

The two take turns.  The carrier is told of all spikes up to a time and says what arrives before
anything emitted later could; the engine then goes on to where the first of what is still under way,
or of what it emits meanwhile, could reach a synapse.  While nothing is under way the engine runs to
the next spike that is to be carried.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from numba import njit

from simulator import instant_loop
from simulator.arrays import EngineState, NetworkArrays
from simulator.compile import CompiledNetwork
from simulator.engine import Engine
from simulator.engine_state import grown
from simulator.errors import SimulationError
from simulator.flight_queue import flight_room
from simulator.flights import with_room_for
from simulator.interrupt import HeldInterrupt
from simulator.queues import send_piece
from simulator.ragged import entries_of, row_starts
from simulator.zero_delay import describe_loop

__all__ = ["Arrivals", "Carrier", "InstantCarrier", "Remote", "SpreadEngine", "remote_cores"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Arrivals(NamedTuple):
    """Spikes that have reached a core: when (ms), of which neuron (global number), which core, and
    when they were emitted (ms)."""

    times: Floats
    neurons: Ints
    cores: Ints
    emitted: Floats

    def where(self, kept: npt.NDArray[np.bool_]) -> Arrivals:
        """Some of them."""
        return Arrivals(self.times[kept], self.neurons[kept], self.cores[kept], self.emitted[kept])


class Remote(NamedTuple):
    """Where the spikes of each neuron have to be carried.

    Attributes
    ----------
    start : (n_neurons + 1,)
    core : cores other than its own on which neuron g has synapses, ascending:
        ``core[start[g] : start[g + 1]]``.
    home : (n_neurons,) core of each neuron, -1 outside the machine.
    shortest_delay : the shortest delay (ms) of a synapse that is reached so; infinity without any.
    """

    start: Ints
    core: Ints
    home: Ints
    shortest_delay: float


class Carrier(Protocol):
    """What takes spikes from core to core.

    Attributes
    ----------
    least : float
        No spike takes less (ms).
    """

    least: float

    def carry(self, times: Floats, neurons: Ints, now: float) -> Arrivals:
        """Take these spikes, in order of time (ms), the last that are not after ``now``.

        Returns what arrives by the next moment after ``now``, which nothing emitted later can do
        anything about.
        """

    def under_way(self, now: float) -> float:
        """A time (ms) after ``now`` before which nothing arrives of what is under way; infinity if
        nothing is."""

    def forget(self) -> None:
        """Whatever is under way is to arrive as nothing."""

    def save(self) -> dict[str, npt.NDArray[Any]]:
        """Its state as arrays."""

    def restore(self, saved: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go on from such a state."""


class InstantCarrier:
    """A machine of infinite bandwidth: everything arrives as it is sent."""

    least = 0.0

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def carry(self, times: Floats, neurons: Ints, now: float) -> Arrivals:
        """All of it, at once."""
        which, place = entries_of(self._remote.start, neurons)
        emitted = times[which]
        return Arrivals(emitted, neurons[which], self._remote.core[place], emitted)

    def under_way(self, now: float) -> float:
        """Nothing, ever."""
        return math.inf

    def forget(self) -> None:
        """There is nothing to forget."""

    def save(self) -> dict[str, npt.NDArray[Any]]:
        """Nothing."""
        return {}

    def restore(self, saved: Mapping[str, npt.NDArray[Any]]) -> None:
        """Nothing."""


def remote_cores(compiled: CompiledNetwork) -> Remote:
    """Where the spikes of a spread network have to be carried."""
    net = compiled.arrays
    n = int(net.pops.hi[-1])
    owners, cores, shortest = [np.empty(0, np.int64)], [np.empty(0, np.int64)], math.inf
    for row in net.projs[net.projs.spread > 0]:
        lo, hi, stride = int(net.pops.lo[row.pre]), int(net.pops.hi[row.pre]), int(row.stride)
        ends = net.row_ptr[row.row_at : row.row_at + (hi - lo) * stride + 1]
        piece = np.flatnonzero(ends[1:] > ends[:-1])
        owner, core = lo + piece // stride, piece % stride
        away = core != net.home[owner]
        owners.append(owner[away])
        cores.append(core[away])
        if away.any():
            pool = net.short_delay if row.short else net.syn_delay
            first = pool[row.delay_at + ends[piece[away]]]
            shortest = min(shortest, float(first.min()))
    pairs = np.unique(np.stack([np.concatenate(owners), np.concatenate(cores)]), axis=1)
    start = row_starts(np.bincount(pairs[0], minlength=n))
    return Remote(start, pairs[1], net.home, shortest)


class SpreadEngine(Engine):
    """An engine of a network that was compiled with homes; see :class:`simulator.engine.Engine`.

    Parameters
    ----------
    make_carrier
        Gets the destinations of all neurons and returns what carries their spikes.
    """

    def __init__(
        self,
        compiled: CompiledNetwork,
        on_spikes: Callable[[Floats, Ints, Ints], None],
        on_changes: Callable[[Floats, Ints, Floats], None],
        make_carrier: Callable[[Remote], Carrier],
    ) -> None:
        self._give_on = on_spikes
        super().__init__(compiled, self._see, on_changes)
        self.remote = remote_cores(compiled)
        self.carrier = make_carrier(self.remote)
        self.on_arrivals: Callable[[Arrivals], None] | None = None
        sizes = np.diff(self.remote.start)
        net = compiled.arrays
        self._sends = np.array(
            [bool(sizes[lo:hi].any()) for lo, hi in zip(net.pops.lo, net.pops.hi, strict=True)]
        )
        self._net = net
        self._to_carry: list[tuple[Floats, Ints]] = []

    def advance(self, until: float, interrupt: HeldInterrupt) -> None:
        """Handle all events up to and including time ``until`` (ms), or up to the end of the
        instant at which a watched population spikes or an interrupt is found pending."""
        watched = self.compiled.arrays.pops.watched.copy()
        least, shortest = self.carrier.least, self.remote.shortest_delay
        while True:
            now = self.time
            ahead = self.carrier.under_way(now)
            end = min(until, max(now, _before(ahead + shortest)))
            # A spike from now on matters only if it can arrive before what is under way.
            matters = ahead > now + least
            self._watch_for(watched | self._sends if matters else watched)
            self._run(end, interrupt)
            if self._to_carry and self.time < end and not self._heard(watched):
                first = float(self._to_carry[0][0][0])
                end = min(end, _before(first + least + shortest))
                if end > self.time:
                    self._watch_for(watched)
                    self._run(end, interrupt)
            heard = self._heard(watched)
            # What arrives at this very instant, over synapses without delay, belongs to it.
            rounds = 0
            while self._exchange() + shortest <= self.time and not interrupt.pending:
                self._run(self.time, interrupt)
                heard |= self._heard(watched)
                rounds += 1
                if rounds > instant_loop.MAX_ROUNDS:
                    raise SimulationError(self._endless())
            if self.time == until or interrupt.pending or heard:
                return

    def carried(self) -> dict[str, npt.NDArray[Any]]:
        """What the carrier has, as arrays, for a saved state."""
        return self.carrier.save()

    def restore_carried(self, saved: Mapping[str, npt.NDArray[Any]]) -> None:
        """Have the carrier take over what :meth:`carried` gave."""
        self.carrier.restore(saved)

    def drop_carried(self) -> None:
        """Have what is under way arrive as nothing."""
        self.carrier.forget()

    def _run(self, until: float, interrupt: HeldInterrupt) -> None:
        self._seen = np.zeros(self._sends.size, np.bool_)
        super().advance(until, interrupt)
        self.drain()

    def _endless(self) -> str:
        """What is wrong with spikes that go from core to core for ever at one instant."""
        culprit = list(self.network.populations)[int(np.argmax(self._seen & self._sends))]
        return describe_loop(self.network, culprit, self.time)

    def _heard(self, watched: npt.NDArray[np.uint8]) -> bool:
        """Whether somebody waits for what the last instant brought."""
        return bool(np.any(self._seen & (watched > 0)))

    def _watch_for(self, populations: npt.NDArray[np.uint8]) -> None:
        """Have the loop end at spikes of these; it tells of all that are to be carried."""
        pops = self.compiled.arrays.pops.copy()
        pops.watched = populations
        pops.recorded |= self._sends
        self._net = self.compiled.arrays._replace(pops=pops)

    def _see(self, times: Floats, neurons: Ints, pops: Ints) -> None:
        net = self.compiled.arrays
        self._seen[pops] = True
        away = self._sends[pops]
        if away.any():
            self._to_carry.append((times[away].copy(), net.pops.lo[pops[away]] + neurons[away]))
        kept = net.pops.recorded[pops] > 0
        if kept.any():
            self._give_on(times[kept], neurons[kept], pops[kept])

    def _exchange(self) -> float:
        """Give the carrier what was emitted, and put what it has brought into the queues; when the
        first of it arrived (ms), infinity if nothing did."""
        pieces, self._to_carry = self._to_carry, []
        times = np.concatenate([np.empty(0), *(piece[0] for piece in pieces)])
        neurons = np.concatenate([np.empty(0, np.int64), *(piece[1] for piece in pieces)])
        if not times.size and self.carrier.under_way(self.time) == math.inf:
            return math.inf
        arrived = self.carrier.carry(times, neurons, self.time)
        if self.on_arrivals is not None:
            self.on_arrivals(arrived)
        start = 0
        while start < arrived.times.size:
            start = send_arrivals(self.compiled.arrays, self.state, *arrived[:3], start)
            if start < arrived.times.size:
                self._enlarge()
        return float(arrived.times.min(initial=math.inf))

    def _enlarge(self) -> None:
        st = self.state
        larger = st if st.engine[0].crowded else with_room_for(st, int(st.queue[0].most))
        self.replace_state(grown(self.compiled, st) if larger is st else larger)

    def _arrays(self) -> NetworkArrays:
        return self._net


def _before(t: float) -> float:
    return t if t == math.inf else math.nextafter(t, -math.inf)


@njit(cache=True)
def send_arrivals(
    net: NetworkArrays, st: EngineState, times: Floats, neurons: Ints, cores: Ints, start: int
) -> int:
    """Send what has reached a core on to its synapses, from number ``start`` on; the number of the
    first that found no room."""
    for a in range(start, times.size):
        g = neurons[a]
        k = st.neurons[g].pop
        n_out = net.pops[k].out_hi - net.pops[k].out_lo
        if not flight_room(st, n_out):
            return a
        for b in range(net.pops[k].out_lo, net.pops[k].out_hi):
            q = net.out_proj[b]
            if net.projs[q].spread:
                send_piece(net, st, q, g - net.pops[k].lo, cores[a], times[a])
    return int(times.size)
