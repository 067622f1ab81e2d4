"""The page `docs/results/wtcrl.md`: every table with the source's figures beside ours."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from experiments import results_page
from experiments.atomic import write_atomically
from experiments.results_page import (
    Origin,
    Rows,
    begin_page,
    known_pictures,
    provenance,
    table,
    write_page,
)
from experiments.run_directory import RunDirectory
from experiments.wtcrl_parts import prose
from experiments.wtcrl_parts.paper import NEURONS, paper_figure

__all__ = ["Rows", "mean_spread", "write_report"]

PAGE = "wtcrl.md"
PICTURES = {
    "wtcrl-code-vectors.png": ("step-m64", "code_vectors"),
    "wtcrl-learning-curve.png": ("step-m64", "learning_curve"),
    "wtcrl-reconstruction.png": ("step-m128", "reconstruction"),
    "wtcrl-presentations.png": ("step-m64", "presentations"),
    "wtcrl-natural.png": ("natural-m128", "reconstruction"),
}
MEASURES = ("rms", "sparsity", "incoherence_5", "incoherence_10")


def write_report(rows: Rows, folder: Path) -> list[Path]:
    """Write the page and its figures.

    Parameters
    ----------
    rows
        Finished runs by the name of their row; rows that are not there are left out of the tables.
    folder
        Where to.

    Raises
    ------
    DataError
        If there is no finished run at all.
    """
    from experiments.wtcrl_parts.report_figures import draw_by_neurons, draw_by_noise

    made = begin_page(rows, folder)
    files = []
    for name, (row, figure) in PICTURES.items():
        if row in rows:
            shutil.copyfile(rows[row][0].path / f"{figure}.png", folder / name)
            files.append(folder / name)
    for name, drawn in (
        ("wtcrl-neurons.png", draw_by_neurons(rows)),
        ("wtcrl-noise.png", draw_by_noise(rows)),
    ):
        if drawn is not None:
            style: dict[str, Any] = {"format": "png", "dpi": 110, "metadata": {"Software": None}}
            write_atomically(folder / name, partial(drawn.savefig, **style))
            files.append(folder / name)
    write_page(folder / PAGE, known_pictures(_parts(rows, made), files))
    return [folder / PAGE, *files]


def mean_spread(
    runs: list[RunDirectory], name: str | Callable[[RunDirectory], float | None], digits: int = 3
) -> str:
    """Mean and standard deviation over the seeds, as text; "-" where nothing was measured."""
    return results_page.mean_spread(_values(runs, name), digits)


def _values(
    runs: list[RunDirectory], name: str | Callable[[RunDirectory], float | None]
) -> list[float]:
    read = name if callable(name) else (lambda run: run.results.get(name))
    return [value for run in runs if (value := read(run)) is not None]


def _parts(rows: Rows, made: Origin) -> list[str]:
    """The page in order; a section whose rows are not there is left out."""
    by_neurons = {
        prefix: _by_neurons(rows, prefix, "mnist" if prefix in ("step", "exact") else "natural")
        for prefix in ("step", "exact", "natural", "short", "natural-exact")
    }
    sections: list[tuple[str, ...]] = [
        (by_neurons["step"], prose.DIGITS, by_neurons["step"], _verdict(rows, "step")),
        (by_neurons["exact"], prose.DIGITS_EXACT, by_neurons["exact"], _verdict(rows, "exact")),
        (by_neurons["step"], prose.DIGITS_DIFFERENCES, prose.DIGITS_PICTURES),
        (_if_any(rows, "delay"), prose.DELAY, _by_delay(rows), prose.DELAY_WHY),
        (_if_any(rows, "tau"), prose.TAU, _by_tau(rows)),
        (_if_any(rows, "noise"), prose.NOISE, _by_noise(rows), prose.NOISE_WHY),
        (by_neurons["natural"], prose.NATURAL, by_neurons["natural"]),
        (by_neurons["short"], prose.NATURAL_SHORT, by_neurons["short"]),
        (by_neurons["natural-exact"], prose.NATURAL_EXACT, by_neurons["natural-exact"]),
        (by_neurons["natural"], prose.NATURAL_WHY),
        (by_neurons["step"], prose.SPEED, _speed(rows)),
    ]
    parts = [prose.HEAD, _provenance(made), prose.PROTOCOL]
    for needed, *texts in sections:
        if needed:
            parts += texts
    return parts


def _if_any(rows: Rows, prefix: str) -> str:
    """The first row of that kind, or nothing."""
    return next((row for row in rows if row.startswith(prefix)), "")


def _section(lead: str, table: str) -> tuple[str, ...]:
    """A table with the sentence that leads to it; nothing while it has no runs."""
    return (lead, table) if table else ()


def _provenance(made: Origin) -> str:
    """Seeds, versions and machines of the runs, as they recorded them."""
    made = made._replace(machines=f"{made.machines}; two runs at a time")
    return provenance(
        made,
        "wtcrl",
        f"Seeds: {made.seeds}; {made.runs} runs. A seed draws the images,"
        " the patches, the initial weights and the noise.",
        f"Runs from {made.days}",
    )


def _paper(data: str, name: str, m: int) -> str:
    figure = paper_figure(data, name, m)
    return "-" if figure is None else f"{figure:.3f}"


def _by_neurons(rows: Rows, prefix: str, data: str) -> str:
    columns = [
        "m", "runs", "RMS", "source", "ratio", "silent patches", "RMS without them",
        "nearest vector", "sparsity", "source", "incoherence 5 %", "source", "10 %", "source",
    ]  # fmt: skip
    lines = []
    for m in NEURONS:
        runs = rows.get(f"{prefix}-m{m}", [])
        if not runs:
            continue
        source = paper_figure(data, "rms", m) or float("nan")
        lines.append(
            [
                str(m),
                str(len(runs)),
                mean_spread(runs, "rms"),
                _paper(data, "rms", m),
                f"{statistics.fmean(_values(runs, 'rms')) / source:.2f}",
                mean_spread(runs, "silent", 4),
                mean_spread(runs, "rms_firing"),
                mean_spread(runs, "rms_nearest"),
                *(
                    text
                    for name, digits in zip(MEASURES[1:], (4, 3, 3), strict=True)
                    for text in (mean_spread(runs, name, digits), _paper(data, name, m))
                ),
            ]
        )
    return table(columns, lines)


def _verdict(rows: Rows, prefix: str) -> str:
    """Whether the mean errors lie within a tenth of the source's."""
    outside = []
    there = [m for m in NEURONS if f"{prefix}-m{m}" in rows]
    for m in there:
        source = paper_figure("mnist", "rms", m)
        ratio = statistics.fmean(_values(rows[f"{prefix}-m{m}"], "rms")) / source if source else 1.0
        if abs(ratio - 1.0) > 0.1:
            outside.append(f"m = {m} ({ratio:.2f})")
    if not there:
        return ""
    if outside:
        return f"Further than a tenth from the source's RMS error: {', '.join(outside)}."
    return "All mean RMS errors lie within a tenth of the source's."


def _by_delay(rows: Rows) -> str:
    chosen = [
        ("exact-m16", "16", "0"),
        ("step-m16", "16", "0.05"),
        ("delay-m16-0.1", "16", "0.1"),
        ("exact-m64", "64", "0"),
        ("delay-m64-0.01", "64", "0.01"),
        ("step-m64", "64", "0.05"),
        ("delay-m64-0.1", "64", "0.1"),
    ]
    lines = [
        [
            f"m = {m}, {delay} ms",
            mean_spread(rows[row], "spikes_per_patch_early", 2),
            mean_spread(rows[row], "spikes_per_patch_training", 2),
            mean_spread(rows[row], "spikes_per_patch", 2),
            mean_spread(rows[row], "rms"),
            mean_spread(rows[row], "silent", 4),
            mean_spread(rows[row], "incoherence_5"),
        ]
        for row, m, delay in chosen
        if row in rows
    ]
    return table(
        [
            "lateral delay",
            "spikes per patch, first 500",
            "all of training",
            "test",
            "RMS",
            "silent patches",
            "incoherence 5 %",
        ],
        lines,
    )


def _by_tau(rows: Rows) -> str:
    lines = [
        [
            f"m = {m}, {tau} ms",
            mean_spread(rows[row], "rms"),
            _paper("mnist", "rms", m),
            mean_spread(rows[row], "silent", 4),
            mean_spread(rows[row], "rms_firing"),
            mean_spread(rows[row], "incoherence_5"),
            _paper("mnist", "incoherence_5", m),
        ]
        for m in (16, 64, 256)
        for row, tau in ((f"step-m{m}", "1.5"), (f"tau-m{m}-1.4", "1.4"))
        if row in rows
    ]
    columns = ["time constant", "RMS", "source", "silent patches", "RMS without them"]
    return table([*columns, "incoherence 5 %", "source"], lines)


def _by_noise(rows: Rows) -> str:
    chosen = [("step-m128", "0")]
    chosen += [(f"noise-{g}", g) for g in ("0.25", "0.5", "0.75", "1", "1.25", "1.5")]
    lines = [
        [
            g,
            mean_spread(rows[row], "spikes_per_patch_training"),
            mean_spread(rows[row], "rms"),
            mean_spread(rows[row], "silent", 4),
            mean_spread(rows[row], "sparsity", 4),
            mean_spread(rows[row], "incoherence_5"),
            mean_spread(rows[row], "rms_noisy_test" if g != "0" else "rms"),
            mean_spread(rows[row], "silent_noisy_test" if g != "0" else "silent"),
        ]
        for row, g in chosen
        if row in rows
    ]
    return table(
        [
            "g",
            "spikes per training patch",
            "RMS, clean test",
            "silent patches",
            "sparsity",
            "incoherence 5 %",
            "RMS, noisy test",
            "silent patches",
        ],
        lines,
    )


def _speed(rows: Rows) -> str:
    def rate(run: RunDirectory) -> float:
        return float(run.record["timings"]["presentations_per_s"])

    rows_of = {"step": "digits", "exact": "digits, no delay", "natural": "photographs"}
    lines = [
        [str(m), *(mean_spread(rows.get(f"{prefix}-m{m}", []), rate, 0) for prefix in rows_of)]
        for m in NEURONS
    ]
    return table(["m", *(f"{what} (1/s)" for what in rows_of.values())], lines)
