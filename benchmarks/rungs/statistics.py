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
from benchmarks.statistics import MEASURES, same_until, statistics_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ORDER = 9
SEEDS = 5
SIDES = ("spikemesh", "nest")
SAMPLE = 100  # values a seed that are tested: see the text of the page
TOLERANCE_MS = 1e-6
LEVEL = 0.01  # below it two distributions are called different, all tests of the table together


def compare(network: str, p: Any, start: float, stop: float, seed: int, options: Options) -> Record:
    """Run one drawn network here and in NEST, and test their distributions for equality."""
    from scipy.stats import ks_2samp

    sizes = {"exc": p.n_exc, "inh": p.n_inh}
    record: Record = {"start_ms": start, "stop_ms": stop}
    kept: dict[str, Any] = {}
    trains = []
    draw = np.random.default_rng(seed)
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
            for measure, array in values.items():
                kept[f"{measure}/{side}"] = array
                sample = draw.choice(array, min(SAMPLE, array.size), replace=False)
                kept[f"{measure}/{side}/sample"] = sample
            times, neurons = zip(*(spikes[name] for name in sizes), strict=True)
            shifted = np.concatenate([neurons[0], neurons[1] + p.n_exc]).astype(np.int64)
            trains.append((np.concatenate(times), shifted))
            found.unlink()
    record["spikes"] = int(trains[0][0].size)
    record["same_until_ms"] = min(same_until(trains[0], trains[1], TOLERANCE_MS), stop)
    for measure in MEASURES:
        samples = (kept[f"{measure}/{side}/sample"] for side in SIDES)
        test = ks_2samp(*samples, method="asymp")
        record[measure] = {
            "distance": float(test.statistic),
            "p": float(test.pvalue),
            **{side: float(np.mean(kept[f"{measure}/{side}"])) for side in SIDES},
        }
    file = options.scratch / f"statistics-{network}-{seed}.npz"
    np.savez_compressed(file, **kept)
    return {**record, "arrays": str(file)}


def subjects(options: Options) -> Sequence[Subject]:
    """CUBA for 5 s, Brunel for less, after their beginning."""
    missing = options.peers.nest.missing
    if missing is None and importlib.util.find_spec("scipy") is None:
        missing = "scipy is not installed: `pip install 'spikemesh[bench]'`"
    cases = (
        (
            "CUBA against NEST, precise",
            "cuba",
            cuba_rung.TINY if options.tiny else CUBA,
            (options.size(200.0, 200.0, 0.0), options.size(5_200.0, 1_200.0, 200.0)),
        ),
        (
            "Brunel against NEST, precise",
            "brunel",
            brunel_rung.TINY if options.tiny else BRUNEL,
            (options.size(100.0, 50.0, 0.0), options.size(500.0, 150.0, 200.0)),
        ),
    )

    def subject(name: str, network: str, p: Any, window: tuple[float, float]) -> Subject:
        def measure(seed: int) -> Record:
            return compare(network, p, *window, seed, options)

        return Subject(name, None if missing else measure, missing, peer=True)

    return [subject(*case) for case in cases]


def section(measured: Measured, folder: Path) -> Sequence[str]:
    """The table of tests, and the distributions."""
    from benchmarks.report import save_figure

    rows = [_row(measured, name, measure) for name in measured.subjects for measure in MEASURES]
    save_figure(_draw(measured), folder / "bench-statistics.png")
    lowest = min(p for _, ps in rows for p in ps)
    n_tests = sum(len(ps) for _, ps in rows)
    verdict = "None of the" if lowest * n_tests >= LEVEL else "One at least of the"
    times = "; ".join(
        f"{name.split(' ')[0]} from {measured[name][0]['start_ms']:g} to "
        f"{measured[name][0]['stop_ms']:g} ms, {len(measured[name])} seeds"
        for name in measured.subjects
    )
    return [
        "The same connections and initial potentials in Spikemesh and in NEST's precise neurons "
        f"(`iaf_psc_exp_ps`, `iaf_psc_delta_ps`): {times}. {_alike(measured)} The "
        "Poisson trains into Brunel's network are drawn by each simulator. Two-sample tests of "
        "Kolmogorov and Smirnov on the rates of neurons, the coefficients of variation of their "
        "intervals, and the correlation of spike counts in 10 ms of disjoint pairs of neurons. "
        "Neurons follow the fluctuations of their network, so that thousands of them are not as "
        f"many independent samples: {SAMPLE} of a seed are tested, drawn at random, and those of "
        "all seeds together; means and figures are of all neurons.",
        "",
        *table(
            (
                "measure",
                "Spikemesh, mean ± deviation",
                "NEST",
                "difference of means ± its error over seeds",
                "distance D by seed",
                "p by seed",
                "D, pooled",
                "p, pooled",
            ),
            [row for row, _ in rows],
        ),
        "",
        f"{verdict} {n_tests} tests tells the two simulators apart (smallest p {lowest:.2g}, where "
        f"{LEVEL / n_tests:.1g} would, at a level of {LEVEL:g} for all of them together).",
        "",
        "![Distributions of rate, CV and correlation](bench-statistics.png)",
    ]


def _row(measured: Measured, name: str, measure: str) -> tuple[tuple[str, ...], list[float]]:
    """One line of the table, and the probabilities of its tests."""
    from scipy.stats import ks_2samp

    tests = [record[measure] for record in measured[name]]
    every = [_pool(measured[name], f"{measure}/{side}") for side in SIDES]
    samples = [_pool(measured[name], f"{measure}/{side}/sample") for side in SIDES]
    whole = ks_2samp(*samples, method="asymp")
    apart = [test["spikemesh"] - test["nest"] for test in tests]
    difference = f"{np.mean(apart):.2g}"
    if len(apart) > 1:
        difference += f" ± {np.std(apart, ddof=1) / len(apart) ** 0.5:.1g}"
    row = (
        f"{name.split(' ')[0]}: {MEASURES[measure]}",
        *(f"{np.mean(values):.4g} ± {np.std(values):.2g}" for values in every),
        difference,
        " ".join(f"{test['distance']:.3f}" for test in tests),
        " ".join(f"{test['p']:.2g}" for test in tests),
        f"{whole.statistic:.3f}",
        f"{whole.pvalue:.2g}",
    )
    return row, [*(float(test["p"]) for test in tests), float(whole.pvalue)]


def _alike(measured: Measured) -> str:
    """How long CUBA, which has no random input, gives the same spikes."""
    records = [r for name in measured.subjects if name.startswith("CUBA") for r in measured[name]]
    if not records:
        return ""
    shortest = min(record["same_until_ms"] for record in records)
    if all(record["same_until_ms"] == record["stop_ms"] for record in records):
        n_spikes = sum(record["spikes"] for record in records)
        return (
            f"CUBA, which has no random input, gives the same {n_spikes:,} spikes in both, each "
            f"within {TOLERANCE_MS:g} ms."
        )
    return (
        "CUBA, which has no random input, gives the same spikes in both, each within "
        f"{TOLERANCE_MS:g} ms, for the first {shortest:.0f} ms at least."
    )


def _pool(records: Sequence[Record], array: str) -> Any:
    parts = []
    for record in records:
        with np.load(record["arrays"]) as file:
            parts.append(file[array])
    return np.concatenate(parts)


def _draw(measured: Measured) -> Figure:
    """Densities of all seeds together."""
    from matplotlib.figure import Figure

    names = measured.subjects
    figure = Figure(figsize=(10, 2.7 * len(names)), layout="constrained")
    grid = figure.subplots(len(names), len(MEASURES), squeeze=False)
    for line, name in zip(grid, names, strict=True):
        for axis, (measure, label) in zip(line, MEASURES.items(), strict=True):
            values = {side: _pool(measured[name], f"{measure}/{side}") for side in SIDES}
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
