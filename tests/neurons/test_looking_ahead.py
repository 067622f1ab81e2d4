"""Models that integrate to the spike look only a little ahead: the same spikes, for less work."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import Poisson
from neurons import AdEx, Izhikevich, LIFCond, LIFExp, current_port, noisy_threshold
from simulator import Network, Simulation, all_to_all, uniform
from simulator.model import NeuronModel
from simulator.reference import Reference
from tests.neurons.support import neuron, uncompiled

MODELS = [
    AdEx(bias=700.0, tolerance=1e-8),
    Izhikevich(bias=5.0, tolerance=1e-8),
    LIFCond(tau_inh=8.0, bias=16.0, tolerance=1e-8),
    noisy_threshold(current_port(LIFCond))(tau_inh=8.0, bias=16.0, tolerance=1e-8),
]


@settings(max_examples=40)
@given(
    model=st.sampled_from(MODELS),
    v=st.floats(-75.0, -45.0),
    first=st.floats(0.0, 3.0),
    second=st.floats(0.0, 3.0),
)
def test_it_is_the_crossing_or_says_truly_that_there_is_none_so_soon(
    model: NeuronModel, v: float, first: float, second: float
) -> None:
    n, p = neuron(model, v=v), model.parameters
    for name, value in zip(model.synaptic, (first, second), strict=False):
        getattr(n, name)[0] = value
    soon, crossing = model.crossing_soon(n, 0, p), model.crossing(n, 0, p)
    if soon < 0.0:
        assert crossing > -soon
        assert model.may_cross(n, 0, p, inf)
    elif soon == inf:
        assert crossing == inf
    else:
        assert soon == pytest.approx(crossing, abs=1e-6)


def network(model: NeuronModel) -> Network:
    """Driven to fire by its bias, disturbed a thousand times a second."""
    net = Network(seed=3)
    source = net.population("in", 20, Poisson(50.0))
    cells = net.population("cells", 4, model)
    weight = {AdEx: 60.0, Izhikevich: 0.3}.get(type(model), 0.01)
    net.projection(source, cells, all_to_all(), weight, uniform(0.2, 1.5))
    net.record_spikes("cells")
    return net


@pytest.mark.parametrize("model", MODELS[:3], ids=lambda model: type(model).__name__)
def test_spikes_are_those_of_whole_predictions_with_less_work(
    model: NeuronModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not Simulation(network(model)).compiled.arrays.pops.together.any()
    engines = [Reference(network(model)), uncompiled(network(model))]
    for engine in engines:
        engine.run(60.0)
    monkeypatch.setattr(type(model), "crossing_soon", NeuronModel.crossing_soon)
    whole = Reference(network(model))
    whole.run(60.0)
    times, neurons = whole.spikes("cells")
    assert times.size >= 4
    for engine in engines:
        np.testing.assert_array_equal(engine.spikes("cells")[1], neurons)
        np.testing.assert_allclose(engine.spikes("cells")[0], times, rtol=0.0, atol=1e-6)
    np.testing.assert_array_equal(engines[0].spikes("cells")[0], engines[1].spikes("cells")[0])


def test_models_with_a_closed_form_predict_the_spike_at_once() -> None:
    assert not LIFExp.looks_ahead()
    assert LIFExp.predictor() is LIFExp.crossing
    assert noisy_threshold(AdEx).looks_ahead()
