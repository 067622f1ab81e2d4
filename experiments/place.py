"""Place the network of a run on a mesh of cores; what `spikemesh place` does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from experiments.run_directory import RunDirectory
from experiments.spike_file import SpikeFileReader
from simulator.errors import DataError

if TYPE_CHECKING:
    from mapping import MappingReport, SpikingGraph

__all__ = ["place_run", "spiking_graph"]


def place_run(
    run: str | Path | RunDirectory,
    mesh: str,
    *,
    torus: bool = False,
    placement: str = "annealing",
    routing: str = "xy",
    seed: int = 0,
    neurons_per_core: int | None = None,
    fan_in_per_core: int | None = None,
    synapses_per_core: int | None = None,
) -> tuple[MappingReport, list[Path]]:
    """Partition, place and route the network of a run, check it for deadlock, and draw it.

    Parameters
    ----------
    run
        A run directory with `network.npz` and `spikes.h5`.
    mesh
        "8x8": columns x rows of cores.
    torus
        Whether rows and columns close on themselves.
    placement, routing
        Names; see `mapping.placement_names()` and `mapping.routing_names()`.
    seed
        Of the placement.
    neurons_per_core, fan_in_per_core, synapses_per_core
        Capacities of a core; None leaves those of `mapping.Mesh`. Under them the neurons are
        spread as thinly over the mesh as it allows.

    Returns
    -------
    report : MappingReport
    files : list of pathlib.Path
        `mapping.json` and the pictures, in the run directory.

    Raises
    ------
    DataError
        If the run lacks its network or spikes, or they are damaged or do not go together.
    MappingError
        If the network does not fit, or a name is unknown.
    """
    from mapping import Mesh, map_network
    from mapping.draw import draw_convergence, draw_link_load

    directory = run if isinstance(run, RunDirectory) else RunDirectory.open(run)
    capacities = {
        "neurons_per_core": neurons_per_core,
        "fan_in_per_core": fan_in_per_core,
        "synapses_per_core": synapses_per_core,
    }
    given = {name: value for name, value in capacities.items() if value is not None}
    machine = Mesh.parse(mesh, torus=torus, **given)
    report = map_network(
        spiking_graph(directory), machine, placement=placement, routing=routing, seed=seed
    )
    files = [
        directory.write_json("mapping", report.to_dict()),
        directory.write_figure("link_load", draw_link_load(report)),
    ]
    if report.placement.convergence is not None:
        files.append(directory.write_figure("placement", draw_convergence(report)))
    return report, files


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
