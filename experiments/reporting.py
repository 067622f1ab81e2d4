"""What a person sees while an experiment runs: progress, notes and tables.

Two reporters with one interface: `TerminalReporter` draws a progress bar where it can and writes a
line every few seconds where it cannot (a log file); `QuietReporter` says nothing. Progress goes to
the error stream and tables to the output stream, so that the tables can be piped.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

__all__ = ["Progress", "QuietReporter", "Reporter", "TerminalReporter"]

LINE_SECONDS = 5.0


class Progress(Protocol):
    """How far a loop is."""

    def advance(self, n: float = 1) -> None:
        """`n` more units are done."""

    def note(self, text: str) -> None:
        """Say something short beside the bar, as "RMS 0.12"; the last note stays."""


class Reporter(Protocol):
    """Where progress, notes and tables go."""

    def progress(self, description: str, total: float) -> AbstractContextManager[Progress]:
        """Show the progress of a loop of `total` units."""

    def note(self, text: str) -> None:
        """Say something on a line of its own."""

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Show a table; numbers are shown as they are, so round them as they deserve."""


class TerminalReporter:
    """A progress bar on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        from rich.console import Console

        # A table must not lose columns because the output goes to a file or a pipe.
        self._out = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
        self._err = Console(stderr=True, highlight=False)

    @contextmanager
    def progress(self, description: str, total: float) -> Iterator[Progress]:
        if not self._err.is_terminal:
            progress = _LineProgress(self, description, total)
            yield progress
            progress.say()
            return
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bars

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Bars(*columns, console=self._err) as bars:
            yield _BarProgress(bars, bars.add_task(description, total=total, note=""))

    def note(self, text: str) -> None:
        self._err.print(text, markup=False)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title, title_justify="left")
        for k, column in enumerate(columns):
            numeric = bool(rows) and all(_is_numeric(row[k]) for row in rows)
            table.add_column(Text(column), justify="right" if numeric else "left")
        for row in rows:
            table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
        self._out.print(table)


class QuietReporter:
    """Says nothing: for tests and for calls from other programs."""

    @contextmanager
    def progress(self, description: str, total: float) -> Iterator[Progress]:
        yield _SilentProgress()

    def note(self, text: str) -> None:
        pass

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        pass


class _SilentProgress:
    def advance(self, n: float = 1) -> None:
        pass

    def note(self, text: str) -> None:
        pass


class _BarProgress:
    def __init__(self, bars: RichProgress, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def advance(self, n: float = 1) -> None:
        self._bars.advance(self._task, n)

    def note(self, text: str) -> None:
        self._bars.update(self._task, note=text)


class _LineProgress:
    """A line at most every five seconds of wall time, and one at the end."""

    def __init__(self, reporter: Reporter, description: str, total: float) -> None:
        self._reporter = reporter
        self._description = description
        self._total = total
        self._done = 0.0
        self._note = ""
        self._said = time.monotonic()

    def advance(self, n: float = 1) -> None:
        self._done += n
        if time.monotonic() - self._said > LINE_SECONDS:
            self.say()

    def note(self, text: str) -> None:
        self._note = text

    def say(self) -> None:
        self._said = time.monotonic()
        share = 100 * self._done / self._total if self._total else 100.0
        text = f"{self._description}: {self._done:.0f} of {self._total:.0f} ({share:.0f} %)"
        self._reporter.note(f"{text}  {self._note}".rstrip())


def _is_numeric(cell: object) -> bool:
    if cell is None or isinstance(cell, int | float):
        return True
    try:
        float(str(cell).split(" ")[0].rstrip("%"))
    except ValueError:
        return False
    return True
