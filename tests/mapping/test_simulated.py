"""A simulated network as the mapping sees it."""

from __future__ import annotations

import numpy as np
import pytest

from encoders import Poisson, SpikeTimes
from mapping import graph_of
from neurons import LIFExp
from simulator import (
    MappingError,
    Network,
    NetworkError,
    Simulation,
    all_to_all,
    explicit,
    one_to_one,
)
from tests.uncompiled import uncompiled_python


def network(noisy: bool = False) -> Network:
    net = Network(seed=2)
    net.population("u", 3, SpikeTimes([1.0, 2.0, 2.5, 4.0], [0, 2, 2, 1]))
    net.population("v", 4, LIFExp(tau_m=10, tau_exc=3))
    net.population("w", 2, LIFExp(tau_m=10, tau_exc=3))
    net.projection("u", "v", all_to_all(), 5.0, 0.5)
    net.projection("v", "v", all_to_all(self_connections=False), 0.1, 1.0)
    net.projection("v", "w", explicit([3, 0, 3], [1, 0, 1]), 0.2, [1.0, 0.5, 2.0])
    if noisy:
        net.population("noise", 2, Poisson(100.0))
        net.projection("noise", "w", one_to_one(), 0.1, 0.5)
    net.record_spikes("u", "v", "w")
    return net


def check_graph() -> None:
    for noisy in (False, True):
        simulation = Simulation(network(noisy))
        simulation.run(10.0)
        graph = graph_of(simulation)
        assert graph.names == ("u", "v", "w")
        assert graph.duration_ms == 10.0
        np.testing.assert_array_equal(graph.spike_counts[:3], [1, 1, 2])
        counts = np.bincount(simulation.spikes("v")[1], minlength=4)
        assert counts.sum() > 0
        np.testing.assert_array_equal(graph.spike_counts[3:7], counts)
        np.testing.assert_array_equal(np.sort(graph.targets(0)), [3, 4, 5, 6])
        np.testing.assert_array_equal(np.sort(graph.targets(6)), [3, 4, 5, 8])
        np.testing.assert_array_equal(graph.synapses()[7:], [1, 2])
        part = graph_of(simulation, ["w", "v"])
        assert part.names == ("v", "w")
        assert part.n_synapses == 4 * 3 + 3


def test_synapses_and_spikes_are_those_of_the_network() -> None:
    uncompiled_python("-c", "from tests.mapping.test_simulated import *; check_graph()")


def test_what_cannot_be_known_is_refused() -> None:
    with pytest.raises(MappingError, match="has not run"):
        graph_of(Simulation(network()))
    with pytest.raises(NetworkError, match="'x'"):
        graph_of(Simulation(network()), ["x"])
