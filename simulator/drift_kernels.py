"""Kernels of modulated synapses: what happens to them between their events, and at a release.

Nothing is done as time goes on.  A synapse is brought up to date (*settled*) when a spike reaches
it from either side, and with all others of its projection when the modulator is released; in
between its concentration decays exponentially, so that one closed-form step is exact.  When it was
settled last follows from the ages of its last spikes and the time of the last release.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import exp
from typing import Any, NamedTuple

from simulator.arrays import SPARSE
from simulator.inner import register_jitable
from simulator.model import Age, PlasticityRule
from simulator.specialise import jitable
from simulator.traces import TraceKernels

__all__ = ["DriftKernels", "drift_kernels", "of_tuple"]


class DriftKernels(NamedTuple):
    """Functions on modulated synapses; q is the projection, t the present time (ms)."""

    level: Any  # (net, st, q, t) -> concentration
    settle: Any  # (p, net, st, q, s, x, y, synapses, t): synapse s, given what its traces read
    settle_row: Any  # (p, net, st, q, i, lo, hi, t): a row, or the synapses lo to hi of it
    on_all: Any  # (p, net, q, amount): all synapses feel a jump of the concentration
    let_go: Any  # (p, net, st, q, amount, t): the jump


def _of_tuple(rule: type[PlasticityRule], function: Callable[..., Any]) -> Callable[..., Any]:
    """``drift`` or ``on_modulator`` on a tuple, also where the rule keeps no variables."""
    (f,) = jitable(function)
    if rule.variables:
        return f

    @register_jitable
    def of_weight(s, *args):
        return (f(s[0], *args),)

    return of_weight


of_tuple: Callable[..., Any] = cache(_of_tuple)  # each is made known to numba once


def _age_of(traces: tuple[Any, ...]) -> int:
    return next(k for k, trace in enumerate(traces) if isinstance(trace, Age))


def drift_kernels(
    rule: type[PlasticityRule], synapses: tuple[Any, Any, Any], x: TraceKernels, y: TraceKernels
) -> DriftKernels:
    """Specialise to a rule, given the functions on its synapses and on their traces."""
    if not rule.modulated:
        return _stand_ins()

    @register_jitable
    def level(net, st, q, t):
        return st.projs[q].level * exp(-(t - st.projs[q].level_t) / net.projs[q].level_tau)

    if not rule.drifts():
        return DriftKernels(level, _nothing(), _nothing(), _nothing(), _release(level))

    parts, read, write = synapses
    x_decay, _, x_parts, x_read, *_ = x
    y_decay, _, y_parts, y_read, *_ = y
    drift, on_modulator = of_tuple(rule, rule.drift), of_tuple(rule, rule.on_modulator)
    x_age, y_age = _age_of(rule.pre_traces), _age_of(rule.post_traces)

    @register_jitable
    def settle(p, net, st, q, s, x, y, synapses, t):
        begin = max(max(t - x[x_age], t - y[y_age]), st.projs[q].level_t)
        if t > begin:
            z, tau = level(net, st, q, begin), net.projs[q].level_tau
            write(synapses, s, drift(read(synapses, s), z, tau, t - begin, p))

    @register_jitable
    def settle_row(p, net, st, q, i, lo, hi, t):
        k = net.projs[q].post
        n_post, dt = net.pops[k].hi - net.pops[k].lo, t - st.projs[q].frame
        x_of = x_parts(st.x_value, net.projs[q].trace_x_at, net.projs[q].n_slots)
        y_of = y_parts(st.y_value, net.projs[q].trace_y_at, n_post)
        fx, fy = x_decay(p, dt, t), y_decay(p, dt, t)
        synapses = parts(net, q, 0, net.projs[q].n_synapses)
        x, sparse = x_read(x_of, i, fx, p), net.projs[q].kind == SPARSE
        post = net.syn_post[net.projs[q].post_at :]
        for s in range(lo if sparse else i * n_post, hi if sparse else (i + 1) * n_post):
            j = post[s] if sparse else s - i * n_post
            settle(p, net, st, q, s, x, y_read(y_of, j, fy, p), synapses, t)

    @register_jitable
    def on_all(p, net, q, amount):
        synapses = parts(net, q, 0, net.projs[q].n_synapses)
        for s in range(net.projs[q].n_synapses):
            write(synapses, s, on_modulator(read(synapses, s), amount, p))

    return DriftKernels(level, settle, settle_row, on_all, _release(level))


def _release(level: Any) -> Any:
    @register_jitable
    def release(p, net, st, q, amount, t):
        st.projs[q].level = level(net, st, q, t) + amount
        st.projs[q].level_t = t

    return release


def _nothing() -> Any:
    @register_jitable
    def nothing(*args):
        return None

    return nothing


def _stand_ins() -> DriftKernels:
    @register_jitable
    def level(net, st, q, t):
        return 0.0

    return DriftKernels(level, _nothing(), _nothing(), _nothing(), _nothing())
