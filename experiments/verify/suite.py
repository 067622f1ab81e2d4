"""All checks in their order: what `spikemesh verify` runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.reporting import QuietReporter, Reporter
from experiments.verify.arithmetic import Digits
from experiments.verify.brute_force import graze_rows, random_rows
from experiments.verify.closed_forms import exact_rows, integrated_rows, psp_rows
from experiments.verify.decide import has_oracle, integrates
from experiments.verify.draws import draw
from experiments.verify.invariances import engine_rows, invariance_rows
from experiments.verify.page import write_page
from experiments.verify.peer import GROUP as NEST
from experiments.verify.peer import PEERS, nest_rows, nest_version
from experiments.verify.plasticity_sums import rule_rows
from experiments.verify.rows import COLUMNS, FAILED, Row, not_run
from experiments.verify.sizes import FULL, QUICK, Sizes
from simulator.errors import DataError
from simulator.model import NeuronModel, PlasticityRule

__all__ = ["Report", "model_rows", "verify"]


@dataclass(frozen=True)
class Report:
    """What was found."""

    rows: tuple[Row, ...]
    page: Path | None = None

    @property
    def failed(self) -> list[Row]:
        return [row for row in self.rows if row.verdict == FAILED]


def verify(
    against: str | None = None,
    *,
    full: bool = False,
    out: str | Path | None = None,
    nest_python: str | None = None,
    reporter: Reporter | None = None,
    sizes: Sizes | None = None,
) -> Report:
    """Check spike times, plasticity and invariances, and show one table.

    Parameters
    ----------
    against
        A peer to compare networks with, "nest"; default: none.
    full
        10^6 random intervals of every closed-form model, and more of everything else: minutes.
    out
        Write the statement of accuracy, a page of Markdown, here.
    nest_python
        The interpreter that has NEST; default: this one.
    reporter
        Where progress and the table go; default: nowhere.
    sizes
        How much of everything; default: that of ``full``.

    Returns
    -------
    Report
        The rows of the table; ``report.failed`` is empty if all is well.

    Raises
    ------
    DataError
        For an unknown peer, an interpreter that cannot be run, or a page that cannot be written.
    """
    if against is not None and against not in PEERS:
        raise DataError(f"there is no peer '{against}'; there is {', '.join(PEERS)}")
    if out is not None and not Path(out).parent.is_dir():
        raise DataError(f"cannot write '{out}': there is no directory '{Path(out).parent}'")
    told = QuietReporter() if reporter is None else reporter
    size = sizes or (FULL if full else QUICK)
    nest = nest_version(nest_python) if against == "nest" or nest_python else None
    rows = []
    for row in _all_rows(against, size, told, nest_python):
        if row.verdict == FAILED:
            told.note(f"FAIL: {row.check}: {row.cells()[3]}, allowed {row.cells()[4]}")
        rows.append(row)
    told.table("Accuracy", COLUMNS, [row.cells() for row in rows])
    page = None
    if out is not None:
        page = write_page(Path(out), rows, against, full, nest)
    return Report(tuple(rows), page)


def _all_rows(
    against: str | None, size: Sizes, reporter: Reporter, nest_python: str | None
) -> Iterator[Row]:
    import neurons
    import plasticity

    models = _classes(neurons, NeuronModel)
    rules = _classes(plasticity, PlasticityRule)
    grouped: dict[str, list[Row]] = {}
    for model in models:
        for row in model_rows(model, size, reporter):
            grouped.setdefault(row.group, []).append(row)
    for rows in grouped.values():
        yield from rows
    yield from rule_rows(rules, size.trains, reporter)
    yield from invariance_rows(size.duration, size.cuts, reporter)
    yield from engine_rows(size.duration, reporter)
    if against is None:
        yield not_run(NEST, "precise neurons", "not asked for: spikemesh verify --against nest")
    else:
        yield from nest_rows(reporter, nest_python)


def _classes(package: Any, base: type) -> list[Any]:
    """Models or rules that a package exports."""
    found = [getattr(package, name) for name in package.__all__]
    return [thing for thing in found if isinstance(thing, type) and issubclass(thing, base)]


def model_rows(model: type[NeuronModel], size: Sizes, reporter: Reporter) -> Iterator[Row]:
    """Closed forms and brute force of one neuron model."""
    try:
        draw(model, 1, 0)
    except LookupError:
        known = False
    else:
        known = has_oracle(model)
    if not known:
        yield not_run("closed forms", model.__name__, "its equations are not written a second time")
        return
    digits: Digits | None
    try:
        digits = Digits()
    except ModuleNotFoundError:
        digits = None
    if integrates(model):
        yield from integrated_rows(model, size.integrated, reporter, "")
        yield from random_rows(model, size.integrated, reporter, None)
        return
    if digits is None:
        why = "needs mpmath: pip install 'spikemesh[verify]'"
        yield not_run("closed forms", model.__name__, why)
    else:
        yield from psp_rows([model], digits)
        yield from exact_rows(model, size.by_digits, reporter, digits)
    yield from random_rows(model, size.intervals, reporter, digits)
    yield from graze_rows(model, size.grazes, reporter, digits)
    if integrates(model, "unequal"):
        yield from integrated_rows(model, size.integrated, reporter, "unequal")
        yield from random_rows(model, size.integrated, reporter, None, "unequal")
        yield from graze_rows(model, size.grazes // 10, reporter, None, "unequal")
