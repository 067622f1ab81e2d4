"""Izhikevich's simple neuron, integrated between events with error control.

::

    dv/dt = 0.04 v^2 + 5 v + 140 - u + bias,    v += w  on arrival
    du/dt = a (b v - u)

At v = v_peak the neuron fires: v = c, u += d.  There is no refractory period.

Accuracy: an embedded Runge-Kutta pair of order 5(4) whose estimated error in a step is below
``tolerance``.  The search for a spike is taken up anew after each millisecond, and ends when v is
provably trapped below its unstable branch: in the box [v_low, v_high] x [u_low, u_high], which it
cannot leave if the slope on its upper side is negative.  Asked for the whole way, ``crossing``
gives up after 500 time constants 1 / a.

Source: Izhikevich 2003, IEEE Trans. Neural Netw. 14, equations 1 to 3, taken as differential
equations; the half-millisecond Euler steps of the published script are another model.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import Any, NamedTuple

from neurons._dormand_prince import dormand_prince
from simulator.inner import register_jitable
from simulator.model import NeuronModel

__all__ = ["Izhikevich"]

_LOOK_AHEAD = 500.0  # time constants 1 / a
_SOON = 1.0  # ms
_FIRST_STEP = 0.05  # ms; dv/dt changes over 1 / 5 ms
_VERTEX = -62.5  # mV, where dv/dt is smallest


@register_jitable
def _slopes(p: Any, t: float, v: float, u: float) -> tuple[float, float]:
    return (0.04 * v + 5.0) * v + 140.0 - u + p.bias, p.a * (p.b * v - u)


@register_jitable
def _excess(p: Any, t: float, v: float) -> tuple[float, float]:
    return v - p.v_peak, 0.0


@register_jitable
def _settled(p: Any, t: float, v: float, u: float) -> bool:
    """v is trapped below its unstable branch."""
    v_high = max(v, _VERTEX)
    u_high = max(u, p.b * v_high)
    root = 25.0 - 0.16 * (140.0 - u_high + p.bias)
    v_low = min(v, (-5.0 - sqrt(max(root, 0.0))) / 0.08)
    u_low = min(u, p.b * v_low)
    slope = (0.04 * v_high + 5.0) * v_high + 140.0 - u_low + p.bias
    return bool((p.b >= 0.0) & (root >= 0.0) & (slope < -1e-9))


_integrate, _rise = dormand_prince(_slopes, _excess, _settled)


class Izhikevich(NeuronModel):
    """Izhikevich's simple neuron; see the module's text."""

    class Parameters(NamedTuple):
        a: float = 0.02  # [1/ms] rate of recovery, > 0
        b: float = 0.2  # [1/ms] sensitivity of recovery to v
        c: float = -65.0  # [mV] v after a spike, < v_peak
        d: float = 8.0  # [mV/ms] step of recovery at a spike
        v_peak: float = 30.0  # [mV] a spike is counted here
        bias: float = 0.0  # [mV/ms] constant current
        tolerance: float = 1e-9  # [mV] and [mV/ms] of a step, >= 1e-13

    threshold = "v_peak"
    state = {"v": -70.0, "u": -14.0}  # noqa: RUF012  [mV], [mV/ms]; at rest with the defaults

    @classmethod
    def check(cls, p: Any) -> None:
        cls.require(p.a > 0, f"a = {p.a} / ms; it must be > 0")
        cls.require(p.tolerance >= 1e-13, f"tolerance = {p.tolerance}; it must be >= 1e-13")
        cls.require(p.c < p.v_peak, f"c = {p.c} mV must be below v_peak = {p.v_peak} mV")

    @staticmethod
    def threshold_range(p: Any) -> tuple[float, float]:
        return p.c, inf

    @staticmethod
    def factors(p: Any, dt: float) -> tuple[float, ...]:
        return (dt,)

    @staticmethod
    def advance(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        n.v[j], n.u[j] = _integrate(p, n.v[j], n.u[j], f[0], _FIRST_STEP, p.tolerance)

    @staticmethod
    def hold(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        """Never happens, there is no refractory period; time passes as ever."""
        n.v[j], n.u[j] = _integrate(p, n.v[j], n.u[j], f[0], _FIRST_STEP, p.tolerance)

    @staticmethod
    def receive(n: Any, j: int, p: Any, port: int, w: float) -> None:
        n.v[j] += w

    @staticmethod
    def may_cross(n: Any, j: int, p: Any, dt: float) -> bool:
        """Unless v is trapped below its unstable branch."""
        return bool((n.v[j] >= p.v_peak) | (not _settled(p, 0.0, n.v[j], n.u[j])))

    @staticmethod
    def crossing(n: Any, j: int, p: Any) -> float:
        if n.v[j] >= p.v_peak:
            return 0.0
        end = _LOOK_AHEAD / p.a
        t, _, _ = _rise(p, 0.0, n.v[j], n.u[j], end, _FIRST_STEP, p.tolerance)
        return t

    @staticmethod
    def crossing_soon(n: Any, j: int, p: Any) -> float:
        """Over a millisecond."""
        if n.v[j] >= p.v_peak:
            return 0.0
        t, v, u = _rise(p, 0.0, n.v[j], n.u[j], _SOON, _FIRST_STEP, p.tolerance)
        return t if t < inf or _settled(p, _SOON, v, u) else -_SOON

    @staticmethod
    def fire(n: Any, j: int, p: Any) -> float:
        n.v[j] = p.c
        n.u[j] += p.d
        return 0.0
