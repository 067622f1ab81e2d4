"""What plasticity rules do to a weight, as sums over spikes: nothing here knows of traces.

Each sum is a function ``(w, arrivals, spikes, p)`` of the weight at the start, the times (ms) at
which presynaptic spikes reach the synapse, those of the postsynaptic spikes, and the parameters; it
gives the weight after all of them.  At one instant the arrival comes first: it does not see the
spike, the spike sees it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp
from typing import Any

__all__ = ["PAIR_SUMS", "Times", "last"]

Times = list[float]
Sum = Callable[[float, Times, Times, Any], float]
# (w, t, arrivals before or, at a spike, with t, spikes before t, p) -> new weight, without bounds
Change = Callable[[float, float, Times, Times, Any], Any]


def _in_order(at_arrival: Change, at_spike: Change) -> Sum:
    """The sum of a rule whose changes stop at the bounds."""

    def after(w: float, arrivals: Times, spikes: Times, p: Any) -> float:
        low, high = sorted((p.w_min, p.w_max))
        for t, spike in sorted([(t, False) for t in arrivals] + [(t, True) for t in spikes]):
            before = [s for s in spikes if s < t]
            if spike:
                w = at_spike(w, t, [a for a in arrivals if a <= t], before, p)
            else:
                w = at_arrival(w, t, [a for a in arrivals if a < t], before, p)
            w = sorted((low, w, high))[1]
        return w

    return after


def _all(t: float, times: Times, tau: float) -> float:
    return sum(exp((s - t) / tau) for s in times)


def last(t: float, times: Times, tau: float) -> float:
    """What is left at ``t`` (ms) of the last of the times; 0 if there is none."""
    return max((exp((s - t) / tau) for s in times), default=0.0)


Reach = Callable[[float, Times, float], float]


def _depress(of_spikes: Reach) -> Change:
    """Pair STDP, Guetig et al. 2003: the distances to the spikes before, summed."""

    def change(w: float, t: float, arrivals: Times, spikes: Times, p: Any) -> Any:
        room = (w - p.w_min) / (p.w_max - p.w_min)
        pairs = of_spikes(t, spikes, p.tau_minus)
        return w - (p.w_max - p.w_min) * p.a_minus * room**p.mu_minus * pairs

    return change


def _potentiate(of_arrivals: Reach) -> Change:
    def change(w: float, t: float, arrivals: Times, spikes: Times, p: Any) -> Any:
        room = (p.w_max - w) / (p.w_max - p.w_min)
        pairs = of_arrivals(t, arrivals, p.tau_plus)
        return w + (p.w_max - p.w_min) * p.a_plus * room**p.mu_plus * pairs

    return change


def _centred() -> Sum:
    """Morrison, Diesmann & Gerstner 2008, figure 7B: arrivals that no spike has followed yet; one
    at the instant of a spike came before it."""
    potentiate = _potentiate(_all)

    def spike(w: float, t: float, arrivals: Times, spikes: Times, p: Any) -> Any:
        return potentiate(w, t, [a for a in arrivals if not spikes or a > max(spikes)], spikes, p)

    return _in_order(_depress(last), spike)


def _restricted() -> Sum:
    """Morrison, Diesmann & Gerstner 2008, figure 7C: a pair has no other spike within it."""
    depress, potentiate = _depress(last), _potentiate(last)

    def arrival(w: float, t: float, arrivals: Times, spikes: Times, p: Any) -> Any:
        near = [s for s in spikes if not any(s < a for a in arrivals)]
        return depress(w, t, arrivals, near, p)

    def spike(w: float, t: float, arrivals: Times, spikes: Times, p: Any) -> Any:
        near = [a for a in arrivals if not any(a <= s for s in spikes)]
        return potentiate(w, t, near, spikes, p)

    return _in_order(arrival, spike)


def _triplets(reach: Reach) -> Sum:
    """Pfister & Gerstner 2006, equations 3 and 4."""

    def depress(w: float, t: float, arrivals: Times, spikes: Times, p: Any) -> Any:
        rate = p.a2_minus + p.a3_minus * reach(t, arrivals, p.tau_x)
        return w - (p.w_max - p.w_min) * rate * reach(t, spikes, p.tau_minus)

    def potentiate(w: float, t: float, arrivals: Times, spikes: Times, p: Any) -> Any:
        rate = p.a2_plus + p.a3_plus * reach(t, spikes, p.tau_y)
        return w + (p.w_max - p.w_min) * rate * reach(t, arrivals, p.tau_plus)

    return _in_order(depress, potentiate)


def _power_law() -> Sum:
    """Morrison, Aertsen & Diesmann 2007."""

    def depress(w: float, t: float, arrivals: Times, spikes: Times, p: Any) -> Any:
        return w * (1.0 - p.rate * p.alpha * _all(t, spikes, p.tau_minus))

    def potentiate(w: float, t: float, arrivals: Times, spikes: Times, p: Any) -> Any:
        return w + p.rate * p.w_0 * (w / p.w_0) ** p.mu * _all(t, arrivals, p.tau_plus)

    return _in_order(depress, potentiate)


def _inhibitory() -> Sum:
    """Vogels et al. 2011; strength grows towards w_max, on whichever side that is."""

    def arrival(w: float, t: float, arrivals: Times, spikes: Times, p: Any) -> Any:
        change = p.eta * (_all(t, spikes, p.tau) - 2.0 * (p.rho_0 / 1000.0) * p.tau)
        return w + change if p.w_max > p.w_min else w - change

    def spike(w: float, t: float, arrivals: Times, spikes: Times, p: Any) -> Any:
        change = p.eta * _all(t, arrivals, p.tau)
        return w + change if p.w_max > p.w_min else w - change

    return _in_order(arrival, spike)


def symmetric(w: float, arrivals: Times, spikes: Times, p: Any) -> float:
    """Hao et al. 2020, equation 6: every pair, when its later spike comes."""
    pairs = [(max(a, s), abs(a - s)) for a in arrivals for s in spikes]
    for _, apart in sorted(pairs):
        w = min(p.w_max, w + p.nu * p.increment * exp(-apart / p.tau))
    return w


def wtcrl(w: float, arrivals: Times, spikes: Times, p: Any) -> float:
    """Fois & Girau 2023, equations 1 to 3, from the distance of each event to its nearest partner
    before it."""
    for t, spike in sorted([(t, False) for t in arrivals] + [(t, True) for t in spikes]):
        if spike:
            trace = last(t, [a for a in arrivals if a <= t], p.tau_x)
            change = p.a_plus * (1.0 - trace - w + p.w_offset)
        else:
            trace = last(t, [s for s in spikes if s < t], p.tau_y)
            change = -p.a_minus * (1.0 - trace)
        if trace > p.epsilon:
            w = min(1.0, max(0.0, w + change))
    return w


# By the name of the rule.
PAIR_SUMS: dict[str, Sum] = {
    "InhibitorySTDP": _inhibitory(),
    "NearestPairSTDP": _in_order(_depress(last), _potentiate(last)),
    "NearestTripletSTDP": _triplets(last),
    "PairSTDP": _in_order(_depress(_all), _potentiate(_all)),
    "PowerLawSTDP": _power_law(),
    "PreCentredPairSTDP": _centred(),
    "RestrictedPairSTDP": _restricted(),
    "SymmetricSTDP": symmetric,
    "TripletSTDP": _triplets(_all),
    "WTCRL": wtcrl,
}
