"""Poisson sources: statistics, piecewise rates, independence of how a run is cut, bad input."""

from __future__ import annotations

from math import inf

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from encoders import Poisson
from neurons import LIFDelta
from simulator import ModelError, Network, NetworkError, Simulation, all_to_all
from simulator.errors import SimulationError
from simulator.reference import Reference
from simulator.seeds import generator
from simulator.sources import SourceStream


def drawn(
    source: Poisson, size: int, until: float, seed: int = 1
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """All spikes before ``until``, as an engine gets them."""
    source.bind("in", size)
    stream = SourceStream(
        [(source, size, 0, lambda chunk: generator(seed, "source", "in", counter=chunk))]
    )
    times, neurons, end = [], [], 0.0
    while end < until:
        t, i, end = stream.next_piece(end)
        times.append(t)
        neurons.append(i)
    t, i = np.concatenate(times), np.concatenate(neurons)
    return t[t < until], i[t < until]


def test_counts_and_intervals_are_those_of_a_poisson_process() -> None:
    times, neurons = drawn(Poisson(20.0), 500, 10_000.0)
    counts = np.bincount(neurons, minlength=500)
    # Mean 200 a neuron; the dispersion of 500 counts is chi-squared.
    assert abs(times.size - 100_000) < 5 * np.sqrt(100_000)
    dispersion = ((counts - counts.mean()) ** 2).sum() / counts.mean()
    assert 0.001 < stats.chi2.cdf(dispersion, 499) < 0.999
    intervals = np.concatenate([np.diff(times[neurons == i]) for i in range(500)])
    assert stats.kstest(intervals, stats.expon(scale=50.0).cdf).pvalue > 0.001
    phase = times[neurons == 7] % 1.0  # no grid
    assert np.unique(phase).size == phase.size


def test_each_neuron_has_its_rate() -> None:
    rates = np.array([0.0, 5.0, 50.0, 200.0])
    times, neurons = drawn(Poisson(rates), 4, 20_000.0)
    expected = rates * 20.0
    counts = np.bincount(neurons, minlength=4)
    assert counts[0] == 0
    assert (np.abs(counts - expected) <= 5.0 * np.sqrt(expected)).all()
    assert times.size == counts.sum()


def test_rates_change_at_the_given_times() -> None:
    source = Poisson([[10.0, 0.0], [0.0, 400.0], [100.0, 0.0]], times_ms=[50.0, 150.5, 151.5])
    times, neurons = drawn(source, 2, 2_000.0, seed=3)
    assert times.min() >= 50.0
    first = times[neurons == 0]
    assert not ((first >= 150.5) & (first < 151.5)).any()
    second = times[neurons == 1]
    assert ((second >= 150.5) & (second < 151.5)).all()
    late = (first >= 151.5).sum()
    assert abs(late - 184.85) < 5 * np.sqrt(184.85)


def test_a_rate_for_all_that_changes() -> None:
    times, _ = drawn(Poisson([0.0, 1000.0, 0.0], times_ms=[0.0, 10.0, 20.0]), 50, 100.0)
    assert abs(times.size - 500) < 5 * np.sqrt(500)
    assert times.min() >= 10.0
    assert times.max() < 20.0


def test_spikes_are_ordered_and_no_neuron_spikes_twice_at_an_instant() -> None:
    """In a stretch of 512 doubles, where independent draws collide."""
    start = 2.0**40
    source = Poisson([0.0, 4e5], times_ms=[0.0, start])
    source.bind("in", 3)
    source.chunk_ms = 0.125
    rng = lambda chunk: generator(5, "in", counter=chunk)  # noqa: E731
    times, neurons = source.spikes(int(start / 0.125), 3, rng)
    assert times.size > 100
    assert ((times >= start) & (times < start + 0.125)).all()
    assert np.array_equal(np.lexsort((neurons, times)), np.arange(times.size))
    assert np.unique(np.stack([times, neurons]), axis=1).shape[1] == times.size
    crowded = Poisson([0.0, 2e7], times_ms=[0.0, start])
    crowded.bind("in", 3)
    with pytest.raises(SimulationError, match="cannot be told apart"):
        crowded.spikes(int(start / crowded.chunk_ms), 3, rng)


def test_zero_rates_are_silent_for_ever() -> None:
    source = Poisson(0.0)
    times, neurons = drawn(source, 3, 1.0)
    assert source.chunk_ms == inf
    assert times.size == neurons.size == 0


def network(extra: bool = False) -> Network:
    net = Network(seed=11)
    if extra:
        net.population("before", 5, Poisson(300.0))
    source = net.population("in", 20, Poisson(np.linspace(1.0, 400.0, 20)))
    cells = net.population("cells", 3, LIFDelta(t_ref=1.0))
    net.projection(source, cells, all_to_all(), weight=0.2, delay=0.5)
    net.record_spikes("in", "cells")
    return net


def test_the_spikes_do_not_depend_on_how_a_run_is_cut_or_who_else_is_there() -> None:
    whole, cut, other = (Reference(network(extra)) for extra in (False, False, True))
    whole.run(200.0)
    other.run(200.0)
    for t in (0.1, 3.0, 64.0, 64.0, 199.9, 200.0):
        cut.run(t)
    for name in ("in", "cells"):
        assert whole.spikes(name)[0].size > 20
        for engine in (cut, other):
            np.testing.assert_array_equal(engine.spikes(name)[0], whole.spikes(name)[0])
            np.testing.assert_array_equal(engine.spikes(name)[1], whole.spikes(name)[1])


@pytest.mark.slow
def test_compiled_equals_readable() -> None:
    compiled, readable = Simulation(network()), Reference(network())
    compiled.run(200.0)
    readable.run(200.0)
    for name in ("in", "cells"):
        np.testing.assert_array_equal(compiled.spikes(name)[0], readable.spikes(name)[0])


def test_a_chunk_stays_small_however_high_the_rate() -> None:
    source = Poisson(20_000.0)
    source.bind("in", 12_500)
    times, _ = source.spikes(4, 12_500, lambda chunk: generator(1, counter=chunk))
    assert source.chunk_ms == source.cell_ms == 1.0  # at most 32 spikes a neuron
    assert abs(times.size - 250_000) < 5 * np.sqrt(250_000)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((-1.0,), r"rate_hz = -1"),
        (([1.0, float("nan")],), r"rate_hz\[1\] = nan"),
        (([],), "shape"),
        (([[1.0, 2.0]],), "give times_ms"),
        (([1.0, 2.0], [0.0]), "1 times_ms and 2 rows"),
        (([1.0, 2.0], [5.0, 5.0]), r"times_ms\[1\] = 5.0; it must be above"),
        (([1.0], [-1.0]), r"times_ms\[0\] = -1"),
        ((1.0, [0.0]), "one row of rates"),
    ],
)
def test_bad_rates_are_refused(arguments: tuple[object, ...], text: str) -> None:
    with pytest.raises(ModelError, match=text):
        Poisson(*arguments)  # type: ignore[arg-type]


def test_a_population_of_another_size_is_refused() -> None:
    net = Network()
    with pytest.raises(NetworkError, match="'u' has 2 neurons and Poisson 3 rates"):
        net.population("u", 2, Poisson([1.0, 2.0, 3.0]))
    shared = Poisson(5.0)
    net.population("v", 2, shared)
    with pytest.raises(NetworkError, match="make another Poisson"):
        net.population("w", 3, shared)
