"""Two arithmetics behind one set of formulas: numpy floats of any width, and mpmath's digits.

The linear neurons' potentials are sums of three functions of time and a constant:

    decay(r) = exp(-r t)
    response(r, s) = integral over u in [0, t] of exp(-r (t - u)) exp(-s u)
    alpha(r, s) = integral over u in [0, t] of exp(-r (t - u)) u exp(-s u)

Here they are written without the helpers of the models: by ``expm1`` and series in floats, and by
the textbook differences, with digits to spare, in mpmath.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

__all__ = ["DIGITS", "Arithmetic", "Digits", "Floats"]

DIGITS = 50  # decimal digits that results of mpmath keep
_SPARE = 40  # more to calculate with: differences of nearly equal rates cancel up to 32
_SERIES = 24  # terms of the series below, for arguments up to 1


class Arithmetic(Protocol):
    """What the formulas of a model need."""

    def number(self, x: Any) -> Any:
        """A float64, or an array of them, in this arithmetic; exact."""

    def decay(self, t: Any, r: Any) -> Any: ...

    def response(self, t: Any, r: Any, s: Any) -> Any: ...

    def alpha(self, t: Any, r: Any, s: Any) -> Any: ...


class Floats:
    """Arrays of one floating-point type."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)

    def number(self, x: Any) -> Any:
        return np.asarray(x, self.dtype)

    def decay(self, t: Any, r: Any) -> Any:
        return np.exp(-r * t)

    def response(self, t: Any, r: Any, s: Any) -> Any:
        slow, apart = np.minimum(r, s), np.abs(r - s)
        same = apart == 0.0
        kernel = np.where(same, t, -np.expm1(-apart * t) / np.where(same, 1.0, apart))
        return np.exp(-slow * t) * kernel

    def alpha(self, t: Any, r: Any, s: Any) -> Any:
        x = np.abs(r - s) * t
        faster = s >= r  # the current decays faster than the membrane
        far = np.exp(-x)
        with np.errstate(divide="ignore", invalid="ignore"):
            kernel = np.where(faster, 1.0 - (1.0 + x) * far, x - 1.0 + far) / (x * x)
        near = x < 1.0
        if np.any(near):
            # sums of (-x)^k / (k! (k + 2)) and (-x)^k / (k + 2)!
            y, total, power = np.where(near, x, 0.0), np.zeros_like(x), np.ones_like(x)
            for k in range(_SERIES):
                total = total + power / np.where(faster, k + 2.0, (k + 1.0) * (k + 2.0))
                power = power * (-y / (k + 1.0))
            kernel = np.where(near, total, kernel)
        return np.exp(-np.minimum(r, s) * t) * t * t * kernel


class Digits:
    """mpmath, one number at a time.

    Raises
    ------
    ModuleNotFoundError
        When mpmath is not installed.
    """

    def __init__(self) -> None:
        import mpmath

        self.mp = mpmath.MPContext()
        self.mp.dps = DIGITS + _SPARE

    def number(self, x: Any) -> Any:
        return self.mp.mpf(float(x))

    def decay(self, t: Any, r: Any) -> Any:
        return self.mp.exp(-r * t)

    def response(self, t: Any, r: Any, s: Any) -> Any:
        if r == s:
            return t * self.mp.exp(-r * t)
        return (self.mp.exp(-s * t) - self.mp.exp(-r * t)) / (r - s)

    def alpha(self, t: Any, r: Any, s: Any) -> Any:
        if r == s:
            return t * t / 2 * self.mp.exp(-r * t)
        rise, fall = self.mp.exp(-s * t), self.mp.exp(-r * t)
        return (t * rise - (rise - fall) / (r - s)) / (r - s)
