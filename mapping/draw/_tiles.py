"""The mesh seen from above: tiles by population, chips, and what is faulty."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mapping.draw._style import colours
from mapping.mesh import Mesh
from mapping.report import MappingReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

__all__ = ["draw_tiles", "label_axes"]

LABELLED_TILES = 20  # widest mesh on which tiles still carry a number
MOST_NAMES = 12  # populations that a legend has room for


def draw_tiles(axes: Axes, report: MappingReport, *, side: float) -> list[Patch]:
    """Draw every tile, split from left to right by the share of each population.

    Parameters
    ----------
    side : float
        Of a tile; tiles are one unit apart.

    Returns
    -------
    list of Patch
        Handles of a legend.
    """
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Patch, Rectangle

    mesh, graph = report.mesh, report.graph
    counts = np.zeros((mesh.n_cores, graph.n_populations), dtype=np.int64)
    counts[report.placement.core_of] = report.partition.population_counts(graph)
    own = colours(graph.n_populations)
    unusable = set(range(mesh.n_cores)) - set(mesh.usable_cores.tolist())
    pieces, fills, faulty = [], [], []
    for core in range(mesh.n_cores):
        x, y = mesh.coordinates(core)
        left, total = x - side / 2, counts[core].sum()
        whole = Rectangle((left, y - side / 2), side, side)
        if core in unusable:
            faulty.append(whole)
        elif total == 0:
            pieces.append(whole)
            fills.append("#FFFFFF")
        for population in np.flatnonzero(counts[core]):
            width = side * counts[core, population] / total
            pieces.append(Rectangle((left, y - side / 2), width, side))
            fills.append(own[population])
            left += width
        if max(mesh.width, mesh.height) <= LABELLED_TILES and total:
            axes.text(x, y, f"{total}", ha="center", va="center", fontsize=8, zorder=4)
    axes.add_collection(
        PatchCollection(pieces, facecolors=fills, edgecolors="#444444", linewidths=0.6)
    )
    axes.add_collection(
        PatchCollection(
            faulty, facecolors="#D0D0D0", edgecolors="#707070", linewidths=0.6, hatch="xxxx"
        )
    )
    _draw_chips(axes, mesh)
    named = list(zip(graph.names, graph.sizes.tolist(), own, strict=True))
    key = [
        Patch(facecolor=colour, edgecolor="#444444", label=f"{name} ({size:,} neurons)")
        for name, size, colour in named[:MOST_NAMES]
    ]
    if len(named) > MOST_NAMES:
        key.append(Patch(facecolor="none", label=f"and {len(named) - MOST_NAMES} more"))
    if len(pieces) and "#FFFFFF" in fills:
        key.append(Patch(facecolor="#FFFFFF", edgecolor="#444444", label="empty core"))
    if faulty:
        key.append(Patch(facecolor="#D0D0D0", edgecolor="#707070", hatch="xxxx", label="unusable"))
    return key


def _draw_chips(axes: Axes, mesh: Mesh) -> None:
    """Lines between the chips of a board."""
    style: dict[str, Any] = {"color": "#222222", "lw": 1.4, "ls": (0, (4, 2)), "zorder": 3}
    for x in range(mesh.chip_width or mesh.width, mesh.width, mesh.chip_width or mesh.width):
        axes.plot([x - 0.5, x - 0.5], [-0.5, mesh.height - 0.5], **style)
    for y in range(mesh.chip_height or mesh.height, mesh.height, mesh.chip_height or mesh.height):
        axes.plot([-0.5, mesh.width - 0.5], [y - 0.5, y - 0.5], **style)


def label_axes(axes: Axes, mesh: Mesh) -> None:
    """Columns and rows, row 0 on top."""
    # Wrap-around links of a torus stick out of the border by the length of a gap.
    margin = 0.8 if mesh.torus else 0.5
    axes.set_xlim(-margin, mesh.width - 1 + margin)
    axes.set_ylim(mesh.height - 1 + margin, -margin)
    axes.set_aspect("equal")
    for axis, n in ((axes.xaxis, mesh.width), (axes.yaxis, mesh.height)):
        axis.set_ticks(range(0, n, max(1, math.ceil(n / 16))))
    labelled = max(mesh.width, mesh.height) <= LABELLED_TILES
    axes.set_xlabel("column x" + labelled * " (number on a tile: its neurons)")
    axes.set_ylabel("row y")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
