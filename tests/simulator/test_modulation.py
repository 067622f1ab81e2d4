"""Rules that feel a neuromodulator: closed form, both engines, what users do between instants."""

from __future__ import annotations

import json
from itertools import pairwise
from math import exp
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.integrate import quad

from encoders import SpikeTimes
from neurons import Concentration, LIFExp
from simulator import (
    Age,
    ModelError,
    Network,
    NetworkError,
    PlasticityRule,
    Simulation,
    SimulationError,
    Trace,
    all_to_all,
    fixed_probability,
    uniform,
)
from simulator.connect import Connector
from simulator.reference import Reference
from tests.uncompiled import uncompiled_python

RELEASES = [20.0, 60.0, 60.5, 130.0, 200.0]  # ms, of the dopamine neuron


class Eligible(PlasticityRule):
    """Pairs of spikes make a synapse eligible; dopamine turns that into weight."""

    class Parameters(NamedTuple):
        tau_c: float = 100.0
        tau_p: float = 20.0
        tau_m: float = 15.0
        up: float = 0.1
        down: float = 0.12
        w_max: float = 1e9

    pre_traces = (Trace("tau_p"), Age())
    post_traces = (Trace("tau_m"), Age())
    variables = {"c": 0.0}  # noqa: RUF012
    modulated = True

    @staticmethod
    def on_pre(s: Any, x: tuple[float, ...], y: tuple[float, ...], z: float, p: Any) -> Any:
        return s[0], s[1] - p.down * y[0]

    @staticmethod
    def on_post(s: Any, x: tuple[float, ...], y: tuple[float, ...], z: float, p: Any) -> Any:
        return s[0], s[1] + p.up * x[0]

    @staticmethod
    def drift(s: Any, z: float, tau: float, dt: float, p: Any) -> Any:
        rate = 1.0 / p.tau_c + 1.0 / tau
        w = s[0] + s[1] * z * (1.0 - exp(-rate * dt)) / rate
        return min(p.w_max, max(-p.w_max, w)), s[1] * exp(-dt / p.tau_c)

    @staticmethod
    def on_modulator(s: Any, amount: float, p: Any) -> Any:
        return s[0] + 0.01 * amount * s[1], s[1]


def network(connector: Connector, delay: Any) -> Network:
    net = Network(seed=1)
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(0, 300, 250))
    u = net.population("u", 5, SpikeTimes(times, rng.integers(0, 5, 250)))
    neuron = net.population("dopamine neuron", 1, SpikeTimes(RELEASES, [0] * 5))
    dopamine = net.population("dopamine", 1, Concentration(tau=30.0))
    net.projection(neuron, dopamine, all_to_all(), weight=0.02, delay=1.0)
    v = net.population("v", 4, LIFExp(v_th=2.0))
    net.projection(
        u, v, connector, uniform(0.3, 1.5), delay, rule=Eligible(w_max=3.0), modulator=dopamine
    )
    net.record_spikes("u", v)
    return net


def course(engine: Any, net: Network, cut: bool = False) -> dict[str, Any]:
    """A run in which somebody reads, releases, and switches learning off and on again."""
    if cut:
        engine.run(40.0)
        state = engine.save()
        engine = Simulation(net)
        engine.restore(state)
        engine.run(77.0)
        engine.weights("u->v")
    engine.run(100.0)
    engine.release("dopamine", 0.05)
    engine.run(150.0)
    engine.set_learning("u->v", False)
    engine.run(170.0)
    engine.set_learning("u->v", True)
    engine.run(270.0)
    before = engine.weights("u->v")
    engine.forget(in_flight=False)
    kept = bool(np.all(engine.weights("u->v") == before))
    engine.run(300.0)
    return {
        "spikes": engine.spikes("v")[0][-5:].tolist(),
        "weights": np.sort(engine.weights("u->v").ravel()).tolist(),
        "level": float(engine.state("dopamine", "z")[0]),
        "kept": kept,
    }


CASES = [
    (all_to_all(), 0.5),
    (fixed_probability(0.6), 0.3),
    (fixed_probability(0.6), uniform(0.1, 2.0)),
]


def levels(kind: type[Simulation] | type[Reference]) -> list[float]:
    """A weight under dopamine that is there at first, and that is set later on."""
    net = Network()
    u, v = (
        net.population(name, 1, model)
        for name, model in (("u", SpikeTimes([1.0])), ("v", LIFExp(v_th=0.5)))
    )
    dopamine = net.population("dopamine", 1, Concentration(tau=30.0), {"z": 0.4})
    net.projection(u, v, all_to_all(), [[5.0]], rule=Eligible(), modulator=dopamine)
    net.record_spikes(v)
    engine = kind(net)
    weights = []
    for t, level in ((10.0, 0.1), (25.0, 0.0), (40.0, 0.0)):
        engine.run(t)
        weights.append(float(engine.weights("u->v").ravel()[0]))
        engine.set_state("dopamine", "z", level)
    return [float(engine.spikes("v")[0][0]), *weights]


def print_courses() -> None:
    """What the compiled engine's kernels do, as plain Python."""
    results = []
    for case in CASES:
        net = network(*case)
        pieces, readable = course(Simulation(net), net, True), course(Reference(net), net)
        results.append([course(Simulation(net), net), pieces, readable])
    print(json.dumps([*results, [levels(Simulation), levels(Reference)]]))


@pytest.fixture(scope="module")
def courses() -> Any:
    code = f"from {__name__} import print_courses; print_courses()"
    return json.loads(uncompiled_python("-c", code))


@pytest.mark.parametrize("case", range(len(CASES)))
def test_both_engines_drift_alike(courses: Any, case: int) -> None:
    ours, in_pieces, readable = courses[case]
    assert len(ours["spikes"]) == 5
    assert len({round(w, 6) for w in ours["weights"]}) > 5
    assert in_pieces == ours
    assert ours["kept"]
    for name, value in readable.items():
        np.testing.assert_allclose(ours[name], value, rtol=1e-9, atol=1e-12)
    if case == 0:  # advanced together: to the last bit
        assert ours == readable


def test_a_level_that_is_there_or_is_set_is_felt(courses: Any) -> None:
    ours, readable = courses[-1]
    assert ours == readable
    fired, *weights = ours
    p, w, rate = Eligible().parameters, 5.0, 1.0 / 100.0 + 1.0 / 30.0
    c = p.up * exp(-(fired - 1.0) / p.tau_p)
    for begin, end, level, weight in (
        (fired, 10.0, 0.4 * exp(-fired / 30.0), weights[0]),
        (10.0, 25.0, 0.1, weights[1]),
        (25.0, 40.0, 0.0, weights[2]),
    ):
        span = end - begin
        w += c * exp(-(begin - fired) / 100.0) * level * (1.0 - exp(-rate * span)) / rate
        assert weight == pytest.approx(w, abs=1e-13)


def test_the_weight_is_the_integral_of_eligibility_times_concentration() -> None:
    net = network(*CASES[0])
    engine = Reference(net)
    first = engine.weights("u->v").copy()
    engine.run(55.0)
    until, p, delay = 55.0, Eligible().parameters, 0.5
    times, neurons = engine.spikes("u")
    fired, which = engine.spikes("v")
    assert fired.size > 3
    for i in range(5):
        for j in range(4):
            pre, post = times[neurons == i] + delay, fired[which == j]
            jumps = [(t, -p.down * np.exp(-(t - post[post < t]) / p.tau_m).sum()) for t in pre] + [
                (t, p.up * np.exp(-(t - pre[pre < t]) / p.tau_p).sum()) for t in post
            ]
            gained = 0.01 * 0.02 * _eligibility(jumps, 21.0, p)
            cuts = [21.0, *sorted(t for t, _ in jumps if 21.0 < t < until), until]
            gained += sum(_flow(jumps, a, b, p) for a, b in pairwise(cuts))
            w = engine.weights("u->v").reshape(5, 4)[i, j]
            assert w == pytest.approx(first.reshape(5, 4)[i, j] + gained, abs=1e-12)


def _flow(jumps: list[tuple[float, float]], a: float, b: float, p: Any) -> float:
    """The integral of eligibility times concentration between two of the jumps."""
    middle = 0.5 * (a + b)
    flow = quad(lambda s: np.exp(-(s - middle) / p.tau_c - (s - 21.0) / 30.0), a, b, epsabs=1e-14)
    return float(0.02 * _eligibility(jumps, middle, p) * flow[0])


def _eligibility(jumps: list[tuple[float, float]], t: float, p: Any) -> float:
    return float(sum(c * np.exp(-(t - s) / p.tau_c) for s, c in jumps if s < t))


class WithoutAge(Eligible):
    post_traces = (Trace("tau_m"),)


class NotModulated(Eligible):
    modulated = False


@pytest.mark.parametrize(
    ("rule", "text"),
    [(WithoutAge, r"put Age\(\) into its post_traces"), (NotModulated, "set modulated = True")],
)
def test_a_rule_that_drifts_says_how(rule: type[PlasticityRule], text: str) -> None:
    with pytest.raises(ModelError, match=text):
        rule()


def test_what_is_no_modulator_is_refused() -> None:
    net = network(*CASES[0])
    with pytest.raises(NetworkError, match="Eligible feels a neuromodulator; give modulator="):
        net.projection("u", "v", all_to_all(), rule=Eligible(), name="a")
    with pytest.raises(NetworkError, match="'v' is no modulator; it must be a population of"):
        net.projection("u", "v", all_to_all(), rule=Eligible(), name="b", modulator="v")
    with pytest.raises(NetworkError, match="its rule feels no neuromodulator"):
        net.projection("u", "v", all_to_all(), name="c", modulator="dopamine")
    with pytest.raises(NetworkError, match="arrives at the modulator 'dopamine' is not plastic"):
        net.projection(
            "u", "dopamine", all_to_all(), rule=Eligible(), name="d", modulator="dopamine"
        )
    simulation = Reference(net)
    with pytest.raises(SimulationError, match="'v' is no modulator; a release needs the model"):
        simulation.release("v", 1.0)
    with pytest.raises(SimulationError, match="nan; a finite number is needed"):
        simulation.release("dopamine", float("nan"))
