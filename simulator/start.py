"""The engine's state at time 0, as far as the models have a say in it."""

from __future__ import annotations

import math

from simulator.arrays import EngineState
from simulator.compile import CompiledNetwork
from simulator.model import NeuronModel

__all__ = ["predict_all", "to_modes"]


def to_modes(compiled: CompiledNetwork) -> None:
    """Turn the initial state of lazy populations into amplitudes of their modes."""
    pops = compiled.network.populations.values()
    for row, pop in zip(compiled.arrays.pops, pops, strict=True):
        if row.lazy and isinstance(pop.model, NeuronModel):
            block = compiled.groups.states[row.group][:, row.at : row.at + pop.size]
            n = pop.model.State(*block)
            for j in range(pop.size):
                pop.model.to_modes(n, j, pop.model.parameters)


def predict_all(compiled: CompiledNetwork, st: EngineState) -> None:
    """First predictions of neurons that have a clock of their own (bias, initial state)."""
    heap = []
    pops = compiled.network.populations.values()
    for row, pop in zip(compiled.arrays.pops, pops, strict=True):
        if not isinstance(pop.model, NeuronModel) or row.together or row.lazy:
            continue
        n = type(pop.model).State(*compiled.groups.states[int(row.group)])
        for i in range(pop.size):
            g = int(row.lo) + i
            due = pop.model.predictor()(n, int(row.at) + i, pop.model.parameters)
            st.neurons[g].wakes = due < 0.0
            st.neurons[g].due = abs(due)
            if due < math.inf:
                heap.append((abs(due), due >= 0.0, g))
    for place, (_, _, g) in enumerate(sorted(heap)):  # a sorted list is a heap
        st.neurons[place].tree, st.neurons[g].place = g, place
    st.engine[0].n_due = len(heap)
