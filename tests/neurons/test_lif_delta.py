"""LIFDelta: closed forms, moving threshold by brute force, refractoriness, engines."""

from __future__ import annotations

from math import exp, inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import SpikeTimes
from neurons import LIFDelta
from simulator import ModelError, Network, all_to_all
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


def test_compiled_equals_readable() -> None:
    model = LIFDelta(bias=0.8, t_ref=2.0, theta_plus=0.1, tau_theta=30.0)
    assert_engines_agree(small_network(model, 0.3, -0.1), 60.0)


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
