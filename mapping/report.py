"""One call from a network and its spikes to a checked placement with all its figures."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mapping import metrics
from mapping.deadlock import Verdict, find_deadlock
from mapping.graph import IntArray, SpikingGraph
from mapping.mesh import Mesh
from mapping.partition import Partition, partition_neurons
from mapping.placement import Placement, place
from mapping.routing import Channel, RoutingFunction, routing_function
from mapping.traffic import Traffic, spike_traffic
from simulator.errors import DataError

__all__ = ["BASELINES", "SCHEMA_VERSION", "MappingReport", "map_network"]

SCHEMA_VERSION = 1
BASELINES = ("sequential", "serpentine")


@dataclass(frozen=True, eq=False)
class MappingReport:
    """A network on a machine, with every figure that says how good the mapping is.

    Attributes
    ----------
    graph, mesh, partition, traffic, placement
        The input and the three steps.
    routing : str
    baseline_costs : dict of str to int
        [packets x hops] cost of the same partition under each of `BASELINES`.
    hops : metrics.Hops
    link_loads : int64 array, shape (mesh.n_link_ids,)
        Packets over each link, by link id.
    utilisation : metrics.Utilisation
    link_utilisation : float
        Share of links in use.
    energy_pj : float or None
        [pJ] energy of all packets; None if the mesh states no energies.
    verdict : Verdict
        Of the routing function for all flows, whatever the traffic.
    traffic_verdict : Verdict
        Restricted to the flows of this network.
    """

    graph: SpikingGraph
    mesh: Mesh
    partition: Partition
    traffic: Traffic
    placement: Placement
    routing: str
    baseline_costs: dict[str, int]
    hops: metrics.Hops
    link_loads: IntArray
    utilisation: metrics.Utilisation
    link_utilisation: float
    energy_pj: float | None
    verdict: Verdict
    traffic_verdict: Verdict

    @property
    def core_of(self) -> IntArray:
        """Physical core of every neuron, shape (n_neurons,)."""
        return self.placement.core_of[self.partition.core_of]

    @property
    def cost(self) -> int:
        """[packets x hops] communication cost."""
        return self.placement.cost

    @property
    def maximum_link_load(self) -> int:
        """[packets] load of the busiest link."""
        return metrics.maximum_link_load(self.link_loads)

    def summary_rows(self) -> list[tuple[str, str]]:
        """(label, value) pairs for a table, in reading order."""
        graph, mesh, placement = self.graph, self.mesh, self.placement
        names = zip(graph.names, graph.sizes.tolist(), strict=True)
        rows = [
            ("network", ", ".join(f"{name} {size:,}" for name, size in names)),
            ("synapses", f"{graph.n_synapses:,}"),
            ("spikes", f"{int(graph.spike_counts.sum()):,} in {graph.duration_ms:,.6g} ms"),
            ("machine", f"{mesh}, {self.partition.n_cores} of {mesh.n_cores} cores in use"),
            ("fullest core", self._fullest_core()),
            ("packets", f"{self.traffic.n_packets:,} between cores"),
            ("local deliveries", f"{int(self.traffic.local.sum()):,}"),
            ("placement", f"{placement.method}, seed {placement.seed}"),
            ("cost", f"{self.cost:,} packets x hops"),
        ]
        for name, cost in self.baseline_costs.items():
            rows.append((f"cost, {name}", f"{cost:,} ({_change(self.cost, cost)})"))
        rows += [
            ("hops per packet", f"{self.hops.average:.3f} average, {self.hops.maximum} maximum"),
            ("busiest link", self._busiest_link()),
            ("links in use", f"{self.link_utilisation:.0%} of {len(mesh.links)}"),
        ]
        if self.energy_pj is not None and mesh.energy is not None:
            rows.append(("network energy", f"{self.energy_pj * 1e-6:,.4g} uJ"))
            rows.append(("energy constants", mesh.energy.source))
        rows.append(("routing", self.routing))
        rows.append(("deadlock, all flows", _verdict_words(self.verdict)))
        rows.append(("deadlock, this traffic", _verdict_words(self.traffic_verdict)))
        return rows

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-ready values; the layout carries `SCHEMA_VERSION`."""
        graph, mesh, partition = self.graph, self.mesh, self.partition
        core_of = self.core_of
        populations = {
            name: {
                "size": int(graph.sizes[k]),
                "core_of": core_of[graph.offsets[k] : graph.offsets[k + 1]].tolist(),
            }
            for k, name in enumerate(graph.names)
        }
        return {
            "schema": "spikemesh.mapping",
            "schema_version": SCHEMA_VERSION,
            "mesh": asdict(mesh),
            "network": {
                "populations": populations,
                "n_synapses": graph.n_synapses,
                "n_spikes": int(graph.spike_counts.sum()),
                "duration_ms": graph.duration_ms,
            },
            "partition": {
                "n_cores": partition.n_cores,
                "neurons": partition.neurons.tolist(),
                "fan_in": partition.fan_in.tolist(),
                "synapses": partition.synapses.tolist(),
                "utilisation": self.utilisation._asdict(),
            },
            "placement": {
                "method": self.placement.method,
                "seed": self.placement.seed,
                "core_of": self.placement.core_of.tolist(),
                "cost_packet_hops": self.cost,
                "baseline_cost_packet_hops": self.baseline_costs,
            },
            "traffic": {
                "packets": self.traffic.n_packets,
                "local_deliveries": int(self.traffic.local.sum()),
                "average_hops": self.hops.average,
                "maximum_hops": self.hops.maximum,
                "maximum_link_load": self.maximum_link_load,
                "link_utilisation": self.link_utilisation,
                "energy_pj": self.energy_pj,
            },
            "links": [
                {
                    "id": link,
                    "from": list(mesh.coordinates(mesh.link_source(link))),
                    "to": list(mesh.coordinates(mesh.link_target(link))),
                    "direction": mesh.link_direction(link),
                    "packets": int(self.link_loads[link]),
                }
                for link in mesh.links
            ],
            "routing": self.routing,
            "deadlock": {
                "all_flows": _verdict_dict(self.verdict, mesh),
                "traffic": _verdict_dict(self.traffic_verdict, mesh),
            },
        }

    def to_json(self, path: str | os.PathLike[str]) -> Path:
        """Write `to_dict` as JSON and return the path.

        Raises
        ------
        DataError
            The file cannot be written.
        """
        target = Path(path)
        text = json.dumps(self.to_dict(), allow_nan=False, indent=1)
        try:
            target.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise DataError(f"{target}: cannot write the mapping: {error.strerror}") from error
        return target

    def _fullest_core(self) -> str:
        partition, mesh = self.partition, self.mesh
        return (
            f"{int(partition.neurons.max()):,} of {mesh.neurons_per_core:,} neurons, "
            f"{int(partition.fan_in.max()):,} of {mesh.fan_in_per_core:,} axons, "
            f"{int(partition.synapses.max()):,} of {mesh.synapses_per_core:,} synapses"
        )

    def _busiest_link(self) -> str:
        if self.maximum_link_load == 0:
            return "no packet enters the network"
        link = int(self.link_loads.argmax())
        rate = self.maximum_link_load / self.graph.duration_ms
        return f"{self.mesh.link_text(link)}: {self.maximum_link_load:,} packets, {rate:.4g} per ms"


def map_network(
    graph: SpikingGraph,
    mesh: Mesh,
    *,
    placement: str = "annealing",
    routing: str | RoutingFunction = "xy",
    seed: int = 0,
    balance: bool = True,
    mix_populations: bool = False,
    **placement_options: Any,
) -> MappingReport:
    """Partition, place, route and check a network.

    Parameters
    ----------
    graph : SpikingGraph
        The network with the spike counts of a run.
    mesh : Mesh
    placement : str
        One of `placement_names()`; `placement_options` are passed to it.
    routing : str or RoutingFunction
        One of `routing_names()`, or an object.
    seed : int
        Of the placement, >= 0.
    balance, mix_populations : bool
        As in `partition_neurons`; here the neurons are spread over the whole mesh by default.

    Raises
    ------
    CapacityError
        The network does not fit; the text says what would do.
    MappingError
        An unknown placement, routing or option, or a routing that does not suit the mesh.
    """
    function = routing_function(routing, mesh)
    partition = partition_neurons(graph, mesh, balance=balance, mix_populations=mix_populations)
    traffic = spike_traffic(graph, partition)
    placed = place(traffic, mesh, placement, seed=seed, **placement_options)
    loads = metrics.link_loads(traffic, placed.core_of, mesh, function)
    flows = metrics.physical_flows(traffic, placed.core_of)
    energy = mesh.energy
    return MappingReport(
        graph=graph,
        mesh=mesh,
        partition=partition,
        traffic=traffic,
        placement=placed,
        routing=function.name,
        baseline_costs={name: place(traffic, mesh, name).cost for name in BASELINES},
        hops=metrics.hops(traffic, placed.core_of, mesh),
        link_loads=loads,
        utilisation=metrics.core_utilisation(partition, mesh),
        link_utilisation=metrics.link_utilisation(loads, mesh),
        energy_pj=None if energy is None else metrics.network_energy_pj(traffic, loads, mesh),
        verdict=find_deadlock(mesh, function),
        traffic_verdict=find_deadlock(mesh, function, flows),
    )


def _change(cost: int, baseline: int) -> str:
    return "no packets" if baseline == 0 else f"{cost / baseline - 1:+.1%} here"


def _verdict_words(verdict: Verdict) -> str:
    size = f"{verdict.n_channels} channels, {verdict.n_dependencies} dependencies"
    if verdict.cycle is None:
        return f"free ({size}, no cycle)"
    return f"possible: a cycle of {len(verdict.cycle)} channels ({size})"


def _verdict_dict(verdict: Verdict, mesh: Mesh) -> dict[str, Any]:
    def listed(channels: tuple[Channel, ...] | None) -> list[list[int]] | None:
        return None if channels is None else [list(channel) for channel in channels]

    return {
        "free": verdict.free,
        "n_channels": verdict.n_channels,
        "n_dependencies": verdict.n_dependencies,
        "channel_order": listed(verdict.channel_order),
        "cycle": listed(verdict.cycle),
        "cycle_flows": None if verdict.flows is None else [list(flow) for flow in verdict.flows],
        "text": verdict.text(mesh),
    }
