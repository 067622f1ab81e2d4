"""The figure at the head of the page: how many times longer the others take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmarks.rung import SPIKEMESH, Measured, Rung

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BLUE", "COLOURS", "GREY", "ORANGE", "draw_ladder", "style"]

# Okabe and Ito's colours, told apart by colour-blind eyes.
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#777777"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, GREY)


def draw_ladder(sections: Sequence[tuple[Rung, Measured]]) -> Figure | None:
    """One panel a network: processor time per delivery over that of Spikemesh."""
    from matplotlib.figure import Figure

    panels = []
    for rung, measured in sections:
        ratios = _ratios(measured)
        if len(ratios) > 1:
            panels.append((rung.title, ratios))
    if not panels:
        return None
    rows = [len(ratios) - 1 for _, ratios in panels]
    figure = Figure(
        figsize=(7.5, 0.55 + 0.75 * len(panels) + 0.27 * sum(rows)), layout="constrained"
    )
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=rows, sharex=True)[:, 0]
    for axis, (title, ratios) in zip(axes, panels, strict=True):
        _dots(axis, title, ratios)
    axes[-1].set_xlabel("processor time for the same work, over that of Spikemesh (1)")
    return figure


def _ratios(measured: Measured) -> dict[str, float]:
    """Time per unit of work over ours; records name their unit ``work``, default deliveries."""
    if SPIKEMESH not in measured:
        return {}
    cost = {}
    for name in measured.subjects:
        unit = "work" if "work" in measured[name][0] else "deliveries"
        if unit not in measured[name][0] or "simulate_cpu_s" not in measured[name][0]:
            return {}
        cost[name] = measured.cost(name, unit)
    return {name: value / cost[SPIKEMESH] for name, value in cost.items()}


def _dots(axis: Axes, title: str, ratios: dict[str, float]) -> None:
    names = [name for name in ratios if name != SPIKEMESH]
    places = list(range(len(names), 0, -1))
    for place, name in zip(places, names, strict=True):
        colour = BLUE if name.startswith(SPIKEMESH) else ORANGE
        value = ratios[name]
        axis.plot([1.0, value], [place, place], color=colour, lw=2.5, solid_capstyle="butt")
        axis.plot(value, place, "o", color=colour, ms=7)
        axis.annotate(
            f"{value:,.0f}" if value >= 1000 else f"{value:.3g}",
            (max(value, 1.0), place),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    axis.set_yticks(places, names, fontsize=8)
    axis.set_ylim(0.4, len(names) + 0.6)
    axis.set_xscale("log")
    axis.axvline(1.0, color="black", lw=1.0)
    axis.set_title(title, fontsize=9, loc="left")
    axis.margins(x=0.12)
    style(axis)
    axis.grid(visible=False, axis="y")


def style(axis: Axes) -> None:
    """No frame where there is no axis, and a faint grid."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(alpha=0.25)
    axis.set_axisbelow(True)
