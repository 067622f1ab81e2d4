"""Pair STDP, all to all: every spike makes a pair with every one of the other side.

::

    presynaptic arrival:   depression by a_minus y, then x += 1
    postsynaptic spike:    potentiation by a_plus x, then y += 1

x decays with tau_plus, y with tau_minus: each pair at distance s adds a_plus exp(-s / tau_plus) or
takes a_minus exp(-s / tau_minus), in units of the span of weights and times the dependence on the
weight that ``mu_plus`` and ``mu_minus`` choose (:mod:`plasticity._weights`).  An arrival at the
instant of a spike comes first.

Source: Song, Miller & Abbott, Nat. Neurosci. 3 (2000); the schemes of pairing are compared in
Morrison, Diesmann & Gerstner, Biol. Cybern. 98 (2008), section 4.
"""

from __future__ import annotations

from plasticity._pair_stdp import PairRule
from simulator.model import Trace

__all__ = ["PairSTDP"]


class PairSTDP(PairRule):
    """Pair STDP with all pairs; see the module's text."""

    pre_traces = (Trace("tau_plus"),)
    post_traces = (Trace("tau_minus"),)
