"""Networks to be placed, with the spikes of a run, and the machine each goes on.

Three are simulated here: those of the experiments `wtcrl` and `dastdp`, trained briefly, and
Brunel's. The fourth, of 100,000 neurons and ten million synapses, is drawn, not simulated: neurons
on a sheet, nine of ten synapses of a neuron near it and one anywhere, and log-normal rates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments.experiment import Context, run_experiment
from experiments.place import spiking_graph
from experiments.run_directory import RunDirectory

if TYPE_CHECKING:
    from mapping import SpikingGraph

__all__ = ["NETWORKS", "NetworkCase", "draw_sheet"]

BRUNEL_MS = 100.0
RATE_HZ, RATE_SPREAD = 5.0, 1.0  # mean of log-normal rates, and standard deviation of their log

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class NetworkCase:
    """A network and its machine.

    Attributes
    ----------
    title : str
        For the page.
    graph : callable
        `graph(context) -> SpikingGraph`.
    mesh : str
        Columns x rows.
    capacities : mapping
        Of a core, where they are not those of `mapping.Mesh`.
    """

    title: str
    graph: Callable[[Context], SpikingGraph]
    mesh: str
    capacities: Mapping[str, int]


def _experiment(name: str, settings: Mapping[str, object]) -> Callable[[Context], SpikingGraph]:
    def graph(context: Context) -> SpikingGraph:
        inner = context.directory.path / name
        if not _finished(inner):
            run_experiment(
                name,
                out=inner,
                seed=context.seed,
                settings=settings,
                data_dir=context.data_dir,
                overwrite=True,
            )
        return spiking_graph(RunDirectory.open(inner))

    return graph


def _finished(path: Path) -> bool:
    exists = (path / "run.json").exists()
    return exists and bool(RunDirectory.open(path).record["state"] == "finished")


def _brunel(context: Context) -> SpikingGraph:
    """12,500 neurons, 15.6 million synapses, 100 ms; the external trains stay outside the mesh."""
    from benchmarks.networks.brunel import BRUNEL, POPULATIONS, brunel
    from mapping import SpikingGraph
    from simulator import Simulation

    net = brunel(BRUNEL, seed=context.seed)
    saved = context.directory.path / "spike-counts.npz"
    if not saved.exists():
        simulation = Simulation(net)
        simulation.run(BRUNEL_MS)
        counts = {
            name: np.bincount(simulation.spikes(name)[1], minlength=net.populations[name].size)
            for name in POPULATIONS
        }
        context.directory.write_arrays("spike-counts", counts)
    counts = context.directory.arrays("spike-counts")
    return SpikingGraph(
        {name: net.populations[name].size for name in POPULATIONS},
        _drawn_edges(net),
        np.concatenate([counts[name] for name in POPULATIONS]),
        BRUNEL_MS,
    )


def _drawn_edges(net: Any) -> list[Any]:
    """The random projections between neurons, drawn as the simulator draws them."""
    from mapping import Edges
    from simulator.seeds import generator

    edges = []
    for name, projection in net.projections.items():
        pre, post = projection.pre, projection.post
        if pre.is_source:
            continue
        rng = generator(net.seed, "projection", name, "connect")
        rows = projection.connector.rows(pre.size, post.size, pre is post, rng)
        sources = np.repeat(np.arange(pre.size), np.diff(rows.first))
        edges.append(Edges(pre.name, post.name, sources, rows.post))
    return edges


def _sheet(context: Context) -> SpikingGraph:
    return draw_sheet(80_000, 20_000, 100, seed=context.seed)


def draw_sheet(
    n_exc: int, n_inh: int, fan_out: int, *, reach: float = 0.03, near: float = 0.9, seed: int = 0
) -> SpikingGraph:
    """Neurons of two populations on a square sheet, connected mostly to those nearby.

    Parameters
    ----------
    n_exc, n_inh : int
        Each population is a grid of its own over the whole sheet, row by row, as square as the
        number allows.
    fan_out : int
        Synapses from every neuron; targets are excitatory or inhibitory by their share.
    reach : float
        Standard deviation of the displacement of a near target in both directions, in sides of the
        sheet, which closes on itself.
    near : float
        Share of near targets; the others are anywhere.
    seed : int

    Returns
    -------
    mapping.SpikingGraph
        With spike counts of one second at log-normal rates of 5 Hz on average.
    """
    from mapping import Edges, SpikingGraph

    rng = np.random.default_rng(seed)
    sizes = {"exc": n_exc, "inh": n_inh}
    grids = {name: _grid(size) for name, size in sizes.items()}
    edges = []
    for pre, (rows, columns) in grids.items():
        source = np.repeat(np.arange(sizes[pre]), fan_out)
        y, x = (source // columns + 0.5) / rows, (source % columns + 0.5) / columns
        nearby = rng.random(source.size) < near
        y = np.where(nearby, y + rng.normal(0.0, reach, y.size), rng.random(y.size)) % 1.0
        x = np.where(nearby, x + rng.normal(0.0, reach, x.size), rng.random(x.size)) % 1.0
        excitatory = rng.random(source.size) < n_exc / (n_exc + n_inh)
        for post, chosen in (("exc", excitatory), ("inh", ~excitatory)):
            target = _neuron_at(y[chosen], x[chosen], grids[post], sizes[post])
            edges.append(Edges(pre, post, source[chosen], target))
    rates = rng.lognormal(np.log(RATE_HZ) - RATE_SPREAD**2 / 2, RATE_SPREAD, n_exc + n_inh)
    return SpikingGraph(sizes, edges, rng.poisson(rates), 1000.0)


def _grid(size: int) -> tuple[int, int]:
    """Rows and columns, whose product is at least `size`."""
    rows = max(1, int(np.sqrt(size)))
    return rows, -(-size // rows)


def _neuron_at(y: Any, x: Any, grid: tuple[int, int], size: int) -> Indices:
    rows, columns = grid
    row = np.minimum((y * rows).astype(np.int64), rows - 1)
    column = np.minimum((x * columns).astype(np.int64), columns - 1)
    # The last row may not be full.
    return np.asarray(np.minimum(row * columns + column, size - 1), dtype=np.int64)


NETWORKS: dict[str, NetworkCase] = {
    "wtcrl": NetworkCase(
        "`wtcrl`, 64 neurons, 2,000 digits",
        _experiment("wtcrl", {"m": 64, "n_train": 2_000, "n_test_images": 50}),
        "8x8",
        {},
    ),
    "dastdp": NetworkCase(
        "`dastdp`, 100 hidden neurons, 300 digits",
        _experiment(
            "dastdp",
            {
                "n_train": 300,
                "n_test": 20,
                "record_images": 20,
                "epochs": 1,
                "second_epochs": 0,
                "curve_every": 0,
            },
        ),
        "8x8",
        {},
    ),
    "brunel": NetworkCase(
        "Brunel, 12,500 neurons, 100 ms",
        _brunel,
        "10x10",
        {"fan_in_per_core": 16_384, "synapses_per_core": 262_144},
    ),
    "sheet": NetworkCase(
        "`sheet`, 100,000 neurons",
        _sheet,
        "16x16",
        {"fan_in_per_core": 16_384},
    ),
}
