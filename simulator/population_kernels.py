"""Kernels on the neurons of one population, specialised to the models of a network.

``block`` is the pair (state block, parameter rows) of a model; ``row`` is the population's row;
``j`` counts neurons within the block.  All times are in ms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any, NamedTuple

from simulator.inner import register_jitable
from simulator.model import NeuronModel
from simulator.specialise import choose, jitable, record_from, slices_from

PIECES = 8  # a power of two

__all__ = ["PopulationKernels", "make_touch", "population_kernels"]


class PopulationKernels(NamedTuple):
    """Each takes (blocks, group, row, ...) and runs the functions of the group's model."""

    touch: Any  # (j, t_last, ref_until, t): bring one neuron to time t
    keep: Any  # (j, scratch): note the state of one neuron
    put_back: Any  # (j, scratch)
    advance_all: Any  # (at, n, dt, neurons, n_odd, lo, scratch): all but the odd ones over dt
    receive_row: Any  # (at, n, port, values, first): one value for each neuron
    receive_same: Any  # (at, n, port, value): one value for all
    receive_one: Any  # (j, port, value)
    may_cross: Any  # (at, n, dt, flags) -> how many neurons may cross; which, if any
    suspect: Any  # (at, n, dt, scratch, flags): which may, looked at piece by piece
    beyond: Any  # (at, n, level, wanted) -> how many are allowed less than that
    crossing: Any  # (j, dt) -> time to the crossing; infinity if surely not within dt; -x: ask in x
    fire: Any  # (j) -> refractory period


def make_touch(model: type[NeuronModel]) -> Callable[..., None]:
    """``touch(n, j, p, t_last, ref_until, t)``: hold while refractory, then advance.

    The interval is cut at the end of refractoriness and nowhere else, in every engine, so that
    they all round alike.
    """
    factors, advance, hold = jitable(model.factors, model.advance, model.hold)

    @register_jitable
    def touch(n, j, p, t_last, ref_until, t):
        if ref_until > t_last:
            stop = min(ref_until, t)
            if stop > t_last:
                hold(n, j, p, factors(p, stop - t_last))
                t_last = stop
        if t > t_last and t_last >= ref_until:
            advance(n, j, p, factors(p, t - t_last))

    return touch


def population_kernels(models: Sequence[type[NeuronModel]]) -> PopulationKernels:
    """The kernels of a network with these models."""
    made = [_of_model(model) for model in models]

    def nothing(*args):
        return None

    def zero(*args):
        return 0

    def never(*args):
        return inf

    defaults = PopulationKernels(
        nothing,
        nothing,
        nothing,
        nothing,
        nothing,
        nothing,
        nothing,
        zero,
        nothing,
        zero,
        never,
        lambda *args: 0.0,
    )
    return PopulationKernels(
        *(choose([kernels[k] for kernels in made], default) for k, default in enumerate(defaults))
    )


def _of_model(model: type[NeuronModel]) -> PopulationKernels:
    view, part = record_from(model.State), slices_from(model.State)
    load = record_from(model.Parameters)
    touch_neuron = make_touch(model)
    factors, advance, receive_weight, may, any_may, reset = jitable(
        model.factors,
        model.advance,
        model.receive,
        model.may_cross,
        model.any_may_cross,
        model.fire,
    )
    # A search is the largest of a model's functions, is called from six places, and takes far
    # longer than a call.
    (cross,) = jitable(model.predictor(), apart=True)

    if model.advance_all is not NeuronModel.advance_all:
        (advance_states,) = jitable(model.advance_all)
    else:

        @register_jitable
        def advance_states(state, n, p, f):
            for j in range(n):
                advance(state, j, p, f)

    def touch(block, row, j, t_last, ref_until, t):
        touch_neuron(view(block[0]), j, load(block[1][row]), t_last, ref_until, t)

    def keep(block, row, j, scratch):
        for v in range(block[0].shape[0]):
            scratch[v, 0] = block[0][v, j]

    def put_back(block, row, j, scratch):
        for v in range(block[0].shape[0]):
            block[0][v, j] = scratch[v, 0]

    def advance_all(block, row, at, n, dt, neurons, n_odd, lo, scratch):
        # The shared factors are applied to everybody, without a branch; the few with a clock
        # of their own get their state back afterwards.
        states = block[0]
        state, p = part(states, at, at + n), load(block[1][row])
        for k in range(n_odd):
            j = at + neurons[lo + k].odd_id - lo
            for v in range(states.shape[0]):
                scratch[v, k] = states[v, j]
        advance_states(state, n, p, factors(p, dt))
        for k in range(n_odd):
            j = at + neurons[lo + k].odd_id - lo
            for v in range(states.shape[0]):
                states[v, j] = scratch[v, k]

    def receive_row(block, row, at, n, port, values, first):
        state, p = part(block[0], at, at + n), load(block[1][row])
        weights = values[first : first + n]
        for j in range(n):
            receive_weight(state, j, p, port, weights[j])

    def receive_same(block, row, at, n, port, value):
        state, p = part(block[0], at, at + n), load(block[1][row])
        for j in range(n):
            receive_weight(state, j, p, port, value)

    def receive_one(block, row, j, port, value):
        receive_weight(view(block[0]), j, load(block[1][row]), port, value)

    def may_cross(block, row, at, n, dt, flags):
        state, p = part(block[0], at, at + n), load(block[1][row])
        count = 0
        if any_may(state, n, p, dt):
            for j in range(n):
                flags[j] = may(state, j, p, dt)
                count += flags[j]
        return count

    if model.linear:

        def suspect(block, row, at, n, dt, scratch, flags):
            # A copy of the population is taken through pieces of the interval: the shorter they
            # are, the tighter is the bound.  All share the factors of one.
            states = block[0]
            for v in range(states.shape[0]):
                for j in range(n):
                    scratch[v, j] = states[v, at + j]
            state, p = part(scratch, 0, n), load(block[1][row])
            length = dt / PIECES
            f = factors(p, length)
            for j in range(n):
                flags[j] = may(state, j, p, length)
            for _ in range(1, PIECES):
                advance_states(state, n, p, f)
                for j in range(n):
                    flags[j] |= may(state, j, p, length)

    else:  # to advance it costs as much as to search it, or has an error of its own

        def suspect(block, row, at, n, dt, scratch, flags):
            flags[:n] = 1

    if model.linear:
        (allowance,) = jitable(model.allowance)
    else:

        @register_jitable
        def allowance(n, j, p, h):
            return -1.0

    def beyond(block, row, at, n, level, wanted):
        state, p, h = part(block[0], at, at + n), load(block[1][row]), block[2][row, level]
        count = 0
        for j in range(n):
            count += not allowance(state, j, p, h) >= wanted
        return count

    def crossing(block, row, j, dt):
        state, p = view(block[0]), load(block[1][row])
        if may(state, j, p, dt):
            return cross(state, j, p)
        return inf

    def fire(block, row, j):
        return reset(view(block[0]), j, load(block[1][row]))

    return PopulationKernels(
        touch,
        keep,
        put_back,
        advance_all,
        receive_row,
        receive_same,
        receive_one,
        may_cross,
        suspect,
        beyond,
        crossing,
        fire,
    )
