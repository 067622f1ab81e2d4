"""CurrentLatency: the closed form against a neuron that integrates the current, and chunks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from encoders import CircularLatency, CurrentLatency, LatencyCode
from neurons import LIFDelta
from simulator import ModelError, Network, NetworkError
from simulator.reference import Reference
from tests.neurons.support import crossing


def spikes(source: CurrentLatency, size: int) -> tuple[np.ndarray, np.ndarray]:
    net = Network()
    net.population("in", size, source)
    net.record_spikes("in")
    engine = Reference(net)
    engine.run(source.duration_ms + 100.0)
    return engine.spikes("in")


def test_latencies_are_those_of_an_integrating_neuron() -> None:
    source = CurrentLatency([[0.0]], tau=8.0, threshold=0.7, on_ms=30.0, period_ms=40.0)
    currents = np.array([-1.0, 0.0, 0.5, 0.7, 0.7000001, 0.72, 1.0, 5.0, 1e9])
    found = source.latencies(currents)
    for current, latency in zip(currents, found, strict=True):
        model = LIFDelta(tau_m=8.0, v_th=0.7, bias=float(current), v_reset=-1.0)
        expected = crossing(model, {})
        assert latency == pytest.approx(expected if expected <= 30.0 else np.inf, rel=1e-14)
    assert np.isinf(found[:5]).all()
    assert np.isfinite(found[5:]).all()


@pytest.mark.parametrize("per_chunk", [1, 2, 100])
def test_presentations_follow_each_other(per_chunk: int) -> None:
    currents = np.array([[2.0, 4.0, 0.5], [4.0, 4.0, 4.0], [0.0, 0.0, 3.0]])
    times, neurons = spikes(CurrentLatency(currents, patterns_per_chunk=per_chunk), 3)
    fast, slow, mid = (10.0 * np.log(i / (i - 1.0)) for i in (4.0, 2.0, 3.0))
    expected = [fast, slow, 25.0 + fast, 25.0 + fast, 25.0 + fast, 50.0 + mid]
    np.testing.assert_allclose(times, expected, rtol=1e-14)
    assert neurons.tolist() == [1, 0, 0, 1, 2, 2]


def test_the_ring_code_is_this_one_on_its_activations() -> None:
    code = CircularLatency()
    values = np.random.default_rng(1).uniform(0.0, 1.0, (4, 3))
    currents = code.activations(values).reshape(4, -1)
    here = CurrentLatency(currents, code.tau, code.threshold, code.on_ms, code.period_ms)
    ring = LatencyCode(values, code).spikes(0, 30, lambda _: np.random.default_rng())
    mine = here.spikes(0, 30, lambda _: np.random.default_rng())
    np.testing.assert_allclose(mine[0], ring[0], rtol=1e-14)
    np.testing.assert_array_equal(mine[1][np.argsort(mine[1])], ring[1][np.argsort(ring[1])])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"tau": 0.0}, r"tau = 0\.0"),
        ({"threshold": np.nan}, "threshold = nan"),
        ({"on_ms": 30.0}, r"on_ms = 30\.0 is longer than period_ms = 25\.0"),
        ({"patterns_per_chunk": 0}, "patterns_per_chunk = 0"),
        ({"currents": [1.0]}, r"patterns of shape \(1,\)"),
        ({"currents": [[1.0, np.inf]]}, r"current \[0, 1\] = inf"),
    ],
)
def test_what_makes_no_sense_is_named(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ModelError, match=text):
        CurrentLatency(**{"currents": [[1.0]], **arguments})


def test_a_population_of_another_size_is_refused() -> None:
    with pytest.raises(NetworkError, match="'in' has 3 neurons; the code needs 2 values"):
        Network().population("in", 3, CurrentLatency([[1.0, 2.0]]))
