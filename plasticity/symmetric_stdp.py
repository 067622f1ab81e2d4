"""Symmetric pair STDP: whoever comes first, a pair strengthens the synapse.

::

    presynaptic arrival:   w = min(w + nu y, w_max), then x += increment
    postsynaptic spike:    w = min(w + nu x, w_max), then y += increment

x and y decay with one time constant, tau.  All pairs count, but those so far apart that the trace
has fallen to ``floor`` or below, which is 0 unless it is given.  Nothing ever lowers a weight but
the ceiling: competition is left to a normalisation of each neuron's incoming weights.  An arrival
at the instant of a spike comes first; the pair counts once.

Source: Hao, Huang, Dong & Xu, A biologically plausible supervised learning method for spiking
neural networks using the symmetric STDP rule (2020), equation 6, with the order of events of its
published program.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simulator.inner import register_jitable
from simulator.model import PlasticityRule, Trace

__all__ = ["SymmetricSTDP", "check_symmetric", "strengthened"]


def check_symmetric(rule: type[PlasticityRule], p: Any) -> None:
    """Refuse a time constant that is not positive, and a rate or a step below 0."""
    rule.require(p.tau > 0, f"tau = {p.tau} ms; it must be > 0")
    rule.require(p.nu >= 0, f"nu = {p.nu}; it must be >= 0")
    rule.require(p.increment >= 0, f"increment = {p.increment}; it must be >= 0")
    rule.require(p.floor >= 0, f"floor = {p.floor}; it must be >= 0")


@register_jitable
def strengthened(w: float, trace: float, p: Any) -> float:
    """The weight after a spike of one side, given the trace of the other."""
    if trace > 0.0:
        w = min(p.w_max, w + p.nu * p.increment * trace)
    return w


class SymmetricSTDP(PlasticityRule):
    """Strengthening by all pairs, whatever their order; see the module's text."""

    class Parameters(NamedTuple):
        tau: float = 20.0  # [ms] both traces, > 0
        nu: float = 0.005  # [weight] learning rate, >= 0
        increment: float = 0.1  # [1] step of a trace at a spike, >= 0
        w_max: float = 1.0  # [weight] no change takes a weight above it
        floor: float = 0.0  # [spikes] traces at or below it do not act, >= 0

    pre_traces = (Trace("tau", floor="floor"),)
    post_traces = (Trace("tau", floor="floor"),)
    needs_partner = True

    @classmethod
    def check(cls, p: Any) -> None:
        check_symmetric(cls, p)

    @staticmethod
    def on_pre(w: float, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> float:
        return strengthened(w, y[0], p)

    @staticmethod
    def on_post(w: float, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> float:
        return strengthened(w, x[0], p)
