"""The compiled engine against the readable one, and against itself however a run is cut up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from encoders import SpikeTimes
from neurons import LIFExp
from plasticity import WTCRL, ExponentialDrift
from simulator import (
    Network,
    Simulation,
    SimulationError,
    all_to_all,
    engine_state,
    fixed_in_degree,
    fixed_probability,
    uniform,
)
from simulator.compile import compile_network
from simulator.distributions import Distribution
from simulator.reference import Reference
from tests.simulator.support import (
    assert_equal_engines,
    assert_same_spikes,
    everything,
    stored_weights,
    through_a_file,
    with_rules,
)
from tests.strategies import DURATION, NetworkPlan, build, network_plans

MODELS = ["LIFExp", "Jump"]


def finished(net: Network, until: float = DURATION) -> Simulation:
    simulation = Simulation(net)
    simulation.run(until)
    return simulation


def balanced(seed: int = 3, delay_scale: float = 1.0) -> Network:
    """Sparse and whole projections, rules on two, several delays; busy for 40 ms."""
    rng = np.random.default_rng(seed)
    net = Network(seed=seed)
    spikes = np.unique(np.stack([rng.integers(0, 400, 150) / 10, rng.integers(0, 10, 150)]), axis=1)
    u = net.population("u", 10, SpikeTimes(spikes[0], spikes[1].astype(int)))
    e = net.population(
        "e", 15, LIFExp(tau_m=10, tau_exc=3, tau_inh=6, t_ref=1, bias=0.3), {"v": uniform(0, 0.9)}
    )
    i = net.population("i", 8, LIFExp(tau_m=8, tau_exc=2, tau_inh=6, bias=1.05))
    delay = uniform(0.2 * delay_scale, 4.0 * delay_scale)
    net.projection(u, e, fixed_probability(0.5), uniform(0.5, 1), delay, rule=WTCRL(a_plus=0.1))
    drift = ExponentialDrift(w_start=-0.2, w_end=-0.6, tau=20.0)
    net.projection(i, i, all_to_all(False), 1.0, delay_scale, port="inhibitory", rule=drift)
    net.projection(e, i, fixed_in_degree(4), 0.6, delay_scale, rule=WTCRL())
    net.projection(i, e, fixed_probability(0.4), -1.0, port="inhibitory")
    net.projection(e, e, fixed_probability(0.2, False), 0.6, uniform(0.1, 3))
    net.projection(u, i, all_to_all(), 0.4, delay_scale)
    net.record_spikes(*net.populations)
    return net


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=150)
@given(data=st.data())
def test_both_engines_give_the_same_spikes_and_weights(model: str, data: st.DataObject) -> None:
    plan = data.draw(network_plans(model))
    reference = Reference(build(plan))
    reference.run(DURATION)
    # Neurons left alone are exact to rounding, which may decide which of two comes first.
    assume(not coincidences_matter(reference))
    simulation = finished(build(plan))
    assert_equal_engines(simulation, reference)


def coincidences_matter(reference: Reference) -> bool:
    """Whether neurons of two populations spike at once, and spikes travel without delay."""
    net = reference.network
    if not any(
        np.min(np.asarray(proj.delay, float), initial=1.0) == 0.0 and not proj.pre.is_source
        for proj in net.projections.values()
        if not isinstance(proj.delay, Distribution)
    ):
        return False
    times = [reference.spikes(p.name)[0] for p in net.populations.values() if not p.is_source]
    return any(
        bool(np.any(np.abs(np.subtract.outer(a, b)) < 1e-9))
        for k, a in enumerate(times)
        for b in times[:k]
    )


@settings(max_examples=100)
@given(network_plans())
def test_without_neurons_left_alone_both_engines_give_the_same_bits(plan: NetworkPlan) -> None:
    networks = [build(plan) for _ in range(2)]
    for net in networks:
        net.left_alone = False
    reference, simulation = Reference(networks[0]), Simulation(networks[1])
    reference.run(DURATION)
    simulation.run(DURATION / 3.0)
    simulation.run(DURATION)
    assert_equal_engines(simulation, reference, ms=0.0, weight=0.0)


def test_a_state_of_neurons_left_alone_is_refused_where_none_is() -> None:
    saved = Simulation(balanced()).save()
    other = balanced()
    other.left_alone = False
    with pytest.raises(SimulationError, match="belongs to another network: neurons left alone"):
        Simulation(other).restore(saved)


def test_the_strategy_reaches_every_kind_of_projection() -> None:
    seen: set[tuple[object, ...]] = set()
    lazy: set[tuple[bool, bool]] = set()

    @settings(max_examples=500, derandomize=True, database=None)
    @given(network_plans())
    def collect(plan: NetworkPlan) -> None:
        arrays = compile_network(build(plan)).arrays
        for row in arrays.projs:
            several = bool(np.isnan(row.delay))
            together = bool(arrays.pops[row.post].together)
            lazy.add((bool(arrays.pops[row.post].lazy), bool(row.learns)))
            seen.add((int(row.kind), several, together, bool(row.learns), bool(row.transmits)))

    collect()
    uniform_kinds = {(0, False, t, False, d) for t in (True, False) for d in (True, False)}
    dense_kinds = {(1, False, t, learns, False) for t in (True, False) for learns in (True, False)}
    sparse_kinds = {(2, several, False, True, False) for several in (True, False)}
    sparse_kinds |= {
        (2, several, False, False, d) for several in (True, False) for d in (True, False)
    }
    assert len(lazy) == 4
    assert seen >= uniform_kinds | dense_kinds | sparse_kinds


def test_a_refractory_neuron_waits_while_others_of_its_population_fire() -> None:
    """The first to fire rests for 6 ms; the others fire and inhibit it before it wakes."""

    def make() -> Network:
        net = Network(seed=1)
        u = net.population("u", 1, SpikeTimes([1.0, 30.0]))
        v = net.population("v", 3, LIFExp(tau_m=5, tau_exc=5, tau_inh=20, t_ref=6.0))
        with_rules(net)
        net.projection(u, v, all_to_all(), weight=[[20.0, 4.0, 3.3]])
        net.projection(v, v, all_to_all(False), weight=-0.1, port="inhibitory")
        net.record_spikes(*net.populations)
        return net

    reference = Reference(make())
    reference.run(60.0)
    assert_equal_engines(finished(make(), 60.0), reference)


def test_balanced_network_is_busy_and_agrees() -> None:
    reference = Reference(balanced())
    reference.run(40.0)
    simulation = finished(balanced(), 40.0)
    spikes = everything(simulation)
    assert len(spikes["e"][0]) > 50
    assert len(spikes["i"][0]) > 50
    assert_equal_engines(simulation, reference)


@settings(max_examples=30)
@given(network_plans(), st.lists(st.floats(0.0, DURATION), max_size=8))
def test_a_run_in_pieces_is_the_same_run(plan: NetworkPlan, stops: list[float]) -> None:
    whole, pieces = finished(build(plan)), Simulation(build(plan))
    for stop in sorted(stops):
        pieces.run(stop)
        assert pieces.time == stop
    pieces.run(DURATION)
    assert_same_spikes(everything(pieces), everything(whole))
    for name in plan.projections:
        np.testing.assert_array_equal(pieces.weights(name.name), whole.weights(name.name))
    assert pieces.deliveries == whole.deliveries


@settings(max_examples=30)
@given(network_plans(), st.floats(0.0, DURATION), st.booleans())
def test_a_restored_run_goes_on_bit_for_bit(
    plan: NetworkPlan, stop: float, on_the_grid: bool
) -> None:
    stop = round(2.0 * stop) / 2.0 if on_the_grid else stop
    whole, first, second = finished(build(plan)), Simulation(build(plan)), Simulation(build(plan))
    first.run(stop)
    second.restore(through_a_file(first.save()))
    assert second.time == stop
    second.run(DURATION)
    before, after = everything(first), everything(second)
    joined = {
        name: tuple(np.concatenate([before[name][k], after[name][k]]) for k in range(2))
        for name in before
    }
    assert_same_spikes(joined, everything(whole))
    for proj in plan.projections:
        np.testing.assert_array_equal(second.weights(proj.name), whole.weights(proj.name))


def test_a_simulation_goes_back_to_a_saved_state() -> None:
    simulation = Simulation(balanced())
    simulation.run(15.0)
    saved = simulation.save()
    untouched = {name: array.copy() for name, array in saved.items()}
    simulation.run(40.0)
    states = [simulation.state("e", "v"), simulation.weights("u->e")]
    simulation.restore(saved)
    assert simulation.time == 15.0
    simulation.run(40.0)
    np.testing.assert_array_equal(simulation.state("e", "v"), states[0])
    np.testing.assert_array_equal(simulation.weights("u->e"), states[1])
    for name, array in untouched.items():
        np.testing.assert_array_equal(saved[name], array, err_msg=name)


def test_recorders_and_reading_disturb_nothing() -> None:
    bare = balanced()
    bare.recorders.spikes = {"e"}
    expected = finished(bare, 40.0).spikes("e")
    net = balanced()
    times = np.arange(0.0, 40.0, 0.7)
    net.record_state("e", ["v", "i_exc"], times)
    net.record_state("i", ["v"], [1.0, 39.0])
    net.record_weights("u->e", times[::5])
    simulation = Simulation(net)
    for until in (3.0, 17.1, 40.0):
        simulation.run(until)
        simulation.state("i", "v")
        simulation.weights("u->e")
        simulation.save()
    np.testing.assert_array_equal(simulation.spikes("e")[0], expected[0])
    np.testing.assert_array_equal(simulation.spikes("e")[1], expected[1])
    sampled, values = simulation.recording.states("e")
    np.testing.assert_array_equal(sampled, times)
    assert values["v"].shape == (times.size, 15)
    assert simulation.recording.weights("u->e")[1].shape[0] == times[::5].size
    # A sample is the state that a run which stops there would show.
    short = finished(balanced(), float(times[20]))
    np.testing.assert_array_equal(values["v"][20], short.state("e", "v"))


@settings(max_examples=25)
@given(network_plans())
def test_the_order_of_description_does_not_matter(plan: NetworkPlan) -> None:
    """Populations and projections in another order: the same spikes by name.

    Sums of simultaneous weights are rounded in another order, hence the tolerance; exact ties
    between neurons, which the order of populations decides by contract, are scattered.
    """
    scattered = tuple(replace(p, scattered=p.spikes is None) for p in plan.populations)
    plan = replace(plan, populations=scattered)
    # The two rules come first, so that the order in which rules are met stays the same.
    head, tail = plan.projections[:2], plan.projections[2:]
    other = replace(
        plan,
        populations=tuple(reversed(plan.populations)),
        projections=(*head, *reversed(tail)),
    )
    a, b = everything(finished(build(plan))), everything(finished(build(other)))
    for name in a:
        by_neuron = [s[name][0][np.lexsort((s[name][0], s[name][1]))] for s in (a, b)]
        assume(np.unique(a[name][0]).size == a[name][0].size or name.startswith("u"))
        np.testing.assert_allclose(by_neuron[0], by_neuron[1], rtol=0, atol=1e-9, err_msg=name)


def test_an_idle_population_changes_nothing() -> None:
    expected = everything(finished(balanced(), 40.0))
    net = balanced()
    extra = net.population("extra", 3, LIFExp(bias=1.5))
    net.projection("u", extra, fixed_probability(0.5), uniform(0, 1))
    simulation = finished(net, 40.0)
    assert_same_spikes({name: simulation.spikes(name) for name in expected}, expected)


def test_queues_grow_while_thousands_of_spikes_are_in_flight() -> None:
    """Delays of up to 40 ms hold every spike of the run in the air."""
    reference = Reference(balanced(delay_scale=10.0))
    reference.run(60.0)
    simulation = Simulation(balanced(delay_scale=10.0))
    rings, flights = (getattr(simulation._engine.state, name).size for name in ("rings", "flights"))
    simulation.run(25.0)
    middle = through_a_file(simulation.save())
    simulation.run(60.0)
    assert simulation._engine.state.rings.size > rings
    assert simulation._engine.state.flights.size > flights
    assert_equal_engines(simulation, reference)
    fresh = Simulation(balanced(delay_scale=10.0))  # its queues are still small
    fresh.restore(middle)
    fresh.run(60.0)
    for name in fresh.network.projections:
        np.testing.assert_array_equal(
            stored_weights(fresh, name), stored_weights(simulation, name), err_msg=name
        )


def test_the_spike_buffer_is_emptied_whenever_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = everything(finished(balanced(), 40.0))
    monkeypatch.setattr(engine_state, "_OUTPUT", 1)
    simulation = Simulation(balanced())
    assert simulation._engine.state.output.size < sum(len(t) for t, _ in expected.values())
    simulation.run(40.0)
    assert_same_spikes(everything(simulation), expected)


def test_a_sink_gets_the_spikes_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = everything(finished(balanced(), 40.0))
    monkeypatch.setattr(engine_state, "_OUTPUT", 1)
    simulation = Simulation(balanced())
    pieces: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in expected}
    simulation.recording.sink = lambda name, times, ids: pieces[name].append((times, ids))
    simulation.run(40.0)
    assert len(pieces["e"]) > 1
    joined = {
        name: (np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]))
        for name, parts in pieces.items()
    }
    assert_same_spikes(joined, expected)
    assert simulation.spikes("e")[0].size == 0


def test_plasticity_switched_off_leaves_the_weights() -> None:
    simulation = Simulation(balanced())
    start = simulation.weights("u->e")
    simulation.set_learning("u->e", False)
    simulation.run(20.0)
    np.testing.assert_array_equal(simulation.weights("u->e"), start)
    simulation.set_learning("u->e", True)
    simulation.run(40.0)
    assert np.any(simulation.weights("u->e") != start)
