"""The laws of the connectors, the layout against the plainest way, and memory by the synapse."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from encoders import SpikeTimes
from neurons import Concentration, LIFExp
from plasticity import WTCRL, DopamineSTDP, PairSTDP
from simulator import (
    Network,
    NetworkError,
    all_to_all,
    connect,
    explicit,
    fixed_in_degree,
    fixed_out_degree,
    fixed_probability,
    fixed_total_number,
    uniform,
)
from simulator.compile import CompiledNetwork, compile_network
from simulator.connect import Connector
from simulator.distributions import Distribution
from simulator.engine_state import empty_traces
from simulator.incoming import row_targets
from simulator.queues import synapse_delay
from simulator.seeds import generator

# Below this a test statistic is an accident of one in ten thousand; the seeds are fixed.
P_VALUE = 1e-4


def drawn(connector: Connector, n_pre: int, n_post: int, recurrent: bool, seed: int) -> Any:
    assert connector.rows is not None
    rows = connector.rows(n_pre, n_post, recurrent, np.random.default_rng(seed))
    return np.repeat(np.arange(n_pre), np.diff(rows.first)), rows.post.astype(int)


# -- laws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("degree", [1, 2, 4])
def test_every_set_of_partners_is_equally_likely(degree: int) -> None:
    """The sets that 20,000 neurons are given, in both directions."""
    n, size = 20_000, 5
    subsets = list(combinations(range(size), degree))
    by_target = Counter(
        tuple(chosen) for chosen in _partners(fixed_in_degree(degree), size, n, axis=1)
    )
    by_sender = Counter(
        tuple(chosen) for chosen in _partners(fixed_out_degree(degree), n, size, axis=0)
    )
    for counts in (by_target, by_sender):
        assert set(counts) == set(subsets)
        assert chisquare([counts[s] for s in subsets]).pvalue > P_VALUE


def _partners(connector: Connector, n_pre: int, n_post: int, axis: int) -> Any:
    pair = drawn(connector, n_pre, n_post, False, seed=2)
    order = np.lexsort((pair[1 - axis], pair[axis]))
    return pair[1 - axis][order].reshape((n_pre, n_post)[axis], -1).tolist()


@pytest.mark.parametrize(("number", "recurrent"), [(2, False), (7, False), (4, True)])
def test_every_set_of_pairs_is_equally_likely(number: int, recurrent: bool) -> None:
    """More and fewer pairs than half of those there are."""
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j or not recurrent]
    subsets = list(combinations(pairs, number))
    connector = fixed_total_number(number, self_connections=False)
    found = Counter(
        tuple(zip(*(index.tolist() for index in drawn(connector, 3, 3, recurrent, seed)),
                  strict=True))
        for seed in range(4000)
    )  # fmt: skip
    assert set(found) <= set(subsets)
    assert chisquare([found[s] for s in subsets]).pvalue > P_VALUE


@pytest.mark.parametrize(
    "connector",
    [
        fixed_total_number(30_000, multapses=True),
        fixed_in_degree(30, multapses=True),
        fixed_out_degree(30, multapses=True),
    ],
)
def test_with_multapses_partners_are_drawn_independently(connector: Connector) -> None:
    pre, post = drawn(connector, 1000, 1000, False, seed=1)
    assert pre.size == 30_000
    pairs = pre * 1000 + post
    assert np.unique(pairs).size < pairs.size
    for index in (pre, post):
        assert chisquare(np.bincount(index // 50, minlength=20)).pvalue > P_VALUE


@pytest.mark.parametrize(("probability", "recurrent"), [(0.05, False), (0.5, True), (0.95, False)])
def test_pairs_are_connected_independently(probability: float, recurrent: bool) -> None:
    """Over 3,000 seeds: each pair, the number of pairs, and neighbours of the walk."""
    n_pre, n_post, n = 3, 3, 3000
    pairs = [(i, j) for i in range(n_pre) for j in range(n_post) if i != j or not recurrent]
    connector = fixed_probability(probability, self_connections=False)
    hits = np.zeros((n, n_pre, n_post))
    for seed in range(n):
        hits[seed][drawn(connector, n_pre, n_post, recurrent, seed)] = 1.0
    free = np.array([hits[:, i, j] for i, j in pairs])
    assert hits.sum() == free.sum()
    spread = np.sqrt(probability * (1 - probability) / n)
    assert np.all(np.abs(free.mean(axis=1) - probability) < 4.5 * spread)
    correlations = np.corrcoef(free)[np.triu_indices(len(pairs), 1)]
    assert np.all(np.abs(correlations) < 4.5 / np.sqrt(n))


def test_blocks_of_random_numbers_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a connector draws does not depend on how many numbers are held at a time."""
    connectors = [
        fixed_in_degree(7, False),
        fixed_out_degree(7, False),
        fixed_probability(0.2, False),
        fixed_in_degree(60, False, multapses=True),
    ]
    whole = [drawn(c, 50, 50, True, 3) for c in connectors]
    monkeypatch.setattr(connect, "_BLOCK", 32)
    for connector, (pre, post) in zip(connectors, whole, strict=True):
        again = drawn(connector, 50, 50, True, 3)
        np.testing.assert_array_equal(again[0], pre)
        np.testing.assert_array_equal(again[1], post)


@pytest.mark.parametrize(
    ("connector", "text"),
    [
        (fixed_out_degree(7), r"fixed_out_degree\(7\): only 3 postsynaptic neurons"),
        (fixed_total_number(13), r"fixed_total_number\(13\): only 12 pairs of neurons"),
    ],
)
def test_connectors_that_ask_for_too_much(connector: Connector, text: str) -> None:
    with pytest.raises(NetworkError, match=text):
        drawn(connector, 4, 3, False, 0)


# -- layout --------------------------------------------------------------------------------------


@st.composite
def projections(draw: st.DrawFn) -> Network:
    n_pre, n_post = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    recurrent = draw(st.booleans())
    pairs = st.tuples(st.integers(0, n_pre - 1), st.integers(0, n_post - 1))
    listed = draw(st.lists(pairs, max_size=20))
    if recurrent:
        n_post = n_pre
        listed = [(i, min(j, n_pre - 1)) for i, j in listed]
    connector = draw(
        st.sampled_from(
            [
                explicit([i for i, _ in listed], np.array([j for _, j in listed], int)),
                fixed_in_degree(3, multapses=True),
                fixed_probability(0.4, False),
                fixed_total_number(min(5, n_pre * n_post)),
                all_to_all(False),
            ]
        )
    ) if listed else fixed_out_degree(2, multapses=True)  # fmt: skip
    coarse = Distribution("coarse", (), lambda rng, n: rng.integers(0, 3, n) / 10)
    net = Network(seed=draw(st.integers(0, 9)))
    u = net.population("u", n_pre, LIFExp())
    v = u if recurrent else net.population("v", n_post, LIFExp())
    delay = draw(st.sampled_from([0.3, uniform(0, 4), coarse]))
    rule = draw(st.sampled_from([None, WTCRL()]))
    net.projection(u, v, connector, draw(st.sampled_from([2.0, uniform(0, 1)])), delay, rule=rule)
    return net


@given(projections())
def test_the_layout_is_that_of_one_stable_sort(net: Network) -> None:
    """By sender, delay, target and place in the description, as one sort of everything gives."""
    (proj,) = net.projections.values()
    compiled = compile_network(net)
    arrays, row = compiled.arrays, compiled.arrays.projs[0]
    n_pre, n_post = proj.pre.size, proj.post.size
    streams = [generator(net.seed, "projection", proj.name, w) for w in ("weight", "delay")]
    if proj.connector.rows is None and row.row_at == 0 and arrays.row_ptr.size == 0:
        return  # a matrix
    if proj.connector.rows is None:
        pre, post = np.divmod(np.arange(n_pre * n_post), n_post)
        place = np.flatnonzero((pre != post) | (proj.pre is not proj.post))
    else:
        stream = generator(net.seed, "projection", proj.name, "connect")
        rows = proj.connector.rows(n_pre, n_post, proj.pre is proj.post, stream)
        pre, post = np.repeat(np.arange(n_pre), np.diff(rows.first)), rows.post
        place = np.arange(pre.size)
        if rows.order is not None:
            place = np.argsort(rows.order)
            pre, post = pre[place], post[place]
            place = np.arange(pre.size)
    weights, delays = (
        value.draw(stream, pre.size)
        if isinstance(value, Distribution)
        else np.full(pre.size, value)
        for value, stream in zip((proj.weight, proj.delay), streams, strict=True)
    )
    if isinstance(proj.delay, Distribution):
        delays = delays.astype(np.float32).astype(float)
    place = place[np.lexsort((place, post[place], delays[place], pre[place]))]
    n = place.size
    np.testing.assert_array_equal(np.repeat(np.arange(n_pre), np.diff(arrays.row_ptr)), pre[place])
    np.testing.assert_array_equal(row_targets(arrays, row), post[place])
    np.testing.assert_array_equal(np.broadcast_to(arrays.weight, n), weights[place])
    got = [synapse_delay(arrays, 0, s) if np.isnan(row.delay) else row.delay for s in range(n)]
    np.testing.assert_array_equal(got, delays[place])
    if not row.same:
        order = compiled.orders[proj.name]
        order = np.arange(n) if order is None else order
        np.testing.assert_array_equal(order, place)


def test_delays_given_as_an_array_keep_every_bit() -> None:
    net = Network()
    u = net.population("u", 3, SpikeTimes([]))
    v = net.population("v", 3, LIFExp())
    given = np.array([0.1, 0.7, 1.0 / 3.0])
    net.projection(u, v, explicit([0, 1, 2], [0, 1, 2]), delay=given)
    arrays = compile_network(net).arrays
    assert arrays.syn_delay.tolist() == given.tolist()
    assert arrays.short_delay.size == 0


# -- memory --------------------------------------------------------------------------------------


def large(weight: Any, delay: Any, rule: Any = None, degree: int = 250) -> Network:
    """Half a million synapses."""
    net = Network(seed=1)
    v = net.population("v", 2000, LIFExp())
    dopamine = None
    if rule is not None and rule.modulated:
        dopamine = net.population("dopamine", 1, Concentration())
    net.projection(
        v, v, fixed_in_degree(degree, False), weight, delay, rule=rule, modulator=dopamine
    )
    return net


def synapse_bytes(compiled: CompiledNetwork) -> int:
    arrays = compiled.arrays
    pools = ["weight", "row_ptr", "syn_post", "syn_delay", "short_delay", "in_ptr", "in_short"]
    traces = empty_traces(compiled)[0]  # one a synapse where delays differ
    return traces.nbytes + sum(getattr(arrays, pool).nbytes for pool in [*pools, "synaptic"])


@pytest.mark.parametrize(
    ("weight", "delay", "rule", "most"),
    [
        (0.1, 1.5, None, 4),
        (uniform(0, 1), 1.5, None, 12),
        (0.1, uniform(0.5, 3), None, 8),
        (uniform(0, 1), uniform(0.5, 3), None, 16),
        (uniform(0, 1), 1.5, WTCRL(), 16),
        (uniform(0, 1), 1.5, DopamineSTDP(), 24),
        (uniform(0, 1), uniform(0.5, 3), PairSTDP(), 24),
    ],
    ids=[
        "one weight",
        "weights",
        "delays",
        "weights and delays",
        "plastic",
        "eligible",
        "plastic and delays",
    ],
)
def test_memory_of_a_synapse_and_of_its_making(
    weight: Any, delay: Any, rule: Any, most: int
) -> None:
    compile_network(large(weight, delay, rule, degree=3))  # kernels
    net = large(weight, delay, rule)
    tracemalloc.start()
    compiled = compile_network(net)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    n = compiled.arrays.syn_post.size
    result = synapse_bytes(compiled)
    assert n == 500_000
    assert result <= 1.05 * most * n
    blocks = 8 * 2**20  # random numbers and sorting, whatever the size of the network
    assert peak < 1.6 * result + blocks
