"""LIFAlpha: its response against mpmath, crossings by brute force, constructed grazes."""

from __future__ import annotations

from math import e, inf

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from encoders import SpikeTimes
from neurons import LIFAlpha
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

PRECISE = mpmath.MPContext()
PRECISE.dps = 50


def exact_potential(p: LIFAlpha.Parameters, state: dict[str, float], t: float) -> mpmath.mpf:
    """V by the matrix exponential of the linear system, in 50 digits."""
    m = PRECISE.mpf
    a = PRECISE.zeros(6)
    a[0, 0], a[0, 1], a[0, 3], a[0, 5] = -1 / m(p.tau_m), 1 / m(p.tau_m), 1 / m(p.tau_m), 0
    for k, tau in ((1, p.tau_exc), (3, p.tau_inh)):
        a[k, k], a[k, k + 1], a[k + 1, k + 1] = -1 / m(tau), 1, -1 / m(tau)
    a[0, 5] = m(p.v_rest + p.bias) / m(p.tau_m)
    names = ("v", "i_exc", "d_exc", "i_inh", "d_inh")
    start = PRECISE.matrix([m(state.get(name, 0.0)) for name in names] + [m(1)])
    return (PRECISE.expm(a * m(t), method="taylor") * start)[0]


@pytest.mark.parametrize("tau_exc", [0.3, 2.0, 9.0, 9.999999, 10.0, 10.0 + 1e-9, 10.7, 40.0])
@pytest.mark.parametrize("t", [1e-6, 0.1, 3.0, 60.0])
def test_the_response_loses_no_digits_near_equal_time_constants(tau_exc: float, t: float) -> None:
    model = LIFAlpha(tau_m=10.0, tau_exc=tau_exc, tau_inh=3.0, v_th=1e6, bias=0.3)
    state = {"v": 0.2, "i_exc": 1.1, "d_exc": 2.3, "i_inh": -0.4, "d_inh": -1.7}
    exact = exact_potential(model.parameters, state, t)
    assert abs(after(model, state, t).v[0] - exact) < 5e-15 * (1.0 + abs(exact))


def test_a_spike_makes_a_current_that_peaks_with_its_weight_at_tau() -> None:
    model = LIFAlpha(tau_exc=2.0, tau_inh=5.0)
    n = neuron(model)
    model.receive(n, 0, model.parameters, 0, 3.0)
    model.receive(n, 0, model.parameters, 1, -4.0)
    state = {k: v[0] for k, v in n._asdict().items()}
    assert after(model, state, 2.0).i_exc[0] == pytest.approx(3.0, rel=1e-15)
    assert after(model, state, 5.0).i_inh[0] == pytest.approx(-4.0, rel=1e-15)
    assert after(model, state, 1.999).i_exc[0] < 3.0 > after(model, state, 2.001).i_exc[0]


TAUS = st.sampled_from([0.5, 2.0, 2.0001, 5.0, 20.0])
AMPLITUDES = st.one_of(st.just(0.0), st.floats(-6.0, 6.0))


@settings(max_examples=120, deadline=None)
@given(
    taus=st.tuples(TAUS, TAUS, TAUS, TAUS),
    bias=st.sampled_from([0.0, 0.9, 1.0, 1.2]),
    v=st.floats(-2.0, 1.0, exclude_max=True),
    i_exc=AMPLITUDES,
    d_exc=AMPLITUDES,
    i_inh=AMPLITUDES,
    d_inh=AMPLITUDES,
    theta=st.sampled_from([0.0, 0.0, 0.3, 2.0]),
)
def test_the_first_crossing_is_where_a_scan_says(
    taus: tuple[float, ...], bias: float, **state: float
) -> None:
    model = LIFAlpha(tau_m=taus[0], tau_exc=taus[1], tau_inh=taus[2], tau_theta=taus[3], bias=bias)
    assert_first_crossing(model, state, 6.0 * max(taus), 1e-11)


@pytest.mark.parametrize(
    "state",
    [
        {"d_exc": 3.0},
        {"v": 0.3, "i_exc": -4.0, "d_exc": 6.0},
        {"i_exc": 2.0, "d_exc": 0.5, "d_inh": -2.5},
        {"v": -1.0, "i_exc": 4.0, "d_exc": -9.0, "i_inh": -3.0, "d_inh": 7.0},
    ],
)
def test_a_constructed_graze_fires_if_and_only_if_the_maximum_reaches_threshold(
    state: dict[str, float],
) -> None:
    """The highest maximum of V in 50 digits, then the threshold just below and just above it."""
    taus = {"tau_m": 10.0, "tau_exc": 2.0, "tau_inh": 4.0}
    p = LIFAlpha(**taus).parameters
    times = np.linspace(0.01, 40.0, 400)
    free = LIFAlpha(**taus, v_th=1e6)
    best = times[np.argmax([after(free, state, t).v[0] for t in times])]
    slope = lambda t: PRECISE.diff(lambda x: exact_potential(p, state, x), t)  # noqa: E731
    top = float(PRECISE.findroot(slope, best))
    height = float(exact_potential(p, state, top))
    for shift in (1e-14, 1e-10, 1e-6):
        low = LIFAlpha(**taus, v_th=height - shift, v_reset=-10.0)
        found = crossing(low, state)
        assert found == pytest.approx(top, abs=30.0 * shift**0.5)
        assert crossing(LIFAlpha(**taus, v_th=height + shift, v_reset=-10.0), state) == inf


def test_a_small_network_obeys_the_equation() -> None:
    p = {"tau_m": 10.0, "tau_exc": 2.0, "tau_inh": 4.0, "t_ref": 1.5, "bias": 0.4}
    rng = np.random.default_rng(4)
    exc, inh = np.sort(rng.uniform(0.0, 60.0, 40)), np.sort(rng.uniform(0.0, 60.0, 15))
    net = Network()
    cell = net.population("cells", 1, LIFAlpha(**p))
    for name, times, weight, port in (
        ("e", exc, 1.0, "excitatory"),
        ("i", inh, -0.8, "inhibitory"),
    ):
        source = net.population(name, 1, SpikeTimes(times))
        net.projection(source, cell, all_to_all(), weight=weight, delay=0.25, port=port)
    net.record_spikes(cell)
    engine = Reference(net)
    engine.run(60.0)
    spikes = engine.spikes("cells")[0]
    assert spikes.size > 4

    def slope(t: float, v: np.ndarray) -> np.ndarray:
        total = 0.4
        for times, weight, tau in ((exc, 1.0, 2.0), (inh, -0.8, 4.0)):
            s = t - times[times + 0.25 <= t] - 0.25
            total += weight * (e / tau * s * np.exp(-s / tau)).sum()
        return (total - v) / 10.0

    start = 0.0
    for t in spikes:
        # The slope has a kink at each arrival: short steps step over them.
        run = solve_ivp(slope, (start, t), [0.0], "DOP853", max_step=0.02, rtol=1e-10, atol=1e-12)
        assert run.y[0, -1] == pytest.approx(1.0, abs=1e-6)
        assert (run.y[0, :-1] < 1.0).all()
        start = t + 1.5


@pytest.mark.slow
def test_compiled_equals_readable() -> None:
    model = LIFAlpha(bias=0.5, theta_plus=0.1, t_ref=1.0)
    assert_engines_agree(small_network(model, 1.5, -0.5), 60.0)


@pytest.mark.parametrize("name", ["tau_m", "tau_exc", "tau_inh", "tau_theta"])
def test_time_constants_are_positive(name: str) -> None:
    with pytest.raises(ModelError, match=name):
        LIFAlpha(**{name: 0.0})


def test_a_drive_that_underflows_before_the_search_ends_keeps_its_sign() -> None:
    """Two decays far apart under a bias that fires: the search is long, and at its end the faster
    of them has vanished."""
    model = LIFAlpha(tau_m=1.4, tau_exc=17.4, tau_inh=11.0, bias=1.08)
    state = {"v": 0.53, "i_exc": 11.4, "d_inh": -1.1}
    assert assert_first_crossing(model, state, 100.0) < 0.1
