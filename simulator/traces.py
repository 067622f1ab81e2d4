"""Synaptic traces: what the synapses of a projection remember of the spikes of one side.

The traces of a projection are kept in one frame, as amplitudes that hold for an earlier time: to
read them at the present, all are multiplied by the same factor, so that a row of synapses takes one
exponential and not one each.  The frame moves on by one length at a time (:mod:`simulator.frames`),
whoever moves it: that makes every engine round alike.  Trace k of n slots lies at ``at + k * n``.

Of a row whose synapses differ in delay (:mod:`simulator.waiting`) the traces are kept as they are
right after each spike, and aged from there by the time since its arrival.  Where a network is
spread over cores, rows of one delay are kept so too, as amplitudes in the frame of each arrival:
they round like those of the network that is not spread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from math import exp
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.errors import ModelError
from simulator.frames import FRAME, frame_at, next_frame
from simulator.inner import register_jitable
from simulator.model import Age, Parametrised, PlasticityRule, Trace

__all__ = [
    "PastTraces",
    "TraceKernels",
    "check_traces",
    "empty_values",
    "frame_length",
    "past_traces",
    "trace_kernels",
]


class TraceKernels(NamedTuple):
    """Functions on the traces of one side of a rule; times in ms."""

    decay: Any  # (p, dt, t) -> factor of each trace, ``dt`` after its frame and at time t
    grow: Any  # (p, dt, t) -> what a spike adds to each
    parts: Any  # (values, at, n) -> a vector each
    read: Any  # (parts, j, decay, p) -> tuple of values of slot j
    mark: Any  # (parts, j, grow): a spike
    scale: Any  # (parts, n, decay): into another frame
    some: Any  # (tuple) -> whether any trace is not 0


def check_traces(rule: type[Parametrised], traces: Sequence[Trace | Age]) -> None:
    """Refuse traces that name parameters which the rule does not have."""
    fields = rule.Parameters._fields
    for trace in traces:
        for name in () if isinstance(trace, Age) else (trace.tau, trace.floor):
            if name is not None and name not in fields:
                raise ModelError(
                    f"{rule.__name__}: a trace names the parameter {name!r}; "
                    f"the rule has {', '.join(fields)}"
                )


def frame_length(rule: type[PlasticityRule], p: Any) -> float:
    """How long (ms) the traces of a rule stay in a frame; for ever if it has none that decays."""
    taus = [
        getattr(p, trace.tau)
        for trace in (*rule.pre_traces, *rule.post_traces)
        if isinstance(trace, Trace)
    ]
    return FRAME * min(taus, default=math.inf)


def empty_values(traces: Sequence[Trace | Age], n: int) -> npt.NDArray[np.float64]:
    """What ``n`` slots hold before the first spike."""
    empty = [-math.inf if isinstance(trace, Age) else 0.0 for trace in traces]
    return np.repeat(np.array(empty, np.float64), n)


def trace_kernels(rule: type[Parametrised], traces: Sequence[Trace | Age]) -> TraceKernels:
    """Compile-time composition of the kernels of each trace."""
    check_traces(rule, traces)
    made: TraceKernels = _composed(rule, traces, _none(), _with_age, _with_trace)
    return made


def _composed(
    rule: type[Parametrised],
    traces: Sequence[Trace | Age],
    made: Any,
    with_age: Callable[..., Any],
    with_trace: Callable[..., Any],
) -> Any:
    """The functions of all traces, from those of none."""
    fields = rule.Parameters._fields
    for k in reversed(range(len(traces))):
        trace = traces[k]
        if isinstance(trace, Age):
            made = with_age(k, made)
        else:
            floor = -1 if trace.floor is None else fields.index(trace.floor)
            made = with_trace(k, fields.index(trace.tau), floor, trace.nearest, made)
    return made


def _none() -> TraceKernels:
    @register_jitable
    def numbers(p, dt, t):
        return ()

    @register_jitable
    def parts(values, at, n):
        return ()

    @register_jitable
    def read(parts, j, f, p):
        return ()

    @register_jitable
    def nothing(parts, j, f):
        return None

    @register_jitable
    def some(numbers):
        return False

    return TraceKernels(numbers, numbers, parts, read, nothing, nothing, some)


def _parts(k: int, rest: Any) -> Any:
    @register_jitable
    def parts(values, at, n):
        return (values[at + k * n : at + (k + 1) * n], *rest(values, at, n))

    return parts


def _with_trace(k: int, tau: int, floor: int, nearest: bool, rest: TraceKernels) -> TraceKernels:
    decay_rest, grow_rest, parts_rest, read_rest, mark_rest, scale_rest, some_rest = rest

    @register_jitable
    def decay(p, dt, t):
        return (exp(-dt / p[tau]), *decay_rest(p, dt, t))

    @register_jitable
    def grow(p, dt, t):
        return (exp(dt / p[tau]), *grow_rest(p, dt, t))

    @register_jitable
    def read(parts, j, f, p):
        x = parts[k][j] * f[k]
        if floor >= 0 and x <= p[floor]:
            x = 0.0
        return (x, *read_rest(parts, j, f, p))

    @register_jitable
    def mark(parts, j, f):
        if nearest:
            parts[k][j] = f[k]
        else:
            parts[k][j] += f[k]
        mark_rest(parts, j, f)

    @register_jitable
    def scale(parts, n, f):
        for j in range(n):
            parts[k][j] *= f[k]
        scale_rest(parts, n, f)

    @register_jitable
    def some(numbers):
        return numbers[k] != 0.0 or some_rest(numbers)

    return TraceKernels(decay, grow, _parts(k, parts_rest), read, mark, scale, some)


def _with_age(k: int, rest: TraceKernels) -> TraceKernels:
    """The value is the time of the last spike: no frame concerns it."""
    decay_rest, grow_rest, parts_rest, read_rest, mark_rest, scale_rest, some_rest = rest

    @register_jitable
    def decay(p, dt, t):
        return (t, *decay_rest(p, dt, t))

    @register_jitable
    def grow(p, dt, t):
        return (t, *grow_rest(p, dt, t))

    @register_jitable
    def read(parts, j, f, p):
        return (f[k] - parts[k][j], *read_rest(parts, j, f, p))

    @register_jitable
    def mark(parts, j, f):
        parts[k][j] = f[k]
        mark_rest(parts, j, f)

    return TraceKernels(decay, grow, _parts(k, parts_rest), read, mark, scale_rest, some_rest)


class PastTraces(NamedTuple):
    """Functions on the presynaptic traces of a rule as tuples, as they are right after a spike."""

    empty: Any  # () -> before the first spike
    aged: Any  # (x, dt, p) -> ``dt`` (ms) later, without another spike
    marked: Any  # (x) -> after a spike
    merged: Any  # (x, x) -> what two sets of spikes leave together
    seen: Any  # (x, p) -> what a rule gets to read
    moved: Any  # (x, p, begin, t, length) -> amplitudes, of the frame of begin, in that of t
    lit: Any  # (x, p, dt) -> amplitudes after a spike ``dt`` (ms) after their frame
    faded: Any  # (x, p, dt) -> what amplitudes are ``dt`` (ms) after their frame
    load: Any  # (values, m) -> column m of values, shape (traces, n)
    store: Any  # (values, m, x)


def past_traces(rule: type[Parametrised], traces: Sequence[Trace | Age]) -> PastTraces:
    """Compile-time composition of the functions of each trace."""
    made: PastTraces = _composed(rule, traces, _no_past(), _past_age, _past_trace)
    return made


def _no_past() -> PastTraces:
    @register_jitable
    def empty():
        return ()

    @register_jitable
    def aged(x, dt, p):
        return ()

    @register_jitable
    def same(x, *more):
        return ()

    @register_jitable
    def store(values, m, x):
        return None

    return PastTraces(empty, aged, same, same, same, same, same, same, same, store)


def _columns(k: int, rest: PastTraces) -> tuple[Any, Any]:
    load_rest, store_rest = rest.load, rest.store

    @register_jitable
    def load(values, m):
        return (values[k, m], *load_rest(values, m))

    @register_jitable
    def store(values, m, x):
        values[k, m] = x[k]
        store_rest(values, m, x)

    return load, store


def _past_trace(k: int, tau: int, floor: int, nearest: bool, rest: PastTraces) -> PastTraces:
    empty_rest, aged_rest, marked_rest, merged_rest, seen_rest = rest[:5]
    moved_rest, lit_rest, faded_rest = rest[5:8]

    @register_jitable
    def empty():
        return (0.0, *empty_rest())

    @register_jitable
    def aged(x, dt, p):
        return (x[k] * exp(-dt / p[tau]), *aged_rest(x, dt, p))

    @register_jitable
    def marked(x):
        return (1.0 if nearest else x[k] + 1.0, *marked_rest(x))

    @register_jitable
    def merged(a, b):
        return (max(a[k], b[k]) if nearest else a[k] + b[k], *merged_rest(a, b))

    @register_jitable
    def seen(x, p):
        value = x[k]
        if floor >= 0 and value <= p[floor]:
            value = 0.0
        return (value, *seen_rest(x, p))

    @register_jitable
    def moved(x, p, begin, t, length):
        value, frame = x[k], frame_at(begin, length)
        while t - frame >= length:
            following = next_frame(frame, length)
            value *= exp(-(following - frame) / p[tau])
            frame = following
        return (value, *moved_rest(x, p, begin, t, length))

    @register_jitable
    def lit(x, p, dt):
        light = exp(dt / p[tau])
        return (light if nearest else x[k] + light, *lit_rest(x, p, dt))

    @register_jitable
    def faded(x, p, dt):
        return (x[k] * exp(-dt / p[tau]), *faded_rest(x, p, dt))

    functions = empty, aged, marked, merged, seen, moved, lit, faded
    return PastTraces(*functions, *_columns(k, rest))


def _past_age(k: int, rest: PastTraces) -> PastTraces:
    empty_rest, aged_rest, marked_rest, merged_rest, seen_rest = rest[:5]
    moved_rest, lit_rest, faded_rest = rest[5:8]

    @register_jitable
    def empty():
        return (math.inf, *empty_rest())

    @register_jitable
    def aged(x, dt, p):
        return (x[k] + dt, *aged_rest(x, dt, p))

    @register_jitable
    def marked(x):
        return (0.0, *marked_rest(x))

    @register_jitable
    def merged(a, b):
        return (min(a[k], b[k]), *merged_rest(a, b))

    @register_jitable
    def seen(x, p):
        return (x[k], *seen_rest(x, p))

    @register_jitable
    def moved(x, p, begin, t, length):
        return (x[k] + (t - begin), *moved_rest(x, p, begin, t, length))

    @register_jitable
    def lit(x, p, dt):
        return (0.0, *lit_rest(x, p, dt))

    @register_jitable
    def faded(x, p, dt):
        return (x[k], *faded_rest(x, p, dt))

    functions = empty, aged, marked, merged, seen, moved, lit, faded
    return PastTraces(*functions, *_columns(k, rest))
