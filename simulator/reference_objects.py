"""The neurons and synapses of the readable engine, as objects, and how they are made."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulator.arrays import SPARSE
from simulator.compile import CompiledNetwork
from simulator.model import NeuronModel, PlasticityRule
from simulator.population_kernels import make_touch
from simulator.queues import synapse_delay
from simulator.sources import SpikeSource
from simulator.traces import TraceKernels, trace_kernels

__all__ = ["Neuron", "Synapse", "Traces", "make_neurons", "make_synapses"]


@dataclass
class Traces:
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
class Synapse:
    projection: int
    pre: Neuron
    post: Neuron
    weight: float
    delay: float  # ms
    port: int
    rule: PlasticityRule | None
    x: Traces | None  # presynaptic, of this synapse
    y: Traces | None  # postsynaptic, shared by a neuron's synapses of one projection


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


def make_synapses(compiled: CompiledNetwork, neurons: list[Neuron]) -> list[list[list[Synapse]]]:
    """Synapses by projection, presynaptic neuron and place in its row; linked to the neurons."""
    rows: list[list[list[Synapse]]] = []
    arrays = compiled.arrays
    for q, proj in enumerate(compiled.network.projections.values()):
        row = arrays.projs[q]
        senders = neurons[arrays.pops.lo[row.pre] : arrays.pops.hi[row.pre]]
        targets = neurons[arrays.pops.lo[row.post] : arrays.pops.hi[row.post]]
        learning = proj.rule is not None and proj.rule.learns()
        rule: Any = type(proj.rule)
        p = proj.rule.parameters if proj.rule is not None else None
        if learning:
            pre_kernels = trace_kernels(rule, rule.pre_traces)
            post_kernels = trace_kernels(rule, rule.post_traces)
            n_x, n_y = len(rule.pre_traces), len(rule.post_traces)
            after = [Traces(post_kernels, p, [0.0] * n_y) for _ in targets]
        into: list[list[Synapse]] = [[] for _ in targets]
        rows.append([])
        for i, sender in enumerate(senders):
            made = []
            for j, w, delay in _row(compiled, q, i, len(targets)):
                s = Synapse(q, sender, targets[j], w, delay, proj.port, proj.rule, None, None)
                if learning:
                    s.x, s.y = Traces(pre_kernels, p, [0.0] * n_x), after[j]
                    into[j].append(s)
                made.append(s)
            sender.outgoing[q] = made
            rows[q].append(made)
        if learning:
            for target, synapses in zip(targets, into, strict=True):
                target.incoming.append(synapses)
    return rows


def _row(compiled: CompiledNetwork, q: int, i: int, n_post: int) -> list[tuple[int, float, float]]:
    """(target, weight, delay) of the synapses of presynaptic neuron ``i``."""
    arrays = compiled.arrays
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
