"""Recording: pieces of spikes by population, sampling times, sinks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders import SpikeTimes
from neurons import LIFExp
from simulator import Network, NetworkError, all_to_all
from simulator.recorder import Recording
from simulator.recorders import StateSampling


def network() -> Network:
    net = Network()
    u = net.population("u", 4, SpikeTimes([]))
    v = net.population("v", 3, LIFExp())
    w = net.population("w", 2, LIFExp())
    net.projection(u, v, all_to_all())
    net.projection(v, w, all_to_all())
    net.record_spikes("u", "w")
    return net


def recorder(net: Network) -> Recording:
    shapes = {p.name: (p.pre.size, p.post.size) for p in net.projections.values()}
    return Recording(net, shapes)


def add(recording: Recording, *spikes: tuple[float, int, int]) -> None:
    """Hand over a piece of spikes (time, neuron, population)."""
    times, neurons, pops = zip(*spikes, strict=True)
    recording.add_spikes(np.array(times), np.array(neurons), np.array(pops))


def spikes(recording: Recording, population: str) -> list[tuple[float, int]]:
    times, neurons = recording.spikes(population)
    assert times.dtype == np.float64
    assert neurons.dtype == np.int64
    return list(zip(times.tolist(), neurons.tolist(), strict=True))


# -- spikes --------------------------------------------------------------------------------------


def test_pieces_are_sorted_by_population_and_joined() -> None:
    recording = recorder(network())
    add(recording, (1.0, 3, 0), (1.0, 0, 2), (1.5, 1, 2), (2.0, 0, 0))
    assert spikes(recording, "u") == [(1.0, 3), (2.0, 0)]
    add(recording, (2.0, 1, 0))
    add(recording, (9.0, 0, 2))
    assert spikes(recording, "u") == [(1.0, 3), (2.0, 0), (2.0, 1)]
    assert spikes(recording, "w") == [(1.0, 0), (1.5, 1), (9.0, 0)]
    assert spikes(recording, "w") == [(1.0, 0), (1.5, 1), (9.0, 0)], "reading takes nothing away"


def test_pieces_are_copies_of_the_engines_buffer() -> None:
    recording, buffer = recorder(network()), np.array([1.0, 2.0])
    recording.add_spikes(buffer, np.array([0, 1]), np.array([0, 0]))
    buffer[:] = -7.0
    assert spikes(recording, "u") == [(1.0, 0), (2.0, 1)]


def test_nothing_recorded_is_an_empty_list() -> None:
    assert spikes(recorder(network()), "w") == []


def test_spikes_that_are_not_recorded_are_refused() -> None:
    with pytest.raises(NetworkError, match=r"population 'v' are not recorded; .*record_spikes"):
        recorder(network()).spikes("v")


def test_a_sink_gets_every_piece_and_memory_holds_none() -> None:
    recording, got = recorder(network()), []
    add(recording, (0.5, 2, 0))
    recording.sink = lambda name, times, neurons: got.append(
        (name, times.tolist(), neurons.tolist())
    )
    add(recording, (1.0, 3, 0), (1.0, 0, 2), (2.0, 0, 0))
    add(recording, (3.0, 1, 2))
    assert got == [("u", [1.0, 2.0], [3, 0]), ("w", [1.0], [0]), ("w", [3.0], [1])]
    assert spikes(recording, "u") == [(0.5, 2)], "what came before the sink was set"
    assert spikes(recording, "w") == []


# -- samples -------------------------------------------------------------------------------------

TIMES = st.lists(st.integers(0, 20).map(lambda k: 0.5 * k), max_size=8)


def taken(recording: Recording, until: float) -> list[tuple[float, list[str]]]:
    """(time, names of what is sampled) of the samples that are due up to ``until``."""
    result = []
    while (t := recording.next_sample()) <= until:
        plans = recording.due(t)
        result.append((t, [getattr(p, "population", getattr(p, "projection", "")) for p in plans]))
    return result


@given(TIMES, TIMES, TIMES, st.lists(st.floats(0.0, 12.0), max_size=4))
def test_every_sample_is_due_once_and_in_order(
    a: list[float], b: list[float], c: list[float], stops: list[float]
) -> None:
    """However a run is cut; a time that is given twice is one sample."""
    net = network()
    net.record_state("v", ["v"], a)
    net.record_state("w", ["v", "i_exc"], b)
    net.record_weights("u->v", c)
    recording, got = recorder(net), []
    for stop in [*sorted(stops), 20.0]:
        part = taken(recording, stop)
        assert all(t <= stop for t, _ in part)
        got += part
    plans, names = [set(times) for times in (a, b, c)], ["v", "w", "u->v"]
    assert got == [
        (t, [name for name, times in zip(names, plans, strict=True) if t in times])
        for t in sorted(set().union(*plans))
    ]


def test_a_sample_on_the_end_of_a_run_belongs_to_it() -> None:
    net = network()
    net.record_state("v", ["v"], [0.0, 5.0])
    recording = recorder(net)
    assert taken(recording, 0.0) == [(0.0, ["v"])]
    assert taken(recording, np.nextafter(5.0, 0.0)) == []
    assert taken(recording, 5.0) == [(5.0, ["v"])]
    assert taken(recording, 100.0) == []


def test_times_are_put_in_order() -> None:
    net = network()
    net.record_weights("u->v", [3.0, 1.0, 2.0])
    assert [t for t, _ in taken(recorder(net), 9.0)] == [1.0, 2.0, 3.0]


def test_a_restored_run_passes_over_what_is_behind_it() -> None:
    net = network()
    net.record_state("v", ["v"], [1.0, 2.0, 3.0])
    net.record_weights("u->v", [2.5])
    recording = recorder(net)
    recording.go_to(2.0)
    assert taken(recording, 9.0) == [(2.5, ["u->v"]), (3.0, ["v"])]
    recording.go_to(1.0)
    assert taken(recording, 2.0) == [(2.0, ["v"])], "and back"


def test_samples_are_stacked_by_time() -> None:
    net = network()
    net.record_state("v", ["v", "i_exc"], [1.0, 4.0])
    net.record_weights("u->v", [2.0])
    recording = recorder(net)
    while (t := recording.next_sample()) < math.inf:
        for plan in recording.due(t):
            if isinstance(plan, StateSampling):
                recording.add_state("v", t, [np.full(3, t * (n + 1)) for n in range(2)])
            else:
                recording.add_weights("u->v", t, np.full((4, 3), t))
    times, series = recording.states("v")
    assert times.tolist() == [1.0, 4.0]
    assert series["v"].tolist() == [[1.0] * 3, [4.0] * 3]
    assert series["i_exc"].tolist() == [[2.0] * 3, [8.0] * 3]
    times, weights = recording.weights("u->v")
    assert (times.tolist(), weights.tolist()) == ([2.0], [[[2.0] * 3] * 4])


def test_samples_that_were_not_asked_for_are_refused() -> None:
    recording = recorder(network())
    with pytest.raises(NetworkError, match=r"states of population 'v' .*record_state"):
        recording.states("v")
    with pytest.raises(NetworkError, match=r"weights of projection 'v->w' .*record_weights"):
        recording.weights("v->w")


def test_a_second_sampling_of_one_thing_is_refused() -> None:
    """Its times would not be those of the first."""
    net = network()
    net.record_state("v", ["v"], [1.0, 2.0])
    net.record_weights("u->v", [1.0])
    with pytest.raises(NetworkError, match="state of population 'v' is sampled already"):
        net.record_state("v", ["i_exc"], [1.5])
    with pytest.raises(NetworkError, match="weights of projection 'u->v' are sampled already"):
        net.record_weights("u->v", [2.0])
    net.record_state("w", ["v"], [1.0])
    net.record_weights("v->w", [1.0])
