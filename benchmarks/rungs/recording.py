"""Resident memory while 10^8 spikes are recorded to the disk: it should be flat."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.cores import simulation_of
from benchmarks.figures import BLUE, style
from benchmarks.process import Record, resident_mb, run_function
from benchmarks.rung import SPIKEMESH, Measured, Options, Rung, Subject, table
from encoders import Poisson
from experiments.spike_file import SpikeFileReader
from simulator import Network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ORDER = 7
RATE_HZ = 1000.0
SAMPLES = 50
SETTLED = 0.1  # of the run: buffers have their size by then


def record_spikes(n_spikes: int, n: int, seed: int) -> Record:
    """Record the spikes of ``n`` Poisson neurons into an HDF5 file, looking at the memory."""
    duration = n_spikes / (n * RATE_HZ) * 1000.0
    net = Network(seed=seed)
    net.population("sources", n, Poisson(RATE_HZ))
    net.record_spikes("sources")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "spikes.h5"
        simulation = simulation_of(net)
        simulation.record_to(file)
        simulation.run(0.0)
        resident, spikes = [], []
        start = time.process_time()
        for k in range(1, SAMPLES + 1):
            simulation.run(duration * k / SAMPLES)
            resident.append(resident_mb())
            spikes.append(n_spikes * k / SAMPLES)
        done = time.process_time()
        with SpikeFileReader(file) as reader:
            written = reader.count("sources")
        size = file.stat().st_size
    settled = resident[int(SETTLED * SAMPLES) :]
    return {
        "written": int(written),
        "file_mb": size / 1e6,
        "cpu_s": done - start,
        "spikes": spikes,
        "resident_mb": resident,
        "growth_mb": settled[-1] - settled[0],
        "swing_mb": float(np.ptp(settled)),
    }


def subjects(options: Options) -> Sequence[Subject]:
    """One run; its course is what matters."""
    n_spikes = int(options.size(1e8, 4e6, 1e4))
    n = int(options.size(10_000, 10_000, 50))

    def measure(seed: int) -> Record:
        return run_function(
            f"{__name__}:record_spikes", {"n_spikes": n_spikes, "n": n, "seed": seed}
        )

    return [Subject(SPIKEMESH, measure, once=True)]


def section(measured: Measured, folder: Path) -> Sequence[str]:
    """The figure and its summary."""
    from benchmarks.report import save_figure

    record = measured[SPIKEMESH][-1]
    save_figure(_draw(record), folder / "bench-recording.png")
    per_spike = record["growth_mb"] * 1e6 / (record["written"] * (1.0 - SETTLED))
    return [
        "Poisson neurons whose spikes go to an HDF5 file (SONATA) as they come.",
        "",
        "![Resident memory against recorded spikes](bench-recording.png)",
        "",
        *table(
            (
                "",
                "spikes in the file",
                "file (MB)",
                "CPU time (s)",
                "resident memory at the end (MB)",
                "growth over the last 90 % (MB)",
                "bytes per spike",
                "largest swing (MB)",
            ),
            [
                (
                    SPIKEMESH,
                    f"{record['written']:,}",
                    f"{record['file_mb']:,.0f}",
                    f"{record['cpu_s']:.1f}",
                    f"{record['resident_mb'][-1]:.0f}",
                    f"{record['growth_mb']:.1f}",
                    f"{per_spike:.3f}",
                    f"{record['swing_mb']:.1f}",
                )
            ],
        ),
    ]


def _draw(record: Record) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 2.8), layout="constrained")
    axis = figure.subplots()
    spikes = np.array(record["spikes"]) / 1e6
    axis.plot(spikes, record["resident_mb"], "o-", color=BLUE, ms=3, lw=1.2, label="resident")
    in_memory = record["resident_mb"][0] + (spikes - spikes[0]) * 16.0
    axis.plot(spikes, in_memory, "--", color="#777777", lw=1.0, label="if spikes stayed in memory")
    axis.set_xlabel("recorded spikes (million)")
    axis.set_ylabel("memory (MB)")
    axis.set_ylim(0.0, 2.2 * max(record["resident_mb"]))
    axis.set_xlim(left=0.0)
    axis.legend(fontsize=8, frameon=False, loc="upper right")
    style(axis)
    return figure


RUNG = Rung("recording", "Recording to the disk", subjects, section)
