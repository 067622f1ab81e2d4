"""MNIST and Fashion-MNIST: 60,000 + 10,000 grey images of 28 x 28 pixels in ten classes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from experiments.datasets.catalogue import FASHION_MNIST, MNIST, DataSet, locate
from experiments.datasets.idx import read_idx
from simulator.errors import DataError

__all__ = ["Split", "check_images", "load_fashion_mnist", "load_mnist"]

Split = Literal["train", "test"]
Bytes = npt.NDArray[np.uint8]
PREFIX = {"train": "train", "test": "t10k"}


def load_mnist(split: Split, data_dir: str | Path | None = None) -> tuple[Bytes, Bytes]:
    """The MNIST digits.

    Parameters
    ----------
    split
        "train" or "test".
    data_dir
        A directory that holds `mnist/`, looked at first; see `catalogue.search_places`.

    Returns
    -------
    images : ndarray of uint8, shape (n, 28, 28)
        0 is paper, 255 is ink.
    labels : ndarray of uint8, shape (n,)

    Raises
    ------
    DataError
        If the files are not found (the text says how to get them) or damaged.
    """
    return _load(MNIST, split, data_dir)


def load_fashion_mnist(split: Split, data_dir: str | Path | None = None) -> tuple[Bytes, Bytes]:
    """The Fashion-MNIST images of clothes, in the form of `load_mnist`."""
    return _load(FASHION_MNIST, split, data_dir)


def check_images(images: Bytes, labels: Bytes, name: str) -> None:
    """Refuse images and labels that do not go together.

    Raises
    ------
    DataError
        If the images are not 28 x 28, the numbers differ, or a label is not in 0..9.
    """
    if images.shape[1:] != (28, 28):
        raise DataError(f"{name}: images have {images.shape[1:]} pixels, not (28, 28)")
    if len(images) != len(labels):
        raise DataError(f"{name}: {len(images)} images but {len(labels)} labels")
    if not len(images):
        raise DataError(f"{name}: there are no images in it")
    if labels.max() > 9:
        k = int(labels.argmax())
        raise DataError(f"{name}: label[{k}] = {labels[k]}; labels are 0 to 9")


def check_split(split: str) -> None:
    """Refuse a split other than "train" and "test".

    Raises
    ------
    DataError
        If it is another.
    """
    if split not in PREFIX:
        raise DataError(f"there is no split '{split}'; there are 'train' and 'test'")


def _load(data_set: DataSet, split: str, data_dir: str | Path | None) -> tuple[Bytes, Bytes]:
    check_split(split)
    names = [f"{PREFIX[split]}-images-idx3-ubyte.gz", f"{PREFIX[split]}-labels-idx1-ubyte.gz"]
    image_file, label_file = locate(data_set, names, data_dir)
    images, labels = read_idx(image_file, 3), read_idx(label_file, 1)
    check_images(images, labels, f"'{image_file}' with '{label_file.name}'")
    return images, labels
