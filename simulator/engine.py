"""The compiled engine: the arrays of a network, its event loop, and what the loop asks for."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator import instant_loop
from simulator.arrays import EVENT, EngineState, NetworkArrays, Records
from simulator.compile import CompiledNetwork
from simulator.engine_state import grown, new_state, new_workspace
from simulator.errors import SimulationError
from simulator.flights import in_flight, new_queue
from simulator.identity import identity
from simulator.instant_loop import make_instant_loop
from simulator.interrupt import HeldInterrupt
from simulator.loop_watch import AWAITED
from simulator.needs import Needs, needs_of
from simulator.sources import SetRates, open_sources
from simulator.start import predict_all, to_modes
from simulator.zero_delay import describe_loop

__all__ = ["Engine"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# How much of its work (deliveries, and passes of the loop) one call of the loop may do: as much as
# takes about a tenth of a second, found out as the run goes on, because a delivery costs 10 ns in
# one model and 10 us in another.  Between calls the interpreter sees to signals.
_LEAST, _FIRST, _MOST = 1 << 6, 1 << 14, 1 << 24
_SHORT, _LONG = 0.05, 0.2  # s


@lru_cache(maxsize=64)
def _event_loop(models: tuple[Any, ...], rules: tuple[Any, ...], needs: Needs) -> Any:
    return make_instant_loop(models, rules, needs)


def _clock(st: EngineState) -> Floats:
    """The present time (ms), (1,): as a field of a record it would take a hundred times longer."""
    now: Floats = st.engine.view(np.ndarray)["now"]
    return now


class Engine:
    """A compiled network and its state.

    Parameters
    ----------
    compiled
        The network.
    on_spikes
        ``on_spikes(times_ms, neurons, populations)`` gets the recorded spikes in pieces: index of
        the neuron within its population, and number of the population.
    on_changes
        ``on_changes(times_ms, synapses, weights)`` gets the changes of weights that are recorded:
        place of the synapse in the array of all weights.
    """

    def __init__(
        self,
        compiled: CompiledNetwork,
        on_spikes: Callable[[Floats, Ints, Ints], None],
        on_changes: Callable[[Floats, Ints, Floats], None],
    ) -> None:
        network = self.network = compiled.network
        self.compiled = compiled
        self.state = new_state(self.compiled)
        self._clock = _clock(self.state)
        self.piece_start = 0.0  # ms, of the open piece of the sources
        self._piece_is_open = True  # as it is to be; not when rates were set since
        self._work = new_workspace(self.compiled, self.state)
        needs = needs_of(self.compiled)
        self._loop = _event_loop(self.compiled.models, self.compiled.rules, needs)
        alone = self.compiled.drawn_alone
        first, sources = self.compiled.arrays.pops.lo.tolist(), set(network.populations) - alone
        self._sources = open_sources(network, first, sources)
        self._observed = open_sources(network, first, alone & network.recorders.spikes)
        self._observed_to = 0.0  # ms
        self._on_spikes, self._on_changes = on_spikes, on_changes
        self._budget = _FIRST
        self._loop_is_ready = False
        to_modes(self.compiled)
        predict_all(self.compiled, self.state)

    @property
    def time(self) -> float:
        """Time reached, in ms."""
        return float(self._clock[0])

    @cached_property
    def identity(self) -> bytes:
        """What the network is, as JSON; worked out when it is first asked for."""
        return json.dumps(identity(self.compiled)).encode()

    @property
    def deliveries(self) -> int:
        """Spikes delivered to synapses so far."""
        return int(self.state.engine[0].deliveries)

    @property
    def workers(self) -> int:
        """Threads that share the work."""
        return 1

    def alone(self) -> Engine:
        """An engine of one worker in the same state."""
        return self

    def get_ready(self) -> None:
        """Have the loop compiled, which takes a while; until then Ctrl-C acts at once."""
        if not self._loop_is_ready:
            self._call(self.time, 0)
            self._loop_is_ready = True

    def advance(self, until: float, interrupt: HeldInterrupt) -> None:
        """Handle all events up to and including time ``until`` (ms), or up to the end of the
        instant at which a watched population spikes or an interrupt is found pending."""
        self.state.engine[0].halt = 0
        if not self._piece_is_open:
            self.open_piece(self.piece_start, after=self.time)
        while True:
            start = time.perf_counter()
            status = self._call(until, self._budget)
            if status == instant_loop.DONE:
                self._sources.forget(self.time)
                self.observe()
                return
            if status == instant_loop.PAUSED:
                self._adapt_budget(time.perf_counter() - start)
                self.observe()
            elif status == instant_loop.MORE_INPUT:
                self.open_piece(float(self.state.engine[0].input_end))
            elif status == instant_loop.MORE_OUTPUT:
                self.drain()
            elif status == instant_loop.MORE_ROOM:
                self.replace_state(grown(self.compiled, self.state))
            else:
                culprit = int(self.state.engine[0].culprit)
                names = list(self.network.populations)
                raise SimulationError(
                    describe_loop(self.network, names[self.state.neurons[culprit].pop], self.time)
                )
            if interrupt.pending:
                until = self.time

    def open_piece(self, start: float, after: float = -math.inf) -> None:
        """Make the spikes of the sources from ``start`` (ms) on the open piece, without those up to
        ``after``, which have been handled."""
        source, end = self._next_piece(start, after)
        self.state = self.state._replace(source=source)
        self._piece_is_open = True
        engine = self.state.engine[0]
        engine.input_end, engine.src_pos, engine.src_end = end, 0, source.size

    def _next_piece(self, start: float, after: float = -math.inf) -> tuple[Records, float]:
        """Spikes of the sources from ``start`` (ms) on, and the time up to which they are all."""
        times, neurons, end = self._sources.next_piece(start, after)
        source = np.empty(times.size, EVENT).view(np.recarray)
        source.t, source.i = times, neurons
        self.piece_start = start
        return source, end

    def inject(self, times: Floats, neurons: Ints) -> None:
        """Have sources spike at further times (ms), by global number; not before now."""
        for name, sender in self._drawn_by_targets():
            if np.any((neurons >= sender.lo) & (neurons < sender.hi)):
                raise SimulationError(
                    f"inject() into {name!r}: its spikes are drawn by their targets, who would not "
                    "see others; inject into a source of its own"
                )
        before = self._sources.given
        self._sources.add(times, neurons)
        try:
            if self.has_run:
                self.open_piece(self.piece_start, after=self.time)
        except SimulationError:
            self._sources.given = before
            raise

    def set_rates(self, name: str, hz: Floats, start: float, stop: float) -> None:
        """Have a source spike at these rates (Hz) from ``start``, which is now, until ``stop``
        (ms)."""
        if name in (drawn for drawn, _ in self._drawn_by_targets()):
            raise SimulationError(
                f"set_rates() of {name!r}: its spikes are drawn by their targets, some time ahead; "
                "connect them with explicit(range(n), range(n)) instead of one_to_one()"
            )
        known = self._sources.rates.get(name)
        number = known.number + 1 if known else 1
        self._sources.set_rates(name, SetRates(number, hz, start, stop))
        if self.has_run:
            self.piece_start, self._piece_is_open = start, False

    @property
    def rates(self) -> dict[str, SetRates]:
        """Rates that were set in a run, by population."""
        return self._sources.rates

    @rates.setter
    def rates(self, rates: dict[str, SetRates]) -> None:
        for name in {**self._sources.rates, **rates}:
            self._sources.set_rates(name, rates.get(name))

    def _drawn_by_targets(self) -> list[tuple[str, Records]]:
        """Sources whose spikes their targets draw: name, and the row of the population."""
        net, names = self.compiled.arrays, list(self.network.populations)
        senders = [int(net.projs[q].pre) for q in self.compiled.private]
        return [(names[k], net.pops[k]) for k in senders]

    @property
    def has_run(self) -> bool:
        """Whether anything has happened: at time 0 the events of that time may lie ahead."""
        return float(self.state.engine[0].input_end) > 0.0

    @property
    def given(self) -> tuple[Floats, Ints]:
        """Injected spikes that lie ahead: times (ms), global neurons."""
        return self._sources.given

    @given.setter
    def given(self, spikes: tuple[Floats, Ints]) -> None:
        self._sources.given = spikes

    def in_flight(self) -> Records:
        """Spikes along rows whose synapses differ in delay, of type FLYING, sorted."""
        return in_flight(self.compiled.arrays, self.state)

    def put_in_flight(self, flying: Records) -> None:
        """Have these in flight; what they reach up to now is behind them."""
        queue = new_queue(self.compiled.arrays, flying, self.time)
        self.replace_state(self.state._replace(**queue))

    def carried(self) -> dict[str, npt.NDArray[Any]]:
        """What is under way elsewhere, as arrays, for a saved state: nothing here."""
        return {}

    def restore_carried(self, saved: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over what :meth:`carried` gave."""

    def drop_carried(self) -> None:
        """Forget what is under way elsewhere."""

    def observe(self) -> None:
        """Hand on the recorded spikes of sources that the loop does not see: their targets draw the
        same for themselves."""
        end = math.nextafter(self.time, math.inf)
        while self._observed and self._observed_to < end:
            times, neurons, piece_end = self._observed.next_piece(self._observed_to)
            seen = times < end
            if seen.any():
                first = self.compiled.arrays.pops.lo
                pops = np.searchsorted(first, neurons[seen], side="right") - 1
                self._on_spikes(times[seen], neurons[seen] - first[pops], pops)
            self._observed_to = min(piece_end, end)

    def observe_from_now(self) -> None:
        """Take such spikes up to now for handed on: a restored run has them behind it."""
        self._observed_to = math.nextafter(self.time, math.inf)

    def drain(self) -> None:
        """Hand on the spikes and the changes of weights in the output buffers."""
        st = self.state
        n = int(st.engine[0].n_out)
        if n:
            times, neurons = st.output.t[:n], st.output.i[:n]
            pops = st.neurons.pop[neurons]
            st.engine[0].n_out = 0
            self._on_spikes(times, neurons - self.compiled.arrays.pops.lo[pops], pops)
        n = int(st.engine[0].n_changes)
        if n:
            changes = st.changes[:n].copy()
            st.engine[0].n_changes = 0
            self._on_changes(changes.t, changes.s, changes.w)

    def see_weights(self) -> None:
        """Take the weights as they are for seen: no change of the past is to be recorded."""
        if self.state.seen.size:
            self.state.seen[:] = self.compiled.arrays.weight

    def take_reached(self) -> Ints:
        """Global numbers of the probed neurons that the last instant reached, ascending."""
        st = self.state
        reached: Ints = np.sort(st.reached[: int(st.engine[0].n_reached)])
        st.probes[reached] = AWAITED
        st.engine[0].n_reached = 0
        return reached

    def replace_state(self, state: EngineState) -> None:
        """Go on with these arrays."""
        self.state = state
        self._clock = _clock(state)
        self._work = new_workspace(self.compiled, state)

    def _call(self, until: float, budget: int) -> int:
        groups = self.compiled.groups
        blocks = tuple(zip(groups.states, groups.parameters, groups.horizons, strict=True))
        self.state.engine[0].budget = budget
        return int(
            self._loop(self._arrays(), blocks, groups.rules, self.state, self._work, float(until))
        )

    def _arrays(self) -> NetworkArrays:
        """The network as the loop is to see it."""
        return self.compiled.arrays

    def _adapt_budget(self, seconds: float) -> None:
        if seconds < _SHORT:
            self._budget = min(2 * self._budget, _MOST)
        elif seconds > _LONG:
            self._budget = max(self._budget // 2, _LEAST)
