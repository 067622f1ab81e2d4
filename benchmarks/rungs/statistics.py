"""The statistics of both networks against NEST's precise neurons: the same distributions?"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.figures import BLUE, ORANGE, style
from benchmarks.networks.brunel import BRUNEL
from benchmarks.networks.cuba import CUBA
from benchmarks.networks.drawn import write_drawn
from benchmarks.networks.run import NETWORKS
from benchmarks.process import Record, run_function
from benchmarks.rung import Measured, Options, Rung, Subject, table
from benchmarks.rungs import brunel as brunel_rung
from benchmarks.rungs import cuba as cuba_rung
from benchmarks.statistics import MEASURES, statistics_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ORDER = 9
SEEDS = 5
SIDES = ("spikemesh", "nest")
LEVEL = 0.01  # below it two distributions are called different, all tests of the table together


def compare(network: str, p: Any, start: float, stop: float, seed: int, options: Options) -> Record:
    """Run one drawn network here and in NEST, and test their distributions for equality."""
    from scipy.stats import ks_2samp

    sizes = {"exc": p.n_exc, "inh": p.n_inh}
    record: Record = {"start_ms": start, "stop_ms": stop}
    kept: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        drawn, found = Path(folder) / "drawn.npz", Path(folder) / "spikes.npz"
        given = {"network": network, "p": p._asdict(), "duration": stop, "seed": seed}
        given["spikes"] = str(found)
        _, make = NETWORKS[network]
        for side in SIDES:
            if side == "spikemesh":
                run_function("benchmarks.networks.run:simulate", given)
            else:
                write_drawn(make(p, seed), drawn)
                more = {"drawn": str(drawn), "precise": True, "resolution": 0.1}
                nest = options.peers.nest.run("nest_run.py", {**given, **more})
                record["version"] = nest["version"]
            with np.load(found) as file:
                spikes = {name: (file[f"{name}/t"], file[f"{name}/i"]) for name in sizes}
            values = statistics_of(spikes, sizes, start, stop, seed)
            kept |= {f"{measure}/{side}": array for measure, array in values.items()}
            found.unlink()
    for measure in MEASURES:
        test = ks_2samp(*(kept[f"{measure}/{side}"] for side in SIDES), method="asymp")
        record[measure] = {
            "distance": float(test.statistic),
            "p": float(test.pvalue),
            **{side: float(np.mean(kept[f"{measure}/{side}"])) for side in SIDES},
        }
    file = options.scratch / f"statistics-{network}-{seed}.npz"
    np.savez_compressed(file, **kept)
    return {**record, "arrays": str(file)}


def subjects(options: Options) -> Sequence[Subject]:
    """CUBA for 10 s, Brunel for half a second after its first tenth."""
    missing = options.peers.nest.missing
    if missing is None and importlib.util.find_spec("scipy") is None:
        missing = "scipy is not installed: `pip install 'spikemesh[bench]'`"
    cases = (
        (
            "CUBA against NEST, precise",
            "cuba",
            cuba_rung.TINY if options.tiny else CUBA,
            (options.size(200.0, 200.0, 0.0), options.size(10_200.0, 1_200.0, 200.0)),
        ),
        (
            "Brunel against NEST, precise",
            "brunel",
            brunel_rung.TINY if options.tiny else BRUNEL,
            (options.size(100.0, 50.0, 0.0), options.size(600.0, 150.0, 200.0)),
        ),
    )

    def subject(name: str, network: str, p: Any, window: tuple[float, float]) -> Subject:
        def measure(seed: int) -> Record:
            return compare(network, p, *window, seed, options)

        return Subject(name, None if missing else measure, missing, peer=True)

    return [subject(*case) for case in cases]


def section(measured: Measured, folder: Path) -> Sequence[str]:
    """The table of tests, and the distributions."""
    from scipy.stats import ks_2samp

    from benchmarks.report import save_figure

    rows = []
    lowest = 1.0
    pooled: dict[str, dict[str, dict[str, Any]]] = {}
    for name in measured.subjects:
        pooled[name] = {}
        for measure, label in MEASURES.items():
            tests = [record[measure] for record in measured[name]]
            values = {side: _pool(measured[name], measure, side) for side in SIDES}
            pooled[name][measure] = values
            whole = ks_2samp(*values.values(), method="asymp")
            lowest = min(lowest, whole.pvalue, *(test["p"] for test in tests))
            rows.append(
                (
                    f"{name.split(' ')[0]}: {label}",
                    *(
                        f"{np.mean(values[side]):.4g} ± {np.std(values[side]):.2g}"
                        for side in SIDES
                    ),
                    " ".join(f"{test['distance']:.3f}" for test in tests),
                    " ".join(f"{test['p']:.2f}" for test in tests),
                    f"{whole.statistic:.4f}",
                    f"{whole.pvalue:.2f}",
                )
            )
    n_tests = sum(len(measured[name]) + 1 for name in measured.subjects) * len(MEASURES)
    save_figure(_draw(pooled), folder / "bench-statistics.png")
    verdict = (
        f"None of the {n_tests} tests tells the two simulators apart"
        if lowest * n_tests >= LEVEL
        else f"The smallest of {n_tests} probabilities tells the two simulators apart"
    )
    times = "; ".join(
        f"{name.split(' ')[0]} {measured[name][0]['start_ms']:g} to "
        f"{measured[name][0]['stop_ms']:g} ms"
        for name in measured.subjects
    )
    return [
        "The same connections and initial potentials in Spikemesh and in NEST's precise neurons "
        f"(`iaf_psc_exp_ps`, `iaf_psc_delta_ps`), {SEEDS} seeds; the networks are chaotic and "
        "the Poisson input of Brunel's is another one, so that single spikes differ. Two-sample "
        "tests of Kolmogorov and Smirnov on the rates of all neurons, the coefficients of "
        "variation of their intervals, and the correlation of spike counts in 10 ms of 1,000 "
        f"disjoint pairs of neurons; {times}.",
        "",
        *table(
            (
                "measure",
                "Spikemesh, mean ± deviation",
                "NEST",
                "distance D by seed",
                "p by seed",
                "D, pooled",
                "p, pooled",
            ),
            rows,
        ),
        "",
        f"{verdict} (smallest p {lowest:.3g}; the level is {LEVEL:g} for all of them together).",
        "",
        "![Distributions of rate, CV and correlation](bench-statistics.png)",
    ]


def _pool(records: Sequence[Record], measure: str, side: str) -> Any:
    parts = []
    for record in records:
        with np.load(record["arrays"]) as file:
            parts.append(file[f"{measure}/{side}"])
    return np.concatenate(parts)


def _draw(pooled: dict[str, dict[str, dict[str, Any]]]) -> Figure:
    """Densities of all seeds together."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 2.7 * len(pooled)), layout="constrained")
    grid = figure.subplots(len(pooled), len(MEASURES), squeeze=False)
    for line, (name, measures) in zip(grid, pooled.items(), strict=True):
        for axis, (measure, label) in zip(line, MEASURES.items(), strict=True):
            values = measures[measure]
            low, high = np.percentile(np.concatenate(list(values.values())), (0.1, 99.9))
            edges = np.linspace(low, high + 1e-9, 41)
            for side, colour, shown, width in (
                ("nest", ORANGE, "NEST, precise", 3.0),
                ("spikemesh", BLUE, "Spikemesh", 1.2),
            ):
                density, _ = np.histogram(values[side], edges, density=True)
                axis.stairs(density, edges, color=colour, lw=width, label=shown)
            axis.set_xlabel(label)
            axis.set_ylim(bottom=0.0)
            style(axis)
        line[0].set_ylabel(f"{name.split(' ')[0]}: density")
    grid[0][0].legend(fontsize=8, frameon=False)
    return figure


RUNG = Rung("statistics", "The same statistics", subjects, section, seeds=SEEDS)
