"""Put the network of a run on many machines in many ways; what `spikemesh whatif` does.

`whatif.json` and `whatif.csv` in the run directory are written again after every row, so a study
that is stopped keeps its rows, and the next one goes on from there.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.atomic import json_value, write_atomically
from experiments.machines import MachineOptions, machine, parse_pins
from experiments.place import parse_objective, spiking_graph
from experiments.recorded import PacketOptions, recorded_spikes
from experiments.reporting import QuietReporter, Reporter
from experiments.run_directory import RunDirectory
from simulator.errors import DataError

if TYPE_CHECKING:
    from mapping import SpikingGraph
    from mapping.whatif import Combination, WhatIfRow

__all__ = ["SCHEMA_VERSION", "table_rows", "what_if_run"]

SCHEMA_VERSION = 2
SCHEMA = "spikemesh.whatif"
_STUDY = ("network", "program", "objective", "pinned", "packets")  # what all rows have in common


def what_if_run(
    run: str | Path | RunDirectory,
    meshes: Sequence[str],
    *,
    partitions: Sequence[str] = ("sequential",),
    placements: Sequence[str] = ("sequential", "auto"),
    routings: Sequence[str] = ("xy",),
    seed: int = 0,
    objective: str = "packet_hops",
    rank_by: str = "cost",
    again: bool = False,
    pins: Sequence[str] = (),
    multicasts: Sequence[str] = (),
    machines: MachineOptions | None = None,
    packets: PacketOptions | None = None,
    reporter: Reporter | None = None,
) -> tuple[list[WhatIfRow], list[Path]]:
    """Figures of every combination of machine, partition, placement and routing, best first.

    Parameters
    ----------
    run
        A run directory with `network.npz` and `spikes.h5`.
    meshes
        "8x8", or the name of a preset, as "loihi".
    partitions, placements, routings
        Names; ("all",) for every one that there is.
    seed
        Of the partitions and placements.
    objective
        What the placements make small, as "max_link_load" or "packet_hops=1,energy=0.5".
    rank_by
        One of `mapping.whatif.RANKINGS`.
    again
        Work out rows once more that an earlier study of the same network has left.
    pins
        Populations that only some cores may hold, as "hidden=0,4-7".
    multicasts
        Trees along which packets branch, as further ways beside the routings; ("all",) for every
        one that there is.
    machines
        What all machines have in common.
    packets
        The packet network that recorded spikes are sent through, if they are; rows have their
        latency then.
    reporter
        Told of each row as it is finished.

    Returns
    -------
    rows : list of WhatIfRow
        Ranked; what does not fit is last, with the reason.
    files : list of pathlib.Path
        `whatif.json`, `whatif.csv` and, if any combination works, `whatif.png`.

    Raises
    ------
    DataError
        If the run lacks its network or spikes, or a file is damaged.
    MappingError
        If a name is unknown or given twice.
    """
    from mapping import multicast_names, partition_names, placement_names, routing_names
    from mapping.draw import draw_what_if
    from mapping.whatif import combinations, ranked, what_if

    directory = run if isinstance(run, RunDirectory) else RunDirectory.open(run)
    say = QuietReporter() if reporter is None else reporter
    built = {name: machine(name, machines or MachineOptions()) for name in meshes}
    chosen = combinations(
        meshes,
        partition_names() if tuple(partitions) == ("all",) else partitions,
        placement_names() if tuple(placements) == ("all",) else placements,
        routing_names() if tuple(routings) == ("all",) else routings,
        seed,
        multicasts=multicast_names() if tuple(multicasts) == ("all",) else multicasts,
    )
    sending = packets or PacketOptions()
    aim, pinned = parse_objective(objective), parse_pins(pins)
    ranked([], rank_by)  # refuses an unknown ranking before hours of work
    graph = spiking_graph(directory)
    study: dict[str, Any] = {
        "network": _fingerprint(graph),
        "program": _program(),
        "objective": aim,
        "pinned": pinned,
        "packets": None if sending.cycles_per_ms is None else asdict(sending),
        "machines": {name: json_value(asdict(mesh), name) for name, mesh in built.items()},
    }
    json_path, csv_path = directory.path / "whatif.json", directory.path / "whatif.csv"
    known = {} if again else _known_rows(json_path, study)
    rows = [known[way] for way in chosen if way in known]
    others = [row.to_dict() for way, row in known.items() if way not in set(chosen)]
    if rows:
        say.note(f"{len(rows)} of {len(chosen)} rows are known already (--again to redo them)")

    def write() -> None:
        best = ranked(rows, rank_by)
        content = {
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            **study,
            "ranked_by": rank_by,
            "rows": [row.to_dict() for row in best],
            "rows_of_earlier_studies": others,
        }
        directory.write_json("whatif", content)
        text = _as_csv([row.to_dict() for row in best])
        write_atomically(csv_path, lambda file: file.write(text.encode()))

    missing = [way for way in chosen if way not in known]
    spikes = recorded_spikes(directory, graph, sending)
    with say.progress("what if", len(missing)) as progress:
        for row in what_if(graph, built, missing, objective=aim, pinned=pinned, spikes=spikes):
            rows.append(row)
            write()
            say.note(_line(row))
            progress.advance()
    write()
    best = ranked(rows, rank_by)
    files = [json_path, csv_path]
    if any(not row.problem for row in best):
        files.append(directory.write_figure("whatif", draw_what_if(best, by=rank_by)))
    return best, files


def table_rows(rows: Sequence[WhatIfRow]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Columns and rows of a table for people; columns in which all rows agree are left out."""
    columns: dict[str, Callable[[WhatIfRow], str]] = {
        "mesh": lambda row: row.combination.mesh,
        "partition": lambda row: row.combination.partition,
        "placement": lambda row: row.combination.placement,
        "routing": lambda row: row.combination.routing,
        "packets x hops": lambda row: f"{row.cost:,}",
        "hops": lambda row: f"{row.average_hops:.3f}",
        "above bound": lambda row: _percent(row.gap_to_bound),
        "busiest link": lambda row: f"{row.maximum_link_load:,}",
        "with multicast": lambda row: _count(row.multicast_maximum_link_load),
        "energy (uJ)": lambda row: "" if row.energy_uj is None else f"{row.energy_uj:,.4g}",
        "deadlock": lambda row: "free" if row.deadlock_free else "possible",
    }
    if any(row.outcome for row in rows):
        columns["latency (cycles)"] = _latency
        columns["99 %"] = lambda row: "" if row.latency_p99 is None else f"{row.latency_p99:,.0f}"
        columns["load at most"] = lambda row: (
            "" if row.saturation_margin is None else f"x {row.saturation_margin:.3g}"
        )
    names = ("mesh", "partition", "placement", "routing")
    same = {
        name
        for name in names[1:]
        if len({getattr(row.combination, name) for row in rows}) == 1 and len(rows) > 1
    }
    kept = {name: cell for name, cell in columns.items() if name not in same}
    table = []
    for row in rows:
        if row.problem:
            cells = [cell(row) if name in names else "" for name, cell in kept.items()]
            cells[sum(name in names for name in kept)] = row.problem
        else:
            cells = [cell(row) for cell in kept.values()]
        table.append(tuple(cells))
    return tuple(kept), table


def _line(row: WhatIfRow) -> str:
    way = row.combination
    name = f"{way.mesh}, {way.partition}, {way.placement}, {way.routing}"
    if row.problem:
        return f"{name}: {row.problem}"
    verdict = "" if row.deadlock_free else ", deadlock possible"
    latency = "" if row.outcome is None else f", {row.outcome}"
    if row.latency_mean is not None:
        latency = f", latency {row.latency_mean:.4g} cycles"
    return (
        f"{name}: {row.cost:,} packets x hops, busiest link {row.maximum_link_load:,}"
        f"{verdict}{latency}"
    )


def _latency(row: WhatIfRow) -> str:
    """The mean, or why there is none."""
    return f"{row.latency_mean:,.2f}" if row.latency_mean is not None else row.outcome or ""


def _percent(gap: float | None) -> str:
    return "" if gap is None else f"{gap:+.1%}"


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _as_csv(records: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    if records:
        writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
    return text.getvalue()


def _known_rows(path: Path, study: dict[str, Any]) -> dict[Combination, WhatIfRow]:
    """Rows that earlier studies left of the same network; adds their machines to `study`."""
    from mapping.whatif import WhatIfRow

    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA or content["schema_version"] != SCHEMA_VERSION:
            return {}
        if any(content[name] != study[name] for name in _STUDY):
            return {}
        records = content["rows"] + content["rows_of_earlier_studies"]
        rows = [WhatIfRow.from_dict(record) for record in records]
        before: dict[str, Any] = dict(content["machines"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"'{path}' is damaged ({type(error).__name__}: {error}); remove it, or use --again"
        ) from error
    now = study["machines"]
    kept = {name: mesh for name, mesh in before.items() if now.get(name, mesh) == mesh}
    study["machines"] = kept | now
    return {row.combination: row for row in rows if row.combination.mesh in kept}


def _program() -> str | None:
    """Rows of another version are not this one's."""
    try:
        return version("spikemesh")
    except PackageNotFoundError:
        return None


def _fingerprint(graph: SpikingGraph) -> str:
    """Of everything that the mapping sees of a network."""
    digest = hashlib.sha256(repr((graph.names, graph.duration_ms)).encode())
    links = graph.connections
    for array in (
        graph.sizes,
        graph.spike_counts,
        links.blocks,
        links.out_start,
        links.out_target,
        links.synapses,
    ):
        digest.update(array.tobytes())
    return digest.hexdigest()
