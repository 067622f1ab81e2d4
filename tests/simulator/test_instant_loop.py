"""The compiled loop made for some kinds of population only, as plain Python."""

from __future__ import annotations

import numpy as np
import pytest

from encoders import Poisson
from neurons import LIFExp
from simulator import Network, Simulation, all_to_all, fixed_probability
from simulator.connect import Connector
from simulator.instant_loop import make_instant_loop


@pytest.mark.parametrize(
    ("connector", "lazy"), [(all_to_all(), False), (fixed_probability(0.5), True)]
)
def test_without_the_parts_that_are_not_needed_it_gives_the_same_bits(
    connector: Connector, lazy: bool
) -> None:
    net = Network(seed=4)
    source = net.population("source", 8, Poisson(200.0))
    cells = net.population("cells", 6, LIFExp(tau_m=20.0, tau_exc=3.0, t_ref=1.0))
    net.projection(source, cells, connector, 1.5, 0.5)
    net.projection(cells, cells, connector, 0.4, 1.0)
    net.record_spikes(cells)
    outcomes = []
    for parts in ((True, True), (not lazy, lazy)):
        simulation = Simulation(net)
        compiled = simulation.compiled
        assert bool(compiled.arrays.pops.lazy[1]) == lazy
        loop = make_instant_loop(compiled.models, compiled.rules, *parts)
        simulation._engine._loop = loop.py_func
        simulation.run(60.0)
        outcomes.append((*simulation.spikes("cells"), simulation.state("cells", "v")))
    assert outcomes[0][0].size > 10
    for whole, part in zip(*outcomes, strict=True):
        np.testing.assert_array_equal(whole, part)
