"""Random recurrent networks of every linear model: left alone by the compiled engine's loop, or
advanced from arrival to arrival by the readable one.  With ties and zero delays on purpose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import SpikeTimes
from neurons import SRM, AdaptiveLIFExp, LIFDelta, LIFExp, noisy_threshold, refractory_loss
from simulator import Network, explicit, uniform
from simulator.model import NeuronModel
from simulator.reference import Reference
from tests.neurons.support import uncompiled

UNTIL = 12.0  # ms
N = 4
MODELS: dict[str, tuple[type[NeuronModel], dict[str, Any]]] = {
    "LIFDelta": (LIFDelta, {"tau_m": [2.0, 10.0], "t_ref": [1.0, 2.5]}),
    "LIFDelta with a bias": (
        LIFDelta, {"tau_m": [4.0], "t_ref": [0.7], "bias": [0.9, 1.3], "theta_plus": [0.0, 0.3]},
    ),
    "SRM": (SRM, {"tau_m": [10.0], "tau_s": [1.0, 3.0], "theta_plus": [0.5], "bias": [0.0, 1.1]}),
    "AdaptiveLIFExp": (
        AdaptiveLIFExp, {"tau_m": [4.0], "tau_exc": [1.0], "t_ref": [1.0], "theta_plus": [0.2]},
    ),
    "options": (
        noisy_threshold(refractory_loss(LIFExp)),
        {"tau_m": [4.0], "tau_exc": [1.0], "t_ref": [1.0, 3.0], "theta_noise": [0.1]},
    ),
}  # fmt: skip
STRENGTH = {"LIFDelta": 1.0, "LIFDelta with a bias": 1.0, "SRM": 1.5}  # others hear currents


@st.composite
def networks(draw: st.DrawFn, name: str) -> tuple[Any, ...]:
    """What :func:`build` takes."""
    parameters = {k: draw(st.sampled_from(v)) for k, v in MODELS[name][1].items()}
    on_grid = st.integers(0, 20).map(lambda k: 0.5 * k)
    times = draw(st.sets(st.tuples(on_grid, st.integers(0, 1)), min_size=4, max_size=16))
    cell, delay = st.integers(0, N - 1), st.sampled_from([0.0, 0.5, 1.0, 0.1])
    weight = st.sampled_from([1.0, 0.5, 0.3, 0.7, -0.5])
    inputs = st.lists(st.tuples(st.integers(0, 1), cell, weight, delay), min_size=3, max_size=8)
    loops = st.lists(st.tuples(cell, cell, weight, delay), max_size=8)
    scattered, seed = draw(st.booleans()), draw(st.integers(0, 1000))
    return name, parameters, sorted(times), draw(inputs), draw(loops), scattered, seed


def build(plan: tuple[Any, ...]) -> Network:
    name, parameters, times, inputs, loops, scattered, seed = plan
    model = MODELS[name][0]
    net = Network(seed=seed)
    source = net.population("in", 2, SpikeTimes([t for t, _ in times], [i for _, i in times]))
    initial = {"v": uniform(0.0, 0.9)} if scattered else {}
    cells = net.population("cells", N, model(**parameters), initial)
    strength = STRENGTH.get(name, 12.0)
    for pre, synapses, share in ((source, inputs, 1.0), (cells, loops, 0.6)):
        a, b, w, d = ([s[k] for s in synapses] for k in range(4))
        # Zero delays within would let neurons without refractoriness fire for ever.
        d = [max(x, 0.1) if pre is cells and name == "SRM" else x for x in d]
        if synapses:
            weights = strength * share * np.array(w)
            net.projection(pre, cells, explicit(a, b), weights, np.array(d))
    net.record_spikes("cells")
    return net


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=30)
@given(data=st.data())
def test_the_same_spikes_to_a_picosecond(name: str, data: st.DataObject) -> None:
    plan = data.draw(networks(name))
    left_alone, readable = uncompiled(build(plan)), Reference(build(plan))
    assert left_alone.compiled.arrays.pops.lazy[1]
    readable.run(UNTIL)
    for t in (0.5, 3.3, UNTIL):
        left_alone.run(t)
    (times, neurons), (expected, which) = left_alone.spikes("cells"), readable.spikes("cells")
    # Ties may be recorded in another order.
    order, same = np.lexsort((times, neurons)), np.lexsort((expected, which))
    np.testing.assert_array_equal(neurons[order], which[same])
    np.testing.assert_allclose(times[order], expected[same], rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_the_networks_that_are_drawn_fire(name: str) -> None:
    counts = []

    @settings(max_examples=20, derandomize=True, database=None)
    @given(networks(name))
    def collect(plan: tuple[Any, ...]) -> None:
        engine = Reference(build(plan))
        engine.run(UNTIL)
        counts.append(engine.spikes("cells")[0].size)

    collect()
    assert np.mean(np.array(counts) > 2) > 0.2
