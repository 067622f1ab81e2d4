"""Parts of the event loop for recorders: who was reached by an event, which weights changed.

Nothing here touches what the loop computes.  Both are looked at when an instant is over: a neuron
that several events reach at one instant, or a weight that changes twice, is recorded once, with the
value that it is left with.
"""

from __future__ import annotations

from simulator.arrays import SPARSE, EngineState, NetworkArrays
from simulator.incoming import incoming_of, incoming_synapse
from simulator.inner import register_jitable

__all__ = ["note_column", "note_neuron", "note_row", "probe_row", "write_changes"]

AWAITED, REACHED = 1, 2  # states of a probe


@register_jitable
def note_neuron(st: EngineState, g: int) -> None:
    """Something happens to neuron ``g``; the loop ends after this instant if it has a probe."""
    if st.probes[g] == AWAITED:
        st.probes[g] = REACHED
        st.reached[st.engine[0].n_reached] = g
        st.engine[0].n_reached += 1
        st.engine[0].halt = 1


@register_jitable
def probe_row(net: NetworkArrays, st: EngineState, q: int, i: int, lo: int, hi: int) -> None:
    """A row of synapses delivers."""
    k = net.projs[q].post
    if net.projs[q].kind == SPARSE:
        for s in range(lo, hi):
            note_neuron(st, net.pops[k].lo + net.syn_post[net.projs[q].post_at + s])
    else:
        for j in range(net.pops[k].hi - net.pops[k].lo):
            if not (net.projs[q].no_self and j == i):
                note_neuron(st, net.pops[k].lo + j)


@register_jitable
def _note_weight(net: NetworkArrays, st: EngineState, s: int) -> None:
    if net.weight[s] != st.seen[s] and st.marked[s] == 0:
        st.marked[s] = 1
        st.dirty[st.engine[0].n_dirty] = s
        st.engine[0].n_dirty += 1


@register_jitable
def note_row(net: NetworkArrays, st: EngineState, q: int, i: int, lo: int, hi: int) -> None:
    """A row of synapses has learned."""
    if net.projs[q].kind == SPARSE:
        for s in range(lo, hi):
            _note_weight(net, st, net.projs[q].w_at + s)
    else:
        n = net.pops[net.projs[q].post].hi - net.pops[net.projs[q].post].lo
        first = net.projs[q].w_at + i * n
        for s in range(first, first + n):
            _note_weight(net, st, s)


@register_jitable
def note_column(net: NetworkArrays, st: EngineState, g: int) -> None:
    """The synapses into neuron ``g`` have learned."""
    k = st.neurons[g].pop
    j = g - net.pops[k].lo
    for a in range(net.pops[k].learn_lo, net.pops[k].learn_hi):
        q = net.learn_proj[a]
        if net.projs[q].logged:
            w_at = net.projs[q].w_at
            if net.projs[q].kind == SPARSE:
                first, of = net.projs[q].in_at + j, incoming_of(net, q)
                for b in range(net.in_ptr[first], net.in_ptr[first + 1]):
                    _note_weight(net, st, w_at + incoming_synapse(net, of, b)[1])
            else:
                n_post = net.pops[k].hi - net.pops[k].lo
                pre = net.projs[q].pre
                for i in range(net.pops[pre].hi - net.pops[pre].lo):
                    _note_weight(net, st, w_at + i * n_post + j)


@register_jitable
def write_changes(net: NetworkArrays, st: EngineState) -> bool:
    """Put the weights that the instant changed on the list; False if that is full."""
    if st.engine[0].n_changes + st.engine[0].n_dirty > st.changes.size:
        return False
    for a in range(st.engine[0].n_dirty):
        s = st.dirty[a]
        st.marked[s] = 0
        if net.weight[s] != st.seen[s]:
            entry = st.changes[st.engine[0].n_changes]
            entry.t, entry.w, entry.s = st.engine[0].now, net.weight[s], s
            st.seen[s] = net.weight[s]
            st.engine[0].n_changes += 1
    st.engine[0].n_dirty = 0
    return True
