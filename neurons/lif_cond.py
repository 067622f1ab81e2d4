"""Leaky integrate-and-fire neuron with exponential conductances, exact for equal time constants.

::

    tau_m dV/dt = v_rest - V + bias + g_exc (e_exc - V) + g_inh (e_inh - V)
    tau_exc dg_exc/dt = -g_exc,   g_exc += w  on the port "excitatory"
    tau_inh dg_inh/dt = -g_inh,   g_inh += w  on the port "inhibitory"

Conductances are in units of the leak and so are weights, >= 0 on both ports.  The neuron fires when
V >= v_th + theta; V is then held at v_reset for t_ref while the conductances go on, as in NEST's
``iaf_cond_exp`` (``refractory_loss(LIFCond)`` loses what arrives meanwhile).  The threshold moves
if theta_plus > 0: theta decays with tau_theta, and a spike adds theta_plus, or theta_plus / |theta
/ theta_half - 1| if theta_half > 0, a step that shrinks as the threshold grows.

Equal synaptic time constants tau_s.  With g = g_exc + g_inh and a = tau_s / tau_m, in the variable
x = a g exp(-t / tau_s), the distance from v_inf = v_rest + bias is

    V - v_inf = M (V(0) - v_inf) + (G(x) - M G(x(0))) (E - v_inf)
    M = exp(-t / tau_m - (x(0) - x)),   G(x) = x^a exp(x) Gamma(1 - a, x)

with E the conductances' mean reversal potential and the upper incomplete gamma function.  G is a
continued fraction for x > 1; below, the difference is summed as a series without poles, so that
any a > 0 is allowed.  Where x is small, both are power series in it whose coefficients depend on t
alone: neurons that one instant touches share them.

Unequal ones: V is integrated by an embedded Runge-Kutta pair of order 5(4); the estimated error of
a step is below ``tolerance`` mV.

Accuracy: V within 1e-12 of the potentials' range in closed form.  The drive that a neuron at
threshold feels is known in closed form in both cases; V reaches threshold at most once between two
of its sign changes (``neurons._reach``), so that no crossing and no graze is missed, up to the
error of V.

Source: the model of Brette et al. 2007 and of the symmetric-STDP rule of Hao et al. 2020, equations
1 to 5 (whose shrinking step is theta_plus = kappa, theta_half = 10); closed form as in Brette 2006,
Neural Comput. 18, from the incomplete gamma function.
"""

from __future__ import annotations

from math import exp, expm1, factorial, inf, log
from typing import Any, NamedTuple

import numpy as np

from neurons._checks import check_common
from neurons._dormand_prince import dormand_prince
from neurons._reach import first_crossing, search_end, sign_changes
from simulator.inner import register_jitable
from simulator.model import NeuronModel
from simulator.roots import exp_of, expm1_ratio

__all__ = ["LIFCond", "scaled_gamma"]

_SOON = 0.25  # of the shortest time constant
_FIRST_STEP = 0.05  # of the shortest time constant


@register_jitable
def scaled_gamma(a: float, x: float) -> float:
    """exp(x) x^(a - 1) Gamma(1 - a, x) for a > 0 and x >= 1, within 1e-15: a continued fraction.

    It converges slowest at x = 1; from the far end, rounding errors die out.
    """
    n = int(12.0 + 100.0 / x)
    f = x + a + 2.0 * n
    for k in range(n, 0, -1):
        f = x + a + 2.0 * (k - 1) - k * (k - 1.0 + a) / f
    return 1.0 / f


@register_jitable
def _series(a: float, x: float, t: float, tau_s: float) -> float:
    """The share ``drive`` of :func:`_relax` for x <= 1: exp(-x') integrated term by term."""
    span = t / tau_s
    slow, fast = exp(-a * span), exp(-span)
    y = x * fast
    before, after = slow, fast  # (-x)^n / n! exp(-t / tau_m) and (-y)^n / n! exp(-t / tau_s)
    total = 0.0
    for n in range(200):
        s = n + 1.0 - a
        if abs(s * span) < 1.0:
            total += after * span * expm1_ratio(s * span)
        else:
            total += (before - after) / s
        if abs(before) + abs(after) <= 1e-18 * abs(total):
            break
        before *= -x / (n + 1.0)
        after *= -y / (n + 1.0)
    return a * exp(y) * total


@register_jitable
def _relax(g: float, t: float, tau_m: float, tau_s: float) -> tuple[float, float]:
    """(keep, drive): V(t) - v_inf = keep (V - v_inf) + drive sum_k g_k (E_k - v_inf)."""
    a = tau_s / tau_m
    x = a * g
    if x <= 1.0:
        return exp(x * expm1(-t / tau_s) - t / tau_m), _series(a, x, t, tau_s)
    fast = exp(-t / tau_s)
    y = x * fast
    if y >= 1.0:
        keep = exp(x * expm1(-t / tau_s) - t / tau_m)
        return keep, a * (fast * scaled_gamma(a, y) - keep * scaled_gamma(a, x))
    # First to x = 1, where t_1 = tau_s ln(x) has passed, then on.
    keep = exp(1.0 - x) * x ** (-a)
    drive = a * (scaled_gamma(a, 1.0) / x - keep * scaled_gamma(a, x))
    rest = max(t - tau_s * log(x), 0.0)
    keep_2 = exp(expm1(-rest / tau_s) - rest / tau_m)
    return keep * keep_2, keep_2 * drive + _series(a, 1.0, rest, tau_s) / x


# Terms of the series that serve while z = x (1 - exp(-t / tau_s)) is below their reach: the near
# one, whose coefficients an interval always has, and the far one, whose are found when needed; a
# single spike of inhibition takes no more than its first terms.
_NEAR_REACH, _NEAR_MOST = 0.018, 1.0  # the latter of x
_MID, _MID_REACH = 11, 0.17
_FAR, _FAR_REACH = 18, 1.0
_FORWARDS, _BEFORE = 0.35, 14
_KEPT = np.array([(-1.0) ** m / factorial(m) for m in range(_FAR)])


@register_jitable
def _decayed(span: float) -> tuple[float, float]:
    """(exp(-span), 1 - exp(-span)), both to the last place or two."""
    gone = -expm1(-span)
    return (1.0 - gone if gone < 0.5 else exp(-span)), gone


@register_jitable
def _shared(p: Any, dt: float, y: float, gone: float) -> tuple[float, ...]:
    """What the near series shares: up to which x it serves, decay of the membrane, ``gone``, and
    its coefficients of x^m.

    With y = exp(-dt / tau_s), coefficient m is (-1)^m / m! a exp(-dt / tau_m) I_m, where I_m, the
    integral of (s - y)^m s^-a over s from y to 1, follows from I_(m-1) by parts.  That loses no
    digit of the sum while x <= 1.
    """
    a, span = p.tau_exc / p.tau_m, dt / p.tau_exc
    if a > 0.5 or p.tau_exc != p.tau_inh:
        return (-1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    slow = exp_of(-a * span)
    i_0 = -expm1((a - 1.0) * span) / (1.0 - a)
    i_1 = (gone - y * i_0) / (2.0 - a)
    i_2 = (gone**2 - 2.0 * y * i_1) / (3.0 - a)
    i_3 = (gone**3 - 3.0 * y * i_2) / (4.0 - a)
    i_4 = (gone**4 - 4.0 * y * i_3) / (5.0 - a)
    i_5 = (gone**5 - 5.0 * y * i_4) / (6.0 - a)
    i_6 = (gone**6 - 6.0 * y * i_5) / (7.0 - a)
    c = a * slow
    return (
        min(_NEAR_MOST, _NEAR_REACH / gone) if gone > 0.0 else _NEAR_MOST, slow, gone,
        c * i_0, -c * i_1, c * i_2 / 2.0, -c * i_3 / 6.0, c * i_4 / 24.0, -c * i_5 / 120.0,
        c * i_6 / 720.0,
    )  # fmt: skip


@register_jitable
def _near(x: float, f: Any) -> tuple[float, float]:
    """(keep, drive) as :func:`_relax` has them, from what :func:`_shared` gave; f[4:] is that."""
    z = -x * f[6]
    keep = f[5] * (
        1.0 + z * (1.0 + z * (1 / 2 + z * (1 / 6 + z * (1 / 24 + z * (1 / 120 + z * (1 / 720))))))
    )
    drive = f[7] + x * (f[8] + x * (f[9] + x * (f[10] + x * (f[11] + x * (f[12] + x * f[13])))))
    return keep, drive


@register_jitable
def _far_coefficients(p: Any, f: Any) -> Any:
    """Coefficients of z^m in the drive of the far series.

    They are (-1)^m / m! a exp(-dt / tau_m) g J_m, where g = 1 - y and J_m = I_m / g^(m+1), the
    integral of r^m (y + g r)^-a over r from 0 to 1, is found by parts: backwards from far beyond
    the last while g is small, since an error shrinks to g / y from each to the one before.
    """
    a, gone, c = p.tau_exc / p.tau_m, f[6], np.empty(_FAR)
    y = f[1]
    if gone < _FORWARDS:
        n = _FAR + _BEFORE
        j = 1.0 + (a + 1.0) * gone / (n + 3.0) * (1.0 + (a + 2.0) * gone / (n + 4.0))
        j = (1.0 + a * gone / (n + 2.0) * j) / (n + 1.0)
        for m in range(n, 0, -1):
            j = (1.0 - (m + 1.0 - a) * gone * j) / (m * y)
            if m <= _FAR:
                c[m - 1] = j
    else:
        c[0] = -expm1((a - 1.0) * f[0] / p.tau_exc) / ((1.0 - a) * gone)
        for m in range(1, _FAR):
            c[m] = (1.0 - m * y * c[m - 1]) / ((m + 1.0 - a) * gone)
    scale = a * f[5] * gone
    for m in range(_FAR):
        c[m] *= scale * _KEPT[m]
    return c


@register_jitable
def _decay(n: Any, j: int, f: Any) -> None:
    """Conductances and threshold after an interval."""
    n.g_exc[j] *= f[1]
    n.g_inh[j] *= f[2]
    n.theta[j] *= f[3]


@register_jitable
def _go_on(n: Any, j: int, p: Any, f: Any, keep: float, drive: float) -> None:
    """All of neuron j after an interval, of the potential its shares (keep, drive)."""
    v_inf = p.v_rest + p.bias
    push = n.g_exc[j] * (p.e_exc - v_inf) + n.g_inh[j] * (p.e_inh - v_inf)
    n.v[j] = v_inf + keep * (n.v[j] - v_inf) + drive * push
    _decay(n, j, f)


@register_jitable
def _far(z: float, slow: float, c: Any, terms: int) -> tuple[float, float]:
    """(keep, drive) from so many terms of the far series."""
    keep = drive = 0.0
    for m in range(terms - 1, -1, -1):
        keep = keep * z + _KEPT[m]
        drive = drive * z + c[m]
    return slow * keep, drive


@register_jitable
def _slopes(a: Any, t: float, v: float, z: float) -> tuple[float, float]:
    v_inf, g_exc, g_inh, _, tau_m, tau_exc, tau_inh, e_exc, e_inh, _, _ = a
    g_exc *= exp(-t / tau_exc)
    g_inh *= exp(-t / tau_inh)
    return (v_inf - v + g_exc * (e_exc - v) + g_inh * (e_inh - v)) / tau_m, 0.0


@register_jitable
def _excess(a: Any, t: float, v: float) -> tuple[float, float]:
    v_th, theta, tau_theta = a[9], a[3] * exp(-t / a[10]), a[10]
    return v - v_th - theta, theta / tau_theta


@register_jitable
def _settled(a: Any, t: float, v: float, z: float) -> bool:
    return False  # the search ends where the drive at threshold is negative for good


_integrate, _rise = dormand_prince(_slopes, _excess, _settled)


@register_jitable
def _above(b: Any, t: float) -> tuple[float, float]:
    """V - threshold and its slope, ``t`` after the state in ``b``; equal time constants."""
    v, a = b
    v_inf, g_exc, g_inh, theta, tau_m, tau_s, _, e_exc, e_inh, v_th, tau_theta = a
    keep, drive = _relax(g_exc + g_inh, t, tau_m, tau_s)
    push = g_exc * (e_exc - v_inf) + g_inh * (e_inh - v_inf)
    u = keep * (v - v_inf) + drive * push  # V itself would in the end be rounded to v_inf
    theta *= exp(-t / tau_theta)
    slope = _slopes(a, t, v_inf + u, 0.0)[0] + theta / tau_theta
    return u - (v_th - v_inf) - theta, slope


_search = first_crossing(_above)


@register_jitable
def _search_numerically(
    v: float, a: Any, drive: Any, h: float, tolerance: float, look: float
) -> float:
    """The crossing; -look if there is none within ``look`` ms and one may come after."""
    tau_m = a[4]
    end = search_end(drive, tau_m)
    if end <= 0.0:
        return inf
    cuts = np.empty(2 * len(drive))
    count = sign_changes(drive, end, cuts)
    lo = 0.0
    for k in range(count + 1):
        hi = cuts[k] if k < count else end
        t, v, _ = _rise(a, lo, v, 0.0, min(hi, look), h, tolerance)
        if t < inf:
            return t
        if hi > look:
            return -look
        lo = hi
    return inf


@register_jitable
def _crossing(n: Any, j: int, p: Any, look: float) -> float:
    v, g_exc, g_inh, theta = n.v[j], n.g_exc[j], n.g_inh[j], n.theta[j]
    if v >= p.v_th + theta:
        return 0.0
    v_inf, slow = p.v_rest + p.bias, 1.0 / p.tau_theta
    a = (
        v_inf, g_exc, g_inh, theta, p.tau_m, p.tau_exc, p.tau_inh, p.e_exc, p.e_inh, p.v_th,
        p.tau_theta,
    )  # fmt: skip
    drive = (
        (v_inf - p.v_th, 0.0, 0.0),
        (g_exc * (p.e_exc - p.v_th), 0.0, 1.0 / p.tau_exc),
        (g_inh * (p.e_inh - p.v_th), 0.0, 1.0 / p.tau_inh),
        (theta * (p.tau_m / p.tau_theta - 1.0), 0.0, slow),
        (-theta * g_exc, 0.0, slow + 1.0 / p.tau_exc),
        (-theta * g_inh, 0.0, slow + 1.0 / p.tau_inh),
    )
    if p.tau_exc == p.tau_inh:
        return float(_search((v, a), drive, p.tau_m))
    h = _FIRST_STEP * min(p.tau_m, p.tau_exc, p.tau_inh)
    return _search_numerically(v, a, drive, h, p.tolerance, look)


class LIFCond(NeuronModel):
    """Leaky integrate-and-fire with exponential conductances; see the module's text."""

    class Parameters(NamedTuple):
        tau_m: float = 20.0  # [ms] membrane time constant, > 0
        tau_exc: float = 5.0  # [ms] decay of the excitatory conductance, > 0
        tau_inh: float = 5.0  # [ms] decay of the inhibitory conductance, > 0
        v_rest: float = -65.0  # [mV] resting potential
        e_exc: float = 0.0  # [mV] excitatory reversal potential
        e_inh: float = -80.0  # [mV] inhibitory reversal potential
        v_th: float = -50.0  # [mV] threshold
        v_reset: float = -65.0  # [mV] after a spike and while refractory, < v_th if theta_half = 0
        t_ref: float = 0.0  # [ms] refractory period, >= 0
        bias: float = 0.0  # [mV] constant current
        theta_plus: float = 0.0  # [mV] step of the threshold at a spike, >= 0
        tau_theta: float = 100.0  # [ms] decay of the threshold to v_th, > 0
        theta_half: float = 0.0  # [mV] where the step would diverge; 0: all steps are alike
        tolerance: float = 1e-9  # [mV] of a step, where no closed form holds; >= 1e-13

    state = {"v": -65.0, "g_exc": 0.0, "g_inh": 0.0, "theta": 0.0}  # noqa: RUF012  [mV], [1]
    ports = ("excitatory", "inhibitory")
    synaptic = ("g_exc", "g_inh")

    @classmethod
    def check(cls, p: Any) -> None:
        check_common(cls, p)

    @classmethod
    def shares_clock(cls, p: Any) -> bool:
        """Where V has a closed form."""
        return bool(p.tau_exc == p.tau_inh)

    @staticmethod
    def lowest_weight(port: int) -> float:
        """A conductance is not negative, inhibition is where its reversal potential is."""
        return 0.0

    @staticmethod
    def factors(p: Any, dt: float) -> tuple[float, ...]:
        y, gone = _decayed(dt / p.tau_exc)
        y_inh = y if p.tau_exc == p.tau_inh else _decayed(dt / p.tau_inh)[0]
        return (dt, y, y_inh, exp_of(-dt / p.tau_theta), *_shared(p, dt, y, gone))

    @staticmethod
    def advance(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        v, g_exc, g_inh, v_inf = n.v[j], n.g_exc[j], n.g_inh[j], p.v_rest + p.bias
        if p.tau_exc == p.tau_inh:
            x = p.tau_exc / p.tau_m * (g_exc + g_inh)
            if x <= f[4]:
                keep, drive = _near(x, f)
            elif f[4] > 0.0 and x * f[6] <= _MID_REACH:
                keep, drive = _far(x * f[6], f[5], _far_coefficients(p, f), _MID)
            elif f[4] > 0.0 and x * f[6] <= _FAR_REACH:
                keep, drive = _far(x * f[6], f[5], _far_coefficients(p, f), _FAR)
            else:
                keep, drive = _relax(g_exc + g_inh, f[0], p.tau_m, p.tau_exc)
            _go_on(n, j, p, f, keep, drive)
        else:
            a = (
                v_inf, g_exc, g_inh, 0.0, p.tau_m, p.tau_exc, p.tau_inh, p.e_exc, p.e_inh, p.v_th,
                p.tau_theta,
            )  # fmt: skip
            h = _FIRST_STEP * min(p.tau_m, p.tau_exc, p.tau_inh)
            n.v[j], _ = _integrate(a, v, 0.0, f[0], h, p.tolerance)
            _decay(n, j, f)

    @staticmethod
    def advance_all(n: Any, count: int, p: Any, f: tuple[float, ...]) -> None:
        """The same, in one vectorised loop where the series serve everybody."""
        a, beyond, further, most = p.tau_exc / p.tau_m, 0, 0, 0
        for j in range(count):
            beyond += not a * (n.g_exc[j] + n.g_inh[j]) <= f[4]
        for j in range(count if beyond > 0 else 0):
            z = a * (n.g_exc[j] + n.g_inh[j]) * f[6]
            further += not z <= _MID_REACH
            most += not z <= _FAR_REACH
        if beyond == 0:
            for j in range(count):
                keep, drive = _near(a * (n.g_exc[j] + n.g_inh[j]), f)
                _go_on(n, j, p, f, keep, drive)
        elif further == 0 and f[4] > 0.0:
            c = _far_coefficients(p, f)
            for j in range(count):
                x = a * (n.g_exc[j] + n.g_inh[j])
                keep, drive = _near(x, f)
                keep_mid, drive_mid = _far(x * f[6], f[5], c, _MID)
                keep = keep if x <= f[4] else keep_mid
                drive = drive if x <= f[4] else drive_mid
                _go_on(n, j, p, f, keep, drive)
        elif most == 0 and f[4] > 0.0:
            c = _far_coefficients(p, f)
            for j in range(count):
                x = a * (n.g_exc[j] + n.g_inh[j])
                z = x * f[6]
                keep, drive = _near(x, f)
                keep_mid, drive_mid = _far(z, f[5], c, _MID)
                keep_far, drive_far = _far(z, f[5], c, _FAR)
                keep_far = keep_mid if z <= _MID_REACH else keep_far
                drive_far = drive_mid if z <= _MID_REACH else drive_far
                keep = keep if x <= f[4] else keep_far
                drive = drive if x <= f[4] else drive_far
                _go_on(n, j, p, f, keep, drive)
        else:
            for j in range(count):
                _advance(n, j, p, f)

    @staticmethod
    def hold(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        _decay(n, j, f)

    @staticmethod
    def receive(n: Any, j: int, p: Any, port: int, w: float) -> None:
        if port == 0:
            n.g_exc[j] += w
        else:
            n.g_inh[j] += w

    @staticmethod
    def may_cross(n: Any, j: int, p: Any, dt: float) -> bool:
        """The drive at threshold must turn positive, and V must get there at a slope no larger than
        the one it has now with each conductance taken at its better end, and by no more than the
        integral of excitation at the distance from its reversal potential: the leak and
        inhibition alone take V no higher than it is, or than where they pull to."""
        v, g_exc, g_inh, theta = n.v[j], n.g_exc[j], n.g_inh[j], n.theta[j]
        lowest = p.v_th + min(theta, theta * max(0.0, 1.0 - dt / p.tau_theta))
        left_exc, left_inh = max(0.0, 1.0 - dt / p.tau_exc), max(0.0, 1.0 - dt / p.tau_inh)
        v_inf = p.v_rest + p.bias
        exc, inh = g_exc * (p.e_exc - lowest), g_inh * (p.e_inh - lowest)
        there = v_inf - lowest + max(exc, exc * left_exc) + max(inh, inh * left_inh)
        exc, inh = g_exc * (p.e_exc - v), g_inh * (p.e_inh - v)
        here = v_inf - v + max(exc, exc * left_exc) + max(inh, inh * left_inh)
        rise = max(here, 0.0) / p.tau_m * min(dt, 1e300)
        slack = 1e-12 * abs(p.v_th - p.v_reset) * (1.0 + g_exc + g_inh)  # for rounding
        base = max(v, v_inf, p.e_inh)
        pushed = base + max(p.e_exc - base, 0.0) * g_exc * min(dt, p.tau_exc) / p.tau_m
        # An initial state may have what no weight gives.
        pushed += 1e300 * max(-g_exc, -g_inh, 0.0)
        reach = min(v + rise, pushed)
        return bool((v >= lowest) | ((there >= -slack) & (reach >= lowest - slack)))

    @staticmethod
    def any_may_cross(n: Any, count: int, p: Any, dt: float) -> bool:
        """The last of the bounds of :meth:`may_cross` for all: while nobody is near threshold it
        says so."""
        v_inf, left = p.v_rest + p.bias, max(0.0, 1.0 - dt / p.tau_theta)
        push, least = min(dt, p.tau_exc) / p.tau_m, max(v_inf, p.e_inh)
        rounding, beyond = 1e-12 * abs(p.v_th - p.v_reset), 0
        for j in range(count):
            g_exc, g_inh, theta = n.g_exc[j], n.g_inh[j], n.theta[j]
            lowest = p.v_th - rounding + min(theta, theta * left)
            base = max(n.v[j], least)
            pull = max(p.e_exc - base, 0.0) * push + rounding
            below = base + pull * g_exc + rounding * g_inh < lowest
            beyond += not (below & (min(g_exc, g_inh) >= 0.0))
        return beyond > 0

    @staticmethod
    def crossing(n: Any, j: int, p: Any) -> float:
        return float(_crossing(n, j, p, inf))

    @staticmethod
    def crossing_soon(n: Any, j: int, p: Any) -> float:
        """Over a part of the shortest time constant, where V is integrated."""
        if not _may_cross(n, j, p, inf):
            return inf
        return float(_crossing(n, j, p, _SOON * min(p.tau_m, p.tau_exc, p.tau_inh)))

    @staticmethod
    def fire(n: Any, j: int, p: Any) -> float:
        n.v[j] = p.v_reset
        distance = abs(n.theta[j] / p.theta_half - 1.0) if p.theta_half > 0.0 else 1.0
        n.theta[j] += p.theta_plus / distance if distance > 0.0 else p.theta_plus
        return float(p.t_ref)


_may_cross = register_jitable(LIFCond.may_cross)
_advance = register_jitable(LIFCond.advance)
