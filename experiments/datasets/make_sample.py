"""Make the embedded sample of MNIST: `python -m experiments.datasets.make_sample`.

Draws as many digits of each class with a fixed seed and keeps them in their published order, so
that the pixels are those of MNIST and everybody who runs this gets the same digits.
"""

from __future__ import annotations

import argparse
import hashlib
import lzma
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from experiments.atomic import write_atomically
from experiments.datasets.digits import Split, load_mnist
from experiments.datasets.embedded import DIRECTORY, sample_files
from experiments.datasets.idx import encode_idx

__all__ = ["choose", "main"]

SEED = 2000
PER_CLASS: dict[Split, int] = {"train": 200, "test": 50}


def choose(labels: npt.NDArray[np.uint8], per_class: int, seed: int) -> npt.NDArray[np.int64]:
    """Indices of `per_class` items of each of the ten classes, drawn at random, in rising order."""
    # Sorting by a random key and taking the first ones needs only the bits of the generator.
    key = np.random.Generator(np.random.PCG64(seed)).random(labels.size)
    order = np.argsort(key, kind="stable")
    chosen = [order[labels[order] == digit][:per_class] for digit in range(10)]
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def main() -> None:
    """Write the four files and print their checksums, which `embedded.SHA256` must name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="directory that holds mnist/")
    parser.add_argument("--out", type=Path, default=DIRECTORY, help="where the files go")
    arguments = parser.parse_args()
    for split, per_class in PER_CLASS.items():
        images, labels = load_mnist(split, arguments.data)
        kept = choose(labels, per_class, SEED)
        for name, values in zip(sample_files(split), (images[kept], labels[kept]), strict=True):
            packed = lzma.compress(encode_idx(values), preset=9 | lzma.PRESET_EXTREME)
            write_atomically(arguments.out / name, partial(_put, packed))
            print(f'    "{name}": "{hashlib.sha256(packed).hexdigest()}",  # {len(packed)} bytes')


def _put(content: bytes, file: IO[bytes]) -> None:
    file.write(content)


if __name__ == "__main__":
    main()
