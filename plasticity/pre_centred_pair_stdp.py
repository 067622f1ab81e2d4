"""Pair STDP, nearest neighbours, centred on the presynaptic side: an arrival makes two pairs, with
the last spike before it and the next one after it.

::

    presynaptic arrival:   depression by a_minus y, then x += 1
    postsynaptic spike:    potentiation by a_plus x, then x = 0 and y = 1

x belongs to the synapse: it is the sum over the arrivals since the last spike.  All else is as in
:mod:`plasticity.pair_stdp`.

Source: Morrison, Diesmann & Gerstner, Biol. Cybern. 98 (2008), figure 7B.
"""

from __future__ import annotations

from math import exp
from typing import Any

from plasticity._pair_stdp import PairRule
from plasticity._weights import depressed, potentiated
from simulator.model import Age, Trace

__all__ = ["PreCentredPairSTDP"]


class PreCentredPairSTDP(PairRule):
    """Pair STDP of arrivals with the spikes around them; see the module's text."""

    pre_traces = (Age(),)
    post_traces = (Trace("tau_minus", nearest=True),)
    variables = {"since": 0.0}  # noqa: RUF012  the sum, as it was at the last arrival
    needs_partner = False

    @staticmethod
    def on_pre(s: Any, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> Any:
        w, since = s
        if y[0] > 0.0:
            w = depressed(w, p.a_minus * y[0], p.mu_minus, p)
        return w, since * exp(-x[0] / p.tau_plus) + 1.0

    @staticmethod
    def on_post(s: Any, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> Any:
        w, since = s
        if since > 0.0:
            w = potentiated(w, p.a_plus * since * exp(-x[0] / p.tau_plus), p.mu_plus, p)
        return w, 0.0
