"""The page `docs/results/network.md`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.atomic import write_atomically
from experiments.network_parts.booksim import COLUMNS, references, saturation
from experiments.network_parts.curves import TOLERANCE
from experiments.network_parts.figures import draw_booksim, draw_curves
from experiments.results_page import Rows, begin_page, table, write_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["write_report"]

HEAD = """# The packet network

Packets on a mesh of routers, flit by flit: `mapping.network`. The routers are input-queued, with
virtual channels, credits and round-robin allocators, as in BookSim 2, whose figures are the
yardstick. This page is written by `make reproduce`."""

COMPARED = """## Against BookSim 2

8x8 mesh, dimension order, Bernoulli uniform load in which a core also sends to itself, 8 flits for
each virtual channel, five cycles a hop. BookSim 2 is commit 28f43299; its figures are in
`experiments/data/booksim_8x8_uniform.csv`. Latency is from the creation of a packet to the arrival
of its tail. "-": the network did not keep up, so that there is no mean. Nothing is fitted: the
router does in every cycle what BookSim's does, down to the pointers of its arbiters, so that what
remains is the scatter of two different random loads."""

SATURATION = f"""## Saturation

The same networks, searched: from a load of 0.1, the offered rate is bisected until one with which
the network keeps up and one with which it does not are at most {100 * TOLERANCE:g} % apart
(`saturation_tolerance` of `run_load` and `run_packets`; `NetworkReport.saturation`). BookSim was
run at the loads of the table above, so that its saturation is known to lie between two of these.
Beyond it, what is accepted differs a little with the load: here it is that of the smallest load
that was too much, and BookSim's the mean of all of them. The last bound is that of the busiest
wire (`saturation_margin`), from the run at 0.1. Flits per core and cycle."""

PATTERNS = """## Other loads

1 flit, 4 virtual channels, XY. A dotted line leads to the first load that the network did not keep
up with."""

ROUTINGS = """## Other routing functions

1 flit, 4 virtual channels in all: 4 lanes, or 2 for the functions that need two virtual channels.
Of the channels that a function offers, a packet asks for the one with the most credits.
`adaptive_escape` gives a channel to the next packet only when its buffer has drained, as freedom of
deadlock by an escape set demands under wormhole switching: with packets of one flit, seven of
eight places in a buffer are never used, which is why it saturates early."""

SPEED = """## Speed

Flits over links per second of one core's time, on the machine named above, while others used it;
figures vary by a third and more from run to run. Uniform load: 0.2 flits per core and cycle on the
8x8 mesh; 0.01 on that of 64x64, whose routers do not fit into the cache, and 0.05 in the row called
busy. Visits of routers are counted in all cycles, so that they tell what else than flits is worked
on."""

QUIET = """In the row called quiet the load is 0.00001: of all routers in all cycles one in hundreds
is visited, and time goes with the flits that move and not with routers times cycles. A flit hop
costs more there than where many move at once: each cycle is begun and ended for a flit or two, a
router is visited anew for each stage of each flit, and while the memory is waited for there is
nothing else to do."""


def write_report(rows: Rows, folder: Path) -> list[Path]:
    """Write the page and its figures; sections whose runs are not there are left out.

    Raises
    ------
    DataError
        If no run is finished.
    """
    made = begin_page(rows, folder)
    results = {name: found[0].record["results"] for name, found in rows.items()}
    files: list[Path] = []
    parts = [
        HEAD,
        "\n".join(
            [
                "- Command: `make reproduce` (`python -m experiments.reproduce network`)",
                f"- {made.runs} runs, seed {made.seeds}; {made.days}",
                f"- {made.versions}",
                f"- {made.machines}",
            ]
        ),
    ]
    parts += _booksim(results, folder, files)
    parts += _saturation(results)
    parts += _patterns(results, folder, files)
    parts += _routings(results, folder, files)
    parts += _speed(results)
    page = folder / "network.md"
    write_page(page, parts)
    return [page, *files]


def _figure(figure: Figure, folder: Path, name: str, files: list[Path]) -> str:
    style: Any = {"format": "png", "dpi": 130}
    write_atomically(folder / name, partial(figure.savefig, **style))
    files.append(folder / name)
    return f"![{name.removesuffix('.png')}]({name})"


def _deviation(ours: float | None, theirs: float | None) -> str:
    if ours is None or theirs is None:
        return "-"
    return f"{100 * (ours / theirs - 1):+.1f} %"


def _booksim(results: Mapping[str, Any], folder: Path, files: list[Path]) -> list[str]:
    names = {column: "booksim-{}-{}".format(*column) for column in COLUMNS}
    if not all(name in results for name in names.values()):
        return []
    runs = {column: results[name] for column, name in names.items()}
    lines, worst = [], []
    for (flits, lanes), run in runs.items():
        full = saturation(flits, lanes)
        latencies, rates = [], []
        for k, found in enumerate(references(flits, lanes)):
            ours, accepted = run["latency"][k], run["accepted"][k]
            lines.append(
                [
                    f"{flits}, {lanes}",
                    f"{found.rate:g}",
                    "-" if found.latency is None else f"{found.latency:.2f}",
                    "-" if ours is None else f"{ours:.2f}",
                    _deviation(ours, found.latency),
                    f"{found.accepted:.4f}",
                    f"{accepted:.4f}",
                    _deviation(accepted, found.accepted),
                ]
            )
            if found.latency is not None and ours is not None:
                latencies.append((found.rate / full, abs(ours / found.latency - 1)))
            if found.latency is None:
                rates.append(abs(accepted / found.accepted - 1))
        agree = all(
            (ours is None) == (found.latency is None)
            for ours, found in zip(run["latency"], references(flits, lanes), strict=True)
        )
        below = max(error for share, error in latencies if share <= 0.7)
        near = [error for share, error in latencies if 0.7 < share <= 0.9]
        worst.append(
            [
                f"{flits}, {lanes}",
                f"{full:.3f}",
                f"{100 * below:.1f} %",
                f"{100 * max(near):.1f} %" if near else "-",
                f"{100 * max(rates):.1f} %",
                "yes" if agree else "no",
            ]
        )
    summary = table(
        [
            "flits, VCs",
            "saturation (flits per core and cycle)",
            "latency up to 70 % of it",
            "70 to 90 %",
            "accepted rate beyond it",
            "same loads unstable",
        ],
        worst,
    )
    every = table(
        [
            "flits, VCs", "offered", "latency, BookSim", "latency, ours", "difference",
            "accepted, BookSim", "accepted, ours", "difference",
        ],
        lines,
    )  # fmt: skip
    picture = _figure(draw_booksim(runs), folder, "network-booksim.png", files)
    quick = results.get("look-ahead")
    text = ""
    if quick is not None:
        text = (
            "With look-ahead routing (four cycles a hop; 1 flit, 4 virtual channels) the mean "
            "latency is "
            + ", ".join(
                f"{latency:.2f} at {rate:g}"
                for rate, latency in zip(quick["rates"], quick["latency"], strict=True)
                if latency is not None
            )
            + "."
        )
    return [COMPARED, "Largest differences:", summary, picture, every, text]


def _saturation(results: Mapping[str, Any]) -> list[str]:
    lines = []
    for flits, lanes in COLUMNS:
        run = results.get(f"saturation-{flits}-{lanes}")
        if run is None:
            continue
        found = references(flits, lanes)
        stable = max(point.rate for point in found if point.latency is not None)
        unstable = min(point.rate for point in found if point.latency is None)
        lines.append(
            [
                f"{flits}, {lanes}",
                f"{run['stable_rate']:.4f} to {run['unstable_rate']:.4f}",
                f"{stable:g} to {unstable:g}",
                f"{run['accepted']:.4f}",
                f"{saturation(flits, lanes):.4f}",
                _deviation(run["accepted"], saturation(flits, lanes)),
                f"{run['bound']:.3f}",
                f"{run['runs']}",
            ]
        )
    if not lines:
        return []
    columns = [
        "flits, VCs", "saturates between", "BookSim", "accepted beyond", "BookSim", "difference",
        "bound by wires", "runs",
    ]  # fmt: skip
    return [SATURATION, table(columns, lines)]


def _patterns(results: Mapping[str, Any], folder: Path, files: list[Path]) -> list[str]:
    curves = {
        name.removeprefix("pattern-"): run
        for name, run in results.items()
        if name.startswith("pattern-")
    }
    if not curves:
        return []
    figure = draw_curves({"XY, 1 flit, 4 VCs": curves}, "Latency of other loads, 8x8 mesh")
    return [PATTERNS, _figure(figure, folder, "network-patterns.png", files), _table_of(curves)]


def _routings(results: Mapping[str, Any], folder: Path, files: list[Path]) -> list[str]:
    panels: dict[str, dict[str, Any]] = {}
    for name, run in results.items():
        if name.startswith("routing-"):
            _, routing, load = name.split("-")
            panels.setdefault(load, {})[routing] = run
    if not panels:
        return []
    figure = draw_curves(panels, "Latency under routing functions, 8x8 mesh")
    parts = [ROUTINGS, _figure(figure, folder, "network-routing.png", files)]
    for load, curves in panels.items():
        parts += [f"Load: {load}.", _table_of(curves)]
    return parts


def _table_of(curves: Mapping[str, Any]) -> str:
    lines = []
    for name, run in curves.items():
        stable = [rate for rate, kept in zip(run["rates"], run["stable"], strict=True) if kept]
        means = [
            f"{latency:.1f} at {rate:g}"
            for rate, latency in zip(run["rates"], run["latency"], strict=True)
            if latency is not None
        ]
        lines.append(
            [
                f"`{name}`",
                means[0],
                means[-1],
                f"{max(stable):g}",
                f"{max(run['accepted']):.3f}",
                f"{run['hops'][0]:.2f}",
            ]
        )
    return table(
        [
            "", "latency, lowest load", "latency, highest stable load", "highest stable load",
            "most accepted", "hops",
        ],
        lines,
    )  # fmt: skip


def _speed(results: Mapping[str, Any]) -> list[str]:
    lines = [
        [
            name.removeprefix("speed-"),
            f"{run['flit_hops']:,}",
            f"{run['cpu_s']:.2f}",
            f"{run['rate'] / 1e6:.2f}",
            f"{run['visits_per_hop']:.2f}",
            f"{100 * run['share_of_routers_visited']:.3g} %",
        ]
        for name, run in results.items()
        if name.startswith("speed-")
    ]
    if not lines:
        return []
    columns = [
        "mesh, flits, VCs", "flit hops", "CPU time (s)", "million flit hops per second",
        "visits of routers per flit hop", "visits, of routers x cycles",
    ]  # fmt: skip
    quiet = [QUIET] if any("quiet" in line[0] for line in lines) else []
    return [SPEED, table(columns, lines), *quiet]
