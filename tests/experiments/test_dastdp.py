"""The experiment `dastdp` end to end: small, but through the front door."""

from __future__ import annotations

import json

import numpy as np
import pytest

from experiments import RunDirectory, run_experiment
from experiments.dastdp import TEST_PHASE, Config, model_of
from experiments.dastdp_parts import training
from experiments.dastdp_parts.network import (
    HIDDEN,
    HIDDEN_TAUGHT,
    INPUT_HIDDEN,
    LABEL,
    Model,
)
from experiments.dastdp_parts.presenting import Presenter
from experiments.dastdp_parts.testing import Trained, ask
from experiments.datasets import embedded_digits
from experiments.place import place_run
from simulator.errors import DataError
from simulator.reference import Reference
from tests.experiments.test_wtcrl import Interrupting

# Half a minute of compiling a loop that no other test needs.
pytestmark = pytest.mark.slow

SETTINGS = {
    "n": 9,
    "data": "embedded",
    "epochs": 1,
    "n_train": 30,
    "n_test": 8,
    "nu_hidden": 0.05,
    "curve_every": 20,
    "curve_images": 4,
    "record_images": 3,
}
SAME = ("weights", "hidden", "test")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("dastdp")
    return run_experiment("dastdp", out=out, seed=3, settings=SETTINGS)


def test_every_file_is_written(finished):
    names = {path.name for path in finished.files()}
    assert names == {
        "run.json", "weights.npz", "network.npz", "course.npz", "hidden.npz", "test.npz",
        "spikes.h5", "checkpoint-train.npz", "checkpoint-second.npz", "receptive_fields.png",
        "confusion.png", "convergence.png", "presentation.png",
    }  # fmt: skip
    assert all(path.stat().st_size > 0 for path in finished.files())
    record = json.loads((finished.path / "run.json").read_text())
    assert record["state"] == "finished"
    assert record["timings"]["presentations_per_cpu_s"] > 0
    assert record["results"]["curve_presentations"] == [20]
    assert record["results"]["presentations"] == 30


def test_results_follow_from_the_files(finished):
    test, labels = finished.arrays("test"), embedded_digits("test")[1][:8]
    np.testing.assert_array_equal(test["labels"], labels)
    for name in ("simultaneous", "layer_by_layer", "label_statistics", "frozen_statistics"):
        right = np.mean(test[name] == labels)
        assert finished.results[f"accuracy_{name}"] == pytest.approx(right, abs=1e-12)
    assert test["hidden"].sum(axis=1).min() >= 5
    weights = finished.weights()
    assert weights[INPUT_HIDDEN].shape == (784, 9)
    assert weights[INPUT_HIDDEN].min() >= 0.0
    for name in ("simultaneous", "layer_by_layer"):
        into = weights[f"hidden->output ({name})"]
        assert into.shape == (9, 10)
        assert into.min() >= 0.0
    theta = finished.arrays("hidden")["theta_mv"]
    assert theta.min() > 19.9
    assert theta.max() > 21.0


def test_readouts_answer_as_if_all_were_asked_at_once(finished):
    weights, hidden = finished.weights(), finished.arrays("hidden")
    outputs = {
        name: weights[f"hidden->output ({name})"] for name in ("simultaneous", "layer_by_layer")
    }
    trained = Trained(weights[INPUT_HIDDEN], hidden.pop("theta_mv"), outputs, hidden)
    images = embedded_digits("test")[0][:8].reshape(8, -1)
    answers = ask(model_of(Config(**SETTINGS), 3), trained, images, TEST_PHASE)
    test = finished.arrays("test")
    np.testing.assert_array_equal(test["hidden"], answers.hidden)
    np.testing.assert_array_equal(test["attempts"], answers.attempts)
    assert len(answers.said) == 4
    for name, said in answers.said.items():
        np.testing.assert_array_equal(test[name], said)


def test_recorded_spikes_are_those_of_the_test(finished):
    with finished.spikes() as spikes:
        times, neurons = spikes.read(HIDDEN)
        assert spikes.count("input") > 1000
    shown = times < 350.0  # the first attempt at the first image
    first = finished.arrays("test")["hidden"][0]
    if shown.sum() >= 5:
        np.testing.assert_array_equal(np.bincount(neurons[shown], minlength=9), first)
    assert np.all(np.diff(times) >= 0.0)


def test_it_can_be_placed(finished):
    report, _ = place_run(finished.path, "4x4")
    assert report.to_dict()["schema_version"] >= 1


@pytest.mark.parametrize(("bar", "after"), [("train", 7), ("second", 11)])
def test_an_interrupted_run_resumes_to_the_same_bits(finished, tmp_path, monkeypatch, bar, after):
    monkeypatch.setattr(training, "SHOW_EVERY", 5)
    settings = {**SETTINGS, "checkpoint_s": 0.0}
    with pytest.raises(KeyboardInterrupt):
        run_experiment(
            "dastdp", out=tmp_path, seed=3, settings=settings, reporter=Interrupting(bar, after)
        )
    stopped = RunDirectory.open(tmp_path)
    assert stopped.record["state"] == "interrupted"
    told = ("accuracy_simultaneous", "accuracy_label_statistics") if bar == "second" else ()
    assert stopped.results == {name: finished.results[name] for name in told}
    resumed = run_experiment("dastdp", out=tmp_path, resume=True)
    assert resumed.results == finished.results
    for name in SAME:
        before, after_ = finished.arrays(name), resumed.arrays(name)
        assert before.keys() == after_.keys()
        for key in before:
            np.testing.assert_array_equal(before[key], after_[key])


def test_the_readable_engine_learns_the_same():
    """Two small presentations, with labels, on the engine that is the specification."""
    model = Model(
        n=4, nu_hidden=0.05, nu_output=0.4, kappa=0.7, tau_theta=6e6, v_th=-72.0, beta=0.1,
        output_ceiling=8.0, inhibition=17.0, seed=4,
    )  # fmt: skip
    digits, labels = embedded_digits("train")
    simulation = model.training()
    reference = Reference(simulation.network)
    for engine in (simulation, reference):
        for k in range(2):
            engine.normalise_weights(INPUT_HIDDEN, model.hidden_total)
            engine.normalise_weights(HIDDEN_TAUGHT, model.output_total)
            engine.set_rates("input", digits[k].ravel() * 0.75, 60.0)
            engine.set_rates(LABEL, 200.0 * np.eye(10)[labels[k]], 60.0)
            engine.run(80.0 * (k + 1))
    times, neurons = reference.spikes(HIDDEN)
    assert times.size >= 4
    np.testing.assert_array_equal(simulation.spikes(HIDDEN)[1], neurons)
    np.testing.assert_allclose(simulation.spikes(HIDDEN)[0], times, rtol=0, atol=1e-9)
    for name in (INPUT_HIDDEN, HIDDEN_TAUGHT):
        now = simulation.weights(name).ravel()
        np.testing.assert_allclose(now, reference.weights(name), rtol=0, atol=1e-10)
    theta = reference.state(HIDDEN, "theta")
    assert theta.max() > 20.5
    np.testing.assert_allclose(simulation.state(HIDDEN, "theta"), theta, rtol=0, atol=1e-10)


def test_nothing_changes_in_a_test():
    rng = np.random.default_rng(1)
    weights, theta = rng.random((784, 5)), rng.uniform(20.0, 24.0, 5)
    model = Model(
        n=5, nu_hidden=0.05, nu_output=0.4, kappa=0.7, tau_theta=6e6, v_th=-72.0, beta=0.1,
        output_ceiling=8.0, inhibition=17.0, seed=4,
    )  # fmt: skip
    simulation = model.test(weights, theta, {"output": rng.random((5, 10))}, 2)
    before = simulation.weights(INPUT_HIDDEN)
    answer = Presenter(simulation, [HIDDEN, "output"], {}).show(np.full(784, 90, np.uint8), 0)
    assert answer.counts[HIDDEN].sum() >= 5
    np.testing.assert_array_equal(simulation.weights(INPUT_HIDDEN), before)
    np.testing.assert_array_equal(simulation.state(HIDDEN, "theta"), theta)


def test_bad_settings_are_refused_before_anything_is_written(tmp_path):
    for settings, text in (
        ({"n": 1}, "'n' = 1; it must be at least 2"),
        ({"nu_hidden": -1}, "'nu_hidden' = -1"),
        ({"tau_theta": 0}, "'tau_theta' = 0.0; it must be > 0"),
        ({"data": "cifar"}, "'data' = 'cifar'; it must be one of mnist, fashion, embedded"),
    ):
        with pytest.raises(DataError, match=text):
            run_experiment("dastdp", out=tmp_path / "run", settings=settings)
    assert not (tmp_path / "run").exists()
