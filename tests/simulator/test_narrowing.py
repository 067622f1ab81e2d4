"""A population is narrowed down to those that may cross: nobody who does cross is left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from encoders import SpikeTimes
from neurons import SRM, LIFCond, LIFDelta, LIFExp
from simulator import Network, all_to_all
from simulator.population_kernels import population_kernels
from simulator.reference import Reference
from tests.simulator.support import assert_equal_engines, everything
from tests.simulator.test_engines_agree import finished


def flagged(model, state, dt):
    """Which of the neurons in these states are searched for a crossing within ``dt`` (ms)."""
    kernels = population_kernels([type(model)])
    blocks = ((state, np.array([tuple(model.parameters)])),)
    flags = np.zeros(state.shape[1], np.int64)
    kernels.suspect(blocks, 0, 0, 0, state.shape[1], dt, np.zeros_like(state), flags)
    may = [
        type(model).may_cross(type(model).State(*state), j, model.parameters, dt)
        for j in range(state.shape[1])
    ]
    return flags, np.array(may)


MODELS = [
    LIFExp(tau_m=1.5, tau_exc=2.8, tau_inh=0.3, t_ref=6.0),
    LIFExp(tau_m=10.0, tau_exc=10.0, tau_inh=2.0, bias=0.9),
    LIFDelta(bias=1.1),
    SRM(),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@given(data=st.data(), dt=st.floats(1e-3, 100.0))
def test_whoever_crosses_is_searched(model, data, dt):
    variables, n = len(model.state), 6
    state = data.draw(npst.arrays(np.float64, (variables, n), elements=st.floats(-3.0, 3.0)))
    state[0] = np.minimum(state[0], 0.99)
    before = state.copy()
    flags, may = flagged(model, state, dt)
    np.testing.assert_array_equal(state, before)
    view = type(model).State(*state)
    # A quotient by a state of 1e-313 is infinite, which is what is meant; only numpy warns of it.
    with np.errstate(over="ignore"):
        times = [type(model).crossing(view, j, model.parameters) for j in range(n)]
    crosses = np.array(times) <= dt
    assert np.all(flags[crosses] != 0)
    assert np.all(may[crosses])


def test_most_are_cleared_where_the_bound_of_the_whole_interval_is_too_loose():
    """As in the W-TCRL network between two bursts: potentials rise to just below threshold."""
    model = MODELS[0]
    state = np.array([np.linspace(0.55, 0.8, 64), np.linspace(1.42, 1.7, 64), np.zeros(64)])
    flags, may = flagged(model, state, 1.43)
    assert may.all()
    assert np.count_nonzero(flags) < 40
    assert flags[-1]


def test_models_whose_steps_have_an_error_of_their_own_are_all_searched():
    model = LIFCond(tau_exc=2.0, tau_inh=7.0)
    state = np.zeros((len(model.state), 5))
    flags, _ = flagged(model, state, 10.0)
    assert flags.all()


@pytest.mark.slow
def test_a_wide_population_near_threshold_fires_as_in_the_readable_engine():
    """Bursts with gaps between them; after each, many of 40 neurons come close and some cross."""
    rng = np.random.default_rng(5)
    times, weights = np.cumsum(rng.uniform(0.3, 4.0, 30)), rng.uniform(0.9, 1.3, (1, 40))

    def make() -> Network:
        net = Network(seed=2)
        u = net.population("u", 1, SpikeTimes(times))
        v = net.population("v", 40, LIFExp(tau_m=1.5, tau_exc=2.8, tau_inh=0.3, t_ref=6.0))
        net.projection(u, v, all_to_all(), weight=weights)
        net.projection(v, v, all_to_all(False), weight=-0.3, port="inhibitory")
        net.record_spikes(*net.populations)
        return net

    reference = Reference(make())
    reference.run(100.0)
    assert 40 < everything(reference)["v"][0].size < 600
    assert_equal_engines(finished(make(), 100.0), reference)
