"""Options of models: threshold noise, a current that is switched, input lost while refractory."""

from __future__ import annotations

from math import exp, inf, log, sqrt
from typing import Any

import numpy as np
import pytest
from numba import njit

from encoders import Poisson, SpikeTimes
from neurons import (
    SRM,
    AdaptiveLIFExp,
    AdEx,
    Izhikevich,
    LIFAlpha,
    LIFCond,
    LIFDelta,
    LIFExp,
    current_port,
    noisy_threshold,
    refractory_loss,
)
from neurons._normal import normal, threefry
from simulator import (
    ModelError,
    Network,
    NetworkError,
    Simulation,
    SimulationError,
    all_to_all,
    explicit,
    fixed_probability,
    uniform,
)
from simulator.model import NeuronModel
from simulator.reference import Reference
from simulator.seeds import neuron_keys
from tests.neurons.support import neuron, uncompiled

# -- the random numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "count", "words"),
    [  # the known answers of the authors' library for 20 rounds
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_gives_the_published_words(
    key: tuple[int, int], count: tuple[int, int], words: tuple[int, int]
) -> None:
    assert threefry(*key, *count) == words


def test_normal_numbers_are_normal_and_the_same_compiled() -> None:
    fill = njit(lambda key, n: np.array([normal(key, float(k)) for k in range(n)]))
    x = fill(2.0**52 - 1.0, 100_000)
    assert x[:200].tolist() == [normal(2.0**52 - 1.0, float(k)) for k in range(200)]
    for moment, expected, spread in ((1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)):
        assert abs((x**moment).mean() - expected) < 5.0 * sqrt(spread / x.size)
    other = fill(2.0**52 - 2.0, 100_000)
    assert abs(np.corrcoef(x, other)[0, 1]) < 5.0 / sqrt(x.size)
    assert abs(np.corrcoef(x[1:], x[:-1])[0, 1]) < 5.0 / sqrt(x.size)


def test_a_population_keeps_its_keys_whatever_else_there_is() -> None:
    keys = neuron_keys(3, "cells", 50)
    assert np.unique(keys).size == 50
    assert (keys == np.floor(keys)).all()
    np.testing.assert_array_equal(neuron_keys(3, "cells", 20), keys[:20])
    assert not np.isin(neuron_keys(4, "cells", 50), keys).any()
    assert not np.isin(neuron_keys(3, "others", 50), keys).any()


# -- threshold noise -------------------------------------------------------------------------------


def test_every_interval_has_the_threshold_that_was_drawn() -> None:
    net = Network(seed=8)
    model = noisy_threshold(LIFDelta)(tau_m=10.0, bias=2.0, theta_noise=0.2)
    net.population("cells", 2, model)
    net.record_spikes("cells")
    engine = Reference(net)
    engine.run(200.0)
    times, neurons = engine.spikes("cells")
    for j, key in enumerate(neuron_keys(8, "cells", 2)):
        intervals = np.diff(times[neurons == j], prepend=0.0)
        assert intervals.size > 20
        thresholds = [1.0 + 0.2 * normal(key, float(k)) for k in range(intervals.size)]
        assert min(thresholds) > 0.0
        assert max(thresholds) < 2.0
        expected = [10.0 * log(2.0 / (2.0 - threshold)) for threshold in thresholds]
        np.testing.assert_allclose(intervals, expected, rtol=0.0, atol=1e-12)


def test_a_draw_stays_within_the_range_of_the_model() -> None:
    model = noisy_threshold(LIFExp)(v_th=1.0, v_reset=0.5, theta_noise=100.0)
    n, p = neuron(model), model.parameters
    model.start(n, 0, p, 12345.0)
    seen = set()
    for _ in range(50):
        model.fire(n, 0, p)
        assert n.shift[0] >= -0.4995
        seen.add(n.shift[0] == pytest.approx(-0.4995))
    assert seen == {True, False}
    adex = noisy_threshold(AdEx)(theta_noise=1e6)
    n = neuron(adex)
    for key in range(20):
        adex.start(n, 0, adex.parameters, float(key))
        v_t = adex.parameters.v_t + n.shift[0]
        assert v_t < adex.parameters.v_peak < v_t + 600.0 * adex.parameters.delta


def test_without_noise_the_threshold_stays() -> None:
    for base in (LIFExp, SRM, Izhikevich):
        model = noisy_threshold(base)()
        n = neuron(model)
        model.start(n, 0, model.parameters, 5.0)
        model.fire(n, 0, model.parameters)
        assert n.shift[0] == 0.0


def test_options_are_refused_or_named_as_models_are() -> None:
    with pytest.raises(ModelError, match=r"NoisyLIFExp: theta_noise = -0\.1 mV"):
        noisy_threshold(LIFExp)(theta_noise=-0.1)
    with pytest.raises(ModelError, match=r"NoisyLIFExp: tau_m = 0\.0 ms"):
        noisy_threshold(LIFExp)(tau_m=0.0)
    with pytest.raises(ModelError, match="SRM: refractory_loss"):
        refractory_loss(SRM)
    assert noisy_threshold(LIFExp) is noisy_threshold(LIFExp)
    assert issubclass(current_port(LIFExp), LIFExp)


# -- a current that is switched --------------------------------------------------------------------


def test_the_potential_follows_a_switched_current_exactly() -> None:
    """V relaxes to 0.5, then to 0.8, then to 0.2 with an exponential current on top."""
    net = Network()
    steps = net.population("steps", 2, SpikeTimes([10.0, 25.0], [0, 1]))
    source = net.population("in", 1, SpikeTimes([12.0]))
    model = current_port(LIFExp)(tau_m=8.0, tau_exc=3.0, bias=0.5)
    weights = {"lazy": [0.3, -0.6], "together": [[0.3], [-0.6]]}
    for name, connector in (("lazy", fixed_probability(1.0)), ("together", all_to_all())):
        cells = net.population(name, 1, model)
        net.projection(steps, cells, connector, weight=weights[name], port="current")
        net.projection(source, cells, connector, weight=0.7)
    simulation = uncompiled(net)
    assert simulation.compiled.arrays.pops.lazy.tolist() == [0, 0, 1, 0]
    for t in (5.0, 10.0, 20.0, 25.0, 40.0):
        simulation.run(t)
        v, a = 0.5 * -np.expm1(-t / 8.0), 3.0 / (3.0 - 8.0)
        if t > 10.0:
            v += 0.3 * -np.expm1(-(t - 10.0) / 8.0)
            v += 0.7 * a * (exp(-(t - 12.0) / 3.0) - exp(-(t - 12.0) / 8.0))
        if t > 25.0:
            v -= 0.6 * -np.expm1(-(t - 25.0) / 8.0)
        for name in ("lazy", "together"):
            assert simulation.state(name, "v")[0] == pytest.approx(v, rel=1e-13)
    assert simulation.state("lazy", "current")[0] == pytest.approx(-0.3, rel=1e-15)


@pytest.mark.parametrize("base", [LIFAlpha, LIFCond, AdEx, Izhikevich, SRM])
def test_a_switched_current_is_a_bias(base: type[NeuronModel]) -> None:
    """From time 0 on: the same crossing as with a bias of that size."""
    size = {AdEx: 900.0, LIFCond: 20.0, Izhikevich: 9.0}.get(base, 1.4)
    plain, switched = base(bias=size), current_port(base)()
    n, p = neuron(switched), switched.parameters
    assert switched.crossing(n, 0, p) == inf
    switched.receive(n, 0, p, len(base.ports), size)
    expected = plain.crossing(neuron(plain), 0, plain.parameters)
    assert 0.0 < expected < 100.0
    assert switched.crossing(n, 0, p) == expected
    assert switched.may_cross(n, 0, p, 1.01 * expected)
    switched.advance(n, 0, p, switched.factors(p, 1.0))
    other = neuron(plain)
    plain.advance(other, 0, plain.parameters, plain.factors(plain.parameters, 1.0))
    assert n.v[0] == other.v[0]


# -- input lost while refractory -------------------------------------------------------------------


def spikes_with_inputs(model: NeuronModel, inputs: list[float], sparse: bool) -> Simulation:
    net = Network()
    source = net.population("in", 1, SpikeTimes(inputs))
    cells = net.population("cells", 1, model)
    net.projection(source, cells, fixed_probability(1.0) if sparse else all_to_all(), weight=0.5)
    net.record_spikes(cells)
    simulation = uncompiled(net)
    simulation.run(8.0)
    return simulation


@pytest.mark.parametrize("sparse", [True, False])
def test_what_arrives_while_refractory_is_lost_and_what_was_there_goes_on(sparse: bool) -> None:
    """It fires between 3 and 6 ms and rests for 4 ms: 7 ms falls into that, 12 ms does not."""
    p = {"tau_m": 8.0, "tau_exc": 3.0, "bias": 2.0, "t_ref": 4.0}
    times = {}
    for name, model in (("lost", refractory_loss(LIFExp)(**p)), ("heard", LIFExp(**p))):
        with_it = spikes_with_inputs(model, [3.0, 7.0, 12.0], sparse)
        without = spikes_with_inputs(model, [3.0, 12.0], sparse)
        current = 0.5 * exp(-5.0 / 3.0) + (0.5 * exp(-1.0 / 3.0) if name == "heard" else 0.0)
        assert with_it.state("cells", "i_exc")[0] == pytest.approx(current, rel=1e-14)
        for simulation in (with_it, without):
            simulation.run(40.0)
        times[name] = [s.spikes("cells")[0] for s in (with_it, without)]
        assert 3.0 < times[name][0][0] < 6.0
        assert times[name][0].size > 3
    np.testing.assert_allclose(times["lost"][0], times["lost"][1], rtol=0.0, atol=1e-12)
    assert abs(times["heard"][0][1] - times["heard"][1][1]) > 0.1


# -- all of them, in both engines ------------------------------------------------------------------

CASES: dict[type[NeuronModel], tuple[dict[str, float], float, float, float]] = {
    # parameters, weights from outside and within, size of the current
    LIFExp: ({"t_ref": 2.0, "bias": 0.3, "theta_noise": 0.1}, 0.8, -0.3, 0.5),
    AdaptiveLIFExp: (
        {"t_ref": 2.0, "bias": 0.3, "theta_noise": 0.1, "theta_plus": 0.2}, 0.8, -0.3, 0.5,
    ),
    LIFDelta: ({"t_ref": 2.0, "bias": 0.3, "theta_noise": 0.1, "theta_plus": 0.1}, 0.4, -0.1, 0.5),
    SRM: ({"bias": 0.1, "theta_noise": 0.1, "theta_plus": 0.1}, 0.6, -0.1, 0.5),
    LIFAlpha: ({"t_ref": 2.0, "bias": 0.3, "theta_noise": 0.1, "theta_plus": 0.1}, 0.8, -0.1, 0.5),
    LIFCond: ({"t_ref": 2.0, "theta_noise": 1.0, "theta_plus": 1.0}, 0.3, 0.1, 10.0),
    AdEx: ({"t_ref": 2.0, "theta_noise": 1.0, "tolerance": 1e-6}, 600.0, -100.0, 400.0),
    Izhikevich: ({"theta_noise": 1.0, "tolerance": 1e-6}, 8.0, -1.0, 5.0),
}  # fmt: skip


def network_with_all_options(base: type[NeuronModel], *, other_first: bool = False) -> Network:
    """Neurons on their own and neurons advanced together, with two steps of current."""
    parameters, weight, recurrent, size = CASES[base]
    model = noisy_threshold(current_port(base))
    if base.synaptic:
        model = refractory_loss(model)
    net = Network(seed=3)
    if other_first:
        net.population("idle", 2, model(**parameters))
    source = net.population("in", 6, Poisson(200.0))
    steps = net.population("steps", 2, SpikeTimes([10.0, 25.0], [0, 1]))
    cells = net.population("cells", 8, model(**parameters))
    whole = net.population("whole", 5, model(**parameters))
    delay = uniform(0.2, 1.5)
    net.projection(source, cells, fixed_probability(0.5), weight, delay)
    net.projection(cells, cells, fixed_probability(0.3), recurrent, delay, base.ports[-1])
    net.projection(source, whole, all_to_all(), weight)
    for target in (cells, whole):
        switch = np.outer([size, -size], np.ones(target.size))
        net.projection(steps, target, all_to_all(), switch, port="current")
    net.record_spikes("cells", "whole")
    return net


def assert_same(got: Any, expected: Any, tolerance: float) -> None:
    for name in ("cells", "whole"):
        (times, neurons), (same_times, same_neurons) = got.spikes(name), expected.spikes(name)
        assert neurons.size > 5
        np.testing.assert_array_equal(neurons, same_neurons)
        np.testing.assert_allclose(times, same_times, rtol=0.0, atol=tolerance)


@pytest.mark.parametrize("base", CASES, ids=lambda base: base.__name__)
def test_both_engines_agree_with_all_options(base: type[NeuronModel]) -> None:
    compiled = uncompiled(network_with_all_options(base))
    readable = Reference(network_with_all_options(base))
    readable.run(40.0)
    for t in (7.0, 24.5, 40.0):  # in pieces
        compiled.run(t)
    lazy = compiled.compiled.arrays.pops.lazy.tolist()
    assert lazy == [0, 0, int(base.linear), 0]
    assert_same(compiled, readable, 1e-12 if base.linear else 0.0)


def test_noise_is_the_same_after_a_restore_and_beside_other_populations() -> None:
    whole = uncompiled(network_with_all_options(LIFDelta))
    whole.run(60.0)
    first, second = (uncompiled(network_with_all_options(LIFDelta)) for _ in range(2))
    first.run(30.0)
    second.restore(first.save())
    second.run(60.0)
    for name in ("cells", "whole"):
        joined = np.concatenate([first.spikes(name)[0], second.spikes(name)[0]])
        np.testing.assert_array_equal(joined, whole.spikes(name)[0])
        np.testing.assert_array_equal(second.state(name, "shift"), whole.state(name, "shift"))
    beside = uncompiled(network_with_all_options(LIFDelta, other_first=True))
    beside.run(60.0)
    assert_same(beside, whole, 0.0)
    readable = Reference(network_with_all_options(LIFDelta))
    readable.run(60.0)
    assert_same(whole, readable, 1e-12)


@pytest.mark.slow
def test_the_compiler_changes_nothing() -> None:
    compiled, plain = (
        Simulation(network_with_all_options(LIFDelta)),
        uncompiled(network_with_all_options(LIFDelta)),
    )
    for simulation in (compiled, plain):
        simulation.run(60.0)
    assert_same(compiled, plain, 0.0)


# -- refused weights -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connector", "weight", "which"),
    [
        (all_to_all(), -1.0, "all synapses"),
        (all_to_all(), [[1.0, 1.0], [1.0, 1.0], [1.0, -0.5]], "the synapse 2 -> 1"),
        (explicit([0, 2, 2], [0, 1, 0]), [1.0, -0.5, 2.0], "the synapse 2 -> 1"),
    ],
)
def test_negative_conductances_are_refused(connector: Any, weight: Any, which: str) -> None:
    for model, port in ((LIFCond(), "inhibitory"), (current_port(LIFCond)(), "excitatory")):
        net = Network()
        source = net.population("in", 3, SpikeTimes([1.0]))
        cells = net.population("cells", 2, model)
        net.projection(source, cells, connector, weight=weight, port=port)
        with pytest.raises(NetworkError, match=f"'in->cells': weight -.* of {which}; .*{port}"):
            Simulation(net)
    net = Network()
    source = net.population("in", 3, SpikeTimes([1.0]))
    cells = net.population("cells", 2, current_port(LIFCond)())
    net.projection(source, cells, connector, weight=weight, port="current")
    simulation = Simulation(net)
    assert simulation.weights("in->cells").min() < 0.0


def test_negative_conductances_cannot_be_set_either() -> None:
    net = Network()
    source = net.population("in", 1, SpikeTimes([1.0]))
    cells = net.population("cells", 2, LIFCond())
    net.projection(source, cells, all_to_all(), weight=[[0.5, 0.5]])
    simulation = Simulation(net)
    with pytest.raises(SimulationError, match=r"'in->cells': weight\[1\] = -0\.1; .*LIFCond"):
        simulation.set_weights("in->cells", [[0.0, -0.1]])
    assert simulation.weights("in->cells").tolist() == [[0.5, 0.5]]
