"""The W-TCRL rule: a weight stores how long before the winner's spike its input came.

::

    postsynaptic spike, x > epsilon:   w += a_plus (1 - x - w + w_offset)
    presynaptic arrival, y > epsilon:  w -= a_minus (1 - y)

x and y are nearest-spike traces: set to 1 by a spike, decaying with tau_x and tau_y.  With the
window epsilon = 0.1 an input acts on the next 2.99 ms after it, a spike on the next 9.90 ms.  A
repeated interval D between input and spike takes the weight to min(1, 1 + w_offset -
exp(-D / tau_x)).  Weights stay within [0, 1].

Source: Fois & Girau, Enhanced representation learning with temporal coding in sparsely spiking
neural networks (2023), equations 1 to 4 and table 1.  The sign conventions of its second case are
mixed; the formula above is the one that its printed window and figure 3 agree with.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simulator.model import PlasticityRule, Trace

__all__ = ["WTCRL"]


class WTCRL(PlasticityRule):
    """Weight-temporally coded representation learning; see the module's text."""

    class Parameters(NamedTuple):
        tau_x: float = 1.3  # [ms] presynaptic trace, > 0
        tau_y: float = 4.3  # [ms] postsynaptic trace, > 0
        a_plus: float = 0.004  # [1] rate of the causal branch, in [0, 1]
        a_minus: float = 0.024  # [1] rate of the anti-causal branch, >= 0
        w_offset: float = 0.2  # [1] weight that a coincident pair tends to
        epsilon: float = 0.1  # [1] traces at or below it do not act, in [0, 1)

    pre_traces = (Trace("tau_x", nearest=True, floor="epsilon"),)
    post_traces = (Trace("tau_y", nearest=True, floor="epsilon"),)
    needs_partner = True

    @classmethod
    def check(cls, p: Any) -> None:
        for name in ("tau_x", "tau_y"):
            value = getattr(p, name)
            cls.require(value > 0, f"{name} = {value} ms; time constants must be > 0")
        cls.require(0 <= p.a_plus <= 1, f"a_plus = {p.a_plus}; it must lie in [0, 1]")
        cls.require(p.a_minus >= 0, f"a_minus = {p.a_minus}; it must be >= 0")
        cls.require(0 <= p.epsilon < 1, f"epsilon = {p.epsilon}; it must lie in [0, 1)")

    @staticmethod
    def on_pre(w: float, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> float:
        if y[0] > 0.0:
            w = min(1.0, max(0.0, w - p.a_minus * (1.0 - y[0])))
        return w

    @staticmethod
    def on_post(w: float, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> float:
        if x[0] > 0.0:
            w = min(1.0, max(0.0, w + p.a_plus * (1.0 - x[0] - w + p.w_offset)))
        return w
