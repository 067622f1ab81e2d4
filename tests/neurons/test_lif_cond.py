"""LIFCond: the gamma function and closed form against mpmath, integration, grazes, adaptation."""

from __future__ import annotations

from math import exp, inf, log

import mpmath
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from neurons import LIFCond, lif_cond
from neurons.lif_cond import scaled_gamma
from simulator import ModelError
from simulator.reference import Reference
from tests.neurons.support import (
    after,
    assert_engines_agree,
    assert_first_crossing,
    crossing,
    neuron,
    small_network,
)

PRECISE = mpmath.MPContext()
PRECISE.dps = 60


def integrated(model: LIFCond, state: dict[str, float], t: float) -> float:
    """V after ``t`` by an 8th-order method at 1e-12."""
    p = model.parameters
    g_exc, g_inh = state.get("g_exc", 0.0), state.get("g_inh", 0.0)

    def slope(x: float, v: np.ndarray) -> np.ndarray:
        exc, inh = g_exc * exp(-x / p.tau_exc), g_inh * exp(-x / p.tau_inh)
        leak = p.v_rest + p.bias - v
        return (leak + exc * (p.e_exc - v) + inh * (p.e_inh - v)) / p.tau_m

    run = solve_ivp(slope, (0.0, t), [state["v"]], "DOP853", rtol=1e-12, atol=1e-12)
    return float(run.y[0, -1])


@pytest.mark.parametrize("a", [0.001, 0.1, 0.25, 0.9999999, 1.0, 1.0000001, 2.0, 7.3])
@pytest.mark.parametrize("x", [1.0, 1.3, 4.0, 30.0, 900.0])
def test_the_scaled_gamma_function(a: float, x: float) -> None:
    m = PRECISE.mpf
    exact = PRECISE.exp(x) * m(x) ** (m(a) - 1) * PRECISE.gammainc(1 - m(a), x)
    assert abs(scaled_gamma(a, x) / exact - 1) < 1e-14


@pytest.mark.parametrize("tau_s", [1.0, 10.0, 20.0, 20.0 + 1e-9, 40.0, 55.5])
@pytest.mark.parametrize("g", [(0.03, 0.0), (0.4, 0.7), (3.0, 1.0), (60.0, 900.0)])
@pytest.mark.parametrize("t", [1e-4, 0.7, 9.0, 80.0])
def test_the_closed_form(tau_s: float, g: tuple[float, float], t: float) -> None:
    """The gamma-function formula in 60 digits, at, near and beyond its poles in tau_s / tau_m."""
    m = PRECISE.mpf
    model = LIFCond(tau_m=20.0, tau_exc=tau_s, tau_inh=tau_s, bias=1.0, v_th=1e3)
    a, total = m(tau_s) / 20, m(g[0]) + m(g[1])
    x, y = a * total, a * total * PRECISE.exp(-m(t) / m(tau_s))
    mean = (m(g[0]) * 0 + m(g[1]) * -80) / total
    integral = PRECISE.gammainc(1 - a, y) - PRECISE.gammainc(1 - a, x)
    v = -64 + PRECISE.exp(-m(t) / 20 - x + y) * (m(-70) + 64)
    v += (mean + 64) * PRECISE.exp(y) * y**a * integral
    got = after(model, {"v": -70.0, "g_exc": g[0], "g_inh": g[1]}, t).v[0]
    assert abs(got - v) < 1e-12


@settings(max_examples=40, deadline=None)
@given(
    v=st.floats(-90.0, -51.0),
    g_exc=st.sampled_from([0.0, 0.2, 1.5, 20.0]),
    g_inh=st.sampled_from([0.0, 0.5, 8.0, 300.0]),
    tau=st.sampled_from([(5.0, 5.0), (5.0, 10.0), (10.0, 2.0)]),
    t=st.floats(0.01, 60.0),
)
def test_against_a_fine_integration(
    v: float, g_exc: float, g_inh: float, tau: tuple[float, float], t: float
) -> None:
    model = LIFCond(tau_exc=tau[0], tau_inh=tau[1], v_th=1e3)
    state = {"v": v, "g_exc": g_exc, "g_inh": g_inh}
    assert after(model, state, t).v[0] == pytest.approx(integrated(model, state, t), abs=2e-8)


def test_the_integration_converges_with_its_tolerance_to_the_closed_form() -> None:
    """A time constant off by the least bit is integrated; its V is the closed form's."""
    state = {"v": -60.0, "g_exc": 3.0, "g_inh": 12.0}
    exact = after(LIFCond(v_th=1e3), state, 12.0).v[0]
    errors = []
    for tolerance in (1e-4, 1e-6, 1e-8, 1e-10, 1e-12):
        model = LIFCond(tau_exc=5.0, tau_inh=5.0 * (1.0 + 2e-16), v_th=1e3, tolerance=tolerance)
        assert model.parameters.tau_inh != model.parameters.tau_exc
        errors.append(abs(after(model, state, 12.0).v[0] - exact))
        assert errors[-1] < 10.0 * tolerance + 1e-12
    assert errors[0] > 1e3 * errors[-1]


@settings(max_examples=60, deadline=None)
@given(
    v=st.floats(-90.0, -50.0, exclude_max=True),
    g_exc=st.sampled_from([0.0, 0.3, 1.0, 4.0, 30.0]),
    g_inh=st.sampled_from([0.0, 0.5, 3.0, 30.0]),
    theta=st.sampled_from([0.0, 0.0, 3.0, 12.0]),
    bias=st.sampled_from([0.0, 14.0, 15.0, 18.0]),
    tau_s=st.sampled_from([1.0, 5.0, 30.0]),
    tau_theta=st.sampled_from([3.0, 50.0, 1e4]),
)
def test_the_first_crossing_is_where_a_scan_says(
    tau_s: float, tau_theta: float, bias: float, **state: float
) -> None:
    model = LIFCond(tau_exc=tau_s, tau_inh=tau_s, tau_theta=tau_theta, bias=bias)
    assert_first_crossing(model, state, 200.0, 1e-12)


@settings(max_examples=8, deadline=None)
@given(
    v=st.floats(-80.0, -51.0),
    g_exc=st.sampled_from([0.3, 1.0, 4.0]),
    g_inh=st.sampled_from([0.0, 0.5, 3.0]),
    theta=st.sampled_from([0.0, 3.0]),
    tau_inh=st.sampled_from([2.0, 10.0]),
)
def test_the_first_crossing_by_integration(tau_inh: float, **state: float) -> None:
    assert_first_crossing(LIFCond(tau_inh=tau_inh, tau_theta=20.0), state, 60.0, 1e-9)


@pytest.mark.parametrize(("tau_inh", "shift"), [(5.0, 1e-11), (5.0, 1e-6), (9.0, 1e-7)])
def test_a_graze_fires_if_and_only_if_the_maximum_reaches_threshold(
    tau_inh: float, shift: float
) -> None:
    """Its height comes from a golden-section search on V without a threshold."""
    state = {"v": -70.0, "g_exc": 0.9, "g_inh": 0.6}
    free = LIFCond(tau_inh=tau_inh, v_th=1e3, tolerance=1e-12)
    lo, hi = 0.1, 40.0
    while hi - lo > 1e-6:
        a, b = hi - 0.618 * (hi - lo), lo + 0.618 * (hi - lo)
        lo, hi = (lo, b) if after(free, state, a).v[0] > after(free, state, b).v[0] else (a, hi)
    height = after(free, state, lo).v[0]
    meets, misses = (LIFCond(tau_inh=tau_inh, v_th=height + s) for s in (-shift, shift))
    assert crossing(meets, state) == pytest.approx(lo, abs=1e-3 + 20.0 * shift**0.5)
    assert crossing(misses, state) == inf


def test_the_step_of_the_threshold_shrinks_as_it_grows() -> None:
    """kappa 20 / |2 theta - 20|: 0.07, 0.0467 and 0.0233 at theta = 20, 25 and 40."""
    model = LIFCond(theta_plus=0.07, theta_half=10.0)
    for theta, step in ((20.0, 0.07), (25.0, 0.07 / 1.5), (40.0, 0.07 / 3.0)):
        n = neuron(model, theta=theta)
        model.fire(n, 0, model.parameters)
        assert n.theta[0] - theta == pytest.approx(step, rel=1e-12)
    n = neuron(LIFCond(theta_plus=2.0), theta=20.0)
    model.fire(n, 0, LIFCond(theta_plus=2.0).parameters)
    assert n.theta[0] == 22.0


def test_a_threshold_that_is_kept_up_by_its_steps_may_rest_below_the_reset() -> None:
    with pytest.raises(ModelError, match=r"v_reset = -65.0 mV must be below v_th = -72.0 mV"):
        LIFCond(v_th=-72.0, theta_plus=0.07)
    model = LIFCond(v_th=-72.0, theta_plus=0.07, theta_half=10.0, tau_theta=6e6, e_inh=-100.0)
    at_rest = {"v": -65.0, "g_exc": 0.0, "g_inh": 0.0, "theta": 20.0}
    until = 6e6 * log(20.0 / 7.0)  # without a spike it comes down to the potential at last
    assert crossing(model, at_rest) == pytest.approx(until, rel=1e-9)
    assert 0.0 < crossing(model, {**at_rest, "g_exc": 15.0}) < 5.0


def test_conductances_go_on_while_the_potential_is_held() -> None:
    model = LIFCond(t_ref=2.0)
    n = neuron(model, v=-65.0, g_exc=2.0, g_inh=1.0, theta=1.0)
    model.hold(n, 0, model.parameters, model.factors(model.parameters, 2.0))
    assert n.v[0] == -65.0
    assert (n.g_exc[0], n.g_inh[0]) == pytest.approx((2.0 * exp(-0.4), exp(-0.4)))
    assert n.theta[0] == pytest.approx(exp(-0.02))


def test_a_small_network_gives_nearly_the_spikes_of_nearly_equal_time_constants() -> None:
    """The closed form and the integration, each in a network of its own."""
    trains = []
    for tau_inh in (5.0, 5.0 * (1.0 + 1e-12)):
        net = small_network(LIFCond(tau_inh=tau_inh, t_ref=2.0), 0.5, 0.3)
        engine = Reference(net)
        engine.run(40.0)
        trains.append(engine.spikes("cells"))
    assert trains[0][0].size > 10
    np.testing.assert_array_equal(trains[0][1], trains[1][1])
    np.testing.assert_allclose(trains[0][0], trains[1][0], rtol=0.0, atol=1e-7)


@pytest.mark.slow
def test_compiled_equals_readable() -> None:
    model = LIFCond(tau_inh=9.0, t_ref=2.0, theta_plus=2.0, tau_theta=30.0)
    net = small_network(model, 0.5, 0.3)
    equal = LIFCond(t_ref=2.0, theta_plus=2.0, theta_half=1.0)
    net.population("equal", 4, equal, {"v": -60.0, "g_exc": [0.0, 0.5, 2.0, 70.0], "g_inh": 1.0})
    net.record_spikes("equal")
    assert_engines_agree(net, 40.0)


@pytest.mark.parametrize(
    "parameters",
    [{"tau_m": 0.0}, {"tau_exc": -1.0}, {"t_ref": -1.0}, {"tolerance": 0.0}, {"v_reset": -50.0}],
)
def test_bad_parameters_are_named(parameters: dict[str, float]) -> None:
    with pytest.raises(ModelError, match=next(iter(parameters))):
        LIFCond(**parameters)


SHARED = st.floats(2.05, 500.0), st.floats(1e-6, 60.0), st.floats(0.0, 1.0)


@given(*SHARED)
def test_the_near_series_is_the_closed_form(tau_m: float, dt: float, part: float) -> None:
    p = LIFCond(tau_m=tau_m, tau_exc=1.0, tau_inh=1.0).parameters
    f = LIFCond.factors(p, dt)
    x = part * f[4]
    keep, drive = lif_cond._relax(x * tau_m, dt, tau_m, 1.0)
    assert lif_cond._near(x, f) == (
        pytest.approx(keep, rel=1e-14),
        pytest.approx(drive, rel=1e-14),
    )


@settings(max_examples=25, deadline=None)
@given(st.floats(2.05, 500.0), st.floats(1e-5, 60.0), st.floats(0.0, 1.0))
@example(100.0, 0.15, lif_cond._MID_REACH)
@example(2.05, 8.0, lif_cond._MID_REACH)
def test_the_far_series_is_the_integral_in_50_digits(tau_m: float, dt: float, z: float) -> None:
    """keep = exp(-dt / tau_m - z), and drive the integral over s of
    a exp(-dt / tau_m - x (s - y)) s^-a from y = exp(-dt) to 1, where x (1 - y) = z."""
    p = LIFCond(tau_m=tau_m, tau_exc=1.0, tau_inh=1.0).parameters
    f = LIFCond.factors(p, dt)
    m = PRECISE.mpf
    a, y = 1 / m(tau_m), PRECISE.exp(-m(dt))
    x, slow = m(z) / (1 - y), PRECISE.exp(-m(dt) * a)
    exact = a * slow * PRECISE.quad(lambda s: PRECISE.exp(-x * (s - y)) * s**-a, [y, 1])
    for terms in (lif_cond._FAR, *([lif_cond._MID] if z <= lif_cond._MID_REACH else [])):
        keep, drive = lif_cond._far(z, f[5], lif_cond._far_coefficients(p, f), terms)
        assert abs(keep / (slow * PRECISE.exp(-m(z))) - 1) < 2e-15
        assert abs(drive / exact - 1) < 4e-15


@given(
    st.floats(0.5, 100.0),
    st.floats(1e-3, 20.0),
    st.lists(
        st.tuples(st.floats(-90.0, -50.0), st.floats(0.0, 80.0), st.floats(0.0, 80.0)), min_size=1
    ),
)
@example(20.0, 0.1, [(-60.0, 0.5, 0.1)] * 2)  # the near series serves all
@example(20.0, 0.1, [(-60.0, 0.5, 0.1), (-60.0, 9.0, 5.0)])  # near, and the first of the far
@example(20.0, 0.1, [(-60.0, 0.5, 0.1), (-60.0, 9.0, 5.0), (-60.0, 9.0, 40.0)])  # near and far
@example(20.0, 0.5, [(-60.0, 0.5, 0.1), (-60.0, 9.0, 0.0), (-60.0, 70.0, 70.0)])  # and beyond
def test_all_neurons_at_once_are_advanced_as_one_by_one(
    tau_m: float, dt: float, neurons: list[tuple[float, float, float]]
) -> None:
    p = LIFCond(tau_m=tau_m, tau_exc=1.0, tau_inh=1.0).parameters
    f = LIFCond.factors(p, dt)
    columns = [np.array(values) for values in (*zip(*neurons, strict=True), [1.0] * len(neurons))]
    together, alone = (LIFCond.State(*(c.copy() for c in columns)) for _ in range(2))
    LIFCond.advance_all(together, len(neurons), p, f)
    for j in range(len(neurons)):
        LIFCond.advance(alone, j, p, f)
    for name, values in alone._asdict().items():
        np.testing.assert_array_equal(getattr(together, name), values)


@settings(deadline=None)
@given(
    v=st.floats(-110.0, -50.5),
    g=st.tuples(st.floats(-1.0, 10.0), st.floats(-1.0, 30.0)),
    theta=st.floats(0.0, 10.0),
    tau_s=st.sampled_from([0.5, 2.0, 30.0]),
    bias=st.sampled_from([-5.0, 0.0, 18.0]),
    part=st.floats(0.5, 3.0),
)
def test_a_neuron_that_may_not_cross_does_not(
    v: float, g: tuple[float, float], theta: float, tau_s: float, bias: float, part: float
) -> None:
    """Within any time, from just short of the crossing that the search finds."""
    model = LIFCond(tau_exc=tau_s, tau_inh=tau_s, tau_theta=200.0, bias=bias)
    p = model.parameters
    n = neuron(model, v=v, theta=theta, g_exc=g[0], g_inh=g[1])
    t = model.crossing(n, 0, p)
    assume(t < inf)
    assert model.may_cross(n, 0, p, inf)
    assert model.may_cross(n, 0, p, t)
    assert model.may_cross(n, 0, p, max(1.0, part) * t)


@given(
    states=st.lists(
        st.tuples(
            st.floats(-110.0, -50.5),
            st.floats(-1.0, 10.0),
            st.floats(-1.0, 30.0),
            st.floats(-5.0, 10.0),
        ),
        min_size=1,
        max_size=6,
    ),
    dt=st.one_of(st.floats(1e-3, 50.0), st.just(inf)),
    bias=st.sampled_from([-5.0, 0.0, 18.0]),
)
def test_all_are_cleared_at_once_only_if_each_is(
    states: list[tuple[float, float, float, float]], dt: float, bias: float
) -> None:
    model = LIFCond(tau_exc=2.0, tau_inh=2.0, tau_theta=200.0, bias=bias)
    p, n = model.parameters, LIFCond.State(*np.array(states).T)
    each = [model.may_cross(n, j, p, dt) for j in range(len(states))]
    assert model.any_may_cross(n, len(states), p, dt) or not any(each)


def test_a_layer_far_from_threshold_is_cleared_at_once() -> None:
    """As the hidden layer of the experiment `dastdp` between two arrivals, 0.15 ms apart."""
    p = LIFCond(tau_m=100.0, tau_exc=1.0, tau_inh=1.0, e_inh=-100.0, v_th=-52.0).parameters
    v = np.linspace(-100.0, -52.1, 50)
    n = LIFCond.State(v, np.full(50, 0.8), np.zeros(50), np.zeros(50))
    assert not LIFCond.any_may_cross(n, 50, p, 0.15)
    v[30] = -52.05
    assert LIFCond.any_may_cross(n, 50, p, 0.15)
