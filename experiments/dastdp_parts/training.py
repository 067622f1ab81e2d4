"""Training: one image after the other, in two passes, with checkpoints of everything.

In the first pass both layers learn.  In the second the hidden layer is as the first left it,
weights and thresholds, and an output layer learns anew: layer-by-layer training.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.arrays import packed, unpacked
from experiments.dastdp_parts.course import Course
from experiments.dastdp_parts.images import Images, order_of_pass
from experiments.dastdp_parts.network import HIDDEN, HIDDEN_TAUGHT, INPUT_HIDDEN, Model
from experiments.dastdp_parts.presenting import Presenter
from experiments.dastdp_parts.testing import Trained, accuracy, ask
from experiments.experiment import Context
from experiments.reporting import Progress
from simulator import Simulation

__all__ = ["CURVE_PHASE", "Pass", "first_pass", "second_pass"]

Floats = npt.NDArray[np.float64]

SHOW_EVERY = 25  # presentations between two advances of the bar
CURVE_PHASE = 3


@dataclass(frozen=True)
class Pass:
    """How a pass is made.

    Attributes
    ----------
    name : str
        Of its checkpoint.
    epochs : int
        How often every image is shown.
    curve_every, curve_images : int
        After so many presentations so many of the images to be tested on are tested; 0 = never.
    checkpoint_s : float
        Wall time between two checkpoints, s.
    """

    name: str
    epochs: int
    curve_every: int
    curve_images: int
    checkpoint_s: float


def first_pass(
    model: Model, images: Images, made: Pass, context: Context
) -> tuple[Trained, Course]:
    """Train both layers, or go on from the checkpoint; the output layer is "simultaneous"."""

    def trained(simulation: Simulation, course: Course) -> Trained:
        return Trained(
            simulation.weights(INPUT_HIDDEN),
            simulation.state(HIDDEN, "theta"),
            {"simultaneous": simulation.weights(HIDDEN_TAUGHT)},
            {"label_statistics": course.statistics.assignment()},
        )

    totals = {INPUT_HIDDEN: model.hidden_total, HIDDEN_TAUGHT: model.output_total}
    return _make(model, images, made, context, model.training(), totals, trained)


def second_pass(
    model: Model, images: Images, made: Pass, context: Context, first: Trained
) -> tuple[Trained, Course]:
    """Train an output layer on the hidden one as it is, or go on from the checkpoint; the output
    layer is "layer_by_layer", the assignment of its hidden neurons "frozen_statistics", and there
    are no others."""

    def trained(simulation: Simulation, course: Course) -> Trained:
        return Trained(
            first.weights,
            first.theta,
            {"layer_by_layer": simulation.weights(HIDDEN_TAUGHT)},
            {"frozen_statistics": course.statistics.assignment()},
        )

    simulation = model.second_pass(first.weights, first.theta)
    totals = {HIDDEN_TAUGHT: model.output_total}
    return _make(model, images, made, context, simulation, totals, trained)


def _make(
    model: Model,
    images: Images,
    made: Pass,
    context: Context,
    simulation: Simulation,
    totals: dict[str, float],
    trained: Callable[[Simulation, Course], Trained],
) -> tuple[Trained, Course]:
    order = order_of_pass(len(images.train), made.epochs, model.seed)
    course = Course(model.n)
    checkpoint = context.directory.path / f"checkpoint-{made.name}.npz"
    if context.resume and checkpoint.exists():
        saved = context.directory.arrays(checkpoint.stem)
        course = Course.from_arrays(saved)
        simulation.restore(unpacked(saved["simulation"]))
        context.note(f"resuming the pass '{made.name}' after {course.done:,} presentations")
    presenter = Presenter(simulation, [HIDDEN], totals)
    last_saved = time.monotonic()
    with context.progress(made.name, order.size) as bar:
        bar.advance(course.done)
        while course.done < order.size:
            _present(images, order, course, presenter, made, bar)
            if made.curve_every and course.done % made.curve_every == 0:
                _take_point(model, images, trained(simulation, course), course, made)
            finished = course.done == order.size
            if finished or time.monotonic() - last_saved > made.checkpoint_s:
                arrays = {**course.arrays(), "simulation": packed(simulation.save())}
                context.directory.write_arrays(checkpoint.stem, arrays)
                last_saved = time.monotonic()
            bar.note(course.remark())
    return trained(simulation, course), course


def _present(
    images: Images,
    order: npt.NDArray[np.int64],
    course: Course,
    presenter: Presenter,
    made: Pass,
    bar: Progress,
) -> None:
    """Show the next images, up to a point of the curve."""
    end = min(course.done + SHOW_EVERY, order.size)
    if made.curve_every:
        end = min(end, course.done - course.done % made.curve_every + made.curve_every)
    start = time.process_time()
    for k in order[course.done : end]:
        label = int(images.train_labels[k])
        answer = presenter.show(images.train[k], label)
        course.add(answer.counts[HIDDEN], answer, label)
        bar.advance(1)
    course.seconds += time.process_time() - start


def _take_point(model: Model, images: Images, now: Trained, course: Course, made: Pass) -> None:
    """Test the network as it is; training does not notice."""
    n = min(made.curve_images, len(images.test))
    answers = ask(model, now, images.test[:n], CURVE_PHASE)
    labels = images.test_labels[:n]
    found = {name: accuracy(said, labels) for name, said in answers.said.items()}
    course.points.append((course.done, found))
