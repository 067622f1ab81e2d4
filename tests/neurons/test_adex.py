"""AdEx: spike times against a fine integration, the proof of silence, refractoriness, engines."""

from __future__ import annotations

from math import exp, inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from neurons import AdEx
from simulator import ModelError, Network
from simulator.reference import Reference
from tests.neurons.support import after, assert_engines_agree, crossing, neuron, small_network


def fine(model: AdEx, state: dict[str, float], t_end: float) -> tuple[float, np.ndarray]:
    """Time of the first crossing of 0 mV, well on the upstroke, and (V, w) at ``t_end``."""
    p = model.parameters

    def slope(t: float, y: np.ndarray) -> list[float]:
        current = state.get("i_exc", 0.0) * exp(-t / p.tau_exc) + p.bias
        current += state.get("i_inh", 0.0) * exp(-t / p.tau_inh)
        spike = p.delta * exp((min(y[0], p.v_peak + p.delta) - p.v_t) / p.delta)
        dv = (p.g_leak * (p.e_leak - y[0] + spike) - y[1] + current) / p.c
        return [dv, (p.a * (y[0] - p.e_leak) - y[1]) / p.tau_w]

    def reached(t: float, y: np.ndarray) -> float:
        return float(y[0] - p.v_peak)

    reached.terminal = True  # type: ignore[attr-defined]
    start = [state["v"], state.get("w", 0.0)]
    run = solve_ivp(slope, (0.0, t_end), start, "DOP853", rtol=1e-12, atol=1e-12, events=reached)
    times = run.t_events[0]
    return (float(times[0]) if times.size else inf), run.y[:, -1]


@settings(max_examples=10, deadline=None)
@given(
    v=st.floats(-80.0, -47.0),
    w=st.floats(-50.0, 300.0),
    i_exc=st.floats(0.0, 2000.0),
    i_inh=st.floats(-800.0, 0.0),
    bias=st.sampled_from([0.0, 400.0, 1000.0]),
)
def test_spikes_come_when_a_fine_integration_says(bias: float, **state: float) -> None:
    model = AdEx(bias=bias, v_peak=-20.0)
    expected, end = fine(model, state, 60.0)
    found = crossing(model, state)
    if expected < inf:
        assert found == pytest.approx(expected, abs=1e-7)
        assert model.may_cross(neuron(model, **state), 0, model.parameters, inf)
    else:
        assert found > 60.0
        n = after(model, state, 60.0)
        assert (n.v[0], n.w[0]) == pytest.approx(tuple(end), abs=1e-6)


def test_the_error_follows_the_tolerance() -> None:
    state = {"v": -70.0, "w": 20.0, "i_exc": 900.0, "i_inh": -300.0}
    expected, _ = fine(AdEx(bias=600.0, v_peak=-20.0), state, 100.0)
    errors = [
        abs(crossing(AdEx(bias=600.0, v_peak=-20.0, tolerance=tolerance), state) - expected)
        for tolerance in (1e-3, 1e-6, 1e-9)
    ]
    assert errors[0] > 10.0 * errors[1] > 100.0 * errors[2]
    assert errors[2] < 1e-8


def test_a_leak_alone_gives_the_logarithm() -> None:
    """With the exponential out of reach and no adaptation it is a leaky integrator."""
    model = AdEx(delta=0.5, v_t=200.0, v_peak=201.0, a=0.0, bias=30.0 * 100.0, v_reset=-70.6)
    tau, height = 281.0 / 30.0, -30.0
    t = tau * log(100.0 / (29.4 - height))
    assert after(model, {"v": -70.6}, t).v[0] == pytest.approx(height, abs=1e-7)


def test_rest_is_silent_without_a_search_and_strong_input_is_not() -> None:
    model = AdEx()
    rest = neuron(model)
    assert not model.may_cross(rest, 0, model.parameters, inf)
    assert crossing(model, {}) == inf
    assert crossing(model, {"i_exc": 5000.0}) < inf


def test_a_graze_of_the_peak_is_found() -> None:
    """Just above v_t a potential can still turn, as its current decays."""
    free = AdEx(v_t=-50.0, delta=0.5, tolerance=1e-11)
    state = {"v": -70.6, "i_exc": 2400.0}
    lo, hi = 2.0, 12.0
    while hi - lo > 1e-4:
        times = np.linspace(lo, hi, 11)
        k = int(np.argmax([after(free, state, t).v[0] for t in times]))
        lo, hi = times[max(k - 1, 0)], times[min(k + 1, 10)]
    top = after(free, state, lo).v[0]
    assert -50.0 < top < -49.0
    for shift, fires in ((-1e-7, True), (1e-7, False)):
        found = crossing(AdEx(v_t=-50.0, delta=0.5, tolerance=1e-11, v_peak=top + shift), state)
        assert (found < inf) == fires
        assert not fires or found == pytest.approx(lo, abs=0.01)


def test_regular_firing_adapts() -> None:
    net = Network()
    cell = net.population("cells", 1, AdEx(bias=1000.0, t_ref=2.0))
    net.record_spikes(cell)
    engine = Reference(net)
    engine.run(150.0)
    intervals = np.diff(engine.spikes("cells")[0])
    assert intervals.size >= 4
    assert (np.diff(intervals) > 0.0).all()


def test_adaptation_goes_on_while_the_potential_is_held() -> None:
    model = AdEx(t_ref=3.0, v_reset=-60.6)
    n = neuron(model, v=-60.6, w=100.0)
    model.hold(n, 0, model.parameters, model.factors(model.parameters, 3.0))
    assert n.v[0] == -60.6
    assert n.w[0] == pytest.approx(40.0 + 60.0 * exp(-3.0 / 144.0), rel=1e-14)


@pytest.mark.slow
def test_compiled_equals_readable() -> None:
    assert_engines_agree(small_network(AdEx(bias=500.0, t_ref=1.0), 900.0, -200.0), 25.0)


@pytest.mark.parametrize(
    "parameters",
    [{"c": 0.0}, {"delta": 0.0}, {"v_peak": -60.0}, {"t_ref": -1.0}, {"tolerance": 0.0}],
)
def test_bad_parameters_are_named(parameters: dict[str, float]) -> None:
    with pytest.raises(ModelError, match=next(iter(parameters))):
        AdEx(**parameters)
