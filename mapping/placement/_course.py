"""The course of a search: what it has tried, the best it has met, and whether it should go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mapping.graph import IntArray
from mapping.placement._base import Convergence, Solution

__all__ = ["Course", "Progress", "Watch"]


class Progress(NamedTuple):
    """How far a placement is.

    Attributes
    ----------
    moves : int
        Moves tried.
    best : float
        [unit of the objective] lowest value so far.
    """

    moves: int
    best: float


class Watch:
    """Tells the caller of `place` how far it is, and asks whether it should go on.

    Parameters
    ----------
    progress : callable, or None
        Called some times a second with a `Progress`; False ends the search.
    time_limit_s : float, or None
        [s] the search ends soon after; the result then depends on the speed of the machine.
    """

    def __init__(
        self, progress: Callable[[Progress], bool | None] | None, time_limit_s: float | None
    ) -> None:
        self._progress = progress
        self._end = None if time_limit_s is None else time.monotonic() + time_limit_s
        self._moves = 0
        self._best = np.inf
        self.stopped = False

    def tell(self, moves: int, best: float) -> bool:
        """Count more moves; whether to go on."""
        self._moves += moves
        self._best = min(self._best, best)
        state = Progress(self._moves, self._best)
        if self._progress is not None and self._progress(state) is False:
            self.stopped = True
        if self._end is not None and time.monotonic() > self._end:
            self.stopped = True
        return not self.stopped


class Course:
    """Rows of a `Convergence` as a search fills them, and its best placement.

    Parameters
    ----------
    core_of : int64 array, shape (n_logical,)
        Where it starts.
    value : float
        Of that placement.
    bound : float
        The search is over when it has a placement that is no worse.
    watch : Watch
    temperature : float
        Of the first row.
    """

    def __init__(
        self,
        core_of: IntArray,
        value: float,
        bound: float,
        watch: Watch,
        temperature: float = 0.0,
    ) -> None:
        self.best_core_of = core_of.copy()
        self.best = value
        self._bound = bound
        self._watch = watch
        self._rows = [(0, value, value, temperature)]

    @property
    def moves(self) -> int:
        """Moves tried so far."""
        return self._rows[-1][0]

    def add(
        self,
        moves: int,
        value: float,
        best: float,
        best_core_of: IntArray,
        temperature: float = 0.0,
    ) -> bool:
        """Add a row after `moves` more; whether to go on.

        Parameters
        ----------
        value : float
            Where the search is now.
        best, best_core_of
            The best it has met since the last row, or before.
        """
        if best < self.best:
            self.best = best
            self.best_core_of = best_core_of.copy()
        self._rows.append((self.moves + moves, value, self.best, temperature))
        return self._watch.tell(moves, self.best) and self.best > self._bound

    def solution(self) -> Solution:
        """The best placement met, with the record."""
        moves, cost, best, temperature = zip(*self._rows, strict=True)
        record = Convergence(
            np.array(moves, dtype=np.int64), np.array(cost), np.array(best), np.array(temperature)
        )
        return Solution(self.best_core_of, record)
