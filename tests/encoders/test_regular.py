"""Regular sources: exact times whatever the chunks, phases, bad input."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import Regular
from simulator import ModelError, Network, NetworkError
from simulator.reference import Reference
from simulator.seeds import generator


def stream(chunk: int) -> np.random.Generator:
    return generator(0, counter=chunk)


def test_a_train_is_computed_not_accumulated() -> None:
    times, neurons = Regular(interval_ms=0.1, phase_ms=0.05).train(0.0, 1000.0)
    assert times.tolist() == [0.05 + k * 0.1 for k in range(10_000)]
    assert not neurons.any()


def test_rate_is_the_inverse_of_the_interval() -> None:
    times, neurons = Regular(rate_hz=[10.0, 40.0], phase_ms=[0.0, 5.0]).train(0.0, 100.0)
    assert times[neurons == 0].tolist() == [0.0]
    assert times[neurons == 1].tolist() == [5.0, 30.0, 55.0, 80.0]


@settings(max_examples=60, deadline=None)
@given(
    interval=st.floats(0.01, 300.0),
    phase=st.floats(0.0, 500.0),
    cuts=st.lists(st.floats(0.0, 400.0), max_size=6),
)
def test_pieces_join_without_gap_or_repetition(
    interval: float, phase: float, cuts: list[float]
) -> None:
    source = Regular(interval, phase_ms=phase)
    edges = [0.0, *sorted(cuts), 400.0]
    pieces = [source.train(a, b)[0] for a, b in pairwise(edges)]
    expected = phase + np.arange(50_000) * interval
    assert np.concatenate(pieces).tolist() == expected[expected < 400.0].tolist()


def test_edges_on_spikes_belong_to_the_later_piece() -> None:
    source = Regular(0.1)
    k = np.arange(1, 3000)
    for t in (k * 0.1)[::7]:
        assert t not in source.train(0.0, t)[0]
        assert source.train(t, t + 1e-9)[0].tolist() == [t]


def test_chunks_of_a_population_make_the_whole_train() -> None:
    source = Regular([0.5, 0.7, 11.0], phase_ms=[0.0, 0.3, 2.0])
    source.bind("u", 3)
    parts = [source.spikes(c, 3, stream) for c in range(3)]
    whole = source.train(0.0, 3 * source.chunk_ms)
    for k in range(2):
        np.testing.assert_array_equal(np.concatenate([part[k] for part in parts]), whole[k])
    assert all(part[0].size < 2**17 for part in parts)


def test_neurons_of_an_instant_go_by_index_and_runs_may_be_cut() -> None:
    net = Network()
    net.population("u", 3, Regular(2.0))
    net.record_spikes("u")
    engine = Reference(net)
    for t in (1.0, 2.0, 5.0):
        engine.run(t)
    times, neurons = engine.spikes("u")
    assert times.tolist() == [0.0] * 3 + [2.0] * 3 + [4.0] * 3
    assert neurons.tolist() == [0, 1, 2] * 3


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "either"),
        ({"interval_ms": 1.0, "rate_hz": 1.0}, "either"),
        ({"interval_ms": 0.0}, r"interval_ms\[0\] = 0.0; it must be finite and > 0"),
        ({"rate_hz": [1.0, float("inf")]}, r"rate_hz\[1\] = inf"),
        ({"interval_ms": 1.0, "phase_ms": -1.0}, r"phase_ms\[0\] = -1.0; .* >= 0"),
        ({"interval_ms": [1.0, 2.0], "phase_ms": [0.0] * 3}, "2 intervals and 3 phases"),
        ({"interval_ms": [[1.0]]}, "shape"),
    ],
)
def test_bad_trains_are_refused(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ModelError, match=text):
        Regular(**arguments)


def test_a_population_of_another_size_is_refused() -> None:
    net = Network()
    with pytest.raises(NetworkError, match="'u' has 3 neurons and Regular 2"):
        net.population("u", 3, Regular([1.0, 2.0]))
    shared = Regular(1.0)
    net.population("v", 1, shared)
    with pytest.raises(NetworkError, match="make another Regular"):
        net.population("w", 2, shared)
