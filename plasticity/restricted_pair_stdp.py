"""Pair STDP, nearest neighbours, restricted (reduced symmetric): only immediate neighbours pair.

::

    presynaptic arrival:   depression by a_minus y if a spike came last, then x = 1
    postsynaptic spike:    potentiation by a_plus x if an arrival came last, then y = 1

A spike pairs with an arrival only if no other spike, and no other arrival, lies between them.  All
else is as in :mod:`plasticity.pair_stdp`.

Source: Morrison, Diesmann & Gerstner, Biol. Cybern. 98 (2008), figure 7C.
"""

from __future__ import annotations

from typing import Any

from plasticity._pair_stdp import PairRule
from plasticity._weights import depressed, potentiated
from simulator.model import Trace

__all__ = ["RestrictedPairSTDP"]


class RestrictedPairSTDP(PairRule):
    """Pair STDP of immediate neighbours; see the module's text."""

    pre_traces = (Trace("tau_plus", nearest=True),)
    post_traces = (Trace("tau_minus", nearest=True),)
    # 1 after a spike, 0 after an arrival: ages may round to one number where their order counts.
    variables = {"spike_came_last": 0.0}  # noqa: RUF012
    needs_partner = False

    @staticmethod
    def on_pre(s: Any, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> Any:
        w, spike_came_last = s
        if spike_came_last == 1.0 and y[0] > 0.0:
            w = depressed(w, p.a_minus * y[0], p.mu_minus, p)
        return w, 0.0

    @staticmethod
    def on_post(s: Any, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> Any:
        w, spike_came_last = s
        if spike_came_last == 0.0 and x[0] > 0.0:
            w = potentiated(w, p.a_plus * x[0], p.mu_plus, p)
        return w, 1.0
