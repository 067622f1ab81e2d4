"""Kernels of plasticity rules on rows and columns of synapses, specialised to a network's rules.

``block`` holds the parameter rows of a rule, ``row`` is the projection's; q is the projection, i a
presynaptic neuron, j a target, t the present time (ms).  Synapses are changed in place.

Where a rule needs a partner and its postsynaptic traces fall to 0, a row of an all-to-all
projection learns at the targets on a list, those whose traces may count, while they are few.  Else
it is one loop over weights and traces side by side, which is vectorised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import inf
from typing import Any, NamedTuple

from simulator.arrays import SPARSE
from simulator.drift_kernels import drift_kernels
from simulator.frames import next_frame
from simulator.incoming import incoming_of, incoming_synapse
from simulator.inner import register_jitable
from simulator.model import Age, PlasticityRule
from simulator.prefetch import prefetch_to_write
from simulator.specialise import choose, jitable, record_from
from simulator.traces import trace_kernels
from simulator.waiting_kernels import waiting_kernels

__all__ = ["RuleKernels", "on_synapse", "rule_kernels"]

_AHEAD = 16  # synapses into a neuron, each in a line of its own
_DENSE = 6  # where one target in so many counts, all of them in one vectorised loop are faster


class RuleKernels(NamedTuple):
    """Each takes (blocks, rule group, row, ...)."""

    transmit: Any  # (weight, first, n, t, out): what the synapses deliver at time t
    learn_dense: Any  # (net, st, work, q, first, end, t): rows of work.rows arrive; their traces
    learn_sparse: Any  # (net, st, work, q, first, end, t): the same in rows of synapses
    learn_waiting: Any  # (net, st, work, q, first, end, t): the same where synapses wait
    learn_column: Any  # (net, st, work, q, j, t): a postsynaptic spike, its trace
    settle_row: Any  # (net, st, q, i, lo, hi, t): drift of synapses up to t
    catch_up_row: Any  # (net, st, work, q, r, t): what row r of those that arrive waits for
    catch_up_all: Any  # (net, st, q, pieces, t): what all synapses wait for
    modulate: Any  # (net, st, q, amount, t): drift of all, and a jump of the concentration


def rule_kernels(
    rules: Sequence[type[PlasticityRule]], waiting: bool = True, spread: bool = True
) -> RuleKernels:
    """The kernels of a network with these rules, whose synapses may be ``waiting``, and which may
    be ``spread`` over cores."""
    made = [_of_rule(rule, waiting, spread) for rule in rules]

    def nothing(*args):
        return None

    # What a rule is never asked for need not be compiled.
    for g, rule in enumerate(rules):
        if rule.transmit is PlasticityRule.transmit:
            made[g] = made[g]._replace(transmit=nothing)
        if not rule.learns():
            made[g] = made[g]._replace(
                learn_dense=nothing, learn_sparse=nothing, learn_column=nothing
            )
        if not (waiting and rule.learns()):
            made[g] = made[g]._replace(
                learn_waiting=nothing, catch_up_row=nothing, catch_up_all=nothing
            )
        if not rule.modulated:
            made[g] = made[g]._replace(settle_row=nothing, modulate=nothing)
    return RuleKernels(
        *(
            choose([kernels[k] for kernels in made], nothing)
            for k in range(len(RuleKernels._fields))
        )
    )


def _on_synapse(rule: type[PlasticityRule], function: Callable[..., Any]) -> Callable[..., Any]:
    """``on_pre`` or ``on_post`` as ``(synapse, x, y, z, p) -> synapse``, a tuple."""
    (f,) = jitable(function)
    if rule.variables:
        if rule.modulated:
            return f

        @register_jitable
        def of_tuple(s, x, y, z, p):
            return f(s, x, y, p)

        return of_tuple
    if rule.modulated:

        @register_jitable
        def of_level(s, x, y, z, p):
            return (f(s[0], x, y, z, p),)

        return of_level

    @register_jitable
    def of_weight(s, x, y, z, p):
        return (f(s[0], x, y, p),)

    return of_weight


on_synapse: Callable[..., Any] = cache(_on_synapse)  # each is made known to numba once


def _synapses(n: int) -> tuple[Any, Any, Any]:
    """Functions on synapses of weight and n - 1 variables: their vectors, read one, write one."""

    def with_one(k: int, rest: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        parts_rest, read_rest, write_rest = rest

        @register_jitable
        def parts(net, q, first, n):
            if k == 0:
                at = net.projs[q].w_at + first
                return (net.weight[at : at + n], *parts_rest(net, q, first, n))
            at = net.projs[q].var_at + (k - 1) * net.projs[q].n_synapses + first
            return (net.synaptic[at : at + n], *parts_rest(net, q, first, n))

        @register_jitable
        def read(vectors, s):
            return (vectors[k][s], *read_rest(vectors, s))

        @register_jitable
        def write(vectors, s, values):
            vectors[k][s] = values[k]
            write_rest(vectors, s, values)

        return parts, read, write

    @register_jitable
    def no_parts(net, q, first, n):
        return ()

    @register_jitable
    def read_none(vectors, s):
        return ()

    @register_jitable
    def write_none(vectors, s, values):
        return None

    made: tuple[Any, Any, Any] = (no_parts, read_none, write_none)
    for k in reversed(range(n)):
        made = with_one(k, made)
    return made


def _of_rule(rule: type[PlasticityRule], waiting: bool, spread: bool) -> RuleKernels:
    load = record_from(rule.Parameters)
    # One name each: numba sees functions, not records of functions.
    pre, post = trace_kernels(rule, rule.pre_traces), trace_kernels(rule, rule.post_traces)
    x_decay, x_grow, x_parts, x_read, x_mark, x_scale, x_some = pre
    y_decay, y_grow, y_parts, y_read, y_mark, y_scale, y_some = post
    synapse_parts, read, write = _synapses(1 + len(rule.variables))
    on_synapses = synapse_parts, read, write
    drift = drift_kernels(rule, on_synapses, pre, post)
    level, settle, settle_row, on_all, let_go = drift
    (send,) = jitable(rule.transmit)
    on_pre, on_post = on_synapse(rule, rule.on_pre), on_synapse(rule, rule.on_post)
    waiters = waiting_kernels(rule, on_pre, on_post, on_synapses, pre, post, drift, spread)
    reach_row, reach_all, learn_row, put_spike = waiters
    needs_partner = bool(rule.needs_partner)
    listed = needs_partner and all(
        not isinstance(trace, Age) and trace.floor is not None for trace in rule.post_traces
    )

    def transmit(block, row, weight, first, n, t, out):
        p = load(block[row])
        for k in range(n):
            out[k] = send(weight[first + k], p, t)

    @register_jitable
    def since_frame(p, net, st, q, n_post, t):
        """Move the traces to the frame of time t; how long ago it began."""
        length = net.projs[q].frame
        while t - st.projs[q].frame >= length:
            following = next_frame(st.projs[q].frame, length)
            dt = following - st.projs[q].frame
            n = 0 if net.projs[q].waits else net.projs[q].n_slots
            x_scale(x_parts(st.x_value, net.projs[q].trace_x_at, n), n, x_decay(p, dt, 0.0))
            y_scale(
                y_parts(st.y_value, net.projs[q].trace_y_at, n_post), n_post, y_decay(p, dt, 0.0)
            )
            st.projs[q].frame = following
        return t - st.projs[q].frame

    @register_jitable
    def learned_from(net, st, q):
        """Whether an arrival can change a weight."""
        if not net.projs[q].learns or (listed and st.projs[q].n_active == 0):
            return False
        return st.projs[q].last_post > -inf or not needs_partner

    @register_jitable
    def list_targets(p, net, st, work, q, n_post, y_of, fy):
        """Bring the list of targets whose traces may count to the present; how many there are."""
        ids = work.active[net.projs[q].list_at : net.projs[q].list_at + n_post]
        n, kept = st.projs[q].n_active, 0
        if n < 0:  # somebody has spiked
            for j in range(n_post):
                ids[kept] = j
                kept += y_some(y_read(y_of, j, fy, p))
        else:
            for a in range(n):
                ids[kept] = ids[a]
                kept += y_some(y_read(y_of, ids[a], fy, p))
        st.projs[q].n_active = kept
        return kept

    def learn_dense(block, row, net, st, work, q, first, end, t):
        p, k = load(block[row]), net.projs[q].post
        n_post = net.pops[k].hi - net.pops[k].lo
        dt = since_frame(p, net, st, q, n_post, t)
        x_of = x_parts(st.x_value, net.projs[q].trace_x_at, net.projs[q].n_slots)
        gx = x_grow(p, dt, t)
        if not learned_from(net, st, q):
            for r in range(first, end):
                x_mark(x_of, work.rows[r].i, gx)
            return
        y_of, fy = y_parts(st.y_value, net.projs[q].trace_y_at, n_post), y_decay(p, dt, t)
        fx, z = x_decay(p, dt, t), level(net, st, q, t)
        ids = work.active[net.projs[q].list_at :]
        n = list_targets(p, net, st, work, q, n_post, y_of, fy) if listed else n_post
        for r in range(first, end):
            i = work.rows[r].i
            x, skip = x_read(x_of, i, fx, p), i if net.projs[q].no_self else -1
            synapses = synapse_parts(net, q, i * n_post, n_post)
            if listed and n * _DENSE < n_post:
                for a in range(n):
                    j = ids[a]
                    if j != skip:
                        y = y_read(y_of, j, fy, p)
                        write(synapses, j, on_pre(read(synapses, j), x, y, z, p))
            else:
                kept = read(synapses, max(skip, 0))
                for j in range(n_post):
                    y = y_read(y_of, j, fy, p)
                    write(synapses, j, on_pre(read(synapses, j), x, y, z, p))
                if skip >= 0:
                    write(synapses, skip, kept)
            x_mark(x_of, i, gx)

    def learn_sparse(block, row, net, st, work, q, first, end, t):
        p, k = load(block[row]), net.projs[q].post
        n_post = net.pops[k].hi - net.pops[k].lo
        dt, acts = since_frame(p, net, st, q, n_post, t), learned_from(net, st, q)
        x_of = x_parts(st.x_value, net.projs[q].trace_x_at, net.projs[q].n_slots)
        y_of = y_parts(st.y_value, net.projs[q].trace_y_at, n_post)
        fx, gx, fy = x_decay(p, dt, t), x_grow(p, dt, t), y_decay(p, dt, t)
        synapses, z = synapse_parts(net, q, 0, net.projs[q].n_synapses), level(net, st, q, t)
        post = net.syn_post[net.projs[q].post_at :]
        for r in range(first, end):
            i, lo, hi = work.rows[r].i, work.rows[r].lo, work.rows[r].hi
            x = x_read(x_of, i, fx, p)
            for s in range(lo, hi if acts else lo):
                y = y_read(y_of, post[s], fy, p)
                if not needs_partner or y_some(y):
                    write(synapses, s, on_pre(read(synapses, s), x, y, z, p))
            x_mark(x_of, i, gx)

    def learn_waiting(block, row, net, st, work, q, first, end, t):
        p, k = load(block[row]), net.projs[q].post
        dt = since_frame(p, net, st, q, net.pops[k].hi - net.pops[k].lo, t)
        fy, z, acts = y_decay(p, dt, t), level(net, st, q, t), learned_from(net, st, q)
        for r in range(first, end):
            learn_row(p, net, st, work, q, r, fy, z, acts, t)

    def learn_column(block, row, net, st, work, q, j, t):
        p, k = load(block[row]), net.projs[q].post
        n_post = net.pops[k].hi - net.pops[k].lo
        dt = since_frame(p, net, st, q, n_post, t)
        y_of = y_parts(st.y_value, net.projs[q].trace_y_at, n_post)
        y = y_read(y_of, j, y_decay(p, dt, t), p)
        if waiting and net.projs[q].waits:
            if net.projs[q].learns:
                put_spike(p, net, st, q, j, y, t)
        elif net.projs[q].learns:
            learn_from_column(p, net, st, q, j, y, dt, t)
        y_mark(y_of, j, y_grow(p, dt, t))
        st.projs[q].n_active, st.projs[q].last_post = -1, t

    @register_jitable
    def learn_from_column(p, net, st, q, j, y, dt, t):
        n_post = net.pops[net.projs[q].post].hi - net.pops[net.projs[q].post].lo
        x_of = x_parts(st.x_value, net.projs[q].trace_x_at, net.projs[q].n_slots)
        fx, z = x_decay(p, dt, t), level(net, st, q, t)
        synapses = synapse_parts(net, q, 0, net.projs[q].n_synapses)
        if net.projs[q].kind == SPARSE:
            first, of = net.projs[q].in_at + j, incoming_of(net, q)
            begin, end = net.in_ptr[first], net.in_ptr[first + 1]
            for b in range(begin, end):
                _, s = incoming_synapse(net, of, min(b + _AHEAD, end - 1))
                prefetch_to_write(synapses[0], s)
                i, s = incoming_synapse(net, of, b)
                x = x_read(x_of, i, fx, p)
                settle(p, net, st, q, s, x, y, synapses, t)
                if not needs_partner or x_some(x):
                    write(synapses, s, on_post(read(synapses, s), x, y, z, p))
        else:
            skip = j if net.projs[q].no_self else -1
            for i in range(net.projs[q].n_slots):
                x, s = x_read(x_of, i, fx, p), i * n_post + j
                settle(p, net, st, q, s, x, y, synapses, t)
                if i != skip and (not needs_partner or x_some(x)):
                    write(synapses, s, on_post(read(synapses, s), x, y, z, p))

    def settle_some(block, row, net, st, q, i, lo, hi, t):
        settle_row(load(block[row]), net, st, q, i, lo, hi, t)

    def catch_up_row(block, row, net, st, work, q, r, t):
        reach_row(load(block[row]), net, st, work, q, r, t)

    def catch_up_all(block, row, net, st, q, pieces, t):
        reach_all(load(block[row]), net, st, q, pieces, False, t)

    def modulate(block, row, net, st, q, amount, t):
        p = load(block[row])
        if net.projs[q].learns:
            drifts = net.projs[q].drifts > 0
            if waiting and net.projs[q].waits:  # spikes of the past want the levels of the past
                pieces = 1 if net.projs[q].spread else net.projs[q].stride
                reach_all(p, net, st, q, pieces, drifts, t)
            elif drifts:
                settle_all(p, net, st, q, t)
            if drifts and amount != 0.0:
                on_all(p, net, q, amount)
        let_go(p, net, st, q, amount, t)

    @register_jitable
    def settle_all(p, net, st, q, t):
        for i in range(net.projs[q].n_slots):
            lo = hi = 0
            if net.projs[q].kind == SPARSE:
                row = net.projs[q].row_at + i * net.projs[q].stride  # all of its pieces
                lo, hi = net.row_ptr[row], net.row_ptr[row + net.projs[q].stride]
            settle_row(p, net, st, q, i, lo, hi, t)

    return RuleKernels(
        transmit, learn_dense, learn_sparse, learn_waiting, learn_column, settle_some,
        catch_up_row, catch_up_all, modulate,
    )  # fmt: skip
