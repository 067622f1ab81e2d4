"""Leaky integrate-and-fire neuron with two exponential synaptic currents, exact between events.

::

    tau_m dV/dt = -(V - v_rest) + I_exc + I_inh + bias
    tau_exc dI_exc/dt = -I_exc,    I_exc += w  on the port "excitatory"
    tau_inh dI_inh/dt = -I_inh,    I_inh += w  on the port "inhibitory"

Currents are in units of the potential (resistance 1) and signed: an inhibitory weight is negative.
At V = v_th the neuron fires; V is then held at v_reset for t_ref while the currents go on decaying
and receiving, as in NEST's ``iaf_psc_exp`` and in Brian2 with ``(unless refractory)`` at V alone;
``refractory_loss(LIFExp)`` loses what arrives meanwhile.  Time constants may be equal or nearly so:
the response is written with (exp(x) - 1) / x and loses no digits.

Accuracy: V changes direction at most twice between events, because exp(t / tau_m) V' is monotone
on either side of the one zero of I_exc' + I_inh'.  The search brackets those turns, so that no
crossing is missed, and takes the root to a few units in the last place.

Source: Brette et al. 2007 (the current-based neuron); Fois & Girau 2023, section 2.1.1, where
tau_exc is the afferent and tau_inh the lateral time constant.
"""

from __future__ import annotations

from math import exp, expm1, inf, log
from typing import Any, NamedTuple

from neurons._checks import check_common
from simulator.inner import register_jitable
from simulator.model import NeuronModel
from simulator.roots import bracketed_newton, expm1_ratio

__all__ = ["LIFExp", "potential"]

_LONG = 500.0  # time constants after which nothing matters, though it has not yet underflowed


@register_jitable
def _response(dt: float, tau_m: float, tau_s: float, decay_m: float, decay_s: float) -> float:
    """V after ``dt`` from a unit current that decays with ``tau_s``, given both decay factors."""
    x = dt * (1.0 / tau_m - 1.0 / tau_s)
    if x > 30.0:  # decay_m underflows against exp(x): the difference has no cancellation there
        return (decay_s - decay_m) * dt / (tau_m * x)
    return dt / tau_m * decay_m * expm1_ratio(x)


@register_jitable
def potential(a: Any, t: float) -> tuple[float, float]:
    """V - v_th and dV/dt, ``t`` after the state in ``a``."""
    v, i_exc, i_inh, v_inf, v_th, tau_m, tau_exc, tau_inh = a
    decay_m, decay_exc, decay_inh = exp(-t / tau_m), exp(-t / tau_exc), exp(-t / tau_inh)
    u = (
        (v - v_inf) * decay_m
        + i_exc * _response(t, tau_m, tau_exc, decay_m, decay_exc)
        + i_inh * _response(t, tau_m, tau_inh, decay_m, decay_inh)
    )
    return u + (v_inf - v_th), (i_exc * decay_exc + i_inh * decay_inh - u) / tau_m


@register_jitable
def _now(a: Any) -> tuple[float, float]:
    """What ``potential(a, 0.0)`` is, without an exponential."""
    u = a[0] - a[3]
    return u + (a[3] - a[4]), (a[1] + a[2] - u) / a[5]


@register_jitable
def _turn(a: Any, t: float, sign: float) -> tuple[float, float]:
    """The slope of V and its derivative, times ``sign``."""
    _, _, _, _, _, tau_m, tau_exc, tau_inh = a
    _, slope = potential(a, t)
    change = -a[1] / tau_exc * exp(-t / tau_exc) - a[2] / tau_inh * exp(-t / tau_inh)
    return sign * slope, sign * (change - slope) / tau_m


@register_jitable
def _rising_turn(a: Any, t: float) -> tuple[float, float]:
    return _turn(a, t, 1.0)


@register_jitable
def _falling_turn(a: Any, t: float) -> tuple[float, float]:
    return _turn(a, t, -1.0)


_find_crossing = bracketed_newton(potential)
_find_minimum = bracketed_newton(_rising_turn)  # V' goes from negative to positive
_find_maximum = bracketed_newton(_falling_turn)


@register_jitable
def _search_limit(a: Any) -> float:
    """A time after which V cannot rise through threshold: the drive stays below it."""
    _, i_exc, i_inh, v_inf, v_th, tau_m, tau_exc, tau_inh = a
    if v_inf >= v_th:
        # A time constant that nothing decays with does not count: the slope would have underflowed
        # long before, and lost its sign.
        slowest = tau_m
        if i_exc != 0.0:
            slowest = max(slowest, tau_exc)
        if i_inh != 0.0:
            slowest = max(slowest, tau_inh)
        return _LONG * slowest
    drive, tau = 0.0, 0.0
    if i_exc > 0.0:
        drive, tau = drive + i_exc, tau_exc
    if i_inh > 0.0:
        drive, tau = drive + i_inh, max(tau, tau_inh)
    if drive < v_th - v_inf:
        return 0.0
    return tau * (log(drive / (v_th - v_inf)) + 1e-9)


@register_jitable
def _first_rise(a: Any, lo: float, hi: float) -> float:
    """First time in [lo, hi] at which V rises to threshold; V turns at most once there."""
    v_lo, slope_lo = potential(a, lo) if lo > 0.0 else _now(a)
    if slope_lo > 0.0:
        # Above threshold a little later than the tangent says, and with one turn at most: the root
        # is before, and the maximum need not be found.
        soon = lo - 2.0 * v_lo / slope_lo
        if lo < soon < hi and potential(a, soon)[0] >= 0.0:
            return _find_crossing(a, lo, soon)
    v_hi, slope_hi = potential(a, hi)
    if slope_lo > 0.0:
        # Rising, then perhaps falling; while it rises the slope only gets smaller or it has no
        # maximum inside, so the tangents bound the top.
        if slope_hi < 0.0:
            if v_lo + slope_lo * (hi - lo) < 0.0:
                return inf
            hi = _find_maximum(a, lo, hi)
            v_hi = potential(a, hi)[0]
        return _find_crossing(a, lo, hi) if v_hi >= 0.0 else inf
    if v_hi >= 0.0:  # it has risen, though all of the slope may have underflown by then
        return _find_crossing(a, _find_minimum(a, lo, hi), hi)
    return inf


class LIFExp(NeuronModel):
    """Leaky integrate-and-fire with exponential currents; see the module's text."""

    class Parameters(NamedTuple):
        tau_m: float = 20.0  # [ms] membrane time constant, > 0
        tau_exc: float = 5.0  # [ms] decay of the excitatory current, > 0
        tau_inh: float = 10.0  # [ms] decay of the inhibitory current, > 0
        v_rest: float = 0.0  # [mV] resting potential
        v_th: float = 1.0  # [mV] threshold
        v_reset: float = 0.0  # [mV] after a spike and while refractory, < v_th
        t_ref: float = 0.0  # [ms] refractory period, >= 0
        bias: float = 0.0  # [mV] constant current

    state = {"v": 0.0, "i_exc": 0.0, "i_inh": 0.0}  # noqa: RUF012  [mV]
    ports = ("excitatory", "inhibitory")
    synaptic = ("i_exc", "i_inh")
    linear = True

    @classmethod
    def check(cls, p: Any) -> None:
        check_common(cls, p)

    @staticmethod
    def factors(p: Any, dt: float) -> tuple[float, ...]:
        decay_m, decay_exc, decay_inh = (
            exp(-dt / p.tau_m),
            exp(-dt / p.tau_exc),
            exp(-dt / p.tau_inh),
        )
        return (
            decay_m,
            decay_exc,
            decay_inh,
            _response(dt, p.tau_m, p.tau_exc, decay_m, decay_exc),
            _response(dt, p.tau_m, p.tau_inh, decay_m, decay_inh),
            -expm1(-dt / p.tau_m),
        )

    @staticmethod
    def advance(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        n.v[j] = n.v[j] * f[0] + n.i_exc[j] * f[3] + n.i_inh[j] * f[4] + f[5] * (p.v_rest + p.bias)
        n.i_exc[j] *= f[1]
        n.i_inh[j] *= f[2]

    @staticmethod
    def hold(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
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
        """V(t) <= V + min(1, dt / tau_m) (largest drive - V).  A positive current is largest now;
        of a negative one at least the share 1 - dt / tau_s is left at the end."""
        i_exc, i_inh = n.i_exc[j], n.i_inh[j]
        drive = (
            max(i_exc, i_exc * max(0.0, 1.0 - dt / p.tau_exc))
            + max(i_inh, i_inh * max(0.0, 1.0 - dt / p.tau_inh))
            + (p.v_rest + p.bias)
        )
        slack = 1e-12 * (p.v_th - p.v_reset)  # more than the rounding of these lines
        return n.v[j] + min(1.0, dt / p.tau_m) * max(drive - n.v[j], 0.0) >= p.v_th - slack

    @staticmethod
    def crossing(n: Any, j: int, p: Any) -> float:
        v, i_exc, i_inh = n.v[j], n.i_exc[j], n.i_inh[j]
        if v >= p.v_th:
            return 0.0
        v_inf = p.v_rest + p.bias
        a = (v, i_exc, i_inh, v_inf, p.v_th, p.tau_m, p.tau_exc, p.tau_inh)
        far = _search_limit(a)
        if far <= 0.0:
            return inf
        if v_inf == p.v_th:  # the threshold is the limit: no sign is left when all has underflown
            while potential(a, far)[0] == 0.0:
                far *= 0.5
        # exp(t / tau_m) V' is monotone on [0, bend] and on [bend, far]: V turns once on each.
        bend = far
        h_exc, h_inh = i_exc / p.tau_exc, i_inh / p.tau_inh
        if h_exc * h_inh < 0.0 and p.tau_exc != p.tau_inh:
            bend = log(-h_inh / h_exc) / (1.0 / p.tau_inh - 1.0 / p.tau_exc)
            bend = far if bend <= 0.0 else min(bend, far)
        t = _first_rise(a, 0.0, bend)
        if t == inf and bend < far:
            t = _first_rise(a, bend, far)
        return t

    @staticmethod
    def fire(n: Any, j: int, p: Any) -> float:
        n.v[j] = p.v_reset
        return p.t_ref

    # Modes: V - v_inf = a_m exp(-t/tau_m) + sum of k_s I_s exp(-t/tau_s), k_s = tau_s / (tau_s -
    # tau_m); the currents are modes themselves.

    @classmethod
    def has_modes(cls, p: Any) -> bool:
        """The amplitudes cancel as a time constant comes close to tau_m: keep two digits."""
        return min(abs(p.tau_exc / p.tau_m - 1.0), abs(p.tau_inh / p.tau_m - 1.0)) > 0.01

    @staticmethod
    def time_constants(p: Any) -> tuple[float, ...]:
        return p.tau_m, p.tau_exc, p.tau_inh

    @staticmethod
    def to_modes(n: Any, j: int, p: Any) -> None:
        n.v[j] -= (
            p.v_rest
            + p.bias
            + n.i_exc[j] * p.tau_exc / (p.tau_exc - p.tau_m)
            + n.i_inh[j] * p.tau_inh / (p.tau_inh - p.tau_m)
        )

    @staticmethod
    def from_modes(n: Any, j: int, p: Any) -> None:
        n.v[j] += (
            p.v_rest
            + p.bias
            + n.i_exc[j] * p.tau_exc / (p.tau_exc - p.tau_m)
            + n.i_inh[j] * p.tau_inh / (p.tau_inh - p.tau_m)
        )

    @staticmethod
    def kick(p: Any, port: int) -> tuple[float, ...]:
        if port == 0:
            return -p.tau_exc / (p.tau_exc - p.tau_m), 1.0, 0.0
        return -p.tau_inh / (p.tau_inh - p.tau_m), 0.0, 1.0

    @staticmethod
    def clamp(n: Any, j: int, p: Any) -> None:
        n.v[j] = p.v_reset

    @staticmethod
    def horizon(p: Any, dt: float) -> tuple[float, ...]:
        return -1.0 / expm1(-dt / p.tau_m), exp(-dt / p.tau_exc), exp(-dt / p.tau_inh)

    @staticmethod
    def allowance(n: Any, j: int, p: Any, h: Any) -> float:
        """V(t) <= V + (1 - exp(-dt/tau_m)) (drive - V), where the drive is at most its present
        positive part, what is left of its negative part, and all that arrives."""
        i_exc, i_inh = n.i_exc[j], n.i_inh[j]
        drive = max(i_exc, i_exc * h[1]) + max(i_inh, i_inh * h[2]) + (p.v_rest + p.bias)
        margin = 1e-9 * (p.v_th - p.v_reset)  # far more than the rounding of modes and weights
        return (p.v_th - n.v[j]) * h[0] - max(drive - n.v[j], 0.0) - margin
