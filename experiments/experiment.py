"""What an experiment is, how one is found, and how one is run.

An experiment is one module of this package with

    EXPERIMENT = Experiment(name="wtcrl", summary="...", config=Config, run=run)

and nothing to register. `run(config, context)` writes to `context.directory` and returns its
results; everything heavy is imported inside it, so that listing the experiments stays quick.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import experiments
from experiments.datasets import search_places
from experiments.reporting import Progress, QuietReporter, Reporter
from experiments.run_directory import RunDirectory
from experiments.settings import configure
from simulator.errors import DataError

__all__ = ["Context", "Experiment", "discover", "find_experiment", "run_experiment"]

DEFAULT_SEED = 1
RUNS = Path("runs")


@dataclass(frozen=True)
class Context:
    """What a running experiment is given besides its configuration.

    Parameters
    ----------
    directory
        Where spikes, weights, the network and figures go.
    seed
        The one seed of the run.
    data_dir
        Where the user says the data sets are, or None; for the loaders of `experiments.datasets`.
    resume
        Whether to go on from the checkpoint the experiment left in the directory
        (`directory.write_arrays("checkpoint", ...)`), after
        `directory.keep_spikes_until(time of the checkpoint)`.
    reporter
        Where progress, notes and tables go.
    """

    directory: RunDirectory
    seed: int
    data_dir: Path | None = None
    resume: bool = False
    reporter: Reporter = QuietReporter()  # noqa: RUF009  (it has no state)

    def progress(self, description: str, total: float) -> AbstractContextManager[Progress]:
        """Show how far a loop is: `with context.progress("train", n) as bar: bar.advance()`."""
        return self.reporter.progress(description, total)

    def note(self, text: str) -> None:
        """Say something on a line of its own."""
        self.reporter.note(text)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Show a table of results."""
        self.reporter.table(title, columns, rows)


@dataclass(frozen=True)
class Experiment:
    """A named experiment.

    Parameters
    ----------
    name
        What the user types.
    summary
        One line.
    config
        A frozen dataclass whose fields are the settings; see `experiments.settings.setting`.
    run
        `run(config, context) -> results`: names to numbers, texts or lists of them.
    """

    name: str
    summary: str
    config: type[Any]
    run: Callable[[Any, Context], Mapping[str, object]]


def discover() -> dict[str, Experiment]:
    """Every experiment of this package, by name, in alphabetical order.

    Raises
    ------
    DataError
        If two modules use one name.
    """
    found: dict[str, tuple[Experiment, str]] = {}
    for module in pkgutil.iter_modules(experiments.__path__):
        if module.ispkg or module.name.startswith("_"):
            continue
        candidate = getattr(
            importlib.import_module(f"{experiments.__name__}.{module.name}"), "EXPERIMENT", None
        )
        if isinstance(candidate, Experiment):
            if candidate.name in found:
                raise DataError(
                    f"experiment '{candidate.name}' is defined twice: in {module.name}.py and "
                    f"in {found[candidate.name][1]}.py; rename one"
                )
            found[candidate.name] = (candidate, module.name)
    return {name: found[name][0] for name in sorted(found)}


def find_experiment(name: str) -> Experiment:
    """The experiment of that name.

    Raises
    ------
    DataError
        If there is none; the text lists those that there are.
    """
    known = discover()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        raise DataError(
            f"there is no experiment '{name}'{hint}; there are {', '.join(known) or 'none'}"
        )
    return known[name]


def run_experiment(
    name: str,
    *,
    out: str | Path | None = None,
    seed: int | None = None,
    settings: Mapping[str, object] | None = None,
    data_dir: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    reporter: Reporter | None = None,
) -> RunDirectory:
    """Run an experiment; what `spikemesh run` does.

    Parameters
    ----------
    name
        Of the experiment.
    out
        The run directory; default `runs/<name>-<number>`, the first number that is free.
    seed
        An integer >= 0; default 1, or that of the run being resumed.
    settings
        By name of the field of the experiment's configuration, as strings or as the real thing;
        when resuming they must be those of the run being resumed, or left out.
    data_dir
        Where the data sets are; see `experiments.datasets`.
    resume
        Go on with the interrupted run in `out`.
    overwrite
        Replace the run in `out`.
    reporter
        Where progress and tables go; default: nowhere.

    Returns
    -------
    RunDirectory
        With the results in `.results`.

    Raises
    ------
    DataError
        If a name or value is unknown or out of range, or the directory cannot be used.
    """
    experiment = find_experiment(name)
    if seed is not None and seed < 0:
        raise DataError(f"seed = {seed}; it must be an integer >= 0")
    search_places(data_dir)  # a directory that does not exist is refused before anything is written
    if resume:
        if out is None or overwrite:
            raise DataError("to resume, name the run directory with --out, without --overwrite")
        directory = RunDirectory.open(out)
        config, seed = _resumed(experiment, directory, settings or {}, seed)
        directory.resume()
    else:
        seed = DEFAULT_SEED if seed is None else seed
        config = configure(experiment.config, settings or {}, f"experiment '{name}'")
        directory = RunDirectory.create(
            _free_directory(name) if out is None else out,
            experiment=name,
            parameters={field.name: getattr(config, field.name) for field in fields(config)},
            seed=seed,
            overwrite=overwrite,
        )
    context = Context(
        directory,
        seed,
        None if data_dir is None else Path(data_dir),
        resume,
        QuietReporter() if reporter is None else reporter,
    )
    with directory:
        start = time.perf_counter()
        results = experiment.run(config, context)
        elapsed = time.perf_counter() - start
        before = directory.record["timings"].get("total_s", 0.0)
        directory.update(results=results, timings={"total_s": before + elapsed})
    return directory


def _resumed(
    experiment: Experiment,
    directory: RunDirectory,
    settings: Mapping[str, object],
    seed: int | None,
) -> tuple[Any, int]:
    """The configuration and seed of the run in `directory`, which those given must agree with."""
    record = directory.record
    if record["experiment"] != experiment.name:
        raise DataError(
            f"the run in '{directory.path}' is of experiment '{record['experiment']}', "
            f"not '{experiment.name}'"
        )
    if seed is not None and seed != record["seed"]:
        raise DataError(
            f"the run in '{directory.path}' has seed {record['seed']}, not {seed}; "
            "to resume it leave --seed out"
        )
    owner = f"experiment '{experiment.name}'"
    config = configure(experiment.config, record["parameters"], owner)
    wanted = configure(experiment.config, {**record["parameters"], **settings}, owner)
    for field in fields(config):
        before, now = getattr(config, field.name), getattr(wanted, field.name)
        if before != now:
            raise DataError(
                f"the run in '{directory.path}' has {field.name} = {before}, not {now}; "
                "to resume it leave the setting out"
            )
    return config, int(record["seed"])


def _free_directory(name: str) -> Path:
    """The first of runs/<name>-1, runs/<name>-2, ... that is free; made at once, to stay free."""
    number = 1
    while True:
        path = RUNS / f"{name}-{number}"
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            number += 1
        except OSError as error:
            raise DataError(
                f"run directory '{path}' cannot be made: {error.strerror}; "
                "choose a place that can be written with --out"
            ) from error
        else:
            return path
