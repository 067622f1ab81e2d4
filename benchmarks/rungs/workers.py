"""One worker and two: wall time of the same run, which gives the same spikes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from benchmarks.cores import WORKERS, simulation_of
from benchmarks.networks.brunel import BRUNEL
from benchmarks.networks.cuba import CUBA
from benchmarks.networks.run import NETWORKS
from benchmarks.process import Record, run_function
from benchmarks.rung import Measured, Options, Rung, Subject, table
from benchmarks.rungs import brunel as brunel_rung
from benchmarks.rungs import cuba as cuba_rung

ORDER = 8
COUNTS = (1, 2)


def simulate(
    network: str, p: Mapping[str, Any], duration: float, workers: int, seed: int
) -> Record:
    """Wall and processor time of a run with so many workers, and a digest of its spikes."""
    parameters, make = NETWORKS[network]
    description = make(parameters(**p), seed=seed)
    simulation = simulation_of(description, workers)
    simulation.run(0.0)
    cpu, wall = time.process_time(), time.perf_counter()
    simulation.run(duration)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    digest = blake2b(digest_size=8)
    for name in ("exc", "inh"):
        for values in simulation.spikes(name):
            digest.update(values.tobytes())
    return {"wall_s": wall, "cpu_s": cpu, "duration_ms": duration, "digest": digest.hexdigest()}


def subjects(options: Options) -> Sequence[Subject]:
    """Both networks with each number of workers."""
    cases = {
        "CUBA": ("cuba", cuba_rung.TINY if options.tiny else CUBA, (10_000.0, 1_000.0, 10.0)),
        "Brunel": ("brunel", brunel_rung.TINY if options.tiny else BRUNEL, (500.0, 50.0, 10.0)),
    }
    made = []
    for label, (network, p, durations) in cases.items():
        for workers in COUNTS:
            made.append(_subject(label, network, p, options.size(*durations), workers))
    return made


def _subject(label: str, network: str, p: Any, duration: float, workers: int) -> Subject:
    name = f"{label}, {workers} worker{'s' if workers > 1 else ''}"
    if workers > 1 and not WORKERS:
        return Subject(name, missing="this version runs on one core")
    if workers > (os.cpu_count() or 1):
        return Subject(name, missing=f"this machine has {os.cpu_count()} core")

    def measure(seed: int) -> Record:
        given = {"network": network, "p": p._asdict(), "duration": duration, "workers": workers}
        return run_function(
            f"{__name__}:simulate",
            {**given, "seed": seed},
            {"NUMBA_NUM_THREADS": str(max(COUNTS))},
        )

    return Subject(name, measure)


def section(measured: Measured, folder: Path) -> Sequence[str]:
    """The table, and whether the spikes were the same."""
    rows = []
    for name in measured.subjects:
        label = name.split(",")[0]
        one = f"{label}, 1 worker"
        wall = measured.median(name, "wall_s")
        same = [r["digest"] for r in measured[name]] == [
            r["digest"] for r in measured[one][: len(measured[name])]
        ]
        rows.append(
            (
                name,
                len(measured[name]),
                f"{measured.median(name, 'duration_ms') / 1000:g}",
                f"{wall:.3g}",
                f"{measured.median(name, 'cpu_s'):.3g}",
                f"{measured.median(one, 'wall_s') / wall:.2f}",
                "yes" if same else "no",
            )
        )
    return [
        "Wall time, which needs a machine that does nothing else.",
        "",
        *table(
            (
                "network",
                "runs",
                "simulated (s)",
                "wall time (s)",
                "CPU time (s)",
                "faster than one worker by",
                "the same spikes",
            ),
            rows,
        ),
    ]


RUNG = Rung("workers", "Both cores", subjects, section)
