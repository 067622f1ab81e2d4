"""The compiled loop made for what some networks need only, as plain Python."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from encoders import Poisson
from neurons import LIFExp
from plasticity import WTCRL, ExponentialDrift
from simulator import (
    Network,
    Simulation,
    all_to_all,
    fixed_probability,
    one_to_one,
    uniform,
)
from simulator.instant_loop import make_instant_loop
from simulator.needs import Needs, needs_of

NEURON = LIFExp(tau_m=20.0, tau_exc=3.0, t_ref=1.0)


def network() -> Network:
    net = Network(seed=4)
    net.population("source", 8, Poisson(200.0))
    net.population("cells", 6, NEURON)
    net.record_spikes("cells")
    return net


def onto_all() -> Network:
    net = network()
    net.projection("source", "cells", all_to_all(), 1.5, 0.5)
    net.projection("cells", "cells", all_to_all(False), 0.4, 1.0)
    return net


def onto_some() -> Network:
    net = network()
    net.projection("source", "cells", fixed_probability(0.5), 1.5, 0.5)
    net.projection("cells", "cells", fixed_probability(0.5), 0.4, 1.0)
    return net


def private() -> Network:
    net = network()
    net.population("own", 6, Poisson(900.0))
    net.projection("own", "cells", one_to_one(), 0.8, 0.5)
    net.projection("cells", "cells", fixed_probability(0.5), 0.4, 1.0)
    return net


def learning() -> Network:
    net = network()
    weights = np.linspace(0.5, 0.8, 48).reshape(8, 6)
    net.projection("source", "cells", all_to_all(), weights, 0.5, rule=WTCRL())
    rule = ExponentialDrift(w_start=-0.1, w_end=-0.2, tau=50.0)
    net.projection("cells", "cells", all_to_all(False), 1.0, 0.0, port="inhibitory", rule=rule)
    return net


def learning_in_rows() -> Network:
    net = network()
    net.projection(
        "source", "cells", fixed_probability(0.5), 1.5, uniform(0.2, 2.0), rule=WTCRL(), name="in"
    )
    net.record_weight_changes("in")
    return net


ALL = Needs()
NONE = Needs(*(False for _ in ALL))
CASES: list[tuple[Callable[[], Network], Needs]] = [
    (onto_all, NONE._replace(stepped=True, together=True, whole=True)),
    (onto_some, NONE._replace(lazy=True, rows=True)),
    (private, NONE._replace(lazy=True, driven=True, rows=True)),
    (learning, NONE._replace(stepped=True, together=True, whole=True)),
    (learning_in_rows, NONE._replace(lazy=True, rows=True, several=True, watched=True)),
]


@pytest.mark.parametrize(("make", "needs"), CASES)
def test_without_the_parts_that_are_not_needed_it_gives_the_same_bits(
    make: Callable[[], Network], needs: Needs
) -> None:
    compare(make, needs, plain=True)


@pytest.mark.slow
@pytest.mark.parametrize(("make", "needs"), CASES)
def test_compiled_too(make: Callable[[], Network], needs: Needs) -> None:
    compare(make, needs, plain=False)


def compare(make: Callable[[], Network], needs: Needs, plain: bool) -> None:
    outcomes = []
    for parts in (ALL, needs):
        simulation = Simulation(make(), workers=1)
        compiled = simulation.compiled
        assert needs_of(compiled) == needs
        loop = make_instant_loop(compiled.models, compiled.rules, parts)
        simulation._engine._loop = getattr(loop, "py_func", loop) if plain else loop
        with np.errstate(over="ignore"):  # hashes wrap around
            simulation.run(60.0)
        weights = [simulation.weights(name) for name in simulation.network.projections]
        outcomes.append((*simulation.spikes("cells"), simulation.state("cells", "v"), *weights))
    assert outcomes[0][0].size > 10
    for whole, part in zip(*outcomes, strict=True):
        np.testing.assert_array_equal(whole, part)


def test_every_part_is_left_out_somewhere_and_compiled_somewhere() -> None:
    # A network on the cores of a machine is compared with the plain one in test_spread.py.
    found = np.array([needs._replace(spread=False) for _, needs in CASES])
    assert found.any(axis=0).tolist() == [name != "spread" for name in Needs._fields]
    assert not found.all(axis=0).any()
