"""Connectors: who reaches whom, and that weights and delays land on their own synapses."""

from __future__ import annotations

from math import nan, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders import SpikeTimes
from neurons import LIFExp
from plasticity import WTCRL
from simulator import (
    Network,
    NetworkError,
    Simulation,
    all_to_all,
    explicit,
    fixed_in_degree,
    fixed_probability,
    one_to_one,
    uniform,
)
from simulator.arrays import DENSE, SPARSE, UNIFORM
from simulator.compile import CompiledNetwork, compile_network
from simulator.connect import Connector
from simulator.queues import synapse_delay

Pairs = tuple[Any, Any]


def drawn(
    connector: Connector, n_pre: int, n_post: int, recurrent: bool = False, seed: int = 1
) -> Pairs:
    assert connector.rows is not None
    first, post, order = connector.rows(n_pre, n_post, recurrent, np.random.default_rng(seed))
    assert first.size == n_pre + 1
    assert (first[0], first[-1]) == (0, post.size)
    assert order is None
    return np.repeat(np.arange(n_pre), np.diff(first)), post.astype(np.int64)


def assert_ordered(pairs: Pairs) -> None:
    pre, post = pairs
    assert pre.dtype == post.dtype == np.int64
    np.testing.assert_array_equal(np.lexsort((post, pre)), np.arange(pre.size))


# -- who reaches whom ----------------------------------------------------------------------------


def test_one_to_one_is_the_diagonal() -> None:
    pre, post = drawn(one_to_one(), 4, 4)
    assert pre.tolist() == post.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("probability", [0.02, 0.3, 0.97])
def test_fixed_probability_connects_that_share_of_the_pairs(probability: float) -> None:
    n_pre, n_post = 300, 400
    pre, post = pairs = drawn(fixed_probability(probability), n_pre, n_post)
    assert_ordered(pairs)
    assert np.unique(pre * n_post + post).size == pre.size, "no pair twice"
    n, spread = n_pre * n_post, sqrt(probability * (1 - probability))
    assert abs(pre.size - n * probability) < 5 * spread * sqrt(n)
    for index, size, other in ((pre, n_pre, n_post), (post, n_post, n_pre)):
        degrees = np.bincount(index, minlength=size)
        # Every degree is binomial: five deviations each way, and their variance as well.
        assert np.all(np.abs(degrees - other * probability) < 5 * spread * sqrt(other))
        ratio = degrees.var() / (other * probability * (1 - probability))
        assert abs(ratio - 1.0) < 5 * sqrt(2.0 / size)


@pytest.mark.parametrize(("probability", "count"), [(0.0, 0), (1.0, 35)])
def test_fixed_probability_at_its_ends(probability: float, count: int) -> None:
    pre, post = drawn(fixed_probability(probability), 5, 7)
    assert pre.size == post.size == count


def test_fixed_probability_without_self_connections() -> None:
    everything = drawn(fixed_probability(1.0, self_connections=False), 6, 6, recurrent=True)
    assert everything[0].size == 30
    assert np.all(everything[0] != everything[1])
    some = drawn(fixed_probability(0.5, self_connections=False), 60, 60, recurrent=True)
    assert np.all(some[0] != some[1])
    assert abs(some[0].size - 0.5 * 60 * 59) < 5 * sqrt(0.25 * 60 * 59)


def test_between_two_populations_the_diagonal_is_no_self_connection() -> None:
    pre, post = drawn(fixed_probability(1.0, self_connections=False), 4, 4, recurrent=False)
    assert np.sum(pre == post) == 4
    pre, post = drawn(fixed_in_degree(4, self_connections=False), 4, 4, recurrent=False)
    assert np.sum(pre == post) == 4


@given(
    n_pre=st.integers(2, 12),
    n_post=st.integers(1, 12),
    recurrent=st.booleans(),
    self_connections=st.booleans(),
    multapses=st.booleans(),
    data=st.data(),
)
def test_fixed_in_degree_is_exact(
    n_pre: int,
    n_post: int,
    recurrent: bool,
    self_connections: bool,
    multapses: bool,
    data: st.DataObject,
) -> None:
    n_post = n_pre if recurrent else n_post
    available = n_pre - (recurrent and not self_connections)
    degree = data.draw(st.integers(0, 20 if multapses else available))
    connector = fixed_in_degree(degree, self_connections, multapses)
    pre, post = pairs = drawn(connector, n_pre, n_post, recurrent, data.draw(st.integers(0, 99)))
    assert_ordered(pairs)
    assert np.bincount(post, minlength=n_post).tolist() == [degree] * n_post
    assert np.all((pre >= 0) & (pre < n_pre))
    if recurrent and not self_connections:
        assert np.all(pre != post)
    if not multapses:
        assert np.unique(pre * n_post + post).size == pre.size


def test_multapses_occur_and_partners_are_uniform() -> None:
    n = 50
    pre, post = drawn(fixed_in_degree(20, False, multapses=True), n, n, recurrent=True)
    assert np.unique(pre * n + post).size < pre.size
    counts = np.bincount(pre, minlength=n)
    assert np.all(np.abs(counts - 20) < 5 * sqrt(20 * n / (n - 1)))


def test_without_self_connections_every_other_partner_is_drawn() -> None:
    """The last neuron can be drawn too, and neither neighbour of the diagonal is favoured."""
    pre, post = drawn(fixed_in_degree(4, False), 5, 5, recurrent=True)
    assert set(zip(pre.tolist(), post.tolist(), strict=True)) == {
        (i, j) for i in range(5) for j in range(5) if i != j
    }


# -- the right value on the right synapse --------------------------------------------------------


def described(
    connector: Connector, weight: Any, delay: Any, n_pre: int = 4, n_post: int = 3, rule: Any = None
) -> Network:
    net = Network(seed=5)
    u = net.population("u", n_pre, SpikeTimes([]))
    v = net.population("v", n_post, LIFExp())
    net.projection(u, v, all_to_all(), weight=0.0, name="before")
    net.projection(u, v, connector, weight=weight, delay=delay, rule=rule, name="it")
    net.projection(u, v, one_to_one() if n_pre == n_post else all_to_all(), name="behind")
    return net


def synapses(compiled: CompiledNetwork, name: str = "it") -> list[tuple[int, int, float, float]]:
    """(pre, post, weight, delay) of every synapse, as the engine reads them from the arrays."""
    arrays, q = compiled.arrays, list(compiled.network.projections).index(name)
    row = arrays.projs[q]
    n_pre, n_post = (int(arrays.pops.hi[k] - arrays.pops.lo[k]) for k in (row.pre, row.post))
    result = []
    for i in range(n_pre):
        if row.kind != SPARSE:
            for j in range(n_post):
                if not (row.no_self and i == j):
                    w = arrays.weight[row.w_at + (0 if row.same else i * n_post + j)]
                    result.append((i, j, float(w), float(row.delay)))
            continue
        for s in range(*arrays.row_ptr[row.row_at + i : row.row_at + i + 2]):
            w = arrays.weight[row.w_at + (0 if row.same else s)]
            d = synapse_delay(arrays, q, s) if np.isnan(row.delay) else row.delay
            result.append((i, int(arrays.syn_post[row.post_at + s]), float(w), float(d)))
    return sorted(result)


PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=15)


@given(pairs=PAIRS, data=st.data())
def test_values_follow_the_order_of_an_explicit_list(
    pairs: list[tuple[int, int]], data: st.DataObject
) -> None:
    """In any order, pairs given twice among them; through the arrays and through the readers."""
    n = len(pairs)
    weights = [1.0 + k for k in range(n)]
    delays = data.draw(st.lists(st.sampled_from([0.0, 0.5, 2.0]), min_size=n, max_size=n))
    connector = explicit([i for i, _ in pairs], [j for _, j in pairs])
    simulation = Simulation(described(connector, weights, delays))
    expected = [(i, j, w, d) for (i, j), w, d in zip(pairs, weights, delays, strict=True)]
    assert synapses(simulation.compiled) == sorted(expected)
    assert simulation.weights("it").tolist() == weights
    others = [-10.0 * k for k in range(n)]
    simulation.set_weights("it", others)
    assert simulation.weights("it").tolist() == others
    expected = [(i, j, w, d) for (i, j), w, d in zip(pairs, others, delays, strict=True)]
    assert synapses(simulation.compiled) == sorted(expected)
    for neighbour, value in (("before", 0.0), ("behind", 1.0)):
        assert np.all(simulation.weights(neighbour) == value)


@pytest.mark.parametrize("rule", [None, WTCRL()], ids=["static", "plastic"])
@pytest.mark.parametrize("several_delays", [False, True], ids=["one delay", "delays"])
def test_a_matrix_of_weights_is_pre_by_post(several_delays: bool, rule: Any) -> None:
    weights = np.arange(12.0).reshape(4, 3)
    delays = np.array([[3.0, 0.0, 1.0]] * 4) + np.arange(4.0)[:, None] if several_delays else 0.5
    net = described(all_to_all(), weights, delays, rule=rule)
    simulation = Simulation(net)
    d = np.broadcast_to(delays, (4, 3))
    for values in (weights, 100.0 - weights):
        simulation.set_weights("it", values)
        np.testing.assert_array_equal(simulation.weights("it"), values)
        assert synapses(simulation.compiled) == [
            (i, j, values[i, j], d[i, j]) for i in range(4) for j in range(3)
        ]


@pytest.mark.parametrize("delay", [0.5, uniform(0.0, 2.0)], ids=["one delay", "delays"])
def test_the_diagonal_holds_no_synapses(delay: Any) -> None:
    net = Network(seed=2)
    v = net.population("v", 4, LIFExp())
    weights = np.arange(16.0).reshape(4, 4)
    net.projection(v, v, all_to_all(self_connections=False), weights, delay, name="it")
    simulation = Simulation(net)
    assert [(i, j, w) for i, j, w, _ in synapses(simulation.compiled)] == [
        (i, j, weights[i, j]) for i in range(4) for j in range(4) if i != j
    ]
    apart = ~np.eye(4, dtype=bool)
    np.testing.assert_array_equal(simulation.weights("it"), np.where(apart, weights, 0.0))
    simulation.set_weights("it", -weights)
    np.testing.assert_array_equal(simulation.weights("it"), np.where(apart, -weights, 0.0))
    assert [w for _, _, w, _ in synapses(simulation.compiled)] == (-weights[apart]).tolist()


@pytest.mark.parametrize(
    ("connector", "weight", "kind"),
    [
        (all_to_all(), 2.0, UNIFORM),
        (all_to_all(), np.arange(12.0), DENSE),
        (all_to_all(), uniform(1, 2), DENSE),
        (fixed_in_degree(2), 2.0, SPARSE),
    ],
)
def test_each_projection_has_the_smallest_layout(
    connector: Connector, weight: Any, kind: int
) -> None:
    assert compile_network(described(connector, weight, 0.5)).arrays.projs[1].kind == kind


def test_one_weight_for_all_is_read_as_many() -> None:
    simulation = Simulation(described(fixed_in_degree(2), 2.5, 0.5))
    assert simulation.weights("it").tolist() == [2.5] * 6
    simulation = Simulation(described(all_to_all(), 2.5, 0.5))
    assert simulation.weights("it").tolist() == [[2.5] * 3] * 4


def test_a_projection_without_synapses_is_allowed() -> None:
    simulation = Simulation(described(fixed_probability(0.0), uniform(1, 2), uniform(0, 1)))
    assert simulation.weights("it").size == 0
    assert synapses(simulation.compiled) == []


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: fixed_probability(1.5), r"fixed_probability\(1\.5\)"),
        (lambda: fixed_probability(-0.1), r"fixed_probability\(-0\.1\)"),
        (lambda: fixed_probability(nan), r"fixed_probability\(nan\)"),
        (lambda: fixed_in_degree(-1), r"fixed_in_degree\(-1\)"),
        (lambda: fixed_in_degree(2.5), r"fixed_in_degree\(2\.5\)"),
        (lambda: explicit([0, 1], [0]), r"two lists of one length, got \(2,\) and \(1,\)"),
        (lambda: explicit([[0]], [[0]]), r"two lists of one length"),
        (lambda: explicit([0.5], [0]), "pre holds float64, integers"),
        (lambda: explicit([0], ["a"]), "post holds <U1, integers"),
    ],
)
def test_bad_connectors_are_refused_where_they_are_made(make: Any, text: str) -> None:
    with pytest.raises(NetworkError, match=text):
        make()


@pytest.mark.parametrize(
    ("connector", "text"),
    [
        (one_to_one(), "equal sizes, got 4 and 3"),
        (fixed_in_degree(5), "only 4 presynaptic neurons are available"),
        (explicit([0, 4], [0, 0]), r"pre\[1\] = 4; the population has neurons 0 to 3"),
        (explicit([0, 1], [0, -1]), r"post\[1\] = -1; the population has neurons 0 to 2"),
    ],
)
def test_connectors_that_do_not_fit_name_the_projection(connector: Connector, text: str) -> None:
    with pytest.raises(NetworkError, match=f"projection 'it': .*{text}"):
        compile_network(described(connector, 1.0, 0.0))


def test_an_in_degree_that_needs_the_neuron_itself_is_refused() -> None:
    net = Network()
    v = net.population("v", 1, LIFExp())
    net.projection(v, v, fixed_in_degree(1, self_connections=False, multapses=True))
    with pytest.raises(NetworkError, match=r"projection 'v->v': .*only 0 presynaptic neurons"):
        compile_network(net)


@pytest.mark.parametrize("value", [np.ones((3, 4)), np.ones((12, 1)), np.ones((2, 2, 3))])
@pytest.mark.parametrize("what", ["weight", "delay"])
def test_a_matrix_the_wrong_way_round_is_refused(what: str, value: Any) -> None:
    net = described(all_to_all(), **{"weight": 1.0, "delay": 0.0, what: value})
    shape = str(value.shape).replace("(", r"\(").replace(")", r"\)")
    text = rf"projection 'it': {what} has shape {shape}; \(4, 3\) is needed"
    with pytest.raises(NetworkError, match=text):
        compile_network(net)


def test_a_matrix_for_a_list_of_synapses_is_refused() -> None:
    net = described(explicit([0, 1, 2, 3], [0, 0, 1, 2]), np.ones((2, 2)), 0.0)
    with pytest.raises(NetworkError, match=r"'it': weight has shape \(2, 2\); \(4,\) is needed"):
        compile_network(net)
