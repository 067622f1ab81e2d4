"""Pictures of the page: latency against load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from experiments.network_parts.booksim import COLUMNS, references

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_booksim", "draw_curves"]

# Okabe and Ito's colours, told apart by the colour-blind.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKS = ("o", "s", "^", "D", "v", "P")
_OFFERED = "offered load (flits per core and cycle)"
_LATENCY = "mean latency (cycles)"


def _plain(axis: Axes) -> None:
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)


def draw_booksim(runs: Mapping[tuple[int, int], Mapping[str, Any]]) -> Figure:
    """Our curves as lines, BookSim's figures as rings; latency above, accepted rate below."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 7.4), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for k, (flits, lanes) in enumerate(COLUMNS):
        run = runs[flits, lanes]
        label = f"{flits} flit{'s' if flits > 1 else ''}, {lanes} VC{'s' if lanes > 1 else ''}"
        pairs = zip(run["rates"], run["latency"], strict=True)
        stable = [(rate, latency) for rate, latency in pairs if latency is not None]
        top.plot(*zip(*stable, strict=True), color=COLOURS[k], lw=1.6, label=label)
        bottom.plot(run["rates"], run["accepted"], color=COLOURS[k], lw=1.6)
        ring: dict[str, Any] = {
            "ls": "none", "marker": MARKS[k], "mfc": "none", "ms": 8, "color": COLOURS[k]
        }  # fmt: skip
        found = references(flits, lanes)
        measured = [(x.rate, x.latency) for x in found if x.latency is not None]
        top.plot(*zip(*measured, strict=True), **ring)
        bottom.plot([x.rate for x in found], [x.accepted for x in found], **ring)
    top.set_yscale("log")
    top.set_ylim(30, 400)
    ticks = (30, 50, 100, 200, 400)
    top.set_yticks(ticks, labels=[str(tick) for tick in ticks])
    top.minorticks_off()
    top.set_ylabel(_LATENCY)
    top.plot([], [], ls="none", marker="o", mfc="none", ms=8, color="0.4", label="BookSim 2")
    top.legend(loc="upper left", frameon=False)
    bottom.plot([0, 0.45], [0, 0.45], color="0.7", lw=1, ls=":", zorder=0)
    bottom.set_ylabel("accepted (flits per core and cycle)")
    bottom.set_xlabel(_OFFERED)
    bottom.set_xlim(0, 0.47)
    for axis in (top, bottom):
        _plain(axis)
    figure.suptitle("8x8 mesh, XY, uniform load: Spikemesh (lines), BookSim 2 (marks)", fontsize=12)
    return figure


def draw_curves(panels: Mapping[str, Mapping[str, Mapping[str, Any]]], title: str) -> Figure:
    """One panel for each load: latency of every curve up to where it becomes unstable."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2 * len(panels), 4.4), layout="constrained")
    axes: Sequence[Axes] = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axis, (name, curves) in zip(axes, panels.items(), strict=True):
        for k, (label, run) in enumerate(curves.items()):
            pairs = zip(run["rates"], run["latency"], strict=True)
            stable = [(rate, latency) for rate, latency in pairs if latency is not None]
            text = label.replace("_", " ")
            style: dict[str, Any] = {"color": COLOURS[k], "marker": MARKS[k], "ms": 5, "lw": 1.6}
            axis.plot(*zip(*stable, strict=True), label=text, **style)
            if len(stable) < len(run["rates"]):
                # The first load that the network did not keep up with.
                rate = run["rates"][len(stable)]
                axis.plot([stable[-1][0], rate], [stable[-1][1], 300], ls=":", color=COLOURS[k])
        axis.set_yscale("log")
        axis.set_ylim(25, 300)
        ticks = (25, 50, 100, 200)
        axis.set_yticks(ticks, labels=[str(tick) for tick in ticks])
        axis.minorticks_off()
        axis.set_xlabel(_OFFERED)
        axis.set_title(name, fontsize=11)
        _plain(axis)
    axes[0].set_ylabel(_LATENCY)
    entries = axes[0].get_legend_handles_labels()
    figure.legend(
        *entries, loc="outside lower center", ncols=len(entries[1]), frameon=False, fontsize=9
    )
    figure.suptitle(title, fontsize=12)
    return figure
