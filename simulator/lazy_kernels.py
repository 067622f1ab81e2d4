"""Kernels for neurons that are left alone until they might fire.

The state of a linear neuron is a sum of modes that decay exponentially, each with its own time
constant.  Kept as amplitudes in the frame of an earlier time ``frame``, it needs no update as time
goes on: a delivery adds to the amplitudes, with factors that all targets of a spike share.  What
remains is to know when a neuron may fire.  Each neuron has an *allowance*: the sum of positive
weights that may still arrive before a deadline without any chance of a spike.  Only when it is used
up, or the deadline comes, is the neuron *examined*: its potential worked out, and either a new
allowance granted or the crossing predicted.

``block`` is (amplitudes, parameter rows, horizon table) of a model; times are in ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf
from typing import Any, NamedTuple

import numpy as np

from simulator.model import NeuronModel
from simulator.specialise import choose, jitable, record_from

__all__ = ["CROSSES", "HORIZONS", "LazyKernels", "lazy_kernels"]

HORIZONS = (8, 4, 2, 1)  # deadlines in buckets, tried in this order after "never"
NEVER = len(HORIZONS)  # the allowance holds for ever
CROSSES = -1  # the neuron crosses, or may do so with the next arrival
_TAKEN = -1e300  # an allowance below this marks a neuron that is on the list already


class LazyKernels(NamedTuple):
    """Each takes (blocks, group, row, ...); ``at`` is the population's first neuron."""

    decays: Any  # (dt, out): decay of each mode over dt
    decay_all: Any  # (at, n, dt): decay the amplitudes of a population
    add_row: Any  # (at, port, dt, targets, t_at, n, w, w_at, same, left, lo, touched, count)
    add_all: Any  # (at, port, dt, first, n, w, w_at, same, left, lo, touched, count)
    examine: Any  # (j, decay, natural) -> (what, value)
    fire: Any  # (j, decay, natural) -> refractory period
    release: Any  # (j, decay, natural)


def lazy_kernels(models: Sequence[type[NeuronModel]]) -> LazyKernels:
    """The kernels of a network with these models."""
    made = [_of_model(m) if m.linear else _stand_ins() for m in models]
    defaults = _stand_ins()
    return LazyKernels(
        *(choose([kernels[k] for kernels in made], d) for k, d in enumerate(defaults))
    )


def _stand_ins() -> LazyKernels:
    """For models that are never treated this way."""

    def nothing(*args):
        return None

    def count(*args):
        return 0

    def outcome(*args):
        return 0, 0.0

    def number(*args):
        return 0.0

    return LazyKernels(nothing, nothing, count, count, outcome, number, nothing)


def _of_model(model: type[NeuronModel]) -> LazyKernels:
    view, load = record_from(model.State), record_from(model.Parameters)
    time_constants, kick, to_modes, from_modes, clamp, allowance, cross, reset = jitable(
        model.time_constants,
        model.kick,
        model.to_modes,
        model.from_modes,
        model.clamp,
        model.allowance,
        model.crossing,
        model.fire,
    )
    n_horizons = len(HORIZONS)

    def decays(block, row, dt, out):
        tau = time_constants(load(block[1][row]))
        for k in range(len(tau)):
            out[k] = exp(-dt / tau[k])

    def decay_all(block, row, at, n, dt):
        tau = time_constants(load(block[1][row]))
        for k in range(len(tau)):
            left = exp(-dt / tau[k])
            mode = block[0][k][at : at + n]
            for j in range(n):
                mode[j] *= left

    def add_row(
        block, row, at, port, dt, targets, t_at, n, w, w_at, same, left, lo, touched, count,
    ):  # fmt: skip
        p = load(block[1][row])
        tau, amount = time_constants(p), kick(p, port)
        post = targets[t_at : t_at + n]
        for k in range(len(tau)):
            c = amount[k] * exp(dt / tau[k])
            if c != 0.0:
                mode = block[0][k][at:]
                if same:
                    c *= w[w_at]
                    for s in range(n):
                        mode[np.uint32(post[s])] += c
                else:
                    weights = w[w_at : w_at + n]
                    for s in range(n):
                        mode[np.uint32(post[s])] += weights[s] * c
        mine = left[lo:]
        for s in range(n):
            j = np.uint32(post[s])
            used = mine[j] - max(w[w_at if same else w_at + s], 0.0)
            mine[j] = used
            if used < 0.0 and used > _TAKEN:
                mine[j] = -inf
                touched[count] = lo + j
                count += 1
        return count

    def add_all(block, row, at, port, dt, first, n, w, w_at, same, left, lo, touched, count):
        p = load(block[1][row])
        tau, amount = time_constants(p), kick(p, port)
        for k in range(len(tau)):
            c = amount[k] * exp(dt / tau[k])
            if c != 0.0:
                mode = block[0][k][at + first : at + first + n]
                if same:
                    c *= w[w_at]
                    for j in range(n):
                        mode[j] += c
                else:
                    weights = w[w_at : w_at + n]
                    for j in range(n):
                        mode[j] += weights[j] * c
        mine = left[lo + first : lo + first + n]
        for j in range(n):
            used = mine[j] - max(w[w_at if same else w_at + j], 0.0)
            mine[j] = used
            if used < 0.0 and used > _TAKEN:
                mine[j] = -inf
                touched[count] = lo + first + j
                count += 1
        return count

    def read(block, p, j, decay, natural):
        for k in range(block[0].shape[0]):
            natural[k, 0] = block[0][k, j] * decay[k]
        from_modes(view(natural), 0, p)

    def write(block, p, j, decay, natural):
        to_modes(view(natural), 0, p)
        for k in range(block[0].shape[0]):
            block[0][k, j] = natural[k, 0] / decay[k]

    read, write = jitable(read, write)

    def examine(block, row, j, decay, natural):
        p = load(block[1][row])
        read(block, p, j, decay, natural)
        n = view(natural)
        horizons = block[2][row]
        for_ever = allowance(n, 0, p, horizons[n_horizons])
        for h in range(n_horizons):
            until = allowance(n, 0, p, horizons[h])
            if until > 0.0:
                if for_ever > 0.5 * until:
                    return NEVER, for_ever
                return h, until
        if for_ever > 0.0:
            return NEVER, for_ever
        return CROSSES, cross(n, 0, p)

    def fire(block, row, j, decay, natural):
        p = load(block[1][row])
        read(block, p, j, decay, natural)
        rest = reset(view(natural), 0, p)
        write(block, p, j, decay, natural)
        return rest

    def release(block, row, j, decay, natural):
        p = load(block[1][row])
        read(block, p, j, decay, natural)
        clamp(view(natural), 0, p)
        write(block, p, j, decay, natural)

    return LazyKernels(decays, decay_all, add_row, add_all, examine, fire, release)
