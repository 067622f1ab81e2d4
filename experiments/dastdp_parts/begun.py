"""The part of the page on runs that were stopped: how far they got, from their checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from experiments.atomic import write_atomically
from experiments.dastdp_parts.course import Course
from experiments.dastdp_parts.paper import READOUTS, TRAINING_IMAGES, defaults
from experiments.results_page import Rows, table
from experiments.run_directory import RunDirectory

__all__ = ["Begun", "begun_runs", "begun_table", "draw_begun"]

SHOWN = ("simultaneous", "label_statistics")
FIRST, SECOND = "checkpoint-train", "checkpoint-second"


class Begun(NamedTuple):
    """A run that was stopped.

    Attributes
    ----------
    row, seed
        Which.
    n, data
        Hidden neurons; name of the data.
    course : Course
        Of the first pass.
    total : int
        Presentations that the first pass was to have.
    second : int
        Presentations of the second pass.
    """

    row: str
    seed: int
    n: int
    data: str
    course: Course
    total: int
    second: int
    tested: Mapping[str, float]


def begun_runs(rows: Rows, wanted: Sequence[str]) -> list[Begun]:
    """Those of the wanted rows that have a checkpoint, in their order."""
    return [
        _begun(row, run)
        for row in wanted
        for run in rows.get(row, [])
        if (run.path / f"{FIRST}.npz").exists()
    ]


def _begun(row: str, run: RunDirectory) -> Begun:
    made: dict[str, Any] = run.record["parameters"]
    epochs = made["epochs"] or defaults(made["data"], made["n"]).epochs
    second = run.arrays(SECOND)["done"] if (run.path / f"{SECOND}.npz").exists() else 0
    return Begun(
        row,
        int(run.record["seed"]),
        int(made["n"]),
        str(made["data"]),
        Course.from_arrays(run.arrays(FIRST)),
        epochs * (made["n_train"] or TRAINING_IMAGES),
        int(second),
        {
            readout: float(run.results[f"accuracy_{readout}"])
            for readout in SHOWN
            if f"accuracy_{readout}" in run.results
        },
    )


def begun_table(runs: Sequence[Begun], names: Mapping[str, tuple[str, int]]) -> str:
    """How far each got; ``names`` has a row's text first."""
    lines = []
    for run in runs:
        done, found = run.course.points[-1] if run.course.points else (0, {})
        right = run.course.running["right"]
        lines.append(
            [
                names[run.row][0],
                str(run.seed),
                f"{run.course.done:,} of {run.total:,}",
                f"{100.0 * right[-1]:.1f}" if right else "-",
                f"{done:,}" if found else "-",
                *(_percent(found, readout, 1) for readout in SHOWN),
                f"{run.second:,}" if run.second else "-",
                *(_percent(run.tested, readout, 2) for readout in SHOWN),
            ]
        )
    return table(
        [
            "",
            "seed",
            "presentations",
            "next training images (%)",
            "last point of the curve at",
            *(f"{READOUTS[readout]} (%)" for readout in SHOWN),
            "presentations of the second pass",
            *(f"{READOUTS[readout]}, all test images (%)" for readout in SHOWN),
        ],
        lines,
    )


def _percent(found: Mapping[str, float], readout: str, digits: int) -> str:
    return f"{100.0 * found[readout]:.{digits}f}" if readout in found else "-"


def draw_begun(runs: Sequence[Begun], folder: Path) -> dict[str, Path]:
    """Write the course of the first run of each row so far; the files by row."""
    from experiments.dastdp_parts.figures import draw_convergence

    files: dict[str, Path] = {}
    for run in runs:
        if run.row not in files:
            path = files[run.row] = folder / f"dastdp-course-{run.row}.png"
            figure = draw_convergence(run.course, run.data, run.n)
            style: dict[str, Any] = {"format": "png", "dpi": 150, "metadata": {"Software": None}}
            write_atomically(path, partial(figure.savefig, **style))
    return files
