"""The arrays that partitioning works on: one hypergraph, and an assignment of it to cores.

A `Level` is the network itself or a coarser picture of it, in which a vertex stands for a cluster
of neurons. Its nets are directed: the *source* sends one packet of a given weight to every core
that holds a *pin* (a target), its own core excepted. Targets inside the source's own vertex never
cost a packet; they are left out of the pins and remembered in `self_axons`, because the core
needs an axon entry for them all the same.

All-to-all projections are not expanded. They depend on neurons only through the numbers of each
population on each core, which is what an `Assignment` counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.graph import BLOCK_WITHOUT_SELF, IntArray
from mapping.kernel_part import kernel, kernel_part, wide
from simulator.ragged import row_starts

__all__ = ["Assignment", "Level", "Limits", "assign", "fits", "gain_vector", "packets", "shift"]

Int32Array = NDArray[np.int32]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


class Level(NamedTuple):
    """A directed hypergraph in compressed rows; n vertices, m nets.

    Attributes
    ----------
    net_start : int64 (m + 1,); net_pin : int32
        Target vertices of each net, each once, the source's own vertex left out.
    source : int32 (m,)
        Source vertex; -1 is outside the machine, from where every core costs a packet.
    weight : float64 (m,)
        Packets sent to each core.
    axons, self_axons : int64 (m,)
        Axon entries a core needs that holds a pin; those needed on the source's own core in any
        case.
    vert_start : int64 (n + 1,); vert_net : int32
        Nets that have the vertex as a pin.
    own_start : int64 (n + 1,); own_net : int32
        Nets that start at the vertex.
    neurons, synapses : int64 (n,)
    population, group, pinning : int32 (n,)
        Population; kind of core it may share (see `Limits`); row of `Limits.allowed`.
    spikes : float64 (n,)
        Spikes of its neurons, which all-to-all projections carry.
    """

    net_start: IntArray
    net_pin: Int32Array
    source: Int32Array
    weight: FloatArray
    axons: IntArray
    self_axons: IntArray
    vert_start: IntArray
    vert_net: Int32Array
    own_start: IntArray
    own_net: Int32Array
    neurons: IntArray
    synapses: IntArray
    population: Int32Array
    group: Int32Array
    pinning: Int32Array
    spikes: FloatArray


class Limits(NamedTuple):
    """What an assignment must respect, and the all-to-all projections.

    Attributes
    ----------
    capacity : int64 (n_cores, 3)
        Neurons, inbound axons, synapses of each core.
    allowed : bool (n_pinnings, n_cores)
    blocks : int8 (n_populations, n_populations)
        [pre, post] as in `mapping.graph.Connections`.
    sizes : int64 (n_populations,)
    spikes : float64 (n_populations,)
        Spikes of each population.
    any_block : bool
        False spares the counting of populations.
    """

    capacity: IntArray
    allowed: BoolArray
    blocks: NDArray[np.int8]
    sizes: IntArray
    spikes: FloatArray
    any_block: bool


class Assignment(NamedTuple):
    """Cores of the vertices, and every count that follows from them.

    Attributes
    ----------
    core_of : int32 (n,)
    pins : int32 (m, n_cores)
        Pins of each net on each core.
    near : int32; near_start : int64 (m + 1,); n_near : int32 (m,)
        Cores that hold a pin of net e: ``near[near_start[e]:near_start[e] + n_near[e]]``.
    use : int64 (n_cores, 3)
        As `Limits.capacity`.
    group_on : int32 (n_cores,)
        Group of the vertices on the core, -1 if it is empty.
    held : int64 (n_populations, n_cores)
        Neurons of each population on each core.
    reached : int64 (n_populations, n_cores)
        Neurons on each core that the population reaches all-to-all.
    sent : float64 (n_populations, n_cores)
        Spikes of each population's neurons on each core.
    head : int32 (n_cores,); follow, precede : int32 (n,)
        Vertices of a core as a closed chain that starts at `head` (-1 if empty).
    n_members : int64 (n_cores,)
        Vertices on each core.
    """

    core_of: Int32Array
    pins: Int32Array
    near: Int32Array
    near_start: IntArray
    n_near: Int32Array
    use: IntArray
    group_on: Int32Array
    held: IntArray
    reached: IntArray
    sent: FloatArray
    head: Int32Array
    follow: Int32Array
    precede: Int32Array
    n_members: IntArray


def assign(level: Level, limits: Limits, core_of: Int32Array) -> Assignment:
    """Count everything for a given assignment, which may break the limits."""
    n, m = level.neurons.size, level.source.size
    n_cores, n_populations = limits.capacity.shape[0], limits.sizes.size
    most_near = np.minimum(np.diff(level.net_start), n_cores)
    near_start = row_starts(most_near)
    a = Assignment(
        core_of=np.full(n, -1, dtype=np.int32),
        pins=np.zeros((m, n_cores), dtype=np.int32),
        near=np.empty(int(near_start[-1]), dtype=np.int32),
        near_start=near_start,
        n_near=np.zeros(m, dtype=np.int32),
        use=np.zeros((n_cores, 3), dtype=np.int64),
        group_on=np.full(n_cores, -1, dtype=np.int32),
        held=np.zeros((n_populations, n_cores), dtype=np.int64),
        reached=np.zeros((n_populations, n_cores), dtype=np.int64),
        sent=np.zeros((n_populations, n_cores)),
        head=np.full(n_cores, -1, dtype=np.int32),
        follow=np.full(n, -1, dtype=np.int32),
        precede=np.full(n, -1, dtype=np.int32),
        n_members=np.zeros(n_cores, dtype=np.int64),
    )
    count(level, limits, a, core_of)
    return a


@kernel
def count(level: Level, limits: Limits, a: Assignment, core_of: Int32Array) -> None:
    """Fill an empty assignment; see `assign`."""
    for v in range(core_of.size):
        c = wide(core_of[v])
        a.core_of[v] = c
        a.use[c, 0] += level.neurons[v]
        a.use[c, 2] += level.synapses[v]
        a.group_on[c] = level.group[v]
        a.held[level.population[v], c] += level.neurons[v]
        a.sent[level.population[v], c] += level.spikes[v]
        _join_chain(a, v, c)
    for e in range(level.source.size):
        for k in range(level.net_start[e], level.net_start[e + 1]):
            c = core_of[level.net_pin[k]]
            if a.pins[e, c] == 0:
                a.near[a.near_start[e] + a.n_near[e]] = c
                a.n_near[e] += 1
            a.pins[e, c] += 1
        home = core_of[level.source[e]] if level.source[e] >= 0 else -1
        for k in range(a.near_start[e], a.near_start[e] + a.n_near[e]):
            a.use[a.near[k], 1] += level.axons[e]
        if home >= 0 and a.pins[e, home] == 0:
            a.use[home, 1] += level.self_axons[e]
    if limits.any_block:
        for pre in range(limits.sizes.size):
            for post in range(limits.sizes.size):
                if limits.blocks[pre, post]:
                    for c in range(a.use.shape[0]):
                        a.reached[pre, c] += a.held[post, c]
            for c in range(a.use.shape[0]):
                a.use[c, 1] += block_axons(limits, pre, a.held[pre, c], a.reached[pre, c])


@kernel_part
def _join_chain(a: Assignment, v: int, c: int) -> None:
    head = a.head[c]
    if head < 0:
        a.head[c] = v
        a.follow[v] = v
        a.precede[v] = v
    else:
        last = a.precede[head]
        a.follow[last] = v
        a.precede[v] = last
        a.follow[v] = head
        a.precede[head] = v
    a.n_members[c] += 1


@kernel_part
def _leave_chain(a: Assignment, v: int, c: int) -> None:
    follow, precede = a.follow[v], a.precede[v]
    a.follow[precede] = follow
    a.precede[follow] = precede
    a.n_members[c] -= 1
    if a.n_members[c] == 0:
        a.head[c] = -1
    elif a.head[c] == v:
        a.head[c] = follow


@kernel_part
def block_axons(limits: Limits, pre: int, held: int, reached: int) -> int:
    """Axons that the all-to-all projections of `pre` take on a core with so many neurons."""
    if reached == 0:
        return 0
    lone = limits.blocks[pre, pre] == BLOCK_WITHOUT_SELF and reached == 1 and held == 1
    return int(limits.sizes[pre]) - (1 if lone else 0)


@kernel
def packets(level: Level, limits: Limits, a: Assignment) -> float:
    """Packets between cores: sum over nets of weight x (cores with a pin, the source's not)."""
    total = 0.0
    for e in range(level.source.size):
        home = a.core_of[level.source[e]] if level.source[e] >= 0 else -1
        reached = a.n_near[e]
        if home >= 0 and a.pins[e, home] > 0:
            reached -= 1
        total += reached * level.weight[e]
    if limits.any_block:
        for pre in range(limits.sizes.size):
            for c in range(a.use.shape[0]):
                if a.reached[pre, c] > 0:
                    total += limits.spikes[pre] - a.sent[pre, c]
    return total


@kernel_part
def gain_vector(level: Level, limits: Limits, a: Assignment, v: int, out: FloatArray) -> None:
    """Packets saved by moving vertex `v` to each core; 0 for the core it is on."""
    n_cores = out.size
    here = a.core_of[v]
    base = 0.0
    for c in range(n_cores):
        out[c] = 0.0
    for k in range(level.vert_start[v], level.vert_start[v + 1]):
        e = level.vert_net[k]
        w = level.weight[e]
        home = a.core_of[level.source[e]] if level.source[e] >= 0 else -1
        if a.pins[e, here] > 1 or home == here:
            base -= w
        # A packet more on every core but those that hold a pin or the source.
        for j in range(a.near_start[e], a.near_start[e] + a.n_near[e]):
            out[a.near[j]] += w
        if home >= 0 and a.pins[e, home] == 0:
            out[home] += w
    for k in range(level.own_start[v], level.own_start[v + 1]):
        e = level.own_net[k]
        w = level.weight[e]
        if a.pins[e, here] > 0:
            base -= w
        for j in range(a.near_start[e], a.near_start[e] + a.n_near[e]):
            out[a.near[j]] += w
    if limits.any_block:
        for c in range(n_cores):
            if c != here:
                out[c] += block_gain(level, limits, a, v, c)
    for c in range(n_cores):
        out[c] += base
    out[here] = 0.0


@kernel_part
def gain(level: Level, limits: Limits, a: Assignment, v: int, there: int) -> float:
    """One entry of `gain_vector`."""
    here = a.core_of[v]
    if here == there:
        return 0.0
    total = 0.0
    for k in range(level.vert_start[v], level.vert_start[v + 1]):
        e = level.vert_net[k]
        home = a.core_of[level.source[e]] if level.source[e] >= 0 else -1
        if a.pins[e, here] == 1 and home != here:
            total += level.weight[e]
        if a.pins[e, there] == 0 and home != there:
            total -= level.weight[e]
    for k in range(level.own_start[v], level.own_start[v + 1]):
        e = level.own_net[k]
        if a.pins[e, here] > 0:
            total -= level.weight[e]
        if a.pins[e, there] > 0:
            total += level.weight[e]
    if limits.any_block:
        total += block_gain(level, limits, a, v, there)
    return total


@kernel_part
def block_gain(level: Level, limits: Limits, a: Assignment, v: int, there: int) -> float:
    """The part of the all-to-all projections in `gain`."""
    here = a.core_of[v]
    own = level.population[v]
    size = level.neurons[v]
    total = 0.0
    for pre in range(limits.sizes.size):
        moved = size if limits.blocks[pre, own] else 0
        spikes = level.spikes[v] if pre == own else 0.0
        if moved == 0 and pre != own:
            continue
        if a.reached[pre, here] > 0:
            total += limits.spikes[pre] - a.sent[pre, here]
        if a.reached[pre, there] > 0:
            total += limits.spikes[pre] - a.sent[pre, there]
        if a.reached[pre, here] - moved > 0:
            total -= limits.spikes[pre] - (a.sent[pre, here] - spikes)
        if a.reached[pre, there] + moved > 0:
            total -= limits.spikes[pre] - (a.sent[pre, there] + spikes)
    return total


@kernel_part
def axons_after(level: Level, limits: Limits, a: Assignment, v: int, there: int) -> int:
    """Inbound axons of core `there` once vertex `v` has moved there."""
    total = int(a.use[there, 1])
    for k in range(level.vert_start[v], level.vert_start[v + 1]):
        e = level.vert_net[k]
        if a.pins[e, there] == 0:
            total += level.axons[e]
            if level.source[e] >= 0 and a.core_of[level.source[e]] == there:
                total -= level.self_axons[e]
    for k in range(level.own_start[v], level.own_start[v + 1]):
        e = level.own_net[k]
        if a.pins[e, there] == 0:
            total += level.self_axons[e]
    if limits.any_block:
        own = level.population[v]
        size = level.neurons[v]
        for pre in range(limits.sizes.size):
            moved = size if limits.blocks[pre, own] else 0
            came = size if pre == own else 0
            held, reached = a.held[pre, there], a.reached[pre, there]
            total += block_axons(limits, pre, held + came, reached + moved)
            total -= block_axons(limits, pre, held, reached)
    return total


@kernel_part
def may_share(level: Level, limits: Limits, a: Assignment, v: int, there: int) -> bool:
    """Whether pinning and the group of the core's vertices allow the vertex there."""
    if not limits.allowed[level.pinning[v], there]:
        return False
    return bool(a.n_members[there] == 0 or a.group_on[there] == level.group[v])


@kernel_part
def fits(
    level: Level, limits: Limits, a: Assignment, v: int, there: int, capacity: IntArray
) -> bool:
    """Whether core `there` holds vertex `v` as well, within `capacity` (shape of use)."""
    if not may_share(level, limits, a, v, there):
        return False
    return bool(within(level, limits, a, v, there, capacity))


@kernel_part
def within(
    level: Level, limits: Limits, a: Assignment, v: int, there: int, capacity: IntArray
) -> bool:
    if a.use[there, 0] + level.neurons[v] > capacity[there, 0]:
        return False
    if a.use[there, 2] + level.synapses[v] > capacity[there, 2]:
        return False
    return bool(axons_after(level, limits, a, v, there) <= capacity[there, 1])


@kernel_part
def shift(level: Level, limits: Limits, a: Assignment, v: int, there: int) -> None:
    """Move vertex `v` to core `there`; all counts follow."""
    here = wide(a.core_of[v])
    if here == there:
        return
    a.use[there, 1] = axons_after(level, limits, a, v, there)
    for k in range(level.vert_start[v], level.vert_start[v + 1]):
        e = level.vert_net[k]
        a.pins[e, here] -= 1
        if a.pins[e, here] == 0:
            j = a.near_start[e]
            while a.near[j] != here:
                j += 1
            a.n_near[e] -= 1
            a.near[j] = a.near[a.near_start[e] + a.n_near[e]]
            a.use[here, 1] -= level.axons[e]
            if level.source[e] >= 0 and a.core_of[level.source[e]] == here:
                a.use[here, 1] += level.self_axons[e]
        # Only now, so that the list never needs more room than the net has pins.
        if a.pins[e, there] == 0:
            a.near[a.near_start[e] + a.n_near[e]] = there
            a.n_near[e] += 1
        a.pins[e, there] += 1
    for k in range(level.own_start[v], level.own_start[v + 1]):
        e = level.own_net[k]
        if a.pins[e, here] == 0:
            a.use[here, 1] -= level.self_axons[e]
    own = level.population[v]
    size = level.neurons[v]
    if limits.any_block:
        for pre in range(limits.sizes.size):
            moved = size if limits.blocks[pre, own] else 0
            left = size if pre == own else 0
            held, reached = a.held[pre, here], a.reached[pre, here]
            a.use[here, 1] -= block_axons(limits, pre, held, reached)
            a.use[here, 1] += block_axons(limits, pre, held - left, reached - moved)
            a.reached[pre, here] -= moved
            a.reached[pre, there] += moved
    a.held[own, here] -= size
    a.held[own, there] += size
    a.sent[own, here] -= level.spikes[v]
    a.sent[own, there] += level.spikes[v]
    a.use[here, 0] -= size
    a.use[there, 0] += size
    a.use[here, 2] -= level.synapses[v]
    a.use[there, 2] += level.synapses[v]
    a.core_of[v] = there
    _leave_chain(a, v, here)
    if a.n_members[here] == 0:
        a.group_on[here] = -1
    _join_chain(a, v, there)
    a.group_on[there] = level.group[v]
