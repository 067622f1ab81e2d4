"""Spike sources: given times, the merging of several into one stream, chunks, refusals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders import SpikeTimes
from neurons import LIFExp
from simulator import Network, NetworkError, SimulationError, SpikeSource, all_to_all
from simulator.reference import Reference
from simulator.seeds import generator
from simulator.sources import SourceStream


class Listed(SpikeSource):
    """Given spikes (time, neuron), handed out in chunks exactly as they are listed."""

    def __init__(self, spikes: Sequence[tuple[float, int]], chunk_ms: float = inf) -> None:
        self.listed, self.chunk_ms = list(spikes), chunk_ms
        self.asked: list[int] = []

    def spikes(
        self, chunk: int, size: int, stream: Callable[[int], np.random.Generator]
    ) -> tuple[Any, Any]:
        self.asked.append(chunk)
        lo, hi = chunk * self.chunk_ms if chunk else 0.0, (chunk + 1) * self.chunk_ms
        mine = [(t, i) for t, i in self.listed if not (t < lo or t >= hi)]
        return np.array([t for t, _ in mine]), np.array([i for _, i in mine], np.int64)


def no_randomness(chunk: int) -> np.random.Generator:
    raise AssertionError("these sources draw nothing")


def stream_of(*sources: tuple[SpikeSource, int]) -> SourceStream:
    """A stream of sources (source, size), whose neurons are numbered one after the other."""
    firsts = np.cumsum([0, *(size for _, size in sources)])
    return SourceStream(
        [(s, n, int(lo), no_randomness) for (s, n), lo in zip(sources, firsts, strict=False)]
    )


def pieces(stream: SourceStream, until: float) -> list[tuple[list[tuple[float, int]], float]]:
    """(spikes, end) of the pieces that start before ``until``."""
    result, start = [], 0.0
    while start < until:
        times, neurons, end = stream.next_piece(start)
        assert end > start
        assert np.all((times >= start) & (times < end))
        result.append((list(zip(times.tolist(), neurons.tolist(), strict=True)), end))
        start = end
    return result


# -- SpikeTimes ----------------------------------------------------------------------------------


def test_given_spikes_are_put_in_order() -> None:
    source = SpikeTimes([3.0, 1.0, 1.0, 0.0], [0, 2, 1, 2])
    times, neurons = source.spikes(0, 3, no_randomness)
    assert times.tolist() == [0.0, 1.0, 1.0, 3.0]
    assert neurons.tolist() == [2, 1, 2, 0]


def test_without_neurons_it_is_neuron_0() -> None:
    times, neurons = SpikeTimes([2.0, 1.0]).spikes(0, 1, no_randomness)
    assert (times.tolist(), neurons.tolist()) == ([1.0, 2.0], [0, 0])


def test_a_silent_source() -> None:
    assert pieces(stream_of((SpikeTimes([]), 3)), 100.0) == [([], inf)]


@pytest.mark.parametrize(
    ("times", "neurons", "text"),
    [
        ([1.0, nan], None, r"'u': spike time \[1\] = nan ms"),
        ([1.0, inf], None, r"'u': spike time \[1\] = inf ms"),
        ([-0.5, 2.0], None, r"'u': spike time \[0\] = -0\.5 ms"),
        ([1.0, 2.0], [0, 3], r"'u': spike \[1\] names neuron 3; the population has neurons 0 to 2"),
        ([1.0, 2.0], [-1, 0], r"'u': spike \[0\] names neuron -1"),
        ([5.0, 2.0, 5.0], [1, 1, 1], r"'u': neuron 1 spikes twice at 5\.0 ms"),
    ],
)
def test_bad_spikes_name_the_population(times: Any, neurons: Any, text: str) -> None:
    with pytest.raises(NetworkError, match=f"^population {text}"):
        Network().population("u", 3, SpikeTimes(times, neurons))


def test_a_refused_population_leaves_nothing_behind() -> None:
    net = Network()
    with pytest.raises(NetworkError):
        net.population("u", 1, SpikeTimes([nan]))
    net.population("u", 1, SpikeTimes([1.0]))


@pytest.mark.parametrize(("times", "neurons"), [([1.0, 2.0], [0]), ([[1.0]], [[0]]), (1.0, None)])
def test_times_and_neurons_are_two_lists_of_one_length(times: Any, neurons: Any) -> None:
    with pytest.raises(NetworkError, match="two lists of one length, got shapes"):
        SpikeTimes(times, neurons)


def test_neurons_are_not_rounded() -> None:
    with pytest.raises(NetworkError, match="neurons holds float64, integers are needed"):
        SpikeTimes([1.0, 2.0], [0.0, 0.7])


# -- the stream ----------------------------------------------------------------------------------

SPIKES = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 24).map(lambda k: 0.5 * k), st.floats(0.0, 12.0)),
        st.integers(0, 2),
    ),
    max_size=20,
    unique=True,
).map(sorted)
CHUNKS = st.sampled_from([inf, 12.5, 2.5, 1.0, 0.3, 0.1])


@given(st.lists(st.tuples(SPIKES, CHUNKS), max_size=3))
def test_a_stream_is_the_sorted_union_of_its_sources(
    drawn: list[tuple[list[tuple[float, int]], float]],
) -> None:
    """By time, then population, then neuron, whatever the lengths of the chunks."""
    stream = stream_of(*((Listed(spikes, chunk), 3) for spikes, chunk in drawn))
    got = [spike for piece, _ in pieces(stream, 13.0) for spike in piece]
    assert got == sorted((t, 3 * k + i) for k, (spikes, _) in enumerate(drawn) for t, i in spikes)


def test_pieces_end_where_any_chunk_ends() -> None:
    a, b = Listed([(0.0, 0), (2.0, 0), (2.999, 0), (3.0, 0)], 3.0), Listed([(2.0, 0)], 2.0)
    assert pieces(stream_of((a, 1), (b, 1)), 6.0) == [
        ([(0.0, 0)], 2.0),
        ([(2.0, 0), (2.0, 1), (2.999, 0)], 3.0),
        ([(3.0, 0)], 4.0),
        ([], 6.0),
    ]
    assert (a.asked, b.asked) == ([0, 1], [0, 1, 2]), "each chunk is asked for once"


def test_a_spike_on_the_end_of_a_chunk_belongs_to_the_next() -> None:
    # 0.1 is no float64: 3 * 0.1 > 0.3 and 0.3 // 0.1 is 2, so that rounding has its chance.
    spikes = [(k * 0.1, 0) for k in range(40)]
    got = pieces(stream_of((Listed(spikes, 0.1), 1)), 3.95)
    assert [piece for piece, _ in got] == [[spike] for spike in spikes]
    assert [end for _, end in got] == [(k + 1) * 0.1 for k in range(40)]


@given(st.sampled_from([0.1, 0.3, 0.7, 2.5]), st.integers(0, 200))
def test_a_stream_can_be_entered_at_the_start_of_any_chunk(chunk_ms: float, chunk: int) -> None:
    """As a restored simulation does."""
    source = Listed([], chunk_ms)
    _, _, end = stream_of((source, 1)).next_piece(chunk * chunk_ms)
    assert source.asked == [chunk]
    assert end == (chunk + 1) * chunk_ms


def test_no_sources_are_silent_for_ever() -> None:
    times, neurons, end = stream_of().next_piece(0.0)
    assert (times.size, neurons.size, end) == (0, 0, inf)


def test_a_source_has_a_random_stream_of_its_own_for_each_chunk() -> None:
    class Noise(SpikeSource):
        chunk_ms = 10.0

        def spikes(self, chunk: int, size: int, stream: Any) -> tuple[Any, Any]:
            rng = stream(chunk)
            return np.sort(rng.uniform(chunk * 10.0, chunk * 10.0 + 10.0, 5)), np.zeros(5, int)

    net = Network(seed=4)
    net.population("u", 1, Noise())
    net.population("w", 1, Noise())
    whole, late = Reference(net), generator(4, "source", "w", counter=3)
    whole.run(100.0)
    times, _ = whole.spikes("w")
    assert times.size == 50
    assert times[15:20].tolist() == np.sort(late.uniform(30.0, 40.0, 5)).tolist()
    assert np.intersect1d(times % 10.0, whole.spikes("u")[0] % 10.0).size == 0


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spikes", "text"),
    [
        ([(1.0, 0), (0.5, 0)], r"spikes 0 and 1, at 1\.0 ms \(neuron 0\) and 0\.5 ms"),
        ([(1.0, 0), (2.0, 1), (2.0, 0)], r"spikes 1 and 2, .* out of order or the same"),
        ([(1.0, 1), (1.0, 1)], r"spikes 0 and 1, .* out of order or the same"),
        ([(1.0, 0), (nan, 0)], r"spikes 0 and 1, at 1\.0 ms \(neuron 0\) and nan ms"),
    ],
    ids=["back in time", "neurons", "twice", "nan"],
)
def test_spikes_out_of_order_are_refused(spikes: list[tuple[float, int]], text: str) -> None:
    stream = stream_of((SpikeTimes([0.0]), 1), (Listed(spikes), 2))
    with pytest.raises(SimulationError, match=f"^Listed, chunk 0: {text}"):
        stream.next_piece(0.0)


def test_the_chunk_at_fault_is_named() -> None:
    stream = stream_of((Listed([(1.0, 0), (5.5, 0), (5.0, 0)], 2.5), 1))
    assert stream.next_piece(0.0)[2] == 2.5
    assert stream.next_piece(2.5)[2] == 5.0
    with pytest.raises(SimulationError, match=r"^Listed, chunk 2: spikes 0 and 1"):
        stream.next_piece(5.0)


@pytest.mark.parametrize(
    ("spike", "text"),
    [
        ((2.4, 0), r"spike 0 is at 2\.4 ms; the chunk is from 2\.5 ms to before 5\.0 ms"),
        ((5.0, 0), r"spike 0 is at 5\.0 ms; .* belongs to the chunk of its time"),
        ((inf, 0), r"spike 0 is at inf ms"),
        ((3.5, 2), r"spike 0 is of neuron 2; the population has neurons 0 to 1"),
        ((3.5, -1), r"spike 0 is of neuron -1"),
    ],
)
def test_a_spike_outside_its_chunk_or_population_is_refused(
    spike: tuple[float, int], text: str
) -> None:
    class Wrong(SpikeSource):
        chunk_ms = 2.5

        def spikes(self, chunk: int, size: int, stream: Any) -> tuple[Any, Any]:
            return np.array([spike[0]][:chunk]), np.array([spike[1]][:chunk], np.int64)

    stream = stream_of((SpikeTimes([0.0]), 1), (Wrong(), 2))
    assert stream.next_piece(0.0)[0].tolist() == [0.0]
    for _ in range(2):  # asking again does not let it pass
        with pytest.raises(SimulationError, match=f"^Wrong, chunk 1: {text}"):
            stream.next_piece(2.5)


def test_an_engine_passes_the_refusal_on() -> None:
    net = Network()
    u = net.population("u", 1, Listed([(1.0, 0), (0.5, 0)]))
    net.projection(u, net.population("v", 1, LIFExp()), all_to_all())
    with pytest.raises(SimulationError, match="Listed, chunk 0"):
        Reference(net).run(2.0)
