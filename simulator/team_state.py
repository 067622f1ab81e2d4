"""The state of a network, whole, and as the workers of a team hold it.

Each worker has arrays of the size of the whole network, in which only its own neurons do anything:
the others are in no queue.  Between two windows all workers stand at the same time, and what they
hold can be put together, and shared out again, without a change of any later bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.arrays import (
    RING,
    EngineState,
    NetworkArrays,
    Records,
    Workspace,
    records,
)
from simulator.compile import CompiledNetwork
from simulator.engine_state import new_workspace
from simulator.flights import QUEUE_FIELDS, in_flight, joined, new_queue
from simulator.frames import move_frame
from simulator.lazy_kernels import LAST_BUCKET, NO_DEADLINE
from simulator.loop_lazy import NO_BUCKET
from simulator.model import NeuronModel, Trace
from simulator.parts import Parts
from simulator.waiting import joined_past

__all__ = ["Member", "Share", "gathered", "make_shares", "scattered"]

_BY_NEURON = ("left", "granted", "granted_at", "use", "deadline")
_BUFFERS = (
    "source",
    "output",
    "rings",
    "flying",
    *QUEUE_FIELDS,
)  # empty between two windows, or made anew

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Share(NamedTuple):
    """What a worker's loop is given of the network; the synapses are shared by all."""

    net: NetworkArrays
    first: Ints  # exchanged projections of population k: projections[first[k] : first[k + 1]]
    projections: Ints
    mine: tuple[tuple[int, int], ...]  # by population: its own neurons, from and to
    hears: npt.NDArray[np.bool_]  # by neuron: channels of sources that concern the worker

    def heard(self, source: Records) -> Records:
        """The part of a piece of the sources that concerns the worker."""
        part: Records = source[self.hears[source.i]].view(np.recarray)
        return part


class Member(NamedTuple):
    """The state of one worker."""

    state: EngineState
    work: Workspace
    blocks: tuple[Floats, ...]  # state of the neurons, by model


def make_shares(compiled: CompiledNetwork, parts: Parts) -> list[Share]:
    """The network as each worker sees it."""
    net, shares = compiled.arrays, []
    names = list(compiled.network.populations)
    for w, (direct, exchanged) in enumerate(zip(parts.direct, parts.exchanged, strict=True)):
        pops, projs = net.pops.copy(), net.projs.copy()
        mine = []
        for k, name in enumerate(names):
            size = int(net.pops.hi[k] - net.pops.lo[k])
            cut = parts.bounds.get(name)
            whole = (0, size) if w == 0 else (0, 0)
            mine.append(whole if cut is None else (int(cut[w]), int(cut[w + 1])))
            if cut is None and w > 0:
                pops.together[k] = pops.lazy[k] = 0
            # Spikes of neurons go into the output: it is what the others get to see.
            pops.recorded[k] = pops.group[k] >= 0 or (w == 0 and pops.recorded[k])
        projs.row_at[np.isin(projs.post, [names.index(name) for name in parts.bounds])] += w
        out_proj, pops.out_lo, pops.out_hi = _by_sender(net, direct)
        sent, first, ends = _by_sender(net, exchanged)
        shares.append(
            Share(
                net._replace(pops=pops, projs=projs, out_proj=out_proj),
                np.append(first, ends[-1:]),
                sent,
                tuple(mine),
                _heard(net, direct, w, (net.pops.recorded > 0) & (net.pops.group < 0)),
            )
        )
    return shares


def _by_sender(net: NetworkArrays, chosen: tuple[int, ...]) -> tuple[Ints, Ints, Ints]:
    which = np.array(chosen, np.int64)
    senders = net.projs.pre[which]
    ends = np.cumsum(np.bincount(senders, minlength=net.pops.size)).astype(np.int64)
    return which[np.argsort(senders, kind="stable")], np.append(0, ends[:-1]), ends


def _heard(
    net: NetworkArrays, direct: tuple[int, ...], w: int, recorded: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    hears = np.zeros(int(net.pops.hi[-1]), np.bool_)
    for k in np.flatnonzero(recorded):
        hears[net.pops.lo[k] : net.pops.hi[k]] = w == 0
    for q in direct:
        row = net.projs[q]
        span = slice(net.pops.lo[row.pre], net.pops.hi[row.pre])
        if row.stride > 1:
            n = int(span.stop - span.start) * int(row.stride)
            ends = net.row_ptr[row.row_at : row.row_at + n + 1]
            hears[span] |= (ends[1:] > ends[:-1])[w :: row.stride]
        else:
            hears[span] = True
    return hears


def scattered(compiled: CompiledNetwork, shares: list[Share], whole: EngineState) -> list[Member]:
    """Share out the whole state."""
    members = []
    now = float(whole.engine[0].now)
    for w, share in enumerate(shares):
        fresh = {
            name: getattr(whole, name).copy()
            for name in EngineState._fields
            if name not in ("source", "output", "flying", *QUEUE_FIELDS)
        }
        fed = np.concatenate([share.net.out_proj, share.projections])
        flying = whole.flying[np.isin(whole.flying.q, fed)].view(np.recarray)
        state = EngineState(
            **fresh,
            source=share.heard(whole.source),
            output=records(whole.output.size, whole.output.dtype),
            flying=whole.flying[:0],
            **new_queue(share.net, flying, now),
        )
        own = np.zeros(state.neurons.size, np.bool_)
        for (lo, hi), row in zip(share.mine, share.net.pops, strict=True):
            own[row.lo + lo : row.lo + hi] = True
        state.neurons.place[~own] = -1
        state.deadline[~own] = NO_DEADLINE
        _link(state, share.net)
        engine = state.engine[0]
        engine.n_out = 0
        handled = whole.source.i[: int(whole.engine[0].src_pos)]
        engine.src_pos = np.count_nonzero(share.hears[handled])
        engine.src_end = state.source.size
        if w > 0:
            engine.deliveries = 0
        state.projs.ring_n[~np.isin(np.arange(state.projs.size), fed)] = 0
        blocks = tuple(block.copy() for block in compiled.groups.states)
        members.append(Member(state, new_workspace(compiled, state), blocks))
    return members


def gathered(
    compiled: CompiledNetwork, shares: list[Share], members: list[Member], source: Records
) -> EngineState:
    """Put the state together, with the open piece of the sources; ``compiled.groups`` gets the
    states of the neurons."""
    net, groups, states = compiled.arrays, compiled.groups, [member.state for member in members]
    now = float(states[0].engine[0].now)
    fields = zip(EngineState._fields, states[0], strict=True)
    whole = EngineState(*(v if name in _BUFFERS else v.copy() for name, v in fields))
    for k, pop in enumerate(compiled.network.populations.values()):
        row = net.pops[k]
        if not isinstance(pop.model, NeuronModel):
            continue
        for share, member in zip(shares, members, strict=True):
            lo, hi = share.mine[k]
            block = member.blocks[row.group][:, row.at + lo : row.at + hi]
            if row.lazy:
                taus = pop.model.time_constants(pop.model.parameters)
                frame = float(member.state.pops[k].frame)
                whole.pops[k].frame = move_frame(block, taus, frame, float(row.frame_length), now)
                member.state.pops[k].frame = whole.pops[k].frame
            groups.states[row.group][:, row.at + lo : row.at + hi] = block
            span = slice(row.lo + lo, row.lo + hi)
            whole.neurons[span] = member.state.neurons[span]
            for name in _BY_NEURON:
                getattr(whole, name)[span] = getattr(member.state, name)[span]
            if row.input >= 0:
                at = int(net.inputs[row.input].at)
                whole.ahead[at + lo : at + hi] = member.state.ahead[at + lo : at + hi]
                whole.ahead_t[at + lo : at + hi] = member.state.ahead_t[at + lo : at + hi]
    whole = joined_past(states, whole)
    for q, row in enumerate(net.projs):
        if row.plastic:
            _gather_traces(compiled, shares, states, q, whole)
    _link(whole, net)
    engine = whole.engine[0]
    engine.src_pos, engine.src_end = np.searchsorted(source.t, now, "right"), source.size
    engine.deliveries = sum(int(state.engine[0].deliveries) for state in states)
    whole = whole._replace(
        source=source,
        rings=records((net.projs.size, max(state.rings.shape[1] for state in states)), RING),
        flying=joined([in_flight(net, state) for state in states]),
        **new_queue(net),
    )
    for q in range(net.projs.size):
        _join_rings(states, q, bool(net.pops.group[net.projs[q].pre] < 0), whole)
    return whole


def _link(st: EngineState, net: NetworkArrays) -> None:
    """Make the heap of predictions and the counts of deadlines anew, of the neurons marked so."""
    neurons = st.neurons
    ids = np.flatnonzero(neurons.place >= 0)
    ids = ids[np.lexsort((ids, -neurons.wakes[ids].astype(int), neurons.due[ids]))]
    neurons.tree[: ids.size], neurons.place[ids] = ids, np.arange(ids.size)
    st.engine[0].n_due = ids.size
    st.due_in[:] = 0
    for k in np.flatnonzero(net.pops.lazy):
        numbers = st.deadline[int(net.pops.lo[k]) : int(net.pops.hi[k])]
        numbers = numbers[numbers >= 0]
        st.pops[k].next_bucket = numbers.min(initial=NO_BUCKET)
        st.due_in[k] = np.bincount(numbers & LAST_BUCKET, minlength=LAST_BUCKET + 1)


def _gather_traces(
    compiled: CompiledNetwork,
    shares: list[Share],
    states: list[EngineState],
    q: int,
    whole: EngineState,
) -> None:
    """Traces of a projection: of the targets from their worker, with what waits; of presynaptic
    neurons from any worker who has heard of their last spike."""
    net = compiled.arrays
    row = net.projs[q]
    rule = compiled.rules[row.rule]
    n_post = int(net.pops.hi[row.post] - net.pops.lo[row.post])
    n_slots = 0 if row.waits else int(row.n_slots)
    p = dict(
        zip(rule.Parameters._fields, compiled.groups.rules[row.rule][row.rule_row], strict=True)
    )
    x_ats = [int(row.trace_x_at) + k * n_slots for k in range(len(rule.pre_traces))]
    y_ats = [int(row.trace_y_at) + k * n_post for k in range(len(rule.post_traces))]
    frame = max(float(state.projs[q].frame) for state in states)
    for w, (share, state) in enumerate(zip(shares, states, strict=True)):
        lo, hi = share.mine[row.post]
        for values, ats, n, traces in (
            (state.x_value, x_ats, n_slots, rule.pre_traces),
            (state.y_value, y_ats, n_post, rule.post_traces),
        ):
            for at, trace in zip(ats, traces, strict=True):
                if isinstance(trace, Trace):
                    begin, length = float(state.projs[q].frame), float(row.frame)
                    move_frame(values[None, at : at + n], (p[trace.tau],), begin, length, frame)
        for at in y_ats:
            whole.y_value[at + lo : at + hi] = state.y_value[at + lo : at + hi]
        for at in x_ats:
            mine, all_of = state.x_value[at : at + n_slots], whole.x_value[at : at + n_slots]
            if w == 0:
                all_of[:] = mine
            else:  # who has not heard of the spikes of a neuron reads less
                np.maximum(all_of, mine, out=all_of)
        if row.waits:
            n = int(row.room)
            span = slice(row.waiting_at + lo, row.waiting_at + hi)
            whole.waiting[span] = state.waiting[span]
            span = slice(row.spiked_at + lo * n, row.spiked_at + hi * n)
            whole.spiked[span] = state.spiked[span]
            whole.spiked_y[:, span] = state.spiked_y[:, span]
    for state in states:
        state.projs[q].frame = frame
    whole.projs[q].frame = frame
    whole.projs[q].last_post = max(float(state.projs[q].last_post) for state in states)


def _join_rings(states: list[EngineState], q: int, heard: bool, whole: EngineState) -> None:
    """What is in the ring of a projection: the first worker has it all, unless it comes from a
    source, of which each has ``heard`` a part."""
    parts = []
    for state in states if heard else states[:1]:
        head, n = int(state.projs[q].ring_head), int(state.projs[q].ring_n)
        parts.append(state.rings[q, (head + np.arange(n)) % state.rings.shape[1]])
    ring: Records = np.concatenate(parts).view(np.recarray)
    if heard:
        ring = ring[np.lexsort((ring.i, ring.s))]
        new = np.ones(ring.size, np.bool_)
        new[1:] = (ring.s[1:] != ring.s[:-1]) | (ring.i[1:] != ring.i[:-1])
        ring = ring[new]
    whole.rings[q, : ring.size] = ring
    whole.projs[q].ring_head, whole.projs[q].ring_n = 0, ring.size
