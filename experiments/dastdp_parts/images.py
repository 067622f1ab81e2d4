"""Digits and clothes as the experiment shows them: splits, brightness, the order of a pass."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from experiments.datasets import embedded_digits, load_fashion_mnist, load_mnist
from simulator.errors import DataError

__all__ = ["Images", "even_brightness", "load_images", "order_of_pass"]

Bytes = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]

VALIDATION_SHARE = 6  # one in so many training images is kept for validation
MEAN_PIXEL = 30.0  # of 255: clothes are brought to it, digits have about 33 as they are


@dataclass(frozen=True)
class Images:
    """Images and labels to learn from and to be tested on: (n, 784) from 0 to 255, (n,)."""

    train: Bytes
    train_labels: Indices
    test: Bytes
    test_labels: Indices


def load_images(
    data: Literal["mnist", "fashion", "embedded"],
    *,
    n_train: int | None,
    n_test: int | None,
    evaluate_on: Literal["test", "validation"],
    data_dir: Path | None,
) -> Images:
    """Load, split and scale.

    With ``evaluate_on="validation"`` the last sixth of the training images is tested on and not
    trained on, and the test images are not looked at.

    Raises
    ------
    DataError
        If the data set is not found or has fewer images than are asked for.
    """

    def load(split: Literal["train", "test"]) -> tuple[Bytes, Bytes]:
        if data == "embedded":
            return embedded_digits(split)
        return (load_mnist if data == "mnist" else load_fashion_mnist)(split, data_dir)

    images, labels = load("train")
    if evaluate_on == "validation":
        kept = len(images) - len(images) // VALIDATION_SHARE
        other, other_labels = images[kept:], labels[kept:]
        images, labels = images[:kept], labels[:kept]
    else:
        other, other_labels = load("test")
    train, train_labels = _first(images, labels, n_train, "n_train")
    test, test_labels = _first(other, other_labels, n_test, "n_test")
    if data == "fashion":
        train, test = even_brightness(train), even_brightness(test)
    return Images(train, train_labels, test, test_labels)


def even_brightness(images: Bytes) -> Bytes:
    """Every image scaled to the same mean pixel, 30 of 255; brighter pixels than 255 stay at it."""
    total = images.sum(axis=1, keepdims=True, dtype=np.float64)
    scaled = images * (MEAN_PIXEL * images.shape[1] / np.maximum(total, 1.0))
    even: Bytes = np.minimum(np.rint(scaled), 255.0).astype(np.uint8)
    return even


def order_of_pass(n: int, epochs: int, seed: int) -> Indices:
    """Which image is shown when: every one once an epoch, in an order of its own."""
    rng = np.random.default_rng([seed, 0x0DA])
    return np.concatenate([rng.permutation(n) for _ in range(epochs)])


def _first(images: Bytes, labels: Bytes, n: int | None, name: str) -> tuple[Bytes, Indices]:
    if n is not None and n > len(images):
        raise DataError(f"setting '{name}' = {n}; there are only {len(images)} images")
    return images[:n].reshape(-1, 784), labels[:n].astype(np.int64)
