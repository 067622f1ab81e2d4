"""The pair rule that the traces of the engine are checked with."""

from __future__ import annotations

from typing import Any, NamedTuple

from simulator import PlasticityRule, Trace

__all__ = ["PairSTDP"]


class PairSTDP(PlasticityRule):
    """Additive pair rule on all pairs: w -= a_minus y at an arrival, w += a_plus x at a spike.

    It is here for its traces, which accumulate; weights have no bounds, so that the result is the
    plain double sum.  Source: Song, Miller & Abbott 2000, Nat. Neurosci. 3.
    """

    class Parameters(NamedTuple):
        tau_plus: float = 20.0  # [ms] presynaptic trace
        tau_minus: float = 30.0  # [ms] postsynaptic trace
        a_plus: float = 0.01  # [1] potentiation by a pair at distance 0
        a_minus: float = 0.012  # [1] depression by a pair at distance 0

    pre_traces = (Trace("tau_plus"),)
    post_traces = (Trace("tau_minus"),)
    needs_partner = True

    @staticmethod
    def on_pre(w: float, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> float:
        return float(w - p.a_minus * y[0])

    @staticmethod
    def on_post(w: float, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> float:
        return float(w + p.a_plus * x[0])
