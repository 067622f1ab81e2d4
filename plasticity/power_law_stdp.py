"""Pair STDP whose potentiation is a power of the weight, all to all.

::

    presynaptic arrival:   w -= rate alpha w y, then x += 1
    postsynaptic spike:    w += rate w_0 (w / w_0)^mu x, then y += 1

x and y decay with tau_plus and tau_minus.  Weights settle where the two balance, with a wide spread
and far from any bound: ``w_max`` is there for safety.  A weight of 0 stays there for mu > 0.  Where
inhibition has negative weights, ``w_0`` and ``w_max`` are negative.

Source: Morrison, Aertsen & Diesmann, Neural Comput. 19 (2007), with its fit to the data of Bi &
Poo: mu = 0.4, rate (lambda there) = 0.1 and alpha = 0.11 for w_0 = 1 pA.
"""

from __future__ import annotations

from math import isfinite
from typing import Any, NamedTuple

from plasticity._weights import bounded, check_rule, power
from simulator.model import PlasticityRule, Trace

__all__ = ["PowerLawSTDP"]


class PowerLawSTDP(PlasticityRule):
    """Pair STDP with a power-law dependence on the weight; see the module's text."""

    class Parameters(NamedTuple):
        tau_plus: float = 20.0  # [ms] presynaptic trace: potentiation, > 0
        tau_minus: float = 20.0  # [ms] postsynaptic trace: depression, > 0
        rate: float = 0.1  # [1] learning rate, in [0, 1]
        alpha: float = 0.11  # [1] depression relative to potentiation, >= 0
        mu: float = 0.4  # [1] exponent of potentiation, in [0, 1]
        w_0: float = 1.0  # [weight] reference, not 0
        w_min: float = 0.0  # [weight] of the weakest synapse: 0, or of the sign of w_0
        w_max: float = 1e6  # [weight] of the strongest, of the sign of w_0

    pre_traces = (Trace("tau_plus"),)
    post_traces = (Trace("tau_minus"),)
    needs_partner = True

    @classmethod
    def check(cls, p: Any) -> None:
        check_rule(cls, p)
        cls.require(
            p.w_0 != 0.0 and isfinite(p.w_max / p.w_0) and p.w_max / p.w_0 > p.w_min / p.w_0 >= 0.0,
            f"w_min = {p.w_min} and w_max = {p.w_max} in units of w_0 = {p.w_0} must be finite, "
            f">= 0 and rise",
        )

    @staticmethod
    def on_pre(w: float, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> float:
        if y[0] > 0.0:
            w = bounded(w - min(1.0, p.rate * p.alpha * y[0]) * w, p)
        return w

    @staticmethod
    def on_post(w: float, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> float:
        if x[0] > 0.0:
            w = bounded(w + p.rate * x[0] * (p.w_0 * power(max(0.0, w / p.w_0), p.mu)), p)
        return w
