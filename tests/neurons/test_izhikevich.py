"""Izhikevich: closed form of the quadratic part, fine integration, published patterns, engines."""

from __future__ import annotations

from math import atan, inf, pi, sqrt, tan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from neurons import Izhikevich
from simulator import ModelError, Network
from simulator.reference import Reference
from tests.neurons.support import after, assert_engines_agree, crossing, neuron, small_network


def test_without_recovery_v_is_a_tangent() -> None:
    """b = 0, u = 0: dv/dt = 0.04 (v + 62.5)^2 + q with q = 140 + bias - 156.25."""
    model = Izhikevich(b=0.0, bias=30.0)
    q = 140.0 + 30.0 - 156.25
    rate, scale = sqrt(0.04 * q), sqrt(q / 0.04)
    phase = atan((-70.0 + 62.5) / scale)
    t = (atan((30.0 + 62.5) / scale) - phase) / rate
    assert crossing(model, {"v": -70.0, "u": 0.0}) == pytest.approx(t, abs=1e-8)
    half = after(model, {"v": -70.0, "u": 0.0}, 0.5 * t)
    assert half.v[0] == pytest.approx(scale * tan(phase + 0.5 * rate * t) - 62.5, abs=1e-7)
    assert phase + rate * t < pi / 2


@settings(max_examples=15, deadline=None)
@given(v=st.floats(-80.0, -40.0), u=st.floats(-18.0, 5.0), bias=st.sampled_from([0.0, 3.0, 10.0]))
def test_spikes_come_when_a_fine_integration_says(v: float, u: float, bias: float) -> None:
    model = Izhikevich(bias=bias)
    p = model.parameters

    def slope(t: float, y: np.ndarray) -> list[float]:
        return [0.04 * y[0] ** 2 + 5.0 * y[0] + 140.0 - y[1] + bias, p.a * (p.b * y[0] - y[1])]

    def reached(t: float, y: np.ndarray) -> float:
        return float(y[0] - 30.0)

    reached.terminal = True  # type: ignore[attr-defined]
    run = solve_ivp(slope, (0.0, 200.0), [v, u], "DOP853", rtol=1e-12, atol=1e-12, events=reached)
    found = crossing(model, {"v": v, "u": u})
    if run.t_events[0].size:
        assert found == pytest.approx(run.t_events[0][0], abs=1e-6)
        assert model.may_cross(neuron(model, v=v, u=u), 0, p, inf)
    else:
        assert found > 200.0
        assert after(model, {"v": v, "u": u}, 200.0).v[0] == pytest.approx(run.y[0, -1], abs=1e-6)


def test_rest_is_silent_without_a_search() -> None:
    model = Izhikevich()
    rest = neuron(model)
    assert not model.may_cross(rest, 0, model.parameters, inf)
    n = after(model, {}, 50.0)
    assert (n.v[0], n.u[0]) == pytest.approx((-70.0, -14.0), abs=1e-9)


@pytest.mark.parametrize(
    ("kind", "burst"),
    [({"c": -65.0, "d": 8.0}, False), ({"c": -50.0, "d": 2.0}, True)],
    ids=["regular spiking", "chattering"],
)
def test_the_published_types(kind: dict[str, float], burst: bool) -> None:
    """Chattering cells fire bursts: their intervals differ by more than a factor of 3."""
    net = Network()
    cell = net.population("cells", 1, Izhikevich(**kind, bias=10.0))
    net.record_spikes(cell)
    engine = Reference(net)
    engine.run(150.0)
    intervals = np.diff(engine.spikes("cells")[0])
    assert intervals.size >= 3
    assert (intervals[1:].max() > 3.0 * intervals[1:].min()) == burst


@pytest.mark.slow
def test_compiled_equals_readable() -> None:
    assert_engines_agree(small_network(Izhikevich(bias=6.0), 8.0, -2.0), 80.0)


@pytest.mark.parametrize("parameters", [{"a": 0.0}, {"c": 30.0}, {"tolerance": 0.0}])
def test_bad_parameters_are_named(parameters: dict[str, float]) -> None:
    with pytest.raises(ModelError, match=next(iter(parameters))):
        Izhikevich(**parameters)
