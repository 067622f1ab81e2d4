"""Weights that drift exponentially from one value to another, all alike.

::

    tau dw/dt = w_end - w,   w(0) = w_start

The weight is evaluated in closed form when a spike arrives, so that the drift costs neither memory
nor events.  The stored weight multiplies it; leave it at 1.

Source: the homeostatic growth of lateral inhibition in Fois & Girau (2023), equation 5, where the
weights go from -c_min to -c_max with a third of the training time as time constant.
"""

from __future__ import annotations

from math import exp
from typing import Any, NamedTuple

from simulator.model import PlasticityRule

__all__ = ["ExponentialDrift"]


class ExponentialDrift(PlasticityRule):
    """w(t) = w_end + (w_start - w_end) exp(-t / tau); see the module's text."""

    class Parameters(NamedTuple):
        w_start: float = 0.0  # [mV] weight at time 0
        w_end: float = 0.0  # [mV] weight after a long time
        tau: float = 1000.0  # [ms] time constant, > 0

    @classmethod
    def check(cls, p: Any) -> None:
        cls.require(p.tau > 0, f"tau = {p.tau} ms; it must be > 0")

    @staticmethod
    def transmit(w: float, p: Any, t: float) -> float:
        return w * (p.w_end + (p.w_start - p.w_end) * exp(-t / p.tau))
