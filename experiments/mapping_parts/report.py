"""The page `docs/results/mapping.md`."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from experiments.atomic import write_atomically
from experiments.mapping_parts import exchanging, prose
from experiments.mapping_parts.figures import draw_exchange, draw_gaps
from experiments.mapping_parts.networks import NETWORKS
from experiments.results_page import Origin, Rows, begin_page, provenance, table, write_page

__all__ = ["INSTANCES", "SIDES", "write_report"]

# Instances of QAPLIB and sides of planted grids, with the number of seeds.
INSTANCES = {
    "nug12": 10, "nug15": 10, "nug20": 10, "nug25": 10, "nug30": 10, "tho30": 10, "sko100a": 5,
}  # fmt: skip
SIDES = {8: 10, 16: 3, 32: 1}
SOURCE = {"annealing": 74.1, "random": 80.1, "sequential": 84.1}  # %, figure 10
ANNEALED = "annealing, packet_hops"  # the objective of the source
PICTURES = {
    "sheet": ("placements", "convergence"),
    "dastdp": ("placements",),
}


def write_report(rows: Rows, folder: Path) -> list[Path]:
    """Write the page and its figures; sections whose runs are not there are left out.

    Raises
    ------
    DataError
        If no run is finished.
    """
    made = begin_page(rows, folder)
    files: list[Path] = []
    parts = [prose.HEAD, _provenance(made, rows)]
    parts += _networks(rows, folder, files)
    parts += _known(rows)
    parts += _layers(rows)
    parts += _exchange(rows, folder, files)
    page = folder / "mapping.md"
    write_page(page, parts)
    return [page, *files]


def _provenance(made: Origin, rows: Rows) -> str:
    wanted = [f"network-{name}" for name in NETWORKS]
    wanted += [f"qaplib-{name}" for name in INSTANCES]
    wanted += [f"planted-{kind}{side}" for kind in ("", "torus-") for side in SIDES]
    missing = [name for name in (*wanted, "layers", "exchange") if name not in rows]
    note = [f"Not finished, and so not on this page: {', '.join(missing)}"] if missing else []
    about = f"{made.runs} runs from {made.days}; seeds from {made.seeds}"
    return provenance(made, "mapping", about, *note)


def _result(rows: Rows, name: str) -> dict[str, Any] | None:
    found = rows.get(name)
    return found[0].results if found else None


def _save(figure: Any, folder: Path, name: str, files: list[Path]) -> str:
    style: dict[str, Any] = {"format": "png", "dpi": 110, "metadata": {"Software": None}}
    write_atomically(folder / name, partial(figure.savefig, **style))
    files.append(folder / name)
    return name


def _networks(rows: Rows, folder: Path, files: list[Path]) -> list[str]:
    found = {
        name: result
        for name in NETWORKS
        if (result := _result(rows, f"network-{name}")) is not None
    }
    if not found:
        return []
    columns = ["network", "machine", "neurons", "synapses", "spikes", "cores used", "packets"]
    columns += ["mapped in one go: CPU s", "s by the clock"]
    lines = [
        [
            r["title"], r["mesh"], f"{r['neurons']:,}", f"{r['synapses']:,}", f"{r['spikes']:,}",
            f"{r['logical_cores']}", f"{r['packets']:,}",
            *(f"{one[key]:.1f}" if (one := r["in_one_go"]) else "-" for key in ("cpu_s", "wall_s")),
        ]
        for r in found.values()
    ]  # fmt: skip
    parts = [prose.NETWORKS, table(columns, lines, texts=2)]
    parts += [prose.PARTITIONS, _partition_table(found), prose.PLACEMENTS]
    parts += _gap_tables(found, folder, files)
    for name, pictures in PICTURES.items():
        for picture in pictures:
            run = rows.get(f"network-{name}")
            if run and (run[0].path / f"{picture}.png").exists():
                target = f"mapping-{name}-{picture}.png"
                shutil.copyfile(run[0].path / f"{picture}.png", folder / target)
                files.append(folder / target)
                parts.append(f"![{NETWORKS[name].title}: {picture}]({target})")
    return [*parts, prose.PICTURES]


def _partition_table(found: dict[str, Any]) -> str:
    names = sorted({name for r in found.values() for name in r["partitions"]})
    columns = ["partition"]
    for r in found.values():
        columns += [f"{r['title'].split(',')[0]}: packets", "cores", "CPU s"]
    lines = []
    for name in names:
        line = [name]
        for r in found.values():
            made = r["partitions"].get(name)
            if made is None:
                line += ["-", "-", "-"]
            elif "refused" in made:
                line += ["refused", "-", "-"]
            else:
                packets = f"{made['packets']:,}"
                line += [
                    f"**{packets}**" if name == r["partition"] else packets,
                    f"{made['cores']}",
                    f"{made['cpu_s']:.2f}",
                ]
        lines.append(line)
    return table(columns, lines)


def _gap_tables(found: dict[str, Any], folder: Path, files: list[Path]) -> list[str]:
    parts, gaps = [], {}
    for r in found.values():
        bound, packets = max(1, r["degree_bound"]), max(1, r["packets"])
        costs = {name: p["cost"] for name, p in r["placements"].items()}
        order = sorted(costs, key=costs.__getitem__)
        gaps[r["title"].split(",")[0].strip("`")] = {
            name: r["placements"][name]["cost"] / bound - 1.0 for name in order
        }
        lines = [
            [
                name,
                f"{p['cost']:,.0f}",
                f"{p['cost'] / packets - 1.0:.1%}",
                f"{p['cost'] / bound - 1.0:.2%}",
                f"{p['link_load']:,.0f}",
                f"{p['cpu_s']:.2f}",
            ]
            for name, p in ((name, r["placements"][name]) for name in order)
        ]
        columns = ["placement", "packets x hops", "above one hop", "above the degree bound"]
        parts += [
            f"**{r['title']}**: {r['logical_cores']} logical cores on the {r['mesh']}, "
            f"{r['packets']:,} packets, degree bound {r['degree_bound']:,}",
            table([*columns, "heaviest link", "CPU s"], lines),
        ]
    picture = _save(draw_gaps(gaps), folder, "mapping-gaps.png", files)
    return [*parts, f"![Cost above the degree bound]({picture})"]


def _known(rows: Rows) -> list[str]:
    problems = [(name, f"qaplib-{name}") for name in INSTANCES]
    problems += [(f"grid {side} x {side}", f"planted-{side}") for side in SIDES]
    problems += [(f"torus {side} x {side}", f"planted-torus-{side}") for side in SIDES]
    found = {name: result for name, row in problems if (result := _result(rows, row)) is not None}
    if not found:
        return []
    methods = sorted(
        {method for r in found.values() for method in r["placements"]},
        key=lambda method: np.mean(
            [
                np.mean(r["placements"][method]["costs"]) / r["best"]
                for r in found.values()
                if method in r["placements"]
            ]
        ),
    )
    columns = ["placement", *found]
    top = [
        ["best known cost", *(f"{r['best']:,}" for r in found.values())],
        ["degree bound", *(f"{r['degree_bound']:,}" for r in found.values())],
    ]
    lines = []
    for method in methods:
        line = [method]
        for r in found.values():
            p = r["placements"].get(method)
            if p is None:
                line.append("-")
                continue
            costs, seconds = np.array(p["costs"]), np.mean(p["cpu_s"])
            reached = int((costs <= r["best"]).sum())
            excess = float(costs.mean()) / r["best"] - 1.0
            line.append(f"{reached}/{costs.size}; {excess:.2%}; {seconds:.2f} s")
        lines.append(line)
    return [prose.KNOWN, table(columns, top + lines)]


def _layers(rows: Rows) -> list[str]:
    result = _result(rows, "layers")
    if result is None:
        return []
    columns = ["layer", "partition", "(J, I, m, n)", "cores", "inputs", "weights", "halo"]
    columns += ["partial sums", "reshape", "sum", "printed", "buffer", "redundancy"]
    lines = []
    for row in result["rows"]:
        asynchronous = row["moved"] > 0
        lines.append(
            [
                row["layer"],
                row["name"],
                "(" + ", ".join(map(str, row["row"])) + ")",
                f"{row['cores']}",
                *(
                    f"{row[key]:,.0f}"
                    for key in ("inputs", "weights", "halo", "partial_sums", "reshape", "overhead")
                ),
                "0" if asynchronous else f"{row['overhead_printed']:,.0f}",
                f"{row['buffer']:,.0f}",
                f"{row['redundancy']:.2f}",
            ]
        )
    sizes = "; ".join(
        f"layer {number} ({s['name']}): {s['height']} x {s['width']} x {s['in_channels']} to "
        f"{s['out_channels']} channels, {s['kernel']} x {s['kernel']} kernel"
        for number, s in result["layers"].items()
    )
    return [prose.LAYERS, f"ResNet-50, {sizes}.", table(columns, lines, texts=3), prose.LAYERS_WHY]


def _exchange(rows: Rows, folder: Path, files: list[Path]) -> list[str]:
    result = _result(rows, "exchange")
    if result is None:
        return []
    loops = [
        [name, f"{found['grids']:,}", f"{found['right']:,}"]
        for name, found in result["loops"].items()
    ]
    columns = ["loop", "grids", "right"]
    parts = [prose.LOOPS.format(largest=exchanging.LARGEST), table(columns, loops)]
    parts += [prose.HOPS, _hop_table(result)]
    source = ", ".join(f"-{value:.0f} % against\n{name}" for name, value in SOURCE.items())
    parts.append(
        prose.EXCHANGE.format(
            kb=exchanging.BLOCK_BYTES // 1024,
            flit=exchanging.FLIT_BYTES,
            router=exchanging.ROUTER_CYCLES,
            draws=exchanging.DRAWS,
            source=source,
        )
    )
    chip = [row for row in result["exchanges"] if row["protocol"] == "chip"]
    ring = [row for row in result["exchanges"] if row["protocol"] == "ring"]
    parts.append(_cycle_table(chip))
    times = {
        name: [row["placements"][name]["slots"] for row in chip] for name in chip[0]["placements"]
    }
    picture = _save(
        draw_exchange([row["n"] for row in chip], times), folder, "mapping-exchange.png", files
    )
    parts += [f"![Time of the exchange]({picture})", _order_text(chip)]
    parts += [prose.RING, _slot_table(ring)]
    return parts


def _hop_table(result: dict[str, Any]) -> str:
    columns = ["cores (grid)"]
    for name, equation in zip(result["formulas"], (30, 31, 32), strict=True):
        columns += [name, f"({equation}) as printed"]
    columns += ["direct on the grid", "ring in row order"]
    lines = []
    for row in result["hops"]:
        line = [f"{row['n']} ({row['grid']})"]
        for counted, printed in zip(row["counted"], row["printed"], strict=True):
            line += [f"{counted:,}", f"{printed:,.0f}"]
        lines.append([*line, f"{row['direct_on_grid']:,}", f"{row['ring_by_rows']:,}"])
    return table(columns, lines)


def _cycle_table(chip: list[dict[str, Any]]) -> str:
    columns = ["cycles; blocks", *(f"{row['n']} cores" for row in chip)]
    lines = []
    for name in chip[0]["placements"]:
        line = [name]
        for row in chip:
            found = row["placements"]
            mine, loop = found[name], found["loop"]["cycles"]
            text = f"{mine['cycles']:,.0f}; {mine['slots']:.4g}"
            line.append(text if name == "loop" else f"{text} ({_percent(loop / mine['cycles'])})")
        lines.append(line)
    return table(columns, lines)


def _percent(ratio: float) -> str:
    """A ratio as a change in whole percent, without a sign where that is none."""
    change = round(100 * (ratio - 1.0))
    return f"{change:+d} %" if change else "0 %"


def _order_text(chip: list[dict[str, Any]]) -> str:
    """Where the order is the source's: loop, annealing (for hops), random, sequential."""
    holds, ties = [], []
    for row in chip:
        found = row["placements"]
        slots = [found[name]["slots"] for name in ("loop", ANNEALED, "random", "sequential")]
        if slots == sorted(slots):
            holds.append(str(row["n"]))
            if slots[0] == slots[1]:
                ties.append(str(row["n"]))
    text = (
        f"In blocks the order is the source's, loop, annealing, random, sequential, at "
        f"{', '.join(holds) or 'no number of'} cores"
    )
    if ties:
        text += (
            f", with loop and annealing level at {', '.join(ties)}: a block goes straight there "
            "without more hops than it has to, and nobody can get more than one block at a time"
        )
    return f"{text}. {prose.EXCHANGE_WHY}"


def _slot_table(ring: list[dict[str, Any]]) -> str:
    columns = ["slots; cycles", *(f"{row['n']} cores" for row in ring)]
    lines = [
        [
            name,
            *(
                f"{row['placements'][name]['link_slots']:.4g}; "
                f"{row['placements'][name]['cycles']:,.0f}"
                for row in ring
            ),
        ]
        for name in ring[0]["placements"]
    ]
    return table(columns, lines)
