"""The compiled engine's kernels as plain Python: numba's compiler changes no bit of a result."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from encoders import SpikeTimes
from neurons import LIFExp
from plasticity import WTCRL
from simulator import Network, Simulation, all_to_all, fixed_probability, uniform
from tests.simulator.support import with_rules
from tests.uncompiled import uncompiled_python

UNTIL = 30.0  # ms


def network(learning: bool) -> Network:
    """Six neurons, three advanced together and three on their own, with ties and loops."""
    net = Network(seed=11)
    rng = np.random.default_rng(2)
    times = np.unique(rng.integers(0, 290, 60)) / 10.0
    u = net.population("u", 4, SpikeTimes(times, rng.integers(0, 4, times.size)))
    whole = net.population("whole", 3, LIFExp(tau_m=5, tau_exc=3, t_ref=1, bias=0.6))
    alone = net.population(
        "alone", 3, LIFExp(tau_m=8, tau_exc=2, tau_inh=5, bias=0.7), {"v": uniform(0, 0.9)}
    )
    rule = WTCRL(a_plus=0.2, a_minus=0.1) if learning else None
    net.projection(u, whole, all_to_all(), uniform(0.4, 0.9), 0.5, rule=rule)
    net.projection(u, alone, fixed_probability(0.8), uniform(0.4, 0.9), uniform(0, 2), rule=rule)
    net.projection(whole, whole, all_to_all(False), weight=-2.0, port="inhibitory")
    net.projection(whole, alone, fixed_probability(0.6), 0.5, 0.0)
    net.projection(alone, alone, fixed_probability(0.5, False), -0.5, 1.0, port="inhibitory")
    net.record_spikes(*net.populations)
    return net


def outcome(net: Network) -> dict[str, Any]:
    """Spikes and weights, every bit of them, in a form that passes between processes."""
    simulation = Simulation(net)
    simulation.run(UNTIL)
    result: dict[str, Any] = {}
    for name in ("u", "whole", "alone"):
        times, neurons = simulation.spikes(name)
        result[name] = [[t.hex() for t in times.tolist()], neurons.tolist()]
        if name != "u":
            result[f"v of {name}"] = [v.hex() for v in simulation.state(name, "v").tolist()]
    for name in ("u->whole", "u->alone"):
        result[name] = [w.hex() for w in simulation.weights(name).ravel().tolist()]
    return result


def print_outcomes() -> None:
    """What the uncompiled process does."""
    print(json.dumps([outcome(network(learning)) for learning in (False, True)]))


@pytest.fixture(scope="module")
def uncompiled() -> list[dict[str, Any]]:
    code = f"from {__name__} import print_outcomes; print_outcomes()"
    result: list[dict[str, Any]] = json.loads(uncompiled_python("-c", code))
    return result


@pytest.mark.parametrize("learning", [False, True], ids=["static", "plastic"])
def test_compiled_and_uncompiled_agree_bit_for_bit(
    uncompiled: list[dict[str, Any]], learning: bool
) -> None:
    """Compiled with idle rules on top, in the one order that other tests compile too."""
    net = with_rules(network(learning))
    expected = outcome(net)
    assert len(expected["whole"][1]) > 5
    assert len(expected["alone"][1]) > 5
    assert uncompiled[learning] == expected
    start = Simulation(network(learning)).weights("u->alone").ravel().tolist()
    assert ([w.hex() for w in start] == expected["u->alone"]) != learning
