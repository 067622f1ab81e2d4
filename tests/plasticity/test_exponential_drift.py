"""ExponentialDrift: the closed form at the time of arrival, on the readable engine."""

from __future__ import annotations

from math import exp, inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from encoders import SpikeTimes
from plasticity import ExponentialDrift
from simulator import ModelError, Network, PlasticityRule, all_to_all
from simulator.reference import Reference
from tests.simulator.jump_model import Jump


def received(rule: PlasticityRule, times: list[float], delay: float, weight: float) -> float:
    """V of a neuron that hardly forgets (a time constant of 1e9 ms), after all arrivals."""
    net = Network()
    u = net.population("u", 1, SpikeTimes(times))
    v = net.population("v", 1, Jump(tau_m=1e9, v_th=1e9))
    net.projection(u, v, all_to_all(), weight=weight, delay=delay, rule=rule)
    engine = Reference(net)
    engine.run(max(times) + delay)
    assert engine.weights("u->v").tolist() == [weight], "a drift moves no stored weight"
    (neuron,) = (n for n in engine._neurons if n.population == "v")
    return float(neuron.state.v[0])


@given(
    start=st.floats(-100.0, 100.0),
    end=st.floats(-100.0, 100.0),
    tau=st.floats(0.1, 1e6),
    t=st.floats(0.0, 1e6),
    w=st.floats(-2.0, 2.0),
)
def test_the_weight_is_the_solution_of_its_equation(
    start: float, end: float, tau: float, t: float, w: float
) -> None:
    p = ExponentialDrift(w_start=start, w_end=end, tau=tau).parameters
    with mp.workdps(30):
        true = mpf(w) * (mpf(end) + (mpf(start) - mpf(end)) * mp.exp(-mpf(t) / mpf(tau)))
    assert abs(ExponentialDrift.transmit(w, p, t) - true) <= 1e-15 * 4 * (
        abs(w) * (abs(start) + abs(end)) + 1e-300
    )


def test_it_goes_from_one_value_to_the_other() -> None:
    p = ExponentialDrift(w_start=-9.0, w_end=-91.0, tau=8.0).parameters
    assert ExponentialDrift.transmit(1.0, p, 0.0) == -9.0
    assert ExponentialDrift.transmit(1.0, p, 1e4) == -91.0


def test_the_paper_ends_its_training_near_87_thresholds() -> None:
    """Equation 5: from 9 to 91 thresholds, with a third of the training time as time constant."""
    p = ExponentialDrift(w_start=-9.0, w_end=-91.0, tau=60_000 * 25.0 / 3).parameters
    w = ExponentialDrift.transmit(1.0, p, 60_000 * 25.0)
    assert w == pytest.approx(-91.0 + 82.0 * exp(-3.0), abs=1e-12)
    assert round(w, 1) == -86.9


def test_the_weight_is_that_of_the_arrival_and_not_of_the_emission() -> None:
    rule = ExponentialDrift(w_start=-9.0, w_end=-91.0, tau=8.0)
    v = received(rule, [2.0], 3.0, 0.5)
    assert v == pytest.approx(0.5 * (-91.0 + 82.0 * exp(-5.0 / 8.0)), rel=1e-15)


def test_every_arrival_has_its_own_weight() -> None:
    rule = ExponentialDrift(w_start=1.0, w_end=-2.0, tau=5.0)
    times = [0.0, 1.0, 4.0, 40.0]
    expected = sum(2.0 * (-2.0 + 3.0 * exp(-(t + 0.25) / 5.0)) for t in times)
    assert received(rule, times, 0.25, 2.0) == pytest.approx(expected, abs=1e-6)


def test_it_is_no_rule_that_learns() -> None:
    assert not ExponentialDrift.learns()


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"w_max": 1.0}, "'w_max'; it has w_start, w_end, tau"),
        ({"tau": 0.0}, r"tau = 0\.0 ms"),
        ({"w_start": nan}, "w_start = nan"),
        ({"w_end": -inf}, "w_end = -inf"),
    ],
)
def test_bad_parameters_are_named(parameters: dict[str, float], text: str) -> None:
    with pytest.raises(ModelError, match=f"^ExponentialDrift.*{text}"):
        ExponentialDrift(**parameters)
