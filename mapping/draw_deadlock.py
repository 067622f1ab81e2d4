"""Draw the cycle of a *possible* verdict on the mesh: who holds what, and waits for what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mapping.deadlock import Verdict
from mapping.mesh import Mesh
from mapping.routing import Channel
from simulator.errors import MappingError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_deadlock"]

# Okabe and Ito's colours, told apart by all; one for each packet in turn.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_STEPS = ((0, -1), (1, 0), (0, 1), (-1, 0))
Place: TypeAlias = NDArray[np.float64]
_MARGIN = 1  # tiles drawn around those that the packets use


def draw_deadlock(verdict: Verdict, mesh: Mesh, path: str | Path, *, dpi: int = 150) -> Path:
    """Picture of the cycle as PNG (or what the ending says); only its part of the mesh.

    Every packet has a colour and a number: the channel of the cycle that it holds is drawn thick,
    the rest of its route thin, its source as a circle and its target as a square.

    Raises
    ------
    MappingError
        The verdict is one of freedom.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if verdict.cycle is None or verdict.routes is None or verdict.flows is None:
        raise MappingError(f"{verdict.routing} is free of deadlock: there is no cycle to draw")
    left, right, top, bottom = _window(verdict, mesh)
    across, down = right - left + 1, bottom - top + 1
    scale = min(1.5, 12 / max(across, down))
    n_lines = len(verdict.cycle)
    height = max(3.0, scale * down + 1.0, 0.21 * min(n_lines, 24) + 1.2)
    figure = Figure(figsize=(max(3.2, scale * across) + 4.8, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes, legend = figure.subplots(1, 2, width_ratios=[max(3.2, scale * across), 4.2])
    _draw_tiles(axes, mesh, (left, right, top, bottom))
    for k in range(n_lines):
        _draw_packet(axes, verdict, mesh, k)
    axes.set_xlim(left - 0.6, right + 0.6)
    axes.set_ylim(bottom + 0.6, top - 0.6)
    axes.set_aspect("equal")
    axes.set_xlabel("column x")
    axes.set_ylabel("row y")
    ticks = max(1, across // 16)
    axes.set_xticks(range(left, right + 1, ticks))
    axes.set_yticks(range(top, bottom + 1, max(1, down // 16)))
    _draw_legend(legend, verdict, mesh, line=0.2 / (height - 0.9))
    figure.suptitle(
        f"{verdict.routing} on the {mesh}: deadlock possible, "
        f"{n_lines} channels wait for each other",
        fontsize=11,
    )
    figure.savefig(path, dpi=dpi)
    return Path(path)


def _window(verdict: Verdict, mesh: Mesh) -> tuple[int, int, int, int]:
    cores: set[int] = set()
    for flow, route in zip(verdict.flows or (), verdict.routes or (), strict=True):
        cores.update(flow)
        cores.update(mesh.link_source(channel.link) for channel in route)
    places = np.array([mesh.coordinates(core) for core in sorted(cores)])
    (left, top), (right, bottom) = places.min(axis=0) - _MARGIN, places.max(axis=0) + _MARGIN
    return (
        max(0, int(left)),
        min(mesh.width - 1, int(right)),
        max(0, int(top)),
        min(mesh.height - 1, int(bottom)),
    )


def _draw_tiles(axes: Axes, mesh: Mesh, window: tuple[int, int, int, int]) -> None:
    from matplotlib.patches import Rectangle

    left, right, top, bottom = window
    for y in range(top, bottom + 1):
        for x in range(left, right + 1):
            axes.add_patch(
                Rectangle(
                    (x - 0.17, y - 0.17), 0.34, 0.34, facecolor="#eeeeee", edgecolor="#999999"
                )
            )


def _ends(mesh: Mesh, channel: Channel) -> tuple[Place, Place]:
    """Where the arrow of a channel starts and ends; links of the two directions side by side.

    A wrap-around link leaves the picture at the border.
    """
    direction = channel.link % 4
    step = np.array(_STEPS[direction], dtype=float)
    start = np.array(mesh.coordinates(mesh.link_source(channel.link)), dtype=float)
    aside = 0.085 * np.array([-step[1], step[0]])
    wraps = not np.array_equal(
        start + step, np.array(mesh.coordinates(mesh.link_target(channel.link)))
    )
    length = 0.5 if wraps else 0.8
    return start + 0.2 * step + aside, start + length * step + aside


def _pair(place: Place) -> tuple[float, float]:
    return float(place[0]), float(place[1])


def _draw_packet(axes: Axes, verdict: Verdict, mesh: Mesh, k: int) -> None:
    from matplotlib.patches import FancyArrowPatch

    assert verdict.cycle is not None
    assert verdict.routes is not None
    assert verdict.flows is not None
    colour = COLOURS[k % len(COLOURS)]
    held = verdict.cycle[k]
    # Thin arrows lie beside the thick ones, those of several packets side by side.
    shift = 0.06 + 0.03 * (k % 2)
    for channel in verdict.routes[k]:
        start, end = _ends(mesh, channel)
        if channel == held:
            axes.add_patch(
                FancyArrowPatch(
                    _pair(start),
                    _pair(end),
                    arrowstyle="-|>",
                    mutation_scale=14,
                    lw=4,
                    color=colour,
                    zorder=3,
                )
            )
            middle = (start + end) / 2
            axes.text(
                float(middle[0]),
                float(middle[1]),
                str(k + 1),
                ha="center",
                va="center",
                fontsize=8,
                color="white",
                bbox={"boxstyle": "circle,pad=0.18", "facecolor": colour, "edgecolor": "white"},
                zorder=5,
            )
        else:
            step = np.array(_STEPS[channel.link % 4], dtype=float)
            aside = shift * np.array([-step[1], step[0]])
            axes.add_patch(
                FancyArrowPatch(
                    _pair(start + aside),
                    _pair(end + aside),
                    arrowstyle="-|>",
                    mutation_scale=8,
                    lw=1.2,
                    color=colour,
                    linestyle=(0, (3, 2)),
                    zorder=4,
                )
            )
    n = min(len(verdict.cycle), 8)
    angle = 2 * np.pi * (k % n) / n
    offset = 0.1 * np.array([np.cos(angle), np.sin(angle)])
    for core, marker in zip(verdict.flows[k], "os", strict=True):
        place = np.array(mesh.coordinates(core)) + offset
        axes.plot(*place, marker, color=colour, ms=5, mec="white", mew=0.6, zorder=6)


def _draw_legend(axes: Axes, verdict: Verdict, mesh: Mesh, line: float) -> None:
    """Who holds what; `line` is the height of a line of text in parts of the axes' height."""
    assert verdict.cycle is not None
    assert verdict.flows is not None
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    shown = min(len(verdict.cycle), 24)
    for k in range(shown):
        (x, y), (to_x, to_y) = (mesh.coordinates(core) for core in verdict.flows[k])
        who = f"packet ({x},{y}) to ({to_x},{to_y})"
        if not (verdict.routes and verdict.routes[k]):
            who = "core"
        height = 1.0 - (k + 1) * line
        badge = {"boxstyle": "circle,pad=0.18", "facecolor": COLOURS[k % 6], "edgecolor": "white"}
        axes.text(0.02, height, str(k + 1), fontsize=7, color="white", va="center", bbox=badge)
        text = f"{who} holds {verdict.cycle[k].text(mesh)}"
        axes.text(0.08, height, text, fontsize=8, va="center")
    more = f"and {len(verdict.cycle) - shown} more; " if len(verdict.cycle) > shown else ""
    axes.text(
        0.0,
        1.0 - (shown + 1.5) * line,
        f"{more}each waits for the channel of the next,\nthe last for that of the first\n"
        "thick: channel held   dashed: rest of the route\n"
        "circle: source   square: target"
        + ("\narrows over the border wrap around" if mesh.torus else ""),
        fontsize=8,
        va="top",
    )
