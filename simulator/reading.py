"""Reading a compiled network as its description names things: states, and weights both ways."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.arrays import Records
from simulator.compile import CompiledNetwork
from simulator.engine import Engine
from simulator.errors import SimulationError
from simulator.frames import move_frame
from simulator.model import NeuronModel
from simulator.network import Population, Projection
from simulator.population_kernels import make_touch
from simulator.private_input import arrivals_until

__all__ = ["check_finite", "check_variable", "get_weights", "put_weights", "read_state"]

Floats = npt.NDArray[np.float64]


def check_finite(where: str, values: Floats) -> None:
    """Refuse values that are no finite numbers, with :class:`SimulationError`."""
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        k = int(wrong[0])
        raise SimulationError(f"{where}[{k}] = {values.flat[k]}; finite numbers are needed")


def check_variable(pop: Population, variable: str) -> NeuronModel:
    """The population's model; :class:`SimulationError` if it has no such state variable."""
    if isinstance(pop.model, NeuronModel) and variable in pop.model.state:
        return pop.model
    known = tuple(pop.model.state) if isinstance(pop.model, NeuronModel) else ()
    raise SimulationError(
        f"population {pop.name!r} has no state variable {variable!r}; "
        f"it has {', '.join(known) or 'none (it is a spike source)'}"
    )


def read_state(engine: Engine, pop: Population, first: int = 0, end: int | None = None) -> Floats:
    """State of neurons ``first`` to ``end`` at the present time, shape (variables, neurons)."""
    assert isinstance(pop.model, NeuronModel)
    model, p = pop.model, pop.model.parameters
    arrays, st, now = engine.compiled.arrays, engine.state, engine.time
    k = engine.network.population_number(pop)
    row = arrays.pops[k]
    end = pop.size if end is None else end
    block = engine.compiled.groups.states[int(row.group)]
    values = block[:, int(row.at) + first : int(row.at) + end].copy()
    n = type(model).State(*values)
    neurons = st.neurons[int(row.lo) + first : int(row.lo) + end]
    if row.lazy:
        taus = model.time_constants(p)
        age = now - move_frame(values, taus, float(st.pops[k].frame), float(row.frame_length), now)
        for mode, tau in zip(values, taus, strict=True):
            mode *= math.exp(-age / tau)
        if row.input >= 0:
            for i in range(end - first):
                values[:, i] += _arrived(engine, row, model, first + i)
        for i in range(end - first):
            model.from_modes(n, i, p)
            if neurons[i].ref_until > now:
                model.clamp(n, i, p)
        return values
    touch = make_touch(type(model))
    for i in range(end - first):
        shared = row.together and not neurons[i].odd
        t_last = float(st.pops[k].clock if shared else neurons[i].t_last)
        touch(n, i, p, t_last, float(neurons[i].ref_until), now)
    return values


def _arrived(engine: Engine, row: Records, model: NeuronModel, i: int) -> Floats:
    """What the private input of neuron ``i`` of a population has brought to its modes and is not in
    them yet."""
    net, now, p = engine.compiled.arrays, engine.time, model.parameters
    one = net.inputs[row.input]
    times = arrivals_until(net, engine.state, int(row.input), int(one.at) + i, now)
    decays = np.exp(-(now - times)[:, None] / np.array(model.time_constants(p)))
    result: Floats = one.weight * np.array(model.kick(p, int(one.port))) * decays.sum(axis=0)
    return result


def get_weights(
    compiled: CompiledNetwork, proj: Projection, weight: Floats | None = None
) -> Floats:
    """Weights in the shape of the description: the stored ones, or a projection's part of another
    such array."""
    stored, order = _stored(compiled, proj, weight), compiled.orders[proj.name]
    values = np.zeros(_shape(compiled, proj))
    values.reshape(-1)[slice(None) if order is None else order] = stored
    if proj.connector.rows is None and _record(compiled, proj).no_self:
        np.fill_diagonal(values, 0.0)  # as where synapses are kept in rows
    return values


def put_weights(compiled: CompiledNetwork, proj: Projection, values: npt.ArrayLike) -> None:
    """Replace the weights of a projection, in the shape of :func:`get_weights`.

    Raises
    ------
    SimulationError
        For the wrong number of values, values that are not finite or too small for the target's
        model, or a projection that was described with one weight for all.
    """
    stored, order = _stored(compiled, proj), compiled.orders[proj.name]
    given = np.asarray(values, dtype=np.float64)
    expected = _shape(compiled, proj)
    if given.shape != expected:
        raise SimulationError(
            f"projection {proj.name!r}: weights of shape {given.shape}; {expected} is needed"
        )
    check_finite(f"projection {proj.name!r}: weight", given)
    assert isinstance(proj.post.model, NeuronModel)
    lowest = proj.post.model.lowest_weight(proj.port)
    wrong = np.flatnonzero(given < lowest)
    if wrong.size:
        k = int(wrong[0])
        raise SimulationError(
            f"projection {proj.name!r}: weight[{k}] = {given.flat[k]}; weights on this port of "
            f"{type(proj.post.model).__name__} must be >= {lowest:g}"
        )
    # A private input is drawn ahead, and allowed for, with the weight it was described with.
    private = compiled.network.projection_number(proj) in compiled.private
    if stored.size == 1 and (given.size != 1 or private):
        raise SimulationError(
            f"projection {proj.name!r} was described with one weight for all its synapses; "
            "describe it with an array to change them one by one"
        )
    stored[:] = given.ravel() if order is None else given.ravel()[order]


def _stored(compiled: CompiledNetwork, proj: Projection, weight: Floats | None = None) -> Floats:
    """The projection's part of the weight array."""
    arrays = compiled.arrays
    weight = arrays.weight if weight is None else weight
    q = compiled.network.projection_number(proj)
    last = q + 1 == arrays.projs.size
    return weight[arrays.projs[q].w_at : None if last else arrays.projs[q + 1].w_at]


def _shape(compiled: CompiledNetwork, proj: Projection) -> tuple[int, ...]:
    """Of the weights as they are described: (pre, post), or (n_synapses,) of drawn rows."""
    if proj.connector.rows is None:
        return proj.pre.size, proj.post.size
    row = _record(compiled, proj)
    return (int(compiled.arrays.row_ptr[row.row_at + proj.pre.size * row.stride]),)


def _record(compiled: CompiledNetwork, proj: Projection) -> Any:
    """The record of a projection among the arrays."""
    return compiled.arrays.projs[compiled.network.projection_number(proj)]
