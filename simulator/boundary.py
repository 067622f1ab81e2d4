"""What can be changed between two instants: states, traces, spikes in flight."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.arrays import FLYING, records
from simulator.engine import Engine
from simulator.engine_state import empty_traces
from simulator.errors import SimulationError
from simulator.frames import move_frame
from simulator.model import NeuronModel
from simulator.network import Population
from simulator.private_input import drop_arrivals, silence
from simulator.queues import predict
from simulator.reading import check_finite, read_state
from simulator.waiting import drop_what_is_in_flight, forget_arrived

__all__ = ["checked_state", "clear_in_flight", "clear_traces", "put_state", "raised_level"]

Floats = npt.NDArray[np.float64]


def checked_state(pop: Population, variable: str, values: npt.ArrayLike) -> Floats:
    """One finite number for each neuron, from as many or from one."""
    given = np.asarray(values, np.float64)
    if given.shape not in ((), (pop.size,)):
        raise SimulationError(
            f"population {pop.name!r}: {variable} of shape {given.shape}; one number, or "
            f"{pop.size}, are needed"
        )
    check_finite(f"population {pop.name!r}: {variable}", given)
    return np.broadcast_to(given, pop.size)


def raised_level(simulation: Any, pop: Population, amount: float) -> Floats:
    """The concentration of a modulator after a release; :class:`SimulationError` if it is none."""
    if not (isinstance(pop.model, NeuronModel) and pop.model.modulates):
        raise SimulationError(
            f"population {pop.name!r} is no modulator; a release needs the model Concentration"
        )
    if not math.isfinite(amount):
        raise SimulationError(f"release into {pop.name!r}: {amount}; a finite number is needed")
    raised: Floats = simulation.state(pop, "z") + amount
    return raised


def put_state(engine: Engine, pop: Population, variable: str, values: Floats) -> None:
    """Set a state variable of all neurons of a population at the present time."""
    assert isinstance(pop.model, NeuronModel)
    model, p = pop.model, pop.model.parameters
    now, st = engine.time, engine.state
    k = engine.network.population_number(pop)
    row = engine.compiled.arrays.pops[k]
    block = engine.compiled.groups.states[int(row.group)]
    state = read_state(engine, pop)
    state[list(model.state).index(variable)] = values
    n = type(model).State(*state)
    lo, at = int(row.lo), int(row.at)
    for j in np.flatnonzero(st.neurons.ref_until[lo : lo + pop.size] > now).tolist():
        model.clamp(n, j, p)
    if row.lazy:
        for i in range(pop.size):
            model.to_modes(n, i, p)
        taus, length = model.time_constants(p), float(row.frame_length)
        frame = move_frame(state[:, :0], taus, float(st.pops[k].frame), length, now)
        st.pops[k].frame = frame
        for mode, tau in zip(state, taus, strict=True):
            mode *= math.exp((now - frame) / tau)
        # All are to be examined, but those that are on the list already.
        awake = st.neurons.ref_until[lo : lo + pop.size] <= now
        new = lo + np.flatnonzero(awake & (st.left[lo : lo + pop.size] > -math.inf))
        first = int(st.engine[0].n_used)
        st.used_up[first : first + new.size] = new
        st.engine[0].n_used, st.engine[0].t_used = first + new.size, now
        st.left[new] = -math.inf
        if row.input >= 0:
            drop_arrivals(engine.compiled.arrays, st, int(row.input), pop.size, now)
    st.neurons.t_last[lo : lo + pop.size] = now
    block[:, at : at + pop.size] = state
    if row.together:
        st.pops[k].clock, st.pops[k].checked, st.pops[k].cross = now, -math.inf, math.inf
        st.pops[k].left = -1.0
    elif not row.lazy:
        for i in range(pop.size):
            neuron = st.neurons[lo + i]
            neuron.wakes = neuron.ref_until > now
            due = neuron.ref_until if neuron.wakes else now + model.crossing(n, i, p)
            st.engine[0].n_due = predict(st.neurons, int(st.engine[0].n_due), lo + i, due, math.inf)


def clear_traces(engine: Engine) -> None:
    """Forget all spikes that synapses remember; those in flight will be remembered."""
    st = engine.state
    st.x_value[:], st.y_value[:] = empty_traces(engine.compiled)
    st.projs.n_active, st.projs.last_post = -1, -math.inf
    forget_arrived(st, engine.time, _longest_delays(engine))


def clear_in_flight(engine: Engine) -> None:
    """Drop all spikes that have not arrived."""
    engine.drop_carried()
    st = engine.state
    drop_what_is_in_flight(st, engine.time, _longest_delays(engine))
    st.projs.ring_n, st.projs.ring_head = 0, 0
    engine.put_in_flight(records(0, FLYING))
    for row in engine.compiled.arrays.pops[engine.compiled.arrays.pops.input >= 0]:
        silence(engine.compiled.arrays, st, int(row.input), int(row.hi - row.lo), engine.time)


def _longest_delays(engine: Engine) -> Floats:
    """Of the rows whose synapses wait, by slot of ``past`` (ms)."""
    net = engine.compiled.arrays
    waiting = net.projs[net.projs.waits > 0]
    longest: Floats = np.repeat(waiting.longest, waiting.n_slots)
    return longest
