"""The picture of `docs/results/cosimulation.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Points", "draw_bandwidth"]

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8a8a8a"

# By measure, (cycles per ms, one value a seed); without the machine that takes no time.
Points = Mapping[str, Sequence[tuple[float, Sequence[float]]]]


def draw_bandwidth(
    columns: Sequence[tuple[str, Points, Mapping[str, float], Sequence[tuple[str, Any]]]],
) -> Figure:
    """One column of panels a network: title, points, values without latency, panels.

    A panel is its label and the measures in it, with the name and the colour of each.
    """
    from matplotlib.figure import Figure

    rows = max(len(panels) for *_, panels in columns)
    figure = Figure(figsize=(4.6 * len(columns), 2.5 * rows + 0.6), layout="constrained")
    axes = figure.subplots(rows, len(columns), squeeze=False, sharex="col")
    for column, (title, points, plain, panels) in enumerate(columns):
        axes[0, column].set_title(title, fontsize=11)
        for row, (label, curves) in enumerate(panels):
            axis = axes[row, column]
            axis.set_xscale("log", base=2)
            for measure, name, colour in curves:
                _curve(axis, points.get(measure, []), name, colour)
                if measure in plain:
                    axis.axhline(plain[measure], ls=":", lw=1.2, color=colour)
            axis.set_ylabel(label)
            axis.spines[["top", "right"]].set_visible(False)
            if len(curves) > 1:
                axis.legend(frameon=False, fontsize=8)
            if label.endswith("(ms)"):
                axis.set_yscale("log")
            else:
                axis.set_ylim(bottom=0)
        axes[len(panels) - 1, column].set_xlabel("cycles of the machine per ms")
        for row in range(len(panels), rows):
            axes[row, column].set_visible(False)
    return figure


def _curve(
    axis: Axes, points: Sequence[tuple[float, Sequence[float]]], name: str, colour: str
) -> None:
    if not points:
        return
    ordered = sorted(points)
    x = np.array([at for at, _ in ordered])
    mean = np.array([np.mean(values) for _, values in ordered])
    spread = np.array([np.std(values, ddof=1) if len(values) > 1 else 0.0 for _, values in ordered])
    axis.errorbar(x, mean, spread, marker="o", ms=4, lw=1.4, capsize=2, color=colour, label=name)
    axis.set_xticks(x, [f"{value:g}" for value in x], fontsize=8)
    axis.minorticks_off()
    axis.set_xlim(x[0] / 1.1, x[-1] * 1.1)
