"""Rates of a Poisson source that are set as a run goes on."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import Poisson, SpikeTimes
from neurons import LIFDelta, LIFExp
from simulator import Network, Simulation, SimulationError, all_to_all, one_to_one
from simulator.reference import Reference
from tests.simulator.support import (
    assert_equal_engines,
    assert_same_spikes,
    everything,
    through_a_file,
    with_rules,
)
from tests.simulator.test_trials import ENGINES, Engine, layer

DURATION = 120.0
DEEDS = st.lists(
    st.tuples(
        st.one_of(st.sampled_from([0.0, 31.25, 64.0, 100.0]), st.floats(0.0, DURATION)),
        st.sampled_from([0.0, 40.0, 400.0]),
        st.sampled_from([0.5, 20.0, math.inf]),
    ),
    min_size=1,
    max_size=5,
)
Deed = tuple[float, float, float]


def do(engine: Engine, deeds: list[Deed]) -> None:
    """Have an engine set rates at given times, unequal ones."""

    def make(k: int, rate: float, duration: float) -> Callable[[float], None]:
        rates = rate * (np.arange(20) + k) % 700.0
        return lambda t: engine.set_rates("u", rates, duration)

    for k, (t, rate, duration) in enumerate(deeds):
        engine.at(t, make(k, rate, duration))


@settings(max_examples=12)
@given(DEEDS)
def test_both_engines_hear_the_same(deeds: list[Deed]) -> None:
    simulation, reference = Simulation(layer(Poisson(60.0))), Reference(layer(Poisson(60.0)))
    for engine in (simulation, reference):
        do(engine, deeds)
        engine.run(DURATION)
    assert_equal_engines(simulation, reference)


@settings(max_examples=20)
@given(DEEDS, st.lists(st.floats(0.0, DURATION), max_size=4))
def test_it_does_not_matter_how_a_run_is_cut(deeds: list[Deed], stops: list[float]) -> None:
    """Rates that were set are part of a saved state."""
    whole, cut = Simulation(layer(Poisson(60.0))), Simulation(layer(Poisson(60.0)))
    do(whole, deeds)
    do(cut, deeds)
    whole.run(DURATION)
    spikes = []
    for stop in [*sorted(stops), DURATION]:
        start = cut.time
        cut.run(stop)
        times, neurons = cut.spikes("u")
        new = times > start if spikes else times >= 0.0
        spikes.append((times[new], neurons[new]))
        saved, cut = through_a_file(cut.save()), Simulation(layer(Poisson(60.0)))
        do(cut, deeds)
        cut.restore(saved)
    times, neurons = (np.concatenate([piece[k] for piece in spikes]) for k in range(2))
    assert_same_spikes({"u": (times, neurons)}, {"u": whole.spikes("u")})
    np.testing.assert_array_equal(cut.weights("u->v"), whole.weights("u->v"))


def test_a_run_that_goes_back_before_it_has_the_rates_of_then() -> None:
    simulation = Simulation(layer(Poisson(60.0)))
    simulation.run(20.0)
    before = simulation.save()
    simulation.run(100.0)
    expected = everything(simulation)
    simulation.restore(before)
    simulation.set_rates("u", 500.0)
    simulation.run(50.0)
    later = simulation.save()
    simulation.run(100.0)
    other = everything(simulation)
    assert other["u"][0].size > 2 * expected["u"][0].size
    simulation.restore(before)
    simulation.run(100.0)
    assert_same_spikes(everything(simulation), expected)
    simulation.restore(later)
    simulation.run(100.0)
    assert_same_spikes(
        {"u": tuple(part[simulation.spikes("u")[0] > 50.0] for part in simulation.spikes("u"))},
        {"u": tuple(part[other["u"][0] > 50.0] for part in other["u"])},
    )


def test_the_number_of_workers_does_not_matter() -> None:
    one, two = (Simulation(layer(Poisson(200.0)), workers=n) for n in (1, 2))
    for simulation in (one, two):
        simulation.run(40.0)
        simulation.set_rates("u", 30.0, 50.0)
        simulation.run(120.0)
    assert_same_spikes(everything(two), everything(one))


def sources(rate_hz: float) -> Network:
    net = Network(seed=3)
    net.population("u", 4, Poisson(rate_hz))
    net.population("other", 3, Poisson(90.0))
    net.population("v", 1, LIFExp())
    net.record_spikes("u", "other")
    return with_rules(net)


@pytest.mark.parametrize("kind", ENGINES)
def test_rates_hold_for_as_long_as_is_said(kind: type[Engine]) -> None:
    engine = kind(sources(0.0))
    engine.run(100.0)
    assert engine.spikes("u")[0].size == 0
    engine.set_rates("u", [0.0, 1000.0, 0.0, 2000.0], 200.0)
    engine.run(500.0)
    times, neurons = engine.spikes("u")
    assert set(neurons.tolist()) == {1, 3}
    assert times.min() > 100.0
    assert times.max() < 300.0
    for i, mean in ((1, 200.0), (3, 400.0)):
        assert abs(np.count_nonzero(neurons == i) - mean) < 5.0 * math.sqrt(mean)
    engine.set_rates("u", 1000.0)
    engine.run(1000.0)
    assert np.count_nonzero(engine.spikes("u")[0] > 500.0) == pytest.approx(2000.0, abs=230.0)


@pytest.mark.parametrize("kind", ENGINES)
def test_other_sources_go_on_as_they_were(kind: type[Engine]) -> None:
    alone, beside = kind(sources(0.0)), kind(sources(0.0))
    alone.run(400.0)
    for k in range(20):
        beside.set_rates("u", 50.0 * k, 15.0)
        beside.run(20.0 * (k + 1))
    assert beside.spikes("u")[0].size > 100
    assert_same_spikes({"o": beside.spikes("other")}, {"o": alone.spikes("other")})


def test_presentations_are_independent() -> None:
    """The same rates again are other spikes, Poisson ones: variance and mean are alike."""
    engine = Simulation(sources(0.0))
    for k in range(300):
        engine.set_rates("u", 100.0, 50.0)
        engine.run(50.0 * (k + 1))
    times, _ = engine.spikes("u")
    counts = np.bincount((times // 50.0).astype(int), minlength=300)
    assert abs(counts.mean() - 20.0) < 5.0 * math.sqrt(20.0 / 300)
    assert 0.7 < counts.var() / counts.mean() < 1.35
    assert abs(np.corrcoef(counts[:-1], counts[1:])[0, 1]) < 5.0 / math.sqrt(300)


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize(
    ("population", "rates", "duration", "text"),
    [
        ("v", 1.0, 1.0, "LIFExp has no rates; describe the population with Poisson"),
        ("times", 1.0, 1.0, "SpikeTimes has no rates"),
        ("u", [1.0, 2.0], 1.0, r"rates of shape \(2,\); one, or one for each of the 3 neurons"),
        ("u", [1.0, -2.0, 0.0], 1.0, r"rate \[1\] = -2.0 Hz; rates must be finite and >= 0"),
        ("u", math.nan, 1.0, r"rate \[0\] = nan Hz"),
        ("u", 1.0, 0.0, "duration = 0.0; a time in ms > 0 is needed"),
        ("u", 1.0, math.nan, "duration = nan"),
    ],
)
def test_what_makes_no_sense_is_refused(
    kind: type[Engine], population: str, rates: object, duration: float, text: str
) -> None:
    net = Network()
    net.population("u", 3, Poisson(5.0))
    net.population("times", 1, SpikeTimes([]))
    net.population("v", 1, LIFExp())
    engine = kind(net)
    with pytest.raises(SimulationError, match=f"set_rates\\(\\) of '{population}': {text}"):
        engine.set_rates(population, rates, duration)  # type: ignore[arg-type]


def test_a_source_that_its_targets_draw_is_refused() -> None:
    net = Network()
    u = net.population("u", 3, Poisson(5.0))
    net.projection(u, net.population("v", 3, LIFDelta()), one_to_one(), 0.1)
    with pytest.raises(SimulationError, match=r"explicit\(range\(n\), range\(n\)\) instead"):
        Simulation(net, workers=1).set_rates("u", 7.0)


def test_the_description_stays_as_it_was() -> None:
    net = layer(Poisson(60.0))
    first = Simulation(net)
    first.set_rates("u", 0.0)
    first.run(50.0)
    second = Simulation(net)
    second.run(50.0)
    assert first.spikes("u")[0].size == 0
    assert second.spikes("u")[0].size > 20
    assert net.projections["u->v"].connector.name == all_to_all().name
