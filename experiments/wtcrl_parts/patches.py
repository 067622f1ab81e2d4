"""Images cut into patches: the training, test and picture material of one run.

The protocol is the source's, with three remarks. Digits are resized from 28 x 28 to 30 x 30 pixels
with Lanczos' filter, because 5 does not divide 28. Grey values are scaled with the extremes of
training and test images together. For natural images the source tests on the photographs it
trained on; here a fifth of all patches is kept from training and the test uses those alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from experiments.datasets import (
    embedded_digits,
    load_fashion_mnist,
    load_mnist,
    load_natural_images,
)
from experiments.datasets.digits import Split
from simulator.errors import DataError
from simulator.seeds import generator

__all__ = ["DIGIT_SIZE", "Data", "Patches", "cut", "join", "load_patches", "resized"]

Data = Literal["mnist", "embedded", "fashion", "natural"]
Floats = npt.NDArray[np.float64]

DIGIT_SIZE = 30  # pixels, after resizing
MARGIN = {"mnist": 0.15, "embedded": 0.15, "fashion": 0.15, "natural": 0.05}
HELD_OUT = 0.2  # share of the patches of photographs that only the test sees
GALLERY = {"mnist": 10, "embedded": 10, "fashion": 10, "natural": 1}
PHOTOGRAPH = "camera"


@dataclass(frozen=True)
class Patches:
    """What a run learns from and is measured on; grey values are raw, in [0, 1].

    Attributes
    ----------
    train : (n_train, side * side)
        In the order of presentation.
    test : (n_test, side * side)
    curve : (n_curve, side * side)
        Drawn from the training images, for the learning curve.
    gallery : (n_images, height, width)
        Whole images to be shown next to their reconstructions.
    side : int
        Edge of a patch in pixels.
    low, high : float
        The extremes of all images.
    margin : float
        Distance of the scaled values from 0 and 1, where the ring closes.
    """

    train: Floats
    test: Floats
    curve: Floats
    gallery: Floats
    side: int
    low: float
    high: float
    margin: float

    def scaled(self, values: Floats) -> Floats:
        """Raw grey values on the ring, in [margin, 1 - margin]."""
        unit = (values - self.low) / (self.high - self.low)
        on_ring: Floats = self.margin + (1.0 - 2.0 * self.margin) * unit
        return on_ring

    def raw(self, on_ring: Floats) -> Floats:
        """Back from the ring: clipped to its margins, so that black and white do not wrap."""
        unit = (np.clip(on_ring, self.margin, 1.0 - self.margin) - self.margin) / (
            1.0 - 2.0 * self.margin
        )
        values: Floats = self.low + (self.high - self.low) * unit
        return values


def cut(images: npt.NDArray[Any], side: int) -> npt.NDArray[Any]:
    """Disjoint patches, row by row: (n, height, width) -> (n, patches per image, side * side).

    Raises
    ------
    DataError
        If `side` does not divide the height and the width.
    """
    n, height, width = images.shape
    if side < 1 or height % side or width % side:
        raise DataError(
            f"patches of {side} x {side} pixels do not tile images of {height} x {width}; "
            "choose a divisor of both"
        )
    grid = images.reshape(n, height // side, side, width // side, side).swapaxes(2, 3)
    return grid.reshape(n, -1, side * side)


def join(patches: Floats, height: int, width: int) -> Floats:
    """The inverse of `cut`: (n, patches per image, side * side) -> (n, height, width)."""
    n, _, area = patches.shape
    side = round(area**0.5)
    grid = patches.reshape(n, height // side, width // side, side, side).swapaxes(2, 3)
    return grid.reshape(n, height, width)


def resized(images: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    """Images of `size` x `size` pixels, by Lanczos' filter."""
    from PIL import Image

    shape = (size, size)
    return np.stack(
        [
            np.asarray(Image.fromarray(image).resize(shape, Image.Resampling.LANCZOS))
            for image in images
        ]
    )


def load_patches(
    data: Data,
    *,
    seed: int,
    side: int,
    n_train: int,
    n_curve: int,
    n_train_images: int | None,
    n_test_images: int | None,
    evaluate_on: Literal["test", "validation"],
    data_dir: Path | None,
) -> Patches:
    """Draw the patches of a run.

    Parameters
    ----------
    data
        Which images.
    seed
        Draws the images and the patches; every seed draws others.
    side
        Of a patch, in pixels.
    n_train, n_curve
        How many training and learning-curve patches are drawn, with replacement.
    n_train_images, n_test_images
        How many images are drawn, without replacement; None for all of them.
    evaluate_on
        "validation" takes training images that are not trained on in place of the test images.
    data_dir
        See `experiments.datasets`.

    Raises
    ------
    DataError
        If the data are not there, or not so many, or the patches do not fit.
    """
    if data == "natural":
        return _natural(seed, side, n_train, n_curve, evaluate_on)
    available = _images(data, "train", data_dir)
    order = generator(seed, "wtcrl", "training images").permutation(len(available))
    n = _at_most(n_train_images, len(available), "n_train_images", data)
    train = resized(available[order[:n]], DIGIT_SIZE)
    if evaluate_on == "validation":
        rest = available[order[n:]]
        if not len(rest):
            raise DataError(
                f"setting 'n_train_images' = {n}; {data} has no images left for validation"
            )
        k = _at_most(n_test_images, len(rest), "n_test_images", f"the rest of {data}")
        test = resized(rest[:k], DIGIT_SIZE)
    else:
        available = _images(data, "test", data_dir)
        order = generator(seed, "wtcrl", "test images").permutation(len(available))
        k = _at_most(n_test_images, len(available), "n_test_images", data)
        test = resized(available[order[:k]], DIGIT_SIZE)
    pool = cut(train, side).reshape(-1, side * side)
    return Patches(
        train=_grey(_drawn(pool, seed, "training patches", n_train)),
        test=_grey(cut(test, side).reshape(-1, side * side)),
        curve=_grey(_drawn(pool, seed, "curve patches", n_curve)),
        gallery=_grey(test[: GALLERY[data]]),
        side=side,
        low=min(train.min(), test.min()) / 255.0,
        high=max(train.max(), test.max()) / 255.0,
        margin=MARGIN[data],
    )


def _images(data: Data, split: Split, data_dir: Path | None) -> npt.NDArray[np.uint8]:
    if data == "mnist":
        return load_mnist(split, data_dir)[0]
    if data == "fashion":
        return load_fashion_mnist(split, data_dir)[0]
    return embedded_digits(split)[0]


def _natural(seed: int, side: int, n_train: int, n_curve: int, evaluate_on: str) -> Patches:
    photographs = load_natural_images()
    cropped = {
        name: image[: image.shape[0] // side * side, : image.shape[1] // side * side]
        for name, image in photographs.items()
    }
    pool = np.concatenate([cut(image[None], side)[0] for image in cropped.values()])
    pool = pool[generator(seed, "wtcrl", "held-out patches").permutation(len(pool))]
    held = round(HELD_OUT * len(pool))
    test, train = pool[:held], pool[held:]
    if evaluate_on == "validation":
        test, train = train[:held], train[held:]
    return Patches(
        train=_drawn(train, seed, "training patches", n_train),
        test=test,
        curve=_drawn(train, seed, "curve patches", n_curve),
        gallery=cropped[PHOTOGRAPH][None],
        side=side,
        low=float(pool.min()),
        high=float(pool.max()),
        margin=MARGIN["natural"],
    )


def _drawn(pool: npt.NDArray[Any], seed: int, what: str, n: int) -> npt.NDArray[Any]:
    """`n` of the pool, with replacement."""
    return pool[generator(seed, "wtcrl", what).integers(0, len(pool), n)]


def _grey(values: npt.NDArray[Any]) -> Floats:
    grey: Floats = values / 255.0
    return grey


def _at_most(wanted: int | None, available: int, name: str, data: str) -> int:
    if wanted is None:
        return available
    if not 1 <= wanted <= available:
        raise DataError(f"setting '{name}' = {wanted}; {data} has 1 to {available} images for it")
    return wanted
