"""Stretches of V - threshold that can be evaluated, and whose curvature is bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from experiments.verify.arithmetic import Floats
from experiments.verify.equations import Equations, Numbers, Term, slope, value

__all__ = ["LinearPieces", "Pieces", "bisected"]

Array = npt.NDArray[Any]
Floats64 = npt.NDArray[np.float64]


class Pieces(Protocol):
    """``n`` intervals cut into pieces; piece k belongs to ``interval[k]``, from ``start[k]`` (ms)
    on, for ``length[k]`` (ms).  ``scale`` (n,) is the size of what V is summed from."""

    interval: npt.NDArray[np.int64]
    start: Array
    length: Floats64
    scale: Floats64
    rounding: float  # error of ``value``, in units of the scale

    def value(self, k: npt.NDArray[np.int64], x: Floats64) -> Floats64:
        """V - threshold in pieces ``k``, ``x`` ms after their start."""

    def curvature(self, k: npt.NDArray[np.int64], lo: Floats64, hi: Floats64) -> Floats64:
        """A bound of the second derivative's size in [lo, hi]."""

    def polish(self, k: npt.NDArray[np.int64], x: Floats64) -> Array:
        """The root next to ``x`` in the widest float there is, as time since the interval's
        start."""

    def top(self, k: npt.NDArray[np.int64], lo: Floats64, hi: Floats64) -> Array:
        """Height of the maximum between ``lo``, where V rises, and ``hi``, where it falls, in the
        widest float there is."""


class LinearPieces:
    """One piece an interval: the sum of exponentials of a linear neuron.

    Parameters
    ----------
    equations
        Of the model, see :mod:`experiments.verify.equations`.
    p, n : mappings of names to (n_intervals,) arrays
        Parameters and state at the start.
    length : (n_intervals,)
        ms.
    """

    # Each of at most eight terms is good to 2 units in the last place, 2^-52, of its largest size.
    rounding = 2.0**-47

    def __init__(self, equations: Equations, p: Numbers, n: Numbers, length: Floats64) -> None:
        self._floats, self._wide = Floats(np.float64), Floats(np.longdouble)
        self._terms = equations(p, n, self._floats)
        self._wide_terms = equations(p, n, self._wide)
        self.interval = np.arange(length.size)
        self.start = np.zeros(length.size)
        self.length = length
        self.scale = np.sum([_size(term) for term in self._terms], axis=0)

    def value(self, k: npt.NDArray[np.int64], x: Floats64) -> Floats64:
        found: Floats64 = value(_take(self._terms, k), x, self._floats)
        return found

    def curvature(self, k: npt.NDArray[np.int64], lo: Floats64, hi: Floats64) -> Floats64:
        total = np.zeros(k.size)
        for term in _take(self._terms, k):
            total += np.abs(term.amplitude) * _bend(term, lo, hi)
        return 1.001 * total  # for the rounding of these lines

    def polish(self, k: npt.NDArray[np.int64], x: Floats64) -> Array:
        terms, t = _take(self._wide_terms, k), self._wide.number(x)
        for _ in range(4):
            t = t - value(terms, t, self._wide) / slope(terms, t, self._wide)
        return np.asarray(t)

    def top(self, k: npt.NDArray[np.int64], lo: Floats64, hi: Floats64) -> Array:
        terms = _take(self._wide_terms, k)
        t = bisected(lambda t: slope(terms, t, self._wide), self._wide.number(lo), hi)
        return np.asarray(value(terms, t, self._wide))


def bisected(falling: Callable[[Array], Array], lo: Array, hi: Array) -> Array:
    """Where functions go from positive to negative, to the last place of the type of ``lo``."""
    for _ in range(70):
        middle = (lo + hi) / 2
        positive = falling(middle) > 0
        lo, hi = np.where(positive, middle, lo), np.where(positive, hi, middle)
    return lo


def _take(terms: list[Term], k: npt.NDArray[np.int64]) -> list[Term]:
    return [Term(t.kind, *(None if f is None else f[k] for f in t[1:])) for t in terms]


def _size(term: Term) -> Floats64:
    """The largest size that a term ever has."""
    c = np.abs(term.amplitude)
    if term.kind in ("constant", "decay"):
        return np.asarray(c)
    fast = np.maximum(term.r, term.s)
    if term.kind == "response":
        return np.asarray(c / fast)
    return np.asarray(c * np.minimum(1.0 / (np.e * term.s * term.r), 1.0 / term.s**2))


def _bend(term: Term, lo: Floats64, hi: Floats64) -> Floats64:
    """A bound of the second derivative's size in [lo, hi], of a unit amplitude.

    From the functions' own equations: K' = exp(-s t) - r K for the response and L' = t exp(-s t)
    - r L for the alpha function, with K <= exp(-q t) min(t, 1 / |r - s|) and L <= t K, where q is
    the slower rate.
    """
    if term.kind == "constant":
        return np.zeros(lo.size)
    if term.kind == "decay":
        return np.asarray(term.r**2 * np.exp(-term.r * lo))
    slow, fast = np.minimum(term.r, term.s), np.maximum(term.r, term.s)
    with np.errstate(divide="ignore"):
        kernel = np.exp(-slow * lo) * np.minimum(hi, 1.0 / (fast - slow))
    if term.kind == "response":  # symmetric in r and s
        return np.asarray((slow + fast) * np.exp(-fast * lo) + slow**2 * kernel)
    drive = np.exp(-term.s * lo) * (1.0 + (term.r + term.s) * hi)
    return np.asarray(drive + term.r**2 * hi * kernel)
