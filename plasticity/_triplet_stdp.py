"""What the triplet rules have in common: all but which spikes make a triplet."""

from __future__ import annotations

from typing import Any

from plasticity._weights import check_rule, depressed, potentiated
from simulator.model import PlasticityRule

__all__ = ["TripletRule"]


class TripletRule(PlasticityRule):
    """Changes by the fast trace of the other side, more with the slow trace of one's own."""

    needs_partner = True

    @classmethod
    def check(cls, p: Any) -> None:
        check_rule(cls, p)

    @staticmethod
    def on_pre(w: float, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> float:
        if y[0] > 0.0:
            w = depressed(w, y[0] * (p.a2_minus + p.a3_minus * x[1]), 0.0, p)
        return w

    @staticmethod
    def on_post(w: float, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> float:
        if x[0] > 0.0:
            w = potentiated(w, x[0] * (p.a2_plus + p.a3_plus * y[1]), 0.0, p)
        return w
