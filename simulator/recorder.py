"""What a run has recorded: spikes, samples, events, changes; in memory or in a file.

Layout of a file, all of it HDF5 datasets with one row an entry, times in ms and ascending::

    /spikes/<population>/{timestamps, node_ids}                the SONATA layout
    /states/<population>/{times, <variable>, ...}              (n,), (n, neurons)
    /events/<population>/{times, node_ids, <variable>, ...}    (n,) each
    /weights/<projection>/{times, weights}                     (n,), (n, *shape of the weights)
    /weight_changes/<projection>/{times, synapses, weights}    (n,) each
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.errors import DataError, NetworkError
from simulator.network import Network
from simulator.recorders import StateSampling, WeightSampling
from simulator.table_file import Table, TableFile, spike_table

__all__ = ["Recording", "SpikeSink"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SpikeSink = Callable[[str, Floats, Ints], None]


class Recording:
    """Everything that a network is asked to record.

    Parameters
    ----------
    network
        The description.
    weight_shapes
        Shape of :meth:`simulator.Simulation.weights`, by projection whose weights are sampled.

    Attributes
    ----------
    sink : callable or None
        When set, ``sink(population, times_ms, neurons)`` gets the spikes piece by piece and they
        are not kept here.
    """

    def __init__(self, network: Network, weight_shapes: Mapping[str, tuple[int, ...]]) -> None:
        plans = network.recorders
        self._names = list(network.populations)
        self._plans: list[StateSampling | WeightSampling] = [*plans.states, *plans.weights]
        self._next = [0] * len(self._plans)
        self.sink: SpikeSink | None = None
        tables = [spike_table(name) for name in self._names if name in plans.spikes]
        columns: dict[str, tuple[Any, tuple[int, ...]]]
        for state in plans.states:
            size = network.populations[state.population].size
            columns = dict.fromkeys(state.variables, (np.float64, (size,)))
            tables.append(Table(f"states/{state.population}", "times", columns))
        for event in plans.events:
            columns = dict.fromkeys(event.variables, (np.float64, ()))
            columns = {"node_ids": (np.uint64, ()), **columns}
            tables.append(Table(f"events/{event.population}", "times", columns))
        for weight in plans.weights:
            columns = {"weights": (np.float64, weight_shapes[weight.projection])}
            tables.append(Table(f"weights/{weight.projection}", "times", columns))
        for change in plans.changes:
            columns = {"synapses": (np.int64, ()), "weights": (np.float64, ())}
            tables.append(Table(f"weight_changes/{change}", "times", columns))
        self._tables = {table.path: table for table in tables}
        self._rows: dict[str, list[tuple[Any, ...]]] = {path: [] for path in self._tables}
        self._file: TableFile | None = None

    # -- where it goes -----------------------------------------------------------------------

    def open(self, path: Path, now: float, resume: bool) -> None:
        """Record to a file from here on; what is in memory is put there first.

        Raises
        ------
        DataError
            If the file exists and is not to be resumed, or cannot be written.
        """
        if self._file is not None:
            raise DataError(f"this simulation records to '{self._file.path}' already")
        if path.exists() and not resume:
            raise DataError(f"'{path}' exists; choose another name, remove it, or resume it")
        for name in self._tables:
            if name.count("/") > 1:
                raise DataError(f"{name.partition('/')[2]!r} cannot name a group in '{path}'")
        self._file = TableFile(path, self._tables.values())
        if resume:
            self._file.keep_until(now)
        for name in self._tables:
            times, *columns = self._read_memory(name)
            self._file.append(name, times, *columns)
            self._rows[name] = []
        self._file.flush()

    def flush(self) -> None:
        """Put on the disk what is buffered."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the file, if there is one; from here on it is memory again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def go_to(self, t: float) -> None:
        """A restored run stands behind all that happened up to ``t`` (ms) and goes on from there:
        what was recorded after it is dropped, and samples after it are still to be taken."""
        self._next = [bisect_right(plan.times, t) for plan in self._plans]
        if self._file is not None:
            self._file.keep_until(t)
        for name in self._tables:
            rows = self._read_memory(name)
            kept = int(np.searchsorted(rows[0], t, side="right"))
            self._rows[name] = [tuple(column[:kept] for column in rows)]

    def _add(self, name: str, times: Floats, *columns: npt.NDArray[Any]) -> None:
        if self._file is None:
            self._rows[name].append((times, *columns))
        else:
            self._file.append(name, times, *columns)

    def _read(self, name: str) -> tuple[npt.NDArray[Any], ...]:
        if self._file is not None:
            raise NetworkError(f"{name!r} is recorded to '{self._file.path}'; read it there")
        return self._read_memory(name)

    def _read_memory(self, name: str) -> tuple[npt.NDArray[Any], ...]:
        rows = self._rows[name]
        if len(rows) != 1:
            table = self._tables[name]
            kinds = [(np.float64, ()), *table.columns.values()]
            joined = tuple(
                np.concatenate([np.empty((0, *shape), dtype), *(row[k] for row in rows)])
                for k, (dtype, shape) in enumerate(kinds)
            )
            self._rows[name] = [joined]
        return self._rows[name][0]

    # -- taking ------------------------------------------------------------------------------

    def is_recorded(self, k: int) -> bool:
        """Whether spikes of population number ``k`` are kept."""
        return f"spikes/{self._names[k]}" in self._tables

    def add_spikes(self, times: Floats, neurons: Ints, pops: Ints) -> None:
        """Sort a piece of the engine's output by population."""
        for k in np.unique(pops):
            mine = pops == k
            if not self.is_recorded(int(k)):
                continue
            if self.sink is not None:
                self.sink(self._names[int(k)], times[mine], neurons[mine])
            else:
                ids = neurons[mine].astype(np.uint64)
                self._add(f"spikes/{self._names[int(k)]}", times[mine], ids)

    def next_sample(self) -> float:
        """Time of the earliest sample that is still to be taken, infinity if there is none."""
        return min(
            (
                plan.times[k]
                for plan, k in zip(self._plans, self._next, strict=True)
                if k < len(plan.times)
            ),
            default=math.inf,
        )

    def due(self, t: float) -> list[StateSampling | WeightSampling]:
        """The plans that sample at time ``t``; each is moved on to its next time."""
        result = []
        for k, plan in enumerate(self._plans):
            if self._next[k] < len(plan.times) and plan.times[self._next[k]] == t:
                self._next[k] = bisect_right(plan.times, t)
                result.append(plan)
        return result

    def add_state(self, population: str, t: float, values: list[Floats]) -> None:
        """Keep a sample of state variables, in the order in which they were asked for."""
        self._add(f"states/{population}", np.array([t]), *(v[np.newaxis] for v in values))

    def add_weights(self, projection: str, t: float, values: Floats) -> None:
        """Keep a sample of weights."""
        self._add(f"weights/{projection}", np.array([t]), values[np.newaxis])

    def add_events(self, population: str, t: float, neurons: Ints, values: Floats) -> None:
        """Keep what events at ``t`` have left: ``values`` of shape (variables, neurons)."""
        times = np.full(neurons.size, t)
        self._add(f"events/{population}", times, neurons.astype(np.uint64), *values)

    def add_changes(self, projection: str, times: Floats, synapses: Ints, weights: Floats) -> None:
        """Keep changes of weights."""
        self._add(f"weight_changes/{projection}", times, synapses, weights)

    # -- reading -----------------------------------------------------------------------------

    def spikes(self, population: str) -> tuple[Floats, Ints]:
        """All spikes of a population: times (ms), neurons."""
        name = f"spikes/{population}"
        self._require(name, f"the spikes of population {population!r} are", "record_spikes")
        times, neurons = self._read(name)
        return times, neurons.astype(np.int64)

    def states(self, population: str) -> tuple[Floats, dict[str, Floats]]:
        """Sampled state: times (n,) and, by variable, values (n, neurons)."""
        name = f"states/{population}"
        self._require(name, f"states of population {population!r} are", "record_state")
        times, *columns = self._read(name)
        return times, dict(zip(self._tables[name].columns, columns, strict=True))

    def events(self, population: str) -> tuple[Floats, Ints, dict[str, Floats]]:
        """Events: times (n,), neurons (n,), and the values that they left, by variable (n,)."""
        name = f"events/{population}"
        self._require(name, f"events of population {population!r} are", "record_events")
        times, neurons, *columns = self._read(name)
        variables = list(self._tables[name].columns)[1:]
        return times, neurons.astype(np.int64), dict(zip(variables, columns, strict=True))

    def weights(self, projection: str) -> tuple[Floats, Floats]:
        """Sampled weights: times (n,) and values (n, ...) in the shape of Simulation.weights."""
        name = f"weights/{projection}"
        self._require(name, f"weights of projection {projection!r} are", "record_weights")
        times, values = self._read(name)
        return times, values

    def weight_changes(self, projection: str) -> tuple[Floats, Ints, Floats]:
        """Changes of weights: times, synapses (places in Simulation.weights, flat), new weights."""
        name = f"weight_changes/{projection}"
        self._require(
            name, f"changes of weights of projection {projection!r} are", "record_weight_changes"
        )
        times, synapses, weights = self._read(name)
        return times, synapses, weights

    def _require(self, name: str, what: str, method: str) -> None:
        if name not in self._tables:
            raise NetworkError(
                f"{what} not recorded; ask for them with Network.{method}() before the run"
            )
