"""Load of every link on the mesh, and the cycle of a possible deadlock."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from mapping.draw._style import CYCLE_COLOUR, engineering, save
from mapping.draw._tiles import draw_tiles, label_axes
from mapping.mesh import Mesh
from mapping.report import MappingReport
from mapping.routing import Channel
from simulator.errors import MappingError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_link_load"]

_TILE = 0.58  # side of a tile; routers are one unit apart
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
    from matplotlib.patches import Patch
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
    key = draw_tiles(axes, report, side=_TILE)
    if report.verdict.cycle is not None:
        key.append(Patch(facecolor="none", edgecolor=CYCLE_COLOUR, lw=2, label="deadlock cycle"))
    figure.legend(
        handles=key, loc="outside lower center", ncols=min(4, len(key)), frameon=False, fontsize=9
    )

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
        _draw_cycle(axes, mesh, [c.link for c in verdict.cycle if isinstance(c, Channel)])
    label_axes(axes, mesh)
    figure.suptitle(_title(report), fontsize=10)
    save(figure, path)
    return figure


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


def _draw_cycle(axes: Axes, mesh: Mesh, cycle: list[int]) -> None:
    from matplotlib.collections import PolyCollection

    axes.add_collection(
        PolyCollection(
            [_arrow(mesh, link) for link in sorted(set(cycle))],
            facecolors="none",
            edgecolors=CYCLE_COLOUR,
            linewidths=2.0,
            zorder=5,
        )
    )


def _title(report: MappingReport) -> str:
    verdict = report.verdict
    state = (
        "free of routing deadlock"
        if verdict.cycle is None
        else f"deadlock possible: cycle of {len(verdict.cycle)} channels"
    )
    return (
        f"{report.placement.method} placement on the {report.mesh}: "
        f"{engineering(report.cost)} packets × hops\n"
        f"{report.hops.average:.2f} hops per packet, busiest link "
        f"{engineering(report.maximum_link_load)} packets\n"
        f"{report.routing}: {state}"
    )
