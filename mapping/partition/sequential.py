"""Cores filled in the order of the neurons.

A core is closed when the next neuron would break a capacity, and at the end of a population
unless populations may mix. Cutting a sequence in the largest possible pieces gives the fewest
pieces, so on equal cores no other cut of the same order needs fewer.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mapping.graph import BLOCK_WITHOUT_SELF, NO_BLOCK, IntArray
from mapping.kernel_part import kernel, wide
from mapping.partition._base import RESOURCES, WORDS, CapacityError
from mapping.partition._level import BoolArray, Level, Limits
from mapping.partition._problem import Problem
from simulator.ragged import row_starts

__all__ = ["assign", "balanced_assignment"]


class Filling(NamedTuple):
    """Result of one pass.

    Attributes
    ----------
    core_of : int64 array, shape (n_vertices,)
        Slot of each vertex; `Problem.n_slots` and above are cores that the machine lacks.
    n_cores : int
    closed_by : int64 array, shape (3,)
        Cores closed by each of `RESOURCES`.
    pinning : int
        Row of `Limits.allowed` whose cores did not suffice; -1 if all did.
    """

    core_of: IntArray
    n_cores: int
    closed_by: IntArray
    pinning: int


def assign(problem: Problem, *, seed: int = 0) -> IntArray:
    """Slot of each vertex; `seed` changes nothing.

    Raises
    ------
    CapacityError
        A vertex exceeds every core by itself, or the cores do not suffice.
    """
    filling = fill(problem)
    if filling.pinning >= 0:
        raise too_many_cores(problem, filling)
    return filling.core_of


def balanced_assignment(problem: Problem) -> tuple[IntArray, int]:
    """Thinnest spread: slots, and the least number of neurons per core that fits the machine."""
    core_of = assign(problem)
    low, best = 1, core_of
    load = np.bincount(core_of, weights=problem.level.neurons)
    high = quota = int(load.max())
    while low <= high:
        middle = (low + high) // 2
        try:
            filling = fill(problem, middle, even=True)
        except CapacityError:
            # A vertex of many neurons needs more than this.
            low = middle + 1
            continue
        if filling.pinning < 0:
            best, quota, high = filling.core_of, middle, middle - 1
        else:
            low = middle + 1
    return best, quota


def fill(problem: Problem, quota: int | None = None, *, even: bool = False) -> Filling:
    """Fill the slots with at most `quota` neurons each; `even` shares out each group."""
    limited = problem if quota is None else problem.with_quota(quota)
    level, limits = limited.level, limited.limits
    n = problem.n_vertices
    # Vertices of one group and one pinning are filled together, the most restricted first.
    rows = limits.allowed.sum(axis=1)[level.pinning]
    order = np.lexsort((np.arange(n), level.group, level.pinning, rows)).astype(np.int64)
    runs = np.stack((level.group, level.pinning), axis=1)[order]
    opens = np.concatenate(([True], np.any(runs[1:] != runs[:-1], axis=1)))
    run_of = np.empty(n, dtype=np.int64)
    run_of[order] = np.cumsum(opens) - 1
    run_size = np.bincount(run_of, weights=level.neurons).astype(np.int64)
    most = int(limits.capacity[:, 0].max())
    planned = -(-run_size // most) if even else np.zeros_like(run_size)
    core_of = np.full(n, -1, dtype=np.int64)
    closed_by = np.zeros(3, dtype=np.int64)
    found = np.array([0, -1, 0, 0, -1])
    fill_cores(
        level,
        limits,
        order,
        row_starts(limits.sizes),
        run_of,
        run_size,
        planned,
        planned.copy(),
        np.full(level.source.size, -1, dtype=np.int64),
        np.full((2, limits.sizes.size), -1, dtype=np.int64),
        np.zeros(limits.capacity.shape[0], dtype=np.bool_),
        np.zeros((3, 3), dtype=np.int64),
        core_of,
        closed_by,
        found,
    )
    n_cores, misfit, resource, needed, pinning = found.tolist()
    if misfit >= 0:
        raise _misfit(limited, misfit, resource, needed)
    return Filling(core_of, n_cores, closed_by, pinning)


def _misfit(problem: Problem, vertex: int, resource: int, needed: int) -> CapacityError:
    row = problem.limits.allowed[problem.level.pinning[vertex]]
    available = int(problem.limits.capacity[row, resource].max())
    where = f"core of the {problem.machine}" if row.all() else "core it is pinned to"
    name = RESOURCES[resource]
    remedy = f"{name} >= {needed} would do"
    if needed <= available:
        # Each resource has a core large enough, but no core has them all.
        remedy = "no single core has enough of all three resources"
        available = int(problem.limits.capacity[np.argmax(row), resource])
    return CapacityError(
        f"{problem.vertex_text(vertex)} needs {needed} {WORDS[resource]} and a {where} "
        f"holds {name} = {available}: {needed - available} short; a neuron cannot be split over "
        f"cores, so {remedy}",
        name,
        int(needed),
        available,
    )


def too_many_cores(problem: Problem, filling: Filling) -> CapacityError:
    """The refusal of a network that needs more cores than there are."""
    capacity = problem.limits.capacity
    available = problem.n_slots
    # Cores too small for what was left do not help, though they stay empty.
    needed = int(filling.core_of.max()) + 1
    side = math.isqrt(needed - 1) + 1
    uniform = bool((capacity == capacity[0]).all())
    reasons = [
        f"{resource}{f' = {capacity[0, k]}' if uniform else ''} closed {count}"
        for k, (resource, count) in enumerate(zip(RESOURCES, filling.closed_by, strict=True))
        if count
    ]
    # Closings account for every core but those left open at the end of a population.
    graph = problem.graph
    cause = ", ".join(reasons)
    if not reasons:
        cause = f"each of {graph.n_populations if graph is not None else 1} populations took one"
    pinned = problem.limits.allowed[filling.pinning]
    if not pinned.all():
        count = int(pinned.sum())
        return CapacityError(
            f"{problem.machine}: the {count} cores that {_pinned_names(problem, filling.pinning)} "
            f"is pinned to do not hold it: {needed - available} short ({cause}); "
            "pin it to more cores",
            "cores",
            count + needed - available,
            count,
        )
    remedy = f"a {side}x{side} mesh would do"
    if not problem.mix_populations and _fits_mixed(problem):
        remedy += ", or mix_populations=True on this one"
    elif reasons:
        remedy += f", or a larger {RESOURCES[int(np.argmax(filling.closed_by))]}"
    return CapacityError(
        f"{problem.machine}: {int(problem.level.neurons.sum())} neurons need {needed} cores and "
        f"there are {available}: {needed - available} short ({cause}); {remedy}",
        "cores",
        needed,
        available,
    )


def _pinned_names(problem: Problem, pinning: int) -> str:
    if problem.graph is None:
        return "the network"
    first = problem.graph.offsets[:-1]
    pinned = np.flatnonzero(problem.level.pinning[first] == pinning)
    return ", ".join(repr(problem.graph.names[p]) for p in pinned)


def _fits_mixed(problem: Problem) -> bool:
    level = problem.level._replace(group=np.zeros_like(problem.level.group))
    mixed = Problem(level, problem.limits, problem.slots, problem.machine, problem.graph, True)
    return fill(mixed).pinning < 0


@kernel
def fill_cores(
    level: Level,
    limits: Limits,
    order: IntArray,
    offsets: IntArray,
    run_of: IntArray,
    left: IntArray,
    planned: IntArray,
    cores_left: IntArray,
    axon_on: IntArray,
    populations_on: IntArray,
    taken: BoolArray,
    amounts: IntArray,
    core_of: IntArray,
    closed_by: IntArray,
    found: IntArray,
) -> None:
    """Greedy fill of the slots; a vertex that none is left for opens a core beyond them, as large
    as the largest.

    Parameters
    ----------
    order : int64 (n,)
        Vertices in the order they are taken; those of one run follow each other.
    offsets : int64 (n_populations + 1,)
        First neuron of each population.
    run_of : int64 (n,)
        Run of each vertex; a new one opens a core.
    left : int64 (n_runs,)
        Neurons of each run; counted down.
    planned, cores_left : int64 (n_runs,)
        Over how many cores those are shared evenly (0: cores are filled), and a copy of that,
        counted down.
    axon_on : int64 (n_nets,)
        Last core that each net has an axon on; -1 at first.
    populations_on : int64 (2, n_populations)
        Last core on which a whole population, and all of it but one neuron, has axons; -1 at first.
    taken : bool (n_slots,)
        False at first.
    amounts : int64 (3, 3)
        Room to work in: what the core holds, what the vertex needs, what the core can hold.
    core_of, closed_by
        As in `Filling`, -1 and 0 at first.
    found : int64 (5,)
        Receives the cores used, the misfit vertex or -1, its resource and how much of that it
        needs, and the pinning whose slots did not suffice or -1.
    """
    blocks, capacity, allowed = limits.blocks, limits.capacity, limits.allowed
    in_start, in_net = level.vert_start, level.vert_net
    own_start, own_net, self_axons = level.own_start, level.own_net, level.self_axons
    n_populations = blocks.shape[0]
    n_slots = capacity.shape[0]
    whole_on, almost_on = populations_on[0], populations_on[1]
    use, need, room = amounts[0], amounts[1], amounts[2]
    core, n_cores, lacking, short = -1, 0, 0, -1
    run = -1
    for vertex in order:
        population = level.population[vertex]
        opened = run_of[vertex] != run
        while True:
            if opened:
                run = run_of[vertex]
                for resource in range(3):
                    use[resource] = 0
                core = -2  # No stamp of an earlier core is valid any more.
            need[0] = level.neurons[vertex]
            need[1] = 0
            need[2] = level.synapses[vertex]
            for pre in range(n_populations):
                kind = blocks[pre, population]
                if kind == NO_BLOCK or (not opened and whole_on[pre] == core):
                    continue
                for source in range(offsets[pre], offsets[pre + 1]):
                    if (opened or axon_on[source] != core) and not (
                        kind == BLOCK_WITHOUT_SELF and source == vertex
                    ):
                        need[1] += 1
            for k in range(in_start[vertex], in_start[vertex + 1]):
                if opened or axon_on[in_net[k]] != core:
                    need[1] += 1
            for k in range(own_start[vertex], own_start[vertex + 1]):
                e = own_net[k]
                if self_axons[e] > 0 and (opened or axon_on[e] != core):
                    need[1] += 1
            if opened:
                row = allowed[level.pinning[vertex]]
                worst = -1
                for slot in range(n_slots):
                    if taken[slot] or not row[slot]:
                        continue
                    if (
                        need[0] <= capacity[slot, 0]
                        and need[1] <= capacity[slot, 1]
                        and need[2] <= capacity[slot, 2]
                    ):
                        core = slot
                        taken[slot] = True
                        for resource in range(3):
                            room[resource] = capacity[slot, resource]
                        break
                if core < 0:
                    # Would an empty machine have taken it?
                    for resource in range(3):
                        room[resource] = 0
                    for slot in range(n_slots):
                        if not row[slot]:
                            continue
                        if (
                            need[0] <= capacity[slot, 0]
                            and need[1] <= capacity[slot, 1]
                            and need[2] <= capacity[slot, 2]
                        ):
                            for resource in range(3):
                                room[resource] = capacity[slot, resource]
                            break
                        worst = slot if worst < 0 else worst
                    if room[0] == 0:
                        # What no slot has enough of, or else what the largest slot lacks.
                        lacks = -1
                        for resource in range(3):
                            enough = False
                            for slot in range(n_slots):
                                if row[slot] and need[resource] <= capacity[slot, resource]:
                                    enough = True
                            if lacks < 0 and not enough:
                                lacks = resource
                        for resource in range(3):
                            if lacks < 0 and need[resource] > capacity[worst, resource]:
                                lacks = resource
                        if lacks >= 0:
                            found[0], found[1], found[2] = n_cores, vertex, lacks
                            found[3] = need[lacks]
                            return
                    core = n_slots + lacking
                    lacking += 1
                    short = wide(level.pinning[vertex])
                n_cores += 1
                if planned[run] > 0:
                    share = max(cores_left[run], 1)
                    room[0] = min(room[0], max((left[run] + share - 1) // share, need[0]))
                    cores_left[run] -= 1
                opened = False
            blocking = -1
            for resource in range(3):
                if use[resource] + need[resource] > room[resource]:
                    blocking = resource
                    break
            if blocking < 0:
                break
            closed_by[blocking] += 1
            opened = True
        for resource in range(3):
            use[resource] += need[resource]
        left[run] -= level.neurons[vertex]
        core_of[vertex] = core
        for pre in range(n_populations):
            kind = blocks[pre, population]
            if kind == NO_BLOCK or whole_on[pre] == core:
                continue
            for source in range(offsets[pre], offsets[pre + 1]):
                if not (kind == BLOCK_WITHOUT_SELF and source == vertex):
                    axon_on[source] = core
            # Two neurons that each leave out themselves cover the population between them.
            if kind != BLOCK_WITHOUT_SELF or almost_on[pre] == core:
                whole_on[pre] = core
            almost_on[pre] = core
        for k in range(in_start[vertex], in_start[vertex + 1]):
            axon_on[in_net[k]] = core
        for k in range(own_start[vertex], own_start[vertex + 1]):
            if self_axons[own_net[k]] > 0:
                axon_on[own_net[k]] = core
    found[0], found[4] = n_cores, short
