"""A mapping report in words: rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapping.deadlock import Verdict
from mapping.deadlock_multicast import MulticastVerdict
from mapping.presets import NO_LIMIT

if TYPE_CHECKING:
    from mapping.report import MappingReport

__all__ = ["summary_rows"]


def summary_rows(report: MappingReport) -> list[tuple[str, str]]:
    """(label, value) pairs in reading order, labels all different."""
    graph, mesh, placement = report.graph, report.mesh, report.placement
    names = zip(graph.names, graph.sizes.tolist(), strict=True)
    rows = [
        ("network", ", ".join(f"{name} {size:,}" for name, size in names)),
        ("synapses", f"{graph.n_synapses:,}"),
        ("spikes", f"{int(graph.spike_counts.sum()):,} in {graph.duration_ms:,.6g} ms"),
        ("machine", _machine(report)),
    ]
    if mesh.faulty_cores or mesh.faulty_routers or mesh.faulty_links:
        rows.append(("faulty", _faults(report)))
    rows += [
        ("partition", report.partition_method),
        ("fullest core", _fullest_core(report)),
        ("packets", f"{report.traffic.n_packets:,} between cores"),
        ("local deliveries", f"{int(report.traffic.local.sum()):,}"),
        ("placement", f"{placement.method}, seed {placement.seed}"),
    ]
    if placement.objective != {"packet_hops": 1.0}:
        rows.append(("objective", _objective(report)))
    if placement.remark:
        rows.append(("remark", placement.remark))
    rows.append(("cost", f"{report.cost:,} packets x hops"))
    for name, cost in report.baseline_costs.items():
        rows.append((f"cost, {name}", f"{cost:,} ({_change(report.cost, cost)})"))
    if report.limit is not None and report.limit.packets:
        limit = report.limit
        rows.append(
            (
                "mapping limit",
                f"{limit.packets:,} packets at one hop each ({limit.gap_to_packets:+.1%} here), no "
                f"placement below {limit.degree:,} ({limit.gap_to_degree:+.1%} here)",
            )
        )
    rows += [
        ("added storage", f"{report.added_storage:+.1%} axons and synapses"),
        ("hops per packet", f"{report.hops.average:.3f} average, {report.hops.maximum} maximum"),
        ("busiest link", _busiest_link(report)),
        ("links in use", f"{report.link_utilisation:.0%} of {len(mesh.links)}"),
    ]
    if report.multicast is not None and report.traffic.n_packets:
        trees = report.multicast
        by = "" if trees.method is None else f" by {trees.method}"
        rows.append(
            (
                "with multicast",
                f"{trees.n_packets:,} packets{by}, {trees.cost:,} packets x hops, busiest link "
                f"{trees.maximum_link_load:,}",
            )
        )
    if report.energy_pj is not None and mesh.energy is not None:
        rows.append(("network energy", f"{report.energy_pj * 1e-6:,.4g} uJ"))
        rows.append(("energy constants", mesh.energy.source))
    rows.append(("routing", report.routing))
    rows.append(("deadlock, all flows", _verdict_words(report.verdict)))
    rows.append(("deadlock, this traffic", _verdict_words(report.traffic_verdict)))
    if report.multicast is not None and report.multicast.verdict is not None:
        rows.append(("deadlock, multicast", _multicast_words(report.multicast.verdict)))
    if report.spikes is not None:
        rows.append(("recorded spikes", report.spikes.text()))
        if report.spikes.report is not None:
            margin = report.spikes.report.saturation_margin
            rows.append(("saturation margin", f"the load times {margin:.3g} at most"))
    return rows


def _objective(report: MappingReport) -> str:
    weights = report.placement.objective
    terms = [f"{weight:g} x {name}" if weight != 1 else name for name, weight in weights.items()]
    return f"{' + '.join(terms)} = {report.placement.value:,.6g}"


def _machine(report: MappingReport) -> str:
    mesh = report.mesh
    name = f"{mesh.name}, " if mesh.name else ""
    chips = int(mesh.chip_of.max()) + 1
    board = f" of {chips} chips" if chips > 1 else ""
    return (
        f"{name}{mesh}{board}, {report.partition.n_cores} of {mesh.usable_cores.size} cores in use"
    )


def _faults(report: MappingReport) -> str:
    mesh = report.mesh
    parts = (
        ("core", mesh.faulty_cores),
        ("router", mesh.faulty_routers),
        ("link", mesh.faulty_links),
    )
    return ", ".join(f"{len(ids)} {what}{'s' * (len(ids) > 1)}" for what, ids in parts if ids)


def _fullest_core(report: MappingReport) -> str:
    partition, mesh = report.partition, report.mesh
    uses = (
        (partition.neurons, mesh.neurons_per_core, "neurons"),
        (partition.fan_in, mesh.fan_in_per_core, "axons"),
        (partition.synapses, mesh.synapses_per_core, "synapses"),
    )
    said = []
    for use, capacity, what in uses:
        of = "" if capacity >= NO_LIMIT else f" of {capacity:,}"
        said.append(f"{int(use.max()):,}{of} {what}")
    return ", ".join(said)


def _busiest_link(report: MappingReport) -> str:
    if report.maximum_link_load == 0:
        return "no packet enters the network"
    link = int(report.link_loads.argmax())
    rate = report.maximum_link_load / report.graph.duration_ms
    expected = ", choices shared evenly" if report.loads_are_expected else ""
    return (
        f"{report.mesh.link_text(link)}: {report.maximum_link_load:,} packets, "
        f"{rate:.4g} per ms{expected}"
    )


def _change(cost: int, baseline: int) -> str:
    return "no packets" if baseline == 0 else f"{cost / baseline - 1:+.1%} here"


def _multicast_words(verdict: MulticastVerdict) -> str:
    size = f"{verdict.n_channels} channels, {verdict.n_dependencies} dependencies"
    if verdict.cycle is None:
        return f"free ({size})"
    return f"possible: a cycle of {len(verdict.cycle)} channels ({size})"


def _verdict_words(verdict: Verdict) -> str:
    size = f"{verdict.n_channels} channels, {verdict.n_dependencies} dependencies"
    if verdict.cycle is None:
        return f"{verdict.kind} ({size}{'' if verdict.escape else ', no cycle'})"
    return f"possible: a cycle of {len(verdict.cycle)} channels ({size})"
