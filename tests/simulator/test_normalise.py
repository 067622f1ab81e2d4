"""Synaptic scaling at one instant: the weights into each neuron are brought to a sum."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import SpikeTimes
from neurons import LIFExp
from plasticity import WTCRL
from simulator import (
    Network,
    Simulation,
    SimulationError,
    all_to_all,
    explicit,
    fixed_probability,
    one_to_one,
    uniform,
)
from simulator.reference import Reference
from tests.neurons.support import uncompiled
from tests.simulator.support import stored_weights
from tests.simulator.test_trials import ENGINES, Engine


def network(connector: Any, n_pre: int, n_post: int, recurrent: bool, delay: Any = 1.0) -> Network:
    net = Network(seed=n_pre)
    cells = net.population("cells", n_post, LIFExp())
    pre = cells if recurrent else net.population("u", n_pre, SpikeTimes([]))
    net.projection(pre, cells, connector, uniform(0.1, 2.0), delay, name="w", rule=WTCRL())
    return net


@settings(max_examples=40)
@given(
    st.sampled_from([all_to_all(), all_to_all(False), fixed_probability(0.6), "multapses"]),
    st.integers(2, 12),
    st.integers(2, 12),
    st.booleans(),
    st.sampled_from([1.0, uniform(0.1, 2.0)]),
    st.one_of(st.floats(0.01, 1e6), st.floats(-5.0, -0.1)),
)
def test_sums_are_as_asked_and_ratios_as_before(
    connector: Any, n_pre: int, n_post: int, recurrent: bool, delay: Any, total: float
) -> None:
    """The same bits in both engines."""
    if connector == "multapses":
        pre = np.arange(3 * n_pre) % (n_post if recurrent else n_pre)
        connector = explicit(pre, np.arange(3 * n_pre) * 7 % n_post)
    net = network(connector, n_pre, n_post, recurrent, delay)
    simulation, reference = Simulation(net, workers=1), Reference(net)
    before = stored_weights(simulation, "w").copy()
    simulation.normalise_weights("w", total)
    reference.normalise_weights("w", total)
    after = stored_weights(simulation, "w")
    np.testing.assert_array_equal(after, reference.weights("w"))
    targets = [s.post.index for row in reference._rows[0] for s in row]
    for j in set(targets):
        mine = np.array(targets) == j
        assert after[mine].sum() == pytest.approx(total, rel=1e-12)
        np.testing.assert_allclose(after[mine] / total, before[mine] / before[mine].sum())


def test_the_diagonal_that_holds_no_synapses_does_not_count() -> None:
    simulation = Simulation(network(all_to_all(False), 4, 4, True), workers=1)
    weights = simulation.weights("w")
    simulation.set_weights("w", weights + 100.0 * np.eye(4))
    simulation.normalise_weights("w", 1.0)
    np.testing.assert_allclose(simulation.weights("w")[~np.eye(4, dtype=bool)].sum(), 4.0)


def test_recorded_changes_of_weights_hold_it() -> None:
    net = network(all_to_all(), 5, 3, False)
    net.record_weights("w", [0.0])
    net.record_weight_changes("w")
    simulation = uncompiled(net)
    simulation.run(2.0)
    simulation.normalise_weights("w", 3.0)
    times, synapses, weights = simulation.recording.weight_changes("w")
    assert times.tolist() == [2.0] * 15
    assert synapses.tolist() == list(range(15))
    np.testing.assert_array_equal(weights, simulation.weights("w").ravel())


@pytest.mark.parametrize("kind", ENGINES)
def test_what_cannot_be_scaled_is_refused_and_left(kind: type[Engine]) -> None:
    net = network(all_to_all(), 2, 3, False)
    cells, source = net.populations["cells"], net.populations["u"]
    net.projection(source, cells, all_to_all(), 0.5, name="alike")
    lopsided = [[1.0, 1.0, 0.0], [1.0, -1.0, 0.0]]
    net.projection(source, cells, all_to_all(), lopsided, name="lopsided")
    engine = kind(net)
    for name, total, text in (
        ("w", math.nan, "total = nan; a finite number is needed"),
        ("w", math.inf, "total = inf"),
        ("alike", 1.0, "'alike' was described with one weight for all its synapses"),
        ("lopsided", 1.0, "the weights into neuron 1 of 'cells' add up to 0.0"),
    ):
        with pytest.raises(SimulationError, match=text):
            engine.normalise_weights(name, total)
    np.testing.assert_array_equal(engine.weights("lopsided").ravel(), np.ravel(lopsided))


def test_a_neuron_without_synapses_is_passed_over() -> None:
    net = Network()
    u, cells = net.population("u", 2, SpikeTimes([])), net.population("cells", 3, LIFExp())
    net.projection(u, cells, explicit([0, 1], [0, 2]), [0.5, 4.0], name="w")
    net.projection(cells, cells, one_to_one(), [1.0, 2.0, 4.0], name="own")
    simulation = Simulation(net)
    simulation.normalise_weights("w", 2.0)
    assert simulation.weights("w").tolist() == [2.0, 2.0]
    simulation.normalise_weights("own", 3.0)
    assert simulation.weights("own").tolist() == [3.0, 3.0, 3.0]
