"""Does time grow with deliveries alone?  Rate, synapses and spread of delays, by decades."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.cores import simulation_of
from benchmarks.figures import BLUE, COLOURS, GREY, style
from benchmarks.networks.driven import driven
from benchmarks.process import Record, resident_mb, run_function
from benchmarks.rung import Measured, Options, Rung, Subject, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ORDER = 4
SWEEPS = {
    "rate": "rate of the sources (Hz)",
    "synapses": "synapses (1)",
    "spread": "spread of the delays (ms)",
}
# The points that the lines through deliveries go through: where they are many.
ANCHORS = {"rate": "rate 100", "synapses": "synapses 1e+06", "spread": "spread 1"}
BYTES_PER_SYNAPSE = 110  # while a network with one delay is made; bounds what is tried
BASE = {"n": 2000, "in_degree": 500, "rate_hz": 10.0, "delay_ms": 1.0, "spread_ms": 0.0}


def simulate(sweep: str, x: float, duration: float, seed: int, **network: Any) -> Record:
    """One point: time of the simulation, per delivery and in all."""
    before = resident_mb()
    start = time.process_time()
    simulation = simulation_of(driven(**network, seed=seed))
    built = time.process_time()
    simulation.run(0.0)
    compiled = time.process_time()
    simulation.run(duration)
    done = time.process_time()
    return {
        "sweep": sweep,
        "x": x,
        "duration_ms": duration,
        "point_deliveries": simulation.deliveries,
        "point_cpu_s": done - compiled,
        "build_cpu_s": built - start,
        "growth_mb": resident_mb() - before,
        "rate_hz": simulation.spikes("cells")[0].size / network["n"] / duration * 1000.0,
    }


def points(options: Options) -> list[tuple[str, float, float, dict[str, Any]]]:
    """(sweep, value, duration in ms, network) of every point."""
    if options.tiny:
        small = {**BASE, "n": 20, "in_degree": 5}
        return [(s, x, 20.0, small) for s, x in (("rate", 10.0), ("synapses", 100), ("spread", 0))]
    made: list[tuple[str, float, float, dict[str, Any]]] = []
    duration = options.size(2_000.0, 200.0, 20.0)
    for rate in (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0):
        made.append(("rate", rate, duration, {**BASE, "rate_hz": rate}))
    for n, degree in ((100, 100), (316, 316), (1_000, 1_000), (10_000, 1_000), (100_000, 1_000)):
        if options.quick and n > 1_000:
            break
        network = {**BASE, "n": n, "in_degree": degree, "rate_hz": 2.0}
        # Small networks run longer, so that there is something to measure.
        made.append(("synapses", n * degree, max(1_000.0, 1e9 / (n * degree)), network))
    for spread in (0.0, 0.1, 1.0, 10.0, 100.0):
        made.append(("spread", spread, duration, {**BASE, "spread_ms": spread}))
    return made


def subjects(options: Options) -> Sequence[Subject]:
    """Each point by itself."""
    return [_subject(*point) for point in points(options)]


def _subject(sweep: str, x: float, duration: float, network: dict[str, Any]) -> Subject:
    name = f"{sweep} {x:g}"
    n_synapses = network["n"] * network["in_degree"]
    need = n_synapses * BYTES_PER_SYNAPSE / 1e9
    if need > _free_gb():
        text = f"needs {need:.0f} GB of memory while the network is made, {_free_gb():.0f} are free"
        return Subject(name, missing=text)

    def measure(seed: int) -> Record:
        given = {"sweep": sweep, "x": x, "duration": duration, "seed": seed, **network}
        return run_function(f"{__name__}:simulate", given)

    return Subject(name, measure, once=n_synapses >= 10**8)


def _free_gb() -> float:
    import re

    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return 8.0  # elsewhere than on Linux
    found = re.search(r"MemAvailable:\s+(\d+)", text)
    return int(found.group(1)) * 1024 / 1e9 if found else 8.0


def section(measured: Measured, folder: Path) -> Sequence[str]:
    """The figure, and what is behind it."""
    from benchmarks.report import save_figure

    save_figure(_draw(measured), folder / "bench-scaling.png")
    rows = []
    for name in measured.subjects:
        deliveries = measured.median(name, "point_deliveries")
        seconds = measured.median(name, "point_cpu_s")
        rows.append(
            (
                name,
                len(measured[name]),
                f"{deliveries / 1e6:.3g}",
                f"{seconds:.3g}",
                f"{seconds / deliveries * 1e9:.3g}",
                f"{measured.median(name, 'rate_hz'):.1f}",
                f"{measured.median(name, 'build_cpu_s'):.2g}",
                f"{measured.median(name, 'growth_mb'):.0f}",
            )
        )
    return [
        "Poisson sources drive as many neurons (LIFExp) to fire; one number is turned at a time. "
        "The grey lines are linear in deliveries, through one of the points.",
        "",
        "![Processor time against rate, synapses and spread of delays](bench-scaling.png)",
        "",
        *table(
            (
                "point",
                "runs",
                "million deliveries",
                "CPU time (s)",
                "ns per delivery",
                "output rate (Hz)",
                "building (CPU s)",
                "memory (MB)",
            ),
            rows,
        ),
    ]


def _draw(measured: Measured) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter

    figure = Figure(figsize=(10, 3.3), layout="constrained")
    axes = figure.subplots(1, 3)
    for axis, (sweep, label), colour in zip(axes, SWEEPS.items(), COLOURS, strict=False):
        names = [n for n in measured.subjects if measured[n][0]["sweep"] == sweep]
        if not names:
            axis.set_visible(False)
            continue
        x = [measured.median(n, "x") for n in names]
        deliveries = [measured.median(n, "point_deliveries") for n in names]
        seconds = [measured.median(n, "point_cpu_s") for n in names]
        durations = [measured.median(n, "duration_ms") / 1000.0 for n in names]
        # By simulated second: small networks are simulated for longer.
        cost = [s / d for s, d in zip(seconds, durations, strict=True)]
        anchor = names.index(ANCHORS[sweep]) if ANCHORS[sweep] in names else -1
        per_delivery = seconds[anchor] / max(deliveries[anchor], 1)
        line = [per_delivery * n / d for n, d in zip(deliveries, durations, strict=True)]
        axis.plot(x, line, "--", color=GREY, lw=1.2, label="linear in deliveries")
        axis.plot(x, cost, "o-", color=colour or BLUE, ms=5, lw=1.2, label="measured")
        if sweep == "spread":
            axis.set_xscale("symlog", linthresh=0.1, linscale=0.5)
            axis.set_xlim(left=-0.02)
            axis.set_yscale("log")
            low, high = min(cost + line), max(cost + line)
            axis.set_ylim(low / 10.0, high * 10.0)  # a decade either way, as the others have
            axis.yaxis.set_minor_formatter(NullFormatter())
        else:
            axis.set_xscale("log")
            axis.set_yscale("log")
        axis.set_xlabel(label)
        axis.legend(fontsize=8, frameon=False)
        style(axis)
    axes[0].set_ylabel("CPU time per simulated second (s)")
    return figure


RUNG = Rung("scaling", "Scaling: time against deliveries", subjects, section)
