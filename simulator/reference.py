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
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sortedcontainers import SortedList

from simulator.arrays import SPARSE
from simulator.compile import compile_network
from simulator.errors import SimulationError
from simulator.model import NeuronModel, PlasticityRule
from simulator.network import Network
from simulator.population_kernels import make_touch
from simulator.queues import synapse_delay
from simulator.sources import SpikeSource, open_sources
from simulator.traces import TraceKernels, trace_kernels
from simulator.zero_delay import describe_loop

__all__ = ["Reference"]

ARRIVAL, CROSSING = 0, 1
MAX_ROUNDS = 100_000  # at one instant


@dataclass
class _Traces:
    """The traces of one side of a synapse: values and the time for which they hold."""

    kernels: TraceKernels
    p: Any
    values: list[float]
    time: float = -math.inf

    def at(self, t: float) -> tuple[float, ...]:
        read: tuple[float, ...] = self.kernels.read(self.values, 0, 1, 0, t - self.time, self.p)
        return read

    def mark(self, t: float) -> None:
        self.kernels.mark(self.values, 0, 1, 0, t - self.time, self.p)
        self.time = t


@dataclass
class _Synapse:
    pre: _Neuron
    post: _Neuron
    weight: float
    delay: float  # ms
    port: int
    rule: PlasticityRule | None
    x: _Traces | None  # presynaptic, of this synapse
    y: _Traces | None  # postsynaptic, shared by a neuron's synapses of one projection


@dataclass
class _Neuron:
    population: str
    number: int  # global
    index: int
    model: NeuronModel | None  # None for a channel of a source
    state: Any  # one-element lists by variable
    touch: Any = None
    t_last: float = 0.0
    ref_until: float = -math.inf
    event: tuple[Any, ...] | None = None  # its prediction in the queue
    outgoing: list[list[_Synapse]] = field(default_factory=list)  # by projection
    incoming: list[list[_Synapse]] = field(default_factory=list)  # learning ones

    def advance(self, t: float) -> None:
        assert self.model is not None
        self.touch(self.state, 0, self.model.parameters, self.t_last, self.ref_until, t)
        self.t_last = max(t, self.t_last)

    def next_event(self) -> float:
        """End of the refractory period, or the next crossing if nothing arrives."""
        assert self.model is not None
        if self.ref_until > self.t_last:
            return self.ref_until
        return self.t_last + self.model.crossing(self.state, 0, self.model.parameters)


class Reference:
    """A network that runs slowly and obviously; the interface of :class:`simulator.Simulation`."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.time = 0.0
        self._compiled = compile_network(network)
        self._queue: SortedList[tuple[Any, ...]] = SortedList()
        self._rounds = 0
        self._spikes: dict[str, list[tuple[float, int]]] = {p: [] for p in network.populations}
        self._neurons = self._make_neurons()
        self._rows: list[list[list[_Synapse]]] = self._make_synapses()
        self._sources = open_sources(network, self._compiled.arrays.pops.lo.tolist())
        self._input: list[tuple[float, int]] = []
        self._input_end = 0.0
        for neuron in self._neurons:
            if neuron.model is not None:
                self._predict(neuron)

    # -- the engine --------------------------------------------------------------------------

    def run(self, until: float) -> None:
        """Handle all events up to and including ``until`` (ms)."""
        while True:
            while self._input_end <= until and not self._input:
                times, neurons, end = self._sources.next_piece(self._input_end)
                self._input = list(zip(times.tolist(), neurons.tolist(), strict=True))[::-1]
                self._input_end = end
            t = self._queue[0][0] if self._queue else math.inf
            if self._input:
                t = min(t, self._input[-1][0])
            if t > until:
                self.time = until
                return
            self._rounds = self._rounds + 1 if t == self.time else 0
            if self._rounds > MAX_ROUNDS:
                raise SimulationError(describe_loop(self.network, self._culprit, t))
            self.time = t
            while self._input and self._input[-1][0] == t:
                self._emit(self._neurons[self._input.pop()[1]], t)
            if self._queue and self._queue[0][:2] == (t, ARRIVAL):
                self._deliver(t)
            elif self._queue and self._queue[0][0] == t:
                self._fire(t)

    def _deliver(self, t: float) -> None:
        arriving: list[tuple[tuple[Any, ...], list[_Synapse]]] = []
        while self._queue and self._queue[0][:2] == (t, ARRIVAL):
            event = self._queue.pop(0)
            _, _, several, q, emitted, i, k = event
            row = self._rows[q][i]
            now = [s for s in row[k:] if emitted + s.delay == t] if several else row
            if several and k + len(now) < len(row):
                self._push_row(q, i, emitted, k + len(now), several)
            arriving.append((event, now))
        touched = []
        for _, synapses in arriving:
            for s in synapses:
                s.post.advance(t)
                w = s.weight if s.rule is None else s.rule.transmit(s.weight, s.rule.parameters, t)
                assert s.post.model is not None
                s.post.model.receive(s.post.state, 0, s.post.model.parameters, s.port, w)
                touched.append(s.post)
        for _, synapses in arriving:
            for s in synapses:
                if s.rule is not None and s.x is not None and s.y is not None:
                    s.weight = s.rule.on_pre(s.weight, s.x.at(t), s.y.at(t), s.rule.parameters)
                    s.x.mark(t)
        for neuron in touched:
            self._predict(neuron)

    def _fire(self, t: float) -> None:
        firing = []
        while self._queue and self._queue[0][:2] == (t, CROSSING):
            neuron = self._neurons[self._queue.pop(0)[2]]
            neuron.event = None
            resting = neuron.ref_until > neuron.t_last
            neuron.advance(t)
            if resting:
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
                    assert s.x is not None
                    assert s.y is not None
                    s.weight = s.rule.on_post(s.weight, s.x.at(t), s.y.at(t), s.rule.parameters)
                if synapses and synapses[0].y is not None:
                    synapses[0].y.mark(t)
        for neuron in firing:
            self._culprit = firing[0].population
            self._emit(neuron, t)

    def _emit(self, neuron: _Neuron, t: float) -> None:
        self._spikes[neuron.population].append((t, neuron.index))
        for q, synapses in enumerate(neuron.outgoing):
            if synapses:
                several = bool(np.isnan(self._compiled.arrays.projs.delay[q]))
                self._push_row(q, neuron.index, t, 0, several)

    def _push_row(self, q: int, i: int, emitted: float, k: int, several: bool) -> None:
        arrival = emitted + self._rows[q][i][k].delay
        self._queue.add((arrival, ARRIVAL, several, q, emitted, i, k))

    def _predict(self, neuron: _Neuron) -> None:
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

    def weights(self, projection: str) -> npt.NDArray[np.float64]:
        """Present weights, by presynaptic neuron, then target as stored."""
        q = list(self.network.projections).index(projection)
        return np.array([s.weight for row in self._rows[q] for s in row])

    # -- making the objects ------------------------------------------------------------------

    def _make_neurons(self) -> list[_Neuron]:
        neurons: list[_Neuron] = []
        n_proj = len(self.network.projections)
        arrays = self._compiled.arrays
        for k, pop in enumerate(self.network.populations.values()):
            for i in range(pop.size):
                model = None if isinstance(pop.model, SpikeSource) else pop.model
                neuron = _Neuron(pop.name, len(neurons), i, model, None)
                if model is not None:
                    block = self._compiled.groups.states[arrays.pops[k].group]
                    column = block[:, arrays.pops[k].at + i]
                    neuron.state = type(model).State(*([float(value)] for value in column))
                    neuron.touch = make_touch(type(model))
                neuron.outgoing = [[] for _ in range(n_proj)]
                neurons.append(neuron)
        return neurons

    def _make_synapses(self) -> list[list[list[_Synapse]]]:
        rows: list[list[list[_Synapse]]] = []
        arrays = self._compiled.arrays
        for q, proj in enumerate(self.network.projections.values()):
            row = arrays.projs[q]
            senders = self._neurons[arrays.pops.lo[row.pre] : arrays.pops.hi[row.pre]]
            targets = self._neurons[arrays.pops.lo[row.post] : arrays.pops.hi[row.post]]
            learning = proj.rule is not None and proj.rule.learns()
            rule: Any = type(proj.rule)
            p = proj.rule.parameters if proj.rule is not None else None
            if learning:
                pre_kernels = trace_kernels(rule, rule.pre_traces)
                post_kernels = trace_kernels(rule, rule.post_traces)
                n_x, n_y = len(rule.pre_traces), len(rule.post_traces)
                after = [_Traces(post_kernels, p, [0.0] * n_y) for _ in targets]
            into: list[list[_Synapse]] = [[] for _ in targets]
            rows.append([])
            for i, sender in enumerate(senders):
                made = []
                for j, w, delay in self._row(q, i, len(targets)):
                    s = _Synapse(sender, targets[j], w, delay, proj.port, proj.rule, None, None)
                    if learning:
                        s.x, s.y = _Traces(pre_kernels, p, [0.0] * n_x), after[j]
                        into[j].append(s)
                    made.append(s)
                sender.outgoing[q] = made
                rows[q].append(made)
            if learning:
                for target, synapses in zip(targets, into, strict=True):
                    target.incoming.append(synapses)
        return rows

    def _row(self, q: int, i: int, n_post: int) -> list[tuple[int, float, float]]:
        """(target, weight, delay) of the synapses of presynaptic neuron ``i``."""
        arrays = self._compiled.arrays
        row = arrays.projs[q]
        if row.kind == SPARSE:
            lo, hi = arrays.row_ptr[row.row_at + i : row.row_at + i + 2]
            several = bool(np.isnan(row.delay))
            return [
                (
                    int(arrays.syn_post[row.post_at + s]),
                    float(arrays.weight[row.w_at + (0 if row.same else s)]),
                    synapse_delay(arrays, q, s) if several else float(row.delay),
                )
                for s in range(lo, hi)
            ]
        return [
            (
                j,
                float(arrays.weight[row.w_at + (0 if row.same else i * n_post + j)]),
                float(row.delay),
            )
            for j in range(n_post)
            if not (row.no_self and j == i)
        ]
