"""Plasticity rules against sums over spike pairs that know nothing of traces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import exp
from typing import Any

import numpy as np
import numpy.typing as npt

from encoders import SpikeTimes
from experiments.reporting import Reporter
from experiments.verify.brute_force import seed_of
from experiments.verify.engine_network import shared_loop
from experiments.verify.rows import Row, judged, not_run
from neurons import LIFDelta
from simulator import Network, PlasticityRule, Simulation, explicit, one_to_one

__all__ = ["rule_rows"]

GROUP = "plasticity"
WEIGHT = 1e-12
_SPAN = 100.0  # ms
_NEURONS = 10

Floats = npt.NDArray[np.float64]


def pair_sum(w: float, arrivals: list[float], spikes: list[float], p: Any) -> float:
    """Every pair: a spike after an arrival, or with it, potentiates; before it, it depresses."""
    for a in arrivals:
        for s in spikes:
            if a <= s:
                w += p.a_plus * exp((a - s) / p.tau_plus)
            else:
                w -= p.a_minus * exp((s - a) / p.tau_minus)
    return w


def wtcrl_pairs(w: float, arrivals: list[float], spikes: list[float], p: Any) -> float:
    """Fois & Girau 2023, equations 1 to 3, from the distance of each event to its nearest partner
    before it; an arrival at the instant of a spike comes first."""
    events = [(t, "arrival") for t in arrivals] + [(t, "spike") for t in spikes]
    for t, kind in sorted(events):
        if kind == "arrival":
            partners, tau = [s for s in spikes if s < t], p.tau_y
        else:
            partners, tau = [a for a in arrivals if a <= t], p.tau_x
        trace = exp((max(partners) - t) / tau) if partners else 0.0
        if trace <= p.epsilon:
            continue
        change = (
            -p.a_minus * (1.0 - trace)
            if kind == "arrival"
            else p.a_plus * (1.0 - trace - w + p.w_offset)
        )
        w = min(1.0, max(0.0, w + change))
    return w


# By the name of the rule: the brute-force sum, and parameters at which weights move a lot.
_SUMS: dict[str, tuple[Callable[..., float], dict[str, float]]] = {
    "PairSTDP": (pair_sum, {}),
    "WTCRL": (wtcrl_pairs, {"a_plus": 0.2, "a_minus": 0.1, "tau_x": 5.0, "tau_y": 8.0}),
}


def rule_rows(rules: list[type[PlasticityRule]], trains: int, reporter: Reporter) -> Iterator[Row]:
    """Each rule in the compiled engine, on ``trains`` pairs of random trains with random delays."""
    with reporter.progress("plasticity rules", len(rules)) as bar:
        for rule in rules:
            names = [base.__name__ for base in rule.__mro__]
            known = next((_SUMS[name] for name in names if name in _SUMS), None)
            if known is not None:
                yield _learning_row(rule, *known, trains)
            elif "ExponentialDrift" in names:
                yield _drift_row(rule, trains)
            else:
                yield not_run(GROUP, rule.__name__, "no sum over pairs is written for this rule")
            bar.advance()


def _learning_row(
    rule: type[PlasticityRule],
    by_pairs: Callable[..., float],
    parameters: dict[str, float],
    trains: int,
) -> Row:
    """Neurons fire when a teacher tells them; each synapse is compared with the sum over its
    pairs.  A share of spikes comes at the instant of an arrival."""
    n_pre = max(1, trains // _NEURONS)
    rng = np.random.default_rng(seed_of("rules", rule.__name__))
    made = rule(**parameters)
    delay = rng.choice([0.0, 0.5, 1.75], (n_pre, _NEURONS))
    weight = rng.uniform(0.2, 0.9, (n_pre, _NEURONS))
    # On a grid of 1/64 ms ties are frequent, and sums of times and delays exact.
    pre, post = (_trains(rng, n) for n in (n_pre, _NEURONS))
    net = Network()
    shared_loop(net)
    u = net.population("u", n_pre, SpikeTimes(*pre))
    teacher = net.population("teacher", _NEURONS, SpikeTimes(*post))
    v = net.population("v", _NEURONS, LIFDelta(v_th=1e3))
    net.projection(teacher, v, one_to_one(), weight=1e6, delay=0.0)
    i, j = (index.ravel() for index in np.indices((n_pre, _NEURONS)))
    net.projection(u, v, explicit(i, j), weight.ravel(), delay.ravel(), rule=made, name="learning")
    net.record_spikes(v)
    simulation = Simulation(net)
    simulation.run(_SPAN + 2.0)
    got = simulation.weights("learning")
    times, fired = simulation.spikes(v)
    worst, pairs = 0.0, 0
    for k in range(got.size):
        arrivals = (pre[0][pre[1] == i[k]] + delay[i[k], j[k]]).tolist()
        spikes = post[0][post[1] == j[k]].tolist()
        if times[fired == j[k]].tolist() != spikes:
            worst = np.inf
        expected = by_pairs(float(weight[i[k], j[k]]), arrivals, spikes, made.parameters)
        worst = max(worst, abs(float(got[k]) - expected))
        pairs += len(arrivals) * len(spikes)
    compared = f"double sum, {got.size:,} synapses, {pairs:,} spike pairs"
    return judged(GROUP, f"{rule.__name__}: weights", compared, worst, WEIGHT)


def _trains(rng: np.random.Generator, n: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """About 30 spikes each, by time, then neuron."""
    codes = np.unique(rng.integers(0, int(_SPAN * 64), 30 * n) * n + rng.integers(0, n, 30 * n))
    return codes // n / 64.0, codes % n


def _drift_row(rule: type[PlasticityRule], trains: int) -> Row:
    """What a leaky neuron has received of weights that follow time, as a sum over arrivals."""
    rng = np.random.default_rng(seed_of("rules", rule.__name__))
    made = rule(w_start=-9.0, w_end=-91.0, tau=40.0)
    times = np.sort(rng.uniform(0.0, _SPAN, trains))
    delay, tau_m = 0.75, 20.0
    net = Network()
    shared_loop(net)
    u = net.population("u", 1, SpikeTimes(times))
    v = net.population("v", 2, LIFDelta(v_th=1e9, tau_m=tau_m))
    net.projection(u, v, explicit([0, 0], [0, 1]), [0.5, 2.0], delay, rule=made)
    simulation = Simulation(net)
    end = _SPAN + 1.0
    simulation.run(end)
    drift = [-91.0 + 82.0 * exp(-(t + delay) / 40.0) for t in times]
    left = [exp((t + delay - end) / tau_m) for t in times]
    total = sum(w * f for w, f in zip(drift, left, strict=True))
    got = simulation.state("v", "v")
    worst = max(abs(got[0] / (0.5 * total) - 1.0), abs(got[1] / (2.0 * total) - 1.0))
    compared = f"sum over {times.size:,} arrivals, potential relative to it"
    return judged(GROUP, f"{rule.__name__}: weights", compared, worst, WEIGHT)
