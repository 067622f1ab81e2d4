"""Kernels for neurons that are left alone until they might fire.

The state of a linear neuron is a sum of modes that decay exponentially, each with its own time
constant.  Kept as amplitudes in the frame of an earlier time ``frame``, it needs no update as time
goes on: a delivery adds to the amplitudes, with factors that all targets of a spike share.  What
remains is to know when a neuron may fire.  Each neuron has an *allowance*: the sum of positive
weights that may still arrive before a deadline without any chance of a spike.  Only when it is used
up, or the deadline comes, is the neuron *examined*: its potential worked out, and either a new
allowance granted or the crossing predicted.

``block`` is (amplitudes, parameter rows, horizon table) of a model; times are in ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, floor, inf
from typing import Any, NamedTuple

import numpy as np

from simulator.arrays import CROSSES, EXAMINED
from simulator.frames import growth
from simulator.inner import register_jitable
from simulator.model import NeuronModel
from simulator.prefetch import prefetch, prefetch_entry
from simulator.private_input import draw_next, look_ahead
from simulator.roots import exp_of
from simulator.specialise import choose, jitable, record_from

__all__ = [
    "HORIZONS",
    "LAST_BUCKET",
    "NO_DEADLINE",
    "PREDICTED",
    "LazyKernels",
    "lazy_kernels",
]

# Deadlines in buckets, tried in this order after "never".
HORIZONS = (32, 16, 8, 4, 2, 1)
NEVER = len(HORIZONS)  # the allowance holds for ever
LAST_BUCKET = 63  # of the ring of buckets: a power of two less one, beyond the longest deadline
assert max(HORIZONS) <= LAST_BUCKET
_ENOUGH = 0.7  # of what will probably be used up before a deadline
_SOON = 4  # neurons on the list before a neuron's turn, its arrivals are fetched
_AHEAD, _FAR = 8, 1 << 13  # the same for the targets of a delivery, if there are so many neurons
_TAKEN = -1e300  # an allowance below this marks a neuron that is on the list already

# Where a neuron stands in place of a deadline.
NO_DEADLINE = -1
PREDICTED = -2  # in the heap of predictions


class LazyKernels(NamedTuple):
    """Each takes (blocks, group, row, ...); ``at`` is the population's first neuron."""

    decays: Any  # (dt, out): decay of each mode over dt
    decay_all: Any  # (at, n, dt): decay the amplitudes of a population
    add_row: Any  # (at, port, dt, targets, t_at, n, w, w_at, same, left, lo, touched, count)
    add_all: Any  # (at, port, dt, first, n, w, w_at, same, left, lo, touched, count)
    examine: Any  # (net, st, work, k, first, end, t) -> how many predictions changed
    fire: Any  # (net, st, work, k, g, t) -> refractory period
    release: Any  # (net, st, work, k, g, t)
    add_runs: Any  # (net, st, work, stop, limit) -> how many instants were handled


def lazy_kernels(models: Sequence[type[NeuronModel]], driven: bool = True) -> LazyKernels:
    """The kernels of a network with these models, and with private inputs or without."""
    made = [_of_model(m, driven) if m.linear else _stand_ins() for m in models]
    defaults = _stand_ins()
    return LazyKernels(
        *(choose([kernels[k] for kernels in made], d) for k, d in enumerate(defaults))
    )


def _stand_ins() -> LazyKernels:
    """For models that are never treated this way."""

    def nothing(*args):
        return None

    def count(*args):
        return 0

    def number(*args):
        return 0.0

    return LazyKernels(nothing, nothing, count, count, count, number, nothing, count)


@register_jitable(forceinline=True)
def _arrivals(st, r, until):
    """How many arrivals of a private input may come up to a time; beyond counting if unknown."""
    if st.ahead[r].known < until:
        return inf
    n, times = 0, st.ahead_t[r]
    while n < st.ahead[r].n and times[n] <= until:
        n += 1
    return float(n)


def _of_model(model: type[NeuronModel], with_inputs: bool) -> LazyKernels:
    view, load = record_from(model.State), record_from(model.Parameters)
    time_constants, kick, to_modes, from_modes, clamp, allowance, reset = jitable(
        model.time_constants,
        model.kick,
        model.to_modes,
        model.from_modes,
        model.clamp,
        model.allowance,
        model.fire,
    )
    (cross,) = jitable(model.crossing, apart=True)
    n_horizons, spans = len(HORIZONS), HORIZONS

    def decays(block, row, dt, out):
        tau = time_constants(load(block[1][row]))
        for k in range(len(tau)):
            out[k] = exp(-dt / tau[k])

    def decay_all(block, row, at, n, dt):
        tau = time_constants(load(block[1][row]))
        for k in range(len(tau)):
            left = exp(-dt / tau[k])
            mode = block[0][k][at : at + n]
            for j in range(n):
                mode[j] *= left

    def add_row(
        block, row, at, port, dt, targets, t_at, n, w, w_at, same, left, lo, touched, count,
    ):  # fmt: skip
        p = load(block[1][row])
        tau, amount = time_constants(p), kick(p, port)
        post = targets[t_at : t_at + n]
        for k in range(len(tau)):
            if amount[k] != 0.0:
                c = amount[k] * growth(dt * (1.0 / tau[k]))
                mode = block[0][k][at:]
                if same:
                    c *= w[w_at]
                    for s in range(n):
                        mode[np.uint32(post[s])] += c
                else:
                    weights = w[w_at : w_at + n]
                    for s in range(n):
                        mode[np.uint32(post[s])] += weights[s] * c
        mine = left[lo:]
        for s in range(n):
            j = np.uint32(post[s])
            used = mine[j] - max(w[w_at if same else w_at + s], 0.0)
            mine[j] = used
            if used < 0.0 and used > _TAKEN:
                mine[j] = -inf
                touched[count] = lo + j
                count += 1
        return count

    def add_all(block, row, at, port, dt, first, n, w, w_at, same, left, lo, touched, count):
        p = load(block[1][row])
        tau, amount = time_constants(p), kick(p, port)
        for k in range(len(tau)):
            if amount[k] != 0.0:
                c = amount[k] * growth(dt * (1.0 / tau[k]))
                mode = block[0][k][at + first : at + first + n]
                if same:
                    c *= w[w_at]
                    for j in range(n):
                        mode[j] += c
                else:
                    weights = w[w_at : w_at + n]
                    for j in range(n):
                        mode[j] += weights[j] * c
        mine = left[lo + first : lo + first + n]
        for j in range(n):
            used = mine[j] - max(w[w_at if same else w_at + j], 0.0)
            mine[j] = used
            if used < 0.0 and used > _TAKEN:
                mine[j] = -inf
                touched[count] = lo + first + j
                count += 1
        return count

    def read(block, p, j, decay, natural):
        for k in range(block[0].shape[0]):
            natural[k, 0] = block[0][k, j] * decay[k]
        from_modes(view(natural), 0, p)

    def write(block, p, j, decay, natural):
        to_modes(view(natural), 0, p)
        for k in range(block[0].shape[0]):
            block[0][k, j] = natural[k, 0] / decay[k]

    read, write = jitable(read, write)

    def catch_up(block, p, net, st, work, k, g, t, until):
        """Add to a neuron what its private input has brought up to t; draw ahead up to ``until``.

        ``work.decay`` is for t.
        """
        e = net.pops[k].input
        if not with_inputs:
            return
        if e < 0:
            return
        tau, amount = time_constants(p), kick(p, net.inputs[e].port)
        r, j = net.inputs[e].at + g - net.pops[k].lo, net.pops[k].at + g - net.pops[k].lo
        mine, times, used = st.ahead[r], st.ahead_t[r], 0
        while True:
            past = used
            while past < mine.n and times[past] <= t:
                past += 1
            for m in range(len(tau)):
                if amount[m] != 0.0:
                    total, rate = 0.0, 1.0 / tau[m]
                    for a in range(used, past):
                        total += exp_of((times[a] - t) * rate)
                    block[0][m, j] += net.inputs[e].weight * amount[m] * total / work.decay[m]
            st.engine[0].deliveries += past - used
            used = past
            if used < mine.n or mine.known > t:
                break
            mine.n = used = 0
            draw_next(net, st, e, r)
        look_ahead(net, st, e, r, used, until)

    catch_up = register_jitable(forceinline=True)(catch_up)

    def examine(block, row, net, st, work, k, first, end, t):
        p = load(block[1][row])
        horizons = block[2][row]
        shift = net.pops[k].at - net.pops[k].lo
        # A bucket begins at its number times the length: this one has begun.
        number = np.int64(floor(t / net.pops[k].bucket + 1e-9))
        found = 0
        driven, at, weight = with_inputs and net.pops[k].input >= 0, 0, 0.0
        if driven:
            e = net.pops[k].input
            at, weight = net.inputs[e].at - net.pops[k].lo, max(net.inputs[e].weight, 0.0)
        farthest = (number + spans[0]) * net.pops[k].bucket
        for a in range(first, end):
            g = st.used_up[a]
            if driven and a + _SOON < end:
                prefetch(st.ahead_t, at + st.used_up[a + _SOON])
            catch_up(block, p, net, st, work, k, g, t, farthest)
            read(block, p, g + shift, work.decay, work.natural)
            n = view(work.natural)
            # How fast allowances are used up, by the last two or so: a deadline that will probably
            # not be lived to see is granted less than an earlier one.
            elapsed = t - st.granted_at[g]
            if elapsed > 0.0:
                st.use[g] = 0.5 * (st.use[g] + st.granted[g] / elapsed)
            expected = _ENOUGH * st.use[g] * net.pops[k].bucket
            level, granted, sure = NEVER, allowance(n, 0, p, horizons[n_horizons]), 0.0
            if weight > 0.0 or granted < expected * spans[0]:
                level, for_ever = 0, 0.0 if weight > 0.0 else granted
                while True:
                    granted = sure = allowance(n, 0, p, horizons[level])
                    last = level == n_horizons - 1
                    if weight > 0.0:
                        granted -= weight * _arrivals(
                            st, at + g, (number + spans[level]) * net.pops[k].bucket
                        )
                    if last or granted >= max(expected * spans[level], 1e-300):
                        break
                    level += 1
                if for_ever > 0.5 * granted:
                    level, granted = NEVER, for_ever
            due, deadline = inf, np.int64(NO_DEADLINE)
            if granted > 0.0:
                st.left[g], st.granted[g], st.granted_at[g] = granted, granted, t
                if level < n_horizons:
                    deadline = number + spans[level]
            else:
                due = t + cross(n, 0, p)
                # Any arrival moves a crossing; only a positive one can bring one about.
                st.left[g] = -1.0 if due < inf else 0.0
                st.granted[g], st.granted_at[g] = 0.0, t
                st.neurons[g].wakes = CROSSES
                if driven:
                    upcoming = (
                        st.ahead_t[at + g, 0] if st.ahead[at + g].n else st.ahead[at + g].known
                    )
                    if upcoming <= due:
                        due = upcoming
                        st.neurons[g].wakes = EXAMINED
                        if sure > 0.0 and due <= (number + 1) * net.pops[k].bucket:
                            st.left[g] = sure
            if due < inf or st.deadline[g] == PREDICTED:
                work.found[found], work.found_t[found] = g, due
                found += 1
                if due < inf:
                    deadline = np.int64(PREDICTED)
            st.deadline[g] = deadline
            if deadline >= 0:
                st.due_in[k, deadline & LAST_BUCKET] += 1
                st.pops[k].next_bucket = min(st.pops[k].next_bucket, deadline)
        return found

    def fire(block, row, net, st, work, k, g, t):
        p, j = load(block[1][row]), net.pops[k].at + g - net.pops[k].lo
        catch_up(block, p, net, st, work, k, g, t, t)
        read(block, p, j, work.decay, work.natural)
        rest = reset(view(work.natural), 0, p)
        write(block, p, j, work.decay, work.natural)
        return rest

    def release(block, row, net, st, work, k, g, t):
        p, j = load(block[1][row]), net.pops[k].at + g - net.pops[k].lo
        catch_up(block, p, net, st, work, k, g, t, t)
        read(block, p, j, work.decay, work.natural)
        clamp(view(work.natural), 0, p)
        write(block, p, j, work.decay, work.natural)

    def add_runs(block, row, net, st, work, stop, limit):
        """Deliver the arrivals of the open bucket before time ``stop`` that have an instant and a
        neuron of this model to themselves, until one is to be examined."""
        runs, targets, weights, left = st.arrivals[0], net.syn_post, net.weight, st.left
        queue, engine, modes, rates = st.queue[0], st.engine[0], block[0], work.rates
        first, last, q, now = queue.open_at, queue.n_open, np.int64(-1), engine.now
        deliveries, touched = engine.deliveries, engine.n_used
        p = load(block[1][row])
        tau, amount = time_constants(p), kick(p, 0)
        group = net.pops[net.projs[runs[first].q].post].group
        at = lo = post = w_at = np.int64(0)
        same, far, frame, length, a = False, False, 0.0, 0.0, first
        while a < last and touched == 0 and deliveries <= limit:
            t = runs[a].t
            if t >= stop or (a + 1 < last and runs[a + 1].t == t):
                break
            if runs[a].q != q:
                q = np.int64(runs[a].q)
                proj = net.projs[q]
                pop = net.pops[proj.post]
                if (
                    proj.transmits or proj.plastic or proj.probed or not pop.lazy
                    or pop.group != group
                ):  # fmt: skip
                    break
                p = load(block[1][pop.row])
                tau, amount = time_constants(p), kick(p, proj.port)
                for m in range(len(tau)):
                    rates[m] = 1.0 / tau[m]  # rounded as where rows are added, for the same bits
                at, lo, frame, length = pop.at, pop.lo, st.pops[proj.post].frame, pop.frame_length
                post, w_at, same = proj.post_at, proj.w_at, bool(proj.same)
                far = pop.hi - lo > _FAR
            dt = t - frame
            if dt >= length:
                break
            if far and a + _AHEAD < last and runs[a + _AHEAD].q == q:
                j = targets[post + net.row_ptr[runs[a + _AHEAD].row] + runs[a + _AHEAD].k]
                for m in range(len(tau)):
                    if amount[m] != 0.0:
                        prefetch_entry(modes[m], at + j)
                prefetch_entry(left, lo + j)
            s = net.row_ptr[runs[a].row] + runs[a].k
            end = s + runs[a].n
            deliveries += end - s
            for m in range(len(tau)):
                if amount[m] != 0.0:
                    c = amount[m] * growth(dt * rates[m])
                    mode = modes[m]
                    for e in range(s, end):
                        mode[at + targets[post + e]] += weights[w_at if same else w_at + e] * c
            for e in range(s, end):
                g = lo + targets[post + e]
                used = left[g] - max(weights[w_at if same else w_at + e], 0.0)
                left[g] = used
                if used < 0.0 and used > _TAKEN:
                    left[g] = -inf
                    st.used_up[touched] = g
                    touched += 1
            now = t
            a += 1
        queue.open_at, engine.now, engine.t_used = a, now, now
        engine.deliveries, engine.n_used = deliveries, touched
        return a - first

    return LazyKernels(decays, decay_all, add_row, add_all, examine, fire, release, add_runs)
