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
from experiments.verify.critical_thresholds import derivative_row
from experiments.verify.engine_network import shared_loop
from experiments.verify.pair_sums import PAIR_SUMS
from experiments.verify.reward_sums import REWARD_SUMS, Releases
from experiments.verify.rows import Row, judged, not_run
from neurons import Concentration, LIFDelta
from plasticity import AggregateLabel
from simulator import Network, PlasticityRule, Simulation, all_to_all, explicit, one_to_one
from simulator.connect import Connector

__all__ = ["rule_rows"]

GROUP = "plasticity"
WEIGHT = 1e-12
_SPAN = 100.0  # ms
_NEURONS = 10
_DELAYS = {"dense": 0.5, "one delay": 1.75, "several delays": None}  # ms, by kind of projection

_SUMS: dict[str, Callable[..., float]] = {**PAIR_SUMS, **REWARD_SUMS}
_DOPAMINE = Releases([10.0, 30.5, 31.0, 72.390625], [0.7] * 4, 25.0, _SPAN + 2.0)

Floats = npt.NDArray[np.float64]

# By the name of the rule: parameters at which weights move a lot and meet their bounds.
_STRONG: dict[str, dict[str, float]] = {
    "DopamineSTDP": {"a_plus": 0.001, "a_minus": 0.001, "tonic": 0.2, "w_max": -1.0},
    "GatedSymmetricSTDP": {"nu": 0.01, "gate": 0.4},
    "InhibitorySTDP": {"eta": 0.02, "rho_0": 280.0, "w_max": -1.0},
    "NearestPairSTDP": {"a_plus": 0.1, "a_minus": 0.1, "mu_plus": 0.5, "w_max": 2.0},
    "NearestTripletSTDP": {"a2_plus": 0.02, "a2_minus": 0.06, "a3_minus": 0.03},
    "PairSTDP": {"a_plus": 0.05, "a_minus": 0.05, "mu_plus": 1.0, "mu_minus": 0.3},
    "PowerLawSTDP": {"alpha": 0.5, "w_max": 5.0},
    "PreCentredPairSTDP": {"a_plus": 0.05, "a_minus": 0.03, "mu_plus": 0.5, "w_max": -2.0},
    "RestrictedPairSTDP": {"a_plus": 0.1, "a_minus": 0.1, "mu_minus": 0.5},
    "RewardSTDP": {"rate": 0.1, "tau_c": 30.0},
    "SymmetricSTDP": {"nu": 0.01},
    "TripletSTDP": {"a2_plus": 0.01, "a3_plus": 0.001, "a2_minus": 0.007, "a3_minus": 0.0007},
    "WTCRL": {"a_plus": 0.2, "a_minus": 0.1, "tau_x": 5.0, "tau_y": 8.0},
}


def rule_rows(rules: list[type[PlasticityRule]], trains: int, reporter: Reporter) -> Iterator[Row]:
    """Each rule in the compiled engine, on ``trains`` pairs of random trains."""
    known = {rule: _sum_of(rule) for rule in rules if _sum_of(rule) is not None}
    with reporter.progress("plasticity rules", len(rules)) as bar:
        learned = _Learned([rule(**_STRONG[name]) for rule, name in known.items() if name], trains)
        for rule in rules:
            name = known.get(rule)
            if name is not None:
                yield learned.row(rule, name)
            elif issubclass(rule, AggregateLabel):
                yield derivative_row(rule, GROUP, trains)
            elif "ExponentialDrift" in [base.__name__ for base in rule.__mro__]:
                yield _drift_row(rule, trains)
            else:
                yield not_run(GROUP, rule.__name__, "no sum over pairs is written for this rule")
            bar.advance()


def _sum_of(rule: type[PlasticityRule]) -> str | None:
    """The name under which a sum over pairs is known."""
    return next((base.__name__ for base in rule.__mro__ if base.__name__ in _SUMS), None)


class _Learned:
    """One network in which neurons fire when a teacher tells them, with all rules and every kind of
    projection between the same trains; so that one loop is compiled for all."""

    def __init__(self, rules: list[Any], trains: int) -> None:
        self.rules = {type(rule): rule for rule in rules}
        self.n_pre = max(1, trains // (len(_DELAYS) * _NEURONS))
        rng = np.random.default_rng(seed_of("rules", "trains"))
        self.pre, self.post = (_trains(rng, n) for n in (self.n_pre, _NEURONS))
        net = Network()
        u = net.population("u", self.n_pre, SpikeTimes(*self.pre))
        teacher = net.population("teacher", _NEURONS, SpikeTimes(*self.post))
        v = net.population("v", _NEURONS, LIFDelta(v_th=1e9))
        net.projection(teacher, v, one_to_one(), weight=1e12, delay=0.0)
        spikes = net.population("dopamine neuron", 1, SpikeTimes(_DOPAMINE.times))
        dopamine = net.population("dopamine", 1, Concentration(tau=_DOPAMINE.tau))
        net.projection(spikes, dopamine, all_to_all(), _DOPAMINE.amounts[0], 0.0)
        self.start: dict[str, Floats] = {}
        self.delay: dict[str, Floats] = {}
        for rule in rules:
            for kind, delay in _DELAYS.items():
                name = f"{type(rule).__name__}, {kind}"
                p, shape = rule.parameters, (self.n_pre, _NEURONS)
                w = rng.uniform(0.2, 0.9, shape) * getattr(p, "w_max", 1.0)
                d = rng.choice([0.0, 0.5, 1.75], shape) if delay is None else np.full(shape, delay)
                self.start[name], self.delay[name] = w, d
                connector: Connector = all_to_all()
                if kind != "dense":
                    connector = explicit(*(index.ravel() for index in np.indices(shape)))
                    w, d = w.ravel(), d.ravel()
                net.projection(
                    u, v, connector, w, d if delay is None else delay, rule=rule, name=name,
                    modulator=dopamine if rule.modulated else None,
                )  # fmt: skip
        net.record_spikes(v)
        self.simulation = Simulation(net)
        self.simulation.run(_SPAN + 2.0)
        self.times, self.fired = self.simulation.spikes(v)

    def row(self, rule: type[PlasticityRule], name: str) -> Row:
        """Every weight of a rule compared with the sum over the spikes of its two trains."""
        by_pairs = _SUMS[name]
        p, more = self.rules[rule].parameters, (_DOPAMINE,) if rule.modulated else ()
        worst, pairs, count = 0.0, 0, 0
        for kind in _DELAYS:
            projection = f"{rule.__name__}, {kind}"
            got = self.simulation.weights(projection).reshape(self.n_pre, _NEURONS)
            for i, j in np.ndindex(got.shape):
                arrivals = (self.pre[0][self.pre[1] == i] + self.delay[projection][i, j]).tolist()
                spikes = self.post[0][self.post[1] == j].tolist()
                if self.times[self.fired == j].tolist() != spikes:
                    worst = np.inf
                expected = by_pairs(float(self.start[projection][i, j]), arrivals, spikes, p, *more)
                worst = max(worst, abs(float(got[i, j]) - expected))
                pairs += len(arrivals) * len(spikes)
                count += 1
        compared = f"sum over pairs, {count:,} synapses, {pairs:,} spike pairs"
        return judged(GROUP, f"{rule.__name__}: weights", compared, worst, WEIGHT)


def _trains(rng: np.random.Generator, n: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """About 30 spikes each.  Half of them are on a grid of 1/64 ms: there ties are frequent, and
    sums of times and delays exact."""
    neurons = rng.integers(0, n, 30 * n)
    times = rng.uniform(0.0, _SPAN, 30 * n)
    on_grid = rng.random(30 * n) < 0.5
    times[on_grid] = np.floor(times[on_grid] * 64.0) / 64.0
    codes = np.unique(np.stack([times, neurons]), axis=1)  # sorted by time, then neuron
    return codes[0], codes[1].astype(np.int64)


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
