"""Digits and clothes learned by symmetric STDP, supervised by a label that makes neurons fire.

Poisson inputs excite a hidden layer whose neurons compete: all others are inhibited by a spike, and
thresholds rise with use.  Ten output neurons, one a class, are made to fire by the label while they
learn.  One rule strengthens all synapses; scaling the weights into each neuron is all that weakens
them.  Compared are learning in both layers at once, layer by layer, and statistics of the labels.

Source: Hao, Huang, Dong & Xu, A biologically plausible supervised learning method for spiking
neural networks using the symmetric STDP rule, Neural Networks 121 (2020).  What its text leaves
open is taken from its published program.  Two differences are on purpose: time is exact and not cut
into steps of 0.5 ms, and what is reported is the last test, not the best of many.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Literal

import numpy as np

from experiments.experiment import Context, Experiment
from experiments.settings import require, setting
from simulator.errors import DataError

if TYPE_CHECKING:
    from experiments.dastdp_parts.course import Course
    from experiments.dastdp_parts.images import Images
    from experiments.dastdp_parts.network import Model
    from experiments.dastdp_parts.testing import Answers, Trained

__all__ = ["EXPERIMENT", "Config", "model_of"]

TEST_PHASE = 2
ANSWERS = "test"  # what is said of the test images, in the run directory


@dataclass(frozen=True)
class Config:
    """The settings; none stands for what the source has for the data and the size."""

    n: int = setting(100, "hidden neurons")
    data: Literal["mnist", "fashion", "embedded"] = setting("mnist", "images")
    epochs: int | None = setting(None, "times that every training image is shown in the first pass")
    second_epochs: int = setting(1, "times in the pass that trains the output layer alone; 0 = no")
    n_train: int | None = setting(None, "training images; none = all")
    n_test: int | None = setting(None, "test images; none = all")
    nu_hidden: float | None = setting(None, "learning rate of the hidden layer")
    nu_output: float | None = setting(None, "learning rate of the output layer")
    kappa: float | None = setting(None, "first step of a threshold", unit="mV")
    tau_theta: float | None = setting(None, "decay of thresholds", unit="ms")
    v_th: float | None = setting(None, "what thresholds decay to", unit="mV")
    beta: float | None = setting(None, "mean weight into a hidden neuron after scaling")
    output_ceiling: float | None = setting(None, "largest weight into the output layer")
    inhibition: float | None = setting(None, "weight of inhibition between hidden neurons")
    evaluate_on: Literal["test", "validation"] = setting(
        "test", "validation = training images that are not trained on, for choosing settings"
    )
    curve_every: int = setting(10_000, "presentations between two points of the curve; 0 = none")
    curve_images: int = setting(500, "test images that a point of the curve is measured on")
    record_images: int = setting(10, "test images whose spikes go to spikes.h5, at least 1")
    tsne: bool = setting(False, "draw hidden activity by t-SNE; needs the extra 'tsne'")
    checkpoint_s: float = setting(60.0, "wall time between checkpoints for --resume", unit="s")

    def __post_init__(self) -> None:
        least = {"n": 2, "epochs": 1, "second_epochs": 0, "n_train": 1, "n_test": 1}
        least |= {"curve_every": 0, "curve_images": 1, "record_images": 1}
        for name, smallest in least.items():
            value = getattr(self, name)
            require(value is None or value >= smallest, name, value, f"at least {smallest}")
        for name in ("nu_hidden", "nu_output", "kappa", "inhibition", "checkpoint_s"):
            value = getattr(self, name)
            require(value is None or (math.isfinite(value) and value >= 0), name, value, ">= 0")
        for name in ("tau_theta", "beta", "output_ceiling"):
            value = getattr(self, name)
            require(value is None or (math.isfinite(value) and value > 0), name, value, "> 0")
        require(self.v_th is None or math.isfinite(self.v_th), "v_th", self.v_th, "finite")


def run(config: Config, context: Context) -> Mapping[str, object]:
    """Train, train the output layer again, test, draw; see the module's text."""
    from experiments.dastdp_parts.images import load_images
    from experiments.dastdp_parts.paper import defaults
    from experiments.dastdp_parts.training import Pass, first_pass, second_pass

    images = load_images(
        config.data,
        n_train=config.n_train,
        n_test=config.n_test,
        evaluate_on=config.evaluate_on,
        data_dir=context.data_dir,
    )
    if config.tsne:
        _require_tsne()
    model = model_of(config, context.seed)
    epochs = config.epochs or defaults(config.data, config.n).epochs
    made = Pass("train", epochs, config.curve_every, config.curve_images, config.checkpoint_s)
    trained, course = first_pass(model, images, made, context)
    _write_training(model, trained, course, context)
    context.directory.update(
        timings={
            "train_cpu_s": course.seconds,
            "presentations_per_cpu_s": course.done / max(course.seconds, 1e-9),
        }
    )
    # What the first pass taught is told before the second, for the case that it is stopped.
    answers = _first_answers(model, images, trained, context)
    if config.second_epochs:
        made = Pass(
            "second", config.second_epochs, config.curve_every, config.curve_images,
            config.checkpoint_s,
        )  # fmt: skip
        taught, second = second_pass(model, images, made, context, trained)
        trained = trained.joined(taught)
        _write_training(model, trained, course, context)
        context.directory.update(timings={"second_cpu_s": second.seconds})
        answers = answers.joined(_test(model, images, taught, context))
        _write_answers(answers, images, context)
    return _evaluate(config, context, model, images, trained, course, answers)


def model_of(config: Config, seed: int) -> Model:
    """The network with what is not set taken from the source."""
    from experiments.dastdp_parts.network import Model
    from experiments.dastdp_parts.paper import defaults

    usual = defaults(config.data, config.n)
    names = [field.name for field in fields(usual) if field.name != "epochs"]
    chosen = {name: getattr(config, name) for name in names}
    values = {
        name: getattr(usual, name) if value is None else value for name, value in chosen.items()
    }
    return Model(n=config.n, seed=seed, **values)


def _write_training(model: Model, trained: Trained, course: Course, context: Context) -> None:
    from experiments.dastdp_parts.network import INPUT_HIDDEN

    directory = context.directory
    directory.write_weights(
        {
            INPUT_HIDDEN: trained.weights,
            **{f"hidden->output ({name})": w for name, w in trained.outputs.items()},
        }
    )
    directory.write_network(model.record())
    directory.write_arrays("course", course.arrays())
    directory.write_arrays("hidden", {"theta_mv": trained.theta, **trained.assignments})


def _test(model: Model, images: Images, trained: Trained, context: Context) -> Answers:
    """Answers to all test images."""
    from experiments.dastdp_parts.testing import ask

    with context.progress("test", len(images.test)) as bar:
        return ask(model, trained, images.test, TEST_PHASE, bar.advance)


def _first_answers(model: Model, images: Images, trained: Trained, context: Context) -> Answers:
    """Answers of the network of the first pass, given now or by a run that is resumed."""
    from experiments.dastdp_parts.testing import Answers

    if f"{ANSWERS}.npz" in context.directory.record["files"]:
        said = context.directory.arrays(ANSWERS)
        said.pop("labels")
        return Answers(said.pop("hidden"), said.pop("attempts"), said)
    answers = _test(model, images, trained, context)
    context.directory.update(results=_accuracies(answers, images))
    _write_answers(answers, images, context)
    return answers


def _write_answers(answers: Answers, images: Images, context: Context) -> None:
    context.directory.write_arrays(
        ANSWERS,
        {
            "labels": images.test_labels,
            "hidden": answers.hidden,
            "attempts": answers.attempts,
            **answers.said,
        },
    )


def _accuracies(answers: Answers, images: Images) -> dict[str, float]:
    from experiments.dastdp_parts.paper import MEASURED
    from experiments.dastdp_parts.testing import accuracy

    said, labels = answers.said, images.test_labels
    return {f"accuracy_{k}": accuracy(said[k], labels) for k in MEASURED if k in said}


def _evaluate(
    config: Config,
    context: Context,
    model: Model,
    images: Images,
    trained: Trained,
    course: Course,
    answers: Answers,
) -> Mapping[str, object]:
    """Write spikes and pictures, and collect the results."""
    from experiments.dastdp_parts import figures
    from experiments.dastdp_parts.showing import show_images

    labels = images.test_labels
    readout = "layer_by_layer" if config.second_epochs else "simultaneous"
    shown_images = images.test[: config.record_images]
    shown = show_images(model, trained, readout, shown_images, TEST_PHASE, context)
    pictures = {
        "receptive_fields": figures.draw_receptive_fields(trained),
        "confusion": figures.draw_confusion(answers, labels),
        "convergence": figures.draw_convergence(course, config.data, model.n),
        "presentation": figures.draw_presentation(shown, images, answers.said[readout]),
    }
    if config.tsne:
        pictures["tsne"] = figures.draw_tsne(answers.hidden, labels, context.seed)
    for name, figure in pictures.items():
        context.directory.write_figure(name, figure)
    found = _accuracies(answers, images)
    _show(config, context, found)
    return {
        **found,
        "parameters": {name: value for name, value in asdict(model).items() if name != "seed"},
        "n_test_images": len(labels),
        "presentations": course.done,
        "attempts_per_image": float(np.mean(course.running["attempts"] or [1.0])),
        "hidden_spikes_per_image_test": float(answers.hidden.sum(axis=1).mean()),
        "hidden_neurons_per_image_test": float((answers.hidden > 0).sum(axis=1).mean()),
        "attempts_per_image_test": float(answers.attempts.mean()),
        "neurons_without_class": int(np.sum(trained.assignments["label_statistics"] < 0)),
        "theta_mean_mv": float(trained.theta.mean()),
        "theta_least_mv": float(trained.theta.min()),
        "theta_greatest_mv": float(trained.theta.max()),
        "curve_presentations": [done for done, _ in course.points],
        **{
            f"curve_{name}": [point[name] for _, point in course.points]
            for name in (course.points[0][1] if course.points else ())
        },
    }


def _show(config: Config, context: Context, found: Mapping[str, float]) -> None:
    """The table at the end, with the source's figures where it has any."""
    from experiments.dastdp_parts.paper import MEASURED, paper_figure

    rows = []
    for key, value in found.items():
        name = key.removeprefix("accuracy_")
        source = paper_figure(config.data, config.n, name)
        label = MEASURED[name]
        rows.append((label, f"{100 * value:.2f}", "" if source is None else f"{source:.2f}"))
    rate = context.directory.record["timings"]["presentations_per_cpu_s"]
    rows.append(("presentations per CPU second in training", f"{rate:.1f}", ""))
    context.table(
        f"Symmetric STDP, {config.n} hidden neurons, {config.data}",
        ("accuracy (%)", "this run", "source"),
        rows,
    )


def _require_tsne() -> None:
    """Refuse before training what cannot be drawn after it."""
    from importlib.util import find_spec

    if find_spec("sklearn") is None:
        raise DataError(
            "setting 'tsne' needs scikit-learn, which is not installed; "
            "pip install 'spikemesh[tsne]', or leave the setting out"
        )


EXPERIMENT = Experiment(
    name="dastdp",
    summary="learn digits or clothes by symmetric STDP and a teacher (three layers)",
    config=Config,
    run=run,
)
