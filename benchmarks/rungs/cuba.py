"""Deliveries per second of processor time on the current-based network of Brette et al. 2007."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.networks.cuba import CUBA
from benchmarks.networks.run import peer_subjects, spikemesh_subjects
from benchmarks.rung import SPIKEMESH, Measured, Options, Rung, Subject, table

ORDER = 1
TINY = CUBA._replace(n_exc=80, n_inh=20, probability=0.2, w_exc=4.0)


def subjects(options: Options) -> Sequence[Subject]:
    """Durations are such that each takes some seconds."""
    p = TINY if options.tiny else CUBA
    duration = options.size(10_000.0, 1_000.0, 20.0)
    every, readable = duration / 5, options.size(50.0, 20.0, 5.0)
    others = (duration / 5, duration / 5, duration)
    engine, *plain = spikemesh_subjects("cuba", p, duration, every, readable)
    return [engine, *peer_subjects("cuba", p, others, options.peers), *plain]


def section(measured: Measured, folder: Path) -> Sequence[str]:
    """The table; ratios are speeds over ours."""
    rows = []
    ours = measured.cost(SPIKEMESH, "deliveries")
    for name in measured.subjects:
        cost = measured.cost(name, "deliveries")
        rows.append(
            (
                name,
                len(measured[name]),
                f"{measured.median(name, 'duration_ms') / 1000:g}",
                f"{measured.median(name, 'rate_hz'):.2f}",
                f"{measured.median(name, 'simulate_cpu_s'):.3g}",
                f"{1e-6 / cost:.3g}",
                f"{cost / ours:.3g}",
                f"{measured.median(name, 'process_cpu_s'):.3g}",
                f"{measured.median(name, 'peak_mb'):.0f}",
            )
        )
    return [
        "4,000 neurons with exponential currents, 320,000 synapses, delay 0.1 ms, no input; "
        "Brette et al. 2007. The simulation with its recording is timed, not the making of the "
        "network. *Of everything* is the whole process, from the start of the interpreter to its "
        "end, with all compiling there was; memory is that of the process, for Brian2 that of the "
        "compiled program. Spikes of Spikemesh and of NEST's precise neurons lie off the grid.",
        "",
        *table(
            (
                "simulator",
                "runs",
                "simulated (s)",
                "rate (Hz)",
                "CPU time (s)",
                "million deliveries per CPU second",
                "Spikemesh is faster by",
                "CPU time of everything (s)",
                "peak memory (MB)",
            ),
            rows,
        ),
    ]


RUNG = Rung("cuba", "CUBA: sparse, no input", subjects, section)
