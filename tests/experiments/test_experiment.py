"""Running an experiment: found by lying there, run by one call, resumed where it stopped."""

from __future__ import annotations

import json

import pytest

from experiments import RunDirectory, discover, run_experiment
from simulator.errors import DataError

pytestmark = pytest.mark.usefixtures("tiny")


def test_an_experiment_is_found_because_its_file_is_there():
    assert discover()["tiny"].summary == "a clock that ticks"


def test_two_experiments_of_one_name_are_refused(tiny):
    (tiny.parent / "tiny_twin.py").write_text(tiny.read_text())
    with pytest.raises(DataError, match=r"'tiny' is defined twice: in tiny_twin\.py and in tiny\."):
        discover()


def test_one_call_runs_it_and_returns_its_directory(tmp_path):
    directory = run_experiment("tiny", out=tmp_path, seed=3, settings={"n": 2, "period": "2.5"})
    assert directory.results == {"ticks": 10, "rate_hz": 400.0}
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["parameters"] == {"n": 2, "period": 2.5, "end": "well"}
    assert (record["seed"], record["state"]) == (3, "finished")
    assert record["timings"]["total_s"] > 0
    with directory.spikes() as spikes:
        assert spikes.count("clock") == 20
        assert spikes.last_time_ms() == 9 * 2.5


def test_runs_without_a_directory_get_one_each(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = [run_experiment("tiny").path.as_posix() for _ in range(2)]
    assert paths == ["runs/tiny-1", "runs/tiny-2"]


@pytest.mark.parametrize(("end", "state"), [("error", "failed"), ("interrupt", "interrupted")])
def test_a_run_that_stopped_is_resumed_with_its_own_settings_and_seed(tmp_path, end, state):
    with pytest.raises((RuntimeError, KeyboardInterrupt)):
        run_experiment("tiny", out=tmp_path, seed=5, settings={"period": 2.0, "end": end})
    stopped = RunDirectory.open(tmp_path)
    assert stopped.record["state"] == state
    with stopped.spikes() as spikes:
        assert spikes.count("clock") == 10
    spent = stopped.record["timings"].get("total_s", 0.0)
    resumed = run_experiment("tiny", out=tmp_path, resume=True)
    assert resumed.record["state"] == "finished"
    assert resumed.record["seed"] == 5
    assert resumed.record["error"] is None
    assert resumed.record["timings"]["total_s"] > spent
    straight = run_experiment("tiny", out=tmp_path / "straight", settings={"period": 2.0})
    with resumed.spikes() as a, straight.spikes() as b:
        assert [x.tolist() for x in a.read("clock")] == [x.tolist() for x in b.read("clock")]


def test_resuming_refuses_what_does_not_belong_to_the_run(tmp_path, tiny):
    with pytest.raises(KeyboardInterrupt):
        run_experiment("tiny", out=tmp_path, settings={"end": "interrupt"})
    with pytest.raises(DataError, match="has n = 4, not 5; to resume it leave the setting out"):
        run_experiment("tiny", out=tmp_path, resume=True, settings={"n": 5})
    with pytest.raises(DataError, match="has seed 1, not 2; to resume it leave --seed out"):
        run_experiment("tiny", out=tmp_path, resume=True, seed=2)
    other = tiny.parent / "other.py"
    other.write_text(tiny.read_text().replace('name="tiny"', 'name="other"'))
    with pytest.raises(DataError, match="is of experiment 'tiny', not 'other'"):
        run_experiment("other", out=tmp_path, resume=True)
    with pytest.raises(DataError, match="name the run directory with --out"):
        run_experiment("tiny", resume=True)
    # The very settings of the run are no contradiction.
    run_experiment("tiny", out=tmp_path, resume=True, seed=1, settings={"n": "4"})
    with pytest.raises(DataError, match="is finished, there is nothing to resume; use --overwrite"):
        run_experiment("tiny", out=tmp_path, resume=True)


def test_a_result_that_is_not_a_number_fails_the_run_and_keeps_the_spikes(tmp_path):
    with pytest.raises(DataError, match=r"results\.rate_hz = nan"):
        run_experiment("tiny", out=tmp_path, settings={"end": "nan"})
    directory = RunDirectory.open(tmp_path)
    assert directory.record["state"] == "failed"
    with directory.spikes() as spikes:
        assert spikes.count("clock") == 20


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"name": "tinny"}, r"no experiment 'tinny' \(did you mean 'tiny'\?\); there are .*tiny"),
        ({"settings": {"k": 1}}, "experiment 'tiny' has no setting 'k'; it has n, period, end"),
        ({"settings": {"period": "nan"}}, "'period' = nan; it must be a finite number"),
        ({"seed": -1}, "seed = -1; it must be an integer >= 0"),
        ({"data_dir": "/no/such/place"}, "data directory '/no/such/place' does not exist"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(tmp_path, options, text):
    out = tmp_path / "run"
    with pytest.raises(DataError, match=text):
        run_experiment(options.pop("name", "tiny"), out=out, **options)
    assert not out.exists()
