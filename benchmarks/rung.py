"""What a rung of the ladder is: subjects that are measured, and the section that reports them.

A rung is one file in ``benchmarks/rungs`` that defines RUNG; it is found by lying there.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from benchmarks.process import Record
from simulator.errors import DataError

if TYPE_CHECKING:
    from benchmarks.peers import Peers

__all__ = [
    "Measured",
    "Options",
    "Rung",
    "Subject",
    "discover",
    "find_rungs",
    "median",
    "shown",
    "table",
]

SPIKEMESH = "Spikemesh"


@dataclass(frozen=True)
class Options:
    """What a ladder is measured with.

    Attributes
    ----------
    peers : Peers
        The simulators that are installed.
    quick : bool
        Small sizes, for a look; the figures are not those of the page.
    tiny : bool
        The smallest sizes at which all of the code runs, for tests.
    scratch : pathlib.Path
        Where a rung may keep arrays that are too long for the record.
    """

    peers: Peers
    quick: bool = False
    tiny: bool = False
    scratch: Path = field(default_factory=lambda: Path("runs/bench"))

    def size(self, full: float, quick: float, tiny: float) -> float:
        """One of three, after how much is to be measured."""
        return tiny if self.tiny else quick if self.quick else full


@dataclass(frozen=True)
class Subject:
    """One thing that is measured.

    ``measure(seed)`` returns numbers, ``missing`` says instead why it cannot be measured and what
    to do about it.  The work of a ``peer`` may fail without ending the ladder.
    """

    name: str
    measure: Callable[[int], Record] | None = None
    missing: str | None = None
    peer: bool = False
    once: bool = False  # not repeated: it takes long and has no spread to speak of


@dataclass(frozen=True)
class Measured:
    """Records of one rung by subject, in the order of its subjects; absent ones with the reason."""

    records: Mapping[str, Sequence[Record]]
    missing: Mapping[str, str]

    def __contains__(self, subject: str) -> bool:
        return bool(self.records.get(subject))

    def __getitem__(self, subject: str) -> Sequence[Record]:
        return self.records[subject]

    @property
    def subjects(self) -> list[str]:
        return [name for name, found in self.records.items() if found]

    def median(self, subject: str, key: str) -> float:
        """Median over the repeats."""
        return median([float(record[key]) for record in self.records[subject]])

    def cost(self, subject: str, unit: str = "work") -> float:
        """Processor seconds of the simulation for one unit: of work, ``deliveries``,
        ``duration_ms``; medians of either."""
        return self.median(subject, "simulate_cpu_s") / self.median(subject, unit)


@dataclass(frozen=True)
class Rung:
    """A rung: see the module's text.

    ``section(measured, folder)`` returns the lines of its part of the page and may draw figures
    into ``folder``.  ``seeds`` is for rungs whose repeats are seeds of an experiment.
    """

    name: str
    title: str
    subjects: Callable[[Options], Sequence[Subject]]
    section: Callable[[Measured, Path], Sequence[str]]
    seeds: int | None = None


def shown(value: float) -> str:
    """A figure of a table: three significant places, thousands whole."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def discover() -> dict[str, Rung]:
    """All rungs by name, in the order of the page (that of their files' ORDER)."""
    from benchmarks import rungs

    found = []
    for entry in iter_modules(rungs.__path__):
        module = import_module(f"benchmarks.rungs.{entry.name}")
        if hasattr(module, "RUNG"):
            found.append((module.ORDER, module.RUNG))
    return {rung.name: rung for _, rung in sorted(found, key=lambda pair: pair[0])}


def find_rungs(names: Sequence[str]) -> list[Rung]:
    """The rungs of these names, all of them for none.

    Raises
    ------
    DataError
        If there is no such rung.
    """
    known = discover()
    for name in names:
        if name not in known:
            raise DataError(f"there is no rung '{name}'; there is {', '.join(known)}")
    return [rung for name, rung in known.items() if not names or name in names]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return float(statistics.median(values))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """A table in Markdown; the first column is text, the others are numbers."""
    lines = ["| " + " | ".join(columns) + " |"]
    lines.append("| --- |" + " ---: |" * (len(columns) - 1))
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return lines
