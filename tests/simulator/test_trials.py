"""Trials: inputs that are given as a run goes on, and what is set between two instants."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import Regular, SpikeTimes
from neurons import LIFExp
from plasticity import WTCRL, ExponentialDrift
from simulator import Network, NetworkError, Simulation, SimulationError, all_to_all
from simulator.reference import Reference
from simulator.sources import SpikeSource
from tests.simulator.support import (
    assert_equal_engines,
    assert_same_spikes,
    everything,
    through_a_file,
    with_rules,
)
from tests.simulator.test_calls import TIMES, pair
from tests.strategies import DURATION, NetworkPlan, build, network_plans

Engine = Simulation | Reference
ENGINES: list[type[Engine]] = [Simulation, Reference]
DEEDS = st.lists(
    st.tuples(
        st.one_of(TIMES, st.floats(0.0, DURATION)),
        st.sampled_from(["v", "i_exc", "scattered", "traces", "in flight", "inject"]),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=6,
)


def do(engine: Engine, plan: NetworkPlan, deeds: list[tuple[float, str, int]]) -> None:
    """Have an engine do the deeds, each at its time, if that is not behind it."""

    def make(what: str, n: int) -> Callable[[float], None]:
        name = plan.neurons()[n % len(plan.neurons())]
        source = next(p for p in plan.populations if p.spikes is not None)

        def deed(t: float) -> None:
            if what == "scattered":
                size = engine.network.populations[name].size
                engine.set_state(name, "v", np.linspace(-0.5, 0.9, size))
                engine.set_state(name, "i_exc", 0.1)
            elif what == "inject":
                # Later, so that it cannot be a spike that the source has.
                when = t + 0.0007 * (n + 1) + np.array([0.0, 0.1234567, 2.71828182])
                engine.inject(source.name, when, [n % source.size] * 3)
            elif what in ("traces", "in flight"):
                engine.forget(traces=what == "traces", in_flight=what == "in flight")
            else:
                engine.set_state(name, what, 0.21 * n)  # up to 1.05 thresholds

        return deed

    for k, (t, what, n) in enumerate(deeds):
        engine.at(t + 1e-4 * k, make(what, n))


@settings(max_examples=60)
@given(network_plans(), DEEDS)
def test_both_engines_do_the_same(plan: NetworkPlan, deeds: list[tuple[float, str, int]]) -> None:
    simulation, reference = Simulation(build(plan)), Reference(build(plan))
    for engine in (simulation, reference):
        do(engine, plan, deeds)
        engine.run(DURATION)
    assert_equal_engines(simulation, reference)


@settings(max_examples=30)
@given(network_plans(), DEEDS, st.lists(st.floats(0.0, DURATION), max_size=3))
def test_deeds_do_not_depend_on_how_a_run_is_cut(
    plan: NetworkPlan, deeds: list[tuple[float, str, int]], stops: list[float]
) -> None:
    """Injected spikes that lie ahead are part of a saved state."""
    whole, cut = Simulation(build(plan)), Simulation(build(plan))
    do(whole, plan, deeds)
    do(cut, plan, deeds)
    whole.run(DURATION)
    for stop in sorted(stops):
        cut.run(stop)
        saved, cut = through_a_file(cut.save()), Simulation(build(plan))
        do(cut, plan, deeds)
        cut.restore(saved)
    cut.run(DURATION)
    for name in whole.network.projections:
        np.testing.assert_array_equal(cut.weights(name), whole.weights(name))
    for name in plan.neurons():
        np.testing.assert_array_equal(cut.state(name, "v"), whole.state(name, "v"))


@settings(max_examples=15)
@given(network_plans(), DEEDS)
def test_deeds_do_not_depend_on_the_number_of_workers(
    plan: NetworkPlan, deeds: list[tuple[float, str, int]]
) -> None:
    """Who share the work up to the first of them."""
    one, two = Simulation(build(plan), workers=1), Simulation(build(plan), workers=2)
    for simulation in (one, two):
        do(simulation, plan, deeds)
        simulation.run(DURATION)
    assert_same_spikes(everything(two), everything(one))
    for name in one.network.projections:
        np.testing.assert_array_equal(two.weights(name), one.weights(name))


# -- trials --------------------------------------------------------------------------------------

PERIOD = 31.25  # ms, whose multiples are exact


def layer(source: SpikeSource) -> Network:
    """A layer that learns from 20 inputs and inhibits itself, as in the experiment wtcrl."""
    net = Network(seed=5)
    u = net.population("u", 20, source)
    v = net.population("v", 4, LIFExp(tau_m=10.0, tau_exc=2.8, tau_inh=0.3, v_th=0.8, t_ref=6.0))
    net.projection(u, v, all_to_all(), 0.7, rule=WTCRL())
    drift = ExponentialDrift(w_start=-9.0, w_end=-90.0, tau=200.0)
    net.projection(v, v, all_to_all(False), 1.0, 0.1, port="inhibitory", rule=drift)
    net.record_spikes(u, v)
    return net


@pytest.mark.parametrize("kind", ENGINES)
def test_presentations_are_those_of_a_source_that_knows_them_all(kind: type[Engine]) -> None:
    rng = np.random.default_rng(8)
    latencies = np.where(rng.random((12, 20)) < 0.2, 0.0, rng.uniform(0.0, 12.0, (12, 20)))
    channels = np.arange(20)
    times = PERIOD * np.arange(12)[:, None] + latencies
    whole = kind(layer(SpikeTimes(times.ravel(), np.tile(channels, 12))))
    whole.run(12 * PERIOD)
    shown = kind(layer(SpikeTimes([])))
    for k in range(12):
        shown.trial(PERIOD, {"u": (latencies[k], channels)})
        assert shown.time == (k + 1) * PERIOD
    assert whole.spikes("v")[0].size > 12
    assert shown.spikes("u")[0].size == 240
    # A first spike at the very start of a trial comes in a round of its own: order of ties aside.
    for engine in (whole, shown):
        assert np.all(np.diff(engine.spikes("u")[0]) >= 0.0)
    assert_same_spikes({"v": shown.spikes("v")}, {"v": whole.spikes("v")})
    np.testing.assert_array_equal(shown.weights("u->v"), whole.weights("u->v"))


@pytest.mark.parametrize("kind", ENGINES)
def test_trials_that_begin_alike_end_alike(kind: type[Engine]) -> None:
    """The state of the layer set back, what synapses remember and what travels forgotten."""
    engine, latencies = kind(layer(SpikeTimes([]))), np.linspace(0.1, 8.0, 20)
    first, answers = engine.weights("u->v"), []
    for _ in range(3):
        start = engine.time
        engine.trial(16.0, {"u": (latencies, np.arange(20))})
        times, neurons = engine.spikes("v")
        answers.append((times[times > start] - start, neurons[times > start]))
        for variable in ("v", "i_exc", "i_inh"):
            engine.set_state("v", variable, 0.0)
        engine.forget()
        engine.set_weights("u->v", first)
    assert answers[0][0].size >= 4
    for times, neurons in answers[1:]:
        # Inhibition drifts a little, but acts only behind the first spikes.
        np.testing.assert_allclose(times[0], answers[0][0][0], rtol=0, atol=1e-9)
        assert neurons[0] == answers[0][1][0]


@pytest.mark.parametrize("kind", ENGINES)
def test_injected_spikes_join_those_of_the_source(kind: type[Engine]) -> None:
    net = Network()
    net.population("u", 2, Regular(interval_ms=2.0, phase_ms=1.0))
    net.population("v", 1, LIFExp())
    net.record_spikes("u")
    engine = kind(with_rules(net))
    engine.inject("u", [0.0, 4.0, 3.5], [0, 1, 1])
    engine.run(3.0)
    engine.inject("u", 4.5, 0)
    engine.inject("u", [1e6, 3.25], [0, 0])
    engine.run(5.0)
    times, neurons = engine.spikes("u")
    assert times.tolist() == [0.0, 1.0, 1.0, 3.0, 3.0, 3.25, 3.5, 4.0, 4.5, 5.0, 5.0]
    assert neurons.tolist() == [0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1]


@pytest.mark.parametrize("kind", ENGINES)
def test_a_spike_may_be_injected_at_the_present_time(kind: type[Engine]) -> None:
    """Also by a function that the run calls, and by the last one."""
    net = Network()
    net.population("u", 3, SpikeTimes([2.0, 4.0], [0, 0]))
    net.population("v", 1, LIFExp())
    net.record_spikes("u")
    engine = kind(with_rules(net))
    engine.on_spike("u", lambda t, n: 0 in n and engine.inject("u", t, 1))
    engine.run(4.0)
    engine.inject("u", 4.0, 2)
    engine.run(4.0)
    times, neurons = engine.spikes("u")
    assert times.tolist() == [2.0, 2.0, 4.0, 4.0, 4.0]
    assert neurons.tolist() == [0, 1, 0, 1, 2]


# -- states --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("name", ["v", "w"])
def test_a_state_that_is_set_is_there_and_decays(kind: type[Engine], name: str) -> None:
    engine = kind(pair())
    engine.run(0.5)
    engine.set_state(name, "i_exc", 0.0)
    engine.set_state(name, "v", 0.05)
    size = engine.network.populations[name].size
    np.testing.assert_allclose(engine.state(name, "v"), [0.05] * size, rtol=1e-12)
    engine.run(0.9)
    np.testing.assert_allclose(engine.state(name, "v"), [0.05 * np.exp(-0.4)] * size, rtol=1e-12)
    engine.set_state(name, "v", 0.2)
    got: list[Any] = []
    engine.on_spike(name, lambda t, neurons: got.append((t, neurons.tolist())))
    engine.run(0.95)
    assert got == [(0.9, list(range(size)))], "above threshold: it spikes at once"


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda e: e.inject("v", [2.0], [0]), "'v' is no spike source"),
        (lambda e: e.inject("u", [0.5], [0]), r"'u': 0\.5 ms is in the past; .* at 1\.0 ms"),
        (lambda e: e.inject("u", [nan], [0]), r"inject\(\): .*\[0\] = nan ms"),
        (lambda e: e.inject("u", [2.5], [2]), r"inject\(\): .* names neuron 2"),
        (lambda e: e.inject("u", [2.5, 3.0], [0]), r"times of shape \(2,\) and neurons of shape"),
        (lambda e: e.inject("u", [2.5], [0.5]), "type float64; as many times as integers"),
        (lambda e: e.inject("u", [2.5, 2.5], [1, 1]), r"neuron 1 spikes twice at 2\.5 ms"),
        (lambda e: e.inject("u", [2.0], [0]), r"spike twice at 2\.0 ms, by inject\(\)"),
        (lambda e: [e.inject("u", [9.0], [0]) for _ in "ab"], r"spike twice at 9\.0 ms"),
        (lambda e: e.trial(-1.0, {}), r"trial\(duration=-1\.0\)"),
        (lambda e: e.trial(inf, {}), r"trial\(duration=inf\)"),
        (lambda e: e.set_state("v", "x", 0.0), "'v' has no state variable 'x'"),
        (lambda e: e.set_state("u", "v", 0.0), "'u' has no state variable 'v'; it has none"),
        (lambda e: e.set_state("v", "v", [0.0] * 3), r"v of shape \(3,\); one number, or 2"),
        (lambda e: e.set_state("v", "v", [0.0, nan]), r"v\[1\] = nan; finite numbers"),
    ],
)
def test_what_is_refused_changes_nothing(
    kind: type[Engine], wrong: Callable[[Engine], Any], text: str
) -> None:
    engine, plain = kind(pair()), kind(pair())
    engine.run(1.0)
    with pytest.raises(SimulationError, match=text):
        wrong(engine)
    if "9" not in text:  # the first of two is not refused
        engine.run(10.0)
        plain.run(10.0)
        assert_same_spikes({"v": engine.spikes("v")}, {"v": plain.spikes("v")})


@pytest.mark.parametrize("kind", ENGINES)
def test_a_population_that_is_not_there(kind: type[Engine]) -> None:
    with pytest.raises(NetworkError, match="no population 'x'"):
        kind(pair()).trial(1.0, {"x": ([0.0], [0])})
