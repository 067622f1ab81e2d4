"""Synaptic traces: values with the time for which they hold, decayed at the moment of use.

The K traces of one side of a rule live in a flat array, trace k of slot s at
``at + k * stride + s``, and share one time per slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, log
from typing import Any, NamedTuple

from simulator.errors import ModelError
from simulator.inner import register_jitable
from simulator.model import Parametrised, Trace

__all__ = ["TraceKernels", "check_traces", "trace_kernels"]


class TraceKernels(NamedTuple):
    """Functions on the traces of one side of a rule."""

    read: Any  # (value, at, stride, slot, age, p) -> tuple of K values after ``age`` ms
    mark: Any  # (value, at, stride, slot, age, p): a spike, ``age`` ms after the last one
    window: Any  # (p) -> age (ms) from which on every trace reads 0; infinite without floors
    keep: Any  # (values, at, stride, slot, numbers): store a tuple
    recall: Any  # (values, at, stride, slot) -> the tuple
    some: Any  # (tuple) -> whether any trace is not 0


def check_traces(rule: type[Parametrised], traces: Sequence[Trace]) -> None:
    """Refuse traces that name parameters which the rule does not have."""
    fields = rule.Parameters._fields
    for trace in traces:
        for name in (trace.tau, trace.floor):
            if name is not None and name not in fields:
                raise ModelError(
                    f"{rule.__name__}: a trace names the parameter {name!r}; "
                    f"the rule has {', '.join(fields)}"
                )


def trace_kernels(rule: type[Parametrised], traces: Sequence[Trace]) -> TraceKernels:
    """Compile-time composition of the kernels of each trace."""
    check_traces(rule, traces)
    fields = rule.Parameters._fields
    read, mark, window, keep, recall, some = _none()
    for k in reversed(range(len(traces))):
        trace = traces[k]
        tau = fields.index(trace.tau)
        floor = -1 if trace.floor is None else fields.index(trace.floor)
        read = _read(k, tau, floor, trace.nearest, read)
        mark = _mark(k, tau, trace.nearest, mark)
        window = _window(tau, floor, trace.nearest, window)
        keep = _keep(k, keep)
        recall = _recall(k, recall)
        some = _some(k, some)
    return TraceKernels(read, mark, window, keep, recall, some)


def _none() -> TraceKernels:
    @register_jitable
    def read(value, at, stride, slot, age, p):
        return ()

    @register_jitable
    def mark(value, at, stride, slot, age, p):
        return None

    @register_jitable
    def window(p):
        return 0.0

    @register_jitable
    def keep(values, at, stride, slot, numbers):
        return None

    @register_jitable
    def recall(values, at, stride, slot):
        return ()

    @register_jitable
    def some(numbers):
        return False

    return TraceKernels(read, mark, window, keep, recall, some)


def _read(k: int, tau: int, floor: int, nearest: bool, rest: Any) -> Any:
    @register_jitable
    def decayed(x, age, p):
        x = x * exp(-age / p[tau])
        if floor >= 0 and x <= p[floor]:
            return 0.0
        return x

    @register_jitable
    def read(value, at, stride, slot, age, p):
        x = decayed(value[at + k * stride + slot], age, p)
        return (x, *rest(value, at, stride, slot, age, p))

    return read


def _mark(k: int, tau: int, nearest: bool, rest: Any) -> Any:
    @register_jitable
    def mark(value, at, stride, slot, age, p):
        i = at + k * stride + slot
        if nearest:
            value[i] = 1.0
        else:
            value[i] = value[i] * exp(-age / p[tau]) + 1.0
        rest(value, at, stride, slot, age, p)

    return mark


def _window(tau: int, floor: int, nearest: bool, rest: Any) -> Any:
    @register_jitable
    def window(p):
        if floor < 0 or not nearest or p[floor] <= 0.0:
            return inf
        # A hair wider than where the trace meets its floor: ``read`` decides.
        return max(-p[tau] * log(p[floor]) * (1.0 + 1e-12), rest(p))

    return window


def _keep(k: int, rest: Any) -> Any:
    @register_jitable
    def keep(values, at, stride, slot, numbers):
        values[at + k * stride + slot] = numbers[k]
        rest(values, at, stride, slot, numbers)

    return keep


def _recall(k: int, rest: Any) -> Any:
    @register_jitable
    def recall(values, at, stride, slot):
        return (values[at + k * stride + slot], *rest(values, at, stride, slot))

    return recall


def _some(k: int, rest: Any) -> Any:
    @register_jitable
    def some(numbers):
        return numbers[k] != 0.0 or rest(numbers)

    return some
