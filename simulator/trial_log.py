"""Spikes of one population that trials may still ask for, numbered in the order they happened."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["SpikeLog"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_ROOM = 4096  # spikes that are let be before old ones are looked for


class SpikeLog:
    """The last spikes of a population.

    ``cuts`` holds, for each, the time (ms) after which it no longer arrives anywhere: infinity, or
    when spikes in flight were dropped.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._parts: list[tuple[Floats, Ints, Floats]] = []
        self._held = 0
        self._full = _ROOM

    @property
    def end(self) -> int:
        """The number of the next spike."""
        return self.dropped + self._held

    @property
    def is_full(self) -> bool:
        """Whether it is time to drop what nobody needs."""
        return self._held >= self._full

    def add(self, times: Floats, neurons: Ints) -> None:
        """Put spikes behind those that are there."""
        self._parts.append((times, neurons, np.full(times.size, math.inf)))
        self._held += times.size

    def spikes(self, first: int = 0, end: int | None = None) -> tuple[Ints, Floats, Ints, Floats]:
        """Number, time, neuron and cut of the spikes that are held, from a number to another."""
        times, neurons, cuts = self._joined()
        lo = max(0, first - self.dropped)
        hi = max(lo, (self.end if end is None else end) - self.dropped)
        return self.dropped + np.arange(lo, hi), times[lo:hi], neurons[lo:hi], cuts[lo:hi]

    def first_since(self, t: float) -> int:
        """The number of the first spike at or after ``t`` (ms)."""
        return self.dropped + int(np.searchsorted(self._joined()[0], t))

    def cut(self, t: float) -> None:
        """Spikes that have not arrived by ``t`` never will."""
        cuts = self._joined()[2]
        cuts[np.isinf(cuts)] = t

    def drop_before(self, number: int) -> None:
        """Forget spikes with lower numbers."""
        n = min(max(0, number - self.dropped), self._held)
        if n:
            times, neurons, cuts = self._joined()
            self.dropped += n
            self._held -= n
            self._parts = [(times[n:].copy(), neurons[n:].copy(), cuts[n:].copy())]
        self._full = 2 * self._held + _ROOM

    def replace(self, dropped: int, times: Floats, neurons: Ints, cuts: Floats) -> None:
        """Hold these instead."""
        self.dropped, self._held = dropped, times.size
        self._parts = [(times.copy(), neurons.copy(), cuts.copy())]

    def _joined(self) -> tuple[Floats, Ints, Floats]:
        if len(self._parts) != 1:
            empty = np.empty(0), np.empty(0, np.int64), np.empty(0)
            columns = zip(empty, *self._parts, strict=True)
            times, neurons, cuts = (np.concatenate(column) for column in columns)
            self._parts = [(times, neurons, cuts)]
        return self._parts[0]
