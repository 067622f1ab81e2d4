"""Triplet STDP, nearest spikes: as :mod:`plasticity.triplet_stdp`, with traces set to 1.

Only the last spike of each side counts, for pairs and for triplets.

Source: Pfister & Gerstner, J. Neurosci. 26 (2006); the values are those of the full nearest-spike
model for visual cortex, table 4.
"""

from __future__ import annotations

from typing import NamedTuple

from plasticity._triplet_stdp import TripletRule
from simulator.model import Trace

__all__ = ["NearestTripletSTDP"]


class NearestTripletSTDP(TripletRule):
    """Triplet STDP with the last spikes; see the module's text."""

    class Parameters(NamedTuple):
        tau_plus: float = 16.8  # [ms] fast presynaptic trace, > 0
        tau_minus: float = 33.7  # [ms] fast postsynaptic trace, > 0
        tau_x: float = 714.0  # [ms] slow presynaptic trace, > 0
        tau_y: float = 40.0  # [ms] slow postsynaptic trace, > 0
        a2_plus: float = 8.8e-11  # [span] potentiation by a pair at distance 0, in [0, 1]
        a3_plus: float = 5.3e-2  # [span] more of it by a triplet
        a2_minus: float = 6.6e-3  # [span] depression by a pair at distance 0
        a3_minus: float = 3.1e-3  # [span] more of it by a triplet
        w_min: float = 0.0  # [weight] of the weakest synapse
        w_max: float = 1.0  # [weight] of the strongest; negative where inhibition is

    pre_traces = (Trace("tau_plus", nearest=True), Trace("tau_x", nearest=True))
    post_traces = (Trace("tau_minus", nearest=True), Trace("tau_y", nearest=True))
