"""The page `docs/results/cosimulation.md`: what falling bandwidth does to two networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from experiments.atomic import write_atomically
from experiments.cosimulation_parts.figures import BLUE, GREEN, ORANGE, Points, draw_bandwidth
from experiments.results_page import Rows, begin_page, mean_spread, provenance, table, write_page

__all__ = ["BANDWIDTHS", "row_name", "write_report"]

BANDWIDTHS = {
    "wtcrl": (np.inf, 256.0, 128.0, 96.0, 64.0, 48.0, 32.0),
    "brunel": (np.inf, 4096.0, 2048.0, 1536.0, 1280.0, 1024.0),
}  # cycles of the machine in a ms

_HEAD = """# Networks under congestion

<!-- Written by `make reproduce`; edit experiments/cosimulation_parts instead. -->

The same networks, with the same seeds, on a mesh that is given fewer and fewer cycles for each
millisecond of theirs. A spike is one packet of one flit for each other core on which its neuron has
synapses, routed XY over four lanes; when it arrives it goes on with the delay of each synapse. *At
once* is a machine that takes no time: its spikes are, bit for bit, those of the plain engine. Bars
are standard deviations over the seeds, dotted lines the values without latency."""

_WTCRL = """## W-TCRL learns on {mesh} cores

{presentations:,} patches of 5x5 pixels are trained on, one every 25 ms, and {tested:,} test patches
presented afterwards, on the mesh and without latency, with the weights that were learned on the
mesh. 250 encoding neurons and 32 of the layer lie on {cores} cores; synapses of the encoder and of
the inhibition have a delay of {delay:g} ms. *Disorder* is the share of packets that reach a core
before one that was sent to it earlier, *distortion* the mean change of the interval between two
spikes on their way."""

_BRUNEL = """## Brunel's network on {mesh} cores

12,500 neurons, 15.6 million synapses of 1.5 ms; measured from {settling:g} to {duration:g} ms.
Every spike goes to nearly all other cores. *CV* is that of the intervals of a neuron, *synchrony*
the variance of the spikes in a millisecond over their mean. *Backlog* is the share of all packets
that has not arrived at the end: where it is not small the mesh cannot carry the traffic, the queues
grow as long as the run lasts, and latency is not a property of the machine."""

_WTCRL_COLUMNS = (
    ("RMS error on the mesh", "rms", 3),
    ("without latency", "rms_without_latency", 3),
    ("silent patches", "silent", 3),
    ("spikes per patch", "spikes_per_patch", 2),
)
_BRUNEL_COLUMNS = (("rate, Hz", "rate_hz", 2), ("CV", "cv", 3), ("synchrony", "synchrony", 1))
_MESH_COLUMNS = (
    ("packets per core and cycle", "offered", 4),
    ("latency, ms", "latency_mean_ms", 3),
    ("99 %", "latency_p99_ms", 3),
    ("disorder", "disorder", 3),
    ("distortion, ms", "distortion_ms", 3),
    ("backlog", "backlog", 4),
)
_COLUMNS = {"wtcrl": _WTCRL_COLUMNS + _MESH_COLUMNS, "brunel": _BRUNEL_COLUMNS + _MESH_COLUMNS}
_PANELS: dict[str, list[tuple[str, Any]]] = {
    "wtcrl": [
        (
            "RMS error",
            [("rms", "on the mesh", BLUE), ("rms_without_latency", "without latency", ORANGE)],
        ),
        (
            "latency (ms)",
            [("latency_mean_ms", "mean", BLUE), ("latency_p99_ms", "99 %", ORANGE)],
        ),
        ("spike disorder", [("disorder", "", GREEN)]),
    ],
    "brunel": [
        ("rate, Hz", [("rate_hz", "", BLUE)]),
        (
            "latency (ms)",
            [("latency_mean_ms", "mean", BLUE), ("latency_p99_ms", "99 %", ORANGE)],
        ),
        ("spike disorder", [("disorder", "", GREEN)]),
    ],
}
_TITLES = {"wtcrl": "W-TCRL", "brunel": "Brunel's network"}


def row_name(network: str, per_ms: float) -> str:
    """The name of a row of runs."""
    return f"{network}-{per_ms:g}"


def write_report(rows: Rows, folder: Path) -> list[Path]:
    """Write the page and its figure.

    Raises
    ------
    DataError
        If no run is finished.
    """
    made = begin_page(rows, folder)
    about = f"{made.runs} runs from {made.days}, seeds {made.seeds}"
    parts, columns = [_HEAD, provenance(made, "cosimulation", about)], []
    picture = "cosimulation-bandwidth.png"
    parts.append(f"![Errors, rates, latency and disorder against bandwidth]({picture})")
    for network in BANDWIDTHS:
        finished = {
            per_ms: rows[row_name(network, per_ms)]
            for per_ms in BANDWIDTHS[network]
            if rows.get(row_name(network, per_ms))
        }
        if not finished:
            continue
        runs = next(iter(finished.values()))
        parts += [_text(network, runs[0].record["parameters"]), _table(network, finished)]
        points, plain = _points(network, finished)
        columns.append((_TITLES[network], points, plain, _PANELS[network]))
    style: dict[str, Any] = {"format": "png", "dpi": 110, "metadata": {"Software": None}}
    write_atomically(folder / picture, partial(draw_bandwidth(columns).savefig, **style))
    page = folder / "cosimulation.md"
    write_page(page, parts)
    return [page, folder / picture]


def _text(network: str, settings: Mapping[str, Any]) -> str:
    width, height = (int(n) for n in settings["mesh"].split("x"))
    if network == "wtcrl":
        return _WTCRL.format(
            mesh=settings["mesh"],
            presentations=settings["presentations"],
            tested=settings["tested"],
            cores=width * height,
            delay=settings["afferent_delay"],
        )
    return _BRUNEL.format(
        mesh=settings["mesh"], settling=settings["settling_ms"], duration=settings["duration_ms"]
    )


def _table(network: str, finished: Mapping[float, Sequence[Any]]) -> str:
    lines = []
    for per_ms, runs in finished.items():
        name = "at once" if np.isinf(per_ms) else f"{per_ms:g}"
        cells = [
            mean_spread([r.results[key] for r in runs if r.results[key] is not None], digits)
            for _, key, digits in _COLUMNS[network]
        ]
        lines.append([name, str(len(runs)), *cells])
    return table(["cycles per ms", "seeds", *(title for title, *_ in _COLUMNS[network])], lines)


def _points(
    network: str, finished: Mapping[float, Sequence[Any]]
) -> tuple[Points, dict[str, float]]:
    """Measures by bandwidth, and those of the machine that takes no time."""
    points: dict[str, list[tuple[float, list[float]]]] = {}
    plain: dict[str, float] = {}
    for per_ms, runs in finished.items():
        for _, key, _ in _COLUMNS[network]:
            values = [r.results[key] for r in runs if r.results[key] is not None]
            if values and np.isfinite(per_ms):
                points.setdefault(key, []).append((per_ms, values))
            elif values and key in ("rms", "rate_hz"):
                plain[key] = float(np.mean(values))
    return points, plain
