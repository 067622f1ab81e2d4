"""Roots of smooth functions on a bracket where they rise: Newton's method kept inside the bracket.

Spike times are such roots.  The iteration stops when the bracket or the step is a few units in the
last place, so that the result does not depend on a tolerance somebody chose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulator.inner import register_jitable

__all__ = ["bracketed_newton", "exp_of", "expm1_ratio"]

from math import exp, expm1

_LAST_PLACES = 4.0 * 2.220446049250313e-16
_3, _4, _5, _6, _7, _8 = 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040, 1 / 40320
_QUADRATIC = 0.1  # steps that shrink faster are Newton's near a simple root
_LUCK = 1e-3  # the smallest ratio of two steps that is believed
_MAX_STEPS = 200  # bisection alone needs about 60 on any bracket met here


@register_jitable
def expm1_ratio(x: float) -> float:
    """(exp(x) - 1) / x, smooth through 0: the kernel of an exponential filtered by another.

    Writing the response with it, instead of with 1 / (tau_1 - tau_2), keeps full accuracy for
    equal and nearly equal time constants.
    """
    if abs(x) < 0.04:  # Taylor, cut where the next term is below a unit in the last place
        high = 1.0 + x / 6.0 * (1.0 + x / 7.0 * (1.0 + x / 8.0))
        return 1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * high)))
    return expm1(x) / x


@register_jitable
def exp_of(x: float) -> float:
    """exp(x), by its series where a few terms do: to a unit in the last place, and faster."""
    if abs(x) > 0.0625:
        return exp(x)
    high = _4 + x * (_5 + x * (_6 + x * (_7 + x * _8)))
    return 1.0 + x * (1.0 + x * (0.5 + x * (_3 + x * high)))


def bracketed_newton(
    evaluate: Callable[[Any, float], tuple[float, float]],
) -> Callable[[Any, float, float], float]:
    """Build ``find(a, lo, hi)`` from ``evaluate(a, t) -> (f, df/dt)``.

    ``find`` returns the t in [lo, hi] with f(t) = 0, given f(lo) <= 0 <= f(hi) and one change of
    sign; the caller answers for the bracket.
    """
    evaluate = register_jitable(evaluate)

    @register_jitable
    def find(a, lo, hi):
        t, last = lo, 0.0  # most roots lie near the beginning of a long bracket
        before = hi
        for _ in range(_MAX_STEPS):
            f, slope = evaluate(a, t)
            if f >= 0.0:
                hi = t
            else:
                lo = t
            middle = 0.5 * (lo + hi)
            guess = t - f / slope if slope > 0.0 else middle
            if not (lo <= guess <= hi):
                guess = middle
            step = abs(guess - t)
            # Errors of Newton's method are as the squares of those before: the next step would be
            # step * (step / last)^2. Near 0 the rounding of f keeps steps above the last places.
            # A step may be short by luck, which says nothing of the next: hence the least ratio.
            ratio = max(step / last, _LUCK) if last > 0.0 else 1.0
            left = step * ratio * ratio if ratio < _QUADRATIC and guess != middle else step
            if left <= _LAST_PLACES * abs(t) or hi - lo <= _LAST_PLACES * hi:
                return guess
            if guess == before and last > 0.0:
                return guess  # f is rounded more coarsely than t: to and fro for ever
            before, t, last = t, guess, step if guess != middle else 0.0
        return t

    return find
