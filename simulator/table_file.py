"""Tables of numbers on disk that grow at their ends, in HDF5, and survive a kill.

A table is a group with one dataset a column; one of them is a time, and rows are in its order.  The
file is kept in HDF5's single-writer-multiple-readers mode, whose order of flushes leaves a valid
file at every instant: a program killed at any moment leaves all rows up to its last flush, and a
running one can be looked at.  (A file whose writer was killed is opened with
``h5py.File(path, swmr=True)``; one that was closed needs nothing special.)
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.errors import DataError

__all__ = ["Table", "TableFile", "filled_rows", "open_to_read", "read_table", "spike_table"]

Column = npt.NDArray[Any]

CHUNK_ROWS = 16_384
CHUNK_BYTES = 1 << 20
BUFFERED_BYTES = 1 << 20
FLUSH_SECONDS = 1.0
_SORTING = {"none": 0, "by_id": 1, "by_time": 2}  # of SONATA


class Table(NamedTuple):
    """Path of a group, name of its column of times (ms), other columns with type and row shape."""

    path: str
    time: str
    columns: Mapping[str, tuple[Any, tuple[int, ...]]]


def spike_table(population: str) -> Table:
    """Spikes in the SONATA layout: ``/spikes/<population>/{node_ids, timestamps}``.

    References
    ----------
    Dai et al. 2020, "The SONATA data format for efficient description of large-scale network
    models", PLoS Comput. Biol. 16(2): e1007696, section on spike output.
    """
    return Table(f"spikes/{population}", "timestamps", {"node_ids": (np.uint64, ())})


class TableFile:
    """Append rows to the tables of a file.

    Rows are buffered for at most a second (of wall time) or a megabyte; what was flushed survives
    the death of the process.

    Parameters
    ----------
    path
        The file.  Tables that it has already are continued, others in it are dropped.
    tables
        What it shall hold.  HDF5 cannot add a dataset while readers are allowed in: a table that
        is declared later costs a copy of the file.

    Raises
    ------
    DataError
        If the file cannot be written, or exists and is damaged.
    """

    def __init__(self, path: Path, tables: Iterable[Table]) -> None:
        self.path = path
        self.tables = {table.path: table for table in tables}
        self.last_time = dict.fromkeys(self.tables, -np.inf)  # ms, of each table
        self._buffers: dict[str, list[tuple[Column, ...]]] = {name: [] for name in self.tables}
        self._buffered = 0
        self._last_flush = time.monotonic()
        self._file: Any = None
        self._rewrite(np.inf)

    def declare(self, tables: Iterable[Table]) -> None:
        """Add tables."""
        new = {table.path: table for table in tables if table.path not in self.tables}
        if new:
            self.flush()
            self.tables |= new
            for name in new:
                self._buffers[name], self.last_time[name] = [], -np.inf
            self._rewrite(np.inf)

    def append(self, table: str, times: Column, *columns: Column) -> None:
        """Add rows: times (ms), in order, and the other columns in the table's order."""
        if times.size == 0:
            return
        self.last_time[table] = float(times[-1])
        self._buffers[table].append((*columns, times))
        self._buffered += sum(column.nbytes for column in (*columns, times))
        if self._buffered >= BUFFERED_BYTES or time.monotonic() - self._last_flush > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is buffered; from here on it survives the death of the process."""
        try:
            for name, rows in self._buffers.items():
                if rows:
                    # The time last, and on the disk after the others: with a time a row is whole.
                    table = self.tables[name]
                    columns = zip(*rows, strict=True)
                    for column, parts in zip((*table.columns, table.time), columns, strict=True):
                        dataset = self._file[name][column]
                        _append_rows(dataset, np.concatenate(parts))
                        dataset.flush()
                    rows.clear()
            self._file.flush()
        except OSError as error:
            raise DataError(f"cannot write '{self.path}': {error}") from error
        self._buffered = 0
        self._last_flush = time.monotonic()

    def keep_until(self, time_ms: float) -> None:
        """Forget every row after ``time_ms``."""
        self.flush()
        if max(self.last_time.values(), default=-np.inf) > time_ms:
            self._rewrite(time_ms)

    def close(self) -> None:
        """Flush and close."""
        if self._file is not None:
            self.flush()
            self._file.close()
            self._file = None

    def _rewrite(self, time_ms: float) -> None:
        """Put a new file, with the rows so far up to a time, in the place of this one.

        Written beside it and moved over it, so that there is a whole file at every instant.
        """
        import h5py

        if self._file is not None:
            self._file.close()
            self._file = None
        scratch = self.path.with_name(f".{self.path.name}.new")
        old = open_to_read(self.path) if self.path.exists() else None
        try:
            with h5py.File(scratch, "w", libver="latest", locking="best-effort") as new:
                new.attrs["magic"] = np.uint32(0x0A7A)  # of SONATA
                new.attrs["version"] = np.array([0, 1], dtype=np.uint32)
                new.create_group("spikes", track_order=True)
                for name, table in self.tables.items():
                    _create(new, table)
                    if old is not None and name in old:
                        self.last_time[name] = _copy(old[name], new[name], table, time_ms)
            os.replace(scratch, self.path)
            self._file = h5py.File(self.path, "r+", libver="latest", locking="best-effort")
            self._file.swmr_mode = True
        except OSError as error:
            raise DataError(f"cannot write '{self.path}': {error}") from error
        finally:
            if old is not None:
                old.close()


def _create(file: Any, table: Table) -> None:
    import h5py

    parent, _, name = table.path.rpartition("/")
    group = (
        file.require_group(parent)
        if parent in file
        else file.create_group(parent, track_order=True)
    )
    group = group.create_group(name)
    if parent == "spikes":
        sorting = h5py.enum_dtype(_SORTING, basetype="u1")
        group.attrs.create("sorting", _SORTING["by_time"], dtype=sorting)
    for column, (dtype, shape) in table.columns.items():
        _create_column(group, column, dtype, shape)
    # NaN marks rows that a killed writer had made room for but not filled.
    _create_column(group, table.time, np.float64, (), fillvalue=np.nan).attrs["units"] = "ms"


def _create_column(group: Any, name: str, dtype: Any, shape: Sequence[int], **options: Any) -> Any:
    row_bytes = max(1, int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize)
    rows = max(1, min(CHUNK_ROWS, CHUNK_BYTES // row_bytes))
    return group.create_dataset(
        name, (0, *shape), dtype, maxshape=(None, *shape), chunks=(rows, *shape), **options
    )


def _append_rows(dataset: Any, values: Column) -> None:
    start = dataset.shape[0]
    dataset.resize(start + values.shape[0], axis=0)
    dataset[start:] = values


def _copy(old: Any, new: Any, table: Table, time_ms: float) -> float:
    """Copy the rows up to ``time_ms``; the time of the last one, in ms."""
    last, step = -np.inf, CHUNK_ROWS
    rows = filled_rows(old, table)
    for start in range(0, rows, step):
        times = old[table.time][start : min(start + step, rows)]
        kept = int(np.searchsorted(times, time_ms, side="right"))
        for column in (*table.columns, table.time):
            if kept:
                _append_rows(new[column], old[column][start : start + kept])
        if kept:
            last = float(times[kept - 1])
        if kept < times.size:
            break
    return last


def open_to_read(path: Path) -> Any:
    """The file, open; also one whose writer still runs or was killed.

    Raises
    ------
    DataError
        If it is no HDF5 file, or damaged.
    """
    import h5py

    try:
        # Opening as one of several readers skips the check that the file has all its bytes, so
        # only a file that was not closed is opened that way.
        return h5py.File(path, "r", swmr=_was_not_closed(path), locking="best-effort")
    except OSError as error:
        raise DataError(f"'{path}' is damaged or not an HDF5 file: {error}") from error


def read_table(path: Path, table: Table) -> tuple[Column, ...]:
    """All whole rows of a table: times (ms), then the other columns in order."""
    with open_to_read(path) as file:
        if table.path not in file:
            raise DataError(f"'{path}' has no table {table.path!r}")
        group = file[table.path]
        rows = filled_rows(group, table)
        return tuple(group[column][:rows] for column in (table.time, *table.columns))


def filled_rows(group: Any, table: Table) -> int:
    """How many rows are whole: a killed writer may have left room that it had not filled."""
    rows = min(int(group[column].shape[0]) for column in (table.time, *table.columns))
    while rows:
        start = max(0, rows - CHUNK_ROWS)
        filled = np.flatnonzero(~np.isnan(group[table.time][start:rows]))
        if filled.size:
            return start + int(filled[-1]) + 1
        rows = start
    return 0


def _was_not_closed(path: Path) -> bool:
    """Whether the superblock says that a writer is at work, or was when it was killed.

    Its byte 8 is its version, and from version 2 on byte 11 holds the flags of open writers (HDF5
    File Format Specification, section II.A).
    """
    with open(path, "rb") as file:
        head = file.read(12)
    return len(head) == 12 and head[8] >= 2 and head[11] != 0
