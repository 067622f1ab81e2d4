"""Brunel's sparse random network on a mesh: the latency of the packets adds to its delay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from benchmarks.networks.brunel import BRUNEL, POPULATIONS, brunel
from benchmarks.statistics import interval_cvs
from experiments.cosimulation_parts.journeys import journey_measures
from experiments.experiment import Context
from mapping import CoSimulation, Mesh

if TYPE_CHECKING:
    from experiments.cosimulation import Config

__all__ = ["balance_on_a_mesh"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PIECE_MS = 5.0
BIN_MS = 1.0


def balance_on_a_mesh(config: Config, context: Context) -> dict[str, float | int]:
    """Run for `duration_ms`; what is measured leaves out the first `settling_ms`.

    The network has no structure, so its neurons are dealt out in the order of their numbers. The
    external trains are noise of each neuron's own and enter at its core.
    """
    mesh = Mesh.parse(config.mesh)
    net = brunel(BRUNEL, seed=context.seed)
    sizes = {name: net.populations[name].size for name in POPULATIONS}
    cores = mesh.usable_cores
    homes = {name: cores[np.arange(n) * cores.size // n] for name, n in sizes.items()}
    simulation = CoSimulation(
        net,
        mesh,
        homes,
        **config.machine,
    )
    with context.progress("milliseconds simulated", config.duration_ms) as bar:
        while simulation.time < config.duration_ms:
            before = simulation.time
            simulation.run(min(before + PIECE_MS, config.duration_ms))
            bar.advance(simulation.time - before)
    times, neurons = simulation.spikes("exc")
    kept = times >= config.settling_ms
    times, neurons = times[kept], neurons[kept]
    measured_s = 1e-3 * (config.duration_ms - config.settling_ms)
    bins = np.arange(config.settling_ms, config.duration_ms + BIN_MS / 2, BIN_MS)
    counts = np.histogram(times, bins)[0]
    context.directory.write_arrays("rate", {"bins_ms": bins, "spikes": counts})
    return {
        "rate_hz": times.size / (sizes["exc"] * measured_s),
        "cv": interval_cv(times, neurons),
        "synchrony": float(counts.var() / counts.mean()) if counts.any() else 0.0,
        **journey_measures(simulation, config.settling_ms),
    }


def interval_cv(times: Floats, neurons: Ints) -> float:
    """Mean coefficient of variation of the intervals of neurons with at least three of them."""
    cvs = interval_cvs(times, neurons, least=3)
    return float(cvs.mean()) if cvs.size else 0.0
