"""The neuron that repeats: what it heeds, what it does not, and what synapses learn from it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from encoders import SpikeTimes
from neurons import Parrot
from plasticity import SymmetricSTDP
from simulator import ModelError, Network, Simulation, all_to_all, explicit
from simulator.reference import Reference
from tests.neurons.support import uncompiled


def taught() -> Network:
    """Two inputs watch two parrots, whom a teacher tells to fire."""
    net = Network()
    teacher = net.population("teacher", 2, SpikeTimes([1.0, 4.0, 30.0, 30.0], [0, 1, 0, 1]))
    also = net.population("also", 1, SpikeTimes([4.0]))
    inputs = net.population("inputs", 2, SpikeTimes([0.5, 12.0, 58.0], [0, 0, 1]))
    parrots = net.population("parrots", 2, Parrot())
    after = net.population("after", 1, Parrot())
    net.projection(teacher, parrots, explicit([0, 1], [0, 1]), 1e-3)
    net.projection(also, parrots, all_to_all(), 100.0)
    net.projection(
        inputs, parrots, all_to_all(), 7.0, port="unheeded", name="w",
        rule=SymmetricSTDP(nu=2.0, increment=0.1, w_max=7.25),
    )  # fmt: skip
    net.projection(parrots, after, all_to_all(), -1.0, 0.5)
    net.record_spikes(parrots, after)
    return net


def by_hand(arrivals: list[float], spikes: list[float]) -> float:
    """Every pair counts once, up to the ceiling, in order of time."""
    pairs = [(max(a, s), 0.2 * math.exp(-abs(a - s) / 20.0)) for a in arrivals for s in spikes]
    w = 7.0
    for _, step in sorted(pairs):
        w = min(7.25, w + step)
    return w


@pytest.mark.parametrize("engine", [uncompiled, Reference])
def test_it_repeats_one_port_and_synapses_at_the_other_learn(engine) -> None:  # type: ignore[no-untyped-def]
    simulation: Simulation | Reference = engine(taught())
    simulation.run(60.0)
    times, neurons = simulation.spikes("parrots")
    assert times.tolist() == [1.0, 4.0, 4.0, 30.0, 30.0]
    assert neurons.tolist() == [0, 0, 1, 0, 1]
    assert simulation.spikes("after")[0].tolist() == [1.5, 4.5, 30.5]
    weights = np.ravel(simulation.weights("w"))
    inputs, spikes = ([0.5, 12.0], [58.0]), ([1.0, 4.0, 30.0], [4.0, 30.0])
    expected = [by_hand(a, s) for a in inputs for s in spikes]
    assert min(expected) < 7.25 == max(expected)
    np.testing.assert_allclose(weights, expected, rtol=0, atol=1e-12)


def test_a_threshold_that_no_arrival_reaches_is_refused() -> None:
    with pytest.raises(ModelError, match=r"v_th = 1.5; it must lie in \(0, 1\]"):
        Parrot(v_th=1.5)
