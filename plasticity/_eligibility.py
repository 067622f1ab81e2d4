"""What the rules of reward have in common: pairs of spikes make a synapse eligible for a change."""

from __future__ import annotations

from typing import Any

from plasticity._weights import check_rule
from simulator.model import Age, PlasticityRule, Trace

__all__ = ["EligibilityRule"]


class EligibilityRule(PlasticityRule):
    """Pair STDP, of the nearest spikes, of the eligibility c of a synapse instead of its weight."""

    pre_traces = (Trace("tau_plus", nearest=True), Age())
    post_traces = (Trace("tau_minus", nearest=True), Age())
    variables = {"c": 0.0}  # noqa: RUF012
    modulated = True

    @classmethod
    def check(cls, p: Any) -> None:
        check_rule(cls, p)

    @staticmethod
    def on_pre(s: Any, x: tuple[float, ...], y: tuple[float, ...], z: float, p: Any) -> Any:
        return s[0], s[1] - p.a_minus * y[0]

    @staticmethod
    def on_post(s: Any, x: tuple[float, ...], y: tuple[float, ...], z: float, p: Any) -> Any:
        return s[0], s[1] + p.a_plus * x[0]
