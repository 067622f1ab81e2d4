"""Synapses that wait for postsynaptic spikes: against the readable engine, whatever is done to a
run in between; the bytes that they take; lists and slots that are full."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from encoders import Poisson, SpikeTimes
from neurons import Concentration, LIFExp
from plasticity import (
    WTCRL,
    DopamineSTDP,
    GatedSymmetricSTDP,
    NearestTripletSTDP,
    PairSTDP,
    TripletSTDP,
)
from simulator import (
    Network,
    PlasticityRule,
    Simulation,
    all_to_all,
    fixed_in_degree,
    fixed_probability,
    uniform,
    waiting,
)
from simulator.reference import Reference
from tests.simulator.support import assert_equal_engines, stored_weights, with_rules
from tests.strategies import DURATION, NetworkPlan, build, network_plans
from tests.uncompiled import uncompiled_python

Deed = tuple[float, str]
DEEDS = ["forget traces", "forget what is in flight", "forget", "rest", "learn", "read"]


def course(engine: Any, name: str, deeds: list[Deed], until: float) -> None:
    """A run in which somebody forgets, lets learning rest, reads."""
    for t, deed in deeds:
        engine.run(t)
        if deed.startswith("forget"):
            engine.forget(deed != "forget what is in flight", deed != "forget traces")
        elif deed == "read":
            engine.weights(name)
        else:
            engine.set_learning(name, deed == "learn")
    engine.run(until)


@settings(max_examples=150)
@given(
    network_plans(),
    st.lists(st.tuples(st.floats(0.0, DURATION), st.sampled_from(DEEDS)), max_size=6),
)
def test_both_engines_agree_whatever_is_done_in_between(
    plan: NetworkPlan, deeds: list[Deed]
) -> None:
    engines = []
    for kind in (Reference, Simulation):
        net = build(plan)
        net.left_alone = False
        engines.append(kind(net))
        course(engines[-1], plan.projections[0].name, sorted(deeds), DURATION)
    assert_equal_engines(engines[1], engines[0], ms=1e-10, weight=1e-12)


RULES: list[PlasticityRule] = [
    TripletSTDP(),
    NearestTripletSTDP(),
    DopamineSTDP(a_plus=3e-4, a_minus=2e-4, w_max=3.0),
    GatedSymmetricSTDP(),
]


def described(rule: PlasticityRule, seed: int = 5) -> Network:
    """Spikes that are in flight for up to 25 ms, between neurons that fire every 4 ms or so."""
    net = Network(seed=seed)
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0, 200, 200))
    u = net.population("u", 6, SpikeTimes(times, rng.integers(0, 6, times.size)))
    v = net.population(
        "v", 5, LIFExp(tau_m=8.0, tau_exc=3.0, t_ref=2.0, bias=0.7), {"v": uniform(0, 0.9)}
    )
    dopamine = None
    if rule.modulated:
        dopamine = net.population("dopamine", 1, Concentration(tau=40.0))
        neuron = net.population("dopamine neuron", 1, SpikeTimes([30.0, 90.0, 91.0]))
        net.projection(neuron, dopamine, all_to_all(), weight=0.3, delay=1.0)
    delays = uniform(0.1, 25.0)
    net.projection(
        u, v, fixed_probability(0.8), uniform(0.2, 0.8), delays, rule=rule, modulator=dopamine
    )
    net.projection(
        v, v, fixed_probability(0.5, False), uniform(0.0, 0.3), delays, rule=rule,
        modulator=dopamine,
    )  # fmt: skip
    net.record_spikes(*net.populations)
    return net


COURSES: list[list[Deed]] = [
    [],
    [(40.0, "forget traces"), (100.0, "forget traces"), (104.0, "forget traces")],
    [(40.0, "forget what is in flight"), (100.0, "forget what is in flight")],
    [(40.0, "forget traces"), (47.0, "forget what is in flight"), (90.0, "forget traces")],
    [(40.0, "forget what is in flight"), (47.0, "forget traces"), (90.0, "forget")],
    [(30.0, "rest"), (60.0, "forget traces"), (80.0, "learn"), (95.0, "read")],
]


def print_differences() -> None:
    """How far the two engines are apart, and how far weights go; the kernels as plain Python."""
    results = []
    for rule in RULES:
        for deeds in COURSES:
            engines = [kind(described(rule)) for kind in (Simulation, Reference)]
            start = stored_weights(engines[0], "u->v")
            for engine in engines:
                course(engine, "u->v", deeds, 160.0)
            apart = max(
                float(np.abs(stored_weights(engines[0], name) - engines[1].weights(name)).max())
                for name in ("u->v", "v->v")
            )
            odd = int(engines[0]._engine.state.slots_past.odd.max())
            moved = float(np.abs(engines[1].weights("u->v") - start).mean())
            results.append([type(rule).__name__, apart, moved, odd])
    print(json.dumps(results))


@pytest.fixture(scope="module")
def differences() -> Any:
    code = f"from {__name__} import print_differences; print_differences()"
    return json.loads(uncompiled_python("-c", code))


@pytest.mark.parametrize("number", range(len(RULES) * len(COURSES)))
def test_rules_of_several_traces_agree(differences: Any, number: int) -> None:
    _, apart, moved, odd = differences[number]
    assert apart < 1e-9
    assert moved > 1e-3
    partly = any(deed in DEEDS[:2] for _, deed in COURSES[number % len(COURSES)])
    whole = any(deed == "forget" for _, deed in COURSES[number % len(COURSES)])
    assert (odd > 0) == (partly and not whole), "spikes that count for some of the synapses only"


@pytest.mark.parametrize(
    ("rule", "most"),
    [(PairSTDP(), 16), (TripletSTDP(), 16), (NearestTripletSTDP(), 16), (DopamineSTDP(), 24)],
)
def test_a_synapse_takes_24_bytes_at_most(rule: PlasticityRule, most: int) -> None:
    """Weight, delay, target and variables; what rows and neurons remember takes two more."""
    net = Network(seed=1)
    u = net.population("u", 1000, Poisson(20.0))
    v = net.population("v", 500, LIFExp())
    dopamine = net.population("dopamine", 1, Concentration()) if rule.modulated else None
    net.projection(
        u, v, fixed_in_degree(500), uniform(0, 1), uniform(0.5, 6.0), rule=rule, modulator=dopamine
    )
    simulation = Simulation(net, workers=1)
    arrays, state, n = simulation.compiled.arrays, simulation._engine.state, 500 * 500
    pools = ("weight", "synaptic", "syn_post", "syn_delay", "short_delay", "in_short", "in_long")
    assert sum(getattr(arrays, name).nbytes for name in pools) == most * n
    assert arrays.weight.size == n
    remembered = ("past", "past_x", "slots_past", "spiked", "spiked_y", "waiting", "x_value")
    assert sum(getattr(state, name).nbytes for name in remembered) < 2 * n


def busy() -> Network:
    net = Network(seed=2)
    u = net.population("u", 30, Poisson(80.0))
    v = net.population("v", 20, LIFExp(tau_m=8.0, tau_exc=3.0, bias=1.05), {"v": uniform(0, 0.9)})
    with_rules(net)
    net.projection(
        u, v, fixed_probability(0.7), uniform(0, 0.2), uniform(0.0, 20.0), rule=WTCRL(a_plus=0.1)
    )
    net.record_spikes("v")
    return net


def test_lists_and_slots_that_are_full_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Simulation(busy(), workers=1)
    expected.run(200.0)
    assert expected._engine.state.past.shape[1] > waiting._AT_FIRST, "there was more in flight"
    room = int(expected.compiled.arrays.projs.room.max())
    assert np.bincount(expected.spikes("v")[1]).min() > 2 * room, "lists were full"
    monkeypatch.setattr(waiting, "_AT_FIRST", 1)
    monkeypatch.setattr(waiting, "_SHORTEST", 1)
    for workers in (1, 2):
        simulation = Simulation(busy(), workers=workers)
        assert simulation.workers == workers
        assert simulation.compiled.arrays.projs.room.max() == 1
        simulation.run(200.0)
        np.testing.assert_array_equal(simulation.spikes("v")[0], expected.spikes("v")[0])
        np.testing.assert_array_equal(simulation.weights("u->v"), expected.weights("u->v"))


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.floats(0.0, 30.0))
def test_recorded_changes_lead_to_the_weights(seed: int, until: float) -> None:
    """Each at its time, though synapses wait elsewhere."""
    net = busy()
    net.seed = seed
    net.record_weight_changes("u->v")
    simulation = Simulation(net)
    start = simulation.weights("u->v").copy()
    simulation.run(until)
    times, synapses, weights = simulation.recording.weight_changes("u->v")
    assume(times.size)
    assert np.all(np.diff(times) >= 0.0)
    start[synapses] = weights
    np.testing.assert_array_equal(start, simulation.weights("u->v"))
