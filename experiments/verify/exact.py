"""V - threshold of an interval in fifty digits: the last word where floats cannot decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from experiments.verify.arithmetic import Digits
from experiments.verify.draws import Intervals
from experiments.verify.equations import Numbers, find_equations, slope, value

__all__ = ["exact", "reaches", "refined_root"]

Exact = Callable[[Any], tuple[Any, Any]]  # t (ms) -> (V - threshold, its slope)


def exact(intervals: Intervals, j: int, digits: Digits) -> Exact:
    """V - threshold of interval ``j`` and its slope, as functions of time (ms).

    Raises
    ------
    LookupError
        When the model has no closed form.
    """
    p = {name: x[j] for name, x in intervals.p.items()}
    n = {name: x[j] for name, x in intervals.n.items()}
    equations = find_equations(intervals.model)
    if equations is not None:
        terms = equations(p, n, digits)
        return lambda t: (value(terms, t, digits), slope(terms, t, digits))
    if any(base.__name__ == "LIFCond" for base in intervals.model.__mro__):
        return _conductances(p, n, digits)
    raise LookupError(f"{intervals.model.__name__} has no closed form here")


def _conductances(p: Numbers, n: Numbers, digits: Digits) -> Exact:
    """Equal synaptic time constants, by incomplete gamma functions: variation of constants in the
    variable x = a g exp(-t / tau_s)."""
    mp, f = digits.mp, digits.number
    if p["tau_exc"] != p["tau_inh"]:
        raise LookupError("LIFCond with unequal time constants has no closed form")
    tau_m, tau_s, tau_theta = f(p["tau_m"]), f(p["tau_exc"]), f(p["tau_theta"])
    g_exc, g_inh = f(n["g_exc"]), f(n["g_inh"])
    v_inf, v_0, theta = f(p["v_rest"]) + f(p["bias"]), f(n["v"]), f(n["theta"])
    a, g = tau_s / tau_m, g_exc + g_inh
    mean = (g_exc * f(p["e_exc"]) + g_inh * f(p["e_inh"])) / g if g else v_inf
    x = a * g

    def at(t: Any) -> tuple[Any, Any]:
        y = x * mp.exp(-t / tau_s)
        v = v_inf + mp.exp(y - x - t / tau_m) * (v_0 - v_inf)
        if g:
            gamma = mp.gammainc(1 - a, y, x)
            v += (mean - v_inf) * mp.exp(y) * y**a * gamma
        moving = theta * mp.exp(-t / tau_theta)
        change = (v_inf - v + y / a * (mean - v)) / tau_m
        return v - f(p["v_th"]) - moving, change + moving / tau_theta

    return at


def reaches(at: Exact, lo: float, hi: float, digits: Digits) -> bool:
    """Whether V reaches threshold in [lo, hi] (ms), a stretch in which it turns at most once."""
    a, b = digits.number(lo), digits.number(hi)
    (g_a, s_a), (g_b, s_b) = at(a), at(b)
    if g_a >= 0 or g_b >= 0:
        return True
    if not s_a > 0 > s_b:
        return False
    top = digits.mp.findroot(lambda t: at(t)[1], (a, b), solver="anderson", verify=False)
    return bool(at(top)[0] >= 0)


def refined_root(at: Exact, t: Any, digits: Digits) -> Any:
    """The root next to ``t``, by Newton's method until all digits stand."""
    root = digits.mp.mpf(str(t))
    for _ in range(4):  # from 16 digits or more
        g, s = at(root)
        root -= g / s
    return root
