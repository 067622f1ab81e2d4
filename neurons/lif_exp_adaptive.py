"""``LIFExp`` with an adaptive threshold, exact between events.

::

    tau_theta dtheta/dt = -theta,   theta += theta_plus  at a spike,   which is at V >= v_th + theta

and the rest as in :mod:`neurons.lif_exp`, refractoriness included.  A class of its own, so that
neurons with a fixed threshold carry no variable for it.

Accuracy: the drive at threshold is a sum of four exponentials at most; V reaches threshold at most
once between two of its sign changes (``neurons._reach`` finds each), at a root taken to a few units
in the last place.  No crossing and no graze is missed.

Source: the threshold of Diehl & Cook 2015, Front. Comput. Neurosci. 9 (theta); current-based neuron
as in :mod:`neurons.lif_exp`.
"""

from __future__ import annotations

from math import exp
from typing import Any, NamedTuple

from neurons._reach import first_crossing
from neurons._variant import jitable, mover
from neurons.lif_exp import LIFExp, potential
from simulator.inner import register_jitable

__all__ = ["AdaptiveLIFExp"]


@register_jitable
def _above(b: Any, t: float) -> tuple[float, float]:
    """V - threshold and its slope, ``t`` after the state in ``b``."""
    a, theta, tau_theta = b
    height, slope = potential(a, t)
    theta *= exp(-t / tau_theta)
    return height - theta, slope + theta / tau_theta


_search = first_crossing(_above)
_factors, _advance, _hold, _may_cross, _fire = jitable(
    LIFExp.factors, LIFExp.advance, LIFExp.hold, LIFExp.may_cross, LIFExp.fire
)
(_crossing,) = jitable(LIFExp.crossing, apart=True)
_kick, _time_constants, _horizon, _allowance = jitable(
    LIFExp.kick, LIFExp.time_constants, LIFExp.horizon, LIFExp.allowance
)


class AdaptiveLIFExp(LIFExp):
    """Leaky integrate-and-fire with exponential currents and a moving threshold."""

    class Parameters(NamedTuple):
        tau_m: float = 20.0  # [ms] membrane time constant, > 0
        tau_exc: float = 5.0  # [ms] decay of the excitatory current, > 0
        tau_inh: float = 10.0  # [ms] decay of the inhibitory current, > 0
        v_rest: float = 0.0  # [mV] resting potential
        v_th: float = 1.0  # [mV] threshold
        v_reset: float = 0.0  # [mV] after a spike and while refractory, < v_th
        t_ref: float = 0.0  # [ms] refractory period, >= 0
        bias: float = 0.0  # [mV] constant current
        theta_plus: float = 0.0  # [mV] step of the threshold at a spike, >= 0
        tau_theta: float = 100.0  # [ms] decay of the threshold to v_th, > 0

    state = {**LIFExp.state, "theta": 0.0}  # noqa: RUF012  [mV]

    @staticmethod
    def factors(p: Any, dt: float) -> tuple[float, ...]:
        return (*_factors(p, dt), exp(-dt / p.tau_theta))

    @staticmethod
    def advance(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        _advance(n, j, p, f)
        n.theta[j] *= f[6]

    @staticmethod
    def hold(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        _hold(n, j, p, f)
        n.theta[j] *= f[6]

    @staticmethod
    def may_cross(n: Any, j: int, p: Any, dt: float) -> bool:
        """With the threshold at its lowest: theta, or at least the share 1 - dt / tau_theta."""
        theta = n.theta[j]
        lowest = min(theta, theta * max(0.0, 1.0 - dt / p.tau_theta))
        return bool(_may_cross(n, j, _moved(p, lowest), dt))

    @staticmethod
    def crossing(n: Any, j: int, p: Any) -> float:
        v, i_exc, i_inh, theta = n.v[j], n.i_exc[j], n.i_inh[j], n.theta[j]
        if theta == 0.0:
            return float(_crossing(n, j, p))
        if v >= p.v_th + theta:
            return 0.0
        v_inf = p.v_rest + p.bias
        a = (v, i_exc, i_inh, v_inf, p.v_th, p.tau_m, p.tau_exc, p.tau_inh)
        drive = (
            (v_inf - p.v_th, 0.0, 0.0),
            (i_exc, 0.0, 1.0 / p.tau_exc),
            (i_inh, 0.0, 1.0 / p.tau_inh),
            (theta * (p.tau_m / p.tau_theta - 1.0), 0.0, 1.0 / p.tau_theta),
        )
        return _search((a, theta, p.tau_theta), drive, p.tau_m)

    @staticmethod
    def fire(n: Any, j: int, p: Any) -> float:
        n.theta[j] += p.theta_plus
        return float(_fire(n, j, p))

    @staticmethod
    def time_constants(p: Any) -> tuple[float, ...]:
        return (*_time_constants(p), p.tau_theta)

    @staticmethod
    def kick(p: Any, port: int) -> tuple[float, ...]:
        return (*_kick(p, port), 0.0)

    @staticmethod
    def horizon(p: Any, dt: float) -> tuple[float, ...]:
        return (*_horizon(p, dt), exp(-dt / p.tau_theta))

    @staticmethod
    def allowance(n: Any, j: int, p: Any, h: Any) -> float:
        """With the threshold at its lowest, at one end of the horizon."""
        theta = n.theta[j]
        return float(_allowance(n, j, _moved(p, min(theta, theta * h[3])), h))


_moved = mover(AdaptiveLIFExp.Parameters, "v_th")
