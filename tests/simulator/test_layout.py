"""What holds of the arrays of any network: rows, their transpose, shared weights, flags."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import SpikeTimes
from neurons import LIFExp
from plasticity import WTCRL, ExponentialDrift
from simulator import (
    Network,
    all_to_all,
    explicit,
    fixed_in_degree,
    fixed_probability,
    one_to_one,
    uniform,
)
from simulator.arrays import DENSE, SPARSE, UNIFORM
from simulator.compile import CompiledNetwork, compile_network
from simulator.incoming import incoming_of, incoming_synapse, row_targets
from tests.simulator.jump_model import Jump
from tests.strategies import NetworkPlan, build, network_plans


def plans() -> st.SearchStrategy[NetworkPlan]:
    return st.sampled_from(["LIFExp", "Jump"]).flatmap(network_plans)


def sizes(compiled: CompiledNetwork, row: Any) -> tuple[int, int]:
    pops = compiled.arrays.pops
    return int(pops.hi[row.pre] - pops.lo[row.pre]), int(pops.hi[row.post] - pops.lo[row.post])


def part(compiled: CompiledNetwork, q: int, pool: str, first: str) -> Any:
    """The entries of projection ``q`` in a pool, up to where the next one's begin."""
    array, projs = getattr(compiled.arrays, pool), compiled.arrays.projs
    end = projs[first][q + 1] if q + 1 < projs.size else array.size
    return array[projs[first][q] : end]


@settings(max_examples=80)
@given(plans())
def test_rows_are_sorted_by_delay_then_target(plan: NetworkPlan) -> None:
    compiled = compile_network(build(plan))
    used = [0, 0]
    for q, row in enumerate(compiled.arrays.projs):
        if row.kind != SPARSE:
            for pool, first in (("row_ptr", "row_at"), ("syn_post", "post_at")):
                assert part(compiled, q, pool, first).size == 0
            continue
        n_pre, n_post = sizes(compiled, row)
        pointers = part(compiled, q, "row_ptr", "row_at")
        targets = row_targets(compiled.arrays, row)
        assert part(compiled, q, "syn_post", "post_at").size == targets.size
        several = np.isnan(row.delay)
        pool = compiled.arrays.short_delay if row.short else compiled.arrays.syn_delay
        delays = pool[row.delay_at : row.delay_at + several * targets.size]
        assert pointers.size == n_pre + 1
        assert pointers[0] == 0
        assert pointers[-1] == targets.size
        assert np.all(np.diff(pointers) >= 0)
        assert np.all((targets >= 0) & (targets < n_post))
        if several:
            assert np.unique(delays).size > 1
            used[bool(row.short)] += delays.size
        else:
            delays = np.full(targets.size, row.delay)
        for lo, hi in pairwise(pointers):
            mine = list(zip(delays[lo:hi].tolist(), targets[lo:hi].tolist(), strict=True))
            assert mine == sorted(mine)
    assert used == [compiled.arrays.syn_delay.size, compiled.arrays.short_delay.size]


@settings(max_examples=80)
@given(plans())
def test_incoming_synapses_are_the_transpose(plan: NetworkPlan) -> None:
    compiled = compile_network(build(plan))
    arrays = compiled.arrays
    pointers_used = synapses_used = 0
    for q, row in enumerate(arrays.projs):
        assert bool(row.waits) == bool(row.learns and np.isnan(row.delay))
        if not (row.learns and row.kind == SPARSE) or row.waits:
            continue
        n_pre, n_post = sizes(compiled, row)
        pointers = part(compiled, q, "row_ptr", "row_at")
        targets = row_targets(arrays, row)
        senders = np.repeat(np.arange(n_pre), np.diff(pointers))
        assert row.in_at == pointers_used
        assert row.in_short
        pointers_used += n_post + 1
        in_ptr = arrays.in_ptr[row.in_at : pointers_used]
        assert row.in_syn_at == synapses_used
        synapses_used += targets.size
        found = [incoming_synapse(arrays, incoming_of(arrays, q), b) for b in range(targets.size)]
        senders_found, incoming = np.array(found, np.int64).reshape(-1, 2).T
        np.testing.assert_array_equal(senders_found, senders[incoming])
        assert sorted(incoming.tolist()) == list(range(targets.size)), "every synapse, once"
        assert (in_ptr[0], in_ptr[-1]) == (0, targets.size)
        for j in range(n_post):
            mine = slice(in_ptr[j], in_ptr[j + 1])
            assert np.all(targets[incoming[mine]] == j)
            assert np.all(np.diff(senders[incoming[mine]]) >= 0)
    assert arrays.in_ptr.size == pointers_used
    assert arrays.in_short.size == synapses_used
    assert arrays.in_long.size == 0


@settings(max_examples=80)
@given(plans())
def test_pools_hold_exactly_what_the_projections_need(plan: NetworkPlan) -> None:
    compiled = compile_network(build(plan))
    arrays = compiled.arrays
    for q, (row, proj) in enumerate(
        zip(arrays.projs, compiled.network.projections.values(), strict=True)
    ):
        n_pre, n_post = sizes(compiled, row)
        n = row_targets(arrays, row).size if row.kind == SPARSE else n_pre * n_post
        stored = part(compiled, q, "weight", "w_at")
        number = np.ndim(proj.weight) == 0 and not callable(getattr(proj.weight, "draw", None))
        learns = proj.rule is not None and proj.rule.learns()
        assert bool(row.same) == (number and not learns)
        assert stored.size == (1 if row.same else n)
        assert bool(row.learns) == learns
        if learns:
            assert row.n_slots == n_pre
        order = compiled.orders[proj.name]
        if row.kind != SPARSE:
            assert order is None
        if order is not None:
            described = n_pre * n_post if proj.connector.rows is None else n
            assert np.unique(order).size == order.size == n
            assert np.all((order >= 0) & (order < described))
    assert np.all(np.isfinite(arrays.weight))
    assert np.all(arrays.syn_delay >= 0.0)
    assert np.all(arrays.short_delay >= 0.0)


@settings(max_examples=60)
@given(plans())
def test_populations_tile_the_neurons_and_the_state_blocks(plan: NetworkPlan) -> None:
    compiled = compile_network(build(plan))
    pops = compiled.arrays.pops
    described = list(compiled.network.populations.values())
    assert pops.lo.tolist() == [0, *pops.hi[:-1].tolist()]
    assert (pops.hi - pops.lo).tolist() == [p.size for p in described]
    assert [bool(g < 0) for g in pops.group] == [p.is_source for p in described]
    for g, (model, block) in enumerate(zip(compiled.models, compiled.groups.states, strict=True)):
        mine = np.flatnonzero(pops.group == g)
        assert block.shape == (len(model.state), sum(described[k].size for k in mine))
        ends = np.cumsum([described[k].size for k in mine])
        assert pops.at[mine].tolist() == [0, *ends[:-1].tolist()]
        for k in mine:
            row = compiled.groups.parameters[g][pops.row[k]]
            assert tuple(row) == tuple(described[k].model.parameters)


@settings(max_examples=60)
@given(plans())
def test_lists_of_a_population_name_its_projections(plan: NetworkPlan) -> None:
    compiled = compile_network(build(plan))
    arrays, projs = compiled.arrays, compiled.arrays.projs
    for k, pop in enumerate(arrays.pops):
        leaving = arrays.out_proj[pop.out_lo : pop.out_hi]
        assert leaving.tolist() == np.flatnonzero(projs.pre == k).tolist()
        entering = arrays.learn_proj[pop.learn_lo : pop.learn_hi]
        assert entering.tolist() == np.flatnonzero((projs.post == k) & (projs.learns > 0)).tolist()


@settings(max_examples=60)
@given(plans())
def test_flags_of_populations(plan: NetworkPlan) -> None:
    """Together: neurons that no sparse row reaches.  Lazy: the others, if their modes serve."""
    compiled = compile_network(build(plan))
    arrays = compiled.arrays
    for k, described in enumerate(compiled.network.populations.values()):
        pop, reached = arrays.pops[k], (arrays.projs.post == k) & (arrays.projs.kind == SPARSE)
        assert bool(pop.together) == (not described.is_source and not reached.any())
        model: Any = described.model
        modes = not described.is_source and model.linear and model.has_modes(model.parameters)
        assert bool(pop.lazy) == (modes and not pop.together)
        if pop.lazy:
            shortest = min(model.time_constants(model.parameters))
            assert 0.0 < pop.bucket < shortest < pop.frame_length
        assert bool(pop.recorded)


@pytest.mark.parametrize(
    ("connector", "weight", "delay", "rule", "kind", "stored"),
    [
        (all_to_all(), 2.0, 1.0, None, UNIFORM, 1),
        (all_to_all(), 2.0, 1.0, ExponentialDrift(), UNIFORM, 1),
        (all_to_all(), 2.0, 1.0, WTCRL(), DENSE, 30),
        (all_to_all(), [[1.0] * 6] * 5, 1.0, None, DENSE, 30),
        (all_to_all(), 2.0, uniform(0, 1), None, SPARSE, 1),
        (all_to_all(), 2.0, uniform(0, 1), WTCRL(), SPARSE, 30),
        (fixed_in_degree(2), 2.0, 1.0, None, SPARSE, 1),
        (fixed_in_degree(2), 2.0, 1.0, ExponentialDrift(), SPARSE, 1),
        (fixed_in_degree(2), 2.0, 1.0, WTCRL(), SPARSE, 12),
        (fixed_in_degree(2), uniform(0, 1), 1.0, None, SPARSE, 12),
        (fixed_probability(0.0), 2.0, 1.0, None, SPARSE, 1),
    ],
)
def test_kinds_and_numbers_of_stored_weights(
    connector: Any, weight: Any, delay: Any, rule: Any, kind: int, stored: int
) -> None:
    net = Network(seed=1)
    u = net.population("u", 5, SpikeTimes([]))
    v = net.population("v", 6, LIFExp())
    net.projection(u, v, connector, weight, delay, rule=rule)
    arrays = compile_network(net).arrays
    assert arrays.projs.kind[0] == kind
    assert arrays.weight.size == stored
    assert np.isnan(arrays.projs.delay[0]) == (not isinstance(delay, float))


def test_equal_delays_given_one_by_one_are_one_delay() -> None:
    net = Network()
    u = net.population("u", 3, SpikeTimes([]))
    v = net.population("v", 3, LIFExp())
    net.projection(u, v, one_to_one(), delay=[0.5, 0.5, 0.5], name="equal")
    net.projection(u, v, explicit([2, 0, 0], [1, 2, 0]), delay=[0.5, 2.0, 2.5], name="apart")
    arrays = compile_network(net).arrays
    assert arrays.projs.delay[0] == 0.5
    assert arrays.short_delay.tolist() == [2.0, 2.5, 0.5]
    assert arrays.syn_post.tolist() == [0, 1, 2, 2, 0, 1]


def test_flags_of_hand_made_populations() -> None:
    net = Network()
    u = net.population("u", 2, SpikeTimes([]))
    models = {
        "untouched": LIFExp(),
        "whole": LIFExp(),
        "sparse": LIFExp(),
        "near": LIFExp(tau_m=10.0, tau_exc=10.01),
        "jump": Jump(),
    }
    for name, model in models.items():
        net.population(name, 4, model)
        if name != "untouched":
            net.projection(u, name, all_to_all(), name=f"all {name}")
        if name not in ("untouched", "whole"):
            net.projection(u, name, fixed_in_degree(1), name=f"some {name}")
    net.record_spikes("whole")
    pops = compile_network(net).arrays.pops
    assert pops.together.tolist() == [0, 1, 1, 0, 0, 0]
    assert pops.lazy.tolist() == [0, 0, 0, 1, 0, 0]
    assert pops.recorded.tolist() == [0, 0, 1, 0, 0, 0]
    assert pops.frame_length[3] == pytest.approx(16.0 * 5.0)
    assert pops.bucket[3] == pytest.approx(0.5)
