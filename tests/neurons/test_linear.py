"""What linear models say of their modes and allowances, against the model's own functions."""

from __future__ import annotations

from math import exp, inf
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from neurons import SRM, AdaptiveLIFExp, LIFDelta, LIFExp, current_port, noisy_threshold
from simulator.model import NeuronModel
from tests.neurons.support import assert_first_crossing, crossing, neuron

MODELS = [
    LIFExp(tau_m=10.0, tau_exc=3.0, tau_inh=14.0, bias=0.4, v_rest=-0.1, v_reset=-0.5),
    AdaptiveLIFExp(tau_m=4.0, tau_exc=5.0, tau_inh=1.0, bias=0.2, tau_theta=7.0),
    LIFDelta(tau_m=10.0, bias=0.6, tau_theta=3.0),
    SRM(tau_m=20.0, tau_s=5.0, bias=0.3, tau_theta=30.0),
    SRM(tau_m=3.0, tau_s=8.0, bias=-0.3, tau_theta=2.0),
    noisy_threshold(current_port(AdaptiveLIFExp))(tau_m=12.0, tau_theta=30.0, theta_noise=0.1),
    noisy_threshold(current_port(SRM))(theta_noise=0.1),
]
POSITIVE = {"theta"}
FIXED = {"draws", "key"}


@st.composite
def neurons(draw: st.DrawFn) -> tuple[NeuronModel, Any, dict[str, float]]:
    """A model, a neuron and its state by name."""
    model = draw(st.sampled_from(MODELS))
    state = {}
    for name in type(model).state:
        low, high = (-3.0, 0.999) if name == "v" else (-0.4, 0.4)
        if name.startswith("i"):
            low, high = -8.0, 8.0
        state[name] = 0.0 if name in FIXED else draw(st.floats(low, high))
        if name in POSITIVE:
            state[name] = abs(state[name])
    return model, neuron(model, **state), state


def states(model: NeuronModel, n: Any) -> dict[str, float]:
    return {name: getattr(n, name)[0] for name in type(model).state}


@given(neurons(), st.floats(0.0, 8.0), st.floats(-3.0, 3.0), st.integers(0, 2))
def test_modes_that_decay_and_are_kicked_are_the_advanced_state(
    one: tuple[NeuronModel, Any, dict[str, float]], dt: float, w: float, port: int
) -> None:
    model, n, state = one
    port = min(port, len(model.ports) - 1)
    p, modes = model.parameters, neuron(model, **state)
    assert model.has_modes(p)
    model.receive(n, 0, p, port, w)
    model.advance(n, 0, p, model.factors(p, dt))
    model.to_modes(modes, 0, p)
    for mode, tau, kick in zip(modes, model.time_constants(p), model.kick(p, port), strict=True):
        mode[0] = (mode[0] + w * kick) * exp(-dt / tau)
    model.from_modes(modes, 0, p)
    assert states(model, modes) == pytest.approx(states(model, n), abs=1e-13, rel=1e-13)


@given(
    neurons(),
    st.one_of(st.floats(0.05, 100.0), st.just(inf)),
    st.lists(st.tuples(st.floats(0.0, 1.0), st.integers(0, 2)), max_size=4),
)
def test_weights_within_the_allowance_cannot_make_it_fire(
    one: tuple[NeuronModel, Any, dict[str, float]], dt: float, arrivals: list[tuple[float, int]]
) -> None:
    """Whatever arrives, at whatever time and port, up to the allowance in sum."""
    model, n, state = one
    p = model.parameters
    allowance = model.allowance(n, 0, p, model.horizon(p, dt))
    assume(allowance > 0.0)
    assert crossing(model, state) > dt or crossing(model, state) == inf
    clock, end = 0.0, min(dt, 300.0)
    for share, port in sorted(arrivals):
        t = share * end
        assert model.crossing(n, 0, p) > t - clock
        model.advance(n, 0, p, model.factors(p, t - clock))
        which = min(port, len(model.ports) - 1)
        model.receive(n, 0, p, which, allowance / len(arrivals))
        clock = t
    found = model.crossing(n, 0, p)
    assert found > dt - clock or found == inf


@given(neurons())
def test_allowances_grant_something_to_a_neuron_at_rest(
    one: tuple[NeuronModel, Any, dict[str, float]],
) -> None:
    model, _, state = one
    n, p = neuron(model, **{**state, "v": -2.0}), model.parameters
    for name in type(model).state:
        if name.startswith("i") or name in ("current", "shift"):
            getattr(n, name)[0] = 0.0
    for dt in (0.1, 5.0, inf):
        assert model.allowance(n, 0, p, model.horizon(p, dt)) > 0.3


@given(
    state=st.fixed_dictionaries(
        {
            "v": st.floats(-3.0, 0.999),
            "i_exc": st.floats(-10.0, 10.0),
            "i_inh": st.floats(-10.0, 10.0),
            "theta": st.floats(0.0, 2.0),
        }
    ),
    bias=st.sampled_from([0.0, 0.5, 1.3]),
    tau_m=st.sampled_from([2.0, 10.0]),
    tau_theta=st.sampled_from([1.0, 10.0, 200.0]),
)
def test_an_adaptive_threshold_is_met_first_where_a_scan_says(
    state: dict[str, float], bias: float, tau_m: float, tau_theta: float
) -> None:
    model = AdaptiveLIFExp(tau_m=tau_m, bias=bias, theta_plus=0.1, tau_theta=tau_theta)
    assume(state["v"] < 1.0)
    assert_first_crossing(model, state, 5.0 * max(10.0, tau_theta), tolerance=1e-11)


@given(state=st.tuples(st.floats(-3, 0.99), st.floats(-9, 9), st.floats(-9, 9)))
def test_a_threshold_that_has_not_moved_is_that_of_the_plain_model(
    state: tuple[float, float, float],
) -> None:
    v, i_exc, i_inh = state
    shared = {"v": v, "i_exc": i_exc, "i_inh": i_inh}
    adaptive, plain = AdaptiveLIFExp(bias=0.3, theta_plus=0.2), LIFExp(bias=0.3)
    assert crossing(adaptive, shared) == crossing(plain, shared)
    n = neuron(adaptive, **shared)
    assert adaptive.fire(n, 0, adaptive.parameters) == 0.0
    assert (n.v[0], n.theta[0]) == (0.0, 0.2)
    adaptive.hold(n, 0, adaptive.parameters, adaptive.factors(adaptive.parameters, 50.0))
    assert n.theta[0] == pytest.approx(0.2 * exp(-0.5), rel=1e-14)


@given(v=st.floats(-2.0, 0.99), i=st.floats(-4.0, 8.0), bias=st.floats(-1.0, 2.0))
def test_an_srm_neuron_with_a_bias_is_met_first_where_a_scan_says(
    v: float, i: float, bias: float
) -> None:
    model = SRM(tau_m=20.0, tau_s=5.0, bias=bias)
    assert_first_crossing(model, {"v": v, "i": i}, 150.0, tolerance=1e-11)
