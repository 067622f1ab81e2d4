"""A source that plays given spike times."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from simulator.errors import NetworkError
from simulator.sources import SpikeSource, check_spike_times

__all__ = ["SpikeTimes"]


class SpikeTimes(SpikeSource):
    """Given spikes, in any order.

    Parameters
    ----------
    times_ms : (n_spikes,)
        Spike times in ms, finite and >= 0.
    neurons : (n_spikes,), optional
        The neuron of each spike; neuron 0 when left out.

    Raises
    ------
    NetworkError
        When the two lists differ in length, or, once the population is known, when a time is not
        finite or negative or a neuron does not exist.
    """

    def __init__(self, times_ms: npt.ArrayLike, neurons: npt.ArrayLike | None = None) -> None:
        times = np.asarray(times_ms, dtype=np.float64)
        given = np.zeros(times.shape, np.int64) if neurons is None else np.asarray(neurons)
        if given.size and not np.issubdtype(given.dtype, np.integer):
            raise NetworkError(f"SpikeTimes: neurons holds {given.dtype}, integers are needed")
        index = given.astype(np.int64)
        if times.ndim != 1 or index.shape != times.shape:
            raise NetworkError(
                f"SpikeTimes: times and neurons are two lists of one length, "
                f"got shapes {times.shape} and {index.shape}"
            )
        self._given = times, index
        order = np.lexsort((index, times))
        self.times, self.neurons = times[order], index[order]

    def bind(self, name: str, size: int) -> None:
        check_spike_times(name, *self._given, size)  # an error names the place in the user's lists

    def spikes(
        self, chunk: int, size: int, stream: Callable[[int], np.random.Generator]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        return self.times, self.neurons
