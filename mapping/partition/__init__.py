"""Neurons to logical cores, under hard capacities, with few packets between the cores.

What is made small is the number of packets that enter the network: a spike costs one for every
core that holds a target of the neuron, its own core excepted, however many synapses wait there.
In the words of hypergraph partitioning this is the connectivity metric (km1) of nets weighted by
spike counts; it is not the cut of the graph, which would count every synapse.

One method, one file. To add a method, add a file ``mapping/partition/<name>.py`` whose docstring
starts with one line of description and that defines::

    def assign(problem: Problem, *, seed: int) -> IntArray

with further keyword options as it likes; it returns a slot of `problem` for each vertex. What
it returns is counted again and refused if a core is over a capacity.

Logical cores carry no position: `mapping.placement` gives them one.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from mapping import _discovery
from mapping.destinations import Destinations, destination_cores, net_destinations
from mapping.graph import IntArray, SpikingGraph
from mapping.hypergraph import Hypergraph
from mapping.mesh import Mesh
from mapping.partition._base import CapacityError, Partition, compatible_cores
from mapping.partition._problem import Problem, problem_of_graph, problem_of_hypergraph
from mapping.partition.sequential import assign as in_order_assignment
from mapping.partition.sequential import balanced_assignment
from simulator.errors import MappingError

__all__ = [
    "CapacityError",
    "Partition",
    "Problem",
    "compatible_cores",
    "partition_hypergraph",
    "partition_names",
    "partition_neurons",
]

Method = Callable[..., IntArray]


def partition_names() -> list[str]:
    """Names that `partition_neurons` accepts as `method`."""
    return _discovery.names(sys.modules[__name__])


def partition_neurons(
    graph: SpikingGraph,
    mesh: Mesh,
    *,
    method: str | Method = "sequential",
    seed: int = 0,
    balance: bool = False,
    mix_populations: bool = False,
    pinned: Mapping[str, int | Sequence[int]] | None = None,
    **options: Any,
) -> Partition:
    """Assign every neuron to a logical core without breaking a capacity.

    Parameters
    ----------
    graph : SpikingGraph
    mesh : Mesh
        Its cores and their capacities; faulty ones are not used.
    method : str or callable
        A name of `partition_names()`, or a function of the same form.
    seed : int
        Same network, mesh, options and seed give the same partition.
    balance : bool
        False: few cores, no more than filling them in order takes. True: the neurons are spread
        over the mesh, by lowering the number of neurons per core to the smallest value that
        still fits.
    mix_populations : bool
        Whether a core may hold neurons of several populations.
    pinned : mapping of population name to core or cores, optional
        Physical cores of `mesh` that alone may hold the population's neurons.
    **options
        Passed to the method, which lists them in its docstring.

    Raises
    ------
    CapacityError
        A neuron exceeds a core by itself, or the cores do not suffice. The text names the
        resource, the shortfall and what would do.
    MappingError
        An unknown method, option or population, or a method that broke a capacity.
    """
    problem = problem_of_graph(
        graph, mesh.capacities, str(mesh), mix_populations=mix_populations, pinned=pinned
    )
    name, slot_of = _run(problem, method, seed, balance, options)
    used, core_of = np.unique(slot_of, return_inverse=True)
    core_of = core_of.astype(np.int64)
    destinations = destination_cores(graph, core_of, used.size)
    partition = _partition(problem, name, used, core_of, destinations, mesh.n_cores)
    start, core = destinations
    remote = core != np.repeat(core_of, np.diff(start))
    owner = np.repeat(np.arange(graph.n_neurons), np.diff(start))
    return replace(partition, packets=float(graph.spike_counts[owner[remote]].sum()))


def partition_hypergraph(
    hypergraph: Hypergraph,
    machine: Mesh | ArrayLike,
    *,
    method: str | Method = "multilevel",
    seed: int = 0,
    balance: bool = False,
    **options: Any,
) -> Partition:
    """Assign every vertex of a hypergraph to a logical core without breaking a capacity.

    Parameters
    ----------
    hypergraph : Hypergraph
    machine : Mesh, or array of int, shape (n_cores, 3)
        Neurons, inbound axons and synapses that each core can hold. An inbound axon is a net
        with a target on the core.
    method, seed, balance, **options
        As in `partition_neurons`.

    Raises
    ------
    CapacityError
        As in `partition_neurons`.
    MappingError
        An unknown method or option, or capacities that are no such table.
    """
    if isinstance(machine, Mesh):
        capacities, text = machine.capacities, str(machine)
    else:
        capacities = np.asarray(machine)
        if capacities.ndim != 2 or capacities.shape[1] != 3 or capacities.dtype.kind not in "iu":
            raise MappingError(
                f"capacities have shape {capacities.shape} and type {capacities.dtype}; expected "
                "integers of shape (n_cores, 3): neurons, inbound axons, synapses"
            )
        if capacities.min(initial=0) < 0:
            raise MappingError("capacities hold a negative number; they must be >= 0")
        capacities, text = capacities.astype(np.int64), f"machine of {capacities.shape[0]} cores"
    problem = problem_of_hypergraph(hypergraph, capacities, text)
    name, slot_of = _run(problem, method, seed, balance, options)
    used, core_of = np.unique(slot_of, return_inverse=True)
    core_of = core_of.astype(np.int64)
    destinations = net_destinations(hypergraph.net_start, hypergraph.pins, core_of, used.size)
    partition = _partition(problem, name, used, core_of, destinations, capacities.shape[0])
    return replace(partition, packets=hypergraph.packets(core_of))


def _run(
    problem: Problem, method: str | Method, seed: int, balance: bool, options: dict[str, Any]
) -> tuple[str, IntArray]:
    """Name of the method and the slot of each vertex."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise MappingError(f"seed = {seed!r}; it must be an integer >= 0")
    if isinstance(method, str):
        name = method
        module = sys.modules[__name__]
        function = cast(Method, _discovery.load(module, name, "partition method", "assign"))
    else:
        name, function = getattr(method, "__name__", type(method).__name__), method
    known = [option for option in inspect.signature(function).parameters if option != "seed"][1:]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise MappingError(
            f"partition method {name!r} has no option {unknown[0]!r}; "
            f"it has {', '.join(known) or 'none'}"
        )
    in_order: IntArray | None = None
    refusal: CapacityError | None = None
    quota = None
    try:
        if balance:
            in_order, quota = balanced_assignment(problem)
        else:
            in_order = in_order_assignment(problem)
    except CapacityError as error:
        # Another order may need fewer axons, so another method may fit all the same.
        if name == "sequential" or error.resource != "cores":
            raise
        refusal = error
    if name == "sequential" and in_order is not None:
        return name, in_order
    chosen = np.arange(problem.n_slots)
    if in_order is not None and not balance:
        chosen = np.unique(in_order)
    narrowed = problem.with_slots(chosen)
    if quota is not None:
        narrowed = narrowed.with_quota(quota)
    try:
        returned = function(narrowed, seed=int(seed), **options)
        slot_of = chosen[_checked_slots(narrowed, name, returned)]
    except CapacityError as error:
        if in_order is None:
            raise (refusal or error) from error
        # What fits in order is not refused because a method could not use the room.
        slot_of = in_order
    return name, slot_of


def _checked_slots(problem: Problem, name: str, returned: ArrayLike) -> IntArray:
    slot_of = np.asarray(returned)
    if slot_of.shape != (problem.n_vertices,) or slot_of.dtype.kind not in "iu":
        raise MappingError(
            f"partition method {name!r} returned {slot_of.dtype} of shape {slot_of.shape}; "
            f"expected a slot for each of {problem.n_vertices} vertices"
        )
    if slot_of.min() < 0 or slot_of.max() >= problem.n_slots:
        raise MappingError(
            f"partition method {name!r} used a core outside 0..{problem.n_slots - 1}"
        )
    return slot_of.astype(np.int64)


def _partition(
    problem: Problem,
    name: str,
    used: IntArray,
    core_of: IntArray,
    destinations: Destinations,
    n_physical: int,
) -> Partition:
    """Count the use of every core once more, and refuse what breaks a capacity."""
    level, limits = problem.level, problem.limits
    n_cores = used.size

    def per_core(amounts: IntArray) -> IntArray:
        total = np.zeros(n_cores, dtype=np.int64)
        np.add.at(total, core_of, amounts)
        return total

    allowed = np.ones((n_cores, used.size), dtype=np.bool_)
    pinned_to = None
    if not limits.allowed.all():
        allowed = np.ones((n_cores, problem.n_slots), dtype=np.bool_)
        for row in range(limits.allowed.shape[0]):
            allowed[np.unique(core_of[level.pinning == row])] &= limits.allowed[row]
        pinned_to = np.zeros((n_cores, n_physical), dtype=np.bool_)
        pinned_to[:, problem.slots] = allowed
        if not allowed[np.arange(n_cores), used].all():
            raise MappingError(f"partition method {name!r} put a pinned neuron elsewhere")
    partition = Partition(
        core_of=core_of,
        n_cores=n_cores,
        neurons=per_core(level.neurons),
        fan_in=np.bincount(destinations.core, minlength=n_cores),
        synapses=per_core(level.synapses),
        destinations=destinations,
        pinned_to=pinned_to,
        method=name,
    )
    over = np.argwhere(partition.use > limits.capacity[used])
    if over.size:
        core, resource = over[0]
        raise MappingError(
            f"partition method {name!r} gave core {core} {partition.use[core, resource]} of "
            f"resource {resource} where {limits.capacity[used[core], resource]} fit"
        )
    if problem.graph is not None and not problem.mix_populations:
        first = np.full(n_cores, -1, dtype=np.int64)
        first[core_of[::-1]] = level.group[::-1]
        if np.any(first[core_of] != level.group):
            raise MappingError(f"partition method {name!r} mixed populations on a core")
    return partition
