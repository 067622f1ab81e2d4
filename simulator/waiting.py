"""Synapses that wait: what a projection that learns with delays of its own remembers of spikes.

Where all synapses of a row have one delay, their presynaptic traces are those of the neuron.  Where
delays differ, a spike reaches each synapse at a time of its own, but whatever the synapses of a row
remember is the same, each a delay later.  So a row keeps its last spikes, with the traces right
after each, and a synapse keeps nothing.  A postsynaptic spike does not look for its synapses: it is
put on the list of its neuron, with the traces right before it, and each synapse learns from those
that are new to it when the next presynaptic spike arrives.  Which are new follows from the arrival
before, which is that of the spike before.  When a list is full, or somebody wants to know weights,
all synapses of the projection learn what they wait for and the lists are emptied: no bit depends on
when that happens (docs/decisions/0005-memory-of-synapses.md).

An arrival and a postsynaptic spike may share an instant.  What arrives with a delay comes first;
what takes no time comes after the spikes of the round in which it is sent, and before those of
later rounds.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.arrays import (
    PAST,
    SLOT,
    SPIKED,
    EngineState,
    NetworkArrays,
    Records,
    Workspace,
    records,
)
from simulator.inner import register_jitable

__all__ = [
    "drop_what_is_in_flight",
    "forget_arrived",
    "joined_past",
    "note_arrival",
    "note_emission",
    "room_of_a_list",
    "with_longer_past",
    "without_past",
]

_AT_FIRST = 4  # spikes of a row
_SYNAPSES_EACH = 64  # of a neuron, an entry of its list: half a byte a synapse
_SHORTEST, _LONGEST = 4, 256  # lists


# -- in the event loop ----------------------------------------------------------------------


@register_jitable
def note_emission(net: NetworkArrays, st: EngineState, q: int, slot: int, t: float) -> None:
    """A spike at time ``t`` (ms) sets off along a row of projection ``q``.

    Those before are dropped that no synapse has for its last arrival any more.
    """
    a, longest = net.projs[q].past_at + slot, net.projs[q].longest
    n, odd, room = st.slots_past[a].n, st.slots_past[a].odd, st.past.shape[1]
    drop = 0
    while n - odd - drop > 1 and st.past[a, odd + drop + 1].t + longest < t:
        drop += 1
    if drop > 0:
        for e in range(odd, n - drop):
            st.past[a, e] = st.past[a, e + drop]
            for k in range(st.past_x.shape[0]):
                st.past_x[k, a * room + e] = st.past_x[k, a * room + e + drop]
        n -= drop
    entry = st.past[a, n]
    entry.t, entry.in_round, entry.known = t, st.engine[0].rounds, 0
    entry.since, entry.until = -math.inf, math.inf
    st.slots_past[a].n = n + 1
    if n + 1 == room:
        st.engine[0].crowded = 1


@register_jitable(forceinline=True)
def note_arrival(
    net: NetworkArrays, st: EngineState, work: Workspace, q: int, r: int, n_rows: int
) -> None:
    """Note which spike it is that arrives as row ``r`` of ``n_rows``."""
    row, emitted, s = work.rows[r].row, work.rows[r].s, work.rows[r].lo
    a = net.projs[q].past_at
    a += row - net.projs[q].row_at if net.projs[q].spread else work.rows[r].i
    e = st.slots_past[a].n - 1
    while st.past[a, e].t != emitted:
        e -= 1
    other = r + 1  # of those that set off in one instant, the last arrives last
    while (
        other < n_rows
        and work.rows[other].q == q
        and work.rows[other].row == row
        and work.rows[other].s == emitted
        and work.rows[other].lo <= s < work.rows[other].hi
    ):
        e -= 1
        other += 1
    work.rows[r].slot, work.rows[r].spike = a, e


# -- between two instants -------------------------------------------------------------------


def room_of_a_list(n_synapses: int, n_post: int) -> int:
    """How many postsynaptic spikes each of ``n_post`` neurons may have waiting."""
    return min(max(n_synapses // (_SYNAPSES_EACH * n_post), _SHORTEST), _LONGEST)


def without_past(
    n_slots: int, n_traces: int, n_targets: int, room: int, n_post_traces: int
) -> dict[str, Any]:
    """Slots and lists before the first spike, as fields of an engine's state."""
    return {
        "past": records((n_slots, _AT_FIRST), PAST),
        "past_x": np.zeros((max(n_traces, 1), n_slots * _AT_FIRST)),
        "slots_past": records(n_slots, SLOT),
        "spiked": records(room, SPIKED),
        "spiked_y": np.zeros((max(n_post_traces, 1), room)),
        "waiting": np.zeros(n_targets, np.int64),
    }


def with_longer_past(st: EngineState, capacity: int | None = None) -> EngineState:
    """The same state with room for twice as many spikes a row, or for so many."""
    n_slots, before = st.past.shape
    after = 2 * before if capacity is None else capacity
    past = records((n_slots, after), PAST)
    past[:, :before] = st.past
    past_x = np.zeros((st.past_x.shape[0], n_slots, after))
    past_x[:, :, :before] = st.past_x.reshape(past_x.shape[0], n_slots, before)
    st.engine.crowded = int(np.any(st.slots_past.n == after))
    return st._replace(past=past, past_x=past_x.reshape(past_x.shape[0], n_slots * after))


def forget_arrived(st: EngineState, now: float, longest: npt.NDArray[np.float64]) -> None:
    """Have synapses remember arrivals after ``now`` (ms) alone; ``longest`` delay by slot."""
    ahead = _entries(st) & (st.past.t + longest[:, None] > now) & (st.past.until > now)
    st.past.since[ahead] = now
    _keep(st, ahead, ahead)


def drop_what_is_in_flight(st: EngineState, now: float, longest: npt.NDArray[np.float64]) -> None:
    """Have spikes up to ``now`` (ms) count for the synapses alone that they have reached."""
    there = _entries(st)
    ahead = there & (st.past.t + longest[:, None] > now)
    st.past.until[ahead] = np.minimum(st.past.until[ahead], now)
    odd = there & (ahead | (np.arange(st.past.shape[1]) < st.slots_past.odd[:, None]))
    # Of those that have reached all, the last one has the traces of the others in its own.
    number = np.where(there & ~odd, np.arange(st.past.shape[1]), -1)
    last = (number >= 0) & (number == number.max(axis=1, keepdims=True))
    odd &= st.past.since < st.past.until
    _keep(st, odd | last, odd)


def _entries(st: EngineState) -> npt.NDArray[np.bool_]:
    """Which places of the slots are taken."""
    taken: npt.NDArray[np.bool_] = np.arange(st.past.shape[1]) < st.slots_past.n[:, None]
    return taken


def _keep(st: EngineState, kept: npt.NDArray[np.bool_], odd: npt.NDArray[np.bool_]) -> None:
    """Keep some of the spikes, those first that do not count for all synapses."""
    order = np.argsort(np.where(kept, np.where(odd, 0, 1), 2), axis=1, kind="stable")
    st.past[:] = np.take_along_axis(st.past, order, axis=1)
    traces = st.past_x.reshape(st.past_x.shape[0], *st.past.shape)
    traces[:] = np.take_along_axis(traces, order[None], axis=2)
    st.slots_past.n, st.slots_past.odd = kept.sum(axis=1), odd.sum(axis=1)
    st.engine.crowded = int(np.any(st.slots_past.n == st.past.shape[1]))


def joined_past(states: list[EngineState], whole: EngineState) -> EngineState:
    """The spikes of rows that any of several workers knows of."""
    room = max(state.past.shape[1] for state in states)
    wide = [with_longer_past(state, room) for state in states]
    slots, past = wide[0].slots_past.copy(), wide[0].past.copy()
    traces = wide[0].past_x.reshape(wide[0].past_x.shape[0], *past.shape).copy()
    for other in wide[1:]:
        newer = _last(other.past, other.slots_past) > _last(past, slots)
        same = _last(other.past, other.slots_past) == _last(past, slots)
        learned = same[:, None] & (other.past.known > past.known)
        chosen = newer[:, None] | learned
        past[chosen] = other.past[chosen]
        traces[:, chosen] = other.past_x.reshape(traces.shape)[:, chosen]
        slots[newer] = other.slots_past[newer]
    whole.engine.crowded = int(np.any(slots.n == room))
    traces = traces.reshape(traces.shape[0], past.size)
    return whole._replace(past=past, past_x=traces, slots_past=slots)


def _last(past: Records, slots: Records) -> npt.NDArray[np.float64]:
    """Time of the last spike of each slot, ms; of none, before all."""
    number = np.maximum(slots.n - 1, 0)
    times = past.t[np.arange(slots.size), number] if slots.size else np.empty(0)
    result: npt.NDArray[np.float64] = np.where(slots.n > 0, times, -math.inf)
    return result
