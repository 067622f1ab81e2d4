"""The run directory: what is in it, that it is whole at every instant, and what it refuses."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments import RunDirectory, atomic
from experiments.arrays import read_arrays, write_arrays
from experiments.network_record import NetworkRecord, ProjectionRecord
from simulator.errors import DataError


def make(path: Path, **options) -> RunDirectory:
    return RunDirectory.create(path, experiment="tiny", parameters={"n": 4}, seed=7, **options)


def on_disk(directory: RunDirectory) -> dict:
    return json.loads((directory.path / "run.json").read_text())


def test_the_record_says_what_is_run_from_the_start_and_how_it_ended(tmp_path):
    with make(tmp_path / "deep" / "run") as directory:
        begun = on_disk(directory)
        assert begun["schema_version"] == 1
        assert (begun["experiment"], begun["state"], begun["seed"]) == ("tiny", "running", 7)
        assert begun["parameters"] == {"n": 4}
        assert begun["versions"]["numpy"] == np.__version__
        assert begun["versions"]["python"] == sys.version.split()[0]
        assert begun["machine"]["cores"] >= 1
        assert begun["finished"] is None
        directory.update(results={"rms": np.float64(0.5), "per_class": np.arange(3)})
        directory.update(results={"rms": 0.25}, timings={"train_s": 1.5}, simulated_ms=100)
    ended = on_disk(directory)
    assert ended["results"] == {"rms": 0.25, "per_class": [0, 1, 2]}
    assert ended["timings"] == {"train_s": 1.5}
    assert ended["state"] == "finished"
    assert ended["started"] <= ended["finished"]
    assert RunDirectory.open(directory.path).record == ended
    assert RunDirectory.open(directory.path).simulated_ms == 100


def test_the_exit_state_tells_failed_from_interrupted(tmp_path):
    with pytest.raises(RuntimeError), make(tmp_path / "a") as failed:
        raise RuntimeError("disk on fire")
    assert on_disk(failed)["state"] == "failed"
    assert on_disk(failed)["error"] == "RuntimeError: disk on fire"
    with pytest.raises(KeyboardInterrupt), make(tmp_path / "b") as interrupted:
        raise KeyboardInterrupt
    assert on_disk(interrupted)["state"] == "interrupted"


def test_every_file_written_is_listed_once_in_order_and_exists(tmp_path):
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([0, 1])
    with make(tmp_path / "run") as directory:
        directory.append_spikes("a", [1.0], [0])
        directory.write_weights({"a->b": np.eye(2)})
        directory.write_figure("curve", figure)
        directory.write_weights({"a->b": np.eye(3)})
        directory.write_json("extra", {"schema_version": 1})
    names = ["run.json", "spikes.h5", "weights.npz", "curve.png", "extra.json"]
    assert [path.name for path in directory.files()] == names
    assert sorted(path.name for path in directory.path.iterdir()) == sorted(names)
    assert on_disk(directory)["files"] == names
    assert (directory.path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert np.array_equal(directory.weights()["a->b"], np.eye(3))
    with np.load(directory.path / "weights.npz") as plain:
        assert np.array_equal(plain["a->b"], np.eye(3))


def test_the_same_figure_is_the_same_file(tmp_path):
    from matplotlib.figure import Figure

    contents = []
    for name in ("a", "b"):
        figure = Figure()
        figure.subplots().plot([0, 1])
        contents.append(make(tmp_path / name).write_figure("f", figure).read_bytes())
    assert contents[0] == contents[1]


def test_a_path_below_a_file_is_refused_by_name(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(DataError, match=r"file' is a file, not a directory; .* --out"):
            make(path)


def test_a_read_only_place_is_refused_by_name(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuse)
        text = r"run' cannot be made: Read-only file system; .*--out"
        with pytest.raises(DataError, match=text):
            make(tmp_path / "run")
    monkeypatch.setattr(atomic, "open", refuse, raising=False)
    with pytest.raises(DataError, match=r"cannot write .*run\.json': Read-only file system"):
        make(tmp_path / "run")


def test_a_failed_write_leaves_what_was_there_and_no_scraps(tmp_path):
    directory = make(tmp_path / "run")
    path = directory.write_weights({"w": np.ones(2)})
    before = path.read_bytes()

    def half(file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DataError, match=r"weights\.npz': No space left"):
        atomic.write_atomically(path, half)
    assert path.read_bytes() == before
    assert sorted(p.name for p in directory.path.iterdir()) == ["run.json", "weights.npz"]


def test_a_run_is_not_overwritten_unasked(tmp_path):
    with make(tmp_path / "run") as first:
        first.write_weights({"w": np.ones(1)})
    with pytest.raises(DataError, match=r"holds a run already \(tiny, finished\); .* --overwrite"):
        make(tmp_path / "run")
    (tmp_path / "run" / "mine.txt").write_text("notes of the user")
    with make(tmp_path / "run", overwrite=True):
        names = sorted(path.name for path in (tmp_path / "run").iterdir())
        assert names == ["mine.txt", "run.json"]


def test_a_folder_of_something_else_is_never_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(DataError, match=r"holds 'thesis\.tex' and is not the directory of a run"):
        make(tmp_path, overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_record_that_names_files_elsewhere_is_refused(tmp_path):
    (tmp_path / "precious").write_text("x")
    directory = make(tmp_path / "run")
    record = on_disk(directory)
    record["files"].append("../precious")
    (directory.path / "run.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match="names files outside of the run directory"):
        make(tmp_path / "run", overwrite=True)
    assert (tmp_path / "precious").exists()


def test_numbers_that_json_has_not_are_refused_with_their_place(tmp_path):
    directory = make(tmp_path / "run")
    with pytest.raises(DataError, match=r"results\.rms\[1\] = nan"):
        directory.update(results={"rms": np.array([0.0, np.nan])})
    with pytest.raises(DataError, match=r"results\.f is a function, which has no JSON form"):
        directory.update(results={"f": make})
    with pytest.raises(DataError, match="simulated_ms = inf"):
        directory.update(simulated_ms=np.inf)
    with pytest.raises(DataError, match=r"parameters\.tau = nan"):
        RunDirectory.create(
            tmp_path / "b", experiment="x", parameters={"tau": float("nan")}, seed=1
        )
    assert on_disk(directory)["results"] == {}


def test_weights_that_are_not_finite_are_refused_with_their_place(tmp_path):
    directory = make(tmp_path / "run")
    weights = np.zeros((2, 3))
    weights[1, 2] = np.inf
    with pytest.raises(DataError, match=r"array 'a->b' .*weights\.npz': element \(1, 2\) is inf"):
        directory.write_weights({"a->b": weights})
    with pytest.raises(DataError, match="holds Python objects"):
        directory.write_weights({"a->b": np.array([None])})
    assert not (directory.path / "weights.npz").exists()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b'{"schema_version": 1, "exper', r"run\.json' is damaged: "),
        (b"\xff\xfe", r"run\.json' is damaged: "),
        (b"[]", "it has no schema_version"),
        (b'{"schema_version": 99}', "schema version 99; this program reads version 1"),
    ],
)
def test_a_damaged_record_is_refused(tmp_path, content, text):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(DataError, match=text):
        RunDirectory.open(tmp_path)


def test_what_is_not_a_run_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(DataError, match=r"has no run\.json; make one with 'spikemesh run"):
        RunDirectory.open(tmp_path)
    with pytest.raises(DataError, match=r"weights\.npz' does not exist: the run did not write it"):
        make(tmp_path).weights()


@pytest.mark.parametrize("damage", ["truncate", "flip", "garbage"])
def test_damaged_arrays_are_refused(tmp_path, damage):
    path = tmp_path / "weights.npz"
    write_arrays(path, {"file": np.arange(1000.0)})
    assert np.array_equal(read_arrays(path)["file"], np.arange(1000.0))
    content = bytearray(path.read_bytes())
    if damage == "truncate":
        content = content[: len(content) // 2]
    elif damage == "flip":
        content[len(content) // 2] ^= 0xFF
    else:
        content = bytearray(b"these are not arrays")
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"weights\.npz' is damaged"):
        read_arrays(path)


def test_the_network_comes_back_as_it_was(tmp_path):
    directory = make(tmp_path)
    network = NetworkRecord(
        {"input": 3, "hidden": 2},
        (
            ProjectionRecord("input", "hidden"),
            ProjectionRecord("hidden", "hidden", allow_self=False),
            ProjectionRecord(
                "input",
                "input",
                "explicit",
                pre_indices=np.array([0, 2]),
                post_indices=np.array([1, 1]),
            ),
        ),
    )
    directory.write_network(network)
    back = directory.network()
    assert dict(back.populations) == {"input": 3, "hidden": 2}
    assert [(p.pre, p.post, p.kind, p.allow_self) for p in back.projections] == [
        ("input", "hidden", "all_to_all", True),
        ("hidden", "hidden", "all_to_all", False),
        ("input", "input", "explicit", True),
    ]
    assert back.projections[0].pre_indices is None
    assert back.projections[2].pre_indices.tolist() == [0, 2]
    assert back.projections[2].post_indices.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("populations", "projection", "text"),
    [
        ({"a": 0}, {}, "population 'a' has 0 neurons; it needs at least 1"),
        ({"a": 1}, {"post": "b"}, "'a->b': no population 'b'; there are 'a'"),
        ({"a": 1}, {"kind": "random"}, "kind 'random' is not 'all_to_all' or 'explicit'"),
        ({"a": 1}, {"kind": "explicit"}, "index arrays go with kind 'explicit'"),
        ({"a": 1}, {"pre_indices": [0], "post_indices": [0]}, "index arrays go with kind"),
        (
            {"a": 2},
            {"kind": "explicit", "pre_indices": [0, 1], "post_indices": [0, 2]},
            "neuron 2 is outside population 'a' of 2 neurons",
        ),
        (
            {"a": 2},
            {"kind": "explicit", "pre_indices": [0, -1], "post_indices": [0, 1]},
            "neuron -1 is outside",
        ),
        (
            {"a": 2},
            {"kind": "explicit", "pre_indices": [0, 1], "post_indices": [0]},
            r"shapes \(2,\) and \(1,\)",
        ),
    ],
)
def test_an_inconsistent_network_is_refused(populations, projection, text):
    options = {"pre": "a", "post": "a", **projection}
    for key in ("pre_indices", "post_indices"):
        if key in options:
            options[key] = np.array(options[key])
    with pytest.raises(DataError, match=text):
        NetworkRecord(populations, (ProjectionRecord(**options),))


def test_a_network_file_without_its_parts_is_damaged(tmp_path):
    write_arrays(tmp_path / "network.npz", {"populations": np.array(["a"])})
    with pytest.raises(DataError, match=r"network\.npz' is damaged: "):
        NetworkRecord.read(tmp_path / "network.npz")


KILLED = """
import os, signal, sys
import numpy as np
from experiments import RunDirectory

with RunDirectory.create(sys.argv[1], experiment="x", parameters={}, seed=1) as directory:
    for k in range(5):
        directory.append_spikes("a", np.arange(10) + 10.0 * k, np.arange(10))
        directory.write_weights({"w": np.full(1000, float(k))})
        directory.update(results={"step": k})
        if k < 4:
            directory.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_run_leaves_all_that_was_flushed(tmp_path):
    path = tmp_path / "run"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    directory = RunDirectory.open(path)
    assert directory.record["state"] == "running"
    assert directory.results == {"step": 4}
    assert np.array_equal(directory.weights()["w"], np.full(1000, 4.0))
    with directory.spikes() as spikes:
        times = spikes.read("a")[0]
    assert times.size >= 40
    assert np.array_equal(times, np.arange(times.size))
