"""One call from a network and its spikes to a checked mapping with all its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping import metrics
from mapping.branching import branching_of
from mapping.deadlock import find_deadlock
from mapping.graph import IntArray, SpikingGraph
from mapping.limit import MappingLimit, mapping_limit
from mapping.mesh import Mesh
from mapping.multicast import check_multicast
from mapping.network.recorded import RecordedSpikes
from mapping.partition import Partition, compatible_cores, partition_neurons
from mapping.placement import Placement, place
from mapping.report import BASELINES, MappingReport, Multicast
from mapping.routing import RoutingFunction, routing_function
from mapping.traffic import Traffic, spike_traffic
from simulator.errors import MappingError

__all__ = ["energy_of", "link_loads_of", "map_network", "measure_mapping", "multicast_of"]

# The bound is an assignment problem: cubic in the number of logical cores.
LARGEST_BOUND = 1024


def map_network(
    graph: SpikingGraph,
    mesh: Mesh,
    *,
    partition: str = "sequential",
    placement: str = "auto",
    routing: str | RoutingFunction = "xy",
    seed: int = 0,
    objective: str | Mapping[str, float] = "packet_hops",
    balance: bool = True,
    mix_populations: bool = False,
    pinned: Mapping[str, int | Sequence[int]] | None = None,
    allowed: NDArray[np.bool_] | None = None,
    multicast: str | None = None,
    spikes: RecordedSpikes | None = None,
    partition_options: Mapping[str, Any] | None = None,
    **placement_options: Any,
) -> MappingReport:
    """Partition, place, route and check a network.

    Parameters
    ----------
    graph : SpikingGraph
        The network with the spike counts of a run.
    mesh : Mesh
    partition : str
        One of `partition_names()`; `partition_options` are passed to it.
    placement : str
        One of `placement_names()`; `placement_options` are passed to it.
    routing : str or RoutingFunction
        One of `routing_names()`, or an object.
    seed : int
        Of the partition and the placement, >= 0.
    objective : str or mapping of str to float
        What the placement makes small, as in `place`. Loads and energies are those of `routing`,
        or of dimension order where it leaves a choice.
    balance, mix_populations, pinned
        As in `partition_neurons`; here the neurons are spread over the whole mesh by default.
    allowed : bool array, shape (n_cores,) or (n_logical, n_cores), optional
        Physical cores that may be used, by all logical cores or by each, besides what `pinned` and
        the capacities leave them.
    multicast : str, optional
        One of `multicast_names()`: the multicast figures are those of such trees, with a verdict
        on them, and `spikes` travel along them. None: of the union of the routes.
    spikes : mapping.network.RecordedSpikes, optional
        Sent through the packet network, for `MappingReport.spikes`.

    Raises
    ------
    CapacityError
        The network does not fit; the text says what would do.
    MappingError
        An unknown partition, placement, routing or option, or a routing that does not suit the
        mesh.
    """
    function = routing_function(routing, mesh)
    check_multicast(multicast)
    parts = partition_neurons(
        graph,
        mesh,
        method=partition,
        seed=seed,
        balance=balance,
        mix_populations=mix_populations,
        pinned=pinned,
        **(partition_options or {}),
    )
    traffic = spike_traffic(graph, parts)
    possible = compatible_cores(parts, mesh)
    if allowed is not None:
        possible = possible & _mask(allowed, *possible.shape)
    placed = place(
        traffic,
        mesh,
        placement,
        seed=seed,
        objective=objective,
        allowed=possible,
        routing=routing_for(objective, traffic, mesh, function),
        **placement_options,
    )
    return measure_mapping(
        graph,
        mesh,
        parts,
        traffic,
        placed,
        function,
        partition_method=partition,
        multicast=multicast,
        spikes=spikes,
    )


def _mask(allowed: NDArray[np.bool_], n_logical: int, n_cores: int) -> NDArray[np.bool_]:
    mask = np.asarray(allowed)
    if mask.dtype != np.bool_ or mask.shape not in ((n_cores,), (n_logical, n_cores)):
        raise MappingError(
            f"allowed is {mask.dtype} of shape {mask.shape}; expected bool, ({n_cores},) for all "
            f"logical cores or ({n_logical}, {n_cores}) for each"
        )
    return mask


def measure_mapping(
    graph: SpikingGraph,
    mesh: Mesh,
    partition: Partition,
    traffic: Traffic,
    placement: Placement,
    routing: str | RoutingFunction,
    *,
    partition_method: str = "given",
    multicast: str | None = None,
    spikes: RecordedSpikes | None = None,
) -> MappingReport:
    """The report of a mapping made step by step; `multicast` and `spikes` as in `map_network`."""
    function = routing_function(routing, mesh)
    core_of = placement.core_of
    loads, expected = link_loads_of(traffic, core_of, mesh, function)
    allowed = compatible_cores(partition, mesh)
    trees = None
    if multicast is not None:
        flits = 1 if spikes is None else spikes.flits
        trees = branching_figures(traffic, core_of, mesh, multicast, flits)
    elif not expected:
        trees = multicast_of(traffic, core_of, mesh, function)
    carried = None
    if spikes is not None:
        carried = spikes.latency(graph, partition, core_of, mesh, function, multicast)
    return MappingReport(
        graph=graph,
        mesh=mesh,
        partition=partition,
        traffic=traffic,
        placement=placement,
        partition_method=partition_method,
        routing=function.name,
        baseline_costs={
            name: place(traffic, mesh, name, allowed=allowed).cost for name in BASELINES
        },
        hops=metrics.hops(traffic, core_of, mesh),
        limit=limit_of(traffic, mesh, core_of),
        added_storage=metrics.added_storage(graph, partition),
        link_loads=loads,
        loads_are_expected=expected,
        multicast=trees,
        utilisation=metrics.core_utilisation(partition, mesh, core_of),
        link_utilisation=metrics.link_utilisation(loads, mesh),
        energy_pj=energy_of(traffic, loads, mesh),
        verdict=find_deadlock(mesh, function),
        traffic_verdict=find_deadlock(mesh, function, metrics.physical_flows(traffic, core_of)),
        spikes=carried,
    )


def routing_for(
    objective: str | Mapping[str, float], traffic: Traffic, mesh: Mesh, function: RoutingFunction
) -> RoutingFunction | None:
    """The routing function whose loads a placement shall look at; None for dimension order.

    Packets x hops need none, and a function that leaves a choice defines no loads.
    """
    names = [objective] if isinstance(objective, str) else list(objective)
    if names == ["packet_hops"] or traffic.n_cores > mesh.usable_cores.size:
        return None
    try:
        metrics.link_loads(traffic, mesh.usable_cores[: traffic.n_cores], mesh, function)
    except metrics.AdaptiveRoutingError:
        return None
    return function


def link_loads_of(
    traffic: Traffic, core_of: IntArray, mesh: Mesh, routing: RoutingFunction
) -> tuple[metrics.Loads, bool]:
    """Link loads, and whether they are those of an even split because the routing is adaptive."""
    try:
        return metrics.link_loads(traffic, core_of, mesh, routing), False
    except metrics.AdaptiveRoutingError:
        return metrics.expected_link_loads(traffic, core_of, mesh, routing), True


def energy_of(traffic: Traffic, loads: metrics.Loads, mesh: Mesh) -> float | None:
    """[pJ] of all packets; None if the mesh states no energies."""
    return None if mesh.energy is None else metrics.network_energy_pj(traffic, loads, mesh)


def multicast_of(
    traffic: Traffic, core_of: IntArray, mesh: Mesh, routing: RoutingFunction
) -> Multicast | None:
    """Figures of the multicast flows along the union of the routes, if the traffic has any."""
    flows = traffic.multicast
    if flows is None:
        return None
    loads = metrics.multicast_link_loads(traffic, core_of, mesh, routing)
    return Multicast(
        n_packets=flows.n_packets,
        cost=int(loads.sum()),
        maximum_link_load=metrics.maximum_link_load(loads),
        energy_pj=energy_of(traffic, loads, mesh),
    )


def branching_figures(
    traffic: Traffic, core_of: IntArray, mesh: Mesh, method: str, flits: int
) -> Multicast:
    """Figures of the multicast flows along trees of a method, with a verdict on them."""
    found = branching_of(traffic, core_of, mesh, method)
    return Multicast(
        n_packets=found.n_packets,
        cost=int(found.loads.sum()),
        maximum_link_load=metrics.maximum_link_load(found.loads),
        energy_pj=energy_of(traffic, found.loads, mesh),
        method=method,
        trees=found.trees,
        verdict=found.verdict(mesh, flits),
    )


def limit_of(traffic: Traffic, mesh: Mesh, core_of: IntArray) -> MappingLimit | None:
    """What no placement can beat, unless it would take minutes to know."""
    if traffic.n_cores > LARGEST_BOUND:
        return None
    return mapping_limit(traffic, mesh, core_of)
