"""First crossings of many intervals at once, by branch and bound.

Between two points where V - threshold is g_a and g_b it is at most max(g_a, g_b) + B h^2 / 8, with
h the distance and B a bound of the curvature: where that is negative nothing happens.  All other
stretches are halved, until they are shorter than 2^-30 of the interval or lie within rounding of
the threshold as a whole.  What is left either rises from surely below to surely above, and is the
first crossing if nothing is left before it, or needs more digits.

Nothing here knows how a model finds its crossings; no sampling distance decides what is seen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from experiments.verify.pieces import Pieces

__all__ = ["Crossings", "first_crossings"]

_SHORTEST = 2.0**-30


class Crossings(NamedTuple):
    """What became of ``n`` intervals.

    ``time`` (n,) is the first crossing (ms, in the widest float), infinity if V stays below;
    ``close`` (n,) marks intervals that rounding leaves open, ``around`` (n, 2) where (ms), and
    ``above`` (n,) is the earliest point found surely above (ms), infinity if there is none.
    """

    time: npt.NDArray[np.longdouble]
    close: npt.NDArray[np.bool_]
    around: npt.NDArray[np.float64]
    above: npt.NDArray[np.float64]


def first_crossings(pieces: Pieces, n: int) -> Crossings:
    """Decide ``n`` intervals; V is below threshold at the start of each."""
    margin = pieces.rounding * pieces.scale
    ends = np.zeros(n)
    np.maximum.at(ends, pieces.interval, pieces.start.astype(np.float64) + pieces.length)
    shortest = _SHORTEST * ends
    above = np.full(n, np.inf)  # the earliest point that is surely above
    k = np.arange(pieces.interval.size)
    lo, hi = np.zeros(k.size), pieces.length.copy()
    g_lo, g_hi = pieces.value(k, lo), pieces.value(k, hi)
    left: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]] = []
    while k.size:
        i = pieces.interval[k]
        start = pieces.start[k].astype(np.float64)
        for x, g in ((lo, g_lo), (hi, g_hi)):
            sure = g > margin[i]
            np.minimum.at(above, i[sure], (start + x)[sure])
        h = hi - lo
        sag = pieces.curvature(k, lo, hi) * h * h / 8.0
        stay = (np.maximum(g_lo, g_hi) + sag >= -margin[i]) & (start + lo < above[i])
        grazing = np.maximum(np.maximum(np.abs(g_lo), np.abs(g_hi)), sag) <= margin[i]
        short = stay & ((h <= shortest[i]) | grazing)
        left.append((k[short], np.stack([lo, hi, g_lo, g_hi], axis=1)[short]))
        stay &= ~short
        k, lo, hi, g_lo, g_hi = k[stay], lo[stay], hi[stay], g_lo[stay], g_hi[stay]
        middle = 0.5 * (lo + hi)
        g_middle = pieces.value(k, middle)
        k = np.concatenate([k, k])
        lo, hi = np.concatenate([lo, middle]), np.concatenate([middle, hi])
        g_lo, g_hi = np.concatenate([g_lo, g_middle]), np.concatenate([g_middle, g_hi])
    return _conclude(pieces, n, above, margin, left)


def _conclude(
    pieces: Pieces,
    n: int,
    above: npt.NDArray[np.float64],
    margin: npt.NDArray[np.float64],
    left: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]],
) -> Crossings:
    k = np.concatenate([part[0] for part in left])
    rows = np.concatenate([part[1] for part in left])
    i = pieces.interval[k]
    start = pieces.start[k].astype(np.float64)
    before = start + rows[:, 0] < above[i]
    k, rows, i, start = k[before], rows[before], i[before], start[before]
    order = np.lexsort((start + rows[:, 0], i))
    k, rows, i, start = k[order], rows[order], i[order], start[order]
    time = np.full(n, np.inf, np.longdouble)
    close = np.zeros(n, np.bool_)
    around = np.zeros((n, 2))
    if not i.size:
        return Crossings(time, close, around, above)
    first = np.flatnonzero(np.r_[True, i[1:] != i[:-1]])
    last = np.r_[first[1:], i.size] - 1
    # Stretches without a gap, from surely below to surely above, steeper than their curvature can
    # undo: V rises all the way, and the crossing is in there.
    width = start[last] + rows[last, 1] - start[first] - rows[first, 0]
    gapless = np.add.reduceat(rows[:, 1] - rows[:, 0], first) > (1.0 - 1e-6) * width
    bend = np.maximum.reduceat(pieces.curvature(k, rows[:, 0], rows[:, 1]), first)
    size = margin[i[first]]
    rises = (
        gapless
        & (rows[first, 2] < -size)
        & (rows[last, 3] > size)
        & (start[last] + rows[last, 1] == above[i[first]])
        & (rows[last, 3] - rows[first, 2] - 2.0 * size > bend * width * width)
    )
    good, half = first[rises], 0.5 * width[rises]
    time[i[good]] = pieces.polish(k[good], rows[good, 0] + half)
    open_ = first[~rises]
    close[i[open_]] = True
    around[i[open_], 0] = (start + rows[:, 0])[open_]
    around[i[open_], 1] = (start + rows[:, 1])[last[~rises]]
    return Crossings(time, close, around, above)
