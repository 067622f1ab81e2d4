"""What the tests of neuron models share: one neuron with its state in lists, and brute force."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from encoders import Poisson
from simulator import Network, Simulation, fixed_probability, uniform
from simulator.model import NeuronModel
from simulator.reference import Reference

__all__ = [
    "after",
    "assert_engines_agree",
    "assert_first_crossing",
    "crossing",
    "excess",
    "neuron",
    "small_network",
    "uncompiled",
]


def neuron(model: NeuronModel, **state: float) -> Any:
    """The state of one neuron; variables that are not given start at their defaults."""
    assert set(state) <= set(model.state)
    return model.State(*([state.get(k, v)] for k, v in model.state.items()))


def after(model: NeuronModel, state: dict[str, float], t: float) -> Any:
    """The state after ``t`` ms without input."""
    n = neuron(model, **state)
    model.advance(n, 0, model.parameters, model.factors(model.parameters, t))
    return n


def excess(model: NeuronModel, state: dict[str, float], t: float) -> float:
    """V - threshold after ``t`` ms without input."""
    n = after(model, state, t)
    return float(n.v[0] - model.parameters.v_th - n.theta[0])


def crossing(model: NeuronModel, state: dict[str, float]) -> float:
    return model.crossing(neuron(model, **state), 0, model.parameters)


def assert_first_crossing(
    model: NeuronModel, state: dict[str, float], horizon: float, tolerance: float = 1e-12
) -> float:
    """Hold ``crossing`` and ``may_cross`` to a scan of V over [0, horizon]; return the crossing."""
    t, p = crossing(model, state), model.parameters
    short = np.geomspace(1e-4, 1.0, 100)
    times = np.sort(np.concatenate([short, np.linspace(1e-3, 1.0, 500)])) * min(t, horizon)
    scan = np.array([excess(model, state, x) for x in times if x < t])
    scale = max(1.0, *(abs(v) for v in state.values()))
    assert (scan < tolerance * scale).all(), f"{model} {state}: above threshold before {t} ms"
    if t < inf:
        assert abs(excess(model, state, t)) < tolerance * scale
        for within in (inf, t * (1.0 + 1e-9)):
            assert model.may_cross(neuron(model, **state), 0, p, within)
    return t


def small_network(
    model: NeuronModel, weight: float, recurrent: float, *, rate: float = 200.0, seed: int = 3
) -> Network:
    """Ten neurons with six Poisson channels and random delays; "in", "cells"."""
    net = Network(seed=seed)
    source = net.population("in", 6, Poisson(rate))
    cells = net.population("cells", 10, model)
    first, last = model.ports[0], model.ports[-1]
    for pre, post, p, w, port in (
        (source, cells, 0.5, weight, first),
        (cells, cells, 0.3, recurrent, last),
    ):
        net.projection(
            pre, post, fixed_probability(p), weight=w, delay=uniform(0.2, 1.5), port=port
        )
    net.record_spikes("in", "cells")
    return net


def uncompiled(net: Network) -> Simulation:
    """The compiled engine's loop run as plain Python: slow, and nothing to wait for."""
    simulation = Simulation(net)
    engine = simulation._engine
    engine._loop = engine._loop.py_func
    return simulation


def assert_engines_agree(net: Network, duration: float, tolerance: float = 0.0) -> Simulation:
    """Compiled and readable with spikes to compare, bit for bit unless there is a tolerance (ms);
    return the compiled one."""
    compiled, readable = Simulation(net), Reference(net)
    compiled.run(duration)
    readable.run(duration)
    times, neurons = readable.spikes("cells")
    assert times.size > 10
    np.testing.assert_array_equal(compiled.spikes("cells")[1], neurons)
    np.testing.assert_allclose(compiled.spikes("cells")[0], times, rtol=0.0, atol=tolerance)
    return compiled
