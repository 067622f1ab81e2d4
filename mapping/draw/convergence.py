"""The course of an iterative placement."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mapping.draw._style import engineering, save
from mapping.report import MappingReport
from simulator.errors import MappingError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_convergence"]


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
    plain = report.placement.objective == {"packet_hops": 1.0}
    # Baselines are known in packets x hops only.
    baselines = report.baseline_costs.items() if plain else ()
    for (name, cost), style in zip(baselines, ("--", ":", "-.", (0, (5, 1))), strict=False):
        axes.axhline(cost, color="#555555", ls=style, lw=1.2, label=f"{name} placement")
    axes.set_xlabel("moves tried")
    axes.set_ylabel(_unit(report.placement.objective))
    # Most is gained in the first moves of a search that goes on for millions.
    first = record.moves[record.moves > 0]
    axes.set_xscale("symlog", linthresh=float(first[0]) if first.size else 1.0)
    axes.set_xlim(0, max(1.0, float(record.moves[-1])))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(EngFormatter(sep=""))
    axes.grid(alpha=0.25)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.suptitle(
        f"{report.placement.method} on the {report.mesh}: {engineering(report.cost)} "
        f"packets × hops, {report.hops.average:.2f} hops per packet",
        fontsize=10,
    )
    save(figure, path)
    return figure


def _unit(objective: dict[str, float]) -> str:
    if len(objective) > 1 or set(objective.values()) != {1.0}:
        return "objective (weighted sum)"
    (name,) = objective
    units = {
        "packet_hops": "cost (packets × hops)",
        "max_link_load": "load of the busiest link (packets)",
        "energy": "energy (pJ)",
    }
    return units.get(name, name)
