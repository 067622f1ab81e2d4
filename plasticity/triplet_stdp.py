"""Triplet STDP, all to all: a pair changes the weight more where one side has just been active.

::

    presynaptic arrival:   depression by y1 (a2_minus + a3_minus x2), then x1 += 1, x2 += 1
    postsynaptic spike:    potentiation by x1 (a2_plus + a3_plus y2), then y1 += 1, y2 += 1

x1, x2, y1 and y2 decay with tau_plus, tau_x, tau_minus and tau_y.  Changes are in units of the span
of weights, w_max - w_min, and do not depend on the weight (:mod:`plasticity._weights` has the
bounds).

Source: Pfister & Gerstner, J. Neurosci. 26 (2006), equations 3 and 4; the values are those of the
full all-to-all model for visual cortex, table 4.
"""

from __future__ import annotations

from typing import NamedTuple

from plasticity._triplet_stdp import TripletRule
from simulator.model import Trace

__all__ = ["TripletSTDP"]


class TripletSTDP(TripletRule):
    """Triplet STDP with all spikes; see the module's text."""

    class Parameters(NamedTuple):
        tau_plus: float = 16.8  # [ms] fast presynaptic trace, > 0
        tau_minus: float = 33.7  # [ms] fast postsynaptic trace, > 0
        tau_x: float = 101.0  # [ms] slow presynaptic trace, > 0
        tau_y: float = 125.0  # [ms] slow postsynaptic trace, > 0
        a2_plus: float = 5e-10  # [span] potentiation by a pair at distance 0, in [0, 1]
        a3_plus: float = 6.2e-3  # [span] more of it by a triplet
        a2_minus: float = 7e-3  # [span] depression by a pair at distance 0
        a3_minus: float = 2.3e-4  # [span] more of it by a triplet
        w_min: float = 0.0  # [weight] of the weakest synapse
        w_max: float = 1.0  # [weight] of the strongest; negative where inhibition is

    pre_traces = (Trace("tau_plus"), Trace("tau_x"))
    post_traces = (Trace("tau_minus"), Trace("tau_y"))
