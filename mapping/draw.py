"""Pictures of a mapping: load of every link on the mesh, and the course of a placement.

Colours: tiles from the Okabe-Ito palette, links on a perceptually even map (both safe for colour
blindness).
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from mapping.mesh import Mesh
from mapping.report import MappingReport
from mapping.routing import Channel
from simulator.errors import DataError, MappingError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_convergence", "draw_link_load"]

POPULATION_COLOURS = (
    "#56B4E9",
    "#E69F00",
    "#009E73",
    "#F0E442",
    "#CC79A7",
    "#0072B2",
    "#D55E00",
    "#999999",
)
CYCLE_COLOUR = "#D81B60"
_TILE = 0.58  # side of a tile; routers are one unit apart
_LABELLED_TILES = 20  # widest mesh on which tiles still carry a number
_STEP = {"N": (0, -1), "E": (1, 0), "S": (0, 1), "W": (-1, 0)}


def draw_link_load(
    report: MappingReport,
    path: str | os.PathLike[str] | None = None,
    *,
    unit: Literal["packets", "packets/ms"] = "packets",
) -> Figure:
    """The mesh seen from above: tiles by population, links by load, both directions apart.

    Parameters
    ----------
    report : MappingReport
    path : path, optional
        Where to write the picture; the ending chooses the format.
    unit : "packets" or "packets/ms"
        Of the colour bar: total over the run, or its average rate.

    Returns
    -------
    matplotlib.figure.Figure
        Not registered with pyplot; nothing has to be closed.

    Raises
    ------
    MappingError
        An unknown unit.
    DataError
        The file cannot be written.
    """
    from matplotlib import colormaps
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter

    if unit not in ("packets", "packets/ms"):
        raise MappingError(f"unit {unit!r}; it is 'packets' or 'packets/ms'")
    mesh = report.mesh
    side = max(mesh.width, mesh.height)
    scale = min(1.0, 12.0 / side)
    figure = Figure(
        figsize=(max(6.4, mesh.width * scale + 2.4), max(3.6, mesh.height * scale + 2.2)),
        layout="constrained",
    )
    axes = figure.subplots()
    _draw_tiles(figure, axes, report)

    loads = report.link_loads[list(mesh.links)].astype(np.float64)
    if unit == "packets/ms":
        loads /= report.graph.duration_ms
    order = np.argsort(loads, kind="stable")  # the busiest links end up on top
    links = [mesh.links[k] for k in order]
    arrows = PolyCollection(
        [_arrow(mesh, link) for link in links],
        array=np.ma.masked_equal(loads[order], 0.0),
        cmap=colormaps["viridis_r"].with_extremes(bad="#ECECEC"),
        edgecolors="#00000060",
        linewidths=0.3,
    )
    arrows.set_clim(0.0, max(float(loads.max(initial=0.0)), np.finfo(float).tiny * 1e6))
    axes.add_collection(arrows)
    label = "link load (packets)" if unit == "packets" else "link load (packets per ms)"
    # Prefixes for large numbers only: "500m" for half a packet would be read as a million.
    ticks = EngFormatter(sep="") if loads.max(initial=0.0) >= 1e4 else None
    figure.colorbar(arrows, ax=axes, label=label, shrink=0.85, pad=0.02, format=ticks)

    verdict = report.verdict
    if verdict.cycle is not None:
        _draw_cycle(axes, mesh, verdict.cycle)
    _label_axes(axes, mesh)
    figure.suptitle(_title(report), fontsize=10)
    _save(figure, path)
    return figure


def draw_convergence(report: MappingReport, path: str | os.PathLike[str] | None = None) -> Figure:
    """Cost of an iterative placement against the moves tried, with the baselines beside it.

    Raises
    ------
    MappingError
        The placement method keeps no record of its course.
    DataError
        The file cannot be written.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter

    record = report.placement.convergence
    if record is None:
        raise MappingError(
            f"placement {report.placement.method!r} has no convergence record; "
            "only iterative methods such as 'annealing' have one"
        )
    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.plot(record.moves, record.cost, color="#0072B2", lw=1.2, label="current")
    axes.plot(record.moves, record.best, color="#D55E00", lw=1.8, label="best so far")
    for (name, cost), style in zip(
        report.baseline_costs.items(), ("--", ":", "-.", (0, (5, 1))), strict=False
    ):
        axes.axhline(cost, color="#555555", ls=style, lw=1.2, label=f"{name} placement")
    axes.set_xlabel("moves tried")
    axes.set_ylabel("cost (packets × hops)")
    axes.set_xlim(0, max(1.0, float(record.moves[-1])))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(EngFormatter(sep=""))
    axes.grid(alpha=0.25)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.suptitle(
        f"{report.placement.method} on the {report.mesh}: {_engineering(report.cost)} "
        f"packets × hops, {report.hops.average:.2f} hops per packet",
        fontsize=10,
    )
    _save(figure, path)
    return figure


def _draw_tiles(figure: Figure, axes: Axes, report: MappingReport) -> None:
    """Each used tile is split from left to right by the share of each population."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Patch, Rectangle

    mesh, graph = report.mesh, report.graph
    counts = np.zeros((mesh.n_cores, graph.n_populations), dtype=np.int64)
    counts[report.placement.core_of] = report.partition.population_counts(graph)
    colours = [POPULATION_COLOURS[k % len(POPULATION_COLOURS)] for k in range(graph.n_populations)]
    pieces, fills = [], []
    for core in range(mesh.n_cores):
        x, y = mesh.coordinates(core)
        left, total = x - _TILE / 2, counts[core].sum()
        if total == 0:
            pieces.append(Rectangle((left, y - _TILE / 2), _TILE, _TILE))
            fills.append("#FFFFFF")
        for population in np.flatnonzero(counts[core]):
            width = _TILE * counts[core, population] / total
            pieces.append(Rectangle((left, y - _TILE / 2), width, _TILE))
            fills.append(colours[population])
            left += width
        if max(mesh.width, mesh.height) <= _LABELLED_TILES and total:
            axes.text(x, y, f"{total}", ha="center", va="center", fontsize=8, zorder=4)
    tiles = PatchCollection(pieces, facecolors=fills, edgecolors="#444444", linewidths=0.6)
    axes.add_collection(tiles)
    key = [
        Patch(facecolor=colour, edgecolor="#444444", label=f"{name} ({size:,} neurons)")
        for name, size, colour in zip(graph.names, graph.sizes.tolist(), colours, strict=True)
    ]
    if not counts.sum(axis=1).all():
        key.append(Patch(facecolor="#FFFFFF", edgecolor="#444444", label="empty core"))
    if report.verdict.cycle is not None:
        key.append(Patch(facecolor="none", edgecolor=CYCLE_COLOUR, lw=2, label="deadlock cycle"))
    figure.legend(
        handles=key, loc="outside lower center", ncols=min(4, len(key)), frameon=False, fontsize=9
    )


def _arrow(mesh: Mesh, link: int) -> NDArray[np.float64]:
    """Outline of a link, shape (7, 2): an arrow in the gap, on the right-hand side of travel."""
    dx, dy = _STEP[mesh.link_direction(link)]
    x, y = mesh.coordinates(mesh.link_source(link))
    gap, offset, width, head = 1 - _TILE, 0.12, 0.09, 0.17
    along = np.array([0.04, gap - 0.04 - head, gap - 0.04 - head, gap - 0.04])
    across = np.array([width / 2, width, 0.0])
    shape = [
        (along[0], -across[0]),
        (along[1], -across[0]),
        (along[2], -across[1]),
        (along[3], across[2]),
        (along[2], across[1]),
        (along[1], across[0]),
        (along[0], across[0]),
    ]
    outline = np.add(shape, (_TILE / 2, offset))
    # With y pointing down, turning (1, 0) clockwise gives (0, 1): the right-hand side.
    turned = outline @ np.array([[dx, dy], [-dy, dx]], dtype=np.float64)
    return turned + np.array([x, y], dtype=np.float64)


def _draw_cycle(axes: Axes, mesh: Mesh, cycle: tuple[Channel, ...]) -> None:
    from matplotlib.collections import PolyCollection

    axes.add_collection(
        PolyCollection(
            [_arrow(mesh, link) for link in sorted({channel.link for channel in cycle})],
            facecolors="none",
            edgecolors=CYCLE_COLOUR,
            linewidths=2.0,
            zorder=5,
        )
    )


def _label_axes(axes: Axes, mesh: Mesh) -> None:
    # Wrap-around links of a torus stick out of the border by the length of a gap.
    margin = 0.8 if mesh.torus else 0.5
    axes.set_xlim(-margin, mesh.width - 1 + margin)
    axes.set_ylim(mesh.height - 1 + margin, -margin)
    axes.set_aspect("equal")
    for axis, n in ((axes.xaxis, mesh.width), (axes.yaxis, mesh.height)):
        axis.set_ticks(range(0, n, max(1, math.ceil(n / 16))))
    labelled = max(mesh.width, mesh.height) <= _LABELLED_TILES
    axes.set_xlabel("column x" + labelled * " (number on a tile: its neurons)")
    axes.set_ylabel("row y")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _title(report: MappingReport) -> str:
    verdict = report.verdict
    state = (
        "free of routing deadlock"
        if verdict.cycle is None
        else f"deadlock possible: cycle of {len(verdict.cycle)} channels"
    )
    return (
        f"{report.placement.method} placement on the {report.mesh}: "
        f"{_engineering(report.cost)} packets × hops\n"
        f"{report.hops.average:.2f} hops per packet, busiest link "
        f"{_engineering(report.maximum_link_load)} packets\n"
        f"{report.routing}: {state}"
    )


def _engineering(value: float) -> str:
    for size, suffix in ((1e9, " billion"), (1e6, " million"), (1e4, " thousand")):
        if value >= size:
            return f"{value / (1e3 if size == 1e4 else size):.4g}{suffix}"
    return f"{value:,.0f}"


def _save(figure: Any, path: str | os.PathLike[str] | None) -> None:
    if path is None:
        return
    try:
        figure.savefig(Path(path), dpi=150)
    except OSError as error:
        raise DataError(f"{path}: cannot write the picture: {error.strerror}") from error
