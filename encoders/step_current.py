"""Piecewise-constant currents, exact at the times at which they change.

A step is a spike of a channel of its own, onto the port "current" of a model made by
:func:`neurons.current_port`: its weight is by how much the current changes there.

::

    I(t) = values[k]  for times_ms[k] <= t < times_ms[k + 1],   0 before times_ms[0]
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from simulator import Network, NetworkError, Population, Projection, all_to_all
from simulator.sources import SpikeSource

__all__ = ["StepCurrent"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


class StepCurrent(SpikeSource):
    """A current that changes at given times, the same for all neurons or one for each.

    Parameters
    ----------
    times_ms : (n_steps,)
        Ascending, >= 0.
    values : (n_steps,) or (n_steps, n_neurons)
        The current from each time on, in the unit of the model's ``bias`` and on top of it.

    Raises
    ------
    NetworkError
        For times that are not finite, negative or out of order, values that are not finite, and
        shapes that do not fit.

    Examples
    --------
    >>> from neurons import LIFExp, current_port
    >>> from simulator import Network
    >>> net = Network()
    >>> cells = net.population("cells", 3, current_port(LIFExp)(tau_m=10.0))
    >>> pulse = StepCurrent([100.0, 150.0], [1.5, 0.0]).into(net, cells)
    >>> pulse.name
    'current of cells->cells'
    """

    def __init__(self, times_ms: npt.ArrayLike, values: npt.ArrayLike) -> None:
        self.times_ms = np.asarray(times_ms, dtype=np.float64)
        self.values = np.asarray(values, dtype=np.float64)
        if self.times_ms.ndim != 1 or not self.times_ms.size:
            raise NetworkError(
                f"StepCurrent: times of shape {self.times_ms.shape}; (n_steps,) is needed"
            )
        if self.values.ndim not in (1, 2) or len(self.values) != self.times_ms.size:
            raise NetworkError(
                f"StepCurrent: values of shape {self.values.shape} for {self.times_ms.size} times; "
                f"({self.times_ms.size},) or ({self.times_ms.size}, n_neurons) is needed"
            )
        wrong = np.flatnonzero(~(np.isfinite(self.times_ms) & (self.times_ms >= 0.0)))
        if wrong.size:
            k = int(wrong[0])
            raise NetworkError(
                f"StepCurrent: time [{k}] = {self.times_ms[k]} ms; times must be finite and >= 0"
            )
        wrong = np.flatnonzero(np.diff(self.times_ms) <= 0.0)
        if wrong.size:
            k = int(wrong[0]) + 1
            raise NetworkError(
                f"StepCurrent: time [{k}] = {self.times_ms[k]} ms is not after time [{k - 1}] = "
                f"{self.times_ms[k - 1]} ms; sort the steps"
            )
        bad = np.argwhere(~np.isfinite(self.values))
        if bad.size:
            where = tuple(int(i) for i in bad[0])
            raise NetworkError(
                f"StepCurrent: value {list(where)} = {self.values[where]}; finite numbers are "
                "needed"
            )
        self.chunk_ms = np.inf

    def changes(self, n_neurons: int) -> Floats:
        """By how much the current of each neuron changes at each step, (n_steps, n_neurons).

        Each is taken from what the sum of those before has come to, so that rounding does not
        pile up: the current is off by a unit in the last place at most, at every time.
        """
        values = self.values[:, None] if self.values.ndim == 1 else self.values
        if values.shape[1] not in (1, n_neurons):
            raise NetworkError(
                f"StepCurrent: values for {values.shape[1]} neurons; there are {n_neurons}"
            )
        result, reached = np.empty((len(values), n_neurons)), np.zeros(n_neurons)
        for k, wanted in enumerate(values):
            result[k] = wanted - reached
            reached = reached + result[k]
        return result

    def into(self, net: Network, target: Population | str, name: str | None = None) -> Projection:
        """Inject the current into a population: adds this source, called ``name`` ("current of
        ..." if not given), and its projection onto the port "current".

        Raises
        ------
        NetworkError
            When the population's model has no such port, or the number of its neurons is not that
            of the values.
        """
        cells = net.find_population(target)
        if cells.is_source or "current" not in cells.model.ports:
            kind = type(cells.model).__name__
            raise NetworkError(
                f"population {cells.name!r}: {kind} has no port 'current'; use "
                f"current_port({kind}) as its model"
            )
        weight = self.changes(cells.size)
        label = name or f"current of {cells.name}"
        source = net.population(label, self.times_ms.size, self)
        return net.projection(source, cells, all_to_all(), weight=weight, port="current")

    def bind(self, name: str, size: int) -> None:
        if size != self.times_ms.size:
            raise NetworkError(
                f"population {name!r} has {size} channels; StepCurrent needs one a step, "
                f"{self.times_ms.size}"
            )

    def spikes(
        self, chunk: int, size: int, stream: Callable[[int], np.random.Generator]
    ) -> tuple[Floats, Indices]:
        return self.times_ms.copy(), np.arange(size, dtype=np.int64)
