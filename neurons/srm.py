"""Spike-response neuron: unit-peak double-exponential kernel, subtractive reset; exact.

::

    V(t) = sum_i w_i K(t - t_i) - v_th sum_s exp(-(t - t_s) / tau_m),   K(0) = 0, max K = 1
    K(x) = V0 (exp(-x / tau_m) - exp(-x / tau_s)),   V0 = b^(b / (b - 1)) / (b - 1)

with b = tau_m / tau_s, over arrivals t_i and the neuron's own spikes t_s, which happen where V
reaches v_th: a spike takes v_th away and nothing is refractory.  V is measured from rest; a weight
is the peak that one spike makes.  Equal time constants are allowed: K(x) = x / tau_m exp(1 - x /
tau_m) then.

As an equation, with the gain b^(b / (b - 1)), smooth through b = 1:

    tau_m dV/dt = -V + gain I + bias,   tau_s dI/dt = -I
    I += w on arrival,   V -= v_th at a spike

An optional moving threshold v_th + theta (theta += theta_plus at a spike, decaying with tau_theta)
leaves the reset at v_th.  A neuron spikes once at an instant: a potential that was put at several
v_th loses as many of them in one spike.

Accuracy: V reaches threshold only while the drive exceeds it; on each such piece it does so at most
once, and the root is taken to a few units in the last place.  No graze is missed.

Source: the neuron of the tempotron (Gütig & Sompolinsky 2006), of MPD-AL, ETDP (Zhang et al.,
equations 1 and 2) and STCA (Gu et al. 2019, equations 1 to 5); the reset kernel is theirs and no
refractoriness, whatever it is called there.
"""

from __future__ import annotations

from math import e, exp, expm1, floor, inf, log, log1p
from typing import Any, NamedTuple

from neurons._checks import check_common
from neurons._reach import first_crossing
from simulator.inner import register_jitable
from simulator.model import NeuronModel
from simulator.roots import bracketed_newton, expm1_ratio

__all__ = ["SRM"]


@register_jitable
def _gain(tau_m: float, tau_s: float) -> float:
    """b^(b / (b - 1)) with b = tau_m / tau_s: the current that a kernel of unit peak needs."""
    x = (tau_m - tau_s) / tau_s
    return exp((1.0 + x) * (log1p(x) / x)) if x != 0.0 else e


@register_jitable
def _response(dt: float, tau_m: float, tau_s: float, decay_m: float, decay_s: float) -> float:
    """V after ``dt`` from a unit current that decays with ``tau_s``, given both decay factors."""
    x = dt * ((tau_s - tau_m) / (tau_m * tau_s))
    if x > 30.0:  # decay_m underflows against exp(x): the difference has no cancellation there
        return (decay_s - decay_m) * dt / (tau_m * x)
    return dt / tau_m * decay_m * expm1_ratio(x)


@register_jitable
def _above(a: Any, t: float) -> tuple[float, float]:
    """V - threshold and its slope, ``t`` after the state in ``a``."""
    u, current, theta, height, tau_m, tau_s, tau_theta = a
    decay_m, decay_s, theta = exp(-t / tau_m), exp(-t / tau_s), theta * exp(-t / tau_theta)
    u = u * decay_m + current * _response(t, tau_m, tau_s, decay_m, decay_s)
    return u - height - theta, (current * decay_s - u) / tau_m + theta / tau_theta


_find_crossing = bracketed_newton(_above)
_search = first_crossing(_above)


class SRM(NeuronModel):
    """Spike-response neuron with subtractive reset; see the module's text."""

    class Parameters(NamedTuple):
        tau_m: float = 20.0  # [ms] slow time constant, > 0
        tau_s: float = 5.0  # [ms] fast time constant, > 0
        v_th: float = 1.0  # [mV] threshold, and what a spike takes away, > 0
        theta_plus: float = 0.0  # [mV] step of the threshold at a spike, >= 0
        tau_theta: float = 100.0  # [ms] decay of the threshold to v_th, > 0
        bias: float = 0.0  # [mV] constant current

    state = {"v": 0.0, "i": 0.0, "theta": 0.0}  # noqa: RUF012  [mV]
    linear = True

    @classmethod
    def check(cls, p: Any) -> None:
        check_common(cls, p)
        cls.require(p.v_th > 0, f"v_th = {p.v_th} mV; it must be > 0")

    @staticmethod
    def threshold_range(p: Any) -> tuple[float, float]:
        return 0.0, inf

    @staticmethod
    def factors(p: Any, dt: float) -> tuple[float, ...]:
        decay_m, decay_s = exp(-dt / p.tau_m), exp(-dt / p.tau_s)
        response = _response(dt, p.tau_m, p.tau_s, decay_m, decay_s)
        return (
            decay_m,
            decay_s,
            _gain(p.tau_m, p.tau_s) * response,
            exp(-dt / p.tau_theta),
            -expm1(-dt / p.tau_m),
        )

    @staticmethod
    def advance(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        n.v[j] = n.v[j] * f[0] + n.i[j] * f[2] + f[4] * p.bias
        n.i[j] *= f[1]
        n.theta[j] *= f[3]

    @staticmethod
    def hold(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        """Never happens, there is no refractory period; time passes as ever."""
        n.v[j] = n.v[j] * f[0] + n.i[j] * f[2] + f[4] * p.bias
        n.i[j] *= f[1]
        n.theta[j] *= f[3]

    @staticmethod
    def receive(n: Any, j: int, p: Any, port: int, w: float) -> None:
        n.i[j] += w

    @staticmethod
    def may_cross(n: Any, j: int, p: Any, dt: float) -> bool:
        """The kernel is at most 1 and its slope at most e over the shorter time constant; of the
        way from V to the bias at most the share dt / tau_m is gone."""
        v, theta = n.v[j], n.theta[j]
        kernel = min(1.0, e * dt / min(p.tau_m, p.tau_s))
        highest = v + min(1.0, dt / p.tau_m) * max(p.bias - v, 0.0) + kernel * max(n.i[j], 0.0)
        lowest = p.v_th + min(theta, theta * max(0.0, 1.0 - dt / p.tau_theta))
        return bool(highest >= lowest - 1e-12 * p.v_th)

    @staticmethod
    def crossing(n: Any, j: int, p: Any) -> float:
        v, theta = n.v[j], n.theta[j]
        if v >= p.v_th + theta:
            return 0.0
        current = _gain(p.tau_m, p.tau_s) * n.i[j]
        height = p.v_th - p.bias
        a = (v - p.bias, current, theta, height, p.tau_m, p.tau_s, p.tau_theta)
        if theta == 0.0 and height > 0.0:
            if current <= height:
                return inf
            end = p.tau_s * log(current / height)  # the drive exceeds threshold until then
            return _find_crossing(a, 0.0, end) if _above(a, end)[0] >= 0.0 else inf
        drive = (
            (-height, 0.0, 0.0),
            (current, 0.0, 1.0 / p.tau_s),
            (theta * (p.tau_m / p.tau_theta - 1.0), 0.0, 1.0 / p.tau_theta),
        )
        return _search(a, drive, p.tau_m)

    @staticmethod
    def fire(n: Any, j: int, p: Any) -> float:
        n.v[j] -= p.v_th * max(1.0, floor(n.v[j] / p.v_th))
        n.theta[j] += p.theta_plus
        return 0.0

    # Modes: V - bias = a_m exp(-t/tau_m) + k I exp(-t/tau_s), k = gain tau_s / (tau_s - tau_m).

    @classmethod
    def has_modes(cls, p: Any) -> bool:
        """The amplitudes cancel as the time constants come close: keep two digits."""
        return bool(abs(p.tau_s / p.tau_m - 1.0) > 0.01)

    @staticmethod
    def time_constants(p: Any) -> tuple[float, ...]:
        return p.tau_m, p.tau_s, p.tau_theta

    @staticmethod
    def to_modes(n: Any, j: int, p: Any) -> None:
        n.v[j] -= p.bias + n.i[j] * (_gain(p.tau_m, p.tau_s) * p.tau_s / (p.tau_s - p.tau_m))

    @staticmethod
    def from_modes(n: Any, j: int, p: Any) -> None:
        n.v[j] += p.bias + n.i[j] * (_gain(p.tau_m, p.tau_s) * p.tau_s / (p.tau_s - p.tau_m))

    @staticmethod
    def kick(p: Any, port: int) -> tuple[float, ...]:
        return -_gain(p.tau_m, p.tau_s) * p.tau_s / (p.tau_s - p.tau_m), 1.0, 0.0

    @staticmethod
    def horizon(p: Any, dt: float) -> tuple[float, ...]:
        peak = log(p.tau_m / p.tau_s) / (1.0 / p.tau_s - 1.0 / p.tau_m)
        t = min(dt, peak)
        kernel = _gain(p.tau_m, p.tau_s) * _response(
            t, p.tau_m, p.tau_s, exp(-t / p.tau_m), exp(-t / p.tau_s)
        )
        gain = _gain(p.tau_m, p.tau_s)
        return -expm1(-dt / p.tau_m), kernel, exp(-dt / p.tau_theta), gain

    @staticmethod
    def allowance(n: Any, j: int, p: Any, h: Any) -> float:
        """What arrives adds no more than its sum times the highest of the kernel within dt, and so
        does the present current; nor does V get further than the share 1 - exp(-dt / tau_m) of the
        way to the present drive."""
        v, theta, current = n.v[j], n.theta[j], max(n.i[j], 0.0)
        driven = h[0] * max(h[3] * current + p.bias - v, 0.0)
        highest = v + min(driven, h[0] * max(p.bias - v, 0.0) + h[1] * current)
        lowest = p.v_th + min(theta, theta * h[2])
        margin = 1e-9 * p.v_th  # far more than the rounding of modes and weights
        return (lowest - highest - margin) / max(h[1], 1e-9)
