"""What the pair rules have in common: all but which spikes make a pair."""

from __future__ import annotations

from typing import Any, NamedTuple

from plasticity._weights import check_rule, depressed, potentiated
from simulator.model import PlasticityRule

__all__ = ["PairRule"]


class PairRule(PlasticityRule):
    """Potentiation by the presynaptic trace at a spike, depression by the postsynaptic one at an
    arrival, with a dependence on the weight."""

    class Parameters(NamedTuple):
        tau_plus: float = 20.0  # [ms] presynaptic trace: potentiation, > 0
        tau_minus: float = 20.0  # [ms] postsynaptic trace: depression, > 0
        a_plus: float = 0.005  # [span] potentiation by a pair at distance 0, in [0, 1]
        a_minus: float = 0.00525  # [span] depression by a pair at distance 0, in [0, 1]
        mu_plus: float = 0.0  # [1] exponent of potentiation: 0 additive, 1 multiplicative
        mu_minus: float = 0.0  # [1] exponent of depression
        w_min: float = 0.0  # [weight] of the weakest synapse
        w_max: float = 1.0  # [weight] of the strongest; negative where inhibition is

    needs_partner = True

    @classmethod
    def check(cls, p: Any) -> None:
        check_rule(cls, p)

    @staticmethod
    def on_pre(w: float, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> float:
        if y[0] > 0.0:
            w = depressed(w, p.a_minus * y[0], p.mu_minus, p)
        return w

    @staticmethod
    def on_post(w: float, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> float:
        if x[0] > 0.0:
            w = potentiated(w, p.a_plus * x[0], p.mu_plus, p)
        return w
