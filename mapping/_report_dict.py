"""A mapping report as JSON: the content of `mapping.json`.

Version 2 of the layout: the mesh has faults, chips and unlike cores, links have their cycles, and
there are the partition method, the mapping limit, the added storage and the multicast figures.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mapping.deadlock import AnyChannel, Verdict
from mapping.mesh import Mesh

if TYPE_CHECKING:
    from mapping.report import MappingReport

__all__ = ["SCHEMA_VERSION", "report_dict"]

SCHEMA_VERSION = 2


def report_dict(report: MappingReport) -> dict[str, Any]:
    """The report as JSON-ready values."""
    graph, mesh, partition = report.graph, report.mesh, report.partition
    core_of = report.core_of
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
            "method": report.partition_method,
            "n_cores": partition.n_cores,
            "neurons": partition.neurons.tolist(),
            "fan_in": partition.fan_in.tolist(),
            "synapses": partition.synapses.tolist(),
            "utilisation": report.utilisation._asdict(),
            "added_storage": report.added_storage,
        },
        "placement": {
            "method": report.placement.method,
            "seed": report.placement.seed,
            "core_of": report.placement.core_of.tolist(),
            "objective": report.placement.objective,
            "value": report.placement.value,
            "remark": report.placement.remark,
            "cost_packet_hops": report.cost,
            "baseline_cost_packet_hops": report.baseline_costs,
            "limit": None if report.limit is None else report.limit.to_dict(),
        },
        "traffic": {
            "packets": report.traffic.n_packets,
            "local_deliveries": int(report.traffic.local.sum()),
            "average_hops": report.hops.average,
            "maximum_hops": report.hops.maximum,
            "maximum_link_load": report.maximum_link_load,
            "loads_are_expected": report.loads_are_expected,
            "link_utilisation": report.link_utilisation,
            "energy_pj": report.energy_pj,
            "multicast": None if report.multicast is None else _multicast(report),
        },
        "links": [
            {
                "id": link,
                "from": list(mesh.coordinates(mesh.link_source(link))),
                "to": list(mesh.coordinates(mesh.link_target(link))),
                "direction": mesh.link_direction(link),
                "packets": report.link_loads[link].item(),
                "cycles_per_flit": int(mesh.link_cycles[link]),
            }
            for link in mesh.links
        ],
        "routing": report.routing,
        "deadlock": {
            "all_flows": _verdict_dict(report.verdict, mesh),
            "traffic": _verdict_dict(report.traffic_verdict, mesh),
        },
        "recorded_spikes": None if report.spikes is None else report.spikes.to_dict(),
    }


def _multicast(report: MappingReport) -> dict[str, Any]:
    trees = report.multicast
    assert trees is not None
    figures = trees._asdict()
    for name in ("trees", "verdict"):
        del figures[name]
    verdict = trees.verdict
    figures["deadlock"] = None
    if verdict is not None:
        figures["deadlock"] = {
            "free": verdict.free,
            "text": verdict.text(report.mesh, trees.trees),
        }
    return figures


def _verdict_dict(verdict: Verdict, mesh: Mesh) -> dict[str, Any]:
    def listed(channels: tuple[AnyChannel, ...] | None) -> list[list[int | str]] | None:
        return None if channels is None else [list(channel) for channel in channels]

    return {
        "free": verdict.free,
        "kind": verdict.kind,
        "n_channels": verdict.n_channels,
        "n_dependencies": verdict.n_dependencies,
        "channel_order": listed(verdict.channel_order),
        "cycle": listed(verdict.cycle),
        "cycle_flows": None if verdict.flows is None else [list(flow) for flow in verdict.flows],
        "text": verdict.text(mesh),
    }
