"""Kernels of synapses that wait (:mod:`simulator.waiting`), specialised to a rule.

``p`` holds the parameters of the rule; q is the projection, a a slot of its rows, e a spike of the
slot (-1 for none), s a synapse, j its target, t the present time (ms).
"""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

from simulator.drift_kernels import DriftKernels
from simulator.flight_queue import synapse_delay
from simulator.frames import frame_at
from simulator.incoming import incoming_of, incoming_synapse
from simulator.inner import register_jitable
from simulator.model import PlasticityRule
from simulator.traces import TraceKernels, past_traces

__all__ = ["WaitingKernels", "waiting_kernels"]


class WaitingKernels(NamedTuple):
    """Functions on a projection whose synapses wait."""

    catch_up_row: Any  # (p, net, st, work, q, r, t): row r of those that arrive, before it does
    catch_up_all: Any  # (p, net, st, q, pieces, drifts, t): all synapses, in pieces of rows
    learn_row: Any  # (p, net, st, work, q, r, fy, z, acts, t): the presynaptic side of the rule
    put_spike: Any  # (p, net, st, q, j, y, t): a postsynaptic spike, before its traces are marked


def waiting_kernels(
    rule: type[PlasticityRule],
    on_pre: Any,
    on_post: Any,
    synapses: tuple[Any, Any, Any],
    x: TraceKernels,
    y: TraceKernels,
    drift: DriftKernels,
    spread: bool,
) -> WaitingKernels:
    """Specialise to a rule, given the functions on its synapses and on the traces of neurons."""
    past = past_traces(rule, rule.pre_traces)
    empty, aged, marked, merged, seen, moved, lit, faded, load, store = past
    *_, load_y, store_y = past_traces(rule, rule.post_traces)
    _, _, y_parts, y_read, _, _, y_some = y
    y_decay = y.decay
    synapse_parts, read, write = synapses
    level, settle = drift.level, drift.settle
    needs_partner = bool(rule.needs_partner)
    x_some = x.some

    @register_jitable
    def next_in_frame(p, net, q, x, begin, t):
        """Amplitudes right after an arrival at t; x after the one before, at ``begin``."""
        length = net.projs[q].frame
        return lit(moved(x, p, begin, t, length), p, t - frame_at(t, length))

    @register_jitable(forceinline=True)
    def later(p, net, q, x, arrival, t):
        """Traces at t; x right after the last arrival."""
        if spread and net.projs[q].steady:
            if arrival == -inf:
                return x
            length = net.projs[q].frame
            return faded(moved(x, p, arrival, t, length), p, t - frame_at(t, length))
        return aged(x, t - arrival, p)

    @register_jitable
    def work_out(p, net, st, q, a, e):
        """Work out the traces right after spike e, and after those before it."""
        odd, room = st.slots_past[a].odd, st.past.shape[1]
        first = e
        while first >= odd and not st.past[a, first].known:
            first -= 1
        for k in range(max(first + 1, odd), e + 1):
            x, t = empty(), st.past[a, k].t
            if k > odd:
                x = load(st.past_x, a * room + k - 1)
            if spread and net.projs[q].steady:
                d = net.projs[q].longest
                begin = st.past[a, k - 1].t + d if k > odd else t + d
                x = next_in_frame(p, net, q, x, begin, t + d)
            else:
                if k > odd:
                    x = aged(x, t - st.past[a, k - 1].t, p)
                x = marked(x)
            store(st.past_x, a * room + k, x)
            st.past[a, k].known = 1

    @register_jitable(forceinline=True)
    def know(p, net, st, q, a, e):
        """Work out the traces right after spike e, unless they are known."""
        if e >= 0 and not st.past[a, e].known:
            work_out(p, net, st, q, a, e)

    @register_jitable
    def last_of_odd(p, net, st, q, a, e, d):
        """As :func:`last`, where some spikes count for some of the synapses only."""
        arrival, x, odd = -inf, empty(), st.slots_past[a].odd
        for k in range(min(odd, e + 1)):
            t = st.past[a, k].t + d
            if st.past[a, k].since < t <= st.past[a, k].until:
                begin = arrival if arrival > -inf else t
                if spread and net.projs[q].steady:
                    x = next_in_frame(p, net, q, x, begin, t)
                else:
                    x = marked(aged(x, t - begin, p))
                arrival = t
        if e >= odd:
            t = st.past[a, e].t + d
            regular = load(st.past_x, a * st.past.shape[1] + e)
            begin = max(t, arrival)
            if arrival > -inf:
                if spread and net.projs[q].steady:
                    length = net.projs[q].frame
                    x = moved(x, p, arrival, begin, length)
                    regular = merged(moved(regular, p, t, begin, length), x)
                else:
                    regular = merged(aged(regular, begin - t, p), aged(x, begin - arrival, p))
            return begin, regular
        return arrival, x

    @register_jitable(forceinline=True)
    def last(p, net, st, q, a, e, d):
        """The last arrival (ms) up to spike e by a synapse of delay d, and the traces after it."""
        if e < 0:
            return -inf, empty()
        if st.slots_past[a].odd > 0:
            return last_of_odd(p, net, st, q, a, e, d)
        return st.past[a, e].t + d, load(st.past_x, a * st.past.shape[1] + e)

    @register_jitable(forceinline=True)
    def traces_of(p, net, st, q, a, e, d, t):
        """What the traces of a synapse of delay d read, whose last arrival was by spike e."""
        arrival, x_then = last(p, net, st, q, a, e, d)
        return seen(later(p, net, q, x_then, arrival, t), p)

    @register_jitable(forceinline=True)
    def catch_up(p, net, st, q, a, e, d, s, j, synapses):
        """Have a synapse learn from the postsynaptic spikes since its last arrival, by spike e."""
        n = st.waiting[net.projs[q].waiting_at + j]
        if n == 0:
            return
        first = net.projs[q].spiked_at + j * net.projs[q].room
        arrival, x_then = last(p, net, st, q, a, e, d)
        b = n
        while b > 0:
            spike = st.spiked[first + b - 1]
            if spike.t < arrival:
                break
            # Of one instant: what takes time has come first.
            if (
                spike.t == arrival
                and arrival == st.past[a, e].t
                and spike.in_round <= st.past[a, e].in_round
            ):
                break
            b -= 1
        for m in range(first + b, first + n):
            t = st.spiked[m].t
            x = seen(later(p, net, q, x_then, arrival, t), p)
            y = load_y(st.spiked_y, m)
            settle(p, net, st, q, s, x, y, synapses, t)
            if not needs_partner or x_some(x):
                z = level(net, st, q, t)
                write(synapses, s, on_post(read(synapses, s), x, y, z, p))

    @register_jitable(forceinline=True)
    def catch_up_row(p, net, st, work, q, r, t):
        a, e = work.rows[r].slot, work.rows[r].spike
        know(p, net, st, q, a, e)
        synapses = synapse_parts(net, q, 0, net.projs[q].n_synapses)
        k, dt = net.projs[q].post, t - st.projs[q].frame
        n_post, post = net.pops[k].hi - net.pops[k].lo, net.syn_post[net.projs[q].post_at :]
        y_of, fy = y_parts(st.y_value, net.projs[q].trace_y_at, n_post), y_decay(p, dt, t)
        for s in range(work.rows[r].lo, work.rows[r].hi):
            d, j = synapse_delay(net, q, s), post[s]
            catch_up(p, net, st, q, a, e - 1, d, s, j, synapses)
            if net.projs[q].drifts:
                x = traces_of(p, net, st, q, a, e - 1, d, t)
                settle(p, net, st, q, s, x, y_read(y_of, j, fy, p), synapses, t)

    @register_jitable(forceinline=True)
    def learn_row(p, net, st, work, q, r, fy, z, acts, t):
        a, e = work.rows[r].slot, work.rows[r].spike
        know(p, net, st, q, a, e)
        if not acts:
            return
        k = net.projs[q].post
        n_post, post = net.pops[k].hi - net.pops[k].lo, net.syn_post[net.projs[q].post_at :]
        y_of = y_parts(st.y_value, net.projs[q].trace_y_at, n_post)
        synapses = synapse_parts(net, q, 0, net.projs[q].n_synapses)
        for s in range(work.rows[r].lo, work.rows[r].hi):
            y = y_read(y_of, post[s], fy, p)
            if not needs_partner or y_some(y):
                x = traces_of(p, net, st, q, a, e - 1, synapse_delay(net, q, s), t)
                write(synapses, s, on_pre(read(synapses, s), x, y, z, p))

    @register_jitable(forceinline=True)
    def arrived(st, a, e, d, t):
        """The last spike up to number e that has arrived."""
        while e >= 0 and st.past[a, e].t + d > t:
            e -= 1
        return e

    @register_jitable(forceinline=True)
    def catch_up_by(p, net, st, q, a, s, j, synapses, t):
        """As :func:`catch_up`, for a synapse of slot a at any time."""
        if st.waiting[net.projs[q].waiting_at + j] > 0:
            d = synapse_delay(net, q, s)
            e = arrived(st, a, st.slots_past[a].n - 1, d, t)
            know(p, net, st, q, a, e)
            catch_up(p, net, st, q, a, e, d, s, j, synapses)

    @register_jitable
    def catch_up_all(p, net, st, q, pieces, drifts, t):
        synapses = synapse_parts(net, q, 0, net.projs[q].n_synapses)
        k, dt = net.projs[q].post, t - st.projs[q].frame
        n_post, post = net.pops[k].hi - net.pops[k].lo, net.syn_post[net.projs[q].post_at :]
        y_of, fy = y_parts(st.y_value, net.projs[q].trace_y_at, n_post), y_decay(p, dt, t)
        stride = 1 if net.projs[q].spread else net.projs[q].stride
        for slot in range(net.projs[q].n_slots):
            row, a = net.projs[q].row_at + slot * stride, net.projs[q].past_at + slot
            n = st.slots_past[a].n - 1
            for s in range(net.row_ptr[row], net.row_ptr[row + pieces]):
                j = post[s]
                catch_up_by(p, net, st, q, a, s, j, synapses, t)
                if drifts:
                    d = synapse_delay(net, q, s)
                    e = arrived(st, a, n, d, t)
                    know(p, net, st, q, a, e)
                    x = traces_of(p, net, st, q, a, e, d, t)
                    settle(p, net, st, q, s, x, y_read(y_of, j, fy, p), synapses, t)
        st.waiting[net.projs[q].waiting_at : net.projs[q].waiting_at + n_post] = 0

    @register_jitable
    def put_spike(p, net, st, q, j, y, t):
        at = net.projs[q].waiting_at + j
        if st.waiting[at] == net.projs[q].room:
            catch_up_all(p, net, st, q, 1, False, t)
        m = net.projs[q].spiked_at + j * net.projs[q].room + st.waiting[at]
        st.spiked[m].t, st.spiked[m].in_round = t, st.engine[0].rounds
        store_y(st.spiked_y, m, y)
        st.waiting[at] += 1
        if net.projs[q].logged:  # each change is recorded at its time
            synapses = synapse_parts(net, q, 0, net.projs[q].n_synapses)
            first, of = net.projs[q].in_at + j, incoming_of(net, q)
            stride, piece = 1, 0
            if spread and net.projs[q].spread:  # a slot for each core, and this is the target's
                stride = net.projs[q].stride
                piece = net.home[net.pops[net.projs[q].post].lo + j] if stride > 1 else 0
            for b in range(net.in_ptr[first], net.in_ptr[first + 1]):
                i, s = incoming_synapse(net, of, b)
                a = net.projs[q].past_at + i * stride + piece
                catch_up_by(p, net, st, q, a, s, j, synapses, t)
            st.waiting[at] = 0

    return WaitingKernels(catch_up_row, catch_up_all, learn_row, put_spike)
