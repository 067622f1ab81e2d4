"""Allocation of the compiled engine's state, and of more room when a buffer is full."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.arrays import (
    AHEAD,
    CHANGE,
    ENGINE,
    EVENT,
    FLYING,
    NEURON,
    POP_STATE,
    PROJ_STATE,
    RING,
    ROW,
    SPARSE,
    EngineState,
    NetworkArrays,
    Workspace,
    records,
)
from simulator.compile import CompiledNetwork
from simulator.flights import enlarged, new_queue
from simulator.lazy_kernels import LAST_BUCKET, NO_DEADLINE
from simulator.loop_lazy import NO_BUCKET
from simulator.private_input import MOST_AHEAD
from simulator.traces import empty_values
from simulator.waiting import with_longer_past, without_past

__all__ = ["empty_traces", "grown", "new_state", "new_workspace", "with_wider_rings"]

Floats = npt.NDArray[np.float64]

_OUTPUT = 1 << 16  # spikes between two visits of the recorder, at least


def new_state(compiled: CompiledNetwork) -> EngineState:
    """The state at time 0: nothing in flight, every trace 0, no prediction made."""
    net = compiled.arrays
    sizes = net.pops.hi - net.pops.lo
    n_neurons = int(sizes.sum())
    senders = sizes[net.projs.pre]
    neurons = records(n_neurons, NEURON)
    neurons.pop = np.repeat(np.arange(sizes.size), sizes)
    neurons.ref_until, neurons.due, neurons.place = -math.inf, math.inf, -1
    pops = records(sizes.size, POP_STATE)
    pops.checked, pops.cross, pops.left = -math.inf, math.inf, -1.0
    deadline = np.full(n_neurons, NO_DEADLINE, np.int64)
    due_in = np.zeros((sizes.size, LAST_BUCKET + 1), np.int64)
    pops.next_bucket = NO_BUCKET
    for k in np.flatnonzero(net.pops.lazy):  # all to be examined at time 0
        pops[k].next_bucket, due_in[k, 0] = 0, sizes[k]
        deadline[net.pops.lo[k] : net.pops.hi[k]] = 0
    logged = net.weight.size if np.any(net.projs.logged) else 0
    driven = int(sizes[net.pops.input >= 0].sum())
    projs = records(net.projs.size, PROJ_STATE)
    projs.last_post = -math.inf
    for q in np.flatnonzero(net.projs.modulator >= 0):
        felt = net.pops[net.projs.modulator[q]]
        projs.level[q] = compiled.groups.states[felt.group][0, felt.at]
    x_value, y_value = empty_traces(compiled)
    return EngineState(
        engine=records(1, ENGINE),
        neurons=neurons,
        pops=pops,
        projs=projs,
        rings=records((net.projs.size, 2 ** (int(senders.max(initial=1)).bit_length() + 1)), RING),
        **new_queue(net),
        flying=records(0, FLYING),
        source=records(0, EVENT),
        output=records(max(_OUTPUT, 2 * n_neurons), EVENT),
        left=np.zeros(n_neurons),
        granted=np.zeros(n_neurons),
        granted_at=np.zeros(n_neurons),
        use=np.zeros(n_neurons),
        used_up=np.zeros(n_neurons, np.int64),
        deadline=deadline,
        due_in=due_in,
        ahead=records(driven, AHEAD),
        ahead_t=np.zeros((driven, MOST_AHEAD)),
        x_value=x_value,
        y_value=y_value,
        **_without_past(compiled),
        probes=_probes(compiled),
        reached=np.zeros(n_neurons, np.int64),
        seen=net.weight[:logged].copy(),
        marked=np.zeros(logged, np.uint8),
        dirty=np.zeros(logged, np.int64),
        changes=records(logged and logged + _OUTPUT, CHANGE),
    )


def empty_traces(compiled: CompiledNetwork) -> tuple[Floats, Floats]:
    """The traces of both sides before the first spike."""
    net = compiled.arrays
    x, y = [np.empty(0)], [np.empty(0)]
    for row in net.projs[net.projs.plastic > 0]:
        rule, post = compiled.rules[row.rule], net.pops[row.post]
        x.append(empty_values(rule.pre_traces, 0 if row.waits else int(row.n_slots)))
        y.append(empty_values(rule.post_traces, int(post.hi - post.lo)))
    return np.concatenate(x), np.concatenate(y)


def _without_past(compiled: CompiledNetwork) -> dict[str, Any]:
    """What synapses that wait remember before the first spike."""
    net = compiled.arrays
    waiting = net.projs[net.projs.waits > 0]
    rules = [compiled.rules[g] for g in waiting.rule]
    targets = (net.pops.hi - net.pops.lo)[waiting.post]
    return without_past(
        int(waiting.n_slots.sum()),
        max((len(rule.pre_traces) for rule in rules), default=0),
        int(targets.sum()),
        int((targets * waiting.room).sum()),
        max((len(rule.post_traces) for rule in rules), default=0),
    )


def _probes(compiled: CompiledNetwork) -> npt.NDArray[np.uint8]:
    """Which neurons have their events recorded."""
    net = compiled.network
    first = dict(zip(net.populations, compiled.arrays.pops.lo.tolist(), strict=True))
    probes = np.zeros(int(compiled.arrays.pops.hi[-1]), np.uint8)
    for plan in net.recorders.events:
        probes[first[plan.population] + np.array(plan.neurons, np.int64)] = 1
    return probes


def new_workspace(compiled: CompiledNetwork, st: EngineState) -> Workspace:
    """Scratch space that fits the queues of ``st``; the lists of targets in it are to be made."""
    st.projs.n_active = -1
    net = compiled.arrays
    longest = 1
    for row in net.projs:
        if row.kind == SPARSE:
            n_pre = int(net.pops.hi[row.pre] - net.pops.lo[row.pre])
            ends = net.row_ptr[row.row_at : row.row_at + n_pre * row.stride + 1]
            longest = max(longest, int(np.diff(ends).max()))
        else:
            longest = max(longest, int(net.pops.hi[row.post] - net.pops.lo[row.post]))
    variables = max([block.shape[0] for block in compiled.groups.states], default=1)
    return Workspace(
        rows=records(st.rings.size + st.arrivals.shape[1] + st.late.size, ROW),
        sent=np.zeros(longest),
        scratch=np.zeros((variables, st.neurons.size)),
        decay=np.zeros(max(1, variables)),
        rates=np.zeros(max(1, variables)),
        natural=np.zeros((max(1, variables), 1)),
        found=np.zeros(st.neurons.size, np.int64),
        found_t=np.zeros(st.neurons.size),
        active=np.zeros(_listed(net), np.int64),
    )


def _listed(net: NetworkArrays) -> int:
    """Targets of all projections that keep traces."""
    sizes = (net.pops.hi - net.pops.lo)[net.projs.post]
    return int(sizes[net.projs.plastic > 0].sum())


def grown(compiled: CompiledNetwork, st: EngineState) -> EngineState:
    """The same state with more room in the queue that is short of it."""
    net = compiled.arrays
    senders = (net.pops.hi - net.pops.lo)[net.projs.pre]
    if st.engine[0].crowded:
        return with_longer_past(st)
    if np.any(st.projs.ring_n + senders > st.rings.shape[1]):
        return with_wider_rings(st, 2 * st.rings.shape[1])
    return enlarged(net, st)


def with_wider_rings(st: EngineState, capacity: int) -> EngineState:
    """The same state with rings of this capacity, a power of two; the oldest entry comes first."""
    present = st.rings.shape[1]
    order = (st.projs.ring_head[:, None] + np.arange(present)) % present
    rings = records((st.rings.shape[0], capacity), RING)
    rings[:, :present] = np.take_along_axis(st.rings, order, axis=1)
    st.projs.ring_head = 0
    return st._replace(rings=rings)
