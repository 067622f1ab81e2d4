"""The command line: exit codes, one-line errors, and the path of every file written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from experiments.cli import app
from experiments.cli_mapping import PRESETS, TREES
from experiments.datasets import inventory
from mapping import multicast_names, preset_names

pytestmark = pytest.mark.usefixtures("tiny")


def call(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def run(tmp_path) -> Path:
    assert call("run", "tiny", "--out", tmp_path / "run").exit_code == 0
    return tmp_path / "run"


def written(result) -> list[Path]:
    lines = [line for line in result.stdout.splitlines() if line.startswith("wrote ")]
    return [Path(line.removeprefix("wrote ")) for line in lines]


def test_list_shows_experiments_and_the_settings_of_one():
    shown = call("list")
    assert shown.exit_code == 0
    assert "tiny" in shown.stdout
    assert "a clock that ticks" in shown.stdout
    settings = call("list", "tiny")
    for text in ("period", "5.0", "ms", "between ticks", "one of well, error, interrupt, nan"):
        assert text in settings.stdout


def test_run_ends_by_naming_every_file(tmp_path):
    settings = ("--set", "n=3", "--set", "period=2")
    result = call("run", "tiny", *settings, "--seed", 9, "--out", tmp_path)
    assert result.exit_code == 0
    assert "ticks" in result.stdout
    files = written(result)
    assert sorted(path.name for path in files) == ["network.npz", "run.json", "spikes.h5"]
    assert sorted(files) == sorted(tmp_path.iterdir())
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["parameters"] == {"n": 3, "period": 2.0, "end": "well"}
    assert record["seed"] == 9


def test_ctrl_c_leaves_a_run_that_resume_finishes(tmp_path):
    result = call("run", "tiny", "--set", "end=interrupt", "--out", tmp_path)
    assert result.exit_code == 130
    assert "interrupted" in result.stderr
    assert json.loads((tmp_path / "run.json").read_text())["state"] == "interrupted"
    resumed = call("run", "tiny", "--out", tmp_path, "--resume")
    assert resumed.exit_code == 0
    assert json.loads((tmp_path / "run.json").read_text())["state"] == "finished"


def test_an_existing_run_is_replaced_only_when_told_to(run):
    refused = call("run", "tiny", "--out", run)
    assert refused.exit_code == 2
    assert "--overwrite" in refused.stderr
    assert call("run", "tiny", "--set", "n=2", "--out", run, "--overwrite").exit_code == 0
    assert json.loads((run / "run.json").read_text())["parameters"]["n"] == 2


def test_raster_and_place_name_what_they_wrote(run):
    drawn = call("raster", run, "--window", "0:20", "--populations", "clock")
    assert drawn.exit_code == 0
    assert "8 spikes from 0 to 20 ms" in drawn.stdout
    assert written(drawn) == [run / "raster-0-20.png"]
    placed = call("place", run, "--mesh", "3x2", "--placement", "sequential", "--seed", 2)
    assert placed.exit_code == 0
    assert "packets" in placed.stdout
    pictures = [run / "placement.png", run / "link_load.png"]
    assert written(placed) == [run / "mapping.json", *pictures]
    assert all(path.stat().st_size for path in written(drawn) + written(placed))


def test_what_if_streams_its_rows_and_shows_them_ranked(run):
    arguments = ("whatif", run, "--mesh", "2x2,3x2,1x1", "--placement", "sequential")
    study = call(*arguments, "--routing", "xy,yx", "--neurons-per-core", 2)
    assert study.exit_code == 0, study.output
    assert "2x2, sequential, sequential, yx: " in study.stderr
    assert "neurons need" in study.stdout  # 1x1 is too small
    names = [run / f"whatif.{ending}" for ending in ("json", "csv", "png")]
    assert written(study) == names
    again = call(*arguments, "--routing", "xy", "--neurons-per-core", 2)
    assert "3 of 3 rows are known already" in again.stderr
    sent = call(*arguments, "--routing", "xy", "--multicast", "xy_tree", "--cycles-per-ms", 50)
    assert sent.exit_code == 0, sent.output
    assert "2x2, sequential, sequential, xy_tree: " in sent.stderr
    assert "latency" in sent.stdout
    wrong = call(*arguments, "--rank-by", "beauty")
    assert wrong.exit_code == 2
    assert "ranked by 'beauty'; it can be cost, maximum_link_load, energy" in wrong.stderr


def test_presets_are_listed_with_their_sources():
    shown = call("place", "--list-presets")
    assert shown.exit_code == 0
    for word in ("loihi", "truenorth", "spinnaker2", "tianjicx", "IEEE Micro", "left out"):
        assert word in shown.stdout
    # The help names them without loading anything heavy, so the names are written there twice.
    assert ", ".join(preset_names()) == PRESETS
    assert ", ".join(multicast_names()) == TREES


def test_data_says_what_is_found_and_how_to_get_the_rest(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(inventory, "search_places", lambda _: [(tmp_path, "")])
    result = call("data")
    assert result.exit_code == 0
    assert "complete: 2,000 + 500 digits" in result.stdout
    assert "https://storage.googleapis.com/cvdf-datasets/mnist/" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("run", "tinny"), "there is no experiment 'tinny'"),
        (("list", "tinny"), "there is no experiment 'tinny'"),
        (("run", "tiny", "--set", "k=1"), "has no setting 'k'; it has n, period, end"),
        (("run", "tiny", "--set", "n"), "'n' is not a setting; write key=value"),
        (("run", "tiny", "--set", "period=nan"), "'period' = nan; it must be a finite number"),
        (("run", "tiny", "--data", "/no/where"), "'/no/where' does not exist"),
        (("run", "tiny", "--out", __file__ + "/run"), "is a file, not a directory"),
        (("data", "--data", "/no/where"), "'/no/where' does not exist"),
        (("raster", "/no/where"), "'/no/where' is not a run directory"),
        (("place", "/no/where", "--mesh", "2x2"), "'/no/where' is not a run directory"),
        (("place", "/no/where"), "give one of --mesh WxH and --preset NAME"),
        (("whatif", "/no/where", "--mesh", "2x2"), "'/no/where' is not a run directory"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = call(*arguments)
    assert result.exit_code == 2
    assert text in result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_where_an_error_arose():
    result = call("--debug", "raster", "/no/where")
    assert result.exit_code == 2
    assert "Traceback" in result.stderr


def test_a_damaged_run_is_refused_by_every_command_that_reads_it(run):
    (run / "spikes.h5").write_bytes(b"junk")
    for arguments in (("raster", run), ("place", run, "--mesh", "2x2")):
        result = call(*arguments)
        assert result.exit_code == 2
        assert "spikes.h5' is damaged" in result.stderr


def test_a_mistake_of_the_program_keeps_its_traceback(tmp_path):
    result = call("run", "tiny", "--set", "end=error", "--out", tmp_path)
    assert isinstance(result.exception, RuntimeError)
    assert json.loads((tmp_path / "run.json").read_text())["state"] == "failed"


@pytest.mark.parametrize(
    "command", [(), ("run",), ("raster",), ("place",), ("whatif",), ("list",), ("data",)]
)
def test_every_command_has_help(command):
    result = call(*command, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_starting_up_imports_nothing_that_draws_or_stores():
    code = (
        "import sys, experiments.cli, experiments; experiments.discover();"
        "heavy = {'matplotlib', 'networkx', 'h5py', 'skimage'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
