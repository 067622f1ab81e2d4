"""Pages of results of experiments that are one run each: what it measures, over several seeds."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.results_page import Rows, begin_page, mean_spread, provenance, table, write_page
from experiments.run_directory import RunDirectory

__all__ = ["SeedsPage"]


@dataclass(frozen=True)
class SeedsPage:
    """A page with one table and the picture of the first seed.

    Attributes
    ----------
    name : str
        Of the page and its picture, and of the reproduction, with underscores for hyphens.
    head : str
        What the page is about.
    columns : mapping of str to str
        Headings of the columns, and what the names of a column's results begin with.
    labels : mapping of str to str
        What is measured, by the rest of the result's name.
    figure, caption : str
        The picture of a run, and what it shows.
    """

    name: str
    head: str
    columns: Mapping[str, str]
    labels: Mapping[str, str]
    figure: str
    caption: str

    def write(self, rows: Rows, folder: Path) -> list[Path]:
        """Write the page and its picture.

        Raises
        ------
        DataError
            If no run is finished.
        """
        made = begin_page(rows, folder)
        runs = [run for found in rows.values() for run in found]
        picture, page = folder / f"{self.name}.png", folder / f"{self.name}.md"
        shutil.copyfile(runs[0].path / f"{self.figure}.png", picture)
        parts = [
            self.head,
            provenance(
                made,
                self.name.replace("-", "_"),
                f"Seeds: {made.seeds}; mean ± standard deviation, and each by itself",
                f"Runs from {made.days}",
            ),
            self._table(runs),
            f"![{self.caption}]({picture.name})",
        ]
        write_page(page, parts)
        return [page, picture]

    def _table(self, runs: Sequence[RunDirectory]) -> str:
        lines = []
        for key, label in self.labels.items():
            cells = []
            for prefix in self.columns.values():
                found = [run.results[prefix + key] for run in runs]
                values = [float(value) for value in found if value is not None]
                each = ", ".join("-" if value is None else f"{value:.3g}" for value in found)
                cells += [mean_spread(values, _digits(values)), each]
            lines.append([label, *cells])
        headings = [text for column in self.columns for text in (column, "by seed")]
        return table(["", *headings], lines)


def _digits(values: Sequence[float]) -> int:
    """Digits behind the point: three in all."""
    largest = max(map(abs, values), default=0.0)
    return 0 if largest >= 100.0 else 1 if largest >= 10.0 else 3
