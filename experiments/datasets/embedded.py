"""2,000 training and 500 test digits of MNIST inside the package: a first run needs no data set.

Every class has as many: 200 and 50. `experiments.datasets.make_sample` made the files from the
published ones; `experiments/data/ATTRIBUTION.md` says whose they are.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from experiments.datasets.digits import Split, check_images, check_split
from experiments.datasets.idx import read_idx
from simulator.errors import DataError

__all__ = ["DIRECTORY", "embedded_digits", "sample_files"]

Bytes = npt.NDArray[np.uint8]
DIRECTORY = Path(__file__).parents[1] / "data"
SHA256 = {
    "mnist-sample-train-images.idx3.xz": (
        "46d53302ac3b627dd3615243c9cfcb632161254f86056d022b77e4607093f686"
    ),
    "mnist-sample-train-labels.idx1.xz": (
        "1a57357ab048cc006998aaa1511f7f1911e61b181289fd400b03567cb3ce5e45"
    ),
    "mnist-sample-test-images.idx3.xz": (
        "c4d90246f5ec7c4511aede7f2748e14e79f73764e0b77b9dbfb8bfebec633560"
    ),
    "mnist-sample-test-labels.idx1.xz": (
        "a1eb79a0e0088484f073f3a2f838c55da151df2dc42fc26d618fb7f5e5621da7"
    ),
}


def sample_files(split: str) -> tuple[str, str]:
    """The names of the files of one split: images, labels."""
    return f"mnist-sample-{split}-images.idx3.xz", f"mnist-sample-{split}-labels.idx1.xz"


def embedded_digits(split: Split) -> tuple[Bytes, Bytes]:
    """The embedded sample of MNIST.

    Parameters
    ----------
    split
        "train" (2,000 digits) or "test" (500 digits).

    Returns
    -------
    images : ndarray of uint8, shape (n, 28, 28)
        0 is paper, 255 is ink.
    labels : ndarray of uint8, shape (n,)

    Raises
    ------
    DataError
        If a file of the package is missing or not the one that was shipped.
    """
    check_split(split)
    image_file, label_file = (DIRECTORY / name for name in sample_files(split))
    for path in (image_file, label_file):
        if not path.is_file():
            raise DataError(f"'{path}' is missing; install spikemesh again")
        if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256[path.name]:
            raise DataError(f"'{path}' is damaged: its SHA-256 differs; install spikemesh again")
    images, labels = read_idx(image_file, 3), read_idx(label_file, 1)
    check_images(images, labels, f"'{image_file}'")
    return images, labels
