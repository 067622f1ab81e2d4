"""What if: one network on many machines, partitioned, placed and routed in many ways.

Every combination is one row of figures; rows come as they are finished, so that a study may be
shown while it runs, and stopped and gone on with. Partitions and placements are shared by the
rows that have them in common.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Any

from mapping import metrics
from mapping.branching import branching_of
from mapping.deadlock import find_deadlock
from mapping.graph import SpikingGraph
from mapping.mesh import Mesh
from mapping.multicast import multicast_names
from mapping.network.recorded import RecordedSpikes, SpikeLatency
from mapping.partition import (
    Partition,
    compatible_cores,
    partition_names,
    partition_neurons,
)
from mapping.pipeline import energy_of, limit_of, link_loads_of, multicast_of
from mapping.placement import Placement, place, placement_names
from mapping.routing import routing_function, routing_names
from mapping.traffic import Traffic, spike_traffic
from simulator.errors import MappingError

__all__ = ["RANKINGS", "Combination", "WhatIfRow", "combinations", "ranked", "what_if"]


@dataclass(frozen=True)
class Combination:
    """One way to put a network on a machine; the names are those of `map_network`.

    `routing` is how packets find their way: a routing function, or a multicast method whose trees
    they branch along.
    """

    mesh: str
    partition: str
    placement: str
    routing: str
    seed: int

    @property
    def multicast(self) -> str | None:
        """The multicast method, if packets branch."""
        return self.routing if self.routing in multicast_names() else None


@dataclass(frozen=True)
class WhatIfRow:
    """Figures of one combination.

    Attributes
    ----------
    combination : Combination
    problem : str
        Empty, or why there are no figures: the network does not fit, the routing function does
        not suit the mesh. Everything below is None then.
    cores : int
        Logical cores.
    packets : int
        Between cores: one for each target, or those that branch.
    cost : int
        [packets x hops]
    average_hops, maximum_hops
        From the source to each target.
    gap_to_limit, gap_to_bound : float or None
        See `MappingLimit`; None for packets that branch, and the second on more than 1,024 cores.
    maximum_link_load : int
        [packets] of the busiest link, by an even split where the routing is adaptive.
    multicast_cost, multicast_maximum_link_load : int or None
        The same with one packet for all targets of a spike, along the union of the routes; None
        where the routing is adaptive.
    energy_uj : float or None
        [uJ] of all packets; None if the mesh states no energies.
    deadlock_free : bool
        Verdict on the routing function for all flows; on the trees that are used, if packets
        branch.
    outcome : str or None
        Of recorded spikes in the packet network (see `SpikeLatency`): "stable", "unstable",
        "stalled" or "silent"; None if none were sent.
    latency_mean, latency_p99 : float or None
        [cycles] from creation to arrival; None unless stable.
    saturation_margin : float or None
        Most that this load could be multiplied by; None without packets.
    cpu_s : float
        [s] processor time of this row, shared work counted where it was done.
    """

    combination: Combination
    problem: str = ""
    cores: int | None = None
    packets: int | None = None
    cost: int | None = None
    average_hops: float | None = None
    maximum_hops: int | None = None
    gap_to_limit: float | None = None
    gap_to_bound: float | None = None
    maximum_link_load: int | None = None
    multicast_cost: int | None = None
    multicast_maximum_link_load: int | None = None
    energy_uj: float | None = None
    deadlock_free: bool | None = None
    outcome: str | None = None
    latency_mean: float | None = None
    latency_p99: float | None = None
    saturation_margin: float | None = None
    cpu_s: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """One flat record, for tables and files."""
        record = asdict(self)
        combination: dict[str, Any] = record.pop("combination")
        return combination | record

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> WhatIfRow:
        """Row from `to_dict`; what is missing or unknown raises TypeError or KeyError."""
        names = [field.name for field in fields(Combination)]
        rest = {name: value for name, value in record.items() if name not in names}
        return cls(Combination(**{name: record[name] for name in names}), **rest)


# What a study can be ranked by, each with what breaks its ties; the least comes first.
RANKINGS = {
    "cost": ("cost", "maximum_link_load"),
    "maximum_link_load": ("maximum_link_load", "cost"),
    "energy": ("energy_uj", "cost"),
    "multicast_cost": ("multicast_cost", "cost"),
    "average_hops": ("average_hops", "cost"),
    "latency": ("latency_mean", "latency_p99", "cost"),
}


def combinations(
    meshes: Sequence[str],
    partitions: Sequence[str],
    placements: Sequence[str],
    routings: Sequence[str],
    seed: int = 0,
    *,
    multicasts: Sequence[str] = (),
) -> list[Combination]:
    """All combinations, in the order in which the most work is shared.

    Parameters
    ----------
    multicasts : sequence of str
        Trees along which packets branch, as further ways beside the routing functions.

    Raises
    ------
    MappingError
        One of them is empty, or names something twice.
    """
    ways = [*routings, *multicasts]
    for what, names in (
        ("mesh", meshes),
        ("partition", partitions),
        ("placement", placements),
        ("routing", ways),
    ):
        if not names:
            raise MappingError(f"what if: no {what} is given")
        for name in names:
            if list(names).count(name) > 1:
                raise MappingError(f"what if: {what} {name!r} is given twice")
    return [
        Combination(mesh, partition, placement, routing, seed)
        for mesh in meshes
        for partition in partitions
        for placement in placements
        for routing in ways
    ]


def what_if(
    graph: SpikingGraph,
    meshes: dict[str, Mesh],
    chosen: Iterable[Combination],
    *,
    objective: str | Mapping[str, float] = "packet_hops",
    balance: bool = True,
    mix_populations: bool = False,
    pinned: Mapping[str, int | Sequence[int]] | None = None,
    spikes: RecordedSpikes | None = None,
) -> Iterator[WhatIfRow]:
    """The figures of each combination, as soon as they are known, in the order given.

    Parameters
    ----------
    graph : SpikingGraph
    meshes : dict of str to Mesh
        The machines by the names that the combinations use.
    chosen : iterable of Combination
        See `combinations`; those already known can be left out.
    objective, balance, mix_populations, pinned
        As in `map_network`; loads and energies that a placement looks at are those of dimension
        order, because placements are shared by the routing functions.
    spikes : RecordedSpikes, optional
        Sent through the packet network of every combination, for its latencies.

    Yields
    ------
    WhatIfRow
        Also for what does not fit or does not go together, with the reason.

    Raises
    ------
    MappingError
        A combination names a mesh, a partition, a placement or a routing that there is not.
    """

    @cache
    def parts_of(mesh: str, partition: str, seed: int) -> tuple[Partition, Traffic]:
        parts = partition_neurons(
            graph,
            meshes[mesh],
            method=partition,
            seed=seed,
            balance=balance,
            mix_populations=mix_populations,
            pinned=pinned,
        )
        return parts, spike_traffic(graph, parts)

    @cache
    def placement_of(mesh: str, partition: str, placement: str, seed: int) -> Placement:
        parts, traffic = parts_of(mesh, partition, seed)
        return place(
            traffic,
            meshes[mesh],
            placement,
            seed=seed,
            objective=objective,
            allowed=compatible_cores(parts, meshes[mesh]),
        )

    @cache
    def free(mesh: str, routing: str) -> bool:
        return find_deadlock(meshes[mesh], routing).free

    @cache
    def limits(mesh: str, partition: str, placement: str, seed: int) -> Any:
        _, traffic = parts_of(mesh, partition, seed)
        return limit_of(
            traffic, meshes[mesh], placement_of(mesh, partition, placement, seed).core_of
        )

    def one_by_one(way: Combination, traffic: Traffic, placed: Placement) -> dict[str, Any]:
        """What a routing function makes of it: a packet for each target."""
        mesh, core_of = meshes[way.mesh], placed.core_of
        function = routing_function(way.routing, mesh)
        loads, adaptive = link_loads_of(traffic, core_of, mesh, function)
        trees = None if adaptive else multicast_of(traffic, core_of, mesh, function)
        hops = metrics.hops(traffic, core_of, mesh)
        limit = limits(way.mesh, way.partition, way.placement, way.seed)
        return {
            "packets": traffic.n_packets,
            "cost": placed.cost,
            "average_hops": hops.average,
            "maximum_hops": hops.maximum,
            "gap_to_limit": hops.average - 1.0 if traffic.n_packets else 0.0,
            "gap_to_bound": None if limit is None else limit.gap_to_degree,
            "maximum_link_load": metrics.maximum_link_load(loads),
            "multicast_cost": None if trees is None else trees.cost,
            "multicast_maximum_link_load": None if trees is None else trees.maximum_link_load,
            "energy_uj": _energy_uj(traffic, loads, mesh),
            "deadlock_free": free(way.mesh, way.routing),
        }

    def branching(way: Combination, traffic: Traffic, placed: Placement) -> dict[str, Any]:
        """What the trees of a multicast method make of it."""
        mesh = meshes[way.mesh]
        found = branching_of(traffic, placed.core_of, mesh, way.routing)
        flits = 1 if spikes is None else spikes.flits
        return {
            "packets": found.n_packets,
            "cost": int(found.loads.sum()),
            "average_hops": found.hops.average,
            "maximum_hops": found.hops.maximum,
            "maximum_link_load": metrics.maximum_link_load(found.loads),
            "energy_uj": _energy_uj(traffic, found.loads, mesh),
            "deadlock_free": found.verdict(mesh, flits).free,
        }

    def figures(way: Combination) -> dict[str, Any]:
        if not way.multicast:
            routing_function(way.routing, meshes[way.mesh])  # refused before it is placed
        parts, traffic = parts_of(way.mesh, way.partition, way.seed)
        placed = placement_of(way.mesh, way.partition, way.placement, way.seed)
        found = (branching if way.multicast else one_by_one)(way, traffic, placed)
        found["cores"] = parts.n_cores
        if spikes is not None:
            mesh = meshes[way.mesh]
            routing = None if way.multicast else way.routing
            sent = spikes.latency(graph, parts, placed.core_of, mesh, routing, way.multicast)
            found |= _latencies(sent)
        return found

    chosen = list(chosen)
    known = {
        "mesh": list(meshes),
        "partition": partition_names(),
        "placement": placement_names(),
        "routing": [*routing_names(), *multicast_names()],
    }
    for way in chosen:
        for what, names in known.items():
            name = getattr(way, what)
            if name not in names:
                raise MappingError(f"unknown {what} {name!r}; there are {', '.join(names)}")
    for way in chosen:
        began = time.process_time()
        try:
            found = figures(way)
        except MappingError as error:
            found = {"problem": str(error)}
        yield WhatIfRow(way, **found, cpu_s=time.process_time() - began)


def _energy_uj(traffic: Traffic, loads: metrics.Loads, mesh: Mesh) -> float | None:
    energy = energy_of(traffic, loads, mesh)
    return None if energy is None else energy * 1e-6


def _latencies(sent: SpikeLatency) -> dict[str, Any]:
    found: dict[str, Any] = {"outcome": sent.outcome}
    if sent.report is not None:
        found["saturation_margin"] = sent.report.saturation_margin
        if sent.report.latency is not None:
            found["latency_mean"] = sent.report.latency.mean
            found["latency_p99"] = sent.report.latency.p99
    return found


def ranked(rows: Iterable[WhatIfRow], by: str = "cost") -> list[WhatIfRow]:
    """Rows with the best first: what may deadlock after what is free, what has no figures last.

    Parameters
    ----------
    by : str
        One of `RANKINGS`; the rest of the order is that of the rows given.

    Raises
    ------
    MappingError
        `by` is none of them.
    """
    if by not in RANKINGS:
        raise MappingError(f"ranked by {by!r}; it can be {', '.join(RANKINGS)}")

    def key(row: WhatIfRow) -> tuple[Any, ...]:
        values = [getattr(row, name) for name in RANKINGS[by]]
        known = [(value is None, 0 if value is None else value) for value in values]
        return (row.problem != "", row.deadlock_free is not True, *known)

    return sorted(rows, key=key)
