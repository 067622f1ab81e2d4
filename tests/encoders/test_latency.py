"""The latency code against its differential equation, and what an engine may rely on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from encoders import CircularLatency, LatencyCode
from simulator import Network
from simulator.errors import ModelError, NetworkError

CODE = CircularLatency()
UNIT = st.floats(0.0, 1.0)


def no_stream(chunk):
    raise AssertionError("a code without noise draws nothing")


def all_spikes(code, n_chunks=1):
    parts = [code.spikes(k, code.n_values * code.code.fields, no_stream) for k in range(n_chunks)]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def integrated_latency(current, code, steps=200_000):
    """First crossing by the classical Runge-Kutta method, refined by Newton on the last step."""
    h, v, t = code.on_ms / steps, 0.0, 0.0
    slope = lambda v: (current - v) / code.tau  # noqa: E731
    while t < code.on_ms:
        k1 = slope(v)
        k2 = slope(v + 0.5 * h * k1)
        k3 = slope(v + 0.5 * h * k2)
        k4 = slope(v + h * k3)
        new = v + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6
        if new >= code.threshold:
            return t + (code.threshold - v) / slope(0.5 * (v + code.threshold))
        v, t = new, t + h
    return math.inf


@pytest.mark.parametrize("value", [0.0, 0.15, 0.4321, 0.85, 1.0])
def test_latencies_are_those_of_the_integrated_neurons(value):
    latencies = CODE.latencies(value)
    for z in (0, 4, 9):
        d = abs(value - (0.05 + 0.1 * z))
        current = math.exp(-(min(d, 1 - d) ** 2) / (2 * 0.6**2))
        assert latencies[z] == pytest.approx(integrated_latency(current, CODE), abs=1e-9)
        assert latencies[z] == pytest.approx(10 * math.log(current / (current - 0.5)), abs=1e-12)


def test_the_range_of_latencies_is_that_of_the_source():
    at_centre = CODE.latencies(0.45)
    assert at_centre.argmin() == 4
    assert at_centre.min() == pytest.approx(10 * math.log(2), abs=1e-12)  # 6.931 ms
    assert at_centre.argmax() == 9
    assert at_centre.max() == pytest.approx(12.2951, abs=1e-4)


@given(UNIT)
def test_a_shift_by_one_field_turns_the_pattern_by_one_field(value):
    shifted = (value + 0.1) % 1.0
    turned = np.roll(CODE.latencies(value), 1)
    np.testing.assert_allclose(CODE.latencies(shifted), turned, atol=1e-9)


def test_fields_equally_far_from_a_value_fire_at_one_instant():
    # 0.15 lies on a centre: besides it and its antipode the fields come in pairs.
    assert np.unique(CODE.latencies(0.15)).size == 6
    assert np.unique(CODE.latencies(0.85)).size == 6
    assert np.unique(CODE.latencies([0.15, 0.85])).size == 6


@given(st.floats(0.01, 0.99), st.floats(0.1, 5.0))
def test_weights_that_peak_at_a_value_decode_to_it(value, concentration):
    angle = 2 * np.pi * (CODE.centres - value)
    assert CODE.decode(np.exp(concentration * np.cos(angle))) == pytest.approx(value, abs=1e-3)


def test_decoding_is_the_printed_formula():
    weights = np.array([[0.2, 0.9, 0.4, 0, 0, 0, 0, 0, 0, 0.1], [0.0] * 9 + [1.0]])
    for w, decoded in zip(weights, CODE.decode(weights), strict=True):
        mu = 0.05 + 0.1 * np.arange(10)
        c = sum(w * np.cos(2 * np.pi * mu)) / sum(w)
        s = sum(w * np.sin(2 * np.pi * mu)) / sum(w)
        assert decoded == pytest.approx((math.atan2(-s, -c) + math.pi) / (2 * math.pi), abs=1e-14)


@given(
    npst.arrays(float, st.tuples(st.integers(1, 7), st.integers(1, 3)), elements=UNIT),
    st.integers(1, 4),
)
def test_spikes_do_not_depend_on_the_chunks(patterns, per_chunk):
    whole = all_spikes(LatencyCode(patterns))
    cut = all_spikes(
        LatencyCode(patterns, patterns_per_chunk=per_chunk), -(-len(patterns) // per_chunk)
    )
    np.testing.assert_array_equal(whole[0], cut[0])
    np.testing.assert_array_equal(whole[1], cut[1])


@given(npst.arrays(float, st.tuples(st.integers(1, 5), st.integers(1, 4)), elements=UNIT))
def test_every_neuron_fires_once_a_presentation_in_order(patterns):
    times, neurons = all_spikes(LatencyCode(patterns))
    n, size = len(patterns), patterns.shape[1] * 10
    assert times.size == n * size
    order = np.lexsort((neurons, times))
    np.testing.assert_array_equal(order, np.arange(times.size))
    expected = CODE.latencies(patterns).reshape(n, size) + 25.0 * np.arange(n)[:, None]
    got = np.empty((n, size))
    got[np.repeat(np.arange(n), size), neurons] = times
    np.testing.assert_array_equal(got, expected)


def test_times_that_rounding_makes_equal_go_by_neuron():
    # After 2^40 ms a step of the number is 2e-4 ms: latencies closer than that fall together.
    patterns = np.array([[0.31, 0.3100001]])
    code = LatencyCode(patterns, CircularLatency(period_ms=2.0**40), patterns_per_chunk=1)
    code.n_patterns = 2
    code._level = np.concatenate([code._level, code._level])
    times, neurons = code.spikes(1, 20, no_stream)
    assert np.unique(times).size < np.unique(CODE.latencies(patterns)).size
    np.testing.assert_array_equal(np.lexsort((neurons, times)), np.arange(20))


def test_after_the_last_pattern_the_source_is_silent():
    code = LatencyCode([[0.5]], patterns_per_chunk=1)
    assert code.spikes(1, 10, no_stream)[0].size == 0
    assert code.duration_ms == 25.0


@given(UNIT, st.integers(0, 3000))
def test_equal_values_fire_at_one_instant_in_every_presentation(value, repeats):
    """An engine then takes their neurons together: ten instants for thirty neurons."""
    code = LatencyCode([[value, value, 1 - value, value]] * 2, patterns_per_chunk=1)
    code._level, code.n_patterns = np.repeat(code._level[:1], 3002, axis=0), 3002
    times, neurons = code.spikes(repeats, 40, no_stream)
    for z in range(10):
        same = np.isin(neurons, [z, 10 + z, 30 + z])
        assert np.unique(times[same]).size == 1


def test_a_population_of_another_size_is_refused():
    with pytest.raises(NetworkError, match=r"'u' has 12 neurons; the code needs 2 values x 10"):
        Network().population("u", 12, LatencyCode([[0.1, 0.2]]))


@pytest.mark.parametrize(
    ("patterns", "text"),
    [
        ([[0.5, math.nan]], r"patterns\[0, 1\] = nan; values on the ring lie in \[0, 1\]"),
        ([[0.5], [1.5]], r"patterns\[1, 0\] = 1.5"),
        ([[-1e-9]], r"patterns\[0, 0\] = -1e-09"),
        ([0.5], r"patterns of shape \(1,\); \(n_patterns, n_values\) is needed"),
        (np.empty((0, 3)), r"patterns of shape \(0, 3\)"),
    ],
)
def test_bad_patterns_are_named(patterns, text):
    with pytest.raises(ModelError, match=text):
        LatencyCode(patterns)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"tau": math.nan}, "tau = nan; a finite number > 0"),
        ({"sigma": 0}, "sigma = 0; a finite number > 0"),
        ({"fields": 2.5}, "fields = 2.5; a whole number"),
        ({"fields": "ten"}, "fields = 'ten'; a number is needed"),
        ({"threshold": 1.0}, "threshold = 1.0; it must be below 1"),
        ({"period_ms": 10.0}, "period_ms = 10.0 is shorter than the current"),
        ({"t_ref": 1.0}, "is ready again 1 ms later, while the current still flows"),
    ],
)
def test_bad_codes_are_named(parameters, text):
    with pytest.raises(ModelError, match=text):
        CircularLatency(**parameters)


def test_a_field_that_does_not_fire_in_time_is_named():
    with pytest.raises(ModelError, match=r"value 0.05 drives field 3 \(centre 0.35\).*17\.39"):
        CircularLatency(sigma=0.3).latencies([0.05])
    with pytest.raises(ModelError, match=r"value 0.05 drives field 4 .* 0.4111, which never"):
        CircularLatency(sigma=0.3, fields=10, on_ms=100.0, period_ms=100.0, t_ref=99.0).latencies(
            [[0.05]]
        )
    with pytest.raises(ModelError, match=r"value 0.05 drives field 5 .* after 12\.29.* ms"):
        CircularLatency(on_ms=12.0).latencies(0.05)
    with pytest.raises(ModelError, match="patterns_per_chunk = 0"):
        LatencyCode([[0.5]], patterns_per_chunk=0)
    with pytest.raises(ModelError, match=r"shape \(3,\); the last axis"):
        CODE.decode([1.0, 2.0, 3.0])
