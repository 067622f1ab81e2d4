"""Which population is where."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mapping.draw._style import engineering, save
from mapping.draw._tiles import draw_tiles, label_axes
from mapping.report import MappingReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_placement"]


def draw_placement(report: MappingReport, path: str | os.PathLike[str] | None = None) -> Figure:
    """The mesh seen from above, tiles by population, with the borders of chips and faults.

    Raises
    ------
    DataError
        The file cannot be written.
    """
    from matplotlib.figure import Figure

    mesh = report.mesh
    scale = min(0.7, 9.0 / max(mesh.width, mesh.height))
    figure = Figure(
        figsize=(max(5.6, mesh.width * scale + 1.4), max(3.2, mesh.height * scale + 1.9)),
        layout="constrained",
    )
    axes = figure.subplots()
    key = draw_tiles(axes, report, side=0.9)
    label_axes(axes, mesh)
    figure.legend(
        handles=key, loc="outside lower center", ncols=min(3, len(key)), frameon=False, fontsize=9
    )
    figure.suptitle(
        f"{report.placement.method} placement of the {report.partition_method} partition on the "
        f"{mesh}\n{report.partition.n_cores} of {mesh.usable_cores.size} cores, "
        f"{engineering(report.cost)} packets × hops, {report.hops.average:.2f} hops per packet",
        fontsize=10,
    )
    save(figure, path)
    return figure
