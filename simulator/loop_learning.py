"""Parts of the event loop in which synapses learn: from a row that arrives, from a spike."""

from __future__ import annotations

from math import isnan
from typing import Any, NamedTuple

import numpy as np

from simulator.arrays import SPARSE
from simulator.inner import register_jitable
from simulator.rule_kernels import RuleKernels

__all__ = ["Learning", "make_learning"]


class Learning(NamedTuple):
    """The functions made here, each on (net, rule_blocks, st, work, ...)."""

    from_row: Any
    from_spike: Any


def make_learning(kernels: RuleKernels) -> Learning:
    """Specialise to the rules of a network."""
    _, active, on_pre_row, on_pre_one, mark_pre, on_post_one, mark_post = kernels

    @register_jitable(forceinline=True)
    def learn_from_row(net, rule_blocks, st, work, q, i, lo, hi, t):
        """Presynaptic side of a rule: the row's weights, then its trace."""
        group, row, k = net.projs[q].rule, net.projs[q].rule_row, net.projs[q].post
        n_post = net.pops[k].hi - net.pops[k].lo
        x_at, y_at = net.projs[q].trace_x_at, net.projs[q].trace_y_at
        x_t, y_t, n_slots = net.projs[q].trace_at, net.projs[q].trace_post_at, net.projs[q].n_slots
        if net.projs[q].kind != SPARSE:
            if st.projs[q].active_t != t:
                st.projs[q].n_active = active(
                    rule_blocks, group, row, st.y_value, y_at, n_post, st.y_time, y_t, t,
                    st.projs[q].last_post, work.active, work.active_y,
                )  # fmt: skip
                st.projs[q].active_t = t
            on_pre_row(
                rule_blocks, group, row, net.weight, net.projs[q].w_at + i * n_post,
                i if net.projs[q].no_self else -1, work.active, y_t, st.projs[q].n_active, n_post,
                work.active_y, y_at, st.x_value, x_at, n_slots, st.x_time, x_t, i, t,
            )  # fmt: skip
            mark_pre(rule_blocks, group, row, st.x_value, x_at, n_slots, st.x_time, x_t, i, t)
            return
        several = isnan(net.projs[q].delay)
        for s in range(lo, hi):
            slot = s if several else i
            on_pre_one(
                rule_blocks, group, row, net.weight, net.projs[q].w_at + s, st.x_value, x_at,
                n_slots, st.x_time, x_t, slot, st.y_value, y_at, n_post, st.y_time, y_t,
                net.syn_post[net.projs[q].post_at + s], t,
            )  # fmt: skip
            if several:
                mark_pre(rule_blocks, group, row, st.x_value, x_at, n_slots, st.x_time, x_t, s, t)
        if not several:
            mark_pre(rule_blocks, group, row, st.x_value, x_at, n_slots, st.x_time, x_t, i, t)

    @register_jitable(forceinline=True)
    def learn_from_spike(net, rule_blocks, st, work, g, t):
        """Postsynaptic side of the rules: the weights into a neuron, then its traces."""
        k = st.neurons[g].pop
        j = g - net.pops[k].lo
        n_post = net.pops[k].hi - net.pops[k].lo
        for a in range(net.pops[k].learn_lo, net.pops[k].learn_hi):
            q = net.learn_proj[a]
            if not net.projs[q].learns:
                continue
            group, row = net.projs[q].rule, net.projs[q].rule_row
            x_at, y_at = net.projs[q].trace_x_at, net.projs[q].trace_y_at
            x_t, y_t, n_slots = (
                net.projs[q].trace_at,
                net.projs[q].trace_post_at,
                net.projs[q].n_slots,
            )
            if net.projs[q].kind == SPARSE:
                several = isnan(net.projs[q].delay)
                base = net.projs[q].in_syn_at
                for b in range(
                    net.in_ptr[net.projs[q].in_at + j], net.in_ptr[net.projs[q].in_at + j + 1]
                ):
                    s = np.int64(net.in_syn[base + b])
                    slot = s if several else np.int64(net.in_pre[base + b])
                    on_post_one(
                        rule_blocks, group, row, net.weight, net.projs[q].w_at + s, st.x_value,
                        x_at, n_slots, st.x_time, x_t, slot, st.y_value, y_at, n_post, st.y_time,
                        y_t, j, t,
                    )  # fmt: skip
            else:
                skip = j if net.projs[q].no_self else -1
                for i in range(net.pops[net.projs[q].pre].hi - net.pops[net.projs[q].pre].lo):
                    if i != skip:
                        on_post_one(
                            rule_blocks, group, row, net.weight, net.projs[q].w_at + i * n_post + j,
                            st.x_value, x_at, n_slots, st.x_time, x_t, i, st.y_value, y_at,
                            n_post, st.y_time, y_t, j, t,
                        )  # fmt: skip
            mark_post(rule_blocks, group, row, st.y_value, y_at, n_post, st.y_time, y_t, j, t)
            st.projs[q].active_t, st.projs[q].last_post = -1.0, t

    return Learning(learn_from_row, learn_from_spike)
