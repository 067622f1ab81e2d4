"""WTCRL: its fixed point, its windows, its bounds; test_rules.py has the sums over spike pairs."""

from __future__ import annotations

from math import exp, log, nan

import pytest

from plasticity import WTCRL
from simulator import ModelError
from tests.plasticity.support import one


@pytest.mark.parametrize("start", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("interval", [0.0, 0.4, 1.0, 2.0, 2.2, 2.9])
def test_a_repeated_interval_takes_the_weight_to_its_fixed_point(
    interval: float, start: float
) -> None:
    """Equation 4: w = min(1, 1 + w_offset - exp(-interval / tau_x)), from wherever it starts."""
    onsets = [30.0 * k for k in range(50)]
    w = one(WTCRL(a_plus=0.5), onsets, [t + interval for t in onsets], start)
    assert w == pytest.approx(min(1.0, 1.2 - exp(-interval / 1.3)), abs=1e-12)


def test_a_coincident_arrival_comes_before_the_spike() -> None:
    """x is 1 for the spike of the same instant, and y does not yet know of it."""
    w = one(WTCRL(a_plus=0.5, a_minus=0.25), [5.0], [5.0], 0.7)
    assert w == pytest.approx(0.7 + 0.5 * (1.0 - 1.0 - 0.7 + 0.2), abs=1e-15)


def test_an_input_acts_on_the_next_2_993_ms() -> None:
    window = 1.3 * log(10.0)
    assert round(window, 3) == 2.993
    rule = WTCRL(a_plus=0.5)
    inside, outside = (one(rule, [1.0], [1.0 + window * s], 0.4) for s in (1 - 1e-9, 1 + 1e-9))
    assert inside == pytest.approx(0.4 + 0.5 * (1.0 - 0.1 - 0.4 + 0.2), abs=1e-8)
    assert outside == 0.4


def test_a_spike_acts_on_the_next_9_901_ms() -> None:
    window = 4.3 * log(10.0)
    assert round(window, 3) == 9.901
    rule = WTCRL(a_minus=0.5)
    inside, outside = (one(rule, [1.0 + window * s], [1.0], 0.9) for s in (1 - 1e-9, 1 + 1e-9))
    assert inside == pytest.approx(0.9 - 0.5 * (1.0 - 0.1), abs=1e-8)
    assert outside == 0.9


def test_the_nearest_spike_counts_and_not_the_sum() -> None:
    rule = WTCRL(a_plus=0.5)
    assert one(rule, [0.0, 0.5, 1.0], [1.5], 0.4) == one(rule, [1.0], [1.5], 0.4)


@pytest.mark.parametrize(
    ("arrivals", "spikes", "bound"),
    [([11.0, 14.0], [10.0], 0.0), ([7.2], [10.0], 1.0)],
    ids=["lower", "upper"],
)
def test_weights_stop_at_their_bounds(
    arrivals: list[float], spikes: list[float], bound: float
) -> None:
    assert one(WTCRL(a_plus=1.0, a_minus=9.0), arrivals, spikes, 0.5) == bound


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"tau": 1.0}, "'tau'; it has tau_x, tau_y, a_plus, a_minus, w_offset, epsilon"),
        ({"tau_x": 0.0}, r"tau_x = 0\.0 ms"),
        ({"tau_y": -1.0}, r"tau_y = -1\.0 ms"),
        ({"a_plus": 1.5}, r"a_plus = 1\.5"),
        ({"a_minus": -0.1}, r"a_minus = -0\.1"),
        ({"epsilon": 1.0}, r"epsilon = 1\.0"),
        ({"w_offset": nan}, "w_offset = nan"),
    ],
)
def test_bad_parameters_are_named(parameters: dict[str, float], text: str) -> None:
    with pytest.raises(ModelError, match=f"^WTCRL.*{text}"):
        WTCRL(**parameters)
