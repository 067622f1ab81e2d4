"""When a run calls the user's functions: at given times, and on spikes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sortedcontainers import SortedList

__all__ = ["Call", "Schedule"]

Ints = npt.NDArray[np.int64]


@dataclass(eq=False)
class Call:
    """A function that runs call; :meth:`cancel` ends that."""

    number: int
    function: Callable[..., Any]
    population: int = -1  # whose spikes it waits for
    start: float = math.inf  # ms
    interval: float = math.inf  # ms
    _on_cancel: Callable[[Call], None] = field(default=lambda call: None, repr=False)
    cancelled: bool = False

    def cancel(self) -> None:
        """Do not call the function any more."""
        if not self.cancelled:
            self.cancelled = True
            self._on_cancel(self)

    def after(self, reached: tuple[float, int]) -> float:
        """The first of its times that is not behind ``reached``, a time and a number of a call."""
        if (self.start, self.number) > reached:
            return self.start
        if math.isinf(self.interval):
            return math.inf
        k = max(0, math.floor((reached[0] - self.start) / self.interval) - 1)
        while (self.start + k * self.interval, self.number) <= reached:
            k += 1
        return self.start + k * self.interval


class Schedule:
    """The calls of a simulation.

    Calls of one instant are made when all its events are handled: those on spikes first, by
    population, then those at the time, each in the order in which they were asked for.  Where a run
    stands in the schedule follows from the time and the number of the last timed call, so that a
    restored run makes the calls that are ahead of it, and no others.
    """

    def __init__(self) -> None:
        self.stopped = False
        self._calls: list[Call] = []
        self._once: SortedList[tuple[float, int]] = SortedList()
        self._repeated: list[Call] = []
        self._of_population: dict[int, list[Call]] = {}
        self._reached: tuple[float, int] = (-math.inf, -1)
        self._fresh: dict[int, list[Ints]] = {}  # spikes of watched populations at this instant
        self._due: deque[tuple[int, Ints]] = deque()  # calls on them that are still to be made

    # -- what is asked for -------------------------------------------------------------------

    def add_time(self, function: Callable[..., Any], start: float, interval: float) -> Call:
        """Call ``function(t)`` at ``start`` and, if the interval is finite, every so often."""
        call = self._add(function, start=start, interval=interval, _on_cancel=self._drop_time)
        if math.isinf(interval):
            self._once.add((start, call.number))
        else:
            self._repeated.append(call)
        return call

    def add_population(
        self, function: Callable[..., Any], k: int, watch: Callable[[int, bool], None]
    ) -> Call:
        """Call ``function(t, neurons)`` when neurons of population ``k`` spike."""

        def drop(call: Call) -> None:
            self._of_population[k].remove(call)
            if not self._of_population[k]:
                watch(k, False)

        call = self._add(function, population=k, _on_cancel=drop)
        self._of_population.setdefault(k, []).append(call)
        watch(k, True)
        return call

    def _add(self, function: Callable[..., Any], **fields: Any) -> Call:
        call = Call(len(self._calls), function, **fields)
        self._calls.append(call)
        return call

    def _drop_time(self, call: Call) -> None:
        if math.isinf(call.interval):
            self._once.remove((call.start, call.number))
        else:
            self._repeated.remove(call)

    # -- what a run does ---------------------------------------------------------------------

    def next_time(self) -> float:
        """When the next call is to be made (ms), as far as known; -inf: one is overdue."""
        if self._due or self._fresh:
            return -math.inf
        return self._next_timed()[0]

    def spiked(self, k: int, neurons: Ints) -> None:
        """Note spikes of a population at the present instant."""
        if self._of_population.get(k):
            self._fresh.setdefault(k, []).append(neurons)

    def make(self, now: float, around: Callable[[], AbstractContextManager[None]]) -> bool:
        """Make all calls that are due at ``now``, each within ``around()``; whether there were any.

        A call that raises counts as made; those behind it stay due.
        """
        made = False
        while True:
            for k in sorted(self._fresh):
                neurons = np.concatenate(self._fresh[k])
                self._due += [(call.number, neurons) for call in self._of_population[k]]
            self._fresh = {}
            arguments: tuple[Any, ...]
            if self._due:
                number, neurons = self._due.popleft()
                arguments = now, neurons.copy()
            else:
                t, number = self._next_timed()
                if t > now:
                    return made
                self._reached, arguments = (t, number), (now,)
            if not self._calls[number].cancelled:
                made = True
                with around():
                    self._calls[number].function(*arguments)

    def _next_timed(self) -> tuple[float, int]:
        k = self._once.bisect_right(self._reached)
        first = [self._once[k]] if k < len(self._once) else []
        repeated = [(call.after(self._reached), call.number) for call in self._repeated]
        return min([*first, *repeated], default=(math.inf, -1))

    # -- saving ------------------------------------------------------------------------------

    def save(self) -> dict[str, npt.NDArray[Any]]:
        """Where the run stands in the schedule; the functions themselves are not saved."""
        fresh = [
            (call.number, np.concatenate(self._fresh[k]))
            for k in sorted(self._fresh)
            for call in self._of_population[k]
        ]
        due = [*self._due, *fresh]
        empty: list[Ints] = [np.empty(0, np.int64)]
        return {
            "calls/reached": np.array(self._reached, np.float64),
            "calls/due": np.array([number for number, _ in due], np.int64),
            "calls/count": np.array([neurons.size for _, neurons in due], np.int64),
            "calls/neurons": np.concatenate([*empty, *(neurons for _, neurons in due)]),
        }

    def restore(self, saved: Mapping[str, npt.NDArray[Any]], now: float) -> None:
        """Stand where :meth:`save` found the run; calls before ``now`` are behind it."""
        t, number = saved["calls/reached"].tolist()
        self._reached = max((float(t), int(number)), (now, -1))
        ends = np.cumsum(saved["calls/count"])[:-1]
        parts = np.split(np.asarray(saved["calls/neurons"]), ends)
        numbers = saved["calls/due"].tolist()
        self._fresh = {}
        self._due = deque(
            (number, neurons)
            for number, neurons in zip(numbers, parts, strict=False)
            if number < len(self._calls)
        )
