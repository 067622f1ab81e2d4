"""Adaptive exponential integrate-and-fire neuron, integrated between events with error control.

::

    c dV/dt = -g_leak (V - e_leak) + g_leak delta exp((V - v_t) / delta) - w + I_exc + I_inh + bias
    tau_w dw/dt = a (V - e_leak) - w
    tau_exc dI_exc/dt = -I_exc,   tau_inh dI_inh/dt = -I_inh,   I += weight on arrival (pA, signed)

At V = v_peak the neuron fires: w += b, and V is held at v_reset for t_ref while w and the currents
go on, as in NEST's ``aeif_psc_exp`` (``refractory_loss(AdEx)`` loses what arrives meanwhile).
Beyond v_peak + delta the exponential is taken as constant; no spike time depends on it.

Accuracy: currents are exact; V and w come from an embedded Runge-Kutta pair of order 5(4) whose
estimated error in a step is below ``tolerance``, in mV and pA.  The search for a spike is taken up
anew after each quarter of the shortest time constant, and ends when V is provably trapped below the
exponential's unstable branch: in the box [v_low, v_high] x [w_low, w_high], which it cannot leave
if the slope on its upper side is negative.  Asked for the whole way, ``crossing`` gives up after
500 of the longest time constant.

Source: Brette & Gerstner 2005, J. Neurophysiol. 94, whose parameters are the defaults; the currents
are those of NEST's ``aeif_psc_exp``.
"""

from __future__ import annotations

from math import exp, expm1, inf
from typing import Any, NamedTuple

from neurons._checks import check_common
from neurons._dormand_prince import dormand_prince
from simulator.inner import register_jitable
from simulator.model import NeuronModel

__all__ = ["AdEx"]

_LOOK_AHEAD = 500.0  # longest time constants
_SOON = 0.25  # of the shortest time constant
_FIRST_STEP = 0.02  # of the shortest time constant


@register_jitable
def _slopes(k: Any, t: float, v: float, w: float) -> tuple[float, float]:
    i_exc, i_inh, p = k
    current = i_exc * exp(-t / p.tau_exc) + i_inh * exp(-t / p.tau_inh) + p.bias
    spike = p.delta * exp((min(v, p.v_peak + p.delta) - p.v_t) / p.delta)
    dv = (p.g_leak * (p.e_leak - v + spike) - w + current) / p.c
    return dv, (p.a * (v - p.e_leak) - w) / p.tau_w


@register_jitable
def _excess(k: Any, t: float, v: float) -> tuple[float, float]:
    return v - k[2].v_peak, 0.0


@register_jitable
def _settled(k: Any, t: float, v: float, w: float) -> bool:
    """V is trapped below its unstable branch."""
    p = k[2]
    i_exc, i_inh = k[0] * exp(-t / p.tau_exc), k[1] * exp(-t / p.tau_inh)
    v_high = max(v, p.v_t)
    w_high = max(w, p.a * (v_high - p.e_leak))
    least = min(i_exc, 0.0) + min(i_inh, 0.0) + p.bias
    v_low = min(v, p.e_leak + (least - w_high) / p.g_leak)
    w_low = min(w, p.a * (v_low - p.e_leak))
    most = max(i_exc, 0.0) + max(i_inh, 0.0) + p.bias
    spike = p.delta * exp((min(v_high, p.v_peak) - p.v_t) / p.delta)
    return bool((p.a >= 0.0) & (p.g_leak * (p.e_leak - v_high + spike) - w_low + most < -1e-9))


_integrate, _rise = dormand_prince(_slopes, _excess, _settled)


class AdEx(NeuronModel):
    """Adaptive exponential integrate-and-fire; see the module's text."""

    class Parameters(NamedTuple):
        c: float = 281.0  # [pF] capacitance, > 0
        g_leak: float = 30.0  # [nS] leak conductance, > 0
        e_leak: float = -70.6  # [mV] leak reversal potential
        v_t: float = -50.4  # [mV] where the exponential takes over
        delta: float = 2.0  # [mV] slope factor of the exponential, > 0
        v_peak: float = 20.0  # [mV] a spike is counted here, > v_t
        v_reset: float = -70.6  # [mV] after a spike and while refractory, < v_peak
        t_ref: float = 0.0  # [ms] refractory period, >= 0
        tau_w: float = 144.0  # [ms] time constant of adaptation, > 0
        a: float = 4.0  # [nS] subthreshold adaptation
        b: float = 80.5  # [pA] adaptation by a spike
        tau_exc: float = 5.0  # [ms] decay of the excitatory current, > 0
        tau_inh: float = 5.0  # [ms] decay of the inhibitory current, > 0
        bias: float = 0.0  # [pA] constant current
        tolerance: float = 1e-9  # [mV] and [pA] of a step, >= 1e-13

    state = {"v": -70.6, "w": 0.0, "i_exc": 0.0, "i_inh": 0.0}  # noqa: RUF012  [mV], [pA]
    ports = ("excitatory", "inhibitory")
    synaptic = ("i_exc", "i_inh")
    threshold = "v_t"

    @classmethod
    def check(cls, p: Any) -> None:
        for name in ("c", "g_leak", "delta"):
            value = getattr(p, name)
            cls.require(value > 0, f"{name} = {value}; it must be > 0")
        highest = max(p.v_t, p.v_reset)
        cls.require(
            p.v_peak > highest,
            f"v_peak = {p.v_peak} mV must be above v_t = {p.v_t} mV and v_reset = {p.v_reset} mV",
        )
        check_common(cls, p)
        cls.require(
            p.v_peak - p.v_t < 600.0 * p.delta,
            f"(v_peak - v_t) / delta = {(p.v_peak - p.v_t) / p.delta:g}; exp() of it must be "
            "finite, raise delta or lower v_peak",
        )

    @staticmethod
    def threshold_range(p: Any) -> tuple[float, float]:
        """Of v_t: exp((v_peak - v_t) / delta) is finite, and v_t below v_peak."""
        return p.v_peak - 600.0 * p.delta, p.v_peak

    @staticmethod
    def factors(p: Any, dt: float) -> tuple[float, ...]:
        w_held = -expm1(-dt / p.tau_w) * p.a * (p.v_reset - p.e_leak)
        return dt, exp(-dt / p.tau_exc), exp(-dt / p.tau_inh), exp(-dt / p.tau_w), w_held

    @staticmethod
    def advance(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        h = _FIRST_STEP * min(p.c / p.g_leak, p.tau_w, p.tau_exc, p.tau_inh)
        k = (n.i_exc[j], n.i_inh[j], p)
        n.v[j], n.w[j] = _integrate(k, n.v[j], n.w[j], f[0], h, p.tolerance)
        n.i_exc[j] *= f[1]
        n.i_inh[j] *= f[2]

    @staticmethod
    def hold(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        n.w[j] = n.w[j] * f[3] + f[4]
        n.i_exc[j] *= f[1]
        n.i_inh[j] *= f[2]

    @staticmethod
    def receive(n: Any, j: int, p: Any, port: int, w: float) -> None:
        if port == 0:
            n.i_exc[j] += w
        else:
            n.i_inh[j] += w

    @staticmethod
    def may_cross(n: Any, j: int, p: Any, dt: float) -> bool:
        """Unless V is trapped below its unstable branch."""
        return not _settled((n.i_exc[j], n.i_inh[j], p), 0.0, n.v[j], n.w[j])

    @staticmethod
    def crossing(n: Any, j: int, p: Any) -> float:
        if n.v[j] >= p.v_peak:
            return 0.0
        tau_m = p.c / p.g_leak
        h = _FIRST_STEP * min(tau_m, p.tau_w, p.tau_exc, p.tau_inh)
        end = _LOOK_AHEAD * max(tau_m, p.tau_w, p.tau_exc, p.tau_inh)
        k = (n.i_exc[j], n.i_inh[j], p)
        t, _, _ = _rise(k, 0.0, n.v[j], n.w[j], end, h, p.tolerance)
        return t

    @staticmethod
    def crossing_soon(n: Any, j: int, p: Any) -> float:
        """Over a part of the shortest time constant."""
        if n.v[j] >= p.v_peak:
            return 0.0
        shortest = min(p.c / p.g_leak, p.tau_w, p.tau_exc, p.tau_inh)
        end, h = _SOON * shortest, _FIRST_STEP * shortest
        k = (n.i_exc[j], n.i_inh[j], p)
        t, v, w = _rise(k, 0.0, n.v[j], n.w[j], end, h, p.tolerance)
        return t if t < inf or _settled(k, end, v, w) else -end

    @staticmethod
    def fire(n: Any, j: int, p: Any) -> float:
        n.v[j] = p.v_reset
        n.w[j] += p.b
        return float(p.t_ref)
