"""Regular spike trains: spike k of a neuron is at phase + k interval, computed as such.

No rounding adds up along a train, and the chunks in which it is handed out do not show in it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from simulator.errors import ModelError, NetworkError
from simulator.sources import SpikeSource

__all__ = ["Regular"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_SPIKES_PER_CHUNK = 2**15  # of the whole population


class Regular(SpikeSource):
    """Trains of constant interval, one a neuron.

    Parameters
    ----------
    interval_ms : float or (size,), optional
        Time between spikes, > 0, ms.
    rate_hz : float or (size,), optional
        Instead of the interval, which is then 1000 / rate_hz; > 0.
    phase_ms : float or (size,)
        Time of the first spike, >= 0, ms.

    Raises
    ------
    ModelError
        When not exactly one of interval and rate is given, or a value is out of range.
    NetworkError
        When the population has another size than the arrays, or the object drives populations of
        different sizes.

    Examples
    --------
    >>> from encoders import Regular
    >>> times, neurons = Regular(interval_ms=10.0, phase_ms=2.5).train(0, 40.0)
    >>> times.tolist()
    [2.5, 12.5, 22.5, 32.5]
    """

    def __init__(
        self,
        interval_ms: npt.ArrayLike | None = None,
        *,
        rate_hz: npt.ArrayLike | None = None,
        phase_ms: npt.ArrayLike = 0.0,
    ) -> None:
        if interval_ms is not None and rate_hz is None:
            interval = _checked("interval_ms", interval_ms, positive=True)
        elif rate_hz is not None and interval_ms is None:
            interval = 1000.0 / _checked("rate_hz", rate_hz, positive=True)
        else:
            raise ModelError("Regular: give either interval_ms or rate_hz")
        phase = _checked("phase_ms", phase_ms, positive=False)
        if 1 not in (interval.size, phase.size) and interval.size != phase.size:
            raise ModelError(
                f"Regular: {interval.size} intervals and {phase.size} phases; give one for each "
                "neuron, or one for all"
            )
        self.interval_ms, self.phase_ms = np.broadcast_arrays(interval, phase)
        self._size = 0

    def bind(self, name: str, size: int) -> None:
        if self.interval_ms.size not in (1, size):
            raise NetworkError(
                f"population {name!r} has {size} neurons and Regular {self.interval_ms.size} "
                "intervals or phases; give one for each neuron, or one for all"
            )
        if self._size not in (0, size):
            raise NetworkError(
                f"population {name!r} has {size} neurons, but its Regular already drives one of "
                f"{self._size}; make another Regular"
            )
        self._size = size
        total = float((1.0 / self.interval_ms).sum()) * (size // self.interval_ms.size)
        self.chunk_ms = 2.0 ** round(np.log2(_SPIKES_PER_CHUNK / total))

    def spikes(
        self, chunk: int, size: int, stream: Callable[[int], np.random.Generator]
    ) -> tuple[Floats, Indices]:
        interval = np.broadcast_to(self.interval_ms, size)
        phase = np.broadcast_to(self.phase_ms, size)
        return _between(interval, phase, chunk * self.chunk_ms, (chunk + 1) * self.chunk_ms)

    def train(self, start_ms: float, stop_ms: float) -> tuple[Floats, Indices]:
        """Spikes in [start_ms, stop_ms): times (ms) and neurons, by time, then neuron."""
        return _between(self.interval_ms, self.phase_ms, start_ms, stop_ms)


def _between(interval: Floats, phase: Floats, start: float, stop: float) -> tuple[Floats, Indices]:
    # One more at either end, in case the divisions round; the times themselves decide.
    first = np.maximum(np.floor((start - phase) / interval) - 1.0, 0.0)
    last = np.floor((stop - phase) / interval) + 1.0
    count = np.maximum(last - first + 1.0, 0.0).astype(np.int64)
    neurons = np.repeat(np.arange(interval.size), count)
    k = np.arange(neurons.size) - np.repeat(np.cumsum(count) - count, count)
    times = phase[neurons] + (k + first[neurons]) * interval[neurons]
    inside = (times >= start) & (times < stop)
    times, neurons = times[inside], neurons[inside]
    order = np.lexsort((neurons, times))
    return times[order], neurons[order]


def _checked(name: str, given: npt.ArrayLike, *, positive: bool) -> Floats:
    values = np.atleast_1d(np.array(given, dtype=np.float64))
    if values.ndim != 1 or values.size == 0:
        raise ModelError(
            f"Regular: {name} has shape {np.shape(given)}; one value, or one for each neuron, is "
            "needed"
        )
    wrong = np.flatnonzero(~(np.isfinite(values) & (values > 0.0 if positive else values >= 0.0)))
    if wrong.size:
        k, need = int(wrong[0]), "> 0" if positive else ">= 0"
        raise ModelError(f"Regular: {name}[{k}] = {values[k]}; it must be finite and {need}")
    return values
