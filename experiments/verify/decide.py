"""Whether and when the neurons of random intervals fire, without asking the models."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from experiments.verify.arithmetic import Digits
from experiments.verify.draws import Intervals
from experiments.verify.equations import find_equations
from experiments.verify.exact import exact, reaches
from experiments.verify.first_crossing import first_crossings
from experiments.verify.pieces import LinearPieces, Pieces
from experiments.verify.taylor import TaylorPieces, find_series

__all__ = ["Decision", "decide", "has_oracle", "integrates", "pieces_of"]


class Decision(NamedTuple):
    """Of ``n`` intervals: ``fires`` (n,); ``time`` (n,) of the first spike (ms, in the widest
    float), infinity where there is none, NaN where digits decided; ``open`` (n,): not decided;
    ``by_digits``: how many needed more digits than floats have."""

    fires: npt.NDArray[np.bool_]
    time: npt.NDArray[np.longdouble]
    open: npt.NDArray[np.bool_]
    by_digits: int


def has_oracle(model: type) -> bool:
    """Whether the potential of a model is written a second time here."""
    return find_equations(model) is not None or find_series(model) is not None


def integrates(model: type, variant: str = "") -> bool:
    """Whether a model integrates numerically between events, in this variant."""
    if find_equations(model) is not None:
        return False
    return bool(variant) or not any(base.__name__ == "LIFCond" for base in model.__mro__)


def pieces_of(intervals: Intervals) -> Pieces:
    """V - threshold of all intervals: in closed form where it is linear, else as Taylor series."""
    equations = find_equations(intervals.model)
    if equations is not None:
        return LinearPieces(equations, intervals.p, intervals.n, intervals.length)
    return TaylorPieces(intervals)


def decide(intervals: Intervals, digits: Digits | None, pieces: Pieces | None = None) -> Decision:
    """Decide all intervals; those within rounding of a graze with 50 digits, where there is a
    closed form and mpmath.  ``pieces`` are those of :func:`pieces_of`, if they are there."""
    found = first_crossings(pieces or pieces_of(intervals), intervals.size)
    time, fires, left = found.time, np.isfinite(found.time), found.close.copy()
    by_digits = 0
    for j in np.flatnonzero(found.close):
        if digits is None:
            break
        try:
            at = exact(intervals, int(j), digits)
        except LookupError:
            break
        by_digits += 1
        if reaches(at, float(found.around[j, 0]), float(found.around[j, 1]), digits):
            fires[j], left[j], time[j] = True, False, np.nan
        else:  # a spike after the graze would need a search of its own
            left[j] = np.isfinite(found.above[j])
    return Decision(fires, time, left, by_digits)
