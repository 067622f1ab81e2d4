"""The two figures of the page of results: measures against the number of neurons, and noise."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from experiments.results_page import Rows
from experiments.run_directory import RunDirectory
from experiments.wtcrl_parts.paper import NEURONS, paper_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_by_neurons", "draw_by_noise"]


BLUE, RED, GREY = "#0072B2", "#D55E00", "#777777"
LABELS = {
    "rms": "RMS error (grey value)",
    "sparsity": "sparsity (1)",
    "incoherence_5": "incoherence, 5 % (1)",
    "incoherence_10": "incoherence, 10 % (1)",
}


def draw_by_neurons(rows: Rows) -> Figure | None:
    """The four measures of the source against m, for digits and photographs."""
    from matplotlib.figure import Figure

    data = [
        (prefix, name, title)
        for prefix, name, title in (
            ("step", "mnist", "digits"),
            ("natural", "natural", "photographs"),
        )
        if any(row.startswith(f"{prefix}-m") for row in rows)
    ]
    if not data:
        return None
    figure = Figure(figsize=(11, 2.9 * len(data)), layout="constrained")
    grid = figure.subplots(len(data), len(LABELS), squeeze=False)
    for line, (prefix, name, title) in zip(grid, data, strict=True):
        there = [m for m in NEURONS if f"{prefix}-m{m}" in rows]
        for axis, (measure, label) in zip(line, LABELS.items(), strict=True):
            _errorbar(axis, there, [rows[f"{prefix}-m{m}"] for m in there], measure, BLUE, "ours")
            axis.plot(
                NEURONS,
                [paper_figure(name, measure, m) for m in NEURONS],
                "s--",
                color=RED,
                ms=5,
                mfc="none",
                lw=1,
                label="source",
            )
            axis.set_xscale("log", base=2)
            axis.set_xticks(NEURONS, [str(m) for m in NEURONS])
            axis.set_xlabel("neurons m")
            axis.set_title(f"{title}: {label.split(' (')[0]}", fontsize=9)
            axis.set_ylabel(label, fontsize=9)
            axis.set_ylim(bottom=0)
            axis.grid(alpha=0.25)
            axis.spines[["top", "right"]].set_visible(False)
        line[0].legend(fontsize=8, frameon=False)
    return figure


def draw_by_noise(rows: Rows) -> Figure | None:
    """Error, sparsity and incoherence against the noise in training."""
    from matplotlib.figure import Figure

    found = {float(row.removeprefix("noise-")): row for row in rows if row.startswith("noise-")}
    if not found:
        return None
    if "step-m128" in rows:
        found[0.0] = "step-m128"
    levels = sorted(found)
    runs = [rows[found[g]] for g in levels]
    figure = Figure(figsize=(10, 3.1), layout="constrained")
    error, spikes, coherence = figure.subplots(1, 3)
    _errorbar(error, levels, runs, "rms", BLUE, "clean test")
    noisy = [g for g in levels if g > 0]
    _errorbar(error, noisy, [rows[found[g]] for g in noisy], "rms_noisy_test", RED, "noisy test")
    error.set_ylabel("RMS error (grey value)")
    _errorbar(spikes, levels, runs, "spikes_per_patch_training", BLUE, "in training")
    _errorbar(spikes, levels, runs, "spikes_per_patch", GREY, "clean test")
    spikes.set_ylabel("spikes per patch (1)")
    _errorbar(coherence, levels, runs, "incoherence_5", BLUE, "5 %")
    _errorbar(coherence, levels, runs, "incoherence_10", RED, "10 %")
    coherence.set_ylabel("incoherence, clean test (1)")
    for axis in (error, spikes, coherence):
        axis.set_xlabel("noise in training, g (1)")
        axis.set_ylim(bottom=0)
        axis.legend(fontsize=8, frameon=False)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle("Noise in the encoder, 128 neurons", fontsize=11)
    return figure


def _errorbar(
    axis: Axes,
    x: list[float] | list[int],
    runs: list[list[RunDirectory]],
    measure: str,
    colour: str,
    label: str,
) -> None:
    """Means over seeds with their standard deviation."""
    values = [[run.results[measure] for run in found] for found in runs]
    axis.errorbar(
        x,
        [statistics.fmean(v) for v in values],
        [statistics.stdev(v) if len(v) > 1 else 0.0 for v in values],
        fmt="o-",
        color=colour,
        ms=4,
        lw=1.3,
        capsize=2.5,
        label=label,
    )
