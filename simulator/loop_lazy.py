"""Parts of the event loop for linear neurons that are left alone until they might fire.

See :mod:`simulator.lazy_kernels`.  Deadlines need no exact order, only to come early enough: they
are kept in a ring of buckets for each population, each a doubly linked list of neurons.
"""

from __future__ import annotations

from math import floor, inf
from typing import Any, NamedTuple

import numpy as np
from numba.extending import register_jitable

from simulator.frames import next_frame
from simulator.lazy_kernels import CROSSES, HORIZONS, NEVER, LazyKernels
from simulator.queues import predict

__all__ = ["NO_BUCKET", "N_BUCKETS", "Lazy", "make_lazy"]

N_BUCKETS = 16  # a power of two, more than the longest deadline
NO_BUCKET = 1 << 62
assert max(HORIZONS) < N_BUCKETS


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
    decays, decay_all, _, _, examine_one, fire_one, release_one = kernels
    infinity, horizons = inf, HORIZONS

    @register_jitable(forceinline=True)
    def unlink(st, k, g):
        """Take a neuron out of its bucket."""
        one = st.neurons[g]
        if one.bucket >= 0:
            if one.before >= 0:
                st.neurons[one.before].after = one.after
            else:
                st.buckets[k, one.bucket & (N_BUCKETS - 1)] = one.after
            if one.after >= 0:
                st.neurons[one.after].before = one.before
            one.bucket = -1

    @register_jitable(forceinline=True)
    def link(st, k, g, number):
        """Put a neuron into the bucket of this number, if it is not there."""
        one = st.neurons[g]
        if one.bucket != number:
            unlink(st, k, g)
            first = st.buckets[k, number & (N_BUCKETS - 1)]
            one.bucket, one.before, one.after = number, -1, first
            if first >= 0:
                st.neurons[first].before = g
            st.buckets[k, number & (N_BUCKETS - 1)] = g
            st.pops[k].next_bucket = min(st.pops[k].next_bucket, number)

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
                blocks,
                net.pops[k].group,
                net.pops[k].row,
                net.pops[k].at,
                net.pops[k].hi - net.pops[k].lo,
                frame - st.pops[k].frame,
            )
            st.pops[k].frame = frame

    @register_jitable(forceinline=True)
    def decay_to(net, blocks, st, work, k, t):
        """Fill ``work.decay`` with what is left of each mode at time t."""
        set_frame(net, blocks, st, work, k, t)
        decays(blocks, net.pops[k].group, net.pops[k].row, t - st.pops[k].frame, work.decay)

    @register_jitable(forceinline=True)
    def examine(net, blocks, st, work, k, g, t):
        """Grant a neuron an allowance, or predict its crossing; ``work.decay`` is for t."""
        if st.neurons[g].ref_until > t:
            st.left[g] = infinity
            return
        what, value = examine_one(
            blocks, net.pops[k].group, net.pops[k].row, net.pops[k].at + g - net.pops[k].lo,
            work.decay, work.natural,
        )  # fmt: skip
        due = infinity
        if what == CROSSES:
            due = t + value
            # Any arrival moves a crossing; only a positive one can bring one about.
            st.left[g] = -1.0 if value < infinity else 0.0
            unlink(st, k, g)
        else:
            st.left[g] = value
            if what == NEVER:
                unlink(st, k, g)
            else:
                link(st, k, g, np.int64(floor(t / net.pops[k].bucket + 1e-9)) + horizons[what])
        if due < infinity or st.neurons[g].place >= 0:
            st.neurons[g].wakes = 0
            st.engine[0].n_due = predict(st, st.engine[0].n_due, g, due, infinity)

    @register_jitable(forceinline=True)
    def put_on_list(st, g, t):
        """Have a neuron examined at t, before anything else happens."""
        st.used_up[st.engine[0].n_used] = g
        st.engine[0].n_used += 1
        st.engine[0].t_used = t
        st.left[g] = -infinity

    @register_jitable(forceinline=True)
    def examine_list(net, blocks, st, work):
        """Examine the neurons whose allowance is used up or at its deadline."""
        ready = -1
        t = st.engine[0].t_used
        for a in range(st.engine[0].n_used):
            g = st.used_up[a]
            k = st.neurons[g].pop
            if k != ready:
                decay_to(net, blocks, st, work, k, t)
                ready = k
            examine(net, blocks, st, work, k, g, t)
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
        slot = number & (N_BUCKETS - 1)
        g = st.buckets[k, slot]
        st.buckets[k, slot] = -1
        while g >= 0:
            st.neurons[g].bucket = -1
            put_on_list(st, g, t)
            g = st.neurons[g].after
        st.pops[k].next_bucket = NO_BUCKET
        for b in range(number + 1, number + N_BUCKETS):
            if st.buckets[k, b & (N_BUCKETS - 1)] >= 0:
                st.pops[k].next_bucket = b
                break

    @register_jitable(forceinline=True)
    def fire(net, blocks, st, work, k, g, t):
        """Reset a neuron; predict the end of its refractory period, if it has one."""
        decay_to(net, blocks, st, work, k, t)
        rest = fire_one(
            blocks, net.pops[k].group, net.pops[k].row, net.pops[k].at + g - net.pops[k].lo,
            work.decay, work.natural,
        )  # fmt: skip
        st.neurons[g].ref_until = t + rest
        if rest > 0.0:
            st.left[g] = infinity
            unlink(st, k, g)
            st.neurons[g].wakes = 1
            st.engine[0].n_due = predict(st, st.engine[0].n_due, g, t + rest, infinity)
        else:
            put_on_list(st, g, t)

    @register_jitable(forceinline=True)
    def wake(net, blocks, st, work, k, g, t):
        """End a neuron's refractory period."""
        decay_to(net, blocks, st, work, k, t)
        release_one(
            blocks, net.pops[k].group, net.pops[k].row, net.pops[k].at + g - net.pops[k].lo,
            work.decay, work.natural,
        )  # fmt: skip
        st.engine[0].n_due = predict(st, st.engine[0].n_due, g, infinity, infinity)
        put_on_list(st, g, t)

    return Lazy(set_frame, examine_list, open_bucket, next_check, fire, wake)
