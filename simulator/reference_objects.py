"""The neurons and synapses of the readable engine, as objects, and how they are made."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.arrays import SPARSE
from simulator.compile import CompiledNetwork
from simulator.drift_kernels import of_tuple
from simulator.flight_queue import synapse_delay
from simulator.frames import next_frame
from simulator.model import Age, NeuronModel, PlasticityRule, Trace
from simulator.population_kernels import make_touch
from simulator.rule_kernels import on_synapse
from simulator.sources import SpikeSource
from simulator.traces import PastTraces, TraceKernels, empty_values, past_traces, trace_kernels

__all__ = ["Neuron", "Synapse", "Traces", "make_neurons", "make_synapses"]


@dataclass
class Traces:
    """The traces of one side of a synapse: amplitudes in a frame of time."""

    kernels: TraceKernels
    kinds: tuple[Trace | Age, ...]
    p: Any
    length: float  # ms, of a frame
    frame: float = 0.0
    values: npt.NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """As before the first spike."""
        self.values = empty_values(self.kinds, 1)

    def at(self, t: float) -> tuple[float, ...]:
        """What the traces read."""
        decay = self.kernels.decay(self.p, self._since(t), t)
        read: tuple[float, ...] = self.kernels.read(self._parts(), 0, decay, self.p)
        return read

    def mark(self, t: float, emitted: float) -> None:
        """A spike, sent at ``emitted``."""
        self.kernels.mark(self._parts(), 0, self.kernels.grow(self.p, self._since(t), t))

    def _since(self, t: float) -> float:
        """Move to the frame of time t; how long ago it began."""
        while t - self.frame >= self.length:
            following = next_frame(self.frame, self.length)
            decay = self.kernels.decay(self.p, following - self.frame, 0.0)
            self.kernels.scale(self._parts(), 1, decay)
            self.frame = following
        return t - self.frame

    def _parts(self) -> Any:
        return self.kernels.parts(self.values, 0, 1)


@dataclass
class RowTraces:
    """Presynaptic traces of a synapse that has its delay to itself, aged as those of its row."""

    functions: PastTraces
    kinds: tuple[Trace | Age, ...]
    p: Any
    arrival: float = field(init=False)  # ms, of the last spike
    emitted: float = field(init=False)  # ms
    values: tuple[float, ...] = field(init=False)  # right after it

    def __post_init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """As before the first spike."""
        self.arrival, self.emitted, self.values = -math.inf, -math.inf, self.functions.empty()

    def at(self, t: float) -> tuple[float, ...]:
        """What the traces read."""
        aged = self.functions.aged(self.values, t - self.arrival, self.p)
        read: tuple[float, ...] = self.functions.seen(aged, self.p)
        return read

    def mark(self, t: float, emitted: float) -> None:
        """A spike, sent at ``emitted``."""
        aged = self.values
        if self.arrival > -math.inf:
            aged = self.functions.aged(aged, emitted - self.emitted, self.p)
        self.arrival, self.emitted, self.values = t, emitted, self.functions.marked(aged)


@dataclass
class Modulator:
    """The concentration that the synapses of a projection feel."""

    tau: float  # ms
    level: float = 0.0
    time: float = 0.0  # ms, of the last release

    def at(self, t: float) -> float:
        return self.level * math.exp(-(t - self.time) / self.tau)

    def release(self, amount: float, t: float) -> None:
        self.level, self.time = self.at(t) + amount, t


@dataclass
class Synapse:
    projection: int
    pre: Neuron
    post: Neuron
    values: tuple[float, ...]  # weight and variables
    delay: float  # ms
    port: int
    rule: PlasticityRule | None
    modulator: Modulator
    x: Traces | RowTraces | None = None  # presynaptic, of this synapse
    y: Traces | None = None  # postsynaptic, shared by a neuron's synapses of one projection

    @property
    def weight(self) -> float:
        return self.values[0]

    def learn(self, function: Any, t: float) -> None:
        """Apply ``on_pre`` or ``on_post``."""
        assert self.rule is not None
        assert self.x is not None
        assert self.y is not None
        x, y = self.x.at(t), self.y.at(t)
        f = on_synapse(type(self.rule), function)
        self.values = f(self.values, x, y, self.modulator.at(t), self.rule.parameters)

    def settled(self, t: float) -> tuple[float, ...]:
        """Weight and variables at time t, after drifting since the last event."""
        if self.rule is None or not self.rule.drifts():
            return self.values
        assert self.x is not None
        assert self.y is not None
        ages = [
            x
            for side in (self.x, self.y)
            for x, kind in zip(side.at(t), side.kinds, strict=True)
            if isinstance(kind, Age)
        ]
        begin = max(*(t - age for age in ages), self.modulator.time)
        if t <= begin:
            return self.values
        f = of_tuple(type(self.rule), self.rule.drift)
        level, tau = self.modulator.at(begin), self.modulator.tau
        drifted: tuple[float, ...] = f(self.values, level, tau, t - begin, self.rule.parameters)
        return drifted


@dataclass
class Neuron:
    population: str
    number: int  # global
    index: int
    model: NeuronModel | None  # None for a channel of a source
    state: Any  # one-element lists by variable
    touch: Any = None
    t_last: float = 0.0
    ref_until: float = -math.inf
    waits: bool = False  # its prediction is no crossing
    event: tuple[Any, ...] | None = None  # its prediction in the queue
    outgoing: list[list[Synapse]] = field(default_factory=list)  # by projection
    incoming: list[list[Synapse]] = field(default_factory=list)  # learning ones

    def advance(self, t: float) -> None:
        assert self.model is not None
        self.touch(self.state, 0, self.model.parameters, self.t_last, self.ref_until, t)
        self.t_last = max(t, self.t_last)

    def next_event(self) -> float:
        """When to look again: at the end of the refractory period, at the next crossing if nothing
        arrives, or as late as the model has looked ahead."""
        assert self.model is not None
        self.waits = self.ref_until > self.t_last
        if self.waits:
            return self.ref_until
        due = self.t_last + self.model.predictor()(self.state, 0, self.model.parameters)
        self.waits = due < self.t_last  # not before as long after, and then to be asked again
        return self.t_last + (self.t_last - due) if self.waits else due


def make_neurons(compiled: CompiledNetwork) -> list[Neuron]:
    """All neurons and channels of sources, by global number."""
    neurons: list[Neuron] = []
    n_proj = len(compiled.network.projections)
    arrays = compiled.arrays
    for k, pop in enumerate(compiled.network.populations.values()):
        for i in range(pop.size):
            model = None if isinstance(pop.model, SpikeSource) else pop.model
            neuron = Neuron(pop.name, len(neurons), i, model, None)
            if model is not None:
                block = compiled.groups.states[arrays.pops[k].group]
                column = block[:, arrays.pops[k].at + i]
                neuron.state = type(model).State(*([float(value)] for value in column))
                neuron.touch = make_touch(type(model))
            neuron.outgoing = [[] for _ in range(n_proj)]
            neurons.append(neuron)
    return neurons


def make_synapses(
    compiled: CompiledNetwork, neurons: list[Neuron]
) -> tuple[list[list[list[Synapse]]], list[Modulator]]:
    """Synapses by projection, presynaptic neuron and place in its row, linked to the neurons; and
    what modulates them, by projection."""
    rows: list[list[list[Synapse]]] = []
    modulators: list[Modulator] = []
    arrays = compiled.arrays
    for q, proj in enumerate(compiled.network.projections.values()):
        row = arrays.projs[q]
        senders = neurons[arrays.pops.lo[row.pre] : arrays.pops.hi[row.pre]]
        targets = neurons[arrays.pops.lo[row.post] : arrays.pops.hi[row.post]]
        learning = proj.rule is not None and proj.rule.learns()
        rule: Any = type(proj.rule)
        p = proj.rule.parameters if proj.rule is not None else None
        felt = arrays.pops[row.modulator]
        level = compiled.groups.states[felt.group][0, felt.at] if row.modulator >= 0 else 0.0
        modulators.append(Modulator(float(row.level_tau), float(level)))
        initial: tuple[float, ...] = ()
        if learning:
            pre, post = trace_kernels(rule, rule.pre_traces), trace_kernels(rule, rule.post_traces)
            past = past_traces(rule, rule.pre_traces)
            length, initial = float(row.frame), tuple(rule.variables.values())
            after = [Traces(post, rule.post_traces, p, length) for _ in targets]
        into: list[list[Synapse]] = [[] for _ in targets]
        rows.append([])
        for i, sender in enumerate(senders):
            made = []
            for j, w, delay in _row(compiled, q, i, len(targets)):
                values = (w, *initial)
                s = Synapse(
                    q, sender, targets[j], values, delay, proj.port, proj.rule, modulators[q]
                )
                if learning:
                    s.x = Traces(pre, rule.pre_traces, p, length)
                    if row.waits:
                        s.x = RowTraces(past, rule.pre_traces, p)
                    s.y = after[j]
                    into[j].append(s)
                made.append(s)
            sender.outgoing[q] = made
            rows[q].append(made)
        if learning:
            for target, synapses in zip(targets, into, strict=True):
                target.incoming.append(synapses)
    return rows, modulators


def _row(compiled: CompiledNetwork, q: int, i: int, n_post: int) -> list[tuple[int, float, float]]:
    """(target, weight, delay) of the synapses of presynaptic neuron ``i``."""
    arrays = compiled.arrays
    row = arrays.projs[q]
    if row.kind == SPARSE:
        lo, hi = arrays.row_ptr[row.row_at + i : row.row_at + i + 2]
        several, found = bool(np.isnan(row.delay)), []
        for s in range(lo, hi):
            w = arrays.weight[row.w_at + (0 if row.same else s)]
            delay = synapse_delay(arrays, q, s) if several else float(row.delay)
            found.append((int(arrays.syn_post[row.post_at + s]), float(w), delay))
        return found
    return [
        (
            j,
            float(arrays.weight[row.w_at + (0 if row.same else i * n_post + j)]),
            float(row.delay),
        )
        for j in range(n_post)
        if not (row.no_self and j == i)
    ]
