"""Leaky integrate-and-fire neuron with two alpha-shaped synaptic currents, exact between events.

::

    tau_m dV/dt = -(V - v_rest) + I_exc + I_inh + bias
    dI/dt = -I / tau + D,    dD/dt = -D / tau,    D += w e / tau  on arrival

on each of the ports "excitatory" and "inhibitory", so that one spike makes the current
w e t / tau exp(-t / tau), which peaks with w at t = tau.  Currents are in units of the potential
(resistance 1) and signed: an inhibitory weight is negative.  The neuron fires when
V >= v_th + theta; V is then held at v_reset for t_ref while the currents go on, as in NEST's
``iaf_psc_alpha`` (``refractory_loss(LIFAlpha)`` loses what arrives meanwhile).  The threshold moves
if theta_plus > 0: theta += theta_plus at a spike, and decays with tau_theta.

Time constants may be equal or nearly so: the response is written with the entire functions
(exp(x) - 1) / x and its derivative, and loses no digits.

The state is no sum of decaying exponentials, one a variable: t exp(-t / tau) is the limit of two
that have become one.  So the model has no modes, and is advanced at each arrival.

Accuracy: the drive at threshold, a sum of a constant, two currents (a + b t) exp(-t / tau) and
theta, changes sign at most five times (``neurons._reach`` finds each); between two changes V
reaches threshold at most once, at the root of a bracketed Newton iteration run to a few units in
the last place.  No crossing and no graze is missed.

Source: Rotter & Diesmann 1999, Biol. Cybern. 81; Morrison et al. 2007, Neural Comput. 19 (NEST's
``iaf_psc_alpha_ps``, whose weights mean the same).
"""

from __future__ import annotations

from math import e, exp, expm1
from typing import Any, NamedTuple

from neurons._checks import check_common
from neurons._reach import first_crossing
from simulator.inner import register_jitable
from simulator.model import NeuronModel
from simulator.roots import expm1_ratio

__all__ = ["LIFAlpha"]


@register_jitable
def _expm1_ratio_slope(x: float) -> float:
    """Derivative of (exp(x) - 1) / x, that is (1 + (x - 1) exp(x)) / x^2, smooth through 0."""
    if abs(x) < 0.7:  # sum of x^k / (k! (k + 2)); the next term is below a unit in the last place
        total, power = 0.5, 1.0
        for k in range(1, 17):
            power *= x / k
            total += power / (k + 2)
        return total
    return (exp(x) - expm1(x) / x) / x


@register_jitable
def _responses(
    dt: float, tau_m: float, tau_s: float, decay_m: float, decay_s: float
) -> tuple[float, float]:
    """V after ``dt`` from the currents exp(-t / tau_s) and t exp(-t / tau_s)."""
    x = dt * ((tau_s - tau_m) / (tau_m * tau_s))
    if x > 30.0:  # decay_m underflows against exp(x): the differences have no cancellation there
        one = (decay_s - decay_m) / x
        return dt / tau_m * one, dt / tau_m * dt * ((decay_s - one) / x)
    scale = dt / tau_m * decay_m
    return scale * expm1_ratio(x), scale * dt * _expm1_ratio_slope(x)


@register_jitable
def _above(a: Any, t: float) -> tuple[float, float]:
    """V - threshold and its slope, ``t`` after the state in ``a``."""
    u, i_exc, d_exc, i_inh, d_inh, theta, height, tau_m, tau_exc, tau_inh, tau_theta = a
    decay_m, decay_exc, decay_inh = exp(-t / tau_m), exp(-t / tau_exc), exp(-t / tau_inh)
    exc, exc_t = _responses(t, tau_m, tau_exc, decay_m, decay_exc)
    inh, inh_t = _responses(t, tau_m, tau_inh, decay_m, decay_inh)
    u = u * decay_m + (i_exc * exc + d_exc * exc_t) + (i_inh * inh + d_inh * inh_t)
    current = (i_exc + d_exc * t) * decay_exc + (i_inh + d_inh * t) * decay_inh
    theta *= exp(-t / tau_theta)
    return u - height - theta, (current - u) / tau_m + theta / tau_theta


_search = first_crossing(_above)


class LIFAlpha(NeuronModel):
    """Leaky integrate-and-fire with alpha-shaped currents; see the module's text."""

    class Parameters(NamedTuple):
        tau_m: float = 20.0  # [ms] membrane time constant, > 0
        tau_exc: float = 2.0  # [ms] peak time of an excitatory current, > 0
        tau_inh: float = 2.0  # [ms] peak time of an inhibitory current, > 0
        v_rest: float = 0.0  # [mV] resting potential
        v_th: float = 1.0  # [mV] threshold
        v_reset: float = 0.0  # [mV] after a spike and while refractory, < v_th
        t_ref: float = 0.0  # [ms] refractory period, >= 0
        bias: float = 0.0  # [mV] constant current
        theta_plus: float = 0.0  # [mV] step of the threshold at a spike, >= 0
        tau_theta: float = 100.0  # [ms] decay of the threshold to v_th, > 0

    # i in mV, its source d in mV/ms
    state = {  # noqa: RUF012
        "v": 0.0, "i_exc": 0.0, "d_exc": 0.0, "i_inh": 0.0, "d_inh": 0.0, "theta": 0.0,
    }  # fmt: skip
    ports = ("excitatory", "inhibitory")
    synaptic = ("i_exc", "d_exc", "i_inh", "d_inh")

    @classmethod
    def check(cls, p: Any) -> None:
        check_common(cls, p)

    @staticmethod
    def factors(p: Any, dt: float) -> tuple[float, ...]:
        decay_m, decay_exc = exp(-dt / p.tau_m), exp(-dt / p.tau_exc)
        decay_inh = exp(-dt / p.tau_inh)
        exc, exc_t = _responses(dt, p.tau_m, p.tau_exc, decay_m, decay_exc)
        inh, inh_t = _responses(dt, p.tau_m, p.tau_inh, decay_m, decay_inh)
        return (
            decay_m, decay_exc, decay_inh, exc, exc_t, inh, inh_t, -expm1(-dt / p.tau_m), dt,
            exp(-dt / p.tau_theta),
        )  # fmt: skip

    @staticmethod
    def advance(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        n.v[j] = (
            n.v[j] * f[0]
            + (n.i_exc[j] * f[3] + n.d_exc[j] * f[4])
            + (n.i_inh[j] * f[5] + n.d_inh[j] * f[6])
            + f[7] * (p.v_rest + p.bias)
        )
        n.i_exc[j] = (n.i_exc[j] + n.d_exc[j] * f[8]) * f[1]
        n.d_exc[j] *= f[1]
        n.i_inh[j] = (n.i_inh[j] + n.d_inh[j] * f[8]) * f[2]
        n.d_inh[j] *= f[2]
        n.theta[j] *= f[9]

    @staticmethod
    def hold(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        n.i_exc[j] = (n.i_exc[j] + n.d_exc[j] * f[8]) * f[1]
        n.d_exc[j] *= f[1]
        n.i_inh[j] = (n.i_inh[j] + n.d_inh[j] * f[8]) * f[2]
        n.d_inh[j] *= f[2]
        n.theta[j] *= f[9]

    @staticmethod
    def receive(n: Any, j: int, p: Any, port: int, w: float) -> None:
        if port == 0:
            n.d_exc[j] += w * (e / p.tau_exc)
        else:
            n.d_inh[j] += w * (e / p.tau_inh)

    @staticmethod
    def may_cross(n: Any, j: int, p: Any, dt: float) -> bool:
        """V(t) <= V + min(1, dt / tau_m) (largest drive - V).  A positive current is largest now,
        of a negative one at least the share 1 - dt / tau is left; t exp(-t / tau) <= tau / e."""
        i_exc, i_inh, v, theta = n.i_exc[j], n.i_inh[j], n.v[j], n.theta[j]
        drive = (
            max(i_exc, i_exc * max(0.0, 1.0 - dt / p.tau_exc))
            + max(i_inh, i_inh * max(0.0, 1.0 - dt / p.tau_inh))
            + max(n.d_exc[j], 0.0) * min(dt, p.tau_exc / e)
            + max(n.d_inh[j], 0.0) * min(dt, p.tau_inh / e)
            + (p.v_rest + p.bias)
        )
        highest = v + min(1.0, dt / p.tau_m) * max(drive - v, 0.0)
        lowest = p.v_th + min(theta, theta * max(0.0, 1.0 - dt / p.tau_theta))
        slack = 1e-12 * (p.v_th - p.v_reset)  # more than the rounding of these lines
        return bool(highest >= lowest - slack)

    @staticmethod
    def crossing(n: Any, j: int, p: Any) -> float:
        v, theta = n.v[j], n.theta[j]
        if v >= p.v_th + theta:
            return 0.0
        v_inf = p.v_rest + p.bias
        i_exc, d_exc, i_inh, d_inh = n.i_exc[j], n.d_exc[j], n.i_inh[j], n.d_inh[j]
        a = (
            v - v_inf, i_exc, d_exc, i_inh, d_inh, theta, p.v_th - v_inf,
            p.tau_m, p.tau_exc, p.tau_inh, p.tau_theta,
        )  # fmt: skip
        drive = (
            (v_inf - p.v_th, 0.0, 0.0),
            (i_exc, d_exc, 1.0 / p.tau_exc),
            (i_inh, d_inh, 1.0 / p.tau_inh),
            (theta * (p.tau_m / p.tau_theta - 1.0), 0.0, 1.0 / p.tau_theta),
        )
        return _search(a, drive, p.tau_m)

    @staticmethod
    def fire(n: Any, j: int, p: Any) -> float:
        n.v[j] = p.v_reset
        n.theta[j] += p.theta_plus
        return float(p.t_ref)
