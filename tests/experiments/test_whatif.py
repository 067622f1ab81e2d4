"""Studies of a run: what is written, and that one which was stopped goes on."""

from __future__ import annotations

import csv
import json

import pytest

import mapping.whatif
from experiments import RunDirectory, run_experiment
from experiments.machines import MachineOptions
from experiments.recorded import PacketOptions
from experiments.whatif import table_rows, what_if_run
from simulator.errors import DataError, MappingError


@pytest.fixture
def run(tmp_path, tiny) -> RunDirectory:
    return run_experiment("tiny", out=tmp_path / "run", settings={"n": 4, "period": 5.0})


WAYS = {"placements": ("sequential", "serpentine"), "routings": ("xy", "yx")}


class Counting:
    """Counts the rows that are worked out, and stops after some of them."""

    def __init__(self, stop_after=None):
        self.done, self.stop_after, self.original = 0, stop_after, mapping.whatif.what_if

    def __call__(self, *arguments, **options):
        for row in self.original(*arguments, **options):
            yield row
            self.done += 1
            if self.done == self.stop_after:
                raise KeyboardInterrupt


def test_everything_is_written_ranked_and_listed(run):
    rows, files = what_if_run(run, ["3x2", "2x2"], **WAYS, seed=3)
    assert [path.name for path in files] == ["whatif.json", "whatif.csv", "whatif.png"]
    assert len(rows) == 8
    assert [row.cost for row in rows] == sorted(row.cost for row in rows)
    content = json.loads(files[0].read_text())
    assert (content["schema"], content["schema_version"]) == ("spikemesh.whatif", 2)
    assert content["rows"] == [row.to_dict() for row in rows]
    assert content["machines"]["3x2"]["width"] == 3
    with files[1].open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["cost"] for row in table] == [str(row.cost) for row in rows]
    assert [row["routing"] for row in table] == [row.combination.routing for row in rows]
    assert files[2].read_bytes().startswith(b"\x89PNG")
    listed = RunDirectory.open(run.path).record["files"]
    assert {"whatif.json", "whatif.png"} <= set(listed)


def test_a_study_that_was_stopped_goes_on(run, monkeypatch):
    stopped = Counting(stop_after=3)
    monkeypatch.setattr(mapping.whatif, "what_if", stopped)
    with pytest.raises(KeyboardInterrupt):
        what_if_run(run, ["2x2", "3x2"], **WAYS)
    kept = json.loads((run.path / "whatif.json").read_text())["rows"]
    assert len(kept) == 3
    counting = Counting()
    counting.original = stopped.original
    monkeypatch.setattr(mapping.whatif, "what_if", counting)
    rows, _ = what_if_run(run, ["2x2", "3x2"], **WAYS)
    assert counting.done == 8 - 3
    assert {json.dumps(row) for row in kept} <= {json.dumps(row.to_dict()) for row in rows}
    # Other machines under the same name, and --again, are worked out anew.
    what_if_run(run, ["2x2"], **WAYS, machines=MachineOptions(torus=True))
    assert counting.done == 5 + 4
    what_if_run(run, ["3x2"], **WAYS)
    assert counting.done == 5 + 4  # kept from before, although the last study was without them
    what_if_run(run, ["3x2"], **WAYS, again=True)
    assert counting.done == 5 + 4 + 4


def test_recorded_spikes_are_sent_along_every_way(run):
    ways = {"placements": ("sequential",), "routings": ("xy",), "multicasts": ("xy_tree",)}
    sending = PacketOptions(cycles_per_ms=50.0, window="0:30")
    rows, files = what_if_run(run, ["3x2"], **ways, packets=sending)
    assert {row.combination.routing for row in rows} == {"xy", "xy_tree"}
    assert all(row.outcome == "stable" and row.latency_mean > 0 for row in rows)
    columns, table = table_rows(rows)
    assert columns[-3:] == ("latency (cycles)", "99 %", "load at most")
    assert [cells[-3] for cells in table] == [f"{row.latency_mean:,.2f}" for row in rows]
    content = json.loads(files[0].read_text())
    assert content["packets"]["window"] == "0:30"
    # Rows without latencies are not taken for rows with them, nor the other way round.
    plain, _ = what_if_run(run, ["3x2"], **ways)
    assert all(row.outcome is None for row in plain)
    assert table_rows(plain)[0][-1] == "deadlock"
    with pytest.raises(DataError, match="window '5': expected start:stop"):
        what_if_run(run, ["3x2"], **ways, packets=PacketOptions(1.0, "5"))
    with pytest.raises(DataError, match="window from 9 to 4 ms"):
        what_if_run(run, ["3x2"], **ways, packets=PacketOptions(1.0, "9:4"))
    for wrong in ({"cycles_per_ms": 0.0}, {"cycles_per_ms": float("nan")}, {"lanes": 0}):
        with pytest.raises(DataError, match=next(iter(wrong))):
            PacketOptions(**wrong)


def test_rows_of_another_network_are_not_taken_for_this_one(run, monkeypatch):
    what_if_run(run, ["2x2"], **WAYS)
    path = run.path / "whatif.json"
    content = json.loads(path.read_text())
    content["network"] = "0" * 64
    path.write_text(json.dumps(content))
    counting = Counting()
    monkeypatch.setattr(mapping.whatif, "what_if", counting)
    what_if_run(run, ["2x2"], **WAYS)
    assert counting.done == 4


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": "spikemesh.whatif"}'])
def test_a_damaged_study_is_refused_with_its_name(run, text):
    (run.path / "whatif.json").write_text(text)
    with pytest.raises(DataError, match=r"whatif.json' is damaged .* use --again"):
        what_if_run(run, ["2x2"], **WAYS)
    assert len(what_if_run(run, ["2x2"], **WAYS, again=True)[0]) == 4


def test_all_ways_and_what_does_not_work_are_in_the_table(run):
    rows, files = what_if_run(
        run,
        ["1x1", "2x2"],
        placements=["sequential"],
        routings=["all"],
        machines=MachineOptions(neurons_per_core=2),
    )
    assert {row.combination.routing for row in rows} == set(mapping.routing_names())
    columns, table = table_rows(rows)
    assert columns[:2] == ("mesh", "routing")  # one placement, one partition: not shown
    assert all(len(cells) == len(columns) for cells in table)
    cells = [cell for row in table for cell in row]
    assert any("neurons need 4 cores and there are 1" in cell for cell in cells)
    only, files = what_if_run(run, ["1x1"], **WAYS, machines=MachineOptions(neurons_per_core=2))
    assert all(row.problem for row in only)
    assert [path.name for path in files] == ["whatif.json", "whatif.csv"]


def test_unknown_names_are_refused_before_anything_is_written(run):
    for options, message in (
        ({"placements": ["magic"]}, "unknown placement 'magic'"),
        ({"routings": ["magic"]}, "unknown routing 'magic'"),
        ({"rank_by": "magic"}, "ranked by 'magic'"),
        ({"routings": []}, "no routing is given"),
        ({"routings": ["xy", "xy"]}, "routing 'xy' is given twice"),
    ):
        with pytest.raises(MappingError, match=message):
            what_if_run(run, ["2x2"], **options)
    assert not (run.path / "whatif.json").exists()
