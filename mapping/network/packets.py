"""Packets to be sent, as arrays, and the files they come from and go to.

A trace file is CSV with the columns ``cycle,source,target,flits,tag`` under that heading (the last
two may be missing: 1 and 0), or a NumPy archive (``.npz``) with arrays of these names.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mapping.graph import IntArray, integers
from simulator.errors import DataError, MappingError

__all__ = ["Packets", "packets", "read_trace", "write_trace"]

_REQUIRED = ("cycle", "source", "target")
_DEFAULTS = {"flits": 1, "tag": 0}


class Packets(NamedTuple):
    """Packets in order of creation; every field is an int64 array, shape (n,).

    Attributes
    ----------
    cycle : when each is created
    source, target : cores
    flits : length
    tag : handed back with the delivery
    """

    cycle: IntArray
    source: IntArray
    target: IntArray
    flits: IntArray
    tag: IntArray

    @property
    def n_packets(self) -> int:
        return int(self.cycle.size)


def packets(
    cycle: ArrayLike,
    source: ArrayLike,
    target: ArrayLike,
    flits: ArrayLike = 1,
    tag: ArrayLike = 0,
) -> Packets:
    """Packets from arrays (or one number for all), in order of creation.

    Raises
    ------
    MappingError
        Unequal lengths, anything but integers, a negative one, or a length of no flits.
    """
    given = [np.atleast_1d(np.asarray(values)) for values in (cycle, source, target, flits, tag)]
    n = max(values.size for values in given[:3])
    columns = []
    for name, values in zip(Packets._fields, given, strict=True):
        if values.size not in (1, n):
            raise MappingError(f"packets: {name} has {values.size} entries; expected {n}")
        checked = integers(f"packets: {name}", values)
        least = 1 if name == "flits" else 0
        if name != "tag" and checked.size and checked.min() < least:
            k = int(np.argmin(checked))
            raise MappingError(f"packets: {name}[{k}] = {checked[k]}; it must be >= {least}")
        columns.append(np.broadcast_to(checked, (n,)))
    order = np.argsort(columns[0], kind="stable")
    return Packets(*(np.ascontiguousarray(column[order]) for column in columns))


def write_trace(path: str | Path, sent: Packets) -> Path:
    """Write packets to a ``.csv`` or ``.npz`` file.

    Raises
    ------
    DataError
        Another ending, or the file cannot be written.
    """
    path = Path(path)
    try:
        if path.suffix == ".npz":
            np.savez_compressed(path, **sent._asdict())
        elif path.suffix == ".csv":
            heading = ",".join(Packets._fields)
            np.savetxt(
                path, np.column_stack(sent), fmt="%d", delimiter=",", header=heading, comments=""
            )
        else:
            raise DataError(f"'{path}': a trace file ends in .csv or .npz")
    except OSError as error:
        raise DataError(f"'{path}' cannot be written: {error}") from error
    return path


def read_trace(path: str | Path) -> Packets:
    """Read packets from a ``.csv`` or ``.npz`` file.

    Raises
    ------
    DataError
        The file is missing or damaged; the text names it, and the line of a CSV file.
    """
    path = Path(path)
    if path.suffix == ".npz":
        columns = _read_archive(path)
    elif path.suffix == ".csv":
        columns = _read_csv(path)
    else:
        raise DataError(f"'{path}': a trace file ends in .csv or .npz")
    for name, value in _DEFAULTS.items():
        columns.setdefault(name, np.full(columns["cycle"].size, value, dtype=np.int64))
    try:
        return packets(**columns)
    except MappingError as error:
        raise DataError(f"'{path}': {error}") from error


def _check_names(path: Path, names: Sequence[str]) -> None:
    for name in names:
        if name not in Packets._fields:
            raise DataError(f"'{path}': column {name!r}; a trace has {', '.join(Packets._fields)}")
    for name in _REQUIRED:
        if name not in names:
            raise DataError(f"'{path}' has no column {name!r}; it has {', '.join(names) or 'none'}")


def _read_archive(path: Path) -> dict[str, IntArray]:
    try:
        with path.open("rb") as file, np.load(file) as archive:
            _check_names(path, archive.files)
            return {name: np.asarray(archive[name]) for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"'{path}' cannot be read: {error}") from error


def _read_csv(path: Path) -> dict[str, IntArray]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"'{path}' cannot be read: {error}") from error
    if not lines:
        raise DataError(f"'{path}' is empty; expected the heading {','.join(Packets._fields)}")
    names = [name.strip() for name in lines[0].split(",")]
    _check_names(path, names)
    table = np.zeros((len(lines) - 1, len(names)), dtype=np.int64)
    for k, line in enumerate(lines[1:]):
        entries = line.split(",")
        try:
            table[k] = [int(entry) for entry in entries]
        except (ValueError, OverflowError):
            raise DataError(
                f"'{path}', line {k + 2}: {line!r}; expected {len(names)} whole numbers: "
                f"{', '.join(names)}"
            ) from None
        low = {"cycle": 0, "source": 0, "target": 0, "flits": 1}
        for name, entry in zip(names, table[k], strict=True):
            if name in low and entry < low[name]:
                raise DataError(
                    f"'{path}', line {k + 2}: {name} = {entry}; it must be >= {low[name]}"
                )
    return {name: table[:, j] for j, name in enumerate(names)}
