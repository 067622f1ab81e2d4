"""Random streams: keyed by seed, entity and counter, and by nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders import Poisson, SpikeTimes
from neurons import LIFExp
from simulator import (
    Network,
    all_to_all,
    fixed_in_degree,
    fixed_probability,
    normal,
    one_to_one,
    uniform,
)
from simulator.compile import CompiledNetwork, compile_network
from simulator.reference import Reference
from simulator.seeds import generator

ENTITY = st.lists(st.text("abc>-", max_size=3), min_size=1, max_size=3).map(tuple)


def words(seed: int, *entity: str, counter: int = 0) -> list[int]:
    return generator(seed, *entity, counter=counter).integers(0, 2**63, 8).tolist()


@given(st.integers(0, 2**70), ENTITY, st.integers(0, 2**60))
def test_a_stream_is_the_same_every_time(seed: int, entity: tuple[str, ...], counter: int) -> None:
    assert words(seed, *entity, counter=counter) == words(seed, *entity, counter=counter)


@given(
    st.tuples(st.integers(0, 5), ENTITY, st.integers(0, 5)),
    st.tuples(st.integers(0, 5), ENTITY, st.integers(0, 5)),
)
def test_two_streams_share_no_number(a: tuple[Any, ...], b: tuple[Any, ...]) -> None:
    if a != b:
        one, other = (set(words(s, *entity, counter=c)) for s, entity, c in (a, b))
        assert one.isdisjoint(other)


def test_where_a_name_ends_matters() -> None:
    assert words(1, "ab", "c") != words(1, "a", "bc")
    assert words(1, "2") != words(12)


def test_a_stream_is_pinned() -> None:
    """A network of last year still gives the numbers of last year."""
    assert words(1, "projection", "u->v", "weight")[:2] == [
        1363968463263988390,
        3686584924669127216,
    ]


def test_blocks_of_a_stream_do_not_overlap() -> None:
    """Far into block 0 there is nothing of block 1."""
    far = generator(3, "source")
    far.bit_generator.advance(2**100)
    assert set(far.integers(0, 2**63, 1000)).isdisjoint(words(3, "source", counter=1))


# -- networks ------------------------------------------------------------------------------------


def drawn(seed: int = 7, extras: bool = False) -> CompiledNetwork:
    """Everything that a network draws; with ``extras``, amid other populations."""
    net = Network(seed=seed)
    if extras:
        net.population("first", 3, LIFExp(), {"v": uniform(0, 1)})
    u = net.population("u", 20, SpikeTimes([]))
    v = net.population("v", 30, LIFExp(), {"v": uniform(0, 0.9), "i_exc": normal(0, 1)})
    if extras:
        extra = net.population("extra", 9, LIFExp(), {"v": uniform(0, 1)})
        net.projection(u, extra, fixed_probability(0.5), uniform(0, 1), uniform(0, 1))
        net.projection(u, v, fixed_in_degree(2), uniform(0, 1), uniform(0, 1), name="other")
    net.projection(u, v, fixed_probability(0.3), uniform(0, 1), uniform(0, 5), name="sparse")
    net.projection(v, v, fixed_in_degree(4, False, True), normal(0, 1), 0.5, name="degree")
    net.projection(u, v, all_to_all(), uniform(0, 1), 1.0, name="dense")
    if extras:
        net.projection(v, extra, all_to_all(), uniform(0, 1), name="behind")
    return compile_network(net)


def of(compiled: CompiledNetwork) -> dict[str, np.ndarray]:
    """The numbers drawn for populations and projections of known names."""
    arrays, result = compiled.arrays, {}
    names = list(compiled.network.projections)
    for name in ("sparse", "degree", "dense"):
        row = arrays.projs[names.index(name)]
        following = [int(r.w_at) for r in arrays.projs if r.w_at > row.w_at]
        n = min(following, default=arrays.weight.size) - row.w_at
        result[f"weight of {name}"] = arrays.weight[row.w_at : row.w_at + n]
        if name != "dense":
            result[f"post of {name}"] = arrays.syn_post[row.post_at : row.post_at + n]
        if name == "sparse":
            result["delay"] = arrays.short_delay[row.delay_at : row.delay_at + n]
    row = arrays.pops[list(compiled.network.populations).index("v")]
    result["state"] = compiled.groups.states[0][:, row.at : row.at + 30]
    return result


def test_another_entity_does_not_change_what_is_drawn() -> None:
    alone, amid = of(drawn()), of(drawn(extras=True))
    assert alone.keys() == amid.keys()
    for what, values in alone.items():
        assert values.size > 25
        np.testing.assert_array_equal(amid[what], values, err_msg=what)


def test_another_seed_changes_everything() -> None:
    one, other = of(drawn(7)), of(drawn(8))
    for what, values in one.items():
        assert values.shape != other[what].shape or np.any(values != other[what]), what


def test_connections_do_not_depend_on_how_weights_are_drawn() -> None:
    def targets(weight: Any) -> Any:
        net = Network(seed=3)
        u, v = (net.population(name, 20, LIFExp()) for name in "uv")
        net.projection(u, v, fixed_probability(0.4), weight, uniform(0, 1))
        arrays = compile_network(net).arrays
        return np.concatenate([arrays.syn_post, arrays.short_delay])

    np.testing.assert_array_equal(targets(1.0), targets(normal(0.0, 1.0)))


def test_weights_and_delays_and_states_are_independent() -> None:
    net = Network(seed=3)
    u = net.population("u", 200, LIFExp(), {"v": uniform(0, 1), "i_exc": uniform(0, 1)})
    net.projection(u, u, one_to_one(), uniform(0, 1), uniform(0, 1))
    compiled = compile_network(net)
    state = compiled.groups.states[0]
    drawn = [state[0], state[1], compiled.arrays.weight, compiled.arrays.short_delay]
    correlations = np.corrcoef(drawn)[np.triu_indices(4, 1)]
    assert np.all(np.abs(correlations) < 5 / np.sqrt(200))


@pytest.mark.parametrize("extra_first", [False, True])
def test_a_random_source_does_not_hear_of_others(extra_first: bool) -> None:
    def spikes(extra: bool) -> list[float]:
        net = Network(seed=5)
        if extra and extra_first:
            net.population("extra", 4, Poisson(80.0))
        net.population("u", 3, Poisson(50.0))
        if extra and not extra_first:
            net.population("extra", 4, Poisson(80.0))
        engine = Reference(net)
        engine.run(1000.0)
        return engine.spikes("u")[0].tolist()

    assert len(spikes(False)) > 80
    assert spikes(True) == spikes(False)
