"""Run the tables of `docs/results`: `python -m experiments.reproduce [NAME ...]`.

A reproduction is the module `experiments.<name>_parts.reproduction` with a constant REPRODUCTION: a
list of cells, each one run of an experiment with its settings and seed, and a function that writes
the report. Every cell has a run directory of its own; a cell that is finished is not run again, one
that was interrupted is resumed, so the command can be stopped and started at will. The settings of
a cell are compared, the program is not: after a change of it, remove the directory of the runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, fields
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer

from experiments.atomic import json_value
from experiments.experiment import find_experiment, run_experiment
from experiments.reporting import QuietReporter, Reporter, TerminalReporter
from experiments.run_directory import RunDirectory
from experiments.settings import configure
from simulator.errors import DataError, SpikemeshError

__all__ = ["Cell", "Reproduction", "main", "reproduce"]

RUNS = Path("runs/reproduce")
RESULTS = Path("docs/results")
KNOWN = (
    "wtcrl", "dastdp", "etdp_count", "song2000", "distal_reward", "cosimulation", "mapping",
    "network",
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One run: its settings make a row of a table, its seed one of the numbers averaged there."""

    row: str
    settings: Mapping[str, object] = field(default_factory=dict)
    seed: int = 1

    def path(self, runs: Path) -> Path:
        """The run directory."""
        return runs / self.row / f"seed-{self.seed}"


@dataclass(frozen=True)
class Reproduction:
    """Everything behind one page of results.

    Attributes
    ----------
    experiment : str
        Name of the experiment that every cell runs.
    cells : sequence of Cell
    write : callable
        `write(runs, folder)` gets the finished runs of every row and writes the page and its
        figures into `folder`; it returns the files.
    shows_begun : bool
        Whether `write` gets a third argument, the runs of every row that have begun and are not
        finished.
    """

    experiment: str
    cells: Sequence[Cell]
    write: Callable[..., list[Path]]
    shows_begun: bool = False


def reproduce(
    name: str,
    *,
    runs: str | Path = RUNS,
    results: str | Path = RESULTS,
    jobs: int = 2,
    only: Sequence[str] = (),
    reporter: Reporter | None = None,
) -> list[Path]:
    """Run the cells of a reproduction that are not finished, then write its page.

    Parameters
    ----------
    name
        Of the reproduction.
    runs, results
        Where the run directories and the page go.
    jobs
        How many cells run at a time.
    only
        Beginnings of rows; other cells are not run, but used if they are there.
    reporter
        Where progress goes; default: nowhere.

    Returns
    -------
    list of pathlib.Path
        The files of the page.

    Raises
    ------
    DataError
        If the name is unknown, or a row has no finished run.
    """
    found = _find(name)
    folder = Path(runs) / name
    told = QuietReporter() if reporter is None else reporter
    wanted = [c for c in found.cells if not only or c.row.startswith(tuple(only))]
    waiting = [cell for cell in wanted if not _finished(found.experiment, cell, folder)]
    told.note(f"{name}: {len(wanted) - len(waiting)} of {len(wanted)} runs are there already")
    if waiting:
        _run_all(found.experiment, waiting, folder, jobs, told)
    rows: dict[str, list[RunDirectory]] = {}
    begun: dict[str, list[RunDirectory]] = {}
    for cell in found.cells:
        if _there(found.experiment, cell, folder):
            run = RunDirectory.open(cell.path(folder))
            of = rows if run.record["state"] == "finished" else begun
            of.setdefault(cell.row, []).append(run)
    return found.write(rows, Path(results), *([begun] if found.shows_begun else []))


def _find(name: str) -> Reproduction:
    module = f"experiments.{name}_parts.reproduction"
    if not name.isidentifier() or find_spec(f"experiments.{name}_parts") is None:
        raise DataError(f"there is no reproduction '{name}'; there is {', '.join(KNOWN)}")
    reproduction: Reproduction = import_module(module).REPRODUCTION
    return reproduction


def _run_all(
    experiment: str, cells: Sequence[Cell], folder: Path, jobs: int, reporter: Reporter
) -> None:
    # One run is one core: the parallelism is between runs.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    with (
        reporter.progress("reproduce", len(cells)) as bar,
        ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool,
    ):
        futures = {pool.submit(_run, experiment, cell, folder): cell for cell in cells}
        try:
            for future in as_completed(futures):
                future.result()
                bar.advance()
                bar.note(f"{futures[future].row}, seed {futures[future].seed}")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _run(experiment: str, cell: Cell, folder: Path) -> None:
    """Run or resume one cell; in a process of its own."""
    path = cell.path(folder)
    resume = (path / "run.json").exists() and _same_settings(experiment, cell, path)
    run_experiment(
        experiment,
        out=path,
        seed=cell.seed,
        settings={} if resume else cell.settings,
        resume=resume,
        overwrite=not resume,
    )


def _there(experiment: str, cell: Cell, folder: Path) -> bool:
    path = cell.path(folder)
    return (path / "run.json").exists() and _same_settings(experiment, cell, path)


def _finished(experiment: str, cell: Cell, folder: Path) -> bool:
    if not _there(experiment, cell, folder):
        return False
    return bool(RunDirectory.open(cell.path(folder)).record["state"] == "finished")


def _same_settings(experiment: str, cell: Cell, path: Path) -> bool:
    """Whether the run in `path` is of these settings and this seed."""
    config = configure(find_experiment(experiment).config, cell.settings)
    parameters = {f.name: json_value(getattr(config, f.name), f.name) for f in fields(config)}
    record = RunDirectory.open(path).record
    return bool(record["parameters"] == parameters and record["seed"] == cell.seed)


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Which; default all.")] = None,
    runs: Annotated[Path, typer.Option(metavar="DIR", help="Run directories.")] = RUNS,
    results: Annotated[Path, typer.Option(metavar="DIR", help="Pages.")] = RESULTS,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at a time.")] = 2,
    only: Annotated[str, typer.Option(metavar="A,B", help="Run only rows that begin so.")] = "",
) -> None:
    """Run what is missing for the tables of results, and write them."""
    prefixes = [prefix.strip() for prefix in only.split(",") if prefix.strip()]
    try:
        for name in names or KNOWN:
            files = reproduce(
                name,
                runs=runs,
                results=results,
                jobs=jobs,
                only=prefixes,
                reporter=TerminalReporter(),
            )
            for path in files:
                typer.echo(f"wrote {path}")
    except SpikemeshError as error:
        typer.secho(f"error: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    typer.run(main)
