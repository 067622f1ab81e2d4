"""Parts of the event loop for linear neurons that are left alone until they might fire.

See :mod:`simulator.lazy_kernels`.  Deadlines need no exact order, only to come early enough: each
is the number of a bucket of time, and a population is looked through when a bucket comes that
anybody is due in.
"""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

import numpy as np

from simulator.arrays import WAKES
from simulator.frames import next_frame
from simulator.inner import register_jitable
from simulator.lazy_kernels import LAST_BUCKET, NO_DEADLINE, PREDICTED, LazyKernels
from simulator.queues import predict

__all__ = ["NO_BUCKET", "Lazy", "make_lazy"]

NO_BUCKET = 1 << 62


class Lazy(NamedTuple):
    """The functions made here, each on (net, blocks, st, work, ...)."""

    set_frame: Any
    examine_list: Any
    open_bucket: Any
    next_check: Any
    fire: Any
    wake: Any


def make_lazy(kernels: LazyKernels) -> Lazy:
    """Specialise to the models of a network."""
    decays, decay_all, _, _, examine_run, fire_one, release_one, _ = kernels
    infinity = inf

    @register_jitable(forceinline=True)
    def forget(st, k, g):
        """Take a neuron out of its bucket."""
        if st.deadline[g] >= 0:
            st.due_in[k, st.deadline[g] & LAST_BUCKET] -= 1
            st.deadline[g] = NO_DEADLINE

    @register_jitable(forceinline=True)
    def set_frame(net, blocks, st, work, k, t):
        """Move the frame of a population on when its factors have grown large.

        One length at a time, so that amplitudes are rounded alike whenever this is done: it
        depends on which arrivals are seen here, and those differ between workers.
        """
        length = net.pops[k].frame_length
        while t - st.pops[k].frame >= length:
            frame = next_frame(st.pops[k].frame, length)
            decay_all(
                blocks, net.pops[k].group, net.pops[k].row, net.pops[k].at,
                net.pops[k].hi - net.pops[k].lo, frame - st.pops[k].frame,
            )  # fmt: skip
            st.pops[k].frame = frame

    @register_jitable(forceinline=True)
    def decay_to(net, blocks, st, work, k, t):
        """Fill ``work.decay`` with what is left of each mode at time t."""
        set_frame(net, blocks, st, work, k, t)
        decays(blocks, net.pops[k].group, net.pops[k].row, t - st.pops[k].frame, work.decay)

    @register_jitable(forceinline=True)
    def put_on_list(st, g, t):
        """Have a neuron examined at t, before anything else happens."""
        st.used_up[st.engine[0].n_used] = g
        st.engine[0].n_used += 1
        st.engine[0].t_used = t
        st.left[g] = -infinity

    @register_jitable(forceinline=True)
    def examine_list(net, blocks, st, work):
        """Grant new allowances to the neurons on the list, or predict their crossings."""
        t, first = st.engine[0].t_used, 0
        while first < st.engine[0].n_used:
            k = st.neurons[st.used_up[first]].pop
            end = first
            while end < st.engine[0].n_used and st.neurons[st.used_up[end]].pop == k:
                forget(st, k, st.used_up[end])
                end += 1
            decay_to(net, blocks, st, work, k, t)
            found = examine_run(
                blocks, net.pops[k].group, net.pops[k].row, net, st, work, k, first, end, t
            )
            for a in range(found):
                g = work.found[a]
                st.engine[0].n_due = predict(
                    st.neurons, st.engine[0].n_due, g, work.found_t[a], infinity
                )
            first = end
        st.engine[0].n_used = 0

    @register_jitable(forceinline=True)
    def next_check(net, st):
        """Time and population of the earliest deadline."""
        earliest, which = infinity, -1
        for k in range(net.pops.size):
            if net.pops[k].lazy and st.pops[k].next_bucket < NO_BUCKET:
                t = st.pops[k].next_bucket * net.pops[k].bucket
                if t < earliest:
                    earliest, which = t, k
        return earliest, which

    @register_jitable(forceinline=True)
    def open_bucket(net, st, k, t):
        """Put all neurons of the earliest bucket of a population on the list, at its time t."""
        number = st.pops[k].next_bucket
        remaining = st.due_in[k, number & LAST_BUCKET]
        st.due_in[k, number & LAST_BUCKET] = 0
        lo, a = net.pops[k].lo, 0
        mine = st.deadline[lo : net.pops[k].hi]
        while remaining > 0:
            while mine[np.uint64(a)] != number:
                a += 1
            g = lo + a
            mine[a] = NO_DEADLINE
            st.granted[g] -= st.left[g]
            put_on_list(st, g, t)
            remaining -= 1
            a += 1
        st.pops[k].next_bucket = NO_BUCKET
        for b in range(number + 1, number + LAST_BUCKET + 1):
            if st.due_in[k, b & LAST_BUCKET] > 0:
                st.pops[k].next_bucket = b
                break

    @register_jitable(forceinline=True)
    def fire(net, blocks, st, work, k, g, t):
        """Reset a neuron; predict the end of its refractory period, if it has one."""
        decay_to(net, blocks, st, work, k, t)
        rest = fire_one(blocks, net.pops[k].group, net.pops[k].row, net, st, work, k, g, t)
        st.neurons[g].ref_until = t + rest
        if rest > 0.0:
            st.left[g] = infinity
            forget(st, k, g)
            st.deadline[g] = PREDICTED
            st.neurons[g].wakes = WAKES
            st.engine[0].n_due = predict(st.neurons, st.engine[0].n_due, g, t + rest, infinity)
        else:
            put_on_list(st, g, t)

    @register_jitable(forceinline=True)
    def wake(net, blocks, st, work, k, g, t):
        """End a neuron's refractory period, or have it examined at a private arrival."""
        if st.neurons[g].wakes == WAKES:
            decay_to(net, blocks, st, work, k, t)
            release_one(blocks, net.pops[k].group, net.pops[k].row, net, st, work, k, g, t)
        st.engine[0].n_due = predict(st.neurons, st.engine[0].n_due, g, infinity, infinity)
        put_on_list(st, g, t)

    return Lazy(set_frame, examine_list, open_bucket, next_check, fire, wake)
