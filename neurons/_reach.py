"""When a potential reaches its threshold from below, told from the drive it would feel there.

A leaky neuron whose potential stands at its threshold moves away from it with slope S(t) / tau_m,
and S is known without knowing V: it is made of currents, conductances and the moving threshold,

    S(t) = sum_k (c_k + d_k t) exp(-r_k t).

From below, V can reach threshold only while S > 0, and then stays above until S changes sign.
Between two sign changes of S there is thus at most one crossing, and there is one if and only if V
is at or above threshold at the end of the piece; a graze is V = threshold at the very end.

The sign changes are found without missing any: exp(r_0 t) S(t) is monotone between the sign changes
of S' + r_0 S, a sum with one term less; and so on down to a single term, which has none.
"""

from __future__ import annotations

from collections.abc import Callable
from math import e, exp, inf, log
from typing import Any

import numpy as np

from simulator.inner import register_jitable
from simulator.roots import bracketed_newton

__all__ = ["first_crossing", "search_end", "sign_changes"]

LONG = 500.0  # time constants after which nothing that decays matters any more


@register_jitable
def _level(b: Any, m: int, t: float) -> float:
    """S after the first ``m`` operators, at ``t``, times exp() of its slowest rate: where S itself
    has underflown it would have no sign."""
    table, rates, slowest = b[0], b[1], b[2]
    value = 0.0
    for k in range(rates.size):
        c, d = table[m, k, 0], table[m, k, 1]
        if c != 0.0 or d != 0.0:
            value += (c + d * t) * exp((slowest[m] - rates[k]) * t)
    return value


@register_jitable
def _signed_level(b: Any, t: float) -> tuple[float, float]:
    """A level and its derivative, times a sign that makes it rise."""
    slowest, operators, m, sign = b[2], b[3], b[4], b[5]
    value = _level(b, m, t)
    change = _level(b, m + 1, t) * exp((slowest[m] - slowest[m + 1]) * t)
    return sign * value, sign * (change + (slowest[m] - operators[m]) * value)


_find_change = bracketed_newton(_signed_level)


@register_jitable
def sign_changes(terms: Any, end: float, cuts: Any) -> int:
    """Times in (0, end] at which S changes sign, ascending.

    Parameters
    ----------
    terms : tuple of (c, d, r)
        The sum S; r >= 0 in 1/ms.
    end : float
        ms.
    cuts : (2 * len(terms),) array
        Filled in.

    Returns
    -------
    int
        How many there are.
    """
    n = len(terms)
    table, rates, operators = np.zeros((2 * n + 1, n, 2)), np.empty(n), np.empty(2 * n)
    slowest = np.zeros(2 * n + 1)
    for k in range(n):
        table[0, k, 0], table[0, k, 1], rates[k] = terms[k]
    m = 0
    for k in range(n):
        while table[m, k, 0] != 0.0 or table[m, k, 1] != 0.0:  # twice where there is a t exp(-r t)
            operators[m] = rates[k]
            for i in range(n):
                shift = rates[k] - rates[i]
                table[m + 1, i, 0] = shift * table[m, i, 0] + table[m, i, 1]
                table[m + 1, i, 1] = shift * table[m, i, 1]
            m += 1
    for level in range(m):
        slowest[level] = inf
        for k in range(n):
            if table[level, k, 0] != 0.0 or table[level, k, 1] != 0.0:
                slowest[level] = min(slowest[level], rates[k])
    count = 0
    for level in range(m - 2, -1, -1):
        b = (table, rates, slowest, operators, level, 1.0)
        lo, below, found = 0.0, _level(b, level, 0.0) < 0.0, 0
        for k in range(count + 1):
            hi = cuts[k] if k < count else end
            hi_below = _level(b, level, hi) < 0.0
            if below != hi_below:
                sign = 1.0 if below else -1.0
                cuts[found] = _find_change((table, rates, slowest, operators, level, sign), lo, hi)
                found += 1
            lo, below = hi, hi_below
        count = found
    return count


@register_jitable
def search_end(terms: Any, tau_m: float) -> float:
    """A time (ms) after which V cannot reach threshold, 0 when it never can, or, where S stays
    positive, one by which it has.  The first term is the constant one."""
    constant = terms[0][0]
    most, slowest, slowest_positive = 0.0, 1.0 / tau_m, inf
    for k in range(1, len(terms)):
        c, d, r = terms[k]
        if c != 0.0 or d != 0.0:
            slowest = min(slowest, r)
        if d > 0.0:  # t exp(-r t) <= 2 / (e r) exp(-r t / 2)
            most += 2.0 * d / (e * r)
            slowest_positive = min(slowest_positive, 0.5 * r)
        if c > 0.0:
            most += c
            slowest_positive = min(slowest_positive, r)
    if constant >= 0.0:
        return LONG / slowest
    if most < -constant:
        return 0.0
    return (log(most / -constant) + 1e-9) / slowest_positive


def first_crossing(
    potential: Callable[[Any, float], tuple[float, float]],
) -> Callable[[Any, Any, float], float]:
    """Build ``search(a, terms, tau_m)`` from ``potential(a, t) -> (V - threshold, its slope)``.

    ``search`` returns the time (ms) at which V reaches threshold, infinity if it never does; V is
    below threshold at 0, and ``terms`` is S, the constant first.
    """
    potential = register_jitable(potential)
    find = bracketed_newton(potential)

    @register_jitable
    def search(a: Any, terms: Any, tau_m: float) -> float:
        end = search_end(terms, tau_m)
        if end <= 0.0:
            return inf
        cuts = np.empty(2 * len(terms))
        count = sign_changes(terms, end, cuts)
        lo = 0.0
        for k in range(count + 1):
            hi = cuts[k] if k < count else end
            if potential(a, hi)[0] >= 0.0:
                return find(a, lo, hi)
            lo = hi
        return inf

    return search
