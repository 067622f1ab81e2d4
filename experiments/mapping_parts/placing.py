"""A network through partition and placement, by every method, against the mapping limit."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.experiment import Context
from experiments.mapping_parts.figures import Placed, draw_convergence, draw_placements
from experiments.mapping_parts.networks import NETWORKS
from simulator.errors import MappingError

if TYPE_CHECKING:
    from experiments.mapping import Config
    from mapping import Mesh, SpikingGraph, Traffic

__all__ = ["place_network"]

Found = dict[str, Any]


def place_network(config: Config, context: Context) -> Mapping[str, object]:
    """Partition by every method, place the partition with the fewest packets by every method.

    Every partition and placement is written as soon as it is there, and is not made again when the
    run is resumed. Times are CPU time; what is compiled was compiled before on a small problem.
    """
    from mapping import Mesh, Traffic, degree_bound

    case = NETWORKS[config.network]
    graph = case.graph(context)
    mesh = Mesh.parse(config.mesh or case.mesh, **case.capacities)
    _compile(config)
    one_go = _in_one_go(config, context, graph, mesh)
    partitions = _partitions(config, context, graph, mesh)
    fitting = {name: found for name, found in partitions.items() if "packets" in found}
    if not fitting:
        raise MappingError(f"no partition of {config.network} fits: {partitions}")
    best = min(fitting, key=lambda name: (fitting[name]["packets"], name))
    arrays = context.directory.arrays(f"partition-{best}")
    traffic = Traffic.from_matrix(arrays["packets"], graph.duration_ms)
    bound = degree_bound(traffic, mesh)
    placements = _placements(config, context, traffic, mesh, best)
    _draw(context, mesh, traffic, best, arrays["population_counts"], graph.names, placements)
    context.table(
        f"{case.title}; {mesh}, partition {best}, {traffic.n_packets:,} packets",
        ("placement", "packets x hops", "over the bound", "CPU s"),
        [
            (name, f"{f['cost']:,.0f}", f"{_gap(f['cost'], bound):.1%}", f"{f['cpu_s']:.2f}")
            for name, f in sorted(placements.items(), key=lambda item: item[1]["cost"])
        ],
    )
    return {
        "title": case.title,
        "mesh": str(mesh),
        "neurons": graph.n_neurons,
        "synapses": graph.n_synapses,
        "spikes": int(graph.spike_counts.sum()),
        "logical_cores": traffic.n_cores,
        "partitions": partitions,
        "partition": best,
        "packets": traffic.n_packets,
        "degree_bound": bound,
        "placements": placements,
        "in_one_go": one_go,
    }


def _gap(cost: float, bound: float) -> float:
    return cost / bound - 1.0 if bound else 0.0


def _compile(config: Config) -> None:
    """Have numba compile what is timed later."""
    from mapping import Edges, Mesh, SpikingGraph, Traffic, partition_neurons, place

    edges = [Edges("a", "b", np.arange(32), np.arange(32)[::-1]), Edges("b", "a")]
    graph = SpikingGraph({"a": 32, "b": 32}, edges, np.ones(64, dtype=np.int64), 1.0)
    mesh = Mesh(4, 4)
    traffic = Traffic.from_matrix(np.arange(256).reshape(16, 16) % 7, 1.0)
    for name in _partition_names(config):
        # An optional peer that is not installed is refused here and in its row.
        with suppress(MappingError):
            partition_neurons(graph, mesh, method=name, balance=True)
    for name in _placement_names(config):
        place(traffic, mesh, name)


def _in_one_go(config: Config, context: Context, graph: SpikingGraph, mesh: Mesh) -> Found | None:
    """Time of partition, packets and placement by the best methods, one after the other.

    None if one of the two is not among the methods of this run.
    """
    if "multilevel" not in _partition_names(config) or "auto" not in _placement_names(config):
        return None

    def make() -> Found:
        from mapping import partition_neurons, place, spike_traffic

        clock, start = time.perf_counter(), time.process_time()
        options: dict[str, Any] = {"balance": True, "seed": context.seed}
        made = partition_neurons(graph, mesh, method="multilevel", **options)
        placed = place(spike_traffic(graph, made), mesh, "auto", seed=context.seed)
        cpu_s, wall_s = time.process_time() - start, time.perf_counter() - clock
        return {"cost": int(placed.cost), "cpu_s": cpu_s, "wall_s": wall_s}

    return _kept(context, "in-one-go", make)


def _partition_names(config: Config) -> tuple[str, ...]:
    from mapping.partition import partition_names

    return config.partitions or tuple(partition_names())


def _placement_names(config: Config) -> tuple[str, ...]:
    from mapping import placement_names

    return config.placements or tuple(placement_names())


def _kept(context: Context, file: str, make: Callable[[], Found]) -> Found:
    """What `file`.json holds, made and written if it is not there yet."""
    path = context.directory.path / f"{file}.json"
    if not path.exists():
        context.directory.write_json(file, make())
    kept: Found = json.loads(path.read_text(encoding="utf-8"))
    return kept


def _partitions(
    config: Config, context: Context, graph: SpikingGraph, mesh: Mesh
) -> dict[str, Found]:
    """Packets, fullest cores and CPU time of each partition, or why it was refused."""
    names = _partition_names(config)
    found = {}
    with context.progress("partitions", len(names)) as bar:
        for name in names:
            make = partial(_partition, context, graph, mesh, name)
            found[name] = _kept(context, f"partition-{name}", make)
            bar.advance()
            bar.note(name)
    return found


def _partition(context: Context, graph: SpikingGraph, mesh: Mesh, name: str) -> Found:
    from mapping import partition_neurons, spike_traffic

    start = time.process_time()
    try:
        made = partition_neurons(graph, mesh, method=name, balance=True, seed=context.seed)
    except MappingError as error:
        return {"refused": str(error)}
    seconds = time.process_time() - start
    traffic = spike_traffic(graph, made)
    context.directory.write_arrays(
        f"partition-{name}",
        {
            "packets": traffic.packets + np.diag(traffic.local),
            "population_counts": made.population_counts(graph),
        },
    )
    return {
        "cores": made.n_cores,
        "packets": traffic.n_packets,
        "local": int(traffic.local.sum()),
        "cpu_s": seconds,
        "neurons": int(made.neurons.max()),
        "fan_in": int(made.fan_in.max()),
        "synapses": int(made.synapses.max()),
    }


def _placements(
    config: Config, context: Context, traffic: Traffic, mesh: Mesh, partition: str
) -> dict[str, Found]:
    """Cost, hops, link load and CPU time of each placement: means over the seeds."""
    names = _placement_names(config)
    found = {}
    with context.progress("placements", len(names) * config.seeds) as bar:
        for name in names:
            runs = []
            for seed in range(context.seed, context.seed + config.seeds):
                file = _placement_file(partition, name, seed)
                make = partial(_place, context, traffic, mesh, name, seed, file)
                runs.append(_kept(context, file, make))
                bar.advance()
            bar.note(name)
            costs = [run["cost"] for run in runs]
            found[name] = {
                "cost": float(np.mean(costs)),
                "least": min(costs),
                "greatest": max(costs),
                "best_seed": context.seed + int(np.argmin(costs)),
                "link_load": float(np.mean([run["link_load"] for run in runs])),
                "cpu_s": float(np.mean([run["cpu_s"] for run in runs])),
            }
    return found


def _placement_file(partition: str, name: str, seed: int) -> str:
    return f"placement-{partition}-{name}-{seed}"


def _place(
    context: Context, traffic: Traffic, mesh: Mesh, name: str, seed: int, file: str
) -> Found:
    from mapping import metrics, place

    start = time.process_time()
    placed = place(traffic, mesh, name, seed=seed)
    seconds = time.process_time() - start
    loads = metrics.link_loads(traffic, placed.core_of, mesh, "xy")
    arrays: dict[str, Any] = {"core_of": placed.core_of, "link_loads": loads}
    if placed.convergence is not None:
        arrays |= {"moves": placed.convergence.moves, "best": placed.convergence.best}
    context.directory.write_arrays(file, arrays)
    return {"cost": int(placed.cost), "link_load": int(loads.max()), "cpu_s": seconds}


def _draw(
    context: Context,
    mesh: Mesh,
    traffic: Traffic,
    partition: str,
    population_counts: Any,
    names: tuple[str, ...],
    placements: Mapping[str, Found],
) -> None:
    """Sequential, a middling one and the best placement; the course of those that have one."""
    order = sorted(placements, key=lambda name: float(placements[name]["cost"]))
    shown = [name for name in ("sequential",) if name in placements]
    shown += [name for name in order[len(order) // 2 : len(order) // 2 + 1] if name not in shown]
    shown += [name for name in order[:1] if name not in shown]
    panels, courses = [], {}
    for name in order:
        seed = placements[name]["best_seed"]
        arrays = context.directory.arrays(_placement_file(partition, name, seed))
        if name in shown:
            panels.append(
                Placed(name, placements[name]["least"], arrays["core_of"], arrays["link_loads"])
            )
        if "moves" in arrays:
            courses[name] = (arrays["moves"], arrays["best"])
    panels.sort(key=lambda panel: -panel.cost)
    figure = draw_placements(mesh, panels, population_counts, names, traffic.n_packets)
    context.directory.write_figure("placements", figure, dpi=110)
    if courses:
        costs = {name: float(found["cost"]) for name, found in placements.items()}
        context.directory.write_figure("convergence", draw_convergence(courses, costs), dpi=110)
