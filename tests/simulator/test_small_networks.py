"""Networks of one to three neurons against what pen and paper say, on both engines."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from encoders import SpikeTimes
from neurons import LIFExp
from plasticity import WTCRL, ExponentialDrift
from simulator import (
    Network,
    Simulation,
    SimulationError,
    SpikeSource,
    all_to_all,
    explicit,
    fixed_probability,
    one_to_one,
)
from simulator.reference import Reference
from tests.simulator.jump_model import Jump
from tests.simulator.support import with_rules

Engine = Callable[[Network], Any]


@pytest.fixture(params=[Reference, Simulation], ids=["readable", "compiled"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.param


def run(engine: Engine, net: Network, until: float) -> Any:
    net.record_spikes(*net.populations)
    simulation = engine(net)
    simulation.run(until)
    return simulation


def state(simulation: Any, population: str, variable: str, index: int = 0) -> float:
    """A state variable at the present time, on either engine."""
    if isinstance(simulation, Simulation):
        return float(simulation.state(population, variable)[index])
    neuron = next(n for n in simulation._neurons if (n.population, n.index) == (population, index))
    neuron.advance(simulation.time)
    return float(getattr(neuron.state, variable)[0])


def alpha_crossing(weight: float, tau: float, v_th: float) -> float:
    """First root of w t / tau exp(-t / tau) = v_th, by bisection on the rising half."""
    lo, hi = 0.0, tau
    for _ in range(200):
        middle = 0.5 * (lo + hi)
        if weight * middle / tau * math.exp(-middle / tau) >= v_th:
            hi = middle
        else:
            lo = middle
    return hi


def test_one_neuron_one_spike(engine: Engine) -> None:
    """Equal time constants: V is the alpha function."""
    net = Network()
    u = net.population("u", 1, SpikeTimes([2.0]))
    v = net.population("v", 1, LIFExp(tau_m=5, tau_exc=5, t_ref=50))
    with_rules(net)
    net.projection(u, v, all_to_all(), weight=4.0, delay=0.75)
    simulation = run(engine, net, 60.0)
    times, _ = simulation.spikes("v")
    np.testing.assert_allclose(times, [2.75 + alpha_crossing(4.0, 5.0, 1.0)], rtol=0, atol=1e-12)
    assert simulation.spikes("u")[0].tolist() == [2.0]


def test_a_constant_current_fires_at_fixed_intervals(engine: Engine) -> None:
    net = Network()
    net.population("v", 1, LIFExp(tau_m=10, bias=1.5, t_ref=2.0))
    with_rules(net)
    times, _ = run(engine, net, 100.0).spikes("v")
    interval = 10 * math.log(1.5 / 0.5)
    expected = interval + (interval + 2.0) * np.arange(len(times))
    assert len(times) == 1 + int((100.0 - interval) / (interval + 2.0))
    np.testing.assert_allclose(times, expected, rtol=0, atol=1e-11)


def test_a_current_of_exactly_threshold_never_fires(engine: Engine) -> None:
    net = Network()
    net.population("v", 1, LIFExp(tau_m=1, tau_exc=2, tau_inh=3, v_th=1.0, bias=1.0))
    with_rules(net)
    assert run(engine, net, 5000.0).spikes("v")[0].size == 0


def test_a_potential_above_threshold_fires_at_once(engine: Engine) -> None:
    net = Network()
    net.population("v", 3, LIFExp(t_ref=1000.0), {"v": [0.5, 1.0, 2.0]})
    with_rules(net)
    times, neurons = run(engine, net, 0.0).spikes("v")
    assert (times.tolist(), neurons.tolist()) == ([0.0, 0.0], [1, 2])


def test_two_deliveries_at_one_instant_are_summed_before_the_threshold(engine: Engine) -> None:
    """+2 and -1.5 arrive together: 0.5 in sum, below threshold, in whichever order they come."""
    for weights in ([2.0, -1.5], [-1.5, 2.0]):
        net = Network()
        u = net.population("u", 2, SpikeTimes([1.0, 1.0], [0, 1]))
        v = net.population("v", 1, Jump(tau_m=4.0))
        with_rules(net)
        net.projection(u, v, explicit([0, 1], [0, 0]), weight=weights, delay=0.5)
        simulation = run(engine, net, 1.5)
        assert simulation.spikes("v")[0].size == 0
        assert state(simulation, "v", "v") == 0.5


def test_a_jump_over_the_threshold_fires_at_the_arrival(engine: Engine) -> None:
    net = Network()
    u = net.population("u", 2, SpikeTimes([1.0, 1.0], [0, 1]))
    v = net.population("v", 2, Jump())
    with_rules(net)
    net.projection(u, v, all_to_all(), weight=[[0.6, 0.4], [0.5, 0.5]], delay=0.25)
    times, neurons = run(engine, net, 9.0).spikes("v")
    assert (times.tolist(), neurons.tolist()) == ([1.25], [0])


def test_the_first_to_cross_inhibits_the_others_at_that_very_instant(engine: Engine) -> None:
    net = Network()
    u = net.population("u", 1, SpikeTimes([1.0]))
    v = net.population("v", 2, LIFExp(tau_m=5, tau_exc=5, tau_inh=2, t_ref=50))
    with_rules(net)
    net.projection(u, v, all_to_all(), weight=[[4.0, 3.999]])
    net.projection(v, v, all_to_all(False), weight=-30.0, port="inhibitory")
    simulation = run(engine, net, 8.0)
    times, neurons = simulation.spikes("v")
    first = 1.0 + alpha_crossing(4.0, 5.0, 1.0)
    assert neurons.tolist() == [0]
    np.testing.assert_allclose(times, [first], rtol=0, atol=1e-12)
    since, dt = 8.0 - first, 7.0
    kernel = 2 / (2 - 5) * (math.exp(-since / 2) - math.exp(-since / 5))
    expected = 3.999 * dt / 5 * math.exp(-dt / 5) - 30.0 * kernel
    assert state(simulation, "v", "v", 1) == pytest.approx(expected, abs=1e-12)
    assert state(simulation, "v", "i_inh", 1) == pytest.approx(
        -30 * math.exp(-since / 2), abs=1e-12
    )
    assert state(simulation, "v", "i_inh", 0) == 0.0


def test_without_the_inhibition_both_would_fire(engine: Engine) -> None:
    net = Network()
    u = net.population("u", 1, SpikeTimes([1.0]))
    v = net.population("v", 2, LIFExp(tau_m=5, tau_exc=5, tau_inh=2, t_ref=50))
    with_rules(net)
    net.projection(u, v, all_to_all(), weight=[[4.0, 3.999]])
    net.projection(v, v, all_to_all(False), weight=-30.0, delay=0.1, port="inhibitory")
    times, neurons = run(engine, net, 8.0).spikes("v")
    assert neurons.tolist() == [0, 1]
    assert times[1] - times[0] == pytest.approx(
        alpha_crossing(3.999, 5.0, 1.0) - alpha_crossing(4.0, 5.0, 1.0), abs=1e-12
    )


def test_exact_ties_fire_together_in_the_order_of_populations_and_neurons(engine: Engine) -> None:
    """Identical neurons, with all-to-all inhibition without delay between them."""
    net = Network()
    v = net.population("v", 2, LIFExp(tau_m=5, tau_exc=5, tau_inh=2, t_ref=50))
    w = net.population("w", 2, LIFExp(tau_m=5, tau_exc=5, tau_inh=2, t_ref=50))
    u = net.population("u", 1, SpikeTimes([1.0]))
    with_rules(net)
    for target in (w, v):
        net.projection(u, target, all_to_all(), weight=4.0)
        for source in (v, w):
            net.projection(source, target, all_to_all(), weight=-30.0, port="inhibitory")
    simulation = run(engine, net, 20.0)
    spikes = [simulation.spikes(name) for name in ("v", "w")]
    assert [neurons.tolist() for _, neurons in spikes] == [[0, 1], [0, 1]]
    assert len({t for times, _ in spikes for t in times}) == 1
    since = 20.0 - spikes[0][0][0]
    assert state(simulation, "w", "i_inh", 1) == pytest.approx(
        -120 * math.exp(-since / 2), abs=1e-11
    )


def test_equal_sums_from_other_rounds_of_an_instant_have_one_order(engine: Engine) -> None:
    """Neuron 1 fires, without delay makes neuron 0 fire, and their spikes arrive together.

    Ties go by neuron, not by who fired first: 0.1, 0.2 and 0.3 are added in this order.
    """
    net = Network()
    u = net.population("u", 1, SpikeTimes([1.0]))
    v = net.population("v", 3, Jump(t_ref=5.0))
    w = net.population("w", 1, Jump(v_th=5.0))
    with_rules(net)
    net.projection(u, v, explicit([0], [2]), weight=2.0)
    net.projection(v, v, explicit([2, 1], [1, 0]), weight=2.0)
    net.projection(v, w, all_to_all(), weight=[[0.1], [0.2], [0.3]], delay=1.0)
    simulation = run(engine, net, 2.0)
    assert simulation.spikes("v")[1].tolist() == [2, 1, 0]
    assert simulation.spikes("v")[0].tolist() == [1.0, 1.0, 1.0]
    assert state(simulation, "w", "v") == (0.1 + 0.2) + 0.3 != (0.3 + 0.2) + 0.1


def test_presynaptic_before_postsynaptic_plasticity(engine: Engine) -> None:
    """Arrival and spike at one instant: the arrival sees no postsynaptic trace and delivers the
    old weight; the spike then sees x = 1."""
    net = Network()
    u = net.population("u", 1, SpikeTimes([3.0, 8.0]))
    v = net.population("v", 1, Jump(v_th=0.1, t_ref=1.0))
    with_rules(net)
    net.projection(u, v, all_to_all(), weight=0.7, rule=WTCRL(a_plus=0.5, a_minus=0.25))
    simulation = run(engine, net, 3.0)
    assert simulation.spikes("v")[0].tolist() == [3.0]
    after_first = 0.7 + 0.5 * (1 - 1.0 - 0.7 + 0.2)
    assert np.ravel(simulation.weights("u->v"))[0] == pytest.approx(after_first, abs=1e-15)
    simulation.run(8.0)
    assert simulation.spikes("v")[0].tolist() == [3.0, 8.0]
    depressed = after_first - 0.25 * (1 - math.exp(-5.0 / 4.3))
    expected = depressed + 0.5 * (1 - 1.0 - depressed + 0.2)
    assert np.ravel(simulation.weights("u->v"))[0] == pytest.approx(expected, abs=1e-15)


def test_a_plastic_synapse_sees_the_spike_when_it_arrives(engine: Engine) -> None:
    """One presynaptic spike, two synapses of different delay onto a neuron that fires at 10 ms."""
    net = Network()
    u = net.population("u", 1, SpikeTimes([7.0]))
    x = net.population("x", 1, SpikeTimes([10.0]))
    v = net.population("v", 2, Jump(t_ref=1.0))
    with_rules(net)
    net.projection(u, v, all_to_all(), [[0.5, 0.5]], [[2.0, 0.5]], rule=WTCRL(a_plus=1.0))
    net.projection(x, v, all_to_all(), weight=5.0)
    simulation = run(engine, net, 20.0)
    near, far = np.ravel(simulation.weights("u->v")).tolist()
    if isinstance(simulation, Reference):  # stored by delay
        near, far = far, near
    assert near == pytest.approx(1.2 - math.exp(-1.0 / 1.3), abs=1e-15)
    assert far == 1.0  # 1.2 - exp(-2.5 / 1.3) is above the bound


def test_current_received_while_refractory_acts_afterwards(engine: Engine) -> None:
    net = Network()
    u = net.population("u", 1, SpikeTimes([1.0, 4.0]))
    v = net.population("v", 1, LIFExp(tau_m=5, tau_exc=5, t_ref=6.0))
    with_rules(net)
    net.projection(u, v, all_to_all(), weight=6.0)
    simulation = run(engine, net, 13.0)
    first = 1.0 + alpha_crossing(6.0, 5.0, 1.0)
    wake = first + 6.0
    current = 6.0 * (math.exp(-(wake - 1.0) / 5) + math.exp(-(wake - 4.0) / 5))
    times, _ = simulation.spikes("v")
    np.testing.assert_allclose(
        times, [first, wake + alpha_crossing(current, 5.0, 1.0)], rtol=0, atol=1e-11
    )


def test_the_potential_rests_at_reset_while_refractory(engine: Engine) -> None:
    net = Network()
    u = net.population("u", 1, SpikeTimes([1.0]))
    v = net.population("v", 1, LIFExp(tau_m=5, tau_exc=5, v_reset=-0.5, t_ref=6.0))
    with_rules(net)
    net.projection(u, v, all_to_all(), weight=4.0)
    simulation = run(engine, net, 5.0)
    assert simulation.spikes("v")[0].size == 1
    assert state(simulation, "v", "v") == -0.5
    assert state(simulation, "v", "i_exc") == pytest.approx(4 * math.exp(-4 / 5), abs=1e-14)


def test_a_drifting_weight_is_the_one_of_the_arrival(engine: Engine) -> None:
    net = Network()
    u = net.population("u", 1, SpikeTimes([2.0]))
    v = net.population("v", 1, Jump(tau_m=4.0, v_th=100.0))
    drift = ExponentialDrift(w_start=-9.0, w_end=-91.0, tau=8.0)
    with_rules(net)
    net.projection(u, v, all_to_all(), weight=0.5, delay=3.0, rule=drift)
    simulation = run(engine, net, 5.0)
    expected = 0.5 * (-91.0 + 82.0 * math.exp(-5.0 / 8.0))
    assert state(simulation, "v", "v") == pytest.approx(expected, rel=1e-15)
    assert np.ravel(simulation.weights("u->v")).tolist() == [0.5]


def test_a_loop_without_delay_is_named(engine: Engine) -> None:
    net = Network()
    u = net.population("u", 1, SpikeTimes([2.5]))
    a = net.population("a", 1, Jump())
    b = net.population("b", 1, Jump())
    with_rules(net)
    net.projection(u, a, one_to_one(), weight=2.0)
    net.projection(a, b, one_to_one(), weight=2.0, name="there")
    net.projection(b, a, one_to_one(), weight=2.0, name="back")
    net.projection(a, a, one_to_one(), weight=0.1, delay=1.0, name="slow")
    with pytest.raises(
        SimulationError, match=r"at 2\.5 ms .*('there' -> 'back'|'back' -> 'there')"
    ):
        run(engine, net, 10.0)


def test_a_loop_without_delay_may_end_by_itself(engine: Engine) -> None:
    net = Network()
    u = net.population("u", 1, SpikeTimes([2.5]))
    ring = net.population("ring", 5, Jump(t_ref=1.0))
    with_rules(net)
    net.projection(u, ring, explicit([0], [0]), weight=2.0)
    net.projection(ring, ring, explicit([0, 1, 2, 3, 4], [1, 2, 3, 4, 0]), weight=2.0)
    times, neurons = run(engine, net, 3.0).spikes("ring")
    assert neurons.tolist() == [0, 1, 2, 3, 4]
    assert times.tolist() == [2.5] * 5


def test_queues_grow_between_two_rounds_of_an_instant() -> None:
    """A chain of neurons fires within one instant, each the presynaptic side of a plastic row."""

    def make() -> Network:
        n = 40
        net = Network()
        u = net.population("u", 1, SpikeTimes([1.0, 3.0, 5.0, 7.0, 9.0]))
        chain = net.population("chain", n, Jump(t_ref=0.5))
        x = net.population("x", 1, SpikeTimes([0.0, 2.0, 4.0, 6.0, 8.0]))
        v = net.population("v", 3, Jump(v_th=50.0, t_ref=0.5))
        with_rules(net)
        net.projection(x, v, all_to_all(), 100.0)
        net.projection(chain, v, all_to_all(), 0.3, rule=WTCRL(a_plus=0.2, a_minus=0.1))
        net.projection(u, chain, explicit([0], [0]), weight=2.0)
        net.projection(chain, chain, explicit(range(n - 1), range(1, n)), weight=2.0)
        # Slow copies of the chain's spikes fill the rings meanwhile.
        for k in range(6):
            net.projection(chain, v, one_to_one_of(n), -0.01, 10.0 + k, name=f"slow{k}")
        return net

    def one_to_one_of(n: int) -> Any:
        return explicit(range(n), [k % 3 for k in range(n)])

    reference, simulation = run(Reference, make(), 30.0), run(Simulation, make(), 30.0)
    np.testing.assert_array_equal(simulation.spikes("v")[0], reference.spikes("v")[0])
    np.testing.assert_array_equal(
        simulation.weights("chain->v").ravel(), reference.weights("chain->v")
    )


def test_a_neuron_that_is_left_alone_is_exact_all_the_same(engine: Engine) -> None:
    """Sparse input and distinct time constants: kept as decaying modes, examined when due.

    V(t) = k w (exp(-t / tau_s) - exp(-t / tau_m)) with tau_s = tau_m / 2, a quadratic in
    exp(-t / tau_m); the gaps are long, so that each spike starts from rest.
    """
    net = Network()
    arrivals = [1.0, 200.0, 1000.0, 100_000.0]
    u = net.population("u", 1, SpikeTimes(arrivals))
    v = net.population("v", 1, LIFExp(tau_m=4.0, tau_exc=2.0, tau_inh=9.0, t_ref=30.0))
    with_rules(net)
    net.projection(u, v, fixed_probability(1.0), weight=6.0)
    times, _ = run(engine, net, 100_030.0).spikes("v")
    # y - y**2 = v_th / (k w) with k = tau_s / (tau_s - tau_m) of the other sign; the first root.
    y = 0.5 + math.sqrt(0.25 - 1.0 / 6.0)
    expected = np.array(arrivals) - 4.0 * math.log(y)
    np.testing.assert_allclose(times, expected, rtol=1e-15, atol=1e-12)


def test_inhibition_keeps_a_neuron_left_alone_from_firing(engine: Engine) -> None:
    """Excitation that would do, a hundredth of a ms after inhibition that forbids it."""
    for inhibition, n_spikes in ((-0.1, 1), (-30.0, 0)):
        net = Network()
        u = net.population("u", 2, SpikeTimes([5.0, 5.01], [1, 0]))
        v = net.population("v", 1, LIFExp(tau_m=4.0, tau_exc=2.0, tau_inh=9.0, t_ref=30.0))
        with_rules(net)
        net.projection(u, v, explicit([0], [0]), weight=6.0)
        net.projection(u, v, explicit([1], [0]), inhibition, port="inhibitory", name="against")
        simulation = run(engine, net, 9.0)
        assert simulation.spikes("v")[0].size == n_spikes
    dt, since = 3.99, 4.0
    exc = 6.0 * (math.exp(-dt / 4) - math.exp(-dt / 2))
    inh = -30.0 * 9 / 5 * (math.exp(-since / 9) - math.exp(-since / 4))
    assert state(simulation, "v", "v") == pytest.approx(exc + inh, rel=1e-12)


class Ticks(SpikeSource):
    """Three spikes at random places of every 2 ms."""

    chunk_ms = 2.0

    def spikes(
        self, chunk: int, size: int, stream: Callable[[int], np.random.Generator]
    ) -> tuple[Any, Any]:
        return np.sort(2.0 * (chunk + stream(chunk).random(3))), np.zeros(3, np.int64)


def test_sources_alone_run_and_go_back_to_an_earlier_chunk() -> None:
    net = Network(seed=2)
    net.population("u", 1, Ticks())
    reference, simulation = run(Reference, net, 20.0), run(Simulation, net, 5.0)
    saved = simulation.save()
    simulation.run(20.0)
    times = reference.spikes("u")[0]
    assert times.size == 30
    np.testing.assert_array_equal(simulation.spikes("u")[0], times)
    simulation.restore(saved)  # which drops what was recorded later
    np.testing.assert_array_equal(simulation.spikes("u")[0], times[times <= 5.0])
    simulation.run(20.0)
    np.testing.assert_array_equal(simulation.spikes("u")[0], times)
