"""Leaky integrate-and-fire neuron whose potential jumps at every arrival, exact between events.

::

    tau_m dV/dt = -(V - v_rest) + bias,    V += w  on arrival
    tau_theta dtheta/dt = -theta,          theta += theta_plus  at a spike

The neuron fires when V >= v_th + theta; V is then held at v_reset for t_ref, and what arrives
meanwhile is lost, as by default in NEST's ``iaf_psc_delta`` and in Brian2 with ``(unless
refractory)`` at V.  With theta_plus = 0 the threshold stays at v_th.

Where only a jump can bring about a spike (v_rest + bias <= v_th), one that ends within 1e-13
(v_th - v_reset) below threshold reaches it: weights that add up to the threshold do so in whatever
order and frame they are summed.

Accuracy: with theta = 0 the crossing is a logarithm, good to a few units in the last place.  With a
moving threshold it is found between the sign changes of the drive at threshold (see
``neurons._reach``), to a few units in the last place, and no graze is missed.

Source: Brunel 2000, J. Comput. Neurosci. 8, equation 1, with delta synapses; the precise-time form
is that of Hanuschkin et al. 2010, Front. Neuroinform. 4:113 (NEST's ``iaf_psc_delta_ps``).
"""

from __future__ import annotations

from math import exp, expm1, inf, log1p
from typing import Any, NamedTuple

from neurons._checks import check_common
from neurons._reach import first_crossing
from simulator.inner import register_jitable
from simulator.model import NeuronModel

__all__ = ["LIFDelta"]

_NEAR = 1e-13  # of v_th - v_reset: more than the rounding of a sum of weights


@register_jitable
def _above(a: Any, t: float) -> tuple[float, float]:
    """V - threshold and its slope, ``t`` after the state in ``a``."""
    u, height, theta, tau_m, tau_theta = a
    u, theta = u * exp(-t / tau_m), theta * exp(-t / tau_theta)
    return u - height - theta, theta / tau_theta - u / tau_m


_search = first_crossing(_above)


class LIFDelta(NeuronModel):
    """Leaky integrate-and-fire with delta synapses; see the module's text."""

    class Parameters(NamedTuple):
        tau_m: float = 20.0  # [ms] membrane time constant, > 0
        v_rest: float = 0.0  # [mV] resting potential
        v_th: float = 1.0  # [mV] threshold
        v_reset: float = 0.0  # [mV] after a spike and while refractory, < v_th
        t_ref: float = 0.0  # [ms] refractory period, >= 0
        bias: float = 0.0  # [mV] constant current
        theta_plus: float = 0.0  # [mV] step of the threshold at a spike, >= 0
        tau_theta: float = 100.0  # [ms] decay of the threshold to v_th, > 0

    state = {"v": 0.0, "theta": 0.0}  # noqa: RUF012  [mV]
    linear = True

    @classmethod
    def check(cls, p: Any) -> None:
        check_common(cls, p)

    @staticmethod
    def factors(p: Any, dt: float) -> tuple[float, ...]:
        return (
            exp(-dt / p.tau_m),
            -expm1(-dt / p.tau_m),
            exp(-dt / p.tau_theta),
        )

    @staticmethod
    def advance(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        n.v[j] = n.v[j] * f[0] + f[1] * (p.v_rest + p.bias)
        n.theta[j] *= f[2]

    @staticmethod
    def hold(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        n.v[j] = p.v_reset
        n.theta[j] *= f[2]

    @staticmethod
    def receive(n: Any, j: int, p: Any, port: int, w: float) -> None:
        n.v[j] += w

    @staticmethod
    def may_cross(n: Any, j: int, p: Any, dt: float) -> bool:
        """V(t) <= V + min(1, dt / tau_m) (v_rest + bias - V), and of theta at least the share
        1 - dt / tau_theta is left at the end."""
        v, theta = n.v[j], n.theta[j]
        highest = v + min(1.0, dt / p.tau_m) * max(p.v_rest + p.bias - v, 0.0)
        lowest = p.v_th + min(theta, theta * max(0.0, 1.0 - dt / p.tau_theta))
        slack = 1e-12 * (p.v_th - p.v_reset)  # more than the rounding of these lines
        return bool(highest >= lowest - slack)

    @staticmethod
    def crossing(n: Any, j: int, p: Any) -> float:
        v, theta, v_inf = n.v[j], n.theta[j], p.v_rest + p.bias
        near = _NEAR * (p.v_th - p.v_reset) if v_inf <= p.v_th else 0.0
        if v >= p.v_th + theta - near:
            return 0.0
        if theta == 0.0:
            if v_inf <= p.v_th:
                return inf
            return float(p.tau_m * log1p((p.v_th - v) / (v_inf - p.v_th)))
        a = (v - v_inf, p.v_th - v_inf, theta, p.tau_m, p.tau_theta)
        drive = (
            (v_inf - p.v_th, 0.0, 0.0),
            (theta * (p.tau_m / p.tau_theta - 1.0), 0.0, 1.0 / p.tau_theta),
        )
        return _search(a, drive, p.tau_m)

    @staticmethod
    def fire(n: Any, j: int, p: Any) -> float:
        n.v[j] = p.v_reset
        n.theta[j] += p.theta_plus
        return float(p.t_ref)

    # Modes: V - v_inf with tau_m, theta with tau_theta.

    @staticmethod
    def time_constants(p: Any) -> tuple[float, ...]:
        return p.tau_m, p.tau_theta

    @staticmethod
    def to_modes(n: Any, j: int, p: Any) -> None:
        n.v[j] -= p.v_rest + p.bias

    @staticmethod
    def from_modes(n: Any, j: int, p: Any) -> None:
        n.v[j] += p.v_rest + p.bias

    @staticmethod
    def kick(p: Any, port: int) -> tuple[float, ...]:
        return 1.0, 0.0

    @staticmethod
    def clamp(n: Any, j: int, p: Any) -> None:
        n.v[j] = p.v_reset

    @staticmethod
    def horizon(p: Any, dt: float) -> tuple[float, ...]:
        return -expm1(-dt / p.tau_m), exp(-dt / p.tau_theta)

    @staticmethod
    def allowance(n: Any, j: int, p: Any, h: Any) -> float:
        """V without input rises from V towards v_rest + bias or falls from V; what arrives adds no
        more than its sum; the threshold is lowest at one end of the horizon."""
        v, theta = n.v[j], n.theta[j]
        highest = v + max(p.v_rest + p.bias - v, 0.0) * h[0]
        lowest = p.v_th + min(theta, theta * h[1])
        margin = 1e-9 * (p.v_th - p.v_reset)  # far more than the rounding of modes and weights
        return lowest - highest - margin
