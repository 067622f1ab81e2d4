"""Parts of the event loop for populations whose neurons are advanced together, or one by one.

Where every input of a population is all-to-all, one instant touches all its neurons: they share
their decay factors and one clock.  The few *odd* ones, refractory or passed over by a recurrent
projection, keep a clock of their own, so that every neuron is cut into the same intervals as in the
readable engine and rounds alike.
"""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

import numpy as np

from simulator.arrays import EngineState
from simulator.inner import register_jitable
from simulator.lazy_kernels import HORIZONS
from simulator.population_kernels import PopulationKernels

_ENOUGH = 1.2  # of what will probably be used before a deadline
_FEW = 4  # neurons whose crossings are searched at once, without being looked at more closely
_LAST_PLACE = 4.0 * 2.220446049250313e-16
_PAUSE = 3  # searches before the next try, after one that was refused

__all__ = ["Advancing", "make_advancing", "use_up"]


class Advancing(NamedTuple):
    """The functions made here, each on (net, blocks, st, ...)."""

    touch: Any
    crossing_time: Any
    make_odd: Any
    advance_population: Any
    search_population: Any


@register_jitable
def use_up(st: EngineState, k: int, values: Any, first: int, n: int) -> None:
    """Take the largest of ``n`` weights from the allowance of a population."""
    if st.pops[k].left < 0.0:
        return
    # Positive numbers are in the order of their bits, read as integers, and negative ones are
    # below 0 there: a maximum of integers is vectorised, one of floats is not.
    bits = values[first : first + n].view(np.int64)
    highest = np.int64(0)
    for j in range(n):
        highest = max(highest, bits[j])
    most = np.int64(highest).view(np.float64)
    st.pops[k].used += most
    st.pops[k].left -= most


def make_advancing(kernels: PopulationKernels) -> Advancing:
    """Specialise to the models of a network."""
    touch_one, keep_one, put_back_one, advance_all, may_cross, suspect, beyond, crossing_of = (
        kernels.touch, kernels.keep, kernels.put_back, kernels.advance_all, kernels.may_cross,
        kernels.suspect, kernels.beyond, kernels.crossing,
    )  # fmt: skip
    infinity = inf
    spans, n_spans = HORIZONS, len(HORIZONS)

    @register_jitable(forceinline=True)
    def touch(net, blocks, st, g, t):
        """Bring one neuron, by its global number, to time t."""
        k = st.neurons[g].pop
        j = net.pops[k].at + g - net.pops[k].lo
        touch_one(
            blocks,
            net.pops[k].group,
            net.pops[k].row,
            j,
            st.neurons[g].t_last,
            st.neurons[g].ref_until,
            t,
        )
        st.neurons[g].t_last = t

    @register_jitable(forceinline=True)
    def crossing_time(net, blocks, st, g, horizon):
        """When a neuron crosses, if before the horizon and if nothing else arrives."""
        k = st.neurons[g].pop
        j = net.pops[k].at + g - net.pops[k].lo
        dt = crossing_of(
            blocks, net.pops[k].group, net.pops[k].row, j, horizon - st.neurons[g].t_last
        )
        return st.neurons[g].t_last + dt

    @register_jitable(forceinline=True)
    def make_odd(net, st, k, g):
        """Give a neuron a clock of its own."""
        if not st.neurons[g].odd:
            st.neurons[g].odd = 1
            st.neurons[net.pops[k].lo + st.pops[k].n_odd].odd_id = g
            st.pops[k].n_odd += 1

    @register_jitable(forceinline=True)
    def advance_population(net, blocks, st, work, k, t, skip):
        """Bring a population to time t; ``skip`` (global, or -1) receives nothing and stays."""
        lo, n = net.pops[k].lo, net.pops[k].hi - net.pops[k].lo
        if skip >= 0 and not st.neurons[skip].odd:
            st.neurons[skip].t_last = st.pops[k].clock
            make_odd(net, st, k, skip)
        if t > st.pops[k].clock:
            advance_all(
                blocks, net.pops[k].group, net.pops[k].row, net.pops[k].at, n, t - st.pops[k].clock,
                st.neurons, st.pops[k].n_odd, lo, work.scratch,
            )  # fmt: skip
            st.pops[k].clock = t
        kept = 0
        for a in range(st.pops[k].n_odd):
            g = st.neurons[lo + a].odd_id
            if g != skip:
                touch(net, blocks, st, g, t)
            if g == skip or st.neurons[g].ref_until > t:
                st.neurons[lo + kept].odd_id = g
                kept += 1
            else:
                st.neurons[g].odd = 0
                st.pops[k].left = -1.0  # it was not asked what it may receive
        st.pops[k].n_odd = kept
        st.pops[k].checked = -infinity

    @register_jitable(forceinline=True)
    def grant(net, blocks, st, k):
        """Grant a population an allowance: what all its neurons may receive before a deadline
        without a chance of a spike.  Until it is used up, nobody need be searched."""
        clock = st.pops[k].clock
        if st.pops[k].wait > 0:
            st.pops[k].wait -= 1
            return
        elapsed = clock - st.pops[k].granted_at
        if elapsed > 0.0:
            st.pops[k].rate = 0.5 * (st.pops[k].rate + st.pops[k].used / elapsed)
        st.pops[k].granted_at, st.pops[k].used = clock, 0.0
        level = st.pops[k].level
        length = spans[level] * net.pops[k].bucket
        wanted = _ENOUGH * st.pops[k].rate * length
        n = net.pops[k].hi - net.pops[k].lo
        group, row, at = net.pops[k].group, net.pops[k].row, net.pops[k].at
        if beyond(blocks, group, row, at, n, level, wanted) == 0:
            st.pops[k].left, st.pops[k].deadline = wanted, clock + length
            st.pops[k].level = max(level - 1, 0)
        else:
            st.pops[k].level = min(level + 1, n_spans - 1)
            st.pops[k].wait = _PAUSE

    @register_jitable(forceinline=True)
    def search_population(net, blocks, st, work, k, horizon):
        """Find the crossings of a population before the horizon."""
        lo, hi = net.pops[k].lo, net.pops[k].hi
        found, earliest = 0, infinity
        dt = horizon - st.pops[k].clock
        sure = st.pops[k].left >= 0.0 and horizon <= st.pops[k].deadline
        if dt > 0.0 and not (net.pops[k].granted and sure):
            group, row, at = net.pops[k].group, net.pops[k].row, net.pops[k].at
            count = may_cross(blocks, group, row, at, hi - lo, dt, work.found)
            if count == 0 and net.pops[k].granted:
                grant(net, blocks, st, k)
            elif count > 0:
                if count > _FEW and net.pops[k].granted and dt < infinity:
                    suspect(blocks, group, row, at, hi - lo, dt, work.scratch, work.found)
                for g in range(lo, hi):
                    if work.found[g - lo] and not st.neurons[g].odd:
                        st.neurons[g].t_last = st.pops[k].clock
                        # Only the earliest count, and those at the same time.
                        end = min(horizon, earliest + _LAST_PLACE * earliest)
                        t = crossing_time(net, blocks, st, g, end)
                        if t < horizon and t <= earliest:
                            st.neurons[lo + found].found_id, st.neurons[lo + found].found_t = g, t
                            found += 1
                            earliest = min(earliest, t)
        for a in range(st.pops[k].n_odd):
            g = st.neurons[lo + a].odd_id
            t_last = st.neurons[g].t_last
            if st.neurons[g].ref_until > t_last:
                if st.neurons[g].ref_until >= horizon:
                    continue
                # Looked at from the end of its rest and put back: another neuron may fire, and
                # reach this one, before that.
                group, row, j = net.pops[k].group, net.pops[k].row, net.pops[k].at + g - lo
                keep_one(blocks, group, row, j, work.scratch)
                touch(net, blocks, st, g, st.neurons[g].ref_until)
                t = crossing_time(net, blocks, st, g, horizon)
                put_back_one(blocks, group, row, j, work.scratch)
                st.neurons[g].t_last = t_last
            else:
                t = crossing_time(net, blocks, st, g, horizon)
            if t < horizon:
                st.neurons[lo + found].found_id, st.neurons[lo + found].found_t = g, t
                found += 1
                earliest = min(earliest, t)
        st.pops[k].n_found, st.pops[k].cross, st.pops[k].checked = found, earliest, horizon

    return Advancing(touch, crossing_time, make_odd, advance_population, search_population)
