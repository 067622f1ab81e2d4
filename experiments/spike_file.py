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

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.errors import DataError
from simulator.table_file import Table, TableFile, filled_rows, open_to_read, spike_table

__all__ = ["SpikeFileReader", "SpikeFileWriter"]

Times = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


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
        self._tables: dict[str, Table] = {}
        if path.exists():
            with SpikeFileReader(path) as reader:
                self._tables = {name: spike_table(name) for name in reader.populations}
        self._file = TableFile(path, self._tables.values())

    def declare(self, populations: list[str]) -> None:
        """Make room for populations, so that one without a spike is in the file too.

        Declaring all of them before the first spike is the quick way: a later one costs a copy of
        the file.
        """
        for name in populations:
            if not name or "/" in name or name == ".":
                raise DataError(f"population name {name!r} cannot name a group in {self.path}")
        self._tables |= {name: spike_table(name) for name in populations}
        self._file.declare(self._tables.values())

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
        if population not in self._tables:
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
        table = self._tables[population].path
        if times[0] < self._file.last_time[table]:
            raise DataError(
                f"{where}: {times[0]} ms comes after {self._file.last_time[table]} ms was "
                "already written; append spikes in order of time"
            )
        self._file.append(table, times, nodes)

    def flush(self) -> None:
        """Write what is buffered; from here on it survives the death of the process."""
        self._file.flush()

    def keep_until(self, time_ms: float) -> None:
        """Forget every spike after `time_ms`; a run resumed from there appends its own.

        Raises
        ------
        DataError
            If the file is damaged.
        """
        self._file.keep_until(time_ms)

    def close(self) -> None:
        """Flush and close."""
        self._file.close()


class SpikeFileReader:
    """Read a SONATA spike file, also one whose writer still runs or was killed.

    Raises
    ------
    DataError
        If the file is missing, is not HDF5, or does not have the SONATA layout.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            raise DataError(f"'{path}' does not exist: the run recorded no spikes")
        self._file = open_to_read(path)
        self._counts: dict[str, int] = {}
        try:
            for name, group in self._file["spikes"].items():
                self._counts[name] = filled_rows(group, spike_table(name))
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
