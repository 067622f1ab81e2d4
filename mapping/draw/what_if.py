"""A what-if study: the best combinations side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mapping.draw._style import CYCLE_COLOUR, colours, save
from mapping.whatif import WhatIfRow, ranked
from simulator.errors import MappingError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_what_if"]

MOST_ROWS = 30


def draw_what_if(
    rows: Sequence[WhatIfRow], path: str | os.PathLike[str] | None = None, *, by: str = "cost"
) -> Figure:
    """Hops per packet, the busiest link and, where spikes were sent, latency and saturation margin
    of the best combinations, best on top.

    Parameters
    ----------
    rows : sequence of WhatIfRow
        Those without figures are left out, and of the others the best 30 are drawn.
    by : str
        What they are ranked by, one of `mapping.whatif.RANKINGS`.

    Raises
    ------
    MappingError
        No row has figures.
    DataError
        The file cannot be written.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.ticker import EngFormatter

    known = [row for row in ranked(rows, by) if not row.problem]
    if not known:
        raise MappingError("what if: no combination has figures, so there is nothing to draw")
    shown = known[:MOST_ROWS]
    sent = any(row.outcome for row in shown)
    size = (12.4 if sent else 9.6, 1.9 + 0.27 * len(shown))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, 3 if sent else 2, sharey=True)
    left, right = panels[:2]
    methods = sorted({row.combination.placement for row in shown})
    colour = dict(zip(methods, colours(len(methods)), strict=True))
    for place, row in enumerate(shown):
        own = colour[row.combination.placement]
        face = own if row.deadlock_free else "white"
        edge = own if row.deadlock_free else CYCLE_COLOUR
        hops = row.average_hops or 0.0
        load = row.maximum_link_load or 0
        for axes, value in ((left, hops), (right, load)):
            _lollipop(axes, value, place, own, face, edge)
        if sent:
            _draw_latency(panels[2], row, place, own, face, edge)
        if row.multicast_maximum_link_load is not None:
            right.plot(
                row.multicast_maximum_link_load,
                place,
                "D",
                ms=4.5,
                mfc="white",
                mec="#444444",
                zorder=4,
            )
    left.axvline(1.0, color="#444444", ls="--", lw=1.2, zorder=1)
    left.set_yticks(range(len(shown)), [_label(row, known) for row in shown], fontsize=8)
    left.set_ylim(len(shown) - 0.4, -0.6)
    left.set_xlim(left=0)
    right.set_xlim(left=0)
    left.set_xlabel("hops per packet (dashed: mapping limit)")
    right.set_xlabel("load of the busiest link (packets)")
    right.xaxis.set_major_formatter(EngFormatter(sep=""))
    if sent:
        panels[2].set_xlim(left=0)
        panels[2].set_xlabel("latency (cycles; bar: 99 % arrive sooner)")
        panels[2].xaxis.set_major_formatter(EngFormatter(sep=""))
        if any(row.saturation_margin is not None for row in shown):
            beside = panels[2].transAxes
            panels[2].text(1.02, 1.0, "load\nat most", transform=beside, va="bottom", fontsize=8)
    for axes in panels:
        axes.grid(axis="x", alpha=0.25)
        axes.tick_params(axis="y", length=0)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
    key = [
        Line2D([], [], color=colour[name], marker="o", ms=6, label=f"{name} placement")
        for name in methods
    ]
    if any(row.multicast_maximum_link_load is not None for row in shown):
        key.append(
            Line2D([], [], ls="", marker="D", ms=4.5, mfc="white", mec="#444444", label="multicast")
        )
    if not all(row.deadlock_free for row in shown):
        key.append(
            Line2D(
                [],
                [],
                ls="",
                marker="o",
                ms=6.5,
                mfc="white",
                mec=CYCLE_COLOUR,
                mew=1.6,
                label="deadlock possible",
            )
        )
    figure.legend(handles=key, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    best = f"best {len(shown)} of {len(known)}" if len(known) > len(shown) else f"{len(known)}"
    figure.suptitle(f"{best} combinations by {by.replace('_', ' ')}, the best on top", fontsize=10)
    save(figure, path)
    return figure


def _lollipop(axes: Axes, value: float, place: int, own: str, face: str, edge: str) -> None:
    axes.plot([0, value], [place, place], color=own, lw=1.6, zorder=2)
    axes.plot(value, place, "o", ms=6.5, mfc=face, mec=edge, mew=1.6, zorder=3)


def _draw_latency(axes: Axes, row: WhatIfRow, place: int, own: str, face: str, edge: str) -> None:
    """Mean and 99th percentile of a row, or the word that says why there are none; beside them what
    the load could be multiplied by."""
    if row.saturation_margin is not None:
        beside = axes.get_yaxis_transform()
        text = f"x {row.saturation_margin:.3g}"
        axes.text(1.02, place, text, transform=beside, va="center", fontsize=8)
    if row.latency_mean is None or row.latency_p99 is None:
        near_axis = axes.get_yaxis_transform()
        axes.text(
            0.02,
            place,
            row.outcome or "",
            transform=near_axis,
            va="center",
            fontsize=8,
            color="#444444",
        )
        return
    axes.plot([0, row.latency_p99], [place, place], color=own, lw=1.0, alpha=0.5, zorder=1)
    axes.plot(row.latency_p99, place, "|", ms=9, color=own, mew=1.6, zorder=3)
    _lollipop(axes, row.latency_mean, place, own, face, edge)


def _label(row: WhatIfRow, known: Sequence[WhatIfRow]) -> str:
    """The names in which the combinations differ, so that labels stay short."""
    parts = []
    for name in ("mesh", "partition", "placement", "routing"):
        values = {getattr(other.combination, name) for other in known}
        if len(values) > 1 or name == "mesh":
            parts.append(getattr(row.combination, name))
    return "  ".join(parts)
