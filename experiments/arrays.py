"""Named arrays in an uncompressed `.npz` file, written whole and checked on the way in and out."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.atomic import write_atomically
from simulator.errors import DataError

__all__ = ["packed", "read_arrays", "unpacked", "write_arrays"]


def write_arrays(path: Path, arrays: Mapping[str, npt.ArrayLike]) -> None:
    """Write arrays atomically.

    Raises
    ------
    DataError
        If an array holds NaN or infinity or Python objects, or the place cannot be written to.
    """
    checked: dict[str, npt.NDArray[Any]] = {}
    for name, values in arrays.items():
        array = np.asarray(values)
        if array.dtype.hasobject:
            raise DataError(f"array '{name}' for '{path}' holds Python objects; use numbers")
        if array.dtype.kind in "fc" and not np.isfinite(array).all():
            index = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
            raise DataError(f"array '{name}' for '{path}': element {index} is {array[index]}")
        checked[name] = array

    def write(file: Any) -> None:
        # Not np.savez(**checked), which would refuse an array called "file".
        with zipfile.ZipFile(file, "w") as archive:
            for name, array in checked.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)

    write_atomically(path, write)


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read all arrays of a `.npz` file.

    Raises
    ------
    DataError
        If the file is missing or damaged.
    """
    if not path.exists():
        raise DataError(f"'{path}' does not exist: the run did not write it")
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"'{path}' is damaged: {error}") from error


def packed(state: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.uint8]:
    """The state of an engine as one array of bytes, to be written with others: it holds infinite
    times, which :func:`write_arrays` refuses."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **state)
    return np.frombuffer(file.getvalue(), dtype=np.uint8)


def unpacked(state: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
    """The inverse of :func:`packed`."""
    with np.load(io.BytesIO(state.tobytes()), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
