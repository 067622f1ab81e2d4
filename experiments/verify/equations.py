"""The linear neurons' potentials, written a second time from their equations.

Each function here takes the parameters and the state of one model and returns V - threshold as a
list of terms, amplitude times function of time; nothing of the model's own file is used.
Parameters and states are mappings of names to floats or arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from experiments.verify.arithmetic import Arithmetic

__all__ = ["EQUATIONS", "Term", "find_equations", "slope", "value"]

Numbers = Mapping[str, Any]


class Term(NamedTuple):
    """``amplitude`` times a function of time; ``kind`` names it in :class:`Arithmetic`."""

    kind: str  # "constant", "decay", "response" or "alpha"
    amplitude: Any
    r: Any = None  # [1/ms]
    s: Any = None  # [1/ms], of the current


Equations = Callable[[Numbers, Numbers, Arithmetic], list[Term]]


def _leak(p: Numbers, n: Numbers, a: Arithmetic) -> tuple[list[Term], Any]:
    """Relaxation to v_inf and the threshold, which moves if the model says so; 1 / tau_m."""
    v_inf = a.number(p["v_rest"]) + a.number(p["bias"])
    r = 1 / a.number(p["tau_m"])
    terms = [
        Term("constant", v_inf - a.number(p["v_th"])),
        Term("decay", a.number(n["v"]) - v_inf, r),
    ]
    return terms + _moving_threshold(p, n, a), r


def _moving_threshold(p: Numbers, n: Numbers, a: Arithmetic) -> list[Term]:
    if "theta" not in n:
        return []
    return [Term("decay", -a.number(n["theta"]), 1 / a.number(p["tau_theta"]))]


def lif_delta(p: Numbers, n: Numbers, a: Arithmetic) -> list[Term]:
    """tau_m dV/dt = -(V - v_rest) + bias."""
    return _leak(p, n, a)[0]


def lif_exp(p: Numbers, n: Numbers, a: Arithmetic) -> list[Term]:
    """tau_m dV/dt = -(V - v_rest) + bias + I_exc + I_inh, with I = i exp(-t / tau)."""
    terms, r = _leak(p, n, a)
    for current, tau in (("i_exc", "tau_exc"), ("i_inh", "tau_inh")):
        terms.append(Term("response", a.number(n[current]) * r, r, 1 / a.number(p[tau])))
    return terms


def lif_alpha(p: Numbers, n: Numbers, a: Arithmetic) -> list[Term]:
    """tau_m dV/dt = -(V - v_rest) + bias + I_exc + I_inh, with I = (i + d t) exp(-t / tau)."""
    terms, r = _leak(p, n, a)
    for side, tau in (("exc", "tau_exc"), ("inh", "tau_inh")):
        s = 1 / a.number(p[tau])
        terms.append(Term("response", a.number(n[f"i_{side}"]) * r, r, s))
        terms.append(Term("alpha", a.number(n[f"d_{side}"]) * r, r, s))
    return terms


def srm(p: Numbers, n: Numbers, a: Arithmetic) -> list[Term]:
    """tau_m dV/dt = -V + I, scaled so that a unit of ``i`` makes a potential with peak 1."""
    r, s = 1 / a.number(p["tau_m"]), 1 / a.number(p["tau_s"])
    scale = 1 / a.response(_peak_time(r, s), r, s)
    return [
        Term("constant", -a.number(p["v_th"])),
        Term("decay", a.number(n["v"]), r),
        Term("response", a.number(n["i"]) * scale, r, s),
        *_moving_threshold(p, n, a),
    ]


def _peak_time(r: Any, s: Any) -> Any:
    """Where exp(-r t) - exp(-s t) is largest: ln(r / s) / (r - s)."""
    if isinstance(r, np.ndarray):
        same = r == s
        apart = np.where(same, 1.0, r - s)
        return np.where(same, 1.0 / r, np.log1p((r - s) / s) / apart)
    return 1 / r if r == s else r.context.log(r / s) / (r - s)


# By the name of the model, or of one that it derives from.
EQUATIONS: dict[str, Equations] = {
    "LIFDelta": lif_delta,
    "LIFExp": lif_exp,
    "LIFAlpha": lif_alpha,
    "SRM": srm,
}


def find_equations(model: type) -> Equations | None:
    """The second writing of a model, None if it has none."""
    for base in model.__mro__:
        if base.__name__ in EQUATIONS:
            return EQUATIONS[base.__name__]
    return None


def value(terms: list[Term], t: Any, a: Arithmetic) -> Any:
    """V - threshold at ``t``."""
    return _sum([_function(term, t, a) * term.amplitude for term in terms])


def slope(terms: list[Term], t: Any, a: Arithmetic) -> Any:
    """Its derivative: a response is driven by the current and pulled back by its own leak."""
    total = []
    for term in terms:
        if term.kind == "decay":
            total.append(-term.r * term.amplitude * a.decay(t, term.r))
        elif term.kind == "response":
            drive = a.decay(t, term.s)
            total.append(term.amplitude * (drive - term.r * a.response(t, term.r, term.s)))
        elif term.kind == "alpha":
            drive = t * a.decay(t, term.s)
            total.append(term.amplitude * (drive - term.r * a.alpha(t, term.r, term.s)))
    return _sum(total)


def _function(term: Term, t: Any, a: Arithmetic) -> Any:
    if term.kind == "constant":
        return 1
    if term.kind == "decay":
        return a.decay(t, term.r)
    return (a.response if term.kind == "response" else a.alpha)(t, term.r, term.s)


def _sum(parts: list[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
