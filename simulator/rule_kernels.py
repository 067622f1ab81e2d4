"""Kernels of plasticity rules on rows and columns of synapses, specialised to a network's rules.

``block`` holds the parameter rows of a rule, ``row`` is the projection's.  Weights are changed in
place; which synapses, in which order and at what time is the event loop's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, NamedTuple

from simulator.model import PlasticityRule
from simulator.specialise import choose, jitable, record_from
from simulator.traces import trace_kernels

__all__ = ["RuleKernels", "rule_kernels"]


class RuleKernels(NamedTuple):
    """Each takes (blocks, rule group, row, ...)."""

    transmit: Any  # (weight, first, n, t, out): what the synapses deliver at time t
    active: Any  # (y_value, y_at, n_post, y_time, t_at, t, last, ids, values) -> how many targets
    on_pre_row: Any  # dense row: (weight, first, skip, ids, n, n_post, y, y_at, x, x_at, ...)
    on_pre_one: Any  # one synapse
    mark_pre: Any  # (x_value, x_at, n_slots, x_time, t_at, slot, t)
    on_post_one: Any  # one synapse
    mark_post: Any


def rule_kernels(rules: Sequence[type[PlasticityRule]]) -> RuleKernels:
    """The kernels of a network with these rules."""
    made = [_of_rule(rule) for rule in rules]

    def nothing(*args):
        return None

    def zero(*args):
        return 0

    defaults = [nothing, zero, nothing, nothing, nothing, nothing, nothing]
    return RuleKernels(
        *(choose([kernels[k] for kernels in made], d) for k, d in enumerate(defaults))
    )


def _of_rule(rule: type[PlasticityRule]) -> RuleKernels:
    load = record_from(rule.Parameters)
    # One name each: numba sees functions, not records of functions.
    pre_read, pre_mark, pre_window, *_ = trace_kernels(rule, rule.pre_traces)
    post_read, post_mark, post_window, post_keep, post_recall, post_some = trace_kernels(
        rule, rule.post_traces
    )
    on_pre, on_post, send = jitable(rule.on_pre, rule.on_post, rule.transmit)
    needs_partner = bool(rule.needs_partner)

    def transmit(block, row, weight, first, n, t, out):
        p = load(block[row])
        for k in range(n):
            out[k] = send(weight[first + k], p, t)

    def active(block, row, value, at, n_post, time, t_at, t, last, ids, out):
        # Shared by all rows that arrive at this instant: the targets whose traces count.
        p = load(block[row])
        window = post_window(p) if needs_partner else inf
        if needs_partner and t - last >= window:
            return 0
        n = 0
        for j in range(n_post):
            age = t - time[t_at + j]
            if age < window or not needs_partner:
                y = post_read(value, at, n_post, j, age, p)
                if not needs_partner or post_some(y):
                    ids[t_at + n] = j
                    post_keep(out, at, n_post, n, y)
                    n += 1
        return n

    def on_pre_row(
        block, row, weight, first, skip, ids, ids_at, n, n_post, y_out, y_at,
        value, at, n_slots, time, t_at, slot, t,
    ):  # fmt: skip
        p = load(block[row])
        x = pre_read(value, at, n_slots, slot, t - time[t_at + slot], p)
        for k in range(n):
            j = ids[ids_at + k]
            if j != skip:
                y = post_recall(y_out, y_at, n_post, k)
                weight[first + j] = on_pre(weight[first + j], x, y, p)

    def on_pre_one(
        block, row, weight, s, value, at, n_slots, time, t_at, slot,
        y_value, y_at, n_post, y_time, y_t_at, j, t,
    ):  # fmt: skip
        p = load(block[row])
        x = pre_read(value, at, n_slots, slot, t - time[t_at + slot], p)
        y = post_read(y_value, y_at, n_post, j, t - y_time[y_t_at + j], p)
        weight[s] = on_pre(weight[s], x, y, p)

    def mark_pre(block, row, value, at, n_slots, time, t_at, slot, t):
        pre_mark(value, at, n_slots, slot, t - time[t_at + slot], load(block[row]))
        time[t_at + slot] = t

    def on_post_one(
        block, row, weight, s, value, at, n_slots, time, t_at, slot,
        y_value, y_at, n_post, y_time, y_t_at, j, t,
    ):  # fmt: skip
        p = load(block[row])
        age = t - time[t_at + slot]
        if needs_partner and age >= pre_window(p):
            return
        x = pre_read(value, at, n_slots, slot, age, p)
        y = post_read(y_value, y_at, n_post, j, t - y_time[y_t_at + j], p)
        weight[s] = on_post(weight[s], x, y, p)

    def mark_post(block, row, value, at, n_post, time, t_at, j, t):
        post_mark(value, at, n_post, j, t - time[t_at + j], load(block[row]))
        time[t_at + j] = t

    return RuleKernels(transmit, active, on_pre_row, on_pre_one, mark_pre, on_post_one, mark_post)
