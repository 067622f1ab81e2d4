"""The queues of the compiled engine, as kernels on flat arrays.

Three of them, each for what it does best: a ring for a projection with one delay (arrivals come in
the order of emission, so nothing needs sorting), buckets of time for projections whose synapses
differ in delay (:mod:`simulator.flight_queue`), and an indexed heap of predicted crossings with one
place a neuron, moved in place when a prediction changes.
"""

from __future__ import annotations

from math import isnan

from simulator.arrays import EngineState, NetworkArrays, Records
from simulator.flight_queue import flight_push, synapse_delay
from simulator.inner import register_jitable
from simulator.waiting import note_emission

__all__ = [
    "predict",
    "ring_append",
    "ring_pop",
    "ring_push",
    "send",
    "send_piece",
]


@register_jitable(forceinline=True)
def ring_push(st: EngineState, q: int, t: float, emitted: float, i: int) -> None:
    """Append an arrival; the caller has seen to the room.  The capacity is a power of two.

    Spikes of one instant but of several rounds are put in the order of neurons.
    """
    mask = st.rings.shape[1] - 1
    head, n = st.projs[q].ring_head, st.projs[q].ring_n
    while n > 0:
        before = st.rings[q, (head + n - 1) & mask]
        if before.s != emitted or before.i <= i:
            break
        behind = st.rings[q, (head + n) & mask]
        behind.t, behind.s, behind.i = before.t, before.s, before.i
        n -= 1
    entry = st.rings[q, (head + n) & mask]
    entry.t, entry.s, entry.i = t, emitted, i
    st.projs[q].ring_n += 1


@register_jitable(forceinline=True)
def ring_append(
    st: EngineState, q: int, t: float, emitted: float, first: int, end: int, lo: int
) -> None:
    """:func:`ring_push` of spikes ``first`` to ``end`` of the sources; their neurons, counted from
    ``lo``, ascend."""
    mask, head, n = st.rings.shape[1] - 1, st.projs[q].ring_head, st.projs[q].ring_n
    before = st.rings[q, (head + n - 1) & mask]
    if n > 0 and before.s == emitted and before.i > st.source[first].i - lo:
        for a in range(first, end):
            ring_push(st, q, t, emitted, st.source[a].i - lo)
        return
    for a in range(first, end):
        entry = st.rings[q, (head + n + a - first) & mask]
        entry.t, entry.s, entry.i = t, emitted, st.source[a].i - lo
    st.projs[q].ring_n = n + end - first


@register_jitable(forceinline=True)
def ring_pop(st: EngineState, q: int) -> int:
    """Take the earliest arrival of projection ``q``; its presynaptic neuron."""
    k = st.projs[q].ring_head
    st.projs[q].ring_head = (k + 1) & (st.rings.shape[1] - 1)
    st.projs[q].ring_n -= 1
    return int(st.rings[q, k].i)


@register_jitable(forceinline=True)
def send(net: NetworkArrays, st: EngineState, q: int, i: int, t: float) -> None:
    """Send a spike of presynaptic neuron ``i`` at time ``t`` on its way along projection ``q``."""
    if not isnan(net.projs[q].delay):
        ring_push(st, q, t + net.projs[q].delay, t, i)
        return
    send_piece(net, st, q, i, 0, t)


@register_jitable(forceinline=True)
def send_piece(net: NetworkArrays, st: EngineState, q: int, i: int, piece: int, t: float) -> None:
    """Send a spike at time ``t`` along one piece of its row, whose synapses differ in delay."""
    row = net.projs[q].row_at + i * net.projs[q].stride + piece
    s = net.row_ptr[row]
    if s < net.row_ptr[row + 1]:
        if net.projs[q].waits:
            note_emission(net, st, q, row - net.projs[q].row_at if net.projs[q].spread else i, t)
        flight_push(st, t + synapse_delay(net, q, s), t, q, row, 0)


@register_jitable(forceinline=True)
def _due_before(neurons: Records, a: int, b: int) -> bool:
    """Order of two predictions: time, ends of refractoriness first, then neuron."""
    one, other = neurons[a], neurons[b]
    if one.due != other.due:
        return bool(one.due < other.due)
    if one.wakes != other.wakes:
        return bool(one.wakes > other.wakes)
    return a < b


@register_jitable(forceinline=True)
def _sink(neurons: Records, n: int, k: int) -> None:
    neuron = neurons[k].tree
    while True:
        child = 2 * k + 1
        if child >= n:
            break
        if child + 1 < n and _due_before(neurons, neurons[child + 1].tree, neurons[child].tree):
            child += 1
        if not _due_before(neurons, neurons[child].tree, neuron):
            break
        neurons[k].tree = neurons[child].tree
        neurons[neurons[k].tree].place = k
        k = child
    neurons[k].tree = neuron
    neurons[neuron].place = k


@register_jitable(forceinline=True)
def _rise(neurons: Records, k: int) -> None:
    neuron = neurons[k].tree
    while k > 0:
        parent = (k - 1) // 2
        if not _due_before(neurons, neuron, neurons[parent].tree):
            break
        neurons[k].tree = neurons[parent].tree
        neurons[neurons[k].tree].place = k
        k = parent
    neurons[k].tree = neuron
    neurons[neuron].place = k


@register_jitable(apart=True)
def predict(neurons: Records, n: int, neuron: int, t: float, limit: float) -> int:
    """Set, move or (at ``t`` >= ``limit``) cancel a neuron's prediction; the new heap size."""
    # It gets one array only: the tuple of them all, once handed to a function that is not inlined,
    # has to be taken for changed by every store.
    k = neurons[neuron].place
    neurons[neuron].due = t
    if t >= limit:
        if k < 0:
            return n
        neurons[neuron].place = -1
        n -= 1
        if k < n:
            neurons[k].tree = neurons[n].tree
            neurons[neurons[k].tree].place = k
            _rise(neurons, k)
            _sink(neurons, n, neurons[neurons[k].tree].place)
        return n
    if k < 0:
        neurons[n].tree = neuron
        neurons[neuron].place = n
        _rise(neurons, n)
        return n + 1
    _rise(neurons, k)
    _sink(neurons, n, neurons[neuron].place)
    return n
