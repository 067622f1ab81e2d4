"""Processor time and memory on the network of Brunel 2000: many synapses, much Poisson input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.networks.brunel import BRUNEL
from benchmarks.networks.run import peer_subjects, spikemesh_subjects
from benchmarks.rung import SPIKEMESH, Measured, Options, Rung, Subject, table

ORDER = 2
TINY = BRUNEL._replace(n_exc=80, n_inh=20, c_exc=8, c_inh=2, j=2.0, eta=1.2)


def subjects(options: Options) -> Sequence[Subject]:
    """A second; what is slow for less."""
    p = TINY if options.tiny else BRUNEL
    duration = options.size(1_000.0, 100.0, 20.0)
    others = (duration / 2, options.size(100.0, 20.0, 20.0), duration)
    engine, *plain = spikemesh_subjects("brunel", p, duration, others[1], 0.0)
    return [engine, *peer_subjects("brunel", p, others, options.peers), *plain]


def section(measured: Measured, folder: Path) -> Sequence[str]:
    """The table; ratios are processor times over ours."""
    rows = []
    ours = measured.cost(SPIKEMESH, "duration_ms")
    for name in measured.subjects:
        cost = measured.cost(name, "duration_ms")
        peak = measured.median(name, "peak_mb")
        rows.append(
            (
                name,
                len(measured[name]),
                f"{measured.median(name, 'duration_ms') / 1000:g}",
                f"{measured.median(name, 'rate_hz'):.2f}",
                f"{cost * 1000:.3g}",
                f"{1e-6 / measured.cost(name, 'deliveries'):.3g}",
                f"{cost / ours:.3g}",
                f"{measured.median(name, 'build_cpu_s'):.3g}",
                f"{peak:.0f}",
                f"{peak * 1e6 / measured.median(name, 'synapses'):.1f}",
            )
        )
    growth = measured.median(SPIKEMESH, "growth_mb") * 1e6 / measured.median(SPIKEMESH, "synapses")
    return [
        "12,500 neurons, 15.6 million synapses whose spikes make the potential jump, delay 1.5 ms, "
        "and an external Poisson train of 20 kHz for each neuron; Brunel 2000, model A, g = 5, "
        "eta = 2. Deliveries are the recurrent ones; 250 million external spikes a second come on "
        "top. Peak memory is that of the process while it builds and runs the network, for Brian2 "
        "that of the compiled program (without the compiler).",
        "",
        *table(
            (
                "simulator",
                "runs",
                "simulated (s)",
                "rate (Hz)",
                "CPU time per simulated second (s)",
                "million deliveries per CPU second",
                "over Spikemesh",
                "building (CPU s)",
                "peak memory (MB)",
                "peak bytes per synapse",
            ),
            rows,
        ),
        "",
        f"Built and run, the network holds {growth:.1f} bytes of resident memory per synapse in "
        "Spikemesh, everything included.",
    ]


RUNG = Rung("brunel", "Brunel: many synapses, much input", subjects, section)
