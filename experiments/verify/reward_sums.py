"""What modulated rules do to a weight, as sums over spikes and releases of the modulator.

As :mod:`experiments.verify.pair_sums`, with the releases as one more argument.  At one instant an
arrival comes first, then a release, then a spike.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import exp
from typing import Any, NamedTuple

from experiments.verify.pair_sums import Times, last

__all__ = ["REWARD_SUMS", "Releases"]


class Releases(NamedTuple):
    """Of the modulator: times (ms) and amounts, its time constant (ms), and the end (ms)."""

    times: Times
    amounts: Times
    tau: float
    end: float


def _jumps(arrivals: Times, spikes: Times, p: Any) -> list[tuple[float, bool, float]]:
    """Of the eligibility: time, whether it is that of a spike, size; of the nearest spikes."""
    down = [
        (t, False, -p.a_minus * last(t, [s for s in spikes if s < t], p.tau_minus))
        for t in arrivals
    ]
    up = [
        (t, True, p.a_plus * last(t, [a for a in arrivals if a <= t], p.tau_plus)) for t in spikes
    ]
    return down + up


def dopamine(w: float, arrivals: Times, spikes: Times, p: Any, releases: Releases) -> float:
    """Izhikevich 2007, equations 1 to 3: the integral of eligibility times concentration, a term
    for each pair of a jump of the one with a jump of the other."""
    jumps = _jumps(arrivals, spikes, p)
    rate = 1.0 / p.tau_c + 1.0 / releases.tau

    def integral(until: float) -> float:
        total = 0.0
        for t, _, c in jumps:
            if t < until:
                total += c * p.tonic * p.tau_c * (1.0 - exp(-(until - t) / p.tau_c))
            for r, amount in zip(releases.times, releases.amounts, strict=True):
                both = max(t, r)
                if both < until:
                    left = exp(-(both - t) / p.tau_c - (both - r) / releases.tau)
                    total += c * amount * left * (1.0 - exp(-rate * (until - both))) / rate
        return total

    # The bounds are met between two jumps at the latest moment, the eligibility keeping its sign.
    low, high = sorted((p.w_min, p.w_max))
    cuts = sorted({0.0, *arrivals, *spikes, *releases.times, releases.end})
    values = [integral(t) for t in cuts if t <= releases.end]
    for before, after in pairwise(values):
        w = sorted((low, w + (p.w_max - p.w_min) * (after - before), high))[1]
    return w


def reward(w: float, arrivals: Times, spikes: Times, p: Any, releases: Releases) -> float:
    """Florian 2007: what is left of each jump of the eligibility when a reward comes."""
    jumps = _jumps(arrivals, spikes, p)
    low, high = sorted((p.w_min, p.w_max))
    for r, amount in sorted(zip(releases.times, releases.amounts, strict=True)):
        left = [
            c * exp(-(r - t) / p.tau_c) for t, spike, c in jumps if t < r or (t == r and not spike)
        ]
        w = sorted((low, w + (p.w_max - p.w_min) * p.rate * amount * sum(left), high))[1]
    return w


def gated(w: float, arrivals: Times, spikes: Times, p: Any, releases: Releases) -> float:
    """Hao et al. 2020: every pair at whose later spike the concentration is above the gate."""
    given = list(zip(releases.times, releases.amounts, strict=True))
    pairs = [(max(a, s), a <= s, abs(a - s)) for a in arrivals for s in spikes]
    for t, spike, apart in sorted(pairs):
        came = [(r, amount) for r, amount in given if r < t or (r == t and spike)]
        if sum(amount * exp(-(t - r) / releases.tau) for r, amount in came) > p.gate:
            w = min(p.w_max, w + p.nu * p.increment * exp(-apart / p.tau))
    return w


# By the name of the rule.
REWARD_SUMS: dict[str, Callable[[float, Times, Times, Any, Releases], float]] = {
    "DopamineSTDP": dopamine,
    "GatedSymmetricSTDP": gated,
    "RewardSTDP": reward,
}
