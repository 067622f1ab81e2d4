"""Place the network of a run on a mesh of cores; what `spikemesh place` does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from experiments.atomic import write_atomically
from experiments.machines import MachineOptions, machine, parse_pins
from experiments.recorded import PacketOptions, recorded_spikes
from experiments.run_directory import RunDirectory
from experiments.spike_file import SpikeFileReader
from simulator.errors import DataError, MappingError

if TYPE_CHECKING:
    from mapping import MappingReport, SpikingGraph
    from mapping.network import PairLatency

__all__ = ["parse_objective", "place_run", "spiking_graph"]


def place_run(
    run: str | Path | RunDirectory,
    mesh: str,
    *,
    partition: str = "sequential",
    placement: str = "auto",
    routing: str = "xy",
    seed: int = 0,
    objective: str = "packet_hops",
    pins: Sequence[str] = (),
    multicast: str | None = None,
    machines: MachineOptions | None = None,
    packets: PacketOptions | None = None,
) -> tuple[MappingReport, list[Path]]:
    """Partition, place and route the network of a run, check it for deadlock, and draw it.

    Parameters
    ----------
    run
        A run directory with `network.npz` and `spikes.h5`.
    mesh
        "8x8": columns x rows of cores, or the name of a preset, as "loihi".
    partition, placement, routing
        Names; see `mapping.partition_names()`, `mapping.placement_names()` and
        `mapping.routing_names()`.
    seed
        Of the partition and the placement.
    objective
        What the placement makes small, as "max_link_load" or "packet_hops=1,energy=0.5".
    pins
        Populations that only some cores may hold, as "hidden=0,4-7".
    multicast
        Trees along which packets branch, of `mapping.multicast_names()`; None for one packet a
        target.
    machines
        Torus, chips, faulty parts, capacities. Under the capacities the neurons are spread as
        thinly over the mesh as it allows.
    packets
        The packet network that recorded spikes are sent through, if they are.

    Returns
    -------
    report : MappingReport
    files : list of pathlib.Path
        `mapping.json`, the pictures, and `latency.csv` of every pair of cores if spikes were sent
        and the network kept up, in the run directory.

    Raises
    ------
    DataError
        If the run lacks its network or spikes, or they are damaged or do not go together.
    MappingError
        If the network does not fit, or a name is unknown.
    """
    from mapping import map_network
    from mapping.draw import draw_convergence, draw_link_load, draw_placement

    directory = run if isinstance(run, RunDirectory) else RunDirectory.open(run)
    on = machine(mesh, machines)
    graph = spiking_graph(directory)
    report = map_network(
        graph,
        on,
        partition=partition,
        placement=placement,
        routing=routing,
        seed=seed,
        objective=parse_objective(objective),
        pinned=parse_pins(pins),
        multicast=multicast,
        spikes=recorded_spikes(directory, graph, packets or PacketOptions()),
    )
    files = [
        directory.write_json("mapping", report.to_dict()),
        directory.write_figure("placement", draw_placement(report)),
        directory.write_figure("link_load", draw_link_load(report)),
    ]
    if report.placement.convergence is not None:
        files.append(directory.write_figure("convergence", draw_convergence(report)))
    sent = report.spikes
    if sent is not None and sent.report is not None and sent.report.pairs is not None:
        path = directory.path / "latency.csv"
        text = _pairs_as_csv(sent.report.pairs)
        write_atomically(path, lambda file: file.write(text.encode()))
        files.append(path)
    return report, files


def _pairs_as_csv(pairs: PairLatency) -> str:
    rows = zip(*(column.tolist() for column in pairs), strict=True)
    lines = [f"{i},{j},{n},{mean:.6g},{most}" for i, j, n, mean, most in rows]
    return "\n".join(["source,target,copies,mean_cycles,maximum_cycles", *lines]) + "\n"


def parse_objective(text: str) -> dict[str, float]:
    """Weights of an objective in words: "energy", or "packet_hops=1,energy=0.5".

    Raises
    ------
    MappingError
        A weight is not a number, or a term is given twice. Names are checked by `mapping.place`.
    """
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, _, weight = (word.strip() for word in part.partition("="))
        try:
            value = float(weight) if weight else 1.0
        except ValueError:
            raise MappingError(f"objective {text!r}: {weight!r} is no number") from None
        if name in weights:
            raise MappingError(f"objective {text!r}: {name!r} is given twice")
        weights[name] = value
    return weights


def spiking_graph(directory: RunDirectory) -> SpikingGraph:
    """What the mapping needs of a run: its connectivity and how often each neuron fired.

    Raises
    ------
    DataError
        If the files are missing or damaged, or a spike is of a neuron that the network has not.
    """
    from mapping import Edges, SpikingGraph

    network = directory.network()
    counts: list[npt.NDArray[np.int64]] = []
    with directory.spikes() as spikes:
        duration_ms = directory.simulated_ms or spikes.last_time_ms()
        for name, size in network.populations.items():
            counts.append(_spike_counts(spikes, name, size))
    edges = [
        Edges(
            projection.pre,
            projection.post,
            projection.pre_indices,
            projection.post_indices,
            self_connections=projection.allow_self,
        )
        for projection in network.projections
    ]
    return SpikingGraph(network.populations, edges, np.concatenate(counts), duration_ms)


def _spike_counts(spikes: SpikeFileReader, population: str, size: int) -> npt.NDArray[np.int64]:
    """Spikes of every neuron, shape `(size,)`; a population that was not recorded has none."""
    total = np.zeros(size, dtype=np.int64)
    if population not in spikes.populations:
        return total
    for _, nodes in spikes.chunks(population):
        if nodes.size and int(nodes.max()) >= size:
            raise DataError(
                f"'{spikes.path}' has a spike of neuron {int(nodes.max())} of population "
                f"'{population}', which has {size} neurons"
            )
        total += np.bincount(nodes, minlength=size)
    return total
