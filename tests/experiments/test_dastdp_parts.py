"""The parts of the experiment `dastdp`, without a compiled network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from experiments import RunDirectory, run_experiment
from experiments.dastdp_parts import figures, network, paper, report
from experiments.dastdp_parts.course import SPAN, Course
from experiments.dastdp_parts.images import even_brightness, load_images, order_of_pass
from experiments.dastdp_parts.label_statistics import LabelStatistics, classify
from experiments.dastdp_parts.network import (
    HIDDEN,
    HIDDEN_TAUGHT,
    INPUT,
    INPUT_HIDDEN,
    LABEL,
    PIXELS,
    TAUGHT,
    Model,
)
from experiments.dastdp_parts.presenting import Presentation, Presenter
from experiments.dastdp_parts.reproduction import REPRODUCTION
from experiments.datasets import embedded_digits
from simulator.errors import DataError
from simulator.reference import Reference

MODEL = Model(
    n=6, nu_hidden=0.01, nu_output=0.04, kappa=0.07, tau_theta=6e6, v_th=-72.0, beta=0.1,
    output_ceiling=8.0, inhibition=17.0, seed=4,
)  # fmt: skip


# -- label statistics ----------------------------------------------------------------------------


def test_a_neuron_stands_for_the_class_it_answers_to_most_on_average() -> None:
    """Not in sum: class 1 is shown three times as often."""
    statistics = LabelStatistics(3, 3)
    for counts, label in (
        ([4, 0, 0], 0), ([3, 2, 0], 1), ([2, 3, 0], 1), ([1, 4, 0], 1), ([0, 2, 0], 2),
    ):  # fmt: skip
        statistics.add(np.array(counts), label)
    assert statistics.assignment().tolist() == [0, 1, -1]


def test_statistics_forget_what_is_six_blocks_old() -> None:
    statistics = LabelStatistics(1, 2, block=10)
    for k in range(200):
        statistics.add(np.array([k]), 0)
        shown = int(statistics.images.sum())
        assert shown == min(k + 1, 50 + k % 10 + 1)
        assert statistics.spikes.sum() == sum(range(k + 1 - shown, k + 1))


def test_the_class_with_the_greatest_mean_is_said() -> None:
    """Neurons 0 and 1 are of class 2, neuron 2 of class 0; nobody is of class 1."""
    assignment = np.array([2, 2, 0, -1])
    counts = np.array([[3, 3, 4, 9], [9, 2, 5, 0], [0, 0, 0, 7], [2, 2, 2, 0]])
    assert classify(counts, assignment, 3).tolist() == [0, 2, 0, 0]


def test_a_class_without_neurons_is_never_said() -> None:
    """It would be 0 / 0; an image that no neuron answers to gets the first class that has some."""
    rng = np.random.default_rng(3)
    counts = rng.integers(0, 5, (200, 12))
    counts[:20] = 0
    assignment = rng.choice([1, 4, 7], 12)
    said = classify(counts, assignment, 10)
    assert set(said.tolist()) == {1, 4, 7}
    assert set(said[:20].tolist()) == {1}
    for k in range(200):
        means = {c: counts[k, assignment == c].mean() for c in (1, 4, 7)}
        assert means[int(said[k])] == max(means.values())


def test_before_anything_is_known_the_first_class_is_said() -> None:
    nobody = LabelStatistics(4, 10).assignment()
    assert nobody.tolist() == [-1] * 4
    assert classify(np.ones((3, 4), int), nobody, 10).tolist() == [0, 0, 0]


# -- images --------------------------------------------------------------------------------------


def test_images_are_those_of_the_data_set() -> None:
    images = load_images("embedded", n_train=30, n_test=7, evaluate_on="test", data_dir=None)
    digits, labels = embedded_digits("train")
    np.testing.assert_array_equal(images.train.reshape(-1, 28, 28), digits[:30])
    np.testing.assert_array_equal(images.train_labels, labels[:30])
    assert images.test.shape == (7, 784)


def test_validation_images_are_not_trained_on() -> None:
    images = load_images(
        "embedded", n_train=None, n_test=None, evaluate_on="validation", data_dir=None
    )
    digits, _ = embedded_digits("train")
    both = np.concatenate([images.train, images.test])
    np.testing.assert_array_equal(both.reshape(-1, 28, 28), digits)
    assert len(images.test) == 2000 // 6
    with pytest.raises(DataError, match="'n_train' = 1900; there are only 1667 images"):
        load_images("embedded", n_train=1900, n_test=None, evaluate_on="validation", data_dir=None)


def test_clothes_are_made_equally_bright() -> None:
    rng = np.random.default_rng(1)
    images = (rng.random((20, 784)) * rng.integers(2, 256, (20, 1))).astype(np.uint8)
    even = even_brightness(images)
    np.testing.assert_allclose(even.mean(axis=1), 30.0, atol=0.5)
    assert even_brightness(np.zeros((1, 784), np.uint8)).max() == 0
    spot = np.zeros((1, 784), np.uint8)
    spot[0, :20] = 200
    assert even_brightness(spot).max() == 255, "8 bits end there"


def test_every_image_is_shown_once_an_epoch() -> None:
    order = order_of_pass(50, 3, seed=8)
    for epoch in order.reshape(3, 50):
        assert sorted(epoch.tolist()) == list(range(50))
    assert len({tuple(epoch) for epoch in order.reshape(3, 50)}) == 3
    np.testing.assert_array_equal(order, order_of_pass(50, 3, seed=8))
    assert not np.array_equal(order, order_of_pass(50, 3, seed=9))


# -- presenting ----------------------------------------------------------------------------------


class Recorded:
    """Stands in for a simulation whose hidden neurons give a number of spikes at each attempt."""

    def __init__(self, spikes, has_label=True):
        self.log, self.time, self._spikes = [], 0.0, list(spikes)
        self.network = MODEL.training().network if has_label else None
        self.recording = type("Recording", (), {"sink": None})()

    def set_rates(self, population, rates, duration):
        self.log.append((population, np.array(rates), duration))

    def normalise_weights(self, projection, total):
        self.log.append((projection, total))

    def run(self, until):
        if until - self.time == 350.0:
            n = self._spikes.pop(0)
            self.recording.sink(HIDDEN, self.time + np.arange(float(n)), np.arange(n) % 6)
            self.recording.sink("other", np.zeros(1), np.zeros(1, int))
        else:
            self.recording.sink(HIDDEN, np.array([self.time]), np.array([5]))  # of the rest
        self.time = until


def test_an_image_is_shown_brighter_until_five_neurons_spike() -> None:
    simulation = Recorded([0, 4, 5])
    totals = {INPUT_HIDDEN: 78.4, HIDDEN_TAUGHT: 4.8}
    presenter = Presenter(simulation, [HIDDEN], totals)
    image = np.arange(784) % 256
    answer = presenter.show(image.astype(np.uint8), 3)
    assert answer.attempts == 3
    assert answer.counts[HIDDEN].tolist() == [1, 1, 1, 1, 1, 0], "spikes of the rest do not count"
    assert simulation.time == 3 * 500.0
    assert len(simulation.log) == 12
    for attempt, top in enumerate((63.75, 95.625, 127.5)):
        first, second, pixels, label = simulation.log[4 * attempt : 4 * attempt + 4]
        assert first == (INPUT_HIDDEN, 78.4), "scaled before every attempt"
        assert second == (HIDDEN_TAUGHT, 4.8)
        assert (pixels[0], pixels[2], pixels[1].max()) == ("input", 350.0, top)
        np.testing.assert_allclose(pixels[1], image * top / 255.0)
        assert (label[0], label[2]) == ("label", 350.0)
        assert label[1].tolist() == [0.0, 0.0, 0.0, 200.0] + [0.0] * 6


def test_it_gives_up_at_1020_hz() -> None:
    simulation = Recorded([0] * 31)
    answer = Presenter(simulation, [HIDDEN], {}).show(np.full(784, 255, np.uint8), 0)
    assert answer.attempts == 31
    assert max(entry[1].max() for entry in simulation.log if entry[0] == "input") == 1020.0


# -- course --------------------------------------------------------------------------------------


def test_the_course_of_training_survives_a_file() -> None:
    rng = np.random.default_rng(5)
    course = Course(4)
    for k in range(2 * SPAN + 300):
        counts = rng.poisson(1.0, 4)
        course.add(counts, Presentation({HIDDEN: counts}, 1 + k % 2), int(rng.integers(10)))
        if k == 700:
            course.points.append((700, {"simultaneous": 0.5, "label_statistics": 0.25}))
    assert course.running["attempts"] == [1.5, 1.5]
    assert course.running["spikes"] == pytest.approx([4.0, 4.0], abs=0.3)
    assert "50.0, 25.0 % tested at 700" in course.remark()
    again = Course.from_arrays({name: np.asarray(a) for name, a in course.arrays().items()})
    for both in (course, again):
        for k in range(SPAN):
            both.add(np.array([k % 3, 1, 0, 2]), Presentation({}, 1), k % 10)
    for name, array in course.arrays().items():
        np.testing.assert_array_equal(np.asarray(again.arrays()[name]), np.asarray(array))


# -- report ------------------------------------------------------------------------------------


def finished_run(path, n, accuracy, seed):
    directory = RunDirectory.create(
        path, experiment="dastdp", parameters={"n": n}, seed=seed, overwrite=False
    )
    with directory:
        directory.write_arrays(
            "test", {"hidden": np.eye(12, 5, dtype=int), "labels": np.arange(12) % 10}
        )
        found = {f"accuracy_{name}": accuracy for name in paper.READOUTS}
        directory.update(
            results={
                **found,
                "presentations": 50_000,
                "hidden_spikes_per_image_test": 9.0,
                "hidden_neurons_per_image_test": 3.0,
                "neurons_without_class": 0,
                "parameters": {
                    "n": n,
                    "inhibition": 57.6,
                    "nu_hidden": 0.0127,
                    "kappa": 0.07,
                    "tau_theta": 6e6,
                    "v_th": -72.0,
                    "beta": 0.127,
                },
            },
            timings={"presentations_per_cpu_s": 100.0},
        )
    return directory


def test_the_page_says_what_was_reached_and_what_is_missing(tmp_path):
    runs = [finished_run(tmp_path / str(k), 100, 0.83 + 0.01 * k, k) for k in (0, 1)]
    scan = [finished_run(tmp_path / "scan", 100, 0.81, 1)]
    rows = {"mnist-n100": runs, "scan-mnist-n100-57.6-0.0127": scan}
    files = report.write_report(rows, tmp_path / "results")
    text = files[0].read_text()
    assert "| 100 | simultaneous | 2 | 83.50 ± 0.71 | 83.67 |" in text
    assert "simultaneous with 100 neurons (by 0.17 points); layer by layer" in text
    assert "label statistics with 100" not in text, "83.50 is more than 83.00"
    assert "- MNIST with 100 hidden neurons: 2 of 3 seeds finished\n" in text
    assert "- MNIST with 400 hidden neurons: 0 of 1 seeds finished\n" in text
    shared = "| digits | 100 | 50,000 | 57.6 | 0.0127 | 0.07 | 6e+06 | -72 | 0.127 |"
    assert f"{shared} 81.00 | 81.00 | 81.00 | 9.0 | 3.0 |" in text
    assert "confusion.png" not in text, "no run has drawn it"
    with pytest.raises(DataError, match="nothing to report"):
        report.write_report({}, tmp_path)


def test_the_page_says_how_far_a_run_got_that_was_stopped(tmp_path):
    course = Course(4)
    for k in range(SPAN + 20):
        course.add(np.array([1, 1, 0, k % 2]), Presentation({}, 1), k % 10)
    course.points.append((SPAN, {"simultaneous": 0.876, "label_statistics": 0.85}))
    course.seconds = 60.0
    made = {"n": 4, "data": "fashion", "epochs": None, "n_train": None}
    begun = RunDirectory.create(
        tmp_path / "begun", experiment="dastdp", parameters=made, seed=7, overwrite=False
    )
    begun.write_arrays("checkpoint-train", course.arrays())
    early = RunDirectory.create(
        tmp_path / "early", experiment="dastdp", parameters=made, seed=8, overwrite=False
    )
    runs = {"mnist-n100": [finished_run(tmp_path / "done", 100, 0.83, 1)]}
    files = report.write_report(runs, tmp_path / "results", {"fashion-n400": [begun, early]})
    text = files[0].read_text()
    what = "Fashion-MNIST with 400 hidden neurons"
    right = f"{100 * course.running['right'][0]:.1f}"
    assert f"| {what} | 7 | 1,020 of 60,000 | {right} | 1,000 | 87.6 | 85.0 | - | - | - |" in text
    assert f"| {what} | 1 | 17 | 1.000 | 59 |" in text
    assert f"- {what}: 0 of 1 seeds finished; stopped: seed 7 after 1,020 presentations" in text
    assert "](dastdp-course-fashion-n400.png)" in text
    assert tmp_path / "results" / "dastdp-course-fashion-n400.png" in files
    begun.write_arrays("checkpoint-second", {"done": 30})
    begun.update(results={"accuracy_simultaneous": 0.8765, "accuracy_label_statistics": 0.84})
    text = report.write_report(runs, tmp_path / "results", {"fashion-n400": [begun]})[0].read_text()
    assert "| 87.6 | 85.0 | 30 | 87.65 | 84.00 |" in text
    assert "stopped: seed 7 after 1,050 presentations" in text


def test_settings_are_chosen_on_validation_images_alone():
    for cell in REPRODUCTION.cells:
        chosen = cell.row.startswith("scan-")
        assert (cell.settings.get("evaluate_on") == "validation") == chosen
    assert {cell.seed for cell in REPRODUCTION.cells if cell.row == "mnist-n100"} == {1, 2, 3}


def test_hidden_activity_in_two_dimensions_needs_scikit_learn(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'spikemesh\[tsne\]'"):
        run_experiment("dastdp", out=tmp_path, settings={"tsne": True, "data": "embedded", "n": 4})


def test_hidden_activity_is_drawn_in_two_dimensions():
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(3), 10)
    hidden = rng.poisson(0.2, (30, 6)) + 4 * np.repeat(np.eye(3, 6, dtype=int), 10, axis=0)
    drawn = figures.draw_tsne(hidden, labels, seed=1).axes[0].collections
    assert [len(points.get_offsets()) for points in drawn] == [10] * 3 + [0] * 7


# -- network -------------------------------------------------------------------------------------


def test_the_network_is_that_of_the_source() -> None:
    simulation = MODEL.training()
    sizes = {name: pop.size for name, pop in simulation.network.populations.items()}
    assert sizes == {"input": 784, "hidden": 6, "inhibitory": 6, "label": 10, "taught": 10}
    weights = simulation.weights(INPUT_HIDDEN)
    assert 0.0 <= weights.min() < 0.01 < 0.29 < weights.max() <= 0.3
    assert simulation.weights(HIDDEN_TAUGHT).max() <= 2.4
    assert simulation.state(HIDDEN, "theta").tolist() == [20.0] * 6
    simulation.normalise_weights(INPUT_HIDDEN, MODEL.hidden_total)
    np.testing.assert_allclose(simulation.weights(INPUT_HIDDEN).sum(axis=0), 78.4)
    inhibition = simulation.weights("inhibitory->hidden")
    np.testing.assert_array_equal(inhibition, 17.0 * (1.0 - np.eye(6)))
    assert simulation.network.projections["inhibitory->hidden"].port == 1


def test_what_the_floor_of_the_traces_drops_moves_no_spike(monkeypatch) -> None:
    """Two presentations on the readable engine, against the rule without a floor: spikes within
    1e-6 ms.  The pairs that are dropped lie a long rest apart."""
    model = replace(MODEL, n=3, nu_hidden=0.05, nu_output=0.4, v_th=-76.0)
    image = np.zeros(PIXELS)
    image[300:400] = 60.0
    engines = []
    for floor in (network.TRACE_FLOOR, 0.0):
        monkeypatch.setattr(network, "TRACE_FLOOR", floor)
        engine = Reference(model.training().network)
        for k, until in enumerate((500.0, 600.0)):
            engine.normalise_weights(INPUT_HIDDEN, model.hidden_total)
            engine.normalise_weights(HIDDEN_TAUGHT, model.output_total)
            engine.set_rates(INPUT, image, 110.0)
            engine.set_rates(LABEL, 200.0 * np.eye(10)[k], 110.0)
            engine.run(until)
        engines.append(engine)
    (times, neurons), (exact, exact_neurons) = (engine.spikes(HIDDEN) for engine in engines)
    assert np.count_nonzero(times < 200.0) >= 1
    assert np.count_nonzero(times > 500.0) >= 3
    np.testing.assert_array_equal(neurons, exact_neurons)
    np.testing.assert_allclose(times, exact, rtol=0, atol=1e-6)
    weights = [engine.weights(HIDDEN_TAUGHT) for engine in engines]
    assert not np.array_equal(*weights), "something was dropped"
    np.testing.assert_allclose(*weights, rtol=0, atol=1e-8)


def test_the_second_pass_and_tests_begin_with_what_was_learned() -> None:
    rng = np.random.default_rng(2)
    weights, theta = rng.random((784, 6)), rng.uniform(20.0, 40.0, 6)
    second = MODEL.second_pass(weights, theta)
    scaled = weights * 78.4 / weights.sum(axis=0)
    np.testing.assert_allclose(second.weights(INPUT_HIDDEN), scaled)
    np.testing.assert_array_equal(second.state(HIDDEN, "theta"), theta)
    assert not np.array_equal(
        second.weights(HIDDEN_TAUGHT), MODEL.training().weights(HIDDEN_TAUGHT)
    )
    into = rng.random((6, 10))
    tested = MODEL.test(weights, theta, {"a": into, "b": 2.0 * into}, 2)
    np.testing.assert_array_equal(tested.weights("hidden->b"), 2.0 * into)
    assert tested.network.populations[TAUGHT].size == 1


def test_parameters_follow_size_and_data() -> None:
    assert paper.defaults("embedded", 9) == paper.defaults("mnist", 100)
    assert paper.defaults("mnist", 400).epochs == 5
    assert paper.defaults("mnist", 1600).tau_theta == 8e6
    assert paper.defaults("fashion", 400).v_th == -80.0
    assert paper.defaults("fashion", 400).tau_theta == 2e8
    assert paper.defaults("fashion", 6400).tau_theta == 5e7
    assert paper.paper_figure("mnist", 400, "layer_by_layer") == 91.41
    assert paper.paper_figure("mnist", 9, "layer_by_layer") is None
