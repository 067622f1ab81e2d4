"""SymmetricSTDP against a double loop over spike pairs, its symmetry, its ceiling."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticity import SymmetricSTDP
from simulator import ModelError
from tests.plasticity.support import TRAIN, learned, matrix, one


def by_pairs(
    w: float, arrivals: list[float], spikes: list[float], p: SymmetricSTDP.Parameters
) -> float:
    """The weight after all events; a pair acts when its later spike comes."""
    pairs = [(max(a, s), abs(a - s)) for a in arrivals for s in spikes]
    for _, apart in sorted(pairs):
        w = min(p.w_max, w + p.nu * p.increment * exp(-apart / p.tau))
    return w


@settings(max_examples=100)
@given(
    data=st.data(),
    rule=st.builds(
        SymmetricSTDP,
        tau=st.floats(0.5, 50.0),
        nu=st.floats(0.0, 1.0),
        increment=st.floats(0.0, 1.0),
        w_max=st.floats(1.0, 20.0),
    ),
)
def test_the_engine_finds_what_the_pairs_give(data: st.DataObject, rule: SymmetricSTDP) -> None:
    pre = data.draw(st.lists(TRAIN, min_size=1, max_size=3))
    post = data.draw(st.lists(TRAIN, min_size=1, max_size=2))
    weights = matrix(data, st.floats(0.0, 1.0), len(pre), len(post))
    delays = matrix(data, st.sampled_from([0.0, 0.5, 1.7]), len(pre), len(post))
    got = learned(rule, pre, post, weights, delays)
    assert np.all(got >= np.array(weights))
    assert np.all(got <= rule.parameters.w_max)
    for i, j in np.ndindex(got.shape):
        arrivals = [t + delays[i][j] for t in pre[i]]
        expected = by_pairs(weights[i][j], arrivals, post[j], rule.parameters)
        assert got[i, j] == pytest.approx(expected, rel=0, abs=1e-12)


def test_a_pair_counts_the_same_in_either_order_and_once_at_one_instant() -> None:
    rule = SymmetricSTDP(nu=0.5)
    for apart in (0.0, 3.0, 40.0):
        expected = 0.2 + 0.05 * exp(-apart / 20.0)
        assert one(rule, [1.0], [1.0 + apart], 0.2) == pytest.approx(expected, abs=1e-15)
        assert one(rule, [1.0 + apart], [1.0], 0.2) == pytest.approx(expected, abs=1e-15)


def test_the_ceiling_is_reached_and_not_passed() -> None:
    times = [0.5 * k for k in range(200)]
    assert one(SymmetricSTDP(nu=0.5), times, times, 0.0) == 1.0


def test_a_weight_without_partners_stays_wherever_it_is() -> None:
    assert one(SymmetricSTDP(nu=0.5), [1.0, 2.0], [], 1.7) == 1.7
    assert one(SymmetricSTDP(nu=0.5), [], [1.0, 2.0], 1.7) == 1.7


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"tau": 0.0}, r"tau = 0\.0 ms; it must be > 0"),
        ({"nu": -0.1}, r"nu = -0\.1; it must be >= 0"),
        ({"increment": -1.0}, r"increment = -1\.0; it must be >= 0"),
    ],
)
def test_bad_parameters_are_named(parameters: dict[str, float], text: str) -> None:
    with pytest.raises(ModelError, match=f"^SymmetricSTDP: {text}"):
        SymmetricSTDP(**parameters)
