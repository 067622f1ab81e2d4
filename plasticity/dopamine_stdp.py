"""STDP modulated by dopamine: pairs make a synapse eligible, dopamine turns that into weight.

::

    presynaptic arrival:   c -= a_minus y, then x = 1
    postsynaptic spike:    c += a_plus x, then y = 1
    in between:            tau_c dc/dt = -c,   dw/dt = c (d + tonic)

x and y are nearest-spike traces that decay with tau_plus and tau_minus, d is the concentration of
dopamine, which the ``modulator`` of the projection keeps and removes with a time constant of its
own, and ``tonic`` a constant background.  The weight between events is in closed form.  Changes are
in units of the span of weights, w_max - w_min, and go to ``w_max`` for positive c; weights stop at
their bounds (:mod:`plasticity._weights`).

Source: Izhikevich, Cereb. Cortex 17 (2007), equations 1 to 3, with the values and the pairing with
nearest spikes of its published program, which changes the weights every 10 ms, not all the time.
"""

from __future__ import annotations

from math import exp, expm1
from typing import Any, NamedTuple

from plasticity._eligibility import EligibilityRule
from plasticity._weights import shifted

__all__ = ["DopamineSTDP"]


class DopamineSTDP(EligibilityRule):
    """Weights that follow eligibility times dopamine; see the module's text."""

    class Parameters(NamedTuple):
        tau_plus: float = 20.0  # [ms] presynaptic trace, > 0
        tau_minus: float = 20.0  # [ms] postsynaptic trace, > 0
        tau_c: float = 1000.0  # [ms] eligibility, > 0
        a_plus: float = 0.0025  # [span/ms] eligibility by a pair at distance 0, in [0, 1]
        a_minus: float = 0.00375  # [span/ms] of the other order, in [0, 1]
        tonic: float = 0.002  # [1] background of dopamine, >= 0
        w_min: float = 0.0  # [weight] of the weakest synapse
        w_max: float = 4.0  # [weight] of the strongest; negative where inhibition is

    @classmethod
    def check(cls, p: Any) -> None:
        super().check(p)
        cls.require(p.tonic >= 0, f"tonic = {p.tonic}; it must be >= 0")

    @staticmethod
    def drift(s: Any, z: float, tau: float, dt: float, p: Any) -> Any:
        w, c = s
        if c != 0.0:
            rate = 1.0 / p.tau_c + 1.0 / tau
            phasic = -z * (expm1(-dt * rate) / rate)
            tonic = -p.tonic * (p.tau_c * expm1(-dt / p.tau_c))
            # c and d keep their signs in between: a weight that leaves its bounds stays out.
            w = shifted(w, c * (phasic + tonic), p)
        return w, c * exp(-dt / p.tau_c)
