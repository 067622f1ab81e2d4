"""Cores filled in the order of the neurons.

A core is closed when the next neuron would break a capacity, and at the end of a population
unless populations may mix. Cutting a sequence in the largest possible pieces gives the fewest
pieces, so on equal cores no other cut of the same order needs fewer.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapping.graph import BLOCK_WITHOUT_SELF, NO_BLOCK, IntArray
from mapping.partition._base import RESOURCES, WORDS, CapacityError
from mapping.partition._level import BoolArray, Int32Array
from mapping.partition._problem import Problem

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
    offsets = np.concatenate(([0], np.cumsum(limits.sizes))).astype(np.int64)
    n_cores, misfit, resource, needed, pinning = fill_cores(
        order,
        level.population,
        offsets,
        limits.blocks,
        level.vert_start,
        level.vert_net,
        level.own_start,
        level.own_net,
        level.self_axons,
        level.neurons,
        level.synapses,
        level.pinning,
        run_of,
        run_size,
        planned,
        limits.capacity,
        limits.allowed,
        core_of,
        closed_by,
    )
    if misfit >= 0:
        raise _misfit(limited, misfit, resource, needed)
    return Filling(core_of, int(n_cores), closed_by, int(pinning))


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


@njit(cache=True)
def fill_cores(
    order: IntArray,
    population_of: Int32Array,
    offsets: IntArray,
    blocks: NDArray[np.int8],
    in_start: IntArray,
    in_net: Int32Array,
    own_start: IntArray,
    own_net: Int32Array,
    self_axons: IntArray,
    neurons: IntArray,
    synapses: IntArray,
    pinning_of: Int32Array,
    run_of: IntArray,
    run_size: IntArray,
    planned: IntArray,
    capacity: IntArray,
    allowed: BoolArray,
    core_of: IntArray,
    closed_by: IntArray,
) -> tuple[int, int, int, int, int]:
    """Greedy fill of the slots; a vertex that none is left for opens a core beyond them, as large
    as the largest.

    Returns (cores used, misfit vertex or -1, resource, amount it needs, pinning whose slots did
    not suffice or -1). planned[r] > 0 shares the neurons of run r evenly over that many cores.
    """
    n_populations = blocks.shape[0]
    n_slots = capacity.shape[0]
    n_nets = self_axons.size
    axon_on = np.full(n_nets, -1, dtype=np.int64)  # last core that each net has an axon on
    # Last core on which a whole population, or all of it but one neuron, has axons.
    whole_on = np.full(n_populations, -1, dtype=np.int64)
    almost_on = np.full(n_populations, -1, dtype=np.int64)
    taken = np.zeros(n_slots, dtype=np.bool_)
    left = run_size.copy()
    cores_left = planned.copy()
    core, n_cores, lacking, short = -1, 0, 0, -1
    use = np.zeros(3, dtype=np.int64)
    need = np.zeros(3, dtype=np.int64)
    room = np.zeros(3, dtype=np.int64)
    run = -1
    for vertex in order:
        population = population_of[vertex]
        opened = run_of[vertex] != run
        while True:
            if opened:
                run = run_of[vertex]
                use[:] = 0
                core = -2  # No stamp of an earlier core is valid any more.
            need[0] = neurons[vertex]
            need[1] = 0
            need[2] = synapses[vertex]
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
                row = allowed[pinning_of[vertex]]
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
                        room[:] = capacity[slot]
                        break
                if core < 0:
                    # Would an empty machine have taken it?
                    room[:] = 0
                    for slot in range(n_slots):
                        if not row[slot]:
                            continue
                        if (
                            need[0] <= capacity[slot, 0]
                            and need[1] <= capacity[slot, 1]
                            and need[2] <= capacity[slot, 2]
                        ):
                            room[:] = capacity[slot]
                            break
                        worst = slot if worst < 0 else worst
                    if room[0] == 0:
                        for resource in range(3):
                            enough = False
                            for slot in range(n_slots):
                                if row[slot] and need[resource] <= capacity[slot, resource]:
                                    enough = True
                            if not enough:
                                return n_cores, vertex, resource, need[resource], -1
                        for resource in range(3):
                            if need[resource] > capacity[worst, resource]:
                                return n_cores, vertex, resource, need[resource], -1
                    core = n_slots + lacking
                    lacking += 1
                    short = pinning_of[vertex]
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
        use += need
        left[run] -= neurons[vertex]
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
    return n_cores, -1, 0, 0, short
