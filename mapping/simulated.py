"""What the mapping needs of a network that was simulated: its connectivity and its spikes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mapping.graph import Edges, SpikingGraph
from simulator import Simulation
from simulator.arrays import SPARSE
from simulator.errors import MappingError
from simulator.incoming import row_targets

__all__ = ["graph_of"]


def graph_of(simulation: Simulation, populations: Iterable[str] | None = None) -> SpikingGraph:
    """Populations, synapses and spike counts of a simulation up to its present time.

    Parameters
    ----------
    simulation : simulator.Simulation
        Its spikes must be recorded in memory.
    populations : iterable of str, or None
        Those to be placed, in the order of the network; the others are outside the machine, with
        their synapses. None: all but sources whose spikes were not recorded.

    Raises
    ------
    MappingError
        The simulation has not run, or the spikes of a population of neurons were not recorded.
    NetworkError
        There is no such population.
    """
    network = simulation.network
    if populations is None:
        seen = network.recorders.spikes
        chosen = [p.name for p in network.populations.values() if p.name in seen or not p.is_source]
    else:
        wanted = {network.find_population(name).name for name in populations}
        chosen = [name for name in network.populations if name in wanted]
    if not simulation.time > 0.0:
        raise MappingError("the simulation has not run, so there is no traffic; run it first")
    counts = []
    for name in chosen:
        if name not in network.recorders.spikes:
            raise MappingError(
                f"the spikes of population {name!r} were not recorded; describe the network with "
                f"record_spikes({name!r}), or leave the population out of `populations`"
            )
        size = network.populations[name].size
        counts.append(np.bincount(simulation.spikes(name)[1], minlength=size))
    edges = [
        _edges(simulation, q)
        for q, proj in enumerate(network.projections.values())
        if proj.pre.name in chosen and proj.post.name in chosen
    ]
    sizes = {name: network.populations[name].size for name in chosen}
    return SpikingGraph(sizes, edges, np.concatenate(counts), simulation.time)


def _edges(simulation: Simulation, q: int) -> Edges:
    """The synapses of projection number `q`."""
    proj = list(simulation.network.projections.values())[q]
    net = simulation.compiled.arrays
    row = net.projs[q]
    pre, post = proj.pre.name, proj.post.name
    if row.kind != SPARSE:
        return Edges(pre, post, self_connections=not row.no_self)
    pieces = net.row_ptr[row.row_at : row.row_at + proj.pre.size * row.stride + 1]
    first = pieces[:: row.stride]
    sources = np.repeat(np.arange(proj.pre.size), np.diff(first))
    return Edges(pre, post, sources, row_targets(net, row))
