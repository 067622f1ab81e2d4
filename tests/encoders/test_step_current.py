"""StepCurrent: the current that arrives, what it does to V, refusals."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders import StepCurrent
from neurons import LIFDelta, LIFExp, current_port
from simulator import Network, NetworkError
from simulator.reference import Reference
from tests.neurons.support import uncompiled

FINITE = st.floats(-1e6, 1e6)


@given(st.lists(st.one_of(FINITE, st.just(0.0), st.just(0.1)), min_size=1, max_size=30))
def test_the_sum_of_the_changes_is_the_current(values: list[float]) -> None:
    changes = StepCurrent(np.arange(len(values)), values).changes(2)
    current = np.zeros(2)
    for change, value in zip(changes, values, strict=True):
        current += change
        assert current == pytest.approx(value, rel=1e-15, abs=2.3e-16 * max(map(abs, values)))


def test_neurons_fire_when_their_own_current_says() -> None:
    """On at 3 ms with 2 and 4, off for good at 40 ms: tau ln(I / (I - 1)) between spikes."""
    net = Network()
    cells = net.population("cells", 2, current_port(LIFDelta)(tau_m=10.0))
    StepCurrent([3.0, 40.0], [[2.0, 4.0], [0.0, 0.0]]).into(net, cells)
    net.record_spikes(cells)
    for engine in (uncompiled(net), Reference(net)):
        engine.run(100.0)
        times, neurons = engine.spikes("cells")
        for j, current in enumerate((2.0, 4.0)):
            interval = 10.0 * log(current / (current - 1.0))
            expected = 3.0 + interval * np.arange(1, int(37.0 / interval) + 1)
            np.testing.assert_allclose(times[neurons == j], expected, rtol=0.0, atol=1e-12)


def test_one_value_is_for_all_and_names_can_be_given() -> None:
    net = Network()
    cells = net.population("cells", 3, current_port(LIFExp)(tau_m=10.0, bias=0.25))
    projection = StepCurrent([1.0], [0.5]).into(net, "cells", name="dc")
    assert (projection.name, projection.pre.size) == ("dc->cells", 1)
    simulation = uncompiled(net)
    simulation.run(1000.0)
    np.testing.assert_allclose(simulation.state(cells, "v"), 0.75, rtol=1e-15)
    np.testing.assert_array_equal(simulation.state(cells, "current"), 0.5)


@pytest.mark.parametrize(
    ("times", "values", "text"),
    [
        ([], [], "times of shape"),
        ([[1.0]], [1.0], "times of shape"),
        ([1.0, 2.0], [1.0], r"values of shape \(1,\) for 2 times"),
        ([1.0], 3.0, "values of shape"),
        ([-1.0], [1.0], r"time \[0\] = -1.0 ms"),
        ([1.0, np.inf], [1.0, 1.0], r"time \[1\] = inf ms"),
        ([1.0, 3.0, 3.0], [1.0, 1.0, 1.0], r"time \[2\] = 3.0 ms is not after time \[1\]"),
        ([1.0, 2.0], [1.0, np.nan], r"value \[1\] = nan"),
        ([1.0, 2.0], [[1.0, 1.0], [1.0, np.inf]], r"value \[1, 1\] = inf"),
    ],
)
def test_what_makes_no_sense_is_named(times: Any, values: Any, text: str) -> None:
    with pytest.raises(NetworkError, match=text):
        StepCurrent(times, values)


def test_targets_that_do_not_fit_are_named() -> None:
    net = Network()
    net.population("plain", 2, LIFExp())
    net.population("cells", 2, current_port(LIFExp)())
    step = StepCurrent([1.0, 2.0], [[1.0, 2.0, 3.0]] * 2)
    with pytest.raises(NetworkError, match=r"'plain': LIFExp has no port 'current'; use current_"):
        step.into(net, "plain")
    with pytest.raises(NetworkError, match="values for 3 neurons; there are 2"):
        step.into(net, "cells")
    with pytest.raises(NetworkError, match="'steps' has 5 channels; StepCurrent needs one a step"):
        net.population("steps", 5, step)
    source = net.population("steps", 2, step)
    with pytest.raises(NetworkError, match=r"'steps'.*no port"):
        step.into(net, source)
