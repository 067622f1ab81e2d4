"""Neurons to logical cores, under hard capacities.

This version fills cores in neuron order. A core is closed when the next neuron would break a
capacity, and by default also at the end of a population, so that a core runs one neuron model
and one plasticity rule; `mix_populations=True` lifts that. Cutting a sequence in the largest
possible pieces gives the fewest pieces, so no other cut of the same order needs fewer cores.

Logical cores carry no position: `mapping.placement` gives them one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapping.destinations import Destinations, destination_cores
from mapping.graph import BLOCK_WITHOUT_SELF, NO_BLOCK, IntArray, SpikingGraph
from mapping.mesh import Mesh
from simulator.errors import MappingError

__all__ = ["CapacityError", "Partition", "partition_neurons"]

RESOURCES = ("neurons_per_core", "fan_in_per_core", "synapses_per_core")
_WORDS = ("neurons", "inbound axons", "synapses")


class CapacityError(MappingError):
    """The network does not fit the machine.

    Attributes
    ----------
    resource : str
        "cores", or the capacity of `Mesh` that one neuron alone exceeds.
    needed, available : int
        Amount of that resource; the shortfall is their difference.
    """

    def __init__(self, message: str, resource: str, needed: int, available: int) -> None:
        super().__init__(message)
        self.resource = resource
        self.needed = needed
        self.available = available


@dataclass(frozen=True, eq=False)
class Partition:
    """Which logical core holds each neuron, and how full the cores are.

    Attributes
    ----------
    core_of : int64 array, shape (n_neurons,)
    n_cores : int
        Logical cores in use; every one holds a neuron.
    neurons, fan_in, synapses : int64 arrays, shape (n_cores,)
        Use of the three capacities. `fan_in` counts distinct source neurons with a synapse on
        the core, those on the core itself included: they need an axon entry as well.
    destinations : Destinations
        Logical cores that each neuron's spikes go to.
    """

    core_of: IntArray
    n_cores: int
    neurons: IntArray
    fan_in: IntArray
    synapses: IntArray
    destinations: Destinations

    def population_counts(self, graph: SpikingGraph) -> IntArray:
        """Neurons of each population on each logical core, shape (n_cores, n_populations)."""
        counts = np.zeros((self.n_cores, graph.n_populations), dtype=np.int64)
        np.add.at(counts, (self.core_of, graph.population_of), 1)
        return counts


class _Filling(NamedTuple):
    core_of: IntArray
    n_cores: int
    closed_by: IntArray  # cores closed by each of RESOURCES


def partition_neurons(
    graph: SpikingGraph, mesh: Mesh, *, balance: bool = False, mix_populations: bool = False
) -> Partition:
    """Assign every neuron to a logical core without breaking a capacity.

    Parameters
    ----------
    graph : SpikingGraph
    mesh : Mesh
        Its capacities, and the number of cores that may be used.
    balance : bool
        False: as few cores as the order allows. True: as many as the mesh has use for, by
        lowering the number of neurons per core to the smallest value that still fits, and
        sharing each population evenly over its cores.
    mix_populations : bool
        Whether a core may hold neurons of several populations.

    Raises
    ------
    CapacityError
        A neuron exceeds a core by itself, or the cores do not suffice. The text names the
        resource, the shortfall and what would do.
    """
    fullest = _fill(graph, mesh, mix_populations, mesh.neurons_per_core, even=False)
    if fullest.n_cores > mesh.n_cores:
        raise _too_many_cores(graph, mesh, mix_populations, fullest)
    chosen = _balanced(graph, mesh, mix_populations, fullest) if balance else fullest
    destinations = destination_cores(graph, chosen.core_of, chosen.n_cores)

    def per_core(weights: IntArray) -> IntArray:
        total = np.zeros(chosen.n_cores, dtype=np.int64)
        np.add.at(total, chosen.core_of, weights)
        return total

    return Partition(
        core_of=chosen.core_of,
        n_cores=chosen.n_cores,
        neurons=per_core(np.ones(graph.n_neurons, dtype=np.int64)),
        fan_in=np.bincount(destinations.core, minlength=chosen.n_cores),
        synapses=per_core(graph.synapses()),
        destinations=destinations,
    )


def _balanced(graph: SpikingGraph, mesh: Mesh, mix: bool, fullest: _Filling) -> _Filling:
    """Bisect the neurons per core down to the smallest number that fits the mesh."""
    low, high, best = 1, int(np.bincount(fullest.core_of).max()), fullest
    while low <= high:
        middle = (low + high) // 2
        filling = _fill(graph, mesh, mix, middle, even=True)
        if filling.n_cores <= mesh.n_cores:
            best, high = filling, middle - 1
        else:
            low = middle + 1
    return best


def _fill(graph: SpikingGraph, mesh: Mesh, mix: bool, quota: int, *, even: bool) -> _Filling:
    """Fill cores in neuron order with at most `quota` neurons; `even` shares out each group."""
    group_of = np.zeros_like(graph.population_of) if mix else graph.population_of
    group_size = np.bincount(group_of).astype(np.int64)
    planned = -(-group_size // quota) if even else np.zeros_like(group_size)
    capacity = np.array([quota, mesh.fan_in_per_core, mesh.synapses_per_core], dtype=np.int64)
    core_of = np.full(graph.n_neurons, -1, dtype=np.int64)
    closed_by = np.zeros(3, dtype=np.int64)
    links = graph.connections
    n_cores, misfit, resource, needed = fill_cores(
        graph.population_of,
        graph.offsets,
        links.blocks,
        links.in_start,
        links.in_source,
        links.synapses,
        group_of,
        group_size,
        planned,
        capacity,
        core_of,
        closed_by,
    )
    if misfit >= 0:
        available = int(capacity[resource])
        raise CapacityError(
            f"neuron {graph.neuron_text(misfit)} needs {needed} {_WORDS[resource]} and a core of "
            f"the {mesh} holds {RESOURCES[resource]} = {available}: {needed - available} short; "
            f"a neuron cannot be split over cores, so {RESOURCES[resource]} >= {needed} would do",
            RESOURCES[resource],
            int(needed),
            available,
        )
    return _Filling(core_of, int(n_cores), closed_by)


def _too_many_cores(graph: SpikingGraph, mesh: Mesh, mix: bool, filling: _Filling) -> CapacityError:
    needed, side = filling.n_cores, math.isqrt(filling.n_cores - 1) + 1
    reasons = [
        f"{resource} = {getattr(mesh, resource)} closed {count}"
        for resource, count in zip(RESOURCES, filling.closed_by, strict=True)
        if count
    ]
    # Closings account for every core but those left open at the end of a population.
    cause = ", ".join(reasons) if reasons else f"each of {graph.n_populations} populations took one"
    remedy = f"a {side}x{side} mesh would do"
    if not mix and _fill(graph, mesh, True, mesh.neurons_per_core, even=False).n_cores <= (
        mesh.n_cores
    ):
        remedy += ", or mix_populations=True on this one"
    elif reasons:
        limiting = RESOURCES[int(np.argmax(filling.closed_by))]
        remedy += f", or a larger {limiting}"
    return CapacityError(
        f"{mesh}: {graph.n_neurons} neurons need {needed} cores and there are {mesh.n_cores}: "
        f"{needed - mesh.n_cores} short ({cause}); {remedy}",
        "cores",
        needed,
        mesh.n_cores,
    )


@njit(cache=True)
def fill_cores(
    population_of: IntArray,
    offsets: IntArray,
    blocks: NDArray[np.int8],
    in_start: IntArray,
    in_source: IntArray,
    synapses: IntArray,
    group_of: IntArray,
    group_size: IntArray,
    planned: IntArray,
    capacity: IntArray,
    core_of: IntArray,
    closed_by: IntArray,
) -> tuple[int, int, int, int]:
    """Greedy fill; returns (cores used, misfit neuron or -1, resource, amount it needs).

    planned[g] > 0 shares the neurons of group g evenly over that many cores.
    """
    n_neurons = population_of.size
    n_populations = blocks.shape[0]
    axon_on = np.full(n_neurons, -1, dtype=np.int64)  # last core that each source has an axon on
    # Last core on which a whole population, or all of it but one neuron, has axons.
    whole_on = np.full(n_populations, -1, dtype=np.int64)
    almost_on = np.full(n_populations, -1, dtype=np.int64)
    left = group_size.copy()
    cores_left = planned.copy()
    core = -1
    use = np.zeros(3, dtype=np.int64)
    need = np.zeros(3, dtype=np.int64)
    quota = capacity[0]
    group = -1
    for neuron in range(n_neurons):
        population = population_of[neuron]
        opened = group_of[neuron] != group
        while True:
            if opened:
                group = group_of[neuron]
                core += 1
                use[:] = 0
                quota = capacity[0]
                if planned[group] > 0:
                    share = max(cores_left[group], 1)
                    quota = min(quota, (left[group] + share - 1) // share)
                    cores_left[group] -= 1
            need[0] = 1
            need[1] = 0
            need[2] = synapses[neuron]
            for pre in range(n_populations):
                kind = blocks[pre, population]
                if kind == NO_BLOCK or whole_on[pre] == core:
                    continue
                for source in range(offsets[pre], offsets[pre + 1]):
                    if axon_on[source] != core and not (
                        kind == BLOCK_WITHOUT_SELF and source == neuron
                    ):
                        need[1] += 1
            for k in range(in_start[neuron], in_start[neuron + 1]):
                if axon_on[in_source[k]] != core:
                    need[1] += 1
            blocking = -1
            if use[0] + need[0] > quota:
                blocking = 0
            elif use[1] + need[1] > capacity[1]:
                blocking = 1
            elif use[2] + need[2] > capacity[2]:
                blocking = 2
            if blocking < 0:
                break
            if use[0] == 0:
                return core + 1, neuron, blocking, need[blocking]
            closed_by[blocking] += 1
            opened = True
        use += need
        left[group] -= 1
        core_of[neuron] = core
        for pre in range(n_populations):
            kind = blocks[pre, population]
            if kind == NO_BLOCK or whole_on[pre] == core:
                continue
            for source in range(offsets[pre], offsets[pre + 1]):
                if not (kind == BLOCK_WITHOUT_SELF and source == neuron):
                    axon_on[source] = core
            # Two neurons that each leave out themselves cover the population between them.
            if kind != BLOCK_WITHOUT_SELF or almost_on[pre] == core:
                whole_on[pre] = core
            almost_on[pre] = core
        for k in range(in_start[neuron], in_start[neuron + 1]):
            axon_on[in_source[k]] = core
    return core + 1, -1, 0, 0
