"""Taylor series of the neurons that have no closed form, or one worth a second opinion.

An equation with polynomials and exponentials gives its Taylor coefficients by recurrence: each is
made of the lower ones by sums and convolutions.  With order 24 and steps in which the last terms
have fallen below 2^-66 of the potential, the truncation is smaller than the rounding of the widest
float (18 digits on x86).  Nothing is estimated from a difference of two methods, and nothing is
shared with the models' own integration.

Source: Jorba & Zou 2005, Exp. Math. 14, on the choice of the step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.verify.draws import Intervals
from experiments.verify.pieces import bisected

__all__ = ["ORDER", "TaylorPieces", "find_series"]

ORDER = 24
_CUT = 2.0**-66  # of the potential's size, or what the widest float resolves
_MOST_STEPS = 20_000

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
# (parameters, state) -> coefficients (ORDER + 1, n) of every state variable, "v" first
Series = Callable[[Arrays, Arrays], dict[str, Array]]


def _empty(like: Array) -> Array:
    return np.zeros((ORDER + 1, like.size), like.dtype)


def _decaying(start: Array, tau: Array) -> Array:
    """Coefficients of start exp(-t / tau)."""
    c = _empty(start)
    c[0] = start
    for k in range(ORDER):
        c[k + 1] = -c[k] / (tau * (k + 1))
    return c


def _convolved(a: Array, b: Array, k: int) -> Array:
    """Coefficient k of a product."""
    return np.asarray((a[: k + 1] * b[k::-1]).sum(axis=0))


def lif_cond(p: Arrays, n: Arrays) -> dict[str, Array]:
    """tau_m dV/dt = v_rest + bias - V + g_exc (e_exc - V) + g_inh (e_inh - V)."""
    exc, inh = _decaying(n["g_exc"], p["tau_exc"]), _decaying(n["g_inh"], p["tau_inh"])
    v_inf = p["v_rest"] + p["bias"]
    push = exc * (p["e_exc"] - v_inf) + inh * (p["e_inh"] - v_inf)
    u = _empty(n["v"])  # V - v_inf
    u[0] = n["v"] - v_inf
    both = exc + inh
    for k in range(ORDER):
        u[k + 1] = (push[k] - u[k] - _convolved(both, u, k)) / (p["tau_m"] * (k + 1))
    u[0] = n["v"]
    return {"v": u, "g_exc": exc, "g_inh": inh, "theta": _decaying(n["theta"], p["tau_theta"])}


def adex(p: Arrays, n: Arrays) -> dict[str, Array]:
    """The exponential obeys an equation of its own, dE/dt = E dV/dt / delta."""
    exc, inh = _decaying(n["i_exc"], p["tau_exc"]), _decaying(n["i_inh"], p["tau_inh"])
    v, w, spike = _empty(n["v"]), _empty(n["v"]), _empty(n["v"])
    rising = _empty(n["v"])  # (k + 1) v[k + 1], the series of dV/dt
    v[0], w[0], spike[0] = n["v"], n["w"], np.exp((n["v"] - p["v_t"]) / p["delta"])
    for k in range(ORDER):
        constant = (p["g_leak"] * p["e_leak"] + p["bias"]) if k == 0 else 0.0
        upstroke = p["g_leak"] * p["delta"] * spike[k]
        slope = (constant - p["g_leak"] * v[k] + upstroke - w[k] + exc[k] + inh[k]) / p["c"]
        rest = p["e_leak"] if k == 0 else 0.0
        w[k + 1] = (p["a"] * (v[k] - rest) - w[k]) / (p["tau_w"] * (k + 1))
        v[k + 1], rising[k] = slope / (k + 1), slope
        spike[k + 1] = _convolved(rising, spike, k) / (p["delta"] * (k + 1))
    return {"v": v, "w": w, "i_exc": exc, "i_inh": inh}


def izhikevich(p: Arrays, n: Arrays) -> dict[str, Array]:
    """dv/dt = 0.04 v^2 + 5 v + 140 - u + bias, du/dt = a (b v - u)."""
    v, u = _empty(n["v"]), _empty(n["v"])
    v[0], u[0] = n["v"], n["u"]
    for k in range(ORDER):
        constant = (140.0 + p["bias"]) if k == 0 else 0.0
        square = 0.04 * _convolved(v, v, k)  # the nearest double is part of the model
        v[k + 1] = (square + 5.0 * v[k] + constant - u[k]) / (k + 1)
        u[k + 1] = p["a"] * (p["b"] * v[k] - u[k]) / (k + 1)
    return {"v": v, "u": u}


_SERIES: dict[str, tuple[Series, str]] = {  # and the name of the threshold
    "LIFCond": (lif_cond, "v_th"),
    "AdEx": (adex, "v_peak"),
    "Izhikevich": (izhikevich, "v_peak"),
}


def find_series(model: type) -> tuple[Series, str] | None:
    """The series of a model and the name of its threshold; None if it has none."""
    for base in model.__mro__:
        if base.__name__ in _SERIES:
            return _SERIES[base.__name__]
    return None


class TaylorPieces:
    """The polynomials of many intervals; each ends at its length, or where V is above threshold.

    ``scale`` and ``rounding`` are those of :class:`experiments.verify.pieces.Pieces`; ``state`` is
    the state at the end of those intervals that stayed below.
    """

    def __init__(self, intervals: Intervals) -> None:
        found = find_series(intervals.model)
        assert found is not None
        series, threshold = found
        wide = np.longdouble
        self.rounding = max(2.0**-50, 2.0**9 * float(np.finfo(wide).eps))
        cut = max(_CUT, 0.125 * float(np.finfo(wide).eps))
        p = {name: x.astype(wide) for name, x in intervals.p.items()}
        n = {name: x.astype(wide) for name, x in intervals.n.items()}
        self.scale = 100.0 + np.abs(intervals.n["v"])
        t, length = np.zeros(intervals.size, wide), intervals.length.astype(wide)
        active = np.arange(intervals.size)
        parts: list[tuple[Array, Array, Array, Array]] = []
        for _ in range(_MOST_STEPS):
            if not active.size:
                break
            here = {name: x[active] for name, x in p.items()}
            c = series(here, {name: x[active] for name, x in n.items()})
            g = c["v"].copy()
            g[0] -= here[threshold]
            if "theta" in c:
                g -= c["theta"]
            left = length[active] - t[active]
            h = np.minimum(_step(c, cut * self.scale[active]), left)
            parts.append((active, t[active], h, g))
            for name, coefficients in c.items():
                n[name][active] = _polynomial(coefficients, h)
            t[active] = np.where(h == left, length[active], t[active] + h)
            active = active[(t[active] < length[active]) & (_polynomial(g, h) < 0)]
        else:
            raise ArithmeticError(f"{intervals.model.__name__}: {_MOST_STEPS} steps were too few")
        self.interval = np.concatenate([part[0] for part in parts])
        self.start = np.concatenate([part[1] for part in parts])
        self._length = np.concatenate([part[2] for part in parts])
        self.length = self._length.astype(np.float64)
        self._g = np.concatenate([part[3] for part in parts], axis=1)
        self.state = n

    def value(self, k: Array, x: Array) -> Array:
        return _polynomial(self._g[:, k], x.astype(np.longdouble)).astype(np.float64)

    def curvature(self, k: Array, lo: Array, hi: Array) -> Array:
        c = np.abs(self._g[:, k].astype(np.float64))
        total = np.zeros(k.size)
        for m in range(ORDER, 1, -1):
            total = total * hi + m * (m - 1) * c[m]
        return 1.001 * total

    def polish(self, k: Array, x: Array) -> Array:
        c, t = self._g[:, k], x.astype(np.longdouble)
        change = c[1:] * np.arange(1, ORDER + 1)[:, None]
        for _ in range(4):
            t = t - _polynomial(c, t) / _polynomial(change, t)
        return self.start[k] + t

    def top(self, k: Array, lo: Array, hi: Array) -> Array:
        c = self._g[:, k]
        change = c[1:] * np.arange(1, ORDER + 1)[:, None]
        t = bisected(lambda t: _polynomial(change, t), lo.astype(np.longdouble), hi)
        return _polynomial(c, t)


def _step(c: Mapping[str, Array], size: Array) -> Array:
    """How far the last two terms of every variable's series stay below ``size``."""
    h = np.full(size.size, np.inf, np.longdouble)
    for coefficients in c.values():
        for k in (ORDER - 1, ORDER):
            with np.errstate(divide="ignore"):
                h = np.minimum(h, (size / np.abs(coefficients[k])) ** (1.0 / k))
    return 0.9 * h


def _polynomial(c: Array, x: Array) -> Array:
    total = c[-1]
    for coefficient in c[-2::-1]:
        total = total * x + coefficient
    return np.asarray(total)
