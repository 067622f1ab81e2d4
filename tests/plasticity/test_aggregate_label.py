"""Aggregate labels: the critical threshold by brute force and in many digits, its derivatives by
finite differences, and a neuron that learns to count."""

from __future__ import annotations

from math import exp, isnan
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import SpikeTimes
from neurons import SRM, LIFExp, noisy_threshold
from plasticity import AggregateLabel
from plasticity._critical_threshold import (
    ETDP,
    MST,
    TDP,
    Trial,
    critical_threshold,
    gradient,
    spike_times,
)
from simulator import (
    ModelError,
    Network,
    Simulation,
    TrialRecord,
    all_to_all,
    normal,
    uniform,
)
from simulator.reference import Reference

TAU_M, TAU_S = 20.0, 5.0
GAIN = 4.0 ** (4.0 / 3.0) / 3.0
N = 30


def kernel(x: Any) -> Any:
    x = np.maximum(x, 0.0)
    return GAIN * (np.exp(-x / TAU_M) - np.exp(-x / TAU_S))


def trial(
    seed: int,
    rate_hz: float = 12.0,
    end: float = 300.0,
    mean: float = 0.15,
    spread: float = 0.2,
    rest: tuple[float, float] = (0.0, 0.0),
) -> Trial:
    """A random one: Poisson arrivals at N synapses of both signs."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(N * rate_hz * end / 1000.0)
    times, synapse = np.sort(rng.uniform(0.0, end, n)), rng.integers(0, N, n)
    weights = rng.normal(mean, spread, N)
    return Trial(times, synapse, weights, end, *rest, TAU_M, TAU_S, GAIN)


def count_by_scan(one: Trial, theta: float, step: float = 0.01) -> int:
    """The spikes under a threshold, found by looking every hundredth of a millisecond and at the
    arrivals."""
    t = np.unique([*np.arange(0.0, one.end + step / 2, step), *one.times])
    v = one.slow * np.exp(-t / TAU_M) - one.fast * np.exp(-t / TAU_S)
    for when, k in zip(one.times, one.synapse, strict=True):
        v += one.weights[k] * kernel(t - when)
    n, start = 0, 0
    while True:
        above = np.flatnonzero(v[start:] >= theta)
        if not above.size:
            return n
        i = start + int(above[0])
        share = (theta - v[i - 1]) / (v[i] - v[i - 1]) if i else 1.0
        spike = t[i] - (1.0 - share) * (t[i] - t[i - 1] if i else 0.0)
        v[i:] -= theta * np.exp(-(t[i:] - spike) / TAU_M)
        n, start = n + 1, i


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 6))
def test_the_critical_threshold_is_where_a_scan_loses_a_spike(seed: int, k: int) -> None:
    one = trial(seed, end=80.0)
    theta, t, before = critical_threshold(one, 1.0, k)
    if isnan(theta):
        assert count_by_scan(one, 1e-3) < k
        return
    assert count_by_scan(one, theta * (1.0 - 1e-4) - 1e-6) >= k
    assert count_by_scan(one, theta * (1.0 + 1e-4) + 1e-6) < k
    assert before.size < k
    assert np.all(before < t)
    assert t <= one.end


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), v=st.floats(-1.0, 2.0), i=st.floats(-1.0, 2.0))
def test_the_number_of_spikes_never_rises_with_the_threshold(seed: int, v: float, i: float) -> None:
    one = trial(seed, rest=(v + GAIN * i, GAIN * i))
    counts = [spike_times(one, theta, 300).size for theta in np.geomspace(0.05, 4.0, 60)]
    assert np.all(np.diff(counts) <= 0)


def test_the_spikes_are_those_of_the_engine() -> None:
    one = trial(3)
    net = Network()
    source = net.population("in", N, SpikeTimes(one.times, one.synapse))
    cell = net.population("cell", 1, SRM(tau_m=TAU_M, tau_s=TAU_S, v_th=0.8))
    net.projection(source, cell, all_to_all(), weight=one.weights[:, None])
    engine = Reference(net)
    engine.run(one.end)
    expected = engine.spikes("cell")[0]
    assert expected.size > 10
    np.testing.assert_allclose(spike_times(one, 0.8, 100), expected, rtol=0, atol=1e-10)


def test_one_arrival_peaks_at_its_weight() -> None:
    one = Trial(np.array([3.0]), np.array([0]), np.array([0.7]), 50.0, 0, 0, TAU_M, TAU_S, GAIN)
    theta, t, before = critical_threshold(one, 1.0, 1)
    peak = 3.0 + np.log(4.0) * TAU_M * TAU_S / 15.0
    assert (theta, t, before.size) == (pytest.approx(0.7, rel=1e-13), pytest.approx(peak), 0)
    early = critical_threshold(one._replace(end=6.0), 1.0, 1)
    assert early[:2] == (pytest.approx(0.7 * kernel(3.0), rel=1e-13), 6.0)


def test_a_second_spike_in_many_digits() -> None:
    """V(t_1) = V(t*) = theta and V'(t*) = 0, solved with 40 digits."""
    one = Trial(
        np.array([0.0, 25.0]),
        np.array([0, 1]),
        np.array([1.0, 0.9]),
        90.0, 0.0, 0.0, TAU_M, TAU_S, GAIN,
    )  # fmt: skip
    theta, t, before = critical_threshold(one, 1.0, 2)
    assert before.size == 1
    with mpmath.workdps(40):
        b = mpmath.mpf(4)
        gain = b ** (b / (b - 1)) / (b - 1)

        def k(x: Any, slope: bool = False) -> Any:
            a, c = (-1 / mpmath.mpf(20), -1 / mpmath.mpf(5)) if slope else (1, 1)
            return gain * (a * mpmath.exp(-x / 20) - c * mpmath.exp(-x / 5)) if x > 0 else 0

        def conditions(h: Any, t_1: Any, t_2: Any) -> list[Any]:
            reset = h * mpmath.exp(-(t_2 - t_1) / 20)
            w = mpmath.mpf(0.9)
            return [
                k(t_1) - h,
                k(t_2) + w * k(t_2 - 25) - reset - h,
                k(t_2, True) + w * k(t_2 - 25, True) + reset / 20,
            ]

        exact = mpmath.findroot(conditions, (theta, before[0], t))
    assert theta == pytest.approx(float(exact[0]), rel=1e-13)
    assert before[0] == pytest.approx(float(exact[1]), rel=1e-11)
    assert t == pytest.approx(float(exact[2]), rel=1e-11)


def test_what_a_trial_begins_with_counts_like_arrivals_before_it() -> None:
    one = trial(6)
    begin = float(one.times[20]) + 0.5
    heard = one.times < begin
    w = GAIN * one.weights[one.synapse[heard]]
    slow = float((w * np.exp(-(begin - one.times[heard]) / TAU_M)).sum())
    fast = float((w * np.exp(-(begin - one.times[heard]) / TAU_S)).sum())
    late = one._replace(
        times=one.times[~heard] - begin, synapse=one.synapse[~heard], end=one.end - begin,
        slow=slow, fast=fast,
    )  # fmt: skip
    whole, rest = critical_threshold(one, 1.0, 1), critical_threshold(late, 1.0, 1)
    assert whole[1] > begin
    assert rest[0] == pytest.approx(whole[0], rel=1e-12)
    assert rest[1] + begin == pytest.approx(whole[1])


CASES = [(seed, k) for seed in range(8) for k in (1, 3, 6, 10)]


def test_the_derivative_is_that_of_finite_differences() -> None:
    where = []
    for seed, k in CASES:
        one = trial(seed, rest=(0.3, 0.2) if seed % 2 else (0.0, 0.0))
        theta, t, before = critical_threshold(one, 1.0, k)
        found = gradient(one, theta, t, before, MST, 0.0)
        expected, step = np.empty(N), 3e-7
        for i in range(N):
            ends = []
            for sign in (1.0, -1.0):
                w = one.weights.copy()
                w[i] += sign * step
                ends.append(critical_threshold(one._replace(weights=w), 1.0, k)[0])
            expected[i] = (ends[0] - ends[1]) / (2.0 * step)
        assert np.linalg.norm(found - expected) <= 1e-6 * np.linalg.norm(expected)
        cusp = one.weights[one.synapse[one.times == t]]
        where.append("cusp" if cusp.size else "last" if before.size == k - 1 else "inner")
        assert np.all(cusp < 0.0)
    assert {name: where.count(name) > 3 for name in where} == {
        "cusp": True,
        "last": True,
        "inner": True,
    }


def test_the_printed_derivatives_are_those_of_their_equations() -> None:
    """ETDP is kappa times the exact one; TDP by its equations, with dense sums."""
    longest = 1.0
    for seed, k in CASES:
        one = trial(seed)
        theta, t, before = critical_threshold(one, 1.0, k)
        x = np.append(before, t)
        e = np.where(x[:, None] > x, np.exp(-np.maximum(x[:, None] - x, 0.0) / TAU_M), 0.0)
        c, m, pull = 1.0 + e.sum(axis=1), before.size, theta / TAU_M
        age = np.maximum(x[:, None] - one.times, 0.0)
        fast = -np.exp(-age / TAU_S) / TAU_S
        slope = GAIN * (-np.exp(-age / TAU_M) / TAU_M - fast) * (age > 0.0)
        rise = slope @ one.weights[one.synapse] + pull * (c - 1.0)
        b = np.zeros(m)
        for j in range(m):
            b[j] = (c[j] + pull * e[j, :j] @ b[:j]) / rise[j]
        kappa = 1.0 + pull * (e[m, :m] @ b) / c[m]
        exact, printed = (gradient(one, theta, t, before, mode, 0.0) for mode in (MST, ETDP))
        np.testing.assert_allclose(printed, kappa * exact, rtol=0, atol=1e-9 * kappa)
        longest = max(longest, kappa)
        heard = kernel(age) @ (one.synapse[:, None] == np.arange(N))
        shifts = e[m, :m, None] * heard[:m] / rise[:m, None]
        tdp = heard[m] + pull * shifts.sum(axis=0)
        np.testing.assert_allclose(gradient(one, theta, t, before, TDP, 0.0), tdp, atol=1e-9)
        # A floor that stops all spikes leaves the first term.
        still = gradient(one, theta, t, before, ETDP, 1e12)
        np.testing.assert_allclose(still, heard[m] / c[m], atol=1e-9)
    assert longest > 1.5


def test_inhibition_alone_has_no_critical_threshold() -> None:
    one = trial(1, mean=-0.5, spread=0.1)
    assert isnan(critical_threshold(one, 1.0, 1)[0])


# -- the rule ----------------------------------------------------------------------------------


def record(one: Trial, fired: int) -> TrialRecord:
    ports, spikes = np.zeros(N, np.int64), np.arange(float(fired))
    state = SRM.State(0.0, 0.0, 0.0)
    return TrialRecord(one.times, one.synapse, one.weights, ports, state, spikes, one.end)


@pytest.mark.parametrize("mode", ["mst", "etdp", "tdp"])
def test_a_step_moves_the_threshold_of_one_spike_the_right_way(mode: str) -> None:
    one, neuron = trial(2), SRM(tau_m=TAU_M, tau_s=TAU_S).parameters
    fired = spike_times(one, 1.0, 100).size
    assert fired > 2
    p = AggregateLabel(mode, rate=1e-4, slope_floor=0.0).parameters
    for label, k in ((fired + 3, fired + 1), (fired - 2, fired)):
        new = AggregateLabel.on_feedback(record(one, fired), float(label), neuron, p)
        theta, t, before = critical_threshold(one, 1.0, k)
        kind = ("mst", "etdp", "tdp").index(mode)
        d = gradient(one, theta, t, before, kind, 0.0)
        np.testing.assert_allclose(new, one.weights + np.sign(label - fired) * 1e-4 * d)
        moved = critical_threshold(one._replace(weights=new), 1.0, k)[0] - theta
        assert np.sign(moved) == np.sign(label - fired)
    same = AggregateLabel.on_feedback(record(one, fired), float(fired), neuron, p)
    assert np.array_equal(same, one.weights)


def test_a_neuron_that_nothing_brings_to_fire_gets_a_small_step() -> None:
    one, neuron = trial(1, rate_hz=2.0, mean=-0.5, spread=0.1), SRM().parameters
    p = AggregateLabel(silent_step=0.01).parameters
    active = np.isin(np.arange(N), one.synapse)
    assert 0 < active.sum() < N
    before = one.weights.copy()
    new = AggregateLabel.on_feedback(record(one, 0), 1.0, neuron, p)
    np.testing.assert_allclose(new, before + 0.01 * active)
    # It fired with other weights than it has by now: nothing is to be taken away.
    again = record(one, 2)
    assert np.array_equal(AggregateLabel.on_feedback(again, 1.0, neuron, p), again.weights)


def counting(engine: type[Simulation | Reference], epochs: int) -> tuple[Any, list[list[int]]]:
    """Two neurons that hear the same trial again and again, and are to fire 5 and 3 times."""
    net = Network(seed=3)
    inputs = net.population("in", 40, SpikeTimes([]))
    cells = net.population("cells", 2, SRM())
    rule = AggregateLabel("etdp", rate=3e-3)
    weights, delays = normal(0.05, 0.05), uniform(0.0, 3.0)
    net.projection(inputs, cells, all_to_all(), weights, delays, rule=rule)
    net.record_spikes(cells)
    rng = np.random.default_rng(1)
    spikes = {"in": (rng.uniform(0.0, 200.0, 120), rng.integers(0, 40, 120))}
    one, counts = engine(net), []
    for _ in range(epochs):
        one.set_state("cells", "v", 0.0)
        one.set_state("cells", "i", 0.0)
        one.forget()
        start = one.time
        one.begin_trial("cells")
        one.trial(210.0, spikes)
        times, neurons = one.spikes("cells")
        counts.append(np.bincount(neurons[times > start], minlength=2).tolist())
        one.feedback("cells", [5, 3])
    return one, counts


def test_two_neurons_learn_to_count_in_a_few_trials() -> None:
    counts = counting(Reference, 9)[1]
    assert counts[0] == [2, 2]
    assert counts[-1] == [5, 3]


@pytest.mark.slow
def test_both_engines_learn_the_same_weights() -> None:
    simulation, counts = counting(Simulation, 6)
    reference, expected = counting(Reference, 6)
    assert counts == expected
    stored = simulation.weights("in->cells").ravel()
    order = simulation.compiled.orders["in->cells"]
    stored = stored if order is None else stored[order]
    assert np.array_equal(stored, reference.weights("in->cells"))


def test_the_rule_says_what_it_is() -> None:
    rule = AggregateLabel("tdp", rate=0.01)
    assert (
        repr(rule) == "AggregateLabel(mode='tdp', rate=0.01, slope_floor=0.01, silent_step=0.001)"
    )


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"mode": "bptt"}, "must be one of"),
        ({"rate": 0.0}, "rate = 0"),
        ({"slope_floor": -1.0}, "slope_floor = -1"),
        ({"momentum": 0.9}, "no parameter 'momentum'"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(ModelError, match=text):
        AggregateLabel(**wrong)


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (LIFExp(), "model SRM, not LIFExp"),
        (noisy_threshold(SRM)(), "model SRM, not"),
        (SRM(bias=0.1), "bias = 0"),
        (SRM(theta_plus=0.1), "theta_plus = 0"),
        (SRM(tau_m=5.0, tau_s=20.0), "tau_m must be larger"),
    ],
)
def test_neurons_that_it_is_not_for_are_refused(model: Any, text: str) -> None:
    net = Network()
    inputs, cells = net.population("in", 2, SpikeTimes([])), net.population("cells", 1, model)
    with pytest.raises(ModelError, match=text):
        net.projection(inputs, cells, all_to_all(), rule=AggregateLabel())


@pytest.mark.parametrize("label", [-1, 2.5])
def test_labels_are_counts(label: float) -> None:
    net = Network()
    inputs, cells = net.population("in", 2, SpikeTimes([])), net.population("cells", 1, SRM())
    net.projection(inputs, cells, all_to_all(), rule=AggregateLabel())
    engine = Reference(net)
    engine.begin_trial("cells")
    engine.run(5.0)
    with pytest.raises(ModelError, match="numbers of spikes"):
        engine.feedback("cells", label)
    engine.feedback("cells", 0)


def test_the_kernel_peaks_at_one() -> None:
    assert kernel(np.log(4.0) * 100.0 / 15.0) == pytest.approx(1.0, rel=1e-14)
    assert kernel(3.0) == pytest.approx(GAIN * (exp(-0.15) - exp(-0.6)))
