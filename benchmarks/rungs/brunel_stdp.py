"""The network of Brunel 2000 with plastic excitatory synapses: ten million of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.networks.brunel import PLASTIC
from benchmarks.networks.run import peer_subjects, spikemesh_subjects
from benchmarks.rung import SPIKEMESH, Measured, Options, Rung, Subject, table

ORDER = 2.5
TINY = PLASTIC._replace(n_exc=80, n_inh=20, c_exc=8, c_inh=2, j=2.0, eta=1.2)
BRIAN2 = "Brian2, C++, grid of 0.1 ms"


def subjects(options: Options) -> Sequence[Subject]:
    """A second in the engine and in Brian2."""
    p = TINY if options.tiny else PLASTIC
    duration = options.size(1_000.0, 100.0, 20.0)
    engine, *_ = spikemesh_subjects("brunel", p, duration, 0.0, 0.0)
    peers = peer_subjects("brunel", p, (duration,) * 3, options.peers)
    return [engine, *(peer for peer in peers if peer.name == BRIAN2)]


def section(measured: Measured, folder: Path) -> Sequence[str]:
    """The table; ratios are processor times over ours."""
    ours = measured.cost(SPIKEMESH, "duration_ms")
    rows = []
    for name in measured.subjects:
        cost = measured.cost(name, "duration_ms")
        rates = [float(record["rate_hz"]) for record in measured[name]]
        rows.append(
            (
                name,
                len(measured[name]),
                f"{measured.median(name, 'duration_ms') / 1000:g}",
                f"{measured.median(name, 'rate_hz'):.2f} ({min(rates):.2f} to {max(rates):.2f})",
                f"{cost * 1000:.3g}",
                f"{cost / ours:.3g}",
                f"{measured.median(name, 'build_cpu_s'):.3g}",
                f"{measured.median(name, 'peak_mb'):.0f}",
            )
        )
    return [
        "The same network, whose ten million excitatory synapses onto excitatory neurons learn by "
        "additive pair STDP: all pairs, at exact times here, on the grid in Brian2. A presynaptic "
        "spike acts 1.5 ms later, when it reaches the synapse. On a grid of 0.1 ms weights fall by "
        "a third less than at exact times, and the rate is higher; on one of 0.02 ms both agree "
        "(docs/decisions/0008-measuring-speed.md).",
        "",
        *table(
            (
                "simulator",
                "runs",
                "simulated (s)",
                "rate (Hz), and its range",
                "CPU time per simulated second (s)",
                "over Spikemesh",
                "building (CPU s)",
                "peak memory (MB)",
            ),
            rows,
        ),
    ]


RUNG = Rung("brunel_stdp", "Brunel with STDP: ten million plastic synapses", subjects, section)
