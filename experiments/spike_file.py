"""Spikes on disk in the SONATA layout: `/spikes/<population>/{node_ids, timestamps}` in HDF5.

The writer keeps the file in HDF5's single-writer-multiple-readers mode, whose order of flushes
leaves a valid file at every instant: a run killed at any moment can be read up to its last flush,
and a running one can be looked at. (A file whose writer was killed is opened with
`h5py.File(path, swmr=True)`; one that was closed needs nothing special.)

References
----------
Dai et al. 2020, "The SONATA data format for efficient description of large-scale network models",
PLoS Comput. Biol. 16(2): e1007696, section on spike output.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.errors import DataError

__all__ = ["SpikeFileReader", "SpikeFileWriter"]

Times = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

SORTING = {"none": 0, "by_id": 1, "by_time": 2}
CHUNK_ROWS = 16_384
BUFFERED_ROWS = 65_536
FLUSH_SECONDS = 1.0


class SpikeFileWriter:
    """Append spikes to a SONATA file, in order of time per population.

    Spikes are buffered for at most a second (of wall time) or 65,536 spikes; what was flushed
    survives the death of the process.

    Parameters
    ----------
    path
        The file; an existing one is continued.

    Raises
    ------
    DataError
        If the file cannot be created, or exists and is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._buffers: dict[str, list[tuple[Times, Indices]]] = {}
        self._buffered_rows = 0
        self._last_time: dict[str, float] = {}
        self._last_flush = time.monotonic()
        self._file: Any = None
        if path.exists():
            self.keep_until(np.inf)
        else:
            self._replace([], np.inf)

    def declare(self, populations: list[str]) -> None:
        """Make room for populations, so that one without a spike is in the file too.

        Declaring all of them before the first spike is the quick way: HDF5 cannot add a dataset
        while readers are allowed in, so a later one costs a copy of the file.
        """
        new = [name for name in populations if name not in self._buffers]
        for name in new:
            if not name or "/" in name or name == ".":
                raise DataError(f"population name {name!r} cannot name a group in {self.path}")
        if new:
            self.flush()
            self._replace([*self._buffers, *new], np.inf)

    def append(self, population: str, times_ms: npt.ArrayLike, node_ids: npt.ArrayLike) -> None:
        """Add spikes of one population.

        Parameters
        ----------
        population
            Its name; an unknown one is declared.
        times_ms
            Spike times in ms, shape `(n,)`, finite; in any order within one call, but not before
            the last spike of an earlier call.
        node_ids
            Neuron indices, shape `(n,)`, integers >= 0.

        Raises
        ------
        DataError
            If the shapes differ, a time is not finite or goes back, or an index is negative.
        """
        times = np.array(times_ms, dtype=np.float64, ndmin=1)
        nodes = np.array(node_ids, ndmin=1)
        where = f"spikes of population '{population}'"
        if times.ndim != 1 or times.shape != nodes.shape:
            raise DataError(
                f"{where}: {times.shape} times and {nodes.shape} neuron indices; "
                "both must have the same shape (n,)"
            )
        if population not in self._buffers:
            self.declare([population])
        if times.size == 0:
            return
        if nodes.dtype.kind not in "iu":
            raise DataError(f"{where}: neuron indices are {nodes.dtype}; they must be integers")
        if not np.isfinite(times).all():
            k = int(np.flatnonzero(~np.isfinite(times))[0])
            raise DataError(f"{where}: time[{k}] = {times[k]} ms; spike times must be finite")
        if int(nodes.min()) < 0:
            k = int(np.argmin(nodes))
            raise DataError(f"{where}: neuron index[{k}] = {nodes[k]}; indices must be >= 0")
        # Ties go by neuron index, so that the file does not depend on how spikes were batched.
        order = np.lexsort((nodes, times))
        times, nodes = times[order], nodes[order].astype(np.int64, copy=False)
        if times[0] < self._last_time[population]:
            raise DataError(
                f"{where}: {times[0]} ms comes after {self._last_time[population]} ms was "
                "already written; append spikes in order of time"
            )
        self._last_time[population] = float(times[-1])
        self._buffers[population].append((times, nodes))
        self._buffered_rows += times.size
        if (
            self._buffered_rows >= BUFFERED_ROWS
            or time.monotonic() - self._last_flush > FLUSH_SECONDS
        ):
            self.flush()

    def flush(self) -> None:
        """Write what is buffered; from here on it survives the death of the process."""
        try:
            for population, batches in self._buffers.items():
                if batches:
                    self._extend(population, batches)
                    batches.clear()
            self._file.flush()
        except OSError as error:
            raise DataError(f"cannot write '{self.path}': {error}") from error
        self._buffered_rows = 0
        self._last_flush = time.monotonic()

    def keep_until(self, time_ms: float) -> None:
        """Forget every spike after `time_ms`; a run resumed from there appends its own.

        Raises
        ------
        DataError
            If the file is damaged.
        """
        if self._file is not None:
            self.flush()
        with SpikeFileReader(self.path) as reader:
            populations = reader.populations
        self._replace(populations, time_ms)

    def close(self) -> None:
        """Flush and close."""
        if self._file is not None:
            self.flush()
            self._file.close()
            self._file = None

    def _extend(self, population: str, batches: list[tuple[Times, Indices]]) -> None:
        group = self._file["spikes"][population]
        times = np.concatenate([batch[0] for batch in batches])
        nodes = np.concatenate([batch[1] for batch in batches])
        # Indices first, and on the disk before the times: a row with a time is then a whole row.
        for name, values in (("node_ids", nodes), ("timestamps", times)):
            _append_rows(group[name], values)
            group[name].flush()

    def _replace(self, populations: list[str], time_ms: float) -> None:
        """Put a new file with these populations, and the spikes so far, in the place of this one.

        Written beside it and moved over it, so that there is a whole file at every instant.
        """
        import h5py

        if self._file is not None:
            self._file.close()
            self._file = None
        scratch = self.path.with_name(f".{self.path.name}.new")
        try:
            old = SpikeFileReader(self.path) if self.path.exists() else None
            with h5py.File(scratch, "w", libver="latest", locking="best-effort") as new:
                new.attrs["magic"] = np.uint32(0x0A7A)
                new.attrs["version"] = np.array([0, 1], dtype=np.uint32)
                spikes = new.create_group("spikes", track_order=True)
                for name in populations:
                    _create_population(spikes, name)
                    self._buffers.setdefault(name, [])
                    self._last_time.setdefault(name, -np.inf)
                    if old is not None and name in old.populations:
                        self._last_time[name] = _copy_until(old, spikes[name], name, time_ms)
            if old is not None:
                old.close()
            os.replace(scratch, self.path)
            self._file = h5py.File(self.path, "r+", libver="latest", locking="best-effort")
            self._file.swmr_mode = True
        except OSError as error:
            raise DataError(f"cannot write '{self.path}': {error}") from error


def _create_population(spikes: Any, name: str) -> None:
    import h5py

    group = spikes.create_group(name)
    sorting = h5py.enum_dtype(SORTING, basetype="u1")
    group.attrs.create("sorting", SORTING["by_time"], dtype=sorting)
    shape: dict[str, Any] = {"shape": (0,), "maxshape": (None,), "chunks": (CHUNK_ROWS,)}
    group.create_dataset("node_ids", dtype=np.uint64, **shape)
    # NaN marks rows that a killed writer had made room for but not filled.
    times = group.create_dataset("timestamps", dtype=np.float64, fillvalue=np.nan, **shape)
    times.attrs["units"] = "ms"


def _append_rows(dataset: Any, values: npt.NDArray[Any]) -> None:
    start = dataset.shape[0]
    dataset.resize((start + values.size,))
    dataset[start:] = values


def _copy_until(old: SpikeFileReader, group: Any, name: str, time_ms: float) -> float:
    """Copy the spikes up to `time_ms`; return the time of the last one, in ms."""
    last = -np.inf
    for times, nodes in old.chunks(name):
        kept = int(np.searchsorted(times, time_ms, side="right"))
        if kept:
            _append_rows(group["node_ids"], nodes[:kept])
            _append_rows(group["timestamps"], times[:kept])
            last = float(times[kept - 1])
        if kept < times.size:
            break
    return last


class SpikeFileReader:
    """Read a SONATA spike file, also one whose writer still runs or was killed.

    Raises
    ------
    DataError
        If the file is missing, is not HDF5, or does not have the SONATA layout.
    """

    def __init__(self, path: Path) -> None:
        import h5py

        self.path = path
        if not path.exists():
            raise DataError(f"'{path}' does not exist: the run recorded no spikes")
        try:
            # Opening as one of several readers skips the check that the file has all its bytes, so
            # only a file that was not closed is opened that way.
            swmr = _was_not_closed(path)
            self._file = h5py.File(path, "r", swmr=swmr, locking="best-effort")
        except OSError as error:
            raise DataError(f"'{path}' is damaged or not an HDF5 file: {error}") from error
        self._counts: dict[str, int] = {}
        try:
            for name, group in self._file["spikes"].items():
                self._counts[name] = _filled_rows(group)
        except (KeyError, OSError, RuntimeError, AttributeError) as error:
            self._file.close()
            raise DataError(
                f"'{path}' is damaged: expected /spikes/<population>/{{node_ids, timestamps}}; "
                f"{error}"
            ) from error

    def __enter__(self) -> SpikeFileReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def populations(self) -> list[str]:
        """The names of the populations, in the order they were declared in."""
        return list(self._counts)

    def count(self, population: str) -> int:
        """How many spikes a population has."""
        self._check(population)
        return self._counts[population]

    def chunks(
        self, population: str, start: int = 0, stop: int | None = None, rows: int = 1 << 20
    ) -> Iterator[tuple[Times, Indices]]:
        """Yield `(times in ms, neuron indices)` of rows `start` to `stop`, `rows` at a time."""
        stop = self.count(population) if stop is None else min(stop, self.count(population))
        group = self._file["spikes"][population]
        for first in range(start, stop, rows):
            yield self._rows(group, first, min(first + rows, stop))

    def last_time_ms(self) -> float:
        """The time of the last spike of any population in ms; 0 if there is none."""
        counts = self._counts.items()
        return max((float(self.read(name, n - 1)[0][0]) for name, n in counts if n), default=0.0)

    def between(self, population: str, start_ms: float, stop_ms: float) -> tuple[int, int]:
        """The range of rows with `start_ms <= time < stop_ms`, by bisection on the disk."""
        self._check(population)
        times = self._file["spikes"][population]["timestamps"]

        def first_not_before(time_ms: float) -> int:
            low, high = 0, self._counts[population]
            while low < high:
                middle = (low + high) // 2
                if times[middle] < time_ms:
                    low = middle + 1
                else:
                    high = middle
            return low

        return first_not_before(start_ms), first_not_before(stop_ms)

    def read(
        self, population: str, start: int = 0, stop: int | None = None
    ) -> tuple[Times, Indices]:
        """The spikes in rows `start` to `stop`: `(times in ms, neuron indices)`."""
        self._check(population)
        count = self._counts[population]
        group = self._file["spikes"][population]
        return self._rows(group, start, count if stop is None else min(stop, count))

    def _rows(self, group: Any, start: int, stop: int) -> tuple[Times, Indices]:
        try:
            times = group["timestamps"][start:stop]
            nodes = group["node_ids"][start:stop]
        except OSError as error:
            raise DataError(f"'{self.path}' is damaged: {error}") from error
        if not (times[1:] >= times[:-1]).all():
            k = start + 1 + int(np.argmin(times[1:] >= times[:-1]))
            raise DataError(f"'{self.path}' is damaged: time[{k}] comes before the one in front")
        return times.astype(np.float64, copy=False), nodes.astype(np.int64)

    def _check(self, population: str) -> None:
        if population not in self._counts:
            known = ", ".join(f"'{name}'" for name in self._counts) or "none"
            raise DataError(
                f"'{self.path}' has no population '{population}'; its populations are {known}"
            )


def _was_not_closed(path: Path) -> bool:
    """Whether the superblock says that a writer is at work, or was when it was killed.

    Its byte 8 is its version, and from version 2 on byte 11 holds the flags of open writers (HDF5
    File Format Specification, section II.A).
    """
    with open(path, "rb") as file:
        head = file.read(12)
    return len(head) == 12 and head[8] >= 2 and head[11] != 0


def _filled_rows(group: Any) -> int:
    """How many rows are whole: a killed writer may have left room that it had not filled."""
    rows = min(group["node_ids"].shape[0], group["timestamps"].shape[0])
    while rows:
        start = max(0, rows - CHUNK_ROWS)
        filled = np.flatnonzero(~np.isnan(group["timestamps"][start:rows]))
        if filled.size:
            return int(start + filled[-1] + 1)
        rows = start
    return 0
