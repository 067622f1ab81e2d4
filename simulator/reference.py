"""The readable engine: a priority queue of events on neuron and synapse objects, in plain Python.

This is the specification that the compiled engine is tested against, short enough to read in one
sitting.  It uses the same model and rule functions; everything else is written a second time, in
the plainest way.  Events are kept in a :class:`sortedcontainers.SortedList`, in the order

    time (ms) | a spike arrives, before a crossing | where it comes from, or which neuron

so that equal times have one meaning: all that arrives at an instant is delivered, then the neurons
at threshold fire, by population and index; what they send without delay makes a new round at the
same instant.  A predicted crossing is an event like any other, and is moved when something arrives.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from sortedcontainers import SortedList

from simulator.boundary import checked_state, raised_level
from simulator.compile import compile_network
from simulator.control import Controlled
from simulator.drift_kernels import of_tuple
from simulator.errors import SimulationError
from simulator.interrupt import HeldInterrupt
from simulator.network import Network, Population, Projection
from simulator.normalise import check_scaling, refuse_zero_sum
from simulator.reading import check_variable
from simulator.reference_objects import Neuron, Synapse, make_neurons, make_synapses
from simulator.sources import SetRates, open_sources
from simulator.trials import Incoming, Trials
from simulator.zero_delay import describe_loop

__all__ = ["Reference"]

ARRIVAL, CROSSING = 0, 1
MAX_ROUNDS = 100_000  # at one instant


class Reference(Controlled):
    """A network that runs slowly and obviously; the interface of :class:`simulator.Simulation`."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self._time = 0.0
        self._compiled = compile_network(network)
        self._trials = Trials(self._compiled)
        self._queue: SortedList[tuple[Any, ...]] = SortedList()
        self._rounds = 0
        self._spikes: dict[str, list[tuple[float, int]]] = {p: [] for p in network.populations}
        self._neurons = make_neurons(self._compiled)
        self._rows, self._modulators = make_synapses(self._compiled, self._neurons)
        self._numbers = {name: k for k, name in enumerate(network.populations)}
        self._resting: set[int] = set()  # projections whose learning is switched off
        self._watched: dict[str, int] = {}  # populations, with their numbers
        self._halt = False  # somebody waits for the end of this instant
        self._sources = open_sources(network, self._compiled.arrays.pops.lo.tolist())
        self._input: list[tuple[float, int]] = []
        self._input_start = self._input_end = 0.0
        for neuron in self._neurons:
            if neuron.model is not None:
                self._predict(neuron)

    # -- the engine --------------------------------------------------------------------------

    def _now(self) -> float:
        return self._time

    def _advance(self, until: float, interrupt: HeldInterrupt) -> None:
        self._halt = False
        while True:
            if self._halt or interrupt.pending:
                until = self._time
            while self._input_end <= until and not self._input:
                self._open_piece(self._input_end)
            t = self._queue[0][0] if self._queue else math.inf
            if self._input:
                t = min(t, self._input[-1][0])
            if t > until:
                self._sources.forget(until)
                self._time = until
                return
            self._rounds = self._rounds + 1 if t == self.time else 0
            if self._rounds > MAX_ROUNDS:
                raise SimulationError(describe_loop(self.network, self._culprit, t))
            self._time = t
            while self._input and self._input[-1][0] == t:
                self._emit(self._neurons[self._input.pop()[1]], t)
            if self._queue and self._queue[0][:2] == (t, ARRIVAL):
                self._deliver(t)
            elif self._queue and self._queue[0][0] == t:
                self._fire(t)

    def _open_piece(self, start: float, after: float = -math.inf) -> None:
        times, neurons, end = self._sources.next_piece(start, after)
        self._input = list(zip(times.tolist(), neurons.tolist(), strict=True))[::-1]
        self._input_start, self._input_end = start, end

    def _deliver(self, t: float) -> None:
        arriving: list[tuple[tuple[Any, ...], list[Synapse]]] = []
        while self._queue and self._queue[0][:2] == (t, ARRIVAL):
            event = self._queue.pop(0)
            _, _, several, q, emitted, i, k = event
            row = self._rows[q][i]
            now = [s for s in row[k:] if emitted + s.delay == t] if several else row
            if several and k + len(now) < len(row):
                self._push_row(q, i, emitted, k + len(now), several)
            arriving.append((event, now))
        for _, synapses in arriving:
            for s in synapses:
                if s.projection not in self._resting:
                    s.values = s.settled(t)
        touched = []
        for _, synapses in arriving:
            for s in synapses:
                s.post.advance(t)
                w = s.weight if s.rule is None else s.rule.transmit(s.weight, s.rule.parameters, t)
                assert s.post.model is not None
                s.post.model.receive(s.post.state, 0, s.post.model.parameters, s.port, w)
                touched.append(s.post)
        for event, synapses in arriving:
            for s in synapses:
                if s.x is not None:
                    assert s.rule is not None
                    if s.projection not in self._resting:
                        s.learn(s.rule.on_pre, t)
                    s.x.mark(t, event[4])
        self._release([synapses for _, synapses in arriving], t)
        for neuron in touched:
            self._predict(neuron)

    def _release(self, arriving: list[list[Synapse]], t: float) -> None:
        """What arrives at a modulator reaches the synapses that feel it."""
        for q, proj in enumerate(self.network.projections.values()):
            if proj.modulator is not None:
                rows = [
                    [s for s in r if s.post.population == proj.modulator.name] for r in arriving
                ]
                amount = sum(sum((s.weight for s in row), 0.0) for row in rows)
                if amount != 0.0:
                    self._modulate(q, amount, t)

    def _modulate(self, q: int, amount: float, t: float) -> None:
        """Bring modulated synapses to time t; release an amount of what they feel."""
        if self._compiled.arrays.projs.modulator[q] < 0:
            return
        for s in [s for row in self._rows[q] for s in row]:
            assert s.rule is not None
            if q not in self._resting:
                s.values = s.settled(t)
                if amount != 0.0 and s.rule.drifts():
                    f = of_tuple(type(s.rule), s.rule.on_modulator)
                    s.values = f(s.values, amount, s.rule.parameters)
        self._modulators[q].release(amount, t)

    def _fire(self, t: float) -> None:
        firing = []
        while self._queue and self._queue[0][:2] == (t, CROSSING):
            neuron = self._neurons[self._queue.pop(0)[2]]
            neuron.event = None
            neuron.advance(t)
            if neuron.waits:
                self._predict(neuron)
            else:
                firing.append(neuron)
        for neuron in firing:
            assert neuron.model is not None
            rest = neuron.model.fire(neuron.state, 0, neuron.model.parameters)
            neuron.ref_until = t + rest
            self._predict(neuron)
        for neuron in firing:
            for synapses in neuron.incoming:
                for s in synapses:
                    assert s.rule is not None
                    if s.projection not in self._resting:
                        s.values = s.settled(t)
                        s.learn(s.rule.on_post, t)
                if synapses and synapses[0].y is not None:
                    synapses[0].y.mark(t, t)
        for neuron in firing:
            self._culprit = firing[0].population
            self._emit(neuron, t)

    def _emit(self, neuron: Neuron, t: float) -> None:
        self._spikes[neuron.population].append((t, neuron.index))
        k = self._numbers[neuron.population]
        if k in self._trials.seen:
            self._trials.take(np.array([t]), np.array([neuron.index]), np.array([k]), t)
        if neuron.population in self._watched:
            self._schedule.spiked(self._watched[neuron.population], np.array([neuron.index]))
            self._halt = True
        for q, synapses in enumerate(neuron.outgoing):
            if synapses:
                several = bool(np.isnan(self._compiled.arrays.projs.delay[q]))
                self._push_row(q, neuron.index, t, 0, several)

    def _push_row(self, q: int, i: int, emitted: float, k: int, several: bool) -> None:
        arrival = emitted + self._rows[q][i][k].delay
        self._queue.add((arrival, ARRIVAL, several, q, emitted, i, k))

    def _predict(self, neuron: Neuron) -> None:
        """Cancel the neuron's prediction and make a new one."""
        if neuron.event is not None:
            self._queue.remove(neuron.event)
            neuron.event = None
        t = neuron.next_event()
        if t < math.inf:
            neuron.event = (t, CROSSING, neuron.number)
            self._queue.add(neuron.event)

    # -- reading -----------------------------------------------------------------------------

    def spikes(self, population: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """All spikes of a population: times (ms), neurons."""
        events = self._spikes[population]
        return (
            np.array([t for t, _ in events], np.float64),
            np.array([i for _, i in events], np.int64),
        )

    def weights(self, projection: Projection | str) -> npt.NDArray[np.float64]:
        """Present weights, by presynaptic neuron, then target as stored."""
        q, t = self.network.projection_number(projection), self._time
        synapses = [s for row in self._rows[q] for s in row]
        return np.array([(s.values if q in self._resting else s.settled(t))[0] for s in synapses])

    def state(self, population: Population | str, variable: str) -> npt.NDArray[np.float64]:
        """A state variable of every neuron at the present time."""
        pop = self.network.find_population(population)
        check_variable(pop, variable)
        values = []
        for neuron in self._neurons:
            if neuron.population == pop.name:
                assert neuron.model is not None
                n = type(neuron.state)(*(list(value) for value in neuron.state))
                p = neuron.model.parameters
                neuron.touch(n, 0, p, neuron.t_last, neuron.ref_until, self._time)
                values.append(getattr(n, variable)[0])
        return np.array(values)

    # -- changing ----------------------------------------------------------------------------

    def set_weights(self, projection: Projection | str, values: npt.ArrayLike) -> None:
        """Replace the weights of a projection, in the order of :meth:`weights`."""
        q = self.network.projection_number(projection)
        self._modulate(q, 0.0, self._time)
        synapses = [s for row in self._rows[q] for s in row]
        for s, w in zip(synapses, np.asarray(values, np.float64).tolist(), strict=True):
            s.values = (w, *s.values[1:])

    def normalise_weights(self, projection: Projection | str, total: float) -> None:
        """Scale the weights into each neuron of a projection so that they add up to ``total``."""
        proj = self.network.find_projection(projection)
        check_scaling(self._compiled, proj, total)
        self._modulate(self.network.projection_number(proj), 0.0, self._time)
        incoming: dict[int, list[Synapse]] = {}
        for s in [s for row in self._rows[self.network.projection_number(proj)] for s in row]:
            incoming.setdefault(s.post.index, []).append(s)
        sums = dict.fromkeys(sorted(incoming), 0.0)
        for j in sums:
            for s in incoming[j]:
                sums[j] += s.weight
            refuse_zero_sum(proj, np.array([sums[j]]), j)
        for j, synapses in incoming.items():
            for s in synapses:
                s.values = (s.weight * (total / sums[j]), *s.values[1:])

    def set_learning(self, projection: Projection | str, learning: bool) -> None:
        """Switch the plasticity of a projection off or on again; its traces go on meanwhile."""
        q = self.network.projection_number(projection)
        self._modulate(q, 0.0, self._time)
        (self._resting.discard if learning else self._resting.add)(q)

    def release(self, modulator: Population | str, amount: float) -> None:
        """Raise the concentration of a neuromodulator at the present time."""
        pop = self.network.find_population(modulator)
        level = raised_level(self, pop, amount)
        for q, proj in enumerate(self.network.projections.values()):
            if proj.modulator is pop:
                self._modulate(q, amount, self._time)
        self.set_state(pop, "z", level)

    def set_state(self, population: Population | str, variable: str, values: npt.ArrayLike) -> None:
        """Set a state variable, for all neurons or one by one, at the present time."""
        pop = self.network.find_population(population)
        check_variable(pop, variable)
        neurons = [n for n in self._neurons if n.population == pop.name]
        for neuron, value in zip(neurons, checked_state(pop, variable, values), strict=True):
            neuron.advance(self._time)
            getattr(neuron.state, variable)[0] = float(value)
            assert neuron.model is not None
            if neuron.ref_until > self._time:
                neuron.model.clamp(neuron.state, 0, neuron.model.parameters)
            self._predict(neuron)
        for q, proj in enumerate(self.network.projections.values()):
            if proj.modulator is pop:
                self._modulate(q, 0.0, self._time)
                self._modulators[q].level = float(neurons[0].state.z[0])
        self._state_was_set(pop)

    def forget(self, traces: bool = True, in_flight: bool = True) -> None:
        """Set all synaptic traces to zero, and drop the spikes that have not arrived."""
        for q, proj in enumerate(self.network.projections.values()):
            if traces and proj.modulator is not None:
                self._modulate(q, 0.0, self._time)
        for s in [s for rows in self._rows for row in rows for s in row if traces]:
            for trace in (s.x, s.y):
                if trace is not None:
                    trace.forget()
        if in_flight:
            self._queue = SortedList(event for event in self._queue if event[1] != ARRIVAL)
            self._trials.cut(self._time)

    def _weights_into(self, projection: Incoming) -> npt.NDArray[np.float64]:
        return self.weights(projection.name)

    def _put_weights_into(self, projection: Incoming, weights: npt.NDArray[np.float64]) -> None:
        self.set_weights(projection.name, weights)

    def _inject(self, times: npt.NDArray[np.float64], neurons: npt.NDArray[np.int64]) -> None:
        self._sources.add(times, neurons)
        if self._input_end > 0.0:
            self._open_piece(self._input_start, after=self._time)

    def _set_rates(self, name: str, hz: npt.NDArray[np.float64], start: float, stop: float) -> None:
        times = self._sources.rates[name].number + 1 if name in self._sources.rates else 1
        self._sources.set_rates(name, SetRates(times, hz, start, stop))
        if self._input_end > 0.0:
            self._open_piece(start, after=start)

    def _watch(self, k: int, watched: bool) -> None:
        name = list(self.network.populations)[k]
        if watched:
            self._watched[name] = k
        else:
            del self._watched[name]
