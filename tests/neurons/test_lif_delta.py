"""LIFDelta: closed forms, moving threshold by brute force, refractoriness, engines."""

from __future__ import annotations

from math import exp, inf, log

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from encoders import SpikeTimes
from neurons import LIFDelta
from simulator import ModelError, Network, Simulation, all_to_all, one_to_one
from simulator.reference import Reference
from tests.neurons.support import (
    after,
    assert_engines_agree,
    assert_first_crossing,
    crossing,
    neuron,
    small_network,
)


def test_the_crossing_is_the_logarithm() -> None:
    model = LIFDelta(tau_m=10.0, v_rest=-70.0, v_th=-55.0, v_reset=-70.0, bias=20.0)
    expected = 10.0 * log((-50.0 - -65.0) / (-50.0 - -55.0))
    assert crossing(model, {"v": -65.0}) == pytest.approx(expected, rel=1e-15)


def test_a_drive_at_threshold_never_gets_there() -> None:
    assert crossing(LIFDelta(bias=1.0), {"v": 0.5}) == inf
    assert crossing(LIFDelta(bias=1.0 + 1e-9), {"v": 0.5}) < inf


def test_the_free_potential_relaxes() -> None:
    n = after(LIFDelta(tau_m=8.0, bias=3.0), {"v": -2.0}, 5.0)
    assert n.v[0] == pytest.approx(3.0 - 5.0 * exp(-5.0 / 8.0), rel=1e-15)


def test_jumping_on_or_over_threshold_is_a_spike_now() -> None:
    model = LIFDelta()
    n = neuron(model, v=0.5)
    model.receive(n, 0, model.parameters, 0, 0.5)
    assert model.crossing(n, 0, model.parameters) == 0.0


@settings(max_examples=60, deadline=None)
@given(
    v=st.floats(-3.0, 1.0, exclude_max=True),
    theta=st.floats(0.0, 2.0),
    bias=st.floats(-1.0, 3.0),
    tau_m=st.sampled_from([2.0, 10.0, 30.0]),
    tau_theta=st.sampled_from([1.0, 10.0, 200.0]),
)
def test_a_moving_threshold_is_met_first_where_a_scan_says(
    v: float, theta: float, bias: float, tau_m: float, tau_theta: float
) -> None:
    model = LIFDelta(tau_m=tau_m, bias=bias, theta_plus=0.1, tau_theta=tau_theta)
    assert_first_crossing(model, {"v": v, "theta": theta}, 5.0 * max(tau_m, tau_theta))


def test_a_threshold_that_sinks_onto_a_falling_potential_grazes_it() -> None:
    """V = v exp(-t/20) and v_th + theta exp(-t/5) touch where both slopes agree, at t = 4 ms."""
    t, height = 4.0, 1.0
    # v e^(-t/20) = 1 + theta e^(-t/5) and v/20 e^(-t/20) = theta/5 e^(-t/5)
    theta = height / (3.0 * exp(-t / 5.0))
    v = 4.0 * theta * exp(-t / 5.0) * exp(t / 20.0)
    for touch, meets in ((1e-12, True), (-1e-12, False)):
        model = LIFDelta(tau_m=20.0, v_th=height - touch, v_reset=-1.0, tau_theta=5.0)
        found = crossing(model, {"v": v, "theta": theta})
        assert (found < inf) == meets
        if meets:
            assert found == pytest.approx(t, abs=1e-4)


def test_input_while_refractory_is_lost_and_the_threshold_adapts() -> None:
    net = Network()
    source = net.population("in", 1, SpikeTimes([1.0, 2.0, 4.0, 9.0]))
    cell = net.population(
        "cells", 1, LIFDelta(tau_m=20.0, t_ref=2.0, theta_plus=0.5, tau_theta=50.0)
    )
    net.projection(source, cell, all_to_all(), weight=1.2, delay=0.0)
    net.record_spikes(cell)
    engine = Reference(net)
    engine.run(20.0)
    # At 1 ms it fires; 2 ms is lost; at 4 ms the threshold is 1.471; at 9 ms V is
    # 1.2 exp(-5/20) + 1.2 = 2.13 and the threshold 1.43.
    assert engine.spikes("cells")[0].tolist() == [1.0, 9.0]


def test_a_small_network_obeys_the_equation() -> None:
    model = LIFDelta(tau_m=10.0, bias=0.8, t_ref=2.0)
    net = Network(seed=5)
    rng = np.random.default_rng(2)
    inputs = np.sort(rng.uniform(0.0, 100.0, 60))
    source = net.population("in", 1, SpikeTimes(inputs))
    cell = net.population("cells", 1, model)
    net.projection(source, cell, all_to_all(), weight=0.15, delay=0.0)
    net.record_spikes(cell)
    engine = Reference(net)
    engine.run(100.0)
    spikes = engine.spikes("cells")[0]

    def potential(t: float, free_from: float) -> float:
        heard = inputs[(inputs > free_from) & (inputs <= t)]
        decayed = 0.15 * np.exp(-(t - heard) / 10.0).sum()
        return float(0.8 * -np.expm1(-(t - free_from) / 10.0) + decayed)

    assert spikes.size > 5
    free_from = 0.0
    for t in spikes:
        # All spikes are jumps: 0.8 alone does not reach threshold.
        assert t in inputs
        assert potential(t, free_from) >= 1.0
        for x in inputs[(inputs > free_from) & (inputs < t)]:
            assert potential(x, free_from) < 1.0
        free_from = t + 2.0


@pytest.mark.parametrize("bias", [0.8, 1.02])
@pytest.mark.parametrize("theta_plus", [0.0, 0.1])
@pytest.mark.parametrize("t_ref", [0.0, 2.0])
def test_left_alone_or_advanced_by_arrival(bias: float, theta_plus: float, t_ref: float) -> None:
    model = LIFDelta(bias=bias, t_ref=t_ref, theta_plus=theta_plus, tau_theta=30.0)
    compiled = assert_engines_agree(small_network(model, 0.3, -0.1), 60.0, tolerance=1e-12)
    assert compiled.compiled.arrays.pops[1].lazy


def test_a_weight_of_just_the_threshold_relays_every_spike() -> None:
    """v_th = 0.7 is reached exactly, or one unit in the last place below in some frames."""
    net = Network(seed=1)
    times = np.arange(1, 500) * 1.1
    source = net.population("in", 1, SpikeTimes(times))
    cell = net.population("cells", 1, LIFDelta(tau_m=0.02, v_th=0.7))
    net.projection(source, cell, one_to_one(), weight=0.7, delay=0.0)
    net.record_spikes(cell)
    simulation = Simulation(net)
    assert simulation.compiled.arrays.pops[1].lazy
    simulation.run(600.0)
    np.testing.assert_array_equal(simulation.spikes("cells")[0], times)


@given(
    v=st.floats(-3.0, 1.0),
    theta=st.floats(0.0, 2.0),
    bias=st.sampled_from([-1.0, 0.0, 0.9, 1.0, 1.5]),
    dt=st.one_of(st.floats(0.05, 100.0), st.just(inf)),
    shares=st.lists(st.floats(0.0, 1.0), max_size=4),
    tau_theta=st.sampled_from([1.0, 10.0, 200.0]),
)
def test_weights_within_the_allowance_cannot_make_it_fire(
    v: float, theta: float, bias: float, dt: float, shares: list[float], tau_theta: float
) -> None:
    model = LIFDelta(tau_m=10.0, bias=bias, tau_theta=tau_theta)
    p, n = model.parameters, neuron(model, v=v, theta=theta)
    allowance = model.allowance(n, 0, p, model.horizon(p, dt))
    assume(allowance > 0.0)
    clock, end = 0.0, min(dt, 400.0)
    for t in (share * end for share in sorted(shares)):
        assert model.crossing(n, 0, p) > t - clock
        model.advance(n, 0, p, model.factors(p, t - clock))
        model.receive(n, 0, p, 0, allowance / len(shares))
        clock = t
    assert dt - clock < model.crossing(n, 0, p) or model.crossing(n, 0, p) == inf


def test_at_rest_the_allowance_is_the_way_to_threshold() -> None:
    model = LIFDelta(v_rest=-70.0, v_th=-50.0, v_reset=-60.0)
    p = model.parameters
    for dt in (0.1, 10.0, inf):
        allowance = model.allowance(neuron(model, v=-58.0), 0, p, model.horizon(p, dt))
        assert allowance == pytest.approx(8.0, rel=1e-8)


@given(v=st.floats(-90.0, -50.0), theta=st.floats(0.0, 5.0), w=st.floats(-9.0, 9.0))
def test_modes_hold_the_same_state(v: float, theta: float, w: float) -> None:
    model = LIFDelta(tau_m=7.0, v_rest=-70.0, v_th=-50.0, v_reset=-60.0, bias=3.0)
    p, n, modes = model.parameters, neuron(model, v=v, theta=theta), neuron(model, v=v, theta=theta)
    model.receive(n, 0, p, 0, w)
    model.advance(n, 0, p, model.factors(p, 4.0))
    model.to_modes(modes, 0, p)
    left = [exp(-4.0 / tau) for tau in model.time_constants(p)]
    kick = model.kick(p, 0)
    modes.v[0] = (modes.v[0] + w * kick[0]) * left[0]
    modes.theta[0] = (modes.theta[0] + w * kick[1]) * left[1]
    model.from_modes(modes, 0, p)
    assert modes.v[0] == pytest.approx(n.v[0], rel=1e-14)
    assert modes.theta[0] == pytest.approx(n.theta[0], rel=1e-14)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"tau_m": 0.0}, "tau_m"),
        ({"tau_theta": -1.0}, "tau_theta"),
        ({"t_ref": -1.0}, "t_ref"),
        ({"theta_plus": -0.1}, "theta_plus"),
        ({"v_reset": 1.0}, "v_reset"),
    ],
)
def test_bad_parameters_are_named(parameters: dict[str, float], text: str) -> None:
    with pytest.raises(ModelError, match=text):
        LIFDelta(**parameters)
