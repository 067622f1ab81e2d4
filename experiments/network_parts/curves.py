"""One curve of latency against load, where it ends, and the speed of the simulator."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from experiments.experiment import Context
from mapping import Mesh
from mapping.network import NetworkReport, PacketNetwork, Pipeline, SyntheticTraffic, run_load

if TYPE_CHECKING:
    from experiments.network import Config

__all__ = ["TOLERANCE", "measure_curve", "measure_saturation", "measure_speed"]

TOLERANCE = 0.02  # of the saturation


def _mesh(config: Config) -> Mesh:
    from mapping.routing import routing_function
    from simulator.errors import MappingError

    mesh = Mesh.parse(config.mesh)
    try:
        routing_function(config.routing, mesh)
    except MappingError:
        mesh = Mesh.parse(config.mesh, torus=True)
        routing_function(config.routing, mesh)
    return mesh


def _network(config: Config, mesh: Mesh, seed: int) -> PacketNetwork:
    return PacketNetwork(
        mesh,
        config.routing,
        lanes=config.lanes,
        buffer_flits=config.buffer_flits,
        pipeline=Pipeline(routing=config.routing_cycles),
        empty_first=config.routing == "adaptive_escape",
        seed=seed,
    )


def _row(rate: float, report: NetworkReport) -> tuple[object, ...]:
    latency = report.latency
    return (
        f"{rate:g}",
        "stable" if report.stable else "unstable",
        f"{latency.mean:.2f}" if latency else "-",
        f"{latency.p99:.0f}" if latency else "-",
        f"{report.accepted:.4f}",
        f"{report.mean_hops:.2f}",
        f"{report.link_busy.max():.3f}",
    )


def measure_curve(config: Config, context: Context) -> Mapping[str, object]:
    """Every rate on a network of its own."""
    mesh = _mesh(config)
    reports: list[NetworkReport] = []
    with context.progress("loads", len(config.rates)) as bar:
        for rate in config.rates:
            load = SyntheticTraffic(mesh, config.pattern, rate, config.flits, seed=context.seed)
            network = _network(config, mesh, context.seed)
            reports.append(run_load(network, load, warm_up=config.warm_up, cycles=config.cycles))
            bar.advance()
    context.table(
        f"{config.pattern} load, {config.routing} on the {mesh}",
        ("offered", "state", "mean latency (cycles)", "p99", "accepted", "hops", "busiest link"),
        [_row(rate, report) for rate, report in zip(config.rates, reports, strict=True)],
    )
    kept = [report.latency for report in reports]
    return {
        "rates": list(config.rates),
        "stable": [report.stable for report in reports],
        "latency": [None if x is None else x.mean for x in kept],
        "p99": [None if x is None else x.p99 for x in kept],
        "offered": [report.offered for report in reports],
        "accepted": [report.accepted for report in reports],
        "hops": [report.mean_hops for report in reports],
        "busiest": [float(report.link_busy.max()) for report in reports],
        "saturation_margin": [report.saturation_margin for report in reports],
    }


def measure_saturation(config: Config, context: Context) -> Mapping[str, object]:
    """Bisect the offered rate, from the first of the rates on."""
    mesh = _mesh(config)
    rate = config.rates[0]
    load = SyntheticTraffic(mesh, config.pattern, rate, config.flits, seed=context.seed)
    report = run_load(
        _network(config, mesh, context.seed),
        load,
        warm_up=config.warm_up,
        cycles=config.cycles,
        saturation_tolerance=TOLERANCE,
    )
    found = report.saturation
    assert found is not None
    context.note(found.text())
    return {
        "stable_rate": rate * found.margin,
        "unstable_rate": rate * found.limit,
        "accepted": found.accepted,
        "bound": rate * report.saturation_margin,
        "runs": found.runs,
    }


def measure_speed(config: Config, context: Context) -> Mapping[str, object]:
    """Flits over links per second of processor time, the load's own making not counted."""
    mesh = _mesh(config)
    _network(config, mesh, 0).run(1)  # compiled, or read from the disk
    rate = config.rates[0]
    network = _network(config, mesh, context.seed)
    load = SyntheticTraffic(mesh, config.pattern, rate, config.flits, seed=context.seed)
    spent = 0.0
    step = 1_000
    work = network.work
    for at in range(0, config.warm_up + config.cycles, step):
        network.inject(*load.window(at, at + step))
        if at <= config.warm_up:
            work = network.work
        start = time.process_time()
        network.run(at + step)
        spent += time.process_time() - start if at >= config.warm_up else 0.0
    after = network.work
    flit_hops = after.flit_hops - work.flit_hops
    visits = after.router_visits - work.router_visits
    context.note(
        f"{flit_hops:,} flit hops in {spent:.2f} s: {flit_hops / spent / 1e6:.2f} million a second"
    )
    return {
        "flit_hops": flit_hops,
        "cpu_s": spent,
        "rate": flit_hops / spent,
        "visits_per_hop": visits / max(flit_hops, 1),
        "share_of_routers_visited": visits / (config.cycles * mesh.n_cores),
    }
