"""What the pages of `docs/results` have in common: tables, means, and where the runs come from."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from experiments.run_directory import RunDirectory

__all__ = ["Origin", "Rows", "mean_spread", "origin", "table"]

Rows = Mapping[str, list[RunDirectory]]  # finished runs by the name of their row


class Origin(NamedTuple):
    """Of the runs behind a page, as they recorded it."""

    runs: int
    seeds: str
    versions: str
    machines: str
    days: str


def origin(rows: Rows) -> Origin:
    """Seeds, versions, machines and days of all runs."""
    runs = [run for found in rows.values() for run in found]
    machines = {
        f"{m['processor']}, {m['cores']} cores, {m['system']}"
        for m in (run.record["machine"] for run in runs)
    }
    days = sorted(run.record["started"][:10] for run in runs)
    versions = runs[0].record["versions"]
    return Origin(
        len(runs),
        ", ".join(map(str, sorted({run.record["seed"] for run in runs}))),
        ", ".join(f"{name} {version}" for name, version in versions.items() if version),
        "; ".join(sorted(machines)),
        f"{days[0]} to {days[-1]}",
    )


def mean_spread(values: Sequence[float], digits: int) -> str:
    """Mean and standard deviation as text; "-" where nothing was measured."""
    if not values:
        return "-"
    mean = f"{statistics.fmean(values):.{digits}f}"
    return f"{mean} ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else mean


def table(columns: Sequence[str], lines: Sequence[Sequence[str]], texts: int = 1) -> str:
    """A table in Markdown whose first columns are texts and whose others are numbers; nothing
    without lines."""
    if not lines:
        return ""
    ruled = [columns, ["---"] * texts + ["---:"] * (len(columns) - texts), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in ruled)
