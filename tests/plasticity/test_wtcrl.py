"""WTCRL against a double loop over spike pairs, its fixed point, its windows, its bounds."""

from __future__ import annotations

from math import exp, log, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticity import WTCRL
from simulator import ModelError
from tests.plasticity.support import TRAIN, learned, matrix, one


def by_pairs(w: float, arrivals: list[float], spikes: list[float], p: WTCRL.Parameters) -> float:
    """The weight after all events, from the distance of each to its nearest partner before it.

    At one instant the arrival comes first: it does not see the spike, the spike sees it.
    """
    events = [(t, "arrival") for t in arrivals] + [(t, "spike") for t in spikes]
    for t, kind in sorted(events):
        if kind == "arrival":
            partners, tau = [s for s in spikes if s < t], p.tau_y
        else:
            partners, tau = [a for a in arrivals if a <= t], p.tau_x
        if not partners:
            continue
        trace = exp(-min(t - s for s in partners) / tau)
        if trace <= p.epsilon:
            continue
        if kind == "arrival":
            w -= p.a_minus * (1.0 - trace)
        else:
            w += p.a_plus * (1.0 - trace - w + p.w_offset)
        w = min(1.0, max(0.0, w))
    return w


RULES = st.builds(
    WTCRL,
    tau_x=st.floats(0.5, 20.0),
    tau_y=st.floats(0.5, 20.0),
    a_plus=st.floats(0.0, 1.0),
    a_minus=st.floats(0.0, 2.0),
    w_offset=st.floats(-0.5, 1.5),
    epsilon=st.sampled_from([0.0, 0.1, 0.1, 0.5]),
)


@settings(max_examples=150)
@given(data=st.data(), rule=st.one_of(st.just(WTCRL(a_plus=0.5, a_minus=0.3)), RULES))
def test_the_engine_finds_what_the_pairs_give(data: st.DataObject, rule: WTCRL) -> None:
    pre = data.draw(st.lists(TRAIN, min_size=1, max_size=3))
    post = data.draw(st.lists(TRAIN, min_size=1, max_size=2))
    weights = matrix(data, st.floats(0.0, 1.0), len(pre), len(post))
    delays = matrix(data, st.sampled_from([0.0, 0.5, 1.7]), len(pre), len(post))
    got = learned(rule, pre, post, weights, delays)
    assert np.all((got >= 0.0) & (got <= 1.0))
    for i, j in np.ndindex(got.shape):
        arrivals = [t + delays[i][j] for t in pre[i]]
        expected = by_pairs(weights[i][j], arrivals, post[j], rule.parameters)
        assert got[i, j] == pytest.approx(expected, abs=1e-12)


def test_a_busy_synapse_changes_at_most_of_its_events() -> None:
    """The comparison above is not one of weights that rest: here hundreds of pairs act."""
    rng = np.random.default_rng(1)
    pre = [sorted(rng.uniform(0, 200, 60)) for _ in range(3)]
    post = [sorted(rng.uniform(0, 200, 40)) for _ in range(2)]
    weights = rng.uniform(0.2, 0.9, (3, 2)).tolist()
    rule = WTCRL(a_plus=0.05, a_minus=0.04)
    got = learned(rule, pre, post, weights, [[0.0, 0.3]] * 3)
    for i, j in np.ndindex(3, 2):
        arrivals = [t + (0.0, 0.3)[j] for t in pre[i]]
        assert got[i, j] == pytest.approx(
            by_pairs(weights[i][j], arrivals, post[j], rule.parameters), abs=1e-12
        )
        assert abs(got[i, j] - weights[i][j]) > 0.01


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
