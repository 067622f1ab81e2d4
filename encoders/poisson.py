"""Poisson spike trains, drawn a cell of time at a time.

Intervals are exponential: times are continuous, there is no step.  Cell k of a neuron is drawn from
numbers keyed by (seed, population, neuron, k), see :mod:`simulator.poisson_cells`, so that the
spikes do not depend on how a run is cut, on the other neurons or on who draws them, and memory does
not grow with time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from simulator.errors import ModelError, NetworkError, SimulationError
from simulator.poisson_cells import MEAN_IN_CELL, MOST_IN_CELL, draw_cell
from simulator.sources import PrivateInput, SpikeSource

__all__ = ["Poisson"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_SPIKES_PER_CHUNK = 2**15  # on average, of the whole population at its highest total rate
_DOUBLES_PER_CELL = 32  # at least: a few for each spike


class Poisson(SpikeSource):
    """Independent Poisson trains, one a neuron.

    Parameters
    ----------
    rate_hz : float, or array of shape (size,), (n_pieces,) or (n_pieces, size)
        Rates in Hz, >= 0; one for each neuron, or one for all.
    times_ms : (n_pieces,), optional
        When given, row k of ``rate_hz`` holds from ``times_ms[k]`` until the next one, the last for
        ever, and there are no spikes before the first.  Ascending, >= 0, ms.

    Raises
    ------
    ModelError
        For rates or times that are negative, not finite, out of order or of the wrong shape.
    NetworkError
        When the population has another size than the rates, or the object drives populations of
        different sizes.
    SimulationError
        When a neuron has more spikes in a stretch of time than there are doubles.

    Notes
    -----
    Rates that depend on what a network does are set as it runs, by ``Simulation.set_rates``.

    A neuron spikes at most once at an instant; two neurons may spike at the same one.  The length
    of a cell follows from the highest rate: changing that changes all spike times.

    Examples
    --------
    >>> from encoders import Poisson
    >>> Poisson(8.0)  # doctest: +ELLIPSIS
    <encoders.poisson.Poisson object at ...>
    >>> step = Poisson([5.0, 50.0, 5.0], times_ms=[0.0, 200.0, 300.0])  # a burst of 100 ms
    """

    def __init__(self, rate_hz: npt.ArrayLike, times_ms: npt.ArrayLike | None = None) -> None:
        rates = np.array(rate_hz, dtype=np.float64)
        _refuse(~(np.isfinite(rates) & (rates >= 0.0)), "rate_hz", rates, "finite and >= 0 Hz")
        if times_ms is None:
            if rates.ndim > 1 or rates.size == 0:
                raise ModelError(
                    f"Poisson: rate_hz has shape {rates.shape}; one rate, or one for each neuron, "
                    "is needed; give times_ms as well for rates that change"
                )
            times = np.zeros(1)
            rates = rates.reshape(1, -1)
        else:
            times = np.array(times_ms, dtype=np.float64)
            if times.ndim != 1 or times.size == 0 or rates.ndim not in (1, 2):
                raise ModelError(
                    f"Poisson: times_ms has shape {times.shape} and rate_hz {rates.shape}; one row "
                    "of rates for each time is needed"
                )
            if len(rates) != times.size or rates.size == 0:
                raise ModelError(
                    f"Poisson: {times.size} times_ms and {len(rates)} rows of rate_hz; one row of "
                    "rates for each time is needed"
                )
            _refuse(~(np.isfinite(times) & (times >= 0.0)), "times_ms", times, "finite and >= 0 ms")
            early = np.concatenate([[False], times[1:] <= times[:-1]])
            _refuse(early, "times_ms", times, "above the time before it")
            rates = rates.reshape(times.size, -1)
        self.times_ms, self.rate_hz = times, rates
        self._size = 0

    def bind(self, name: str, size: int) -> None:
        columns = self.rate_hz.shape[1]
        if columns not in (1, size):
            raise NetworkError(
                f"population {name!r} has {size} neurons and Poisson {columns} rates; give one "
                "rate for each neuron, or one for all"
            )
        if self._size not in (0, size):
            raise NetworkError(
                f"population {name!r} has {size} neurons, but its Poisson already drives one of "
                f"{self._size}; make another Poisson"
            )
        self._size = size
        total = float(self.rate_hz.sum(axis=1).max()) * (size // columns) / 1000.0  # 1/ms
        busiest = float(self.rate_hz.max()) / 1000.0
        # Powers of two: the ends of cells and of chunks are then exact.
        if total > 0.0:
            self.cell_ms = 2.0 ** math.floor(math.log2(MEAN_IN_CELL / busiest))
            cells = math.log2(max(1.0, _SPIKES_PER_CHUNK / total / self.cell_ms))
            self.chunk_ms = self.cell_ms * 2.0 ** round(cells)

    def private_input(self, stream: Callable[[int], np.random.Generator]) -> PrivateInput | None:
        if math.isinf(self.chunk_ms):
            return None
        return PrivateInput(_key(stream), self.cell_ms, self.times_ms, self.rate_hz / 1000.0)

    def with_rates(self, rate_hz: Floats, start: float, stop: float) -> Poisson:
        if math.isinf(stop):
            return Poisson(rate_hz[None], [start])
        return Poisson(np.stack([rate_hz, np.zeros_like(rate_hz)]), [start, stop])

    def spikes(
        self, chunk: int, size: int, stream: Callable[[int], np.random.Generator]
    ) -> tuple[Floats, Indices]:
        if math.isinf(self.chunk_ms):  # all rates are 0
            return np.empty(0), np.empty(0, np.int64)
        cells = round(self.chunk_ms / self.cell_ms)
        end = (chunk + 1) * self.chunk_ms
        if np.nextafter(end, 0.0) < end - self.cell_ms / _DOUBLES_PER_CELL:
            raise SimulationError(
                f"Poisson: spikes before {end} ms cannot be told apart; lower the rate or begin "
                "earlier"
            )
        rates = self.rate_hz / 1000.0
        key = np.uint64(_key(stream))
        # Cells before the first piece, and behind the last one if it is silent, are empty.
        first, last = chunk * cells, (chunk + 1) * cells
        first = max(first, math.floor(self.times_ms[0] / self.cell_ms))
        if not self.rate_hz[-1].any():
            last = min(last, math.floor(self.times_ms[-1] / self.cell_ms) + 1)
        with np.errstate(over="ignore"):  # hashes wrap around, of which only plain Python warns
            times, neurons = _draw(key, size, first, last, self.cell_ms, self.times_ms, rates)
        return _in_time(times, neurons)


def _in_time(times: Floats, neurons: Indices) -> tuple[Floats, Indices]:
    """Sorted by time, then neuron; a sort by time alone takes a third of the time."""
    order = np.argsort(times)
    times = times[order]
    if np.any(times[1:] == times[:-1]):
        order = order[np.lexsort((neurons[order], times))]
    return times, neurons[order]


def _key(stream: Callable[[int], np.random.Generator]) -> int:
    """63 bits for the whole population."""
    return int(stream(0).bit_generator.random_raw()) >> 1


@njit(cache=True)
def _draw(
    key: Any, size: int, first: int, last: int, length: float, starts: Floats, rates: Floats
) -> tuple[Floats, Indices]:
    """Spikes of the cells from ``first`` to before ``last``, by neuron; ``rates`` (1/ms)."""
    times, neurons = np.empty(1024), np.empty(1024, np.int64)
    n, columns, flat = 0, rates.shape[1], rates.ravel()
    for i in range(size):
        column, silent = i if columns > 1 else 0, True
        for piece in range(starts.size):
            silent = silent and flat[piece * columns + column] == 0.0
        if silent:
            continue
        for cell in range(first, last):
            if n + MOST_IN_CELL * starts.size > times.size:
                times = np.append(times, np.empty(times.size + MOST_IN_CELL * starts.size))
                neurons = np.append(neurons, np.empty(times.size - neurons.size, np.int64))
            end = draw_cell(key, i, cell, length, starts, flat, columns, 0.0, times, n)
            neurons[n:end] = i
            n = end
    return times[:n].copy(), neurons[:n].copy()


def _refuse(wrong: npt.NDArray[np.bool_], name: str, values: Floats, need: str) -> None:
    """Raise for the first wrong value."""
    if wrong.any():
        where = tuple(int(k) for k in np.argwhere(wrong)[0])
        index = f"[{', '.join(map(str, where))}]" if where else ""
        raise ModelError(f"Poisson: {name}{index} = {values[where]}; it must be {need}")
