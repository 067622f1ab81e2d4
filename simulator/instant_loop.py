"""The compiled event loop: from instant to instant, exact for any delay, zero included.

One pass of the loop handles one *round*: either all deliveries due at the earliest instant, or all
neurons that reach threshold at it.  Spikes that arrive without delay make another round at the same
instant.  Deliveries come first, then thresholds, then plasticity, presynaptic before postsynaptic.

A population whose every input is all-to-all is advanced as a whole, with decay factors shared by
all its neurons, and searched for crossings only up to the next arrival; in the others each neuron
has a clock and a predicted crossing of its own.  The loop is left only between rounds, so that the
caller can enlarge a buffer, or ask for a later time, and go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isnan
from typing import Any

import numpy as np
from numba import njit

from simulator import (
    arrays,
    drift_kernels,
    flight_queue,
    frames,
    lazy_kernels,
    loop_lazy,
    loop_learning,
    loop_together,
    loop_watch,
    model,
    poisson_cells,
    population_kernels,
    prefetch,
    private_input,
    queues,
    roots,
    rule_kernels,
    traces,
    waiting,
    waiting_kernels,
)
from simulator import specialise as specialise_module
from simulator.arrays import CROSSES, SPARSE, UNIFORM, WAKES
from simulator.borrow import borrow
from simulator.flight_queue import (
    fetch_delay,
    flight_room,
    next_flight,
    open_bucket_of_flights,
    take_flight,
)
from simulator.inner import register_jitable
from simulator.loop_together import use_up
from simulator.loop_watch import note_column, note_neuron, note_row, probe_row, write_changes
from simulator.model import NeuronModel, PlasticityRule
from simulator.needs import Needs
from simulator.prefetch import prefetch_entry, prefetch_to_write
from simulator.queues import predict, ring_append, ring_pop, ring_push, send, send_piece
from simulator.specialise import digest
from simulator.uncollected import UncollectedCompiler

__all__ = [
    "DONE",
    "MORE_INPUT",
    "MORE_OUTPUT",
    "MORE_ROOM",
    "PAUSED",
    "TOO_MANY_ROUNDS",
    "make_instant_loop",
]

# Status codes.
DONE = 0  # time reached
MORE_INPUT = 1  # the open piece of the sources is used up
MORE_OUTPUT = 2  # the spike buffer is full
MORE_ROOM = 3  # a ring is full, or the queue of spikes in flight is short of something
TOO_MANY_ROUNDS = 4  # a zero-delay loop does not end
PAUSED = 5  # the budget of this call is used up

MAX_ROUNDS = 100_000  # at one instant
SOON = 4  # spikes of sources before one's turn, its row is fetched
FAR = 12  # arrivals before one's turn, the synapse is fetched
PASS = 16  # what a pass of the loop takes of the budget, in deliveries


def make_instant_loop(
    models: Sequence[type[NeuronModel]],
    rules: Sequence[type[PlasticityRule]],
    needs: Needs | None = None,
) -> Any:
    """Build ``loop(net, blocks, rule_blocks, st, work, until) -> status``.

    ``blocks`` is a tuple of (state, parameters) by model, ``rule_blocks`` of parameters by rule.
    Parts that are not among the ``needs`` (all of them, if None) are not compiled.
    All events up to and including ``until`` (ms) are handled.
    """
    source = digest(
        arrays, drift_kernels, flight_queue, frames, lazy_kernels, loop_lazy, loop_learning,
        loop_together, loop_watch, model, population_kernels, poisson_cells, prefetch,
        private_input, queues, roots, rule_kernels, specialise_module, traces, waiting,
        waiting_kernels, *models, *rules,
    )  # fmt: skip
    # Branches on these are cut off before they are compiled.
    needs = Needs() if needs is None else needs
    stepped, together, lazy, driven, rows, several, whole, watched, spread = needs
    learning = any(rule.learns() for rule in rules)
    modulated = any(rule.modulated for rule in rules)
    transforms = any(rule.transmit is not PlasticityRule.transmit for rule in rules)
    of_models = population_kernels.population_kernels(models if stepped else ())
    of_rules = rule_kernels.rule_kernels(rules, several, spread)
    of_lazy = lazy_kernels.lazy_kernels(models if lazy else (), driven)
    receive_row, receive_same, receive_one, fire_one = (
        of_models.receive_row, of_models.receive_same, of_models.receive_one, of_models.fire,
    )  # fmt: skip
    transmit = of_rules.transmit
    add_row, add_all, add_runs = of_lazy.add_row, of_lazy.add_all, of_lazy.add_runs
    touch, crossing_time, make_odd, advance_population, search_population = (
        loop_together.make_advancing(of_models)
    )
    learn_from_rows, learn_from_spike, settle, release = loop_learning.make_learning(
        rules, of_rules, rows, whole, several
    )
    set_frame, examine_list, open_bucket, next_check, fire_lazy, wake_lazy = loop_lazy.make_lazy(
        of_lazy
    )
    infinity = inf

    # -- populations advanced neuron by neuron -----------------------------------------------

    @register_jitable(forceinline=True)
    def predict_neuron(net, blocks, st, g):
        """Predict the next crossing of a neuron, or the end of its refractory period."""
        if st.neurons[g].ref_until > st.neurons[g].t_last:
            st.neurons[g].wakes = WAKES
            due = st.neurons[g].ref_until
        else:
            st.neurons[g].wakes = CROSSES
            due = crossing_time(net, blocks, st, g, infinity)
            if due < st.neurons[g].t_last:  # not before as long after, and then to be asked again
                st.neurons[g].wakes = WAKES
                due = st.neurons[g].t_last + (st.neurons[g].t_last - due)
        st.engine[0].n_due = predict(st.neurons, st.engine[0].n_due, g, due, infinity)

    # -- deliveries --------------------------------------------------------------------------

    @register_jitable(forceinline=True)
    def emit(net, st, k, g, t):
        """Send a spike of a neuron of population k on its way along every projection; record it."""
        i = g - net.pops[k].lo
        if watched:
            note_neuron(st, g)
        if net.pops[k].recorded:
            st.output[st.engine[0].n_out].t, st.output[st.engine[0].n_out].i = t, g
            st.engine[0].n_out += 1
            if net.pops[k].watched:
                st.engine[0].halt = 1
        for a in range(net.pops[k].out_lo, net.pops[k].out_hi):
            q = net.out_proj[a]
            if spread and net.projs[q].spread:
                send_piece(net, st, q, i, net.home[g], t)
            elif several:
                send(net, st, q, i, t)
            else:
                ring_push(st, q, t + net.projs[q].delay, t, i)

    @register_jitable(forceinline=True)
    def emit_sources(net, st, k, t):
        """Send the spikes of source population k at time t that come next, as :func:`emit` does;
        the last neuron."""
        first = end = st.engine[0].src_pos
        lo, hi = net.pops[k].lo, net.pops[k].hi
        last = np.int64(-1)
        while end < st.engine[0].src_end and st.source[end].t == t and last < st.source[end].i < hi:
            last = st.source[end].i
            end += 1
        for a in range(first, end):
            if watched:
                note_neuron(st, st.source[a].i)
        if net.pops[k].recorded:
            n = st.engine[0].n_out
            for a in range(first, end):
                st.output[n + a - first].t, st.output[n + a - first].i = t, st.source[a].i
            st.engine[0].n_out = n + end - first
            if net.pops[k].watched:
                st.engine[0].halt = 1
        for b in range(net.pops[k].out_lo, net.pops[k].out_hi):
            q = net.out_proj[b]
            ring_append(st, q, t + net.projs[q].delay, t, first, end, lo)
        st.engine[0].src_pos = end
        return last

    @register_jitable(forceinline=True)
    def fetch_rows(net, st, k):
        """Have the beginnings of the rows fetched of sources that spike soon, in population k."""
        a = st.engine[0].src_pos + SOON
        if a + SOON < st.engine[0].src_end:
            lo, hi = net.pops[k].lo, net.pops[k].hi
            first, second = st.source[a].i, st.source[a + SOON].i
            for b in range(net.pops[k].out_lo, net.pops[k].out_hi):
                q = net.out_proj[b]
                if isnan(net.projs[q].delay):
                    at, stride = net.projs[q].row_at - lo * net.projs[q].stride, net.projs[q].stride
                    if lo <= second < hi:
                        prefetch_entry(net.row_ptr, at + second * stride)
                    if lo <= first < hi:
                        fetch_delay(net, q, net.row_ptr[at + first * stride])

    @register_jitable(forceinline=True)
    def collect_rows(net, st, work, t):
        """All rows that arrive at t, in order: those of rings, then those that differ in delay."""
        n = 0
        for q in range(net.projs.size):
            while st.projs[q].ring_n > 0 and st.rings[q, st.projs[q].ring_head].t == t:
                i = ring_pop(st, q)
                work.rows[n].q, work.rows[n].i = q, i
                if net.projs[q].kind == SPARSE:
                    row = net.projs[q].row_at + i * net.projs[q].stride
                    work.rows[n].lo, work.rows[n].hi = net.row_ptr[row], net.row_ptr[row + 1]
                n += 1
        if several:
            while take_flight(net, st, t, work.rows[n]):
                n += 1
            work.rows[n].q = -1  # there are no more: the queue has room for some
        return n

    @register_jitable(forceinline=True)
    def advance_targets(net, blocks, st, work, n_rows, t):
        """Bring every population that is advanced together and receives something to t."""
        # A neuron is passed over when it is the only one whose own spike comes round.  Many rows
        # of one projection are as good as one, but where neurons are passed over.
        before = -1
        for r in range(n_rows):
            q = work.rows[r].q
            if q != before:
                st.pops[net.projs[q].post].skip = -2
            before = q
        before = -1
        for r in range(n_rows):
            q = work.rows[r].q
            if q != before or net.projs[q].no_self:
                k = net.projs[q].post
                own = net.pops[k].lo + work.rows[r].i if net.projs[q].no_self else -1
                st.pops[k].skip = own if st.pops[k].skip == -2 or st.pops[k].skip == own else -1
            before = q
        before = -1
        for r in range(n_rows):
            q = work.rows[r].q
            if q == before:
                continue
            before, k = q, net.projs[q].post
            if net.pops[k].together and st.pops[k].skip != -3:
                advance_population(net, blocks, st, work, k, t, st.pops[k].skip)
                st.pops[k].skip = -3

    @register_jitable(forceinline=True)
    def touch_target(net, blocks, st, work, g, t):
        touch(net, blocks, st, g, t)
        if not st.neurons[g].stamped:
            st.neurons[g].stamped = 1
            st.neurons[st.engine[0].n_touched].touched = g
            st.engine[0].n_touched += 1

    @register_jitable(forceinline=True)
    def deliver_whole(net, blocks, rule_blocks, st, work, q, i, t):
        """One presynaptic spike to a whole population."""
        k = net.projs[q].post
        lo, n, at = net.pops[k].lo, net.pops[k].hi - net.pops[k].lo, net.pops[k].at
        group, row, port = net.pops[k].group, net.pops[k].row, net.projs[q].port
        uniform = net.projs[q].kind == UNIFORM
        first = net.projs[q].w_at if uniform else net.projs[q].w_at + i * n
        values = net.weight
        if transforms and net.projs[q].transmits:
            count = 1 if uniform else n
            transmit(
                rule_blocks,
                net.projs[q].rule,
                net.projs[q].rule_row,
                net.weight,
                first,
                count,
                t,
                work.sent,
            )
            values, first = work.sent, 0
        st.engine[0].deliveries += n - net.projs[q].no_self
        skip = i if net.projs[q].no_self else n
        if lazy and net.pops[k].lazy:
            set_frame(net, blocks, st, work, k, t)
            dt = t - st.pops[k].frame
            st.engine[0].t_used = t
            st.engine[0].n_used = add_all(
                blocks, group, row, at, port, dt, 0, skip, values, first, uniform, st.left, lo,
                st.used_up, st.engine[0].n_used,
            )  # fmt: skip
            if skip < n:
                st.engine[0].n_used = add_all(
                    blocks, group, row, at, port, dt, skip + 1, n - skip - 1, values,
                    first if uniform else first + skip + 1, uniform, st.left, lo, st.used_up,
                    st.engine[0].n_used,
                )  # fmt: skip
        elif stepped and not net.pops[k].together:
            for j in range(n):
                if j != skip:
                    touch_target(net, blocks, st, work, lo + j, t)
                    w = values[first] if uniform else values[first + j]
                    receive_one(blocks, group, row, at + j, port, w)
        elif together and uniform:
            use_up(st, k, values, first, 1)
            receive_same(blocks, group, row, at, skip, port, values[first])
            if skip < n:
                receive_same(blocks, group, row, at + skip + 1, n - skip - 1, port, values[first])
        elif together:
            use_up(st, k, values, first, n)
            receive_row(blocks, group, row, at, skip, port, values, first)
            if skip < n:
                receive_row(
                    blocks, group, row, at + skip + 1, n - skip - 1, port, values, first + skip + 1
                )

    @register_jitable(forceinline=True)
    def deliver_row(net, blocks, rule_blocks, st, work, q, lo, hi, t):
        """One presynaptic spike to the targets of its synapses lo to hi."""
        k = net.projs[q].post
        same = net.projs[q].same
        values, first = net.weight, net.projs[q].w_at + (0 if same else lo)
        if transforms and net.projs[q].transmits:
            transmit(
                rule_blocks, net.projs[q].rule, net.projs[q].rule_row, values, first,
                1 if same else hi - lo, t, work.sent,
            )  # fmt: skip
            values, first = work.sent, 0
        st.engine[0].deliveries += hi - lo
        group, row, at, port = net.pops[k].group, net.pops[k].row, net.pops[k].at, net.projs[q].port
        targets, post = net.syn_post, net.projs[q].post_at + lo
        if lazy and net.pops[k].lazy:
            set_frame(net, blocks, st, work, k, t)
            st.engine[0].t_used = t
            st.engine[0].n_used = add_row(
                blocks, group, row, at, port, t - st.pops[k].frame, targets, post, hi - lo,
                values, first, same, st.left, net.pops[k].lo, st.used_up, st.engine[0].n_used,
            )  # fmt: skip
            return
        if stepped:
            for s in range(hi - lo):
                j = targets[post + s]
                touch_target(net, blocks, st, work, net.pops[k].lo + j, t)
                w = values[first if same else first + s]
                receive_one(blocks, group, row, at + j, port, w)

    @register_jitable(forceinline=True)
    def deliver_alone(net, blocks, st, work, t, stop, limit):
        """Deliver what arrives from time t of the open bucket on at an instant of its own, before
        ``stop`` and before any neuron is to be examined.  Whether there was anything."""
        queue = st.queue[0]
        if queue.n_late > 0:
            stop = min(stop, st.late[0].t)
        if t >= stop:
            return False
        k = net.projs[st.arrivals[0, queue.open_at].q].post
        if not net.pops[k].lazy:
            return False
        set_frame(net, blocks, st, work, k, t)
        return add_runs(blocks, net.pops[k].group, net.pops[k].row, net, st, work, stop, limit) > 0

    @register_jitable(forceinline=True)
    def fetch_synapse(net, st):
        """Have the synapse fetched that an arrival of the open bucket soon changes."""
        a = st.queue[0].open_at + FAR
        if a < st.queue[0].n_open:
            q, row = np.int64(st.arrivals[0, a].q), net.row_ptr[st.arrivals[0, a].row]
            if net.projs[q].waits:
                s = row + st.arrivals[0, a].k
                prefetch_to_write(net.weight, net.projs[q].w_at + s)
                fetch_delay(net, q, s)
                if net.synaptic.size > 0:
                    prefetch_to_write(net.synaptic, net.projs[q].var_at + s)

    @register_jitable(forceinline=True)
    def deliver(net, blocks, rule_blocks, st, work, t):
        """Everything that arrives at t."""
        if learning and several:
            fetch_synapse(net, st)
        n_rows = collect_rows(net, st, work, t)
        if together:
            advance_targets(net, blocks, st, work, n_rows, t)
        if modulated or (learning and several):
            settle(net, rule_blocks, st, work, n_rows, t)
        st.engine[0].n_touched = 0
        for r in range(n_rows):
            q = work.rows[r].q
            if rows and net.projs[q].kind == SPARSE:
                deliver_row(
                    net, blocks, rule_blocks, st, work, q, work.rows[r].lo, work.rows[r].hi, t
                )
            elif whole:
                deliver_whole(net, blocks, rule_blocks, st, work, q, work.rows[r].i, t)
        if learning:
            learn_from_rows(net, rule_blocks, st, work, n_rows, t)
        for r in range(n_rows if watched else 0):
            q, i, lo, hi = work.rows[r].q, work.rows[r].i, work.rows[r].lo, work.rows[r].hi
            if learning and net.projs[q].learns and net.projs[q].logged:
                note_row(net, st, q, i, lo, hi)
            if net.projs[q].probed:
                probe_row(net, st, q, i, lo, hi)
        if modulated:
            release(net, rule_blocks, st, work, n_rows, t)
        if stepped:
            for a in range(st.engine[0].n_touched):
                g = st.neurons[a].touched
                st.neurons[g].stamped = 0
                predict_neuron(net, blocks, st, g)

    # -- spikes ------------------------------------------------------------------------------

    @register_jitable(forceinline=True)
    def collect_spikes(net, blocks, st, work, t):
        """All neurons whose crossing is at t, by number; wakes those whose rest ends."""
        n = 0
        for k in range(net.pops.size):
            if together and net.pops[k].together and st.pops[k].cross == t:
                lo = net.pops[k].lo
                for a in range(st.pops[k].n_found):
                    if st.neurons[lo + a].found_t == t:
                        st.neurons[n].fired = st.neurons[lo + a].found_id
                        n += 1
        while st.engine[0].n_due > 0 and st.neurons[st.neurons[0].tree].due == t:
            g = st.neurons[0].tree
            k = st.neurons[g].pop
            if lazy and st.neurons[g].wakes != CROSSES and net.pops[k].lazy:
                wake_lazy(net, blocks, st, work, k, g, t)
            elif stepped and st.neurons[g].wakes != CROSSES:
                touch(net, blocks, st, g, t)
                predict_neuron(net, blocks, st, g)
            else:
                st.engine[0].n_due = predict(st.neurons, st.engine[0].n_due, g, infinity, infinity)
                st.neurons[n].fired = g
                n += 1
        for a in range(1, n):  # few, and nearly in order
            g, b = st.neurons[a].fired, a
            while b > 0 and st.neurons[b - 1].fired > g:
                st.neurons[b].fired = st.neurons[b - 1].fired
                b -= 1
            st.neurons[b].fired = g
        return n

    @register_jitable(forceinline=True)
    def fire_stepped(net, blocks, st, k, g, t):
        if together and net.pops[k].together and not st.neurons[g].odd:
            st.neurons[g].t_last = st.pops[k].clock
            make_odd(net, st, k, g)
        touch(net, blocks, st, g, t)
        j = net.pops[k].at + g - net.pops[k].lo
        st.neurons[g].ref_until = t + fire_one(blocks, net.pops[k].group, net.pops[k].row, j)
        if together and net.pops[k].together:
            st.pops[k].checked = -infinity
        else:
            predict_neuron(net, blocks, st, g)

    @register_jitable(forceinline=True)
    def fire_all(net, blocks, rule_blocks, st, work, t):
        """Reset the neurons that cross at t, let their synapses learn, send their spikes."""
        n = collect_spikes(net, blocks, st, work, t)
        for a in range(n):
            g = st.neurons[a].fired
            k = st.neurons[g].pop
            if lazy and net.pops[k].lazy:
                fire_lazy(net, blocks, st, work, k, g, t)
            elif stepped:
                fire_stepped(net, blocks, st, k, g, t)
        if learning:
            for a in range(n):
                learn_from_spike(net, rule_blocks, st, work, st.neurons[a].fired, t)
                if watched and st.seen.size > 0:
                    note_column(net, st, st.neurons[a].fired)
        for a in range(n):
            g = st.neurons[a].fired
            emit(net, st, st.neurons[g].pop, g, t)
        if n > 0:
            st.engine[0].culprit = st.neurons[0].fired

    # -- the loop ----------------------------------------------------------------------------

    @register_jitable(forceinline=True)
    def next_plain_arrival(net, st):
        """Time of the earliest spike from outside, or in flight where delays are equal."""
        t = infinity
        if st.engine[0].src_pos < st.engine[0].src_end:
            t = st.source[st.engine[0].src_pos].t
        for q in range(net.projs.size):
            if st.projs[q].ring_n > 0:
                t = min(t, st.rings[q, st.projs[q].ring_head].t)
        return t

    @register_jitable(forceinline=True)
    def next_crossing(net, blocks, st, work, horizon):
        """Time of the earliest crossing (or end of a rest) before the horizon."""
        t = infinity
        if together:
            for k in range(net.pops.size):
                if net.pops[k].together:
                    if st.pops[k].checked < horizon and not st.pops[k].cross < st.pops[k].checked:
                        search_population(net, blocks, st, work, k, horizon)
                    t = min(t, st.pops[k].cross)
        if st.engine[0].n_due > 0:
            t = min(t, st.neurons[st.neurons[0].tree].due)
        return t

    @register_jitable(forceinline=True)
    def rest_ends(net, st):
        """Whether the earliest prediction wakes a lazy neuron, or has it examined."""
        if st.engine[0].n_due == 0:
            return False
        g = st.neurons[0].tree
        return st.neurons[g].wakes != CROSSES and net.pops[st.neurons[g].pop].lazy

    @register_jitable(forceinline=True)
    def room(net, st):
        """DONE if one more round surely fits into the buffers, else what is short."""
        n_neurons = st.neurons.size
        if st.engine[0].n_out + n_neurons > st.output.size:
            return MORE_OUTPUT
        for q in range(net.projs.size):
            if not isnan(net.projs[q].delay):
                n = net.pops[net.projs[q].pre].hi - net.pops[net.projs[q].pre].lo
                if st.projs[q].ring_n + n > st.rings.shape[1]:
                    return MORE_ROOM
        if several and not flight_room(st, st.queue[0].most):
            return MORE_ROOM
        return DONE

    @register_jitable(forceinline=True)
    def all_rounds(net, blocks, rule_blocks, st, work, until):
        past = np.nextafter(until, infinity)
        limit = st.engine[0].deliveries + st.engine[0].budget
        home = 0  # population of the source that spiked last
        while True:
            limit -= PASS
            if st.engine[0].deliveries > limit:
                return PAUSED
            if st.engine[0].halt:
                until = st.engine[0].now
                past = np.nextafter(until, infinity)
            if lazy and st.engine[0].n_used > 0:
                examine_list(net, blocks, st, work)
            # Everything but spikes along rows whose synapses differ in delay, which reach no
            # population that is advanced together.
            other = min(next_plain_arrival(net, st), st.engine[0].input_end)
            spike = next_crossing(net, blocks, st, work, min(other, past))
            stop, check, k = min(spike, other, past), infinity, -1
            if lazy:
                check, k = next_check(net, st)
                stop = min(stop, check)
            flight = infinity
            if several:
                if not open_bucket_of_flights(net, st, stop):
                    return MORE_ROOM
                flight = next_flight(st)
            arrival = min(flight, other)
            t = min(spike, arrival)
            if lazy and check <= min(t, until):
                open_bucket(net, st, k, check)
                continue
            if (
                watched
                and st.engine[0].n_dirty > 0
                and min(t, st.engine[0].input_end) > st.engine[0].now
                and not write_changes(net, st)
            ):
                return MORE_OUTPUT
            if min(t, st.engine[0].input_end) > until:
                st.engine[0].now = until
                return DONE
            if t >= st.engine[0].input_end:
                return MORE_INPUT
            if lazy and spike == arrival and rest_ends(net, st):
                # Not at rest any more when something arrives at this very instant.
                g = st.neurons[0].tree
                wake_lazy(net, blocks, st, work, st.neurons[g].pop, g, t)
                continue
            short = room(net, st)
            if short != DONE:
                return short
            if t == st.engine[0].now:
                st.engine[0].rounds += 1
                if st.engine[0].rounds > MAX_ROUNDS:
                    return TOO_MANY_ROUNDS
            else:
                st.engine[0].rounds = 0
            st.engine[0].now = t
            if (
                lazy
                and several
                and flight < stop
                and deliver_alone(net, blocks, st, work, flight, stop, limit)
            ):
                continue
            if spike < arrival:
                fire_all(net, blocks, rule_blocks, st, work, t)
                continue
            # No more than one spike a neuron and round, which is what ``room`` has made sure of.
            last = -1
            while (
                st.engine[0].src_pos < st.engine[0].src_end
                and st.source[st.engine[0].src_pos].t == t
                and st.source[st.engine[0].src_pos].i > last
            ):
                last = st.source[st.engine[0].src_pos].i
                if not net.pops[home].lo <= last < net.pops[home].hi:
                    home = st.neurons[last].pop
                if several:
                    fetch_rows(net, st, home)
                    emit(net, st, home, last, t)
                    st.engine[0].src_pos += 1
                else:
                    last = emit_sources(net, st, home, t)
            deliver(net, blocks, rule_blocks, st, work, t)

    def instant_loop(net, blocks, rule_blocks, st, work, until):
        _ = source  # closed over so that an edit of any part compiles anew
        return all_rounds(
            borrow(net), borrow(blocks), borrow(rule_blocks), borrow(st), borrow(work), until
        )

    return njit(cache=True, nogil=True, error_model="numpy", pipeline_class=UncollectedCompiler)(
        instant_loop
    )
