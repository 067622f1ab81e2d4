"""Testing: every readout from the same hidden spikes, with nothing in the network changing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.dastdp_parts.label_statistics import classify
from experiments.dastdp_parts.network import CLASSES, HIDDEN, Model, Weights
from experiments.dastdp_parts.presenting import Presenter

__all__ = ["Answers", "Trained", "accuracy", "ask"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Trained:
    """What training leaves behind.

    Attributes
    ----------
    weights : (784, n)
        Into the hidden layer.
    theta : (n,)
        Of the hidden neurons, mV.
    outputs : dict of str to (n, 10)
        Weights into an output layer, by readout.
    assignments : dict of str to (n,)
        Class of each hidden neuron, -1 without, by readout.
    """

    weights: Floats
    theta: Floats
    outputs: Weights
    assignments: dict[str, Indices]

    def joined(self, other: Trained) -> Trained:
        """With the readouts of another pass, which left the hidden layer alone, as well."""
        return Trained(
            other.weights,
            other.theta,
            {**self.outputs, **other.outputs},
            {**self.assignments, **other.assignments},
        )


@dataclass(frozen=True)
class Answers:
    """What a network said to images.

    Attributes
    ----------
    hidden : (n_images, n)
        Spikes of each hidden neuron.
    attempts : (n_images,)
        How often each was shown.
    said : dict of str to (n_images,)
        The class of each image, by readout.
    """

    hidden: npt.NDArray[np.int32]
    attempts: Indices
    said: dict[str, Indices]

    def joined(self, other: Answers) -> Answers:
        """With what other readouts of the same hidden spikes said as well."""
        return Answers(other.hidden, other.attempts, {**self.said, **other.said})


def ask(
    model: Model,
    trained: Trained,
    images: npt.NDArray[np.uint8],
    phase: int,
    advance: Callable[[float], None] | None = None,
) -> Answers:
    """Show images, (n_images, 784), to a trained network.

    ``phase`` makes the random input of this test its own; ``advance`` is told of every image.
    """
    simulation = model.test(trained.weights, trained.theta, trained.outputs, phase)
    presenter = Presenter(simulation, [HIDDEN, *trained.outputs], {})
    hidden = np.empty((len(images), model.n), np.int32)
    attempts = np.empty(len(images), np.int64)
    output = {name: np.empty((len(images), CLASSES), np.int64) for name in trained.outputs}
    for k, image in enumerate(images):
        answer = presenter.show(image, 0)
        hidden[k], attempts[k] = answer.counts[HIDDEN], answer.attempts
        for name, counts in output.items():
            counts[k] = answer.counts[name]
        if advance is not None:
            advance(1)
    said = {name: counts.argmax(axis=1) for name, counts in output.items()}
    for name, assignment in trained.assignments.items():
        said[name] = classify(hidden, assignment, CLASSES)
    return Answers(hidden, attempts, said)


def accuracy(said: Indices, labels: Indices) -> float:
    """Share of the images whose class was said."""
    return float(np.mean(said == labels))
