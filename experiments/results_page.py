"""What the pages of `docs/results` have in common: tables, means, and where the runs come from."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from experiments.atomic import write_atomically
from experiments.run_directory import RunDirectory
from simulator.errors import DataError

__all__ = [
    "Origin",
    "Rows",
    "begin_page",
    "known_pictures",
    "mean_spread",
    "provenance",
    "table",
    "write_page",
]

Rows = Mapping[str, list[RunDirectory]]  # finished runs by the name of their row


class Origin(NamedTuple):
    """Of the runs behind a page, as they recorded it."""

    runs: int
    seeds: str
    versions: str
    machines: str
    days: str


def begin_page(rows: Rows, folder: Path) -> Origin:
    """Make the folder of a page; seeds, versions, machines and days of all runs behind it.

    Raises
    ------
    DataError
        If no run is finished.
    """
    if not rows:
        raise DataError("no run of this reproduction is finished; there is nothing to report")
    folder.mkdir(parents=True, exist_ok=True)
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


def provenance(made: Origin, name: str, about: str, *more: str) -> str:
    """A list of what runs say of themselves: the command of this reproduction, what there is to
    tell about the runs, versions, machine, and more."""
    lines = [
        f"Command: `make reproduce` (`python -m experiments.reproduce {name}`)",
        about,
        f"Versions: {made.versions}",
        f"Machine: {made.machines}",
        *more,
    ]
    return "\n".join(f"- {line}" for line in lines)


def write_page(page: Path, parts: Iterable[str]) -> None:
    """Write a page of these parts, all of it or nothing."""
    text = "\n\n".join(parts) + "\n"
    write_atomically(page, lambda file: file.write(text.encode()))


def known_pictures(parts: Iterable[str], files: Iterable[Path]) -> list[str]:
    """The blocks of these parts without pictures that are not among the files."""
    written = {path.name for path in files}

    def is_there(block: str) -> bool:
        return not block.startswith("![") or block.rpartition("(")[2].rstrip(")") in written

    return [block for part in parts for block in part.split("\n\n") if block and is_there(block)]


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
