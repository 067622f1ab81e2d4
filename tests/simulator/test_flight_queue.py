"""The queue of spikes in flight against a list of all arrivals, sorted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import SpikeTimes
from simulator import Network, explicit, flight_queue, flights
from simulator.arrays import ROW, EngineState, Records, records
from simulator.compile import compile_network
from simulator.engine_state import new_state
from simulator.queues import send
from tests.simulator.jump_model import Jump

SENDERS, TARGETS = 4, 6


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Buffers that are full, and widths that are looked at, after a few arrivals."""
    monkeypatch.setattr(flights, "_ARRIVALS", 2)
    monkeypatch.setattr(flights, "_AT_FIRST", 4.0)
    monkeypatch.setattr(flights, "_BUCKETS", 8)
    monkeypatch.setattr(flight_queue, "_REVIEW", 20)
    monkeypatch.setattr(flight_queue, "_FEW", 3)
    for module in (flights, flight_queue):
        monkeypatch.setattr(module, "WANTED", 8)
        monkeypatch.setattr(module, "CHUNK", 3)


def delays(scale: float) -> st.SearchStrategy[float]:
    """Equal ones, none at all, any, and one far beyond the others."""
    grid = st.sampled_from([0.0, 1.0, 2.0, 2.5, 7.0, 400.0])
    return st.one_of(grid, st.floats(0.0, 8.0, width=32)).map(lambda d: d * scale)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Two projections with delays that differ, of single and of double precision, now and then
    by next to nothing."""
    scales = st.sampled_from([1.0, 0.1, 1e-13])
    net = Network()
    u = net.population("u", SENDERS, SpikeTimes([]))
    v = net.population("v", TARGETS, Jump())
    for name, scale in (
        ("single", draw(st.sampled_from([1.0, 2.0**-45]))),
        ("double", draw(scales)),
    ):
        n = draw(st.integers(2, 30))
        pre = draw(st.lists(st.integers(0, SENDERS - 1), min_size=n, max_size=n))
        post = draw(st.lists(st.integers(0, TARGETS - 1), min_size=n, max_size=n))
        several = draw(st.lists(delays(scale), min_size=n, max_size=n))
        several[0], several[1] = 0.5 * scale, 3.0 * scale  # no projection of one delay
        net.projection(u, v, explicit(pre, post), delay=several, name=name)
    return net


def emissions() -> st.SearchStrategy[list[tuple[float, int]]]:
    """Times after the one before, often at it and now and then long after, and neurons, each
    once at an instant."""
    gaps = st.one_of(st.sampled_from([0.0, 0.0, 0.5, 1000.0]), st.floats(0.0, 3.0))
    spikes = st.tuples(gaps, st.integers(0, SENDERS - 1))
    return st.lists(spikes, min_size=1, max_size=25).map(_at_times)


def _at_times(spikes: list[tuple[float, int]]) -> list[tuple[float, int]]:
    times = np.cumsum([gap for gap, _ in spikes]).tolist()
    return sorted(set(zip(times, [i for _, i in spikes], strict=True)))


class Plain:
    """What the queue is to do: all arrivals in one list."""

    def __init__(self, net: Any) -> None:
        self.net = net
        self.coming: list[tuple[float, int, float, int, int]] = []

    def send(self, q: int, i: int, t: float) -> None:
        row = self.net.projs[q]
        for s in range(*self.net.row_ptr[row.row_at + i : row.row_at + i + 2].tolist()):
            arrival = t + flight_queue.synapse_delay(self.net, q, s)
            self.coming.append((arrival, q, t, i, s))
        self.coming.sort()

    def next(self) -> float:
        return self.coming[0][0] if self.coming else np.inf

    def take(self) -> list[tuple[int, int, int]]:
        """Projection, neuron, synapse of all that arrives next."""
        t = self.next()
        now = [a for a in self.coming if a[0] == t]
        self.coming = self.coming[len(now) :]
        return [(q, i, s) for _, q, _, i, s in now]


def opened(net: Any, state: EngineState, bound: float, count: list[int]) -> EngineState:
    while not flight_queue.open_bucket_of_flights(net, state, bound):
        per_ms = state.queue[0].per_ms
        state = flights.enlarged(net, state)
        count[0] += state.queue[0].per_ms != per_ms
        check_chunks(state)
    return state


def taken(net: Any, state: EngineState, t: float, row: Records) -> list[tuple[int, int, int]]:
    found = []
    while flight_queue.take_flight(net, state, t, row[0]):
        found += [(int(row[0].q), int(row[0].i), s) for s in range(row[0].lo, row[0].hi)]
    return found


def check_chunks(state: EngineState) -> None:
    """Every chunk is in one list, of a bucket or of those that are free."""
    seen: list[int] = []
    entries = 0
    for bucket in state.buckets:
        chunk, n = int(bucket.head), int(bucket.n)
        while chunk >= 0:
            assert 0 < n <= flight_queue.CHUNK
            seen.append(chunk)
            entries += n
            chunk, n = int(state.next_chunk[chunk]), flight_queue.CHUNK
    assert entries == state.queue[0].n_bucketed
    chunk = int(state.queue[0].free)
    while chunk >= 0:
        seen.append(chunk)
        chunk = int(state.next_chunk[chunk])
    assert sorted(seen) == list(range(state.next_chunk.size))


@settings(max_examples=60)
@given(networks(), emissions(), st.booleans())
def test_spikes_arrive_in_the_order_of_a_sorted_list(
    network: Network, spikes: list[tuple[float, int]], reloaded: bool
) -> None:
    compiled = compile_network(network)
    net, state, plain = compiled.arrays, new_state(compiled), Plain(compiled.arrays)
    row, t, count = records(1, ROW), 0.0, [0]
    for emitted, i in [*spikes, (np.inf, -1)]:
        while True:
            state = opened(net, state, emitted, count)
            if flight_queue.next_flight(state) > emitted:
                assert plain.next() > emitted or np.isinf(emitted)
                break
            t = flight_queue.next_flight(state)
            if np.isinf(t):
                break
            assert t == plain.next()
            assert taken(net, state, t, row) == plain.take()
            state.engine.now = t
        if np.isinf(emitted):
            break
        if not flight_queue.flight_room(state, 2):
            state = flights.with_room_for(state, 2)
        state.engine.now = emitted
        for q in range(2):
            send(net, state, q, i, emitted)
            plain.send(q, i, emitted)
        if reloaded and plain.next() > emitted:
            flying = flights.in_flight(net, state)
            state = state._replace(**flights.new_queue(net, flying, emitted))
            np.testing.assert_array_equal(flights.in_flight(net, state), flying)
        check_chunks(state)
    assert not plain.coming


def test_widths_follow_the_density_of_arrivals() -> None:
    net = Network()
    u = net.population("u", 1, SpikeTimes([]))
    v = net.population("v", 200, Jump())
    rng = np.random.default_rng(1)
    net.projection(u, v, explicit([0] * 200, range(200)), delay=rng.uniform(1.0, 9.0, 200))
    compiled = compile_network(net)
    arrays, state, plain = compiled.arrays, new_state(compiled), Plain(compiled.arrays)
    row, widths = records(1, ROW), []
    # Dense, then sparse: a spike in 0.1 ms, then one in 100 ms.
    for emitted in [*np.arange(0.0, 10.0, 0.1).tolist(), *np.arange(10.0, 3e3, 100.0).tolist()]:
        while True:
            state = opened(arrays, state, emitted, [0])
            t = flight_queue.next_flight(state)
            if t > emitted:
                break
            assert taken(arrays, state, t, row) == plain.take()
            state.engine.now = t
        widths.append(1.0 / state.queue[0].per_ms)
        state = flights.with_room_for(state, 1)
        state.engine.now = emitted
        send(arrays, state, 0, 0, emitted)
        plain.send(0, 0, emitted)
    per_ms = 200 / 0.1  # arrivals when it was dense
    assert min(widths) == pytest.approx(flight_queue.WANTED / per_ms, rel=2.0)
    assert widths[0] > 50.0 * min(widths)
    assert widths[-1] > 20.0 * min(widths)


def test_spikes_of_several_workers_are_joined() -> None:
    def of(*spikes: tuple[float, int, int]) -> Records:
        made = records(len(spikes), flights.FLYING)
        for a, (s, q, i) in enumerate(spikes):
            made[a].s, made[a].q, made[a].i = s, q, i
        return made

    first = of((1.0, 0, 3), (1.0, 0, 3), (1.0, 1, 0), (2.5, 0, 1))
    second = of((0.5, 1, 2), (1.0, 0, 3), (2.5, 0, 1))
    both = flights.joined([first, second])
    assert both.tolist() == [(0.5, 1, 2), (1.0, 0, 3), (1.0, 0, 3), (1.0, 1, 0), (2.5, 0, 1)]
    assert flights.joined([of(), of()]).size == 0
