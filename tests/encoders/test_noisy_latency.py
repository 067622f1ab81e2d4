"""The noisy latency code: exact without noise, the right noise with it, and streams of its own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from encoders import CircularLatency, LatencyCode, NoisyLatencyCode
from neurons import LIFExp
from simulator import Network, all_to_all
from simulator.errors import ModelError
from simulator.reference import Reference
from simulator.seeds import generator

PATTERNS = np.random.default_rng(5).uniform(0, 1, (9, 3))


def stream(chunk):
    return generator(7, "source", "u", counter=chunk)


def spikes(source, n_chunks=1):
    size = source.n_values * source.code.fields
    parts = [source.spikes(k, size, stream) for k in range(n_chunks)]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def test_without_noise_it_is_the_closed_form():
    exact = LatencyCode(PATTERNS).spikes(0, 30, stream)
    times, neurons = spikes(NoisyLatencyCode(PATTERNS, 0.0))
    np.testing.assert_allclose(times, exact[0], rtol=0, atol=1e-10)
    # Fields that fire at one instant there are 1e-13 ms apart here.
    by_pattern = lambda t, i: np.lexsort((i, t // 25))  # noqa: E731
    np.testing.assert_array_equal(neurons[by_pattern(times, neurons)], exact[1][by_pattern(*exact)])


def integrated(current, eta, start, code, step, fine=400):
    """Spikes of one neuron by many small Euler steps inside every step of the noise."""
    v, ready, found = start, 0.0, []
    h = step / fine
    for k, number in enumerate(eta):
        for j in range(fine):
            t = k * step + j * h
            if t < ready:
                continue
            drive = number + (current if t < code.on_ms - 1e-9 else 0.0)
            new = v + h * (drive - v) / code.tau
            if new >= code.threshold:
                found.append(t + h * (code.threshold - v) / (new - v))
                ready, new = found[-1] + code.t_ref, 0.0
            v = new
    return found


@pytest.mark.parametrize("noise", [0.5, 3.0, 12.0])
def test_noisy_spikes_are_those_of_the_integrated_neurons(noise):
    code = CircularLatency(fields=2, sigma=0.6)
    source = NoisyLatencyCode(PATTERNS[:2, :1], noise, code)
    times, neurons = spikes(source)
    for p in range(2):
        rng = stream(p)
        spread = noise * math.sqrt(math.tanh(0.1 / 20.0))
        start = spread * rng.standard_normal(2)
        while (start >= 0.5).any():
            start[start >= 0.5] = spread * rng.standard_normal((start >= 0.5).sum())
        eta = noise * rng.standard_normal((250, 2))
        for z in range(2):
            current = code.activations(PATTERNS[p, 0])[z]
            expected = integrated(current, eta[:, z], start[z], code, 0.1)
            got = times[(neurons == z) & (times // 25 == p)] - 25 * p
            assert got.size == len(expected)
            np.testing.assert_allclose(got, expected, atol=2e-3)


def test_strong_noise_fires_neurons_early_often_and_not_at_all():
    n = 40
    source = NoisyLatencyCode(np.full((n, 3), 0.3), 6.0)
    times, neurons = spikes(source)
    counts = np.zeros((n, 30), int)
    np.add.at(counts, ((times // 25).astype(int), neurons), 1)
    assert counts.min() == 0
    assert counts.max() >= 2
    assert (times % 25).min() < 5.0  # without noise none comes before 6.9 ms
    for p, i in ((p, i) for p in range(n) for i in range(30)):
        own = times[(neurons == i) & (times // 25 == p)]
        assert (np.diff(own) >= 6.0 - 1e-9).all()


def test_the_start_has_the_stationary_variance():
    """Without input V is an autoregression; its variance is that of the draws at the onset."""
    rng, step, tau, noise = np.random.default_rng(0), 0.1, 10.0, 0.8
    decay = math.exp(-step / tau)
    v = np.zeros(4000)
    for _ in range(1500):
        drive = noise * rng.standard_normal(v.size)
        v = drive + (v - drive) * decay
    assert v.std() == pytest.approx(noise * math.sqrt(math.tanh(step / (2 * tau))), rel=0.05)


@pytest.mark.parametrize("per_chunk", [1, 2, 4, 9])
def test_spikes_do_not_depend_on_the_chunks(per_chunk):
    whole = spikes(NoisyLatencyCode(PATTERNS, 0.7, patterns_per_chunk=64))
    cut = spikes(NoisyLatencyCode(PATTERNS, 0.7, patterns_per_chunk=per_chunk), -(-9 // per_chunk))
    np.testing.assert_array_equal(whole[0], cut[0])
    np.testing.assert_array_equal(whole[1], cut[1])
    assert NoisyLatencyCode(PATTERNS, 0.7, patterns_per_chunk=9).spikes(1, 30, stream)[0].size == 0


def test_a_presentation_has_noise_of_its_own():
    """Another number of patterns, or another source beside it, changes nobody's noise."""

    def first_presentation(seed, n_patterns, with_another):
        net = Network(seed=seed)
        if with_another:
            net.population("other", 30, NoisyLatencyCode(PATTERNS, 1.0))
        u = net.population("u", 30, NoisyLatencyCode(PATTERNS[:n_patterns], 0.7))
        v = net.population("v", 1, LIFExp(v_th=1e3))
        net.projection(u, v, all_to_all())
        net.record_spikes(u)
        simulation = Reference(net)
        simulation.run(25.0)
        return simulation.spikes("u")

    reference = first_presentation(1, 9, False)
    for other in (first_presentation(1, 2, False), first_presentation(1, 9, True)):
        np.testing.assert_array_equal(reference[0], other[0])
        np.testing.assert_array_equal(reference[1], other[1])
    assert not np.array_equal(reference[0][:20], first_presentation(2, 9, False)[0][:20])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"noise": -0.1}, "noise = -0.1; a finite number >= 0"),
        ({"noise": math.nan}, "noise = nan"),
        ({"noise": 0.5, "step_ms": 0.0}, "step_ms = 0.0; a finite time > 0"),
        ({"noise": 0.5, "step_ms": 0.7}, "step_ms = 0.7 does not divide on_ms = 12.5 ms"),
        ({"noise": 0.5, "patterns_per_chunk": 0}, "patterns_per_chunk = 0"),
    ],
)
def test_bad_noise_is_named(arguments, text):
    with pytest.raises(ModelError, match=text):
        NoisyLatencyCode(PATTERNS, **arguments)
