"""Symmetric pair STDP that learns in the presence of dopamine and rests without it.

The rule is :mod:`plasticity.symmetric_stdp`, in force while the concentration that the projection's
``modulator`` keeps is above ``gate``.  Traces go on: a pair counts if there is dopamine when its
later spike comes.

Source: Hao, Huang, Dong & Xu, A biologically plausible supervised learning method for spiking
neural networks using the symmetric STDP rule (2020), where dopamine is present in training only.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from plasticity.symmetric_stdp import SymmetricSTDP, check_symmetric, strengthened
from simulator.model import PlasticityRule

__all__ = ["GatedSymmetricSTDP"]


class GatedSymmetricSTDP(PlasticityRule):
    """Strengthening by all pairs under dopamine; see the module's text."""

    class Parameters(NamedTuple):
        tau: float = 20.0  # [ms] both traces, > 0
        nu: float = 0.005  # [weight] learning rate, >= 0
        increment: float = 0.1  # [1] step of a trace at a spike, >= 0
        w_max: float = 1.0  # [weight] no change takes a weight above it
        gate: float = 0.01  # [1] concentration at and below which nothing is learned
        floor: float = 0.0  # [spikes] traces at or below it do not act, >= 0

    pre_traces = SymmetricSTDP.pre_traces
    post_traces = SymmetricSTDP.post_traces
    needs_partner = True
    modulated = True

    @classmethod
    def check(cls, p: Any) -> None:
        check_symmetric(cls, p)

    @staticmethod
    def on_pre(w: float, x: tuple[float, ...], y: tuple[float, ...], z: float, p: Any) -> float:
        return strengthened(w, y[0], p) if z > p.gate else w

    @staticmethod
    def on_post(w: float, x: tuple[float, ...], y: tuple[float, ...], z: float, p: Any) -> float:
        return strengthened(w, x[0], p) if z > p.gate else w
