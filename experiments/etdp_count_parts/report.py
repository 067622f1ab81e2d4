"""The page `docs/results/etdp-count.md`: the sweep of the step, and the source's task beside it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from experiments.atomic import write_atomically
from experiments.etdp_count_parts.figures import draw_sweep
from experiments.results_page import Rows, begin_page, provenance, table, write_page

__all__ = ["CHOSEN", "MODES", "RATES", "STEPS", "write_report"]

RATES = (4.0, 10.0)  # Hz
MODES = ("etdp", "mst", "tdp")
FREE = "etdp-free"  # without a bound of the slope
STEPS = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3)
CHOSEN = {4.0: 5e-4, 10.0: 1e-4}  # by the sweep
SOURCE = {4.0: 50, 10.0: 28}  # epochs

_HEAD = """# A number of spikes, learned from a number

<!-- Written by `make reproduce`; edit experiments/etdp_count_parts instead. -->

Zhang et al., *An efficient threshold-driven aggregate-label learning algorithm for multimodal
information processing*, figures 2 and 3: a neuron with 500 afferents is to fire 10 spikes in the
500 ms of a frozen Poisson input, and hears at the end of each presentation only how many it should
have fired. With afferents of 4 Hz it is silent at first, with 10 Hz it fires far too often. The
source shows one example of each: about 50 and 28 epochs.

Initial weights are normal with mean and standard deviation 0.01 of the threshold, as there. Not
printed there, and chosen here: time constants of 20 and 5 ms, with which both rates look as in
the source's figures before learning; 0.01 of the threshold per ms as the least slope of the
potential at an earlier spike; and the step (learning rate), from the sweep below, whose seeds are
not those of the result."""

_RESULT = """## The source's task

Epochs until a neuron first fires 10 spikes, over the neurons that get there within 400; {n} neurons
with the seeds {first} to {last}, each with its own input and weights. `etdp` is the derivative as
printed, `mst` the exact one, `tdp` that of its forerunner; the step is the same for all three."""

_SWEEP = """## The sweep

Median and the span from the 10th to the 90th percentile of the epochs of {n} neurons with the
seeds {first} to {last}, in the table mean ± standard deviation; an open circle says that not all of
them got to 10 spikes. `etdp-free` has no bound of the slope."""

_WHY = """At 4 Hz the epochs go as the inverse of the step, so that their number means little:
the steps taken are those that come nearest to the source's figures on the seeds of the sweep. At
10 Hz large steps overshoot. What can be compared at one step is the rules. Without a bound of the
slope the printed derivative is the exact one times a factor of at least 1, which grows with the
number of spikes before the critical one: `etdp` goes the same way as `mst`, in longer steps. Where
an earlier spike hardly rises above threshold that factor has no limit, and one step can ruin all
weights: hence the spread of `etdp-free` at 10 Hz. The source finds `etdp` ahead of `tdp` for 10
spikes at 4 Hz already; with the bound taken here the two need as many epochs there."""


def write_report(rows: Rows, folder: Path) -> list[Path]:
    """Write the page and its figures.

    Raises
    ------
    DataError
        If no run is finished.
    """
    made = begin_page(rows, folder)
    files, parts = [], [_HEAD, provenance(made, "etdp_count", f"{made.runs} runs from {made.days}")]
    finals = {rate: rows.get(f"final-{rate:g}hz-etdp", []) for rate in RATES}
    if any(finals.values()):
        parts += [_RESULT.format(**_seeds(rows, "final")), _final_table(rows)]
        for rate, runs in finals.items():
            if runs:
                name = f"etdp-count-{rate:g}hz.png"
                shutil.copyfile(runs[0].path / "course.png", folder / name)
                files.append(folder / name)
                parts.append(f"![Learning with afferents of {rate:g} Hz]({name})")
    if sweeps := _sweeps(rows):
        name = "etdp-count-sweep.png"
        style: dict[str, Any] = {"format": "png", "dpi": 110, "metadata": {"Software": None}}
        write_atomically(folder / name, partial(draw_sweep(sweeps).savefig, **style))
        files.append(folder / name)
        parts += [
            _SWEEP.format(**_seeds(rows, "sweep")),
            f"![Epochs against the step]({name})",
            _sweep_table(sweeps),
            _WHY,
        ]
    page = folder / "etdp-count.md"
    write_page(page, parts)
    return [page, *files]


def _seeds(rows: Rows, prefix: str) -> dict[str, int]:
    run = next(found[0] for row, found in rows.items() if row.startswith(prefix))
    first, n = int(run.record["seed"]), int(run.record["parameters"]["neurons"])
    return {"n": n, "first": first, "last": first + n - 1}


def _final_table(rows: Rows) -> str:
    columns = ["afferents", "rule", "step", "learned", "spikes before", "epochs, mean ± sd"]
    columns += ["median", "least to most", "source"]
    lines = []
    for rate in RATES:
        for mode in MODES:
            for run in rows.get(f"final-{rate:g}hz-{mode}", []):
                found, settings = run.results, run.record["parameters"]
                epochs = found["epochs"]
                some = bool(epochs)
                lines.append(
                    [
                        f"{rate:g} Hz",
                        mode,
                        f"{settings['step']:g}",
                        f"{found['learned']} of {settings['neurons']}",
                        f"{found['first_count']:.1f}",
                        f"{found['mean_epochs']:.1f} ± {found['spread_epochs']:.1f}"
                        if some
                        else "-",
                        f"{found['median_epochs']:g}" if some else "-",
                        f"{min(epochs)} to {max(epochs)}" if some else "-",
                        f"about {SOURCE[rate]}" if mode == "etdp" else "-",
                    ]
                )
    return table(columns, lines, texts=2)


def _sweeps(rows: Rows) -> dict[float, dict[str, list[tuple[float, Any, int, int]]]]:
    """By rate and mode: step, epochs of the neurons that learned, how many did, of how many."""
    sweeps: dict[float, dict[str, list[tuple[float, Any, int, int]]]] = {}
    for rate in RATES:
        for mode in (*MODES, FREE):
            for step in STEPS:
                for run in rows.get(f"sweep-{rate:g}hz-{mode}-{step:g}", []):
                    epochs = run.results["epochs"]
                    n = int(run.record["parameters"]["neurons"])
                    points = sweeps.setdefault(rate, {}).setdefault(mode, [])
                    points.append((step, epochs, len(epochs), n))
    return sweeps


def _sweep_table(sweeps: Mapping[float, Mapping[str, list[tuple[float, Any, int, int]]]]) -> str:
    columns, lines = ["afferents", "rule", *(f"step {step:g}" for step in STEPS)], []
    for rate, modes in sweeps.items():
        for mode, points in modes.items():
            cells = dict.fromkeys(STEPS, "-")
            for step, epochs, learned, n in points:
                spread = np.std(epochs, ddof=1) if learned > 1 else 0.0
                mean = f"{np.mean(epochs):.1f} ± {spread:.1f}" if learned else "-"
                cells[step] = mean + (f" ({learned} of {n})" if learned < n else "")
            lines.append([f"{rate:g} Hz", mode, *cells.values()])
    return table(columns, lines, texts=2)
