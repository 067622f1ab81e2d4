"""An engine whose work is done by several threads, with the same bits as by one.

Time is cut into windows no longer than the smallest delay of the projections between neurons that
different workers own.  Nothing emitted in a window comes back within it, so every worker runs the
event loop of the network on its own neurons to the end of the window, in a thread of its own; then
the spikes of all are merged in the order of time and neuron and put into everybody's queues.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from simulator import instant_loop
from simulator.arrays import EngineState, Records
from simulator.compile import CompiledNetwork, compile_network
from simulator.engine import Engine
from simulator.engine_state import grown, new_workspace, with_wider_rings
from simulator.errors import SimulationError
from simulator.flights import with_room_for
from simulator.interrupt import HeldInterrupt
from simulator.network import Network
from simulator.parts import Parts, chosen_workers, cut_populations, share_out
from simulator.saving import restore_engine, save_engine
from simulator.team_kernels import send_spikes
from simulator.team_state import Member, Share, gathered, make_shares, scattered
from simulator.zero_delay import describe_loop

__all__ = ["Team", "make_engine"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
OnSpikes = Callable[[Floats, Ints, Ints], None]
OnChanges = Callable[[Floats, Ints, Floats], None]

_NO_LIMIT = 1 << 60  # deliveries in a window
_HELD = 1 << 16  # spikes kept back before they are handed on
_WORTH = 4e-4  # s of work in a window from which on threads pay (docs/decisions/0009-workers.md)


def make_engine(
    network: Network, on_spikes: OnSpikes, on_changes: OnChanges, workers: int | None
) -> Engine:
    """An engine of so many workers, of one where the network cannot be shared out or a recorder
    asks for the order of events of all neurons, or whose synapses are modulated.

    Raises
    ------
    SimulationError
        When ``workers`` is neither None (as many as pay) nor an integer >= 1.
    """
    n = chosen_workers(network, workers)
    modulated = any(proj.modulator is not None for proj in network.projections.values())
    if network.recorders.events or network.recorders.changes or modulated:
        n = 1
    bounds = cut_populations(network, n)
    compiled = compile_network(network, bounds)
    if bounds:
        parts = share_out(compiled, n)
        if parts is not None:
            return Team(compiled, on_spikes, on_changes, parts)
        compiled = compile_network(network)
    return Engine(compiled, on_spikes, on_changes)


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_name_prefix="spikemesh")


class Team(Engine):
    """An engine of several workers; see :class:`simulator.engine.Engine`.

    ``state`` is the whole state: it is put together when somebody asks for it, and shared out
    again when the run goes on.
    """

    def __init__(
        self,
        compiled: CompiledNetwork,
        on_spikes: OnSpikes,
        on_changes: OnChanges,
        parts: Parts,
    ) -> None:
        self._whole: EngineState
        self._members: list[Member] = []
        self._shares: list[Share] = []
        super().__init__(compiled, on_spikes, on_changes)
        self._shares = make_shares(compiled, parts)
        self._window = parts.window
        self._busy = 0.0  # s, of all workers in the last window
        self._held: list[tuple[Floats, Ints]] = []
        self._n_held = 0

    @property
    def workers(self) -> int:
        return len(self._shares)

    @property
    def state(self) -> EngineState:
        """The whole state; whoever asks may change it."""
        if self._members:
            self._whole = gathered(self.compiled, self._shares, self._members, self._whole.source)
            self._members = []
        return self._whole

    @state.setter
    def state(self, state: EngineState) -> None:
        self._whole = state
        self._members = []

    @property
    def time(self) -> float:
        """Time reached, in ms."""
        state = self._members[0].state if self._members else self._whole
        return float(state.engine[0].now)

    @property
    def deliveries(self) -> int:
        """Spikes delivered to synapses so far."""
        states = [member.state for member in self._members] or [self._whole]
        return sum(int(state.engine[0].deliveries) for state in states)

    def in_flight(self) -> Records:
        """Spikes along rows whose synapses differ in delay, of type FLYING, sorted."""
        return self.state.flying

    def put_in_flight(self, flying: Records) -> None:
        """Have these in flight; what they reach up to now is behind them."""
        self.state = self.state._replace(flying=flying)

    def alone(self) -> Engine:
        """An engine of one worker in the same state."""
        one = Engine(compile_network(self.network), self._on_spikes, self._on_changes)
        restore_engine(one, save_engine(self))
        one.compiled.arrays.pops.recorded = self.compiled.arrays.pops.recorded
        return one

    def get_ready(self) -> None:
        """Have the loop and the exchange of spikes compiled."""
        super().get_ready()
        self._share_out()
        nothing = np.empty(0), np.empty(0, np.int64)
        self._send(0, *nothing)

    def advance(self, until: float, interrupt: HeldInterrupt) -> None:
        """Handle all events up to and including time ``until`` (ms), or up to the end of the
        window in which an interrupt is found pending."""
        self._share_out()
        for share in self._shares:
            share.net.projs.learns = self.compiled.arrays.projs.learns
        while True:
            engine = self._members[0].state.engine[0]
            now = float(engine.now)
            before_input = math.nextafter(float(engine.input_end), -math.inf)
            if before_input <= now and before_input < until:
                self._open_next_piece(float(engine.input_end))
                continue
            # An arrival at the very end of the window would come too late.
            end = min(until, before_input, math.nextafter(now + self._window, -math.inf))
            self._run_all(end)
            self._exchange()
            if end == until or interrupt.pending:
                self._sources.forget(end)
                self.observe()
                return

    def drain(self) -> None:
        """Hand on the spikes that are held back."""
        if not self._members:
            super().drain()
        if not self._held:
            return
        times, neurons = (np.concatenate([piece[k] for piece in self._held]) for k in range(2))
        self._held, self._n_held = [], 0
        net = self.compiled.arrays
        pops = self._neuron_pops[neurons]
        kept = net.pops.recorded[pops].astype(np.bool_)
        times, neurons, pops = times[kept], neurons[kept], pops[kept]
        if times.size:
            self._on_spikes(times, neurons - net.pops.lo[pops], pops)

    def see_weights(self) -> None:
        """Nothing: a network whose changes are recorded is not shared out."""

    def take_reached(self) -> Ints:
        """No neurons: a network whose events are recorded is not shared out."""
        return np.empty(0, np.int64)

    # -- a window ----------------------------------------------------------------------------

    def _run_all(self, end: float) -> None:
        others = range(1, len(self._members))
        if self._busy >= _WORTH:
            waiting = [_threads().submit(self._run_one, w, end) for w in others]
            done = [self._run_one(0, end), *(job.result() for job in waiting)]
        else:
            done = [self._run_one(w, end) for w in (0, *others)]
        self._busy = sum(seconds for _, seconds in done)
        for member, (code, _) in zip(self._members, done, strict=True):
            if code != instant_loop.DONE:
                engine = member.state.engine[0]
                name = list(self.network.populations)[self._neuron_pops[int(engine.culprit)]]
                raise SimulationError(describe_loop(self.network, name, float(engine.now)))

    def _run_one(self, w: int, end: float) -> tuple[int, float]:
        """Run one worker to the end of the window: DONE, or what it failed of; seconds taken."""
        start = time.perf_counter()
        net = self._shares[w].net
        groups = self.compiled.groups
        while True:
            member = self._members[w]
            blocks = tuple(zip(member.blocks, groups.parameters, groups.horizons, strict=True))
            member.state.engine[0].budget = _NO_LIMIT
            code = int(self._loop(net, blocks, groups.rules, member.state, member.work, end))
            if code == instant_loop.MORE_OUTPUT:
                self._emitted[w].append(_taken(member.state))
            elif code == instant_loop.MORE_ROOM:
                self._replace(w, grown(self.compiled, member.state))
            elif code != instant_loop.PAUSED:
                return code, time.perf_counter() - start

    def _exchange(self) -> None:
        """Put the spikes of the window into everybody's queues, and aside for the recorder."""
        pieces = []
        for member, emitted in zip(self._members, self._emitted, strict=True):
            pieces += [*emitted, _taken(member.state)]
            emitted.clear()
        times, neurons = (np.concatenate([piece[k] for piece in pieces]) for k in range(2))
        if not times.size:
            return
        order = np.lexsort((neurons, times))
        times, neurons = times[order], neurons[order]
        for w in range(len(self._members)):
            self._send(w, times, neurons)
        self._held.append((times, neurons))
        self._n_held += times.size
        if self._n_held > _HELD:
            self.drain()

    def _send(self, w: int, times: Floats, neurons: Ints) -> None:
        share, start = self._shares[w], 0
        while True:
            st = self._members[w].state
            start = send_spikes(
                share.net, st, share.first, share.projections, times, neurons, start
            )
            if start == times.size:
                return
            if st.engine[0].crowded:
                self._replace(w, grown(self.compiled, st))
            elif np.any(st.projs.ring_n >= st.rings.shape[1]):
                self._replace(w, with_wider_rings(st, 2 * st.rings.shape[1]))
            else:
                most = int(st.queue[0].most)
                self._replace(w, with_room_for(st, most))

    # -- keeping the members -----------------------------------------------------------------

    def _share_out(self) -> None:
        if self._members:
            return
        super().drain()
        self._members = scattered(self.compiled, self._shares, self._whole)
        self._emitted: list[list[tuple[Floats, Ints]]] = [[] for _ in self._members]
        self._neuron_pops = np.array(self._whole.neurons.pop)

    def _replace(self, w: int, state: EngineState) -> None:
        work = new_workspace(self.compiled, state)
        self._members[w] = self._members[w]._replace(state=state, work=work)

    def _open_next_piece(self, start: float) -> None:
        source, end = self._next_piece(start)
        self._whole = self._whole._replace(source=source)
        for w, (share, member) in enumerate(zip(self._shares, self._members, strict=True)):
            heard = share.heard(source)
            self._members[w] = member._replace(state=member.state._replace(source=heard))
            engine = member.state.engine[0]
            engine.input_end, engine.src_pos, engine.src_end = end, 0, heard.size


def _taken(st: EngineState) -> tuple[Floats, Ints]:
    """The spikes in the output buffer, which is emptied."""
    n = int(st.engine[0].n_out)
    st.engine[0].n_out = 0
    return st.output.t[:n].copy(), st.output.i[:n].copy()
