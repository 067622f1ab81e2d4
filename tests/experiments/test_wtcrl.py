"""The experiment `wtcrl` end to end: small, but through the front door."""

from __future__ import annotations

import json
from contextlib import contextmanager

import numpy as np
import pytest

from encoders import LatencyCode
from experiments import RunDirectory, run_experiment
from experiments.place import place_run
from experiments.raster import raster
from experiments.reporting import QuietReporter
from experiments.wtcrl_parts import training
from experiments.wtcrl_parts.measures import SILENT, responses
from experiments.wtcrl_parts.network import Model
from experiments.wtcrl_parts.patches import load_patches
from simulator.errors import DataError
from simulator.reference import Reference

SETTINGS = {
    "m": 8,
    "data": "embedded",
    "n_train": 420,
    "n_train_images": 60,
    "n_test_images": 4,
    "checkpoints": "100,250",
    "curve_patches": 20,
    "record_patches": 50,
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return run_experiment("wtcrl", out=tmp_path_factory.mktemp("wtcrl"), seed=3, settings=SETTINGS)


def test_every_file_is_written(finished):
    names = {path.name for path in finished.files()}
    assert names == {
        "run.json", "weights.npz", "network.npz", "training.npz", "test.npz", "curve.npz",
        "spikes.h5", "code_vectors.png", "learning_curve.png", "reconstruction.png",
        "presentations.png",
    }  # fmt: skip
    assert all(path.stat().st_size > 0 for path in finished.files())
    record = json.loads((finished.path / "run.json").read_text())
    assert record["state"] == "finished"
    assert record["simulated_ms"] == 50 * 25.0
    assert record["timings"]["presentations_per_s"] > 0
    assert record["results"]["curve_patches"] == [0, 100, 250, 420]


def test_learning_reduces_the_error(finished):
    results = finished.results
    assert results["n_test_patches"] == 4 * 36
    assert results["curve_rms"][-1] < 0.5 * results["curve_rms"][0]
    assert results["rms_nearest"] <= results["rms"] < 0.35
    assert results["sparsity"] == pytest.approx(results["spikes_per_patch"] / 8)
    assert results["incoherence_10"] <= results["incoherence_5"]


def test_results_follow_from_the_files(finished):
    """The error again, in plain loops, from the weights and spikes that were written."""
    patches = load_patches(
        "embedded", seed=3, side=5, n_train=420, n_curve=20, n_train_images=60, n_test_images=4,
        evaluate_on="test", data_dir=None,
    )  # fmt: skip
    spikes = finished.arrays("test")
    weights = finished.weights()["u->v"]
    winner = responses(spikes["times_ms"], spikes["neurons"], 144, 25.0).winner
    mu = 0.05 + 0.1 * np.arange(10)
    errors = []
    for patch, j in zip(patches.test, winner, strict=True):
        if j == SILENT:
            errors.append(1.0)
            continue
        w = weights[:, j].reshape(25, 10)
        c, s = w @ np.cos(2 * np.pi * mu), w @ np.sin(2 * np.pi * mu)
        value = (np.arctan2(-s, -c) + np.pi) / (2 * np.pi)
        grey = (np.clip(value, 0.15, 0.85) - 0.15) / 0.7
        errors.append(np.sqrt(np.mean((patch - grey) ** 2)))
    assert np.mean(errors) == pytest.approx(finished.results["rms"], abs=1e-12)
    vectors = finished.arrays("curve")["code_vectors"]
    assert vectors.shape == (4, 8, 25)


def test_the_readable_engine_learns_the_same(finished):
    """The first presentations of the run, on the engine that is the specification."""
    n = 6
    patches = load_patches(
        "embedded", seed=3, side=5, n_train=420, n_curve=20, n_train_images=60, n_test_images=4,
        evaluate_on="test", data_dir=None,
    )  # fmt: skip
    model = Model(8, 25, 420, 1.5, 0.0, 3)
    network = model.training(patches.scaled(patches.train), 0.0).network
    reference = Reference(network)
    reference.run(n * 25.0)
    times, neurons = reference.spikes("v")
    written = finished.arrays("training")
    first = written["times_ms"] < n * 25.0
    np.testing.assert_allclose(times, written["times_ms"][first], rtol=0, atol=1e-10)
    np.testing.assert_array_equal(neurons, written["neurons"][first])


def test_recorded_presentations_are_those_of_the_test(finished):
    patches = load_patches(
        "embedded", seed=3, side=5, n_train=420, n_curve=20, n_train_images=60, n_test_images=4,
        evaluate_on="test", data_dir=None,
    )  # fmt: skip
    test = finished.arrays("test")
    first = test["times_ms"] < 50 * 25.0
    with finished.spikes() as spikes:
        times, neurons = spikes.read("v")
        np.testing.assert_array_equal(times, test["times_ms"][first])
        np.testing.assert_array_equal(neurons, test["neurons"][first])
        assert spikes.count("u") == 50 * 250
        code = LatencyCode(patches.scaled(patches.test[:50]))
        np.testing.assert_array_equal(spikes.read("u")[0], code.spikes(0, 250, None)[0])


def test_it_can_be_looked_at_and_placed(finished):
    path, remark = raster(finished.path, window=(0.0, 100.0))
    assert path.exists()
    assert "spikes from 0 to 100 ms" in remark
    report, _ = place_run(finished.path, "4x4")
    # Every encoder spike goes to all of the layer: 250 a presentation, from one core or another.
    assert report.to_dict()["schema_version"] >= 1


def test_same_seed_same_bits_other_seed_other_run(finished, tmp_path):
    settings = {**SETTINGS, "record_patches": 0}
    again = run_experiment("wtcrl", out=tmp_path / "a", seed=3, settings=settings)
    np.testing.assert_array_equal(again.weights()["u->v"], finished.weights()["u->v"])
    assert again.results == finished.results
    assert not (again.path / "spikes.h5").exists()
    other = run_experiment("wtcrl", out=tmp_path / "b", seed=4, settings=settings)
    assert not np.array_equal(other.weights()["u->v"], finished.weights()["u->v"])


class Interrupting(QuietReporter):
    """Presses Ctrl-C after some advances of the bar of that name."""

    def __init__(self, bar, after):
        self.bar, self.after = bar, after

    @contextmanager
    def progress(self, description, total):
        count = 0
        outer = self

        class Bar:
            def advance(self, n=1):
                nonlocal count
                count += 1
                if description == outer.bar and count > outer.after:
                    raise KeyboardInterrupt

            def note(self, text):
                pass

        yield Bar()


@pytest.mark.parametrize(("bar", "after"), [("train", 1), ("train", 5), ("test", 0)])
def test_an_interrupted_run_resumes_to_the_same_bits(finished, tmp_path, monkeypatch, bar, after):
    monkeypatch.setattr(training, "PIECE", 50)
    settings = {**SETTINGS, "checkpoint_s": 0.0}
    with pytest.raises(KeyboardInterrupt):
        run_experiment(
            "wtcrl", out=tmp_path, seed=3, settings=settings, reporter=Interrupting(bar, after)
        )
    stopped = RunDirectory.open(tmp_path)
    assert stopped.record["state"] == "interrupted"
    resumed = run_experiment("wtcrl", out=tmp_path, resume=True)
    assert resumed.results == finished.results
    for name in ("weights", "training", "test", "curve"):
        before, after_ = finished.arrays(name), resumed.arrays(name)
        assert before.keys() == after_.keys()
        for key in before:
            np.testing.assert_array_equal(before[key], after_[key])
    with resumed.spikes() as a, finished.spikes() as b:
        for population in ("u", "v"):
            np.testing.assert_array_equal(a.read(population)[0], b.read(population)[0])


def test_noise_is_in_training_and_tested_with_and_without(tmp_path):
    results = run_experiment(
        "wtcrl", out=tmp_path, seed=3,
        settings={**SETTINGS, "noise": 0.3, "record_patches": 0, "n_train": 300},
    ).results  # fmt: skip
    assert results["rms_noisy_test"] != results["rms"]
    assert results["silent_noisy_test"] >= 0.0


def test_a_bad_setting_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(DataError, match="'tau_m' = -1"):
        run_experiment("wtcrl", out=tmp_path / "run", settings={"tau_m": -1})
    with pytest.raises(DataError, match="'data' = 'cifar'; it must be one of mnist, embedded"):
        run_experiment("wtcrl", out=tmp_path / "run", settings={"data": "cifar"})
    assert not (tmp_path / "run").exists()
