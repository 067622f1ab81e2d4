"""Poisson spike trains, drawn a chunk of time at a time.

A chunk holds a Poisson number of spikes at independent uniform times, which is the Poisson process
itself: times are continuous, there is no step.  Chunk k of a population is drawn from the random
stream keyed by (seed, population, k), so that the spikes do not depend on how a run is cut, and
memory does not grow with its length.

Source: the conditional uniformity of arrival times, e.g. Ross, Stochastic Processes, theorem 2.3.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from simulator.errors import ModelError, NetworkError, SimulationError
from simulator.sources import SpikeSource

__all__ = ["Poisson"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_SPIKES_PER_CHUNK = 2**15  # on average, of the whole population at its highest total rate
_MOST_DRAWS = 100  # of a spike that falls on another of its neuron


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
    A neuron spikes at most once at an instant; two neurons may spike at the same one.  The length
    of a chunk follows from the rates and the size: changing either changes all spike times.

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
        # A power of two: the ends of chunks, k * chunk_ms, are then exact.
        if total > 0.0:
            self.chunk_ms = 2.0 ** round(math.log2(_SPIKES_PER_CHUNK / total))

    def spikes(
        self, chunk: int, size: int, stream: Callable[[int], np.random.Generator]
    ) -> tuple[Floats, Indices]:
        if math.isinf(self.chunk_ms):  # all rates are 0
            return np.empty(0), np.empty(0, np.int64)
        rng = stream(chunk)
        start, stop = chunk * self.chunk_ms, (chunk + 1) * self.chunk_ms
        first = max(int(np.searchsorted(self.times_ms, start, side="right")) - 1, 0)
        parts = []
        for piece in range(first, self.times_ms.size):
            lo = max(start, float(self.times_ms[piece]))
            if lo >= stop:
                break
            last = piece + 1 == self.times_ms.size
            hi = stop if last else min(stop, float(self.times_ms[piece + 1]))
            parts.append(_draw(rng, lo, hi, self.rate_hz[piece], size))
        if not parts:
            return np.empty(0), np.empty(0, np.int64)
        return np.concatenate([t for t, _ in parts]), np.concatenate([i for _, i in parts])


def _draw(
    rng: np.random.Generator, lo: float, hi: float, rates: Floats, size: int
) -> tuple[Floats, Indices]:
    """Spikes in [lo, hi), by time, then neuron; ``rates`` (Hz) has one entry or ``size``."""
    total = float(rates.sum()) * (size // rates.size) / 1000.0
    n = int(rng.poisson(total * (hi - lo)))
    if rates.size == 1:
        neurons = rng.integers(0, size, n)
    else:
        cumulative = np.cumsum(rates)
        neurons = np.searchsorted(cumulative, rng.random(n) * cumulative[-1], side="right")
    times = lo + (hi - lo) * rng.random(n)
    for _ in range(_MOST_DRAWS):
        order = np.lexsort((neurons, times))
        times, neurons = times[order], neurons[order]
        again = times >= hi  # rounded up
        again[1:] |= (times[1:] == times[:-1]) & (neurons[1:] == neurons[:-1])
        if not again.any():
            return times, neurons
        times[again] = lo + (hi - lo) * rng.random(int(again.sum()))
    raise SimulationError(
        f"Poisson: {n} spikes in [{lo}, {hi}) ms cannot be told apart; lower the rate or begin "
        "earlier"
    )


def _refuse(wrong: npt.NDArray[np.bool_], name: str, values: Floats, need: str) -> None:
    """Raise for the first wrong value."""
    if wrong.any():
        where = tuple(int(k) for k in np.argwhere(wrong)[0])
        index = f"[{', '.join(map(str, where))}]" if where else ""
        raise ModelError(f"Poisson: {name}{index} = {values[where]}; it must be {need}")
