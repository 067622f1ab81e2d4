"""Inhibitory STDP: inhibition grows until its targets fire at a given rate.

::

    presynaptic arrival:   strength += eta (y - alpha), then x += 1     alpha = 2 rho_0 tau
    postsynaptic spike:    strength += eta x, then y += 1

x and y decay with tau; rho_0 is the target rate.  A pair strengthens the synapse whatever its
order, an arrival alone weakens it.  Strength goes from ``w_min`` to ``w_max``: for conductances
(:class:`neurons.LIFCond`) these are 0 and a positive number, where inhibition is a negative current
(:class:`neurons.LIFExp`) 0 and a negative one, and strengthening makes the weight more negative.

Source: Vogels, Sprekeler, Zenke, Clopath & Gerstner, Science 334 (2011), with its tau of 20 ms.
"""

from __future__ import annotations

from math import copysign, isfinite
from typing import Any, NamedTuple

from plasticity._weights import bounded, check_rule
from simulator.model import PlasticityRule, Trace

__all__ = ["InhibitorySTDP"]


class InhibitorySTDP(PlasticityRule):
    """Homeostatic STDP of inhibitory synapses; see the module's text."""

    class Parameters(NamedTuple):
        tau: float = 20.0  # [ms] both traces, > 0
        eta: float = 0.001  # [|weight|] change by a pair at distance 0, >= 0
        rho_0: float = 5.0  # [Hz] rate that the targets are brought to, >= 0
        w_min: float = 0.0  # [weight] of the weakest synapse
        w_max: float = 1.0  # [weight] of the strongest; negative where inhibition is

    pre_traces = (Trace("tau"),)
    post_traces = (Trace("tau"),)

    @classmethod
    def check(cls, p: Any) -> None:
        check_rule(cls, p)
        cls.require(p.eta >= 0, f"eta = {p.eta}; it must be >= 0")
        alpha = 2e-3 * p.rho_0 * p.tau
        cls.require(isfinite(alpha), f"rho_0 = {p.rho_0} Hz and tau = {p.tau} ms are too large")

    @staticmethod
    def on_pre(w: float, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> float:
        surplus = y[0] - 2e-3 * p.rho_0 * p.tau  # ms times Hz
        return bounded(w + copysign(p.eta, p.w_max - p.w_min) * surplus, p)

    @staticmethod
    def on_post(w: float, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> float:
        if x[0] > 0.0:
            w = bounded(w + copysign(p.eta, p.w_max - p.w_min) * x[0], p)
        return w
