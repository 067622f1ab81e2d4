"""The baseline: hidden neurons stand for the class that they answer to most.

A neuron gets the class whose training images it gave the most spikes to, on average; the class of a
test image is that whose neurons gave it the most spikes, on average.

Source: Diehl & Cook 2015, as used by Hao et al. 2020, section 3.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["BLOCK", "LabelStatistics", "classify"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

BLOCK = 10_000  # presentations that are forgotten together
N_BLOCKS = 6
NOBODY = -1


class LabelStatistics:
    """Spikes of hidden neurons by class, over the last 60,000 presentations or a little less.

    Parameters
    ----------
    n_neurons, n_classes
        Sizes.
    block
        After so many presentations the oldest of six blocks of them is forgotten.

    Attributes
    ----------
    spikes : (6, n_classes, n_neurons)
        Sums of spikes, by block.
    images : (6, n_classes)
        Presented images, by block.
    seen : int
        Presentations in all.
    """

    def __init__(self, n_neurons: int, n_classes: int, block: int = BLOCK) -> None:
        self.block = block
        self.spikes = np.zeros((N_BLOCKS, n_classes, n_neurons), np.int64)
        self.images = np.zeros((N_BLOCKS, n_classes), np.int64)
        self.seen = 0

    def add(self, counts: Indices, label: int) -> None:
        """Note the spikes, (n_neurons,), that an image of this class was answered with."""
        k = self.seen // self.block % N_BLOCKS
        if self.seen % self.block == 0:
            self.spikes[k], self.images[k] = 0, 0
        self.spikes[k, label] += counts
        self.images[k, label] += 1
        self.seen += 1

    def assignment(self) -> Indices:
        """The class of each neuron, -1 for one that did not spike; the first of equal ones."""
        images = np.maximum(self.images.sum(axis=0), 1)
        mean = self.spikes.sum(axis=0) / images[:, None]
        return np.where(mean.any(axis=0), mean.argmax(axis=0), NOBODY)


def classify(counts: npt.NDArray[np.integer], assignment: Indices, n_classes: int) -> Indices:
    """The class of each image, from spike counts of shape (n_images, n_neurons).

    A class without neurons is never chosen; of equal classes the first is.
    """
    mean = np.full((n_classes, len(counts)), -np.inf)
    for c in range(n_classes):
        mine = assignment == c
        if mine.any():
            mean[c] = counts[:, mine].mean(axis=1)
    said: Indices = mean.argmax(axis=0)
    return said
