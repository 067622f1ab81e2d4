"""Private Poisson inputs: what a target draws for itself is what the source would hand out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from encoders import Poisson
from neurons import LIFDelta, LIFExp
from simulator import (
    Network,
    NetworkError,
    NeuronModel,
    Simulation,
    SimulationError,
    all_to_all,
    fixed_probability,
    one_to_one,
)
from simulator.reference import Reference
from simulator.sources import open_sources
from tests.simulator.support import assert_equal_engines

N = 24
MODELS = {
    "delta": LIFDelta(tau_m=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0),
    "exp": LIFExp(tau_m=10.0, tau_exc=3.0, tau_inh=6.0, v_th=3.0, t_ref=1.0),
}


def network(model: NeuronModel, weight: float = 0.6, source: Poisson | None = None) -> Network:
    net = Network(seed=5)
    cells = net.population("cells", N, model)
    free = net.population("free", 3, type(model)(bias=1.5))  # advanced without any input
    noise = net.population("noise", N, source or Poisson(np.linspace(0.0, 6000.0, N)))
    net.projection(noise, cells, one_to_one(), weight, 1.5)
    strong = net.population("strong", N, Poisson(300.0))
    net.projection(strong, cells, one_to_one(), 4.0, 0.0, port=model.ports[0], name="second")
    net.projection(cells, cells, fixed_probability(0.3), 0.4, 0.7)
    net.record_spikes(cells, free)
    return net


def recorded(net: Network) -> Network:
    net.record_spikes("noise", "strong")
    return net


def result(simulation: Simulation | Reference) -> list[npt.NDArray[np.float64]]:
    return [simulation.spikes("cells")[0], simulation.state("cells", "v")]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    ("weight", "rates", "times"),
    [
        (0.6, np.linspace(0.0, 6000.0, N), None),
        (-0.3, 2000.0, None),
        (0.9, [0.0, 5000.0, 500.0], [10.0, 40.25, 90.5]),
    ],
)
def test_it_is_the_network_with_its_source(
    name: str, weight: float, rates: npt.ArrayLike, times: list[float] | None
) -> None:
    make = lambda: recorded(network(MODELS[name], weight, Poisson(rates, times)))  # noqa: E731
    compiled, readable = Simulation(make()), Reference(make())
    assert compiled.compiled.drawn_alone == {"noise"}
    compiled.run(160.0)
    readable.run(160.0)
    assert_equal_engines(compiled, readable)
    assert compiled.spikes("cells")[0].size > 20
    for variable in MODELS[name].state:
        np.testing.assert_allclose(
            compiled.state("cells", variable), readable.state("cells", variable), atol=1e-10
        )


def test_an_inhibitory_input_on_its_own_port() -> None:
    def make() -> Network:
        net = Network(seed=8)
        cells = net.population("cells", N, LIFExp(tau_exc=2.0, tau_inh=7.0, v_th=1.0, bias=2.2))
        noise = net.population("noise", N, Poisson(3000.0))
        net.projection(noise, cells, one_to_one(), -0.05, 0.3, port="inhibitory")
        net.projection(cells, cells, fixed_probability(0.2), 0.2, 1.0)
        net.record_spikes(cells, noise)
        return net

    compiled, readable = Simulation(make()), Reference(make())
    compiled.run(200.0)
    readable.run(200.0)
    assert_equal_engines(compiled, readable)
    assert compiled.spikes("cells")[0].size > 20


def test_recording_cutting_and_restoring_change_no_bit() -> None:
    whole = Simulation(network(MODELS["delta"]))
    whole.run(150.0)
    seen = Simulation(recorded(network(MODELS["delta"])))
    for t in (0.0, 0.3, 33.3, 33.3, 80.0, 150.0):
        seen.run(t)
        seen.state("cells", "v")
    restored = Simulation(recorded(network(MODELS["delta"])))
    first = Simulation(network(MODELS["delta"]))
    first.run(61.7)
    restored.restore(first.save())
    restored.run(150.0)
    shared = Simulation(recorded(network(MODELS["delta"])), workers=3)
    for t in (20.0, 75.0, 150.0):
        shared.run(t)
        shared.state("cells", "v")
    for other in (seen, shared):
        for mine, theirs in zip(result(whole), result(other), strict=True):
            np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(shared.spikes("noise")[0], seen.spikes("noise")[0])
    assert shared.deliveries == seen.deliveries
    times, neurons = whole.spikes("cells")
    np.testing.assert_array_equal(restored.spikes("cells")[0], times[times > 61.7])
    np.testing.assert_array_equal(restored.spikes("cells")[1], neurons[times > 61.7])
    np.testing.assert_array_equal(restored.state("cells", "v"), whole.state("cells", "v"))
    noise = seen.spikes("noise")[0]
    np.testing.assert_array_equal(restored.spikes("noise")[0], noise[noise > 61.7])


def test_going_back_records_the_spikes_of_the_source_again() -> None:
    simulation = Simulation(recorded(network(MODELS["delta"])))
    simulation.run(20.0)
    saved = simulation.save()
    simulation.run(60.0)
    times, neurons = simulation.spikes("noise")
    simulation.restore(saved)
    assert simulation.spikes("noise")[0].max() <= 20.0
    simulation.run(60.0)
    np.testing.assert_array_equal(simulation.spikes("noise")[0], times)
    np.testing.assert_array_equal(simulation.spikes("noise")[1], neurons)


def test_the_recorded_spikes_are_those_of_the_source() -> None:
    net = recorded(network(MODELS["delta"]))
    simulation = Simulation(net)
    simulation.run(100.0)
    lows = simulation.compiled.arrays.pops.lo.tolist()
    times, _, end = open_sources(net, lows, {"noise"}).next_piece(0.0)
    until = min(end, 100.0)
    mine = simulation.spikes("noise")[0]
    np.testing.assert_array_equal(mine[mine < until], times[times < until])


def test_a_source_that_drives_others_too_is_handed_out_to_them() -> None:
    def make() -> Network:
        net = network(MODELS["delta"])
        other = net.population("other", 2, LIFDelta(v_th=8.0))
        net.projection("noise", other, all_to_all(), 0.1, 0.2)
        net.record_spikes(*net.populations)
        return net

    compiled, readable = Simulation(make()), Reference(make())
    assert compiled.compiled.drawn_alone == frozenset()
    assert (compiled.compiled.arrays.pops.input >= 0).sum() == 1
    compiled.run(100.0)
    readable.run(100.0)
    assert_equal_engines(compiled, readable)


@pytest.mark.parametrize("name", MODELS)
def test_trials_begin_alike(name: str) -> None:
    compiled = Simulation(recorded(network(MODELS[name])))
    readable = Reference(recorded(network(MODELS[name])))
    for engine in (compiled, readable):
        for t in (40.0, 80.5, 120.0):
            engine.run(t)
            engine.set_state("cells", "v", 0.25 * t)
            engine.forget()
    assert_equal_engines(compiled, readable)
    assert compiled.spikes("cells")[0].size > 20
    with pytest.raises(SimulationError, match="'noise': its spikes are drawn by their targets"):
        compiled.inject("noise", [130.0], [0])


def test_the_weight_of_a_private_input_stays() -> None:
    net = Network()
    cell = net.population("cell", 1, LIFDelta())
    net.projection(net.population("noise", 1, Poisson(100.0)), cell, one_to_one(), 0.1)
    simulation = Simulation(net)
    assert simulation.compiled.drawn_alone == {"noise"}
    with pytest.raises(SimulationError, match=r"one weight for all .* describe it with an array"):
        simulation.set_weights("noise->cell", [0.2])


def test_nobody_can_record_arrivals_that_the_loop_does_not_see() -> None:
    net = network(MODELS["delta"])
    net.record_events("cells", ["v"], [0])
    with pytest.raises(NetworkError, match="draw the spikes of 'noise' for themselves"):
        Simulation(net)


def test_nobody_can_wait_for_spikes_that_the_loop_does_not_see() -> None:
    simulation = Simulation(network(MODELS["delta"]))
    with pytest.raises(SimulationError, match="'noise' are drawn by their targets"):
        simulation.on_spike("noise", lambda *_: None)
