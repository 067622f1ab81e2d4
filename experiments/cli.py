"""The command `spikemesh`: each command is one call of the Python API, and says what it wrote.

Everything heavy is imported inside the commands, so that `spikemesh --help` answers at once.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from experiments.cli_mapping import place, whatif
from simulator.errors import SpikemeshError

__all__ = ["app", "main"]

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130


class _Commands(TyperGroup):
    """Turns errors into one red line and an exit code; --debug shows where they come from."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SpikemeshError as error:
            if ctx.params.get("debug"):
                typer.echo(traceback.format_exc(), err=True)
            typer.secho(f"error: {error}", fg=typer.colors.RED, err=True)
            raise typer.Exit(BAD_INPUT) from error
        except KeyboardInterrupt as interrupt:
            typer.secho("interrupted", fg=typer.colors.RED, err=True)
            raise typer.Exit(INTERRUPTED) from interrupt


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Exact event-driven spiking networks that learn, placed on a mesh of cores.",
)

Run = Annotated[Path, typer.Argument(help="Run directory, as made by 'spikemesh run'.")]


@app.callback()
def options(
    debug: Annotated[bool, typer.Option(help="Show where in the program an error arose.")] = False,
) -> None:
    """Options of every command."""


@app.command("list")
def list_experiments(
    experiment: Annotated[
        str | None, typer.Argument(help="Show the settings of this experiment.")
    ] = None,
) -> None:
    """List the experiments, or the settings of one."""
    from experiments.experiment import discover, find_experiment
    from experiments.reporting import TerminalReporter
    from experiments.settings import describe

    if experiment is None:
        rows = [(found.name, found.summary) for found in discover().values()]
        TerminalReporter().table("Experiments", ("name", "what it does"), rows)
        return
    found = find_experiment(experiment)
    settings = [
        (s.name, s.default, "" if s.unit == "1" else s.unit, s.type, s.help)
        for s in describe(found.config)
    ]
    TerminalReporter().table(
        f"{found.name}: {found.summary}", ("setting", "default", "unit", "value", "what"), settings
    )


@app.command()
def run(
    experiment: Annotated[str, typer.Argument(help="Name, as in 'spikemesh list'.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting; may be given several times."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the run.", show_default="1")] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Run directory.", show_default="runs/EXPERIMENT-N"),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Look for data sets here first.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run in --out.")
    ] = False,
) -> None:
    """Run an experiment into a run directory."""
    from experiments.experiment import run_experiment
    from experiments.reporting import TerminalReporter
    from experiments.settings import parse_assignments

    directory = run_experiment(
        experiment,
        out=out,
        seed=seed,
        settings=parse_assignments(settings or []),
        data_dir=data,
        resume=resume,
        overwrite=overwrite,
        reporter=TerminalReporter(),
    )
    _say_written(directory.files())


@app.command()
def raster(
    run: Run,
    window: Annotated[
        str, typer.Option(metavar="START:STOP", help="In ms; either end may be left out.")
    ] = ":",
    populations: Annotated[
        str, typer.Option(metavar="A,B", help="Which populations, from the top; default all.")
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="PNG file.", show_default="RUN/raster.png"),
    ] = None,
) -> None:
    """Draw the spikes of a run: each of them if they are few, else their density."""
    from experiments.raster import parse_window
    from experiments.raster import raster as draw

    names = [name.strip() for name in populations.split(",") if name.strip()]
    path, remark = draw(run, window=parse_window(window), populations=names, out=out)
    typer.echo(remark)
    _say_written([path])


app.command()(place)
app.command()(whatif)


@app.command()
def data(
    data_dir: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Look here first.")
    ] = None,
) -> None:
    """Say which data sets are found where, checked, and how to get the others."""
    from experiments.datasets import how_to_get, take_inventory
    from experiments.reporting import TerminalReporter

    found, missing = take_inventory(data_dir)
    TerminalReporter().table("Data sets", ("name", "where", "state", "origin"), found)
    for data_set in missing:
        typer.echo(f"\n{how_to_get(data_set, data_dir=data_dir)}")


@app.command()
def bench(
    rung: Annotated[
        list[str] | None,
        typer.Option("--rung", metavar="NAME", help="Which; may be given several times."),
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each row.")] = 5,
    peers: Annotated[
        bool, typer.Option("--peers/--no-peers", help="Run NEST and Brian2 where installed.")
    ] = True,
    nest_python: Annotated[
        str | None, typer.Option(metavar="PYTHON", help="The interpreter that has NEST.")
    ] = None,
    brian2_python: Annotated[
        str | None, typer.Option(metavar="PYTHON", help="The interpreter that has Brian2.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes, for a look.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Measure what was measured before once more.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where bench.md and its figures go.",
            show_default="docs/results, with --quick runs/bench-quick",
        ),
    ] = None,
) -> None:
    """Measure speed and memory, as ratios to other simulators; goes on where it was interrupted."""
    from benchmarks.ladder import bench_command
    from experiments.reporting import TerminalReporter

    files = bench_command(
        names=rung or [],
        repeats=repeats,
        peers=peers,
        nest_python=nest_python,
        brian2_python=brian2_python,
        quick=quick,
        again=again,
        out=out,
        reporter=TerminalReporter(),
    )
    _say_written(files)


@app.command()
def verify(
    against: Annotated[
        str | None, typer.Option(metavar="PEER", help="Compare networks with a peer: nest.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="10^6 intervals of every model; minutes.")
    ] = False,
    nest_python: Annotated[
        str | None, typer.Option(metavar="PYTHON", help="The interpreter that has NEST.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table as a page of Markdown.")
    ] = None,
) -> None:
    """Check how exact it is: closed forms, brute force, invariances, and a peer if installed."""
    from experiments.reporting import TerminalReporter
    from experiments.verify import verify as check

    report = check(
        against, full=full, nest_python=nest_python, out=out, reporter=TerminalReporter()
    )
    if report.page is not None:
        _say_written([report.page])
    if report.failed:
        typer.secho(f"{len(report.failed)} checks failed", fg=typer.colors.RED, err=True)
        raise typer.Exit(FAILED)


def main() -> None:
    """The entry point of the command `spikemesh`."""
    app()


def _say_written(files: Iterable[Path]) -> None:
    for path in files:
        typer.echo(f"wrote {path}")


if __name__ == "__main__":
    main()
