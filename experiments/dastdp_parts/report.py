"""The page `docs/results/dastdp.md`: every table with the source's figures beside ours."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.atomic import write_atomically
from experiments.dastdp_parts import prose
from experiments.dastdp_parts.begun import Begun, begun_runs, begun_table, draw_begun
from experiments.dastdp_parts.paper import MEASURED, READOUTS, TRAINING_IMAGES, paper_figure
from experiments.results_page import (
    Origin,
    Rows,
    begin_page,
    known_pictures,
    mean_spread,
    provenance,
    table,
    write_page,
)
from experiments.run_directory import RunDirectory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["write_report"]

PAGE = "dastdp.md"
SHOWN = ("mnist-n100", "charge-n100")  # whose pictures are taken: the first that is there
PICTURES = {
    "dastdp-receptive-fields.png": (SHOWN, "receptive_fields"),
    "dastdp-confusion.png": (SHOWN, "confusion"),
    "dastdp-presentation.png": (SHOWN, "presentation"),
    "dastdp-convergence.png": (SHOWN, "convergence"),
    "dastdp-convergence-n400.png": (("mnist-n400",), "convergence"),
}
# What is set in the scan, with the names of its columns.
SCANNED_SETTINGS = {
    "inhibition": "inhibition",
    "nu_hidden": "learning rate",
    "kappa": "step of thresholds (mV)",
    "tau_theta": "decay of thresholds (ms)",
    "v_th": "what they decay to (mV)",
    "beta": "mean weight",
}
# What the page is about: rows, with the number of seeds that they are to have.
WANTED = {
    "mnist-n100": ("MNIST with 100 hidden neurons", 3),
    "mnist-n400": ("MNIST with 400 hidden neurons", 1),
    "fashion-n400": ("Fashion-MNIST with 400 hidden neurons", 1),
    "mnist-n1600": ("MNIST with 1,600 hidden neurons", 1),
    "charge-n100": ("MNIST with 100 hidden neurons, inhibition of the program", 3),
    "charge-n400": ("MNIST with 400 hidden neurons, inhibition of the program", 1),
}


def write_report(rows: Rows, folder: Path, begun: Rows | None = None) -> list[Path]:
    """Write the page and its figures.

    Parameters
    ----------
    rows
        Finished runs by the name of their row; rows that are not there are named as missing.
    folder
        Where to.
    begun
        Runs that were stopped, by the name of their row; the page says how far they got.

    Raises
    ------
    DataError
        If there is no finished run at all.
    """
    made = begin_page(rows, folder)
    files = []
    for name, (of, figure) in PICTURES.items():
        found = [run.path / f"{figure}.png" for row in of for run in rows.get(row, [])]
        if found and found[0].exists():
            shutil.copyfile(found[0], folder / name)
            files.append(folder / name)
    drawn = _tsne([run for row in SHOWN for run in rows.get(row, [])])
    if drawn is not None:
        style: dict[str, Any] = {"format": "png", "dpi": 110, "metadata": {"Software": None}}
        write_atomically(folder / "dastdp-tsne.png", partial(drawn.savefig, **style))
        files.append(folder / "dastdp-tsne.png")
    stopped = begun_runs(begun or {}, tuple(WANTED))
    courses = draw_begun(stopped, folder)
    files += courses.values()
    write_page(folder / PAGE, known_pictures(_parts(rows, made, stopped, courses), files))
    return [folder / PAGE, *files]


def _tsne(runs: Sequence[RunDirectory]) -> Figure | None:
    """Hidden activity of the first run, if there is one and scikit-learn is installed."""
    if not runs or find_spec("sklearn") is None:
        return None
    from experiments.dastdp_parts.figures import draw_tsne

    test = runs[0].arrays("test")
    return draw_tsne(test["hidden"], test["labels"], int(runs[0].record["seed"]))


def _parts(
    rows: Rows, made: Origin, stopped: Sequence[Begun], courses: Mapping[str, Path]
) -> list[str]:
    """The page in order; a section whose rows are not there is left out."""
    digits = [row for row in ("mnist-n100", "mnist-n400") if row in rows]
    parts = [prose.HEAD, _provenance(made), prose.PROTOCOL]
    if digits:
        parts += [prose.MNIST, _accuracies(rows, digits), _verdict(rows, digits)]
    charge = [row for row in ("charge-n100", "charge-n400") if row in rows]
    if charge:
        parts += [prose.CHARGE, _accuracies(rows, charge)]
    if any(row in rows for row in SHOWN):
        parts += [prose.PICTURES, prose.CURVE]
    if "fashion-n400" in rows:
        clothes = ["fashion-n400"]
        parts += [prose.FASHION, _accuracies(rows, clothes), _verdict(rows, clothes)]
        # Each says how it differs from the rows before.
        for row, text in (("decay-n400", prose.DECAY), ("slower-n400", prose.SLOWER)):
            if row in rows:
                parts += [text, _accuracies(rows, [row])]
    if "mnist-n1600" in rows:
        parts += [prose.LARGE, _accuracies(rows, ["mnist-n1600"])]
    if any(row.startswith("scan-") for row in rows):
        parts += [prose.SCAN, _scan(rows)]
    if stopped:
        parts += [prose.BEGUN, begun_table(stopped, WANTED)]
        parts += [f"![{WANTED[row][0]}, so far]({path.name})" for row, path in courses.items()]
    return [*parts, prose.SPEED, _speed(rows, stopped), _missing(rows, stopped)]


def _provenance(made: Origin) -> str:
    """Seeds, versions and machines of the runs, as they recorded them."""
    return provenance(
        made,
        "dastdp",
        f"Seeds: {made.seeds}; {made.runs} run(s). A seed draws the order of"
        " the images, the initial weights and the spikes of the inputs.",
        f"Runs from {made.days}",
    )


def _values(runs: Sequence[RunDirectory], name: str) -> list[float]:
    return [float(run.results[name]) for run in runs if name in run.results]


def _percent(runs: Sequence[RunDirectory], readout: str) -> list[float]:
    return [100.0 * value for value in _values(runs, f"accuracy_{readout}")]


def _source(row: str, readout: str) -> float | None:
    kind, n = row.split("-n")
    data = {"charge": "mnist", "decay": "fashion", "slower": "fashion"}.get(kind, kind)
    return paper_figure(data, int(n), readout)


def _accuracies(rows: Rows, names: Sequence[str]) -> str:
    lines = []
    for row in names:
        runs = rows[row]
        for readout, label in MEASURED.items():
            found = _percent(runs, readout)
            if found:
                source = _source(row, readout)
                lines.append(
                    [
                        f"{int(runs[0].record['parameters']['n']):,}",
                        label,
                        str(len(found)),
                        mean_spread(found, 2),
                        "" if source is None else f"{source:.2f}",
                        mean_spread(_values(runs, "hidden_spikes_per_image_test"), 1),
                        mean_spread(_values(runs, "hidden_neurons_per_image_test"), 1),
                        mean_spread(_values(runs, "neurons_without_class"), 0),
                    ]
                )
    return table(
        [
            "hidden neurons",
            "readout",
            "runs",
            "accuracy (%)",
            "source (%)",
            "hidden spikes per test image",
            "neurons that answer",
            "neurons without a class",
        ],
        lines,
    )


def _verdict(rows: Rows, names: Sequence[str]) -> str:
    """Which of the source's figures are reached."""
    short = []
    for row in names:
        for readout, label in MEASURED.items():
            found, source = _percent(rows[row], readout), _source(row, readout)
            if found and source is not None and statistics.fmean(found) < source:
                n = rows[row][0].record["parameters"]["n"]
                missing = source - statistics.fmean(found)
                short.append(f"{label} with {n} neurons (by {missing:.2f} points)")
    if short:
        return f"Below the source: {'; '.join(short)}."
    return "All of the source's figures are reached or passed."


def _scan(rows: Rows) -> str:
    lines = []
    for row, runs in rows.items():
        if not row.startswith("scan-"):
            continue
        made: Mapping[str, Any] = runs[0].results["parameters"]
        lines.append(
            [
                "clothes" if row.startswith("scan-fashion") else "digits",
                f"{made['n']:,}",
                f"{runs[0].results['presentations']:,}",
                *(f"{made[name]:g}" for name in SCANNED_SETTINGS),
                *(mean_spread(_percent(runs, readout), 2) for readout in READOUTS),
                mean_spread(_values(runs, "hidden_spikes_per_image_test"), 1),
                mean_spread(_values(runs, "hidden_neurons_per_image_test"), 1),
            ]
        )
    columns = ["images", "hidden neurons", "presentations"]
    columns += SCANNED_SETTINGS.values()
    columns += [f"{label} (%)" for label in READOUTS.values()]
    columns += ["hidden spikes per image", "neurons that answer"]
    return table(columns, lines)


def _speed(rows: Rows, stopped: Sequence[Begun]) -> str:
    lines = []
    for row, (what, _) in WANTED.items():
        found = rows.get(row, [])
        speeds = [run.record["timings"]["presentations_per_cpu_s"] for run in found]
        attempts = _values(found, "attempts_per_image")
        for run in stopped:
            if run.row == row and run.course.running["attempts"]:
                speeds.append(run.course.done / run.course.seconds)
                attempts.append(statistics.fmean(run.course.running["attempts"]))
        if speeds:
            epoch = TRAINING_IMAGES / statistics.fmean(speeds) / 60.0
            lines.append(
                [
                    what,
                    str(len(speeds)),
                    mean_spread(speeds, 0),
                    mean_spread(attempts, 3),
                    f"{epoch:.0f}",
                ]
            )
    columns = ["", "runs", "presentations per CPU second", "attempts per image"]
    return table([*columns, "an epoch, projected (CPU min)"], lines)


def _missing(rows: Rows, stopped: Sequence[Begun]) -> str:
    """What the page is to show and has no finished runs for."""
    lines = []
    for row, (what, seeds) in WANTED.items():
        if len(rows.get(row, [])) < seeds:
            far = [
                f"seed {run.seed} after {run.course.done + run.second:,} presentations"
                for run in stopped
                if run.row == row
            ]
            text = f"- {what}: {len(rows.get(row, []))} of {seeds} seeds finished"
            lines.append("; stopped: ".join([text, *([", ".join(far)] if far else [])]))
    return prose.MISSING + "\n".join(lines) if lines else ""
