"""Pair STDP, nearest neighbours, symmetric: every spike makes one pair, with the last of the other
side before it.

::

    presynaptic arrival:   depression by a_minus y, then x = 1
    postsynaptic spike:    potentiation by a_plus x, then y = 1

All else is as in :mod:`plasticity.pair_stdp`.

Source: Morrison, Diesmann & Gerstner, Biol. Cybern. 98 (2008), figure 7A.
"""

from __future__ import annotations

from plasticity._pair_stdp import PairRule
from simulator.model import Trace

__all__ = ["NearestPairSTDP"]


class NearestPairSTDP(PairRule):
    """Pair STDP with the nearest spike before; see the module's text."""

    pre_traces = (Trace("tau_plus", nearest=True),)
    post_traces = (Trace("tau_minus", nearest=True),)
