"""How far a weight moves within its bounds: what the rules of STDP share.

A weight lies between ``w_min``, where the synapse is weakest, and ``w_max``, where it is strongest.
``w_max`` may be below ``w_min``: inhibitory synapses have weights from 0 down to a negative
``w_max`` in models whose inhibition is negative (:class:`neurons.LIFExp`), and from 0 up in those
with conductances (:class:`neurons.LIFCond`).  Potentiation goes to ``w_max`` in both.

With the span |w_max - w_min| as the unit and u = (w - w_min) / (w_max - w_min),

::

    potentiation by a:   u += a (1 - u)^mu_plus
    depression by a:     u -= a u^mu_minus

Exponents of 0 are additive STDP, of 1 multiplicative, and between them lies Guetig's rule.

Source: Guetig, Aharonov, Rotter & Sompolinsky, J. Neurosci. 23 (2003); the limits are those of
Song, Miller & Abbott, Nat. Neurosci. 3 (2000) and Rubin, Lee & Sompolinsky, Phys. Rev. Lett. 86
(2001).
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from simulator.inner import register_jitable
from simulator.model import PlasticityRule

__all__ = ["bounded", "check_rule", "depressed", "potentiated", "power", "shifted"]


def check_rule(rule: type[PlasticityRule], p: Any) -> None:
    """Refuse time constants that are not positive, amplitudes and rates outside [0, 1], exponents
    and targets below 0, and bounds that are equal."""
    for name in p._fields:
        value = getattr(p, name)
        if name.startswith("tau"):
            rule.require(value > 0, f"{name} = {value} ms; time constants must be > 0")
        elif name.startswith(("a_", "a2_", "a3_")) or name in ("rate", "mu"):
            rule.require(0 <= value <= 1, f"{name} = {value}; it must lie in [0, 1]")
        elif name.startswith(("mu", "alpha", "rho")):
            rule.require(value >= 0, f"{name} = {value}; it must be >= 0")
    span = p.w_max - p.w_min
    bounds = f"w_min = {p.w_min} and w_max = {p.w_max}"
    rule.require(span != 0.0, f"{bounds} leave no room; they must differ")
    rule.require(isfinite(span), f"{bounds} are too far apart; their difference must be finite")


@register_jitable
def bounded(w: float, p: Any) -> float:
    """The weight, or the bound that it has passed."""
    return min(max(w, min(p.w_min, p.w_max)), max(p.w_min, p.w_max))


@register_jitable
def shifted(w: float, a: float, p: Any) -> float:
    """The weight moved by ``a`` spans, at most one, towards ``w_max`` where ``a`` is positive."""
    return bounded(w + (p.w_max - p.w_min) * min(1.0, max(-1.0, a)), p)


@register_jitable
def potentiated(w: float, a: float, mu: float, p: Any) -> float:
    """The weight after potentiation by ``a`` >= 0 with exponent ``mu``."""
    return shifted(w, _step(w, p.w_max, a, mu, p), p)


@register_jitable
def depressed(w: float, a: float, mu: float, p: Any) -> float:
    """The weight after depression by ``a`` >= 0 with exponent ``mu``."""
    return shifted(w, -_step(w, p.w_min, a, mu, p), p)


@register_jitable
def _step(w: float, end: float, a: float, mu: float, p: Any) -> float:
    """``a`` times a power of the distance to ``end``, in spans."""
    if mu != 0.0:
        # In [0, 1] even where a weight was set outside its bounds.
        room = min(1.0, abs((end - w) / (p.w_max - p.w_min)))
        a *= power(room, mu)
    return a


@register_jitable
def power(base: float, mu: float) -> float:
    """``base`` >= 0 to the power ``mu``, at little cost for the exponents 0 and 1."""
    if mu == 0.0:
        return 1.0
    return base if mu == 1.0 else base**mu
