"""SRM: the kernel, the definition by sums over spikes, closed-form peak, grazes."""

from __future__ import annotations

from math import exp, inf, log

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import SpikeTimes
from neurons import SRM
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


def kernel(x: np.ndarray, tau_m: float, tau_s: float) -> np.ndarray:
    """The normalised kernel as printed (Zhang et al., equation 2)."""
    b = tau_m / tau_s
    v_0 = b ** (b / (b - 1.0)) / (b - 1.0)
    return v_0 * (np.exp(-x / tau_m) - np.exp(-x / tau_s))


def test_the_kernel_has_unit_peak_and_the_printed_form() -> None:
    model = SRM(tau_m=20.0, tau_s=5.0)
    for t in (0.3, 2.0, 50.0):
        expected = kernel(np.array(t), 20.0, 5.0)
        assert after(model, {"i": 1.0}, t).v[0] == pytest.approx(expected, rel=1e-14)
    peak = log(4.0) * 20.0 * 5.0 / 15.0
    assert after(model, {"i": 1.0}, peak).v[0] == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize("tau_s", [10.0, 10.0 - 1e-9, 10.0 + 1e-9])
def test_equal_time_constants_give_the_alpha_function(tau_s: float) -> None:
    model = SRM(tau_m=10.0, tau_s=tau_s)
    for t in (0.5, 10.0, 30.0):
        expected = t / 10.0 * exp(1.0 - t / 10.0)
        assert after(model, {"i": 1.0}, t).v[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("decade", range(1, 17))
def test_the_kernel_at_every_distance_of_the_time_constants(decade: int, sign: int) -> None:
    tau_s = 10.0 * (1.0 + sign * 10.0**-decade)
    model = SRM(tau_m=10.0, tau_s=tau_s)
    with mpmath.workdps(60):
        b = 10 / mpmath.mpf(tau_s)
        for t in (1e-5, 0.5, 10.0, 60.0):
            expected = t / mpmath.mpf(10) * mpmath.exp(1 - t / mpmath.mpf(10))
            if b != 1:
                slow, fast = mpmath.exp(-mpmath.mpf(t) / 10), mpmath.exp(-t / mpmath.mpf(tau_s))
                expected = b ** (b / (b - 1)) / (b - 1) * (slow - fast)
            assert abs(after(model, {"i": 1.0}, t).v[0] / expected - 1) <= 4e-16 * (5.0 + t)


def test_the_time_constants_commute() -> None:
    a, b = SRM(tau_m=20.0, tau_s=5.0), SRM(tau_m=5.0, tau_s=20.0)
    assert after(a, {"i": 1.0}, 3.0).v[0] == pytest.approx(after(b, {"i": 1.0}, 3.0).v[0])


def test_a_graze_fires_and_a_near_miss_does_not() -> None:
    model = SRM(tau_m=20.0, tau_s=5.0)
    peak = log(4.0) * 20.0 * 5.0 / 15.0
    assert crossing(model, {"i": 1.0 + 1e-14}) == pytest.approx(peak, abs=1e-5)
    assert crossing(model, {"i": 1.0 - 1e-14}) == inf


@settings(max_examples=80, deadline=None)
@given(
    v=st.floats(-3.0, 1.0, exclude_max=True),
    i=st.floats(-3.0, 8.0),
    theta=st.sampled_from([0.0, 0.0, 0.2, 1.5]),
    tau_m=st.sampled_from([3.0, 5.0, 20.0]),
    tau_s=st.sampled_from([0.5, 5.0, 12.0]),
    tau_theta=st.sampled_from([1.0, 5.0, 100.0]),
)
def test_the_first_crossing_is_where_a_scan_says(
    v: float, i: float, theta: float, tau_m: float, tau_s: float, tau_theta: float
) -> None:
    model = SRM(tau_m=tau_m, tau_s=tau_s, theta_plus=0.1, tau_theta=tau_theta)
    assert_first_crossing(model, {"v": v, "i": i, "theta": theta}, 6.0 * (tau_m + tau_theta))


def test_a_small_network_obeys_the_definition() -> None:
    """Equation 1 as printed, from all arrivals and spikes, at and between the spikes found."""
    rng = np.random.default_rng(8)
    arrivals = np.sort(rng.uniform(0.0, 200.0, 120))
    weights = rng.uniform(-0.15, 0.5, arrivals.size)
    net = Network()
    source = net.population("in", arrivals.size, SpikeTimes(arrivals, np.arange(arrivals.size)))
    cell = net.population("cells", 1, SRM(tau_m=20.0, tau_s=5.0))
    net.projection(source, cell, all_to_all(), weight=weights[:, None], delay=0.0)
    net.record_spikes(cell)
    engine = Reference(net)
    engine.run(200.0)
    spikes = engine.spikes("cells")[0]
    assert spikes.size > 10

    def potential(t: float) -> float:
        heard = arrivals < t
        psp = weights[heard] * kernel(t - arrivals[heard], 20.0, 5.0)
        return float(psp.sum() - np.exp(-(t - spikes[spikes < t]) / 20.0).sum())

    for t in spikes:
        assert potential(t) == pytest.approx(1.0, abs=1e-12)
    for t in np.linspace(0.0, 200.0, 4001):
        if np.abs(spikes - t).min() > 1e-6:
            assert potential(t) < 1.0


def test_several_thresholds_at_once_are_one_spike() -> None:
    net = Network()
    cell = net.population("cells", 3, SRM(v_th=0.5), {"v": [0.4, 0.5, 1.7]})
    net.record_spikes(cell)
    engine = Reference(net)
    engine.run(5.0)
    times, neurons = engine.spikes("cells")
    assert list(zip(times.tolist(), neurons.tolist(), strict=True)) == [(0.0, 1), (0.0, 2)]
    model = SRM(v_th=0.5)
    n = neuron(model, v=1.7)
    model.fire(n, 0, model.parameters)
    assert n.v[0] == pytest.approx(0.2)


@pytest.mark.slow
def test_compiled_equals_readable() -> None:
    assert_engines_agree(small_network(SRM(theta_plus=0.1), 0.8, -0.2), 60.0, tolerance=1e-12)


@pytest.mark.parametrize("name", ["tau_m", "tau_s", "v_th", "tau_theta"])
def test_bad_parameters_are_named(name: str) -> None:
    with pytest.raises(ModelError, match=name):
        SRM(**{name: 0.0})
