"""Pictures of placements: populations and link loads, convergence, gaps to the limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mapping import Mesh

__all__ = ["Placed", "draw_convergence", "draw_exchange", "draw_gaps", "draw_placements"]

POPULATIONS = ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#0072B2", "#D55E00")
LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7f7f7f")
MARKERS = "osD^vP*X<>dph"
TILE = 0.56  # side of a tile; routers are one unit apart

Ints = npt.NDArray[np.int64]


class Placed(NamedTuple):
    """A placement to be drawn.

    Attributes
    ----------
    name : str
    cost : int
        [packets x hops]
    core_of : int64 array, shape (n_logical,)
    link_loads : int64 array, shape (n_link_ids,)
        [packets]
    """

    name: str
    cost: int
    core_of: Ints
    link_loads: Ints


def draw_placements(
    mesh: Mesh,
    panels: Sequence[Placed],
    population_counts: Ints,
    names: Sequence[str],
    n_packets: int,
) -> Figure:
    """Tiles by the shares of the populations on them, links by load, one panel a placement."""
    from matplotlib import colormaps
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch
    from matplotlib.ticker import EngFormatter

    side = 4.1 * mesh.height / mesh.width + 1.15
    figure = Figure(figsize=(4.4 * len(panels) + 1.2, side), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(panels)))
    heaviest = max(int(panel.link_loads.max()) for panel in panels)
    lines: Any = None
    for axis, panel in zip(axes, panels, strict=True):
        counts = np.zeros((mesh.n_cores, len(names)), dtype=np.int64)
        counts[panel.core_of] = population_counts
        _draw_tiles(axis, mesh, counts)
        links = np.array(mesh.links)
        links = links[np.argsort(panel.link_loads[links], kind="stable")]
        lines = LineCollection(
            [_segment(mesh, int(link)) for link in links],
            array=np.ma.masked_equal(panel.link_loads[links].astype(np.float64), 0.0),
            cmap=colormaps["viridis_r"].with_extremes(bad="#E4E4E4"),
            linewidths=max(1.2, 28.0 / max(mesh.width, mesh.height)),
        )
        lines.set_clim(0.0, max(1.0, float(heaviest)))
        axis.add_collection(lines)
        axis.set_xlim(-0.7, mesh.width - 0.3)
        axis.set_ylim(mesh.height - 0.3, -0.7)
        axis.set_aspect("equal")
        axis.set_xticks(range(0, mesh.width, max(1, mesh.width // 8)))
        axis.set_yticks(range(0, mesh.height, max(1, mesh.height // 8)))
        axis.tick_params(length=0)
        for spine in axis.spines.values():
            spine.set_visible(False)
        axis.set_xlabel("column")
        hops = panel.cost / n_packets if n_packets else 0.0
        axis.set_title(f"{panel.name}: {hops:.2f} hops per packet", fontsize=10)
    axes[0].set_ylabel("row")
    figure.colorbar(
        lines,
        ax=axes,
        label="link load (packets)",
        shrink=0.8,
        pad=0.01,
        format=EngFormatter(sep=""),
    )
    key = [
        Patch(facecolor=POPULATIONS[k % len(POPULATIONS)], edgecolor="#444444", label=name)
        for k, name in enumerate(names)
    ]
    figure.legend(
        handles=key, loc="outside lower center", ncols=len(key), frameon=False, fontsize=9
    )
    return figure


def _draw_tiles(axis: Axes, mesh: Mesh, counts: Ints) -> None:
    """Each tile is split from left to right by the share of each population; white is empty."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    pieces, fills = [], []
    for core in range(mesh.n_cores):
        x, y = mesh.coordinates(core)
        left, total = x - TILE / 2, int(counts[core].sum())
        if total == 0:
            pieces.append(Rectangle((left, y - TILE / 2), TILE, TILE))
            fills.append("#FFFFFF")
        for population in np.flatnonzero(counts[core]):
            width = TILE * int(counts[core, population]) / total
            pieces.append(Rectangle((left, y - TILE / 2), width, TILE))
            fills.append(POPULATIONS[population % len(POPULATIONS)])
            left += width
    axis.add_collection(
        PatchCollection(pieces, facecolors=fills, edgecolors="#555555", linewidths=0.4)
    )


def _segment(mesh: Mesh, link: int) -> list[tuple[float, float]]:
    """A link in the gap between two tiles, on the right-hand side of travel."""
    dx, dy = {"N": (0, -1), "E": (1, 0), "S": (0, 1), "W": (-1, 0)}[mesh.link_direction(link)]
    x, y = mesh.coordinates(mesh.link_source(link))
    start, end, beside = TILE / 2 + 0.04, 1 - TILE / 2 - 0.04, 0.12
    # With y pointing down, (-dy, dx) is to the right of (dx, dy).
    return [(x + dx * a - dy * beside, y + dy * a + dx * beside) for a in (start, end)]


def draw_convergence(courses: Mapping[str, tuple[Any, Any]], costs: Mapping[str, float]) -> Figure:
    """Best cost so far against moves tried; methods without a course as horizontal lines."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter

    figure = Figure(figsize=(8.0, 4.4), layout="constrained")
    axis = figure.subplots()
    for k, (name, (moves, best)) in enumerate(courses.items()):
        recorded = np.asarray(moves) > 0
        axis.plot(
            np.asarray(moves)[recorded],
            np.asarray(best)[recorded],
            color=LINES[k % len(LINES)],
            lw=1.6,
            label=name,
        )
    others = [name for name in costs if name not in courses]
    for name, style in zip(others, ("--", ":", "-.", (0, (5, 1)), (0, (1, 3))), strict=False):
        axis.axhline(costs[name], color="#777777", ls=style, lw=1.1, label=name)
    axis.set_xscale("log")
    axis.set_xlabel("moves tried")
    axis.set_ylabel("best cost so far (packets × hops)")
    axis.yaxis.set_major_formatter(EngFormatter(sep=""))
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    return figure


def draw_gaps(gaps: Mapping[str, Mapping[str, float]]) -> Figure:
    """Cost over the degree bound, by network (a row each) and method (a marker each)."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    methods = sorted(
        {method for found in gaps.values() for method in found},
        key=lambda method: np.mean([found[method] for found in gaps.values() if method in found]),
    )
    figure = Figure(figsize=(8.4, 0.9 * len(gaps) + 1.9), layout="constrained")
    axis = figure.subplots()
    for k, method in enumerate(methods):
        # Methods that end at the same cost are drawn below each other.
        below = 0.6 * (k - (len(methods) - 1) / 2) / len(methods)
        points = [
            (found[method], row + below)
            for row, found in enumerate(gaps.values())
            if method in found
        ]
        axis.plot(
            [gap for gap, _ in points],
            [row for _, row in points],
            MARKERS[k % len(MARKERS)],
            color=LINES[k % len(LINES)],
            ms=6,
            mfc="none" if k >= len(LINES) else LINES[k % len(LINES)],
            alpha=0.85,
            label=method,
        )
    axis.set_yticks(range(len(gaps)), list(gaps))
    axis.set_ylim(len(gaps) - 0.5, -0.5)
    axis.set_xlim(left=-0.02 * axis.get_xlim()[1])  # markers at the bound are seen whole
    axis.xaxis.set_major_formatter(PercentFormatter(1.0))
    axis.set_xlabel("cost above the proven bound (packets × hops)")
    axis.grid(axis="x", alpha=0.25)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(axis="y", length=0)
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    return figure


def draw_exchange(sizes: Sequence[int], times: Mapping[str, Sequence[float]]) -> Figure:
    """Time of the exchange against the number of cores, in those of one block over one link."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.0), layout="constrained")
    axis = figure.subplots()
    for k, (name, values) in enumerate(times.items()):
        axis.plot(sizes, values, "-" + MARKERS[k], color=LINES[k], ms=5, lw=1.5, label=name)
    axis.set_xscale("log", base=2)
    axis.set_yscale("log", base=2)
    axis.set_xticks(list(sizes), [str(n) for n in sizes])
    powers = [2**k for k in range(12) if 2**k <= 2 * max(max(v) for v in times.values())]
    axis.set_yticks(powers[1:], [str(power) for power in powers[1:]])
    axis.minorticks_off()
    axis.set_ylim(0.8 * min(min(v) for v in times.values()), None)
    axis.set_xlabel("cores that exchange")
    axis.set_ylabel("time (blocks over a link)")
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    return figure
