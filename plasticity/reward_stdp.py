"""Reward-modulated STDP: pairs make a synapse eligible, a reward changes the weight at once.

::

    presynaptic arrival:   c -= a_minus y, then x = 1
    postsynaptic spike:    c += a_plus x, then y = 1
    in between:            tau_c dc/dt = -c
    reward r:              w += rate r c

x and y are nearest-spike traces that decay with tau_plus and tau_minus.  A reward is a release of
the projection's ``modulator``, by a spike or by hand, and its amount r, which may be negative; what
remains of the concentration afterwards does not matter.  The change is in units of the span of
weights, w_max - w_min (:mod:`plasticity._weights`).

Sources: Florian, Neural Comput. 19 (2007), the rule with an eligibility trace (MSTDPET), and
Legenstein, Pecevski & Maass, PLoS Comput. Biol. 4 (2008), for rewards that come at instants.
"""

from __future__ import annotations

from math import exp
from typing import Any, NamedTuple

from plasticity._eligibility import EligibilityRule
from plasticity._weights import shifted

__all__ = ["RewardSTDP"]


class RewardSTDP(EligibilityRule):
    """Weights that change with rewards; see the module's text."""

    class Parameters(NamedTuple):
        tau_plus: float = 20.0  # [ms] presynaptic trace, > 0
        tau_minus: float = 20.0  # [ms] postsynaptic trace, > 0
        tau_c: float = 500.0  # [ms] eligibility, > 0
        a_plus: float = 1.0  # [1] eligibility by a pair at distance 0, in [0, 1]
        a_minus: float = 1.0  # [1] of the other order, in [0, 1]
        rate: float = 0.01  # [span] change by a unit of reward and eligibility, in [0, 1]
        w_min: float = 0.0  # [weight] of the weakest synapse
        w_max: float = 1.0  # [weight] of the strongest; negative where inhibition is

    @staticmethod
    def drift(s: Any, z: float, tau: float, dt: float, p: Any) -> Any:
        return s[0], s[1] * exp(-dt / p.tau_c)

    @staticmethod
    def on_modulator(s: Any, amount: float, p: Any) -> Any:
        w, c = s
        if c != 0.0:
            w = shifted(w, p.rate * amount * c, p)
        return w, c
