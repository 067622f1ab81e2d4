"""SymmetricSTDP: its symmetry and its ceiling; test_rules.py has the sums over spike pairs."""

from __future__ import annotations

from math import exp

import pytest

from plasticity import SymmetricSTDP
from simulator import ModelError
from tests.plasticity.support import one


def test_a_pair_counts_the_same_in_either_order_and_once_at_one_instant() -> None:
    rule = SymmetricSTDP(nu=0.5)
    for apart in (0.0, 3.0, 40.0):
        expected = 0.2 + 0.05 * exp(-apart / 20.0)
        assert one(rule, [1.0], [1.0 + apart], 0.2) == pytest.approx(expected, abs=1e-15)
        assert one(rule, [1.0 + apart], [1.0], 0.2) == pytest.approx(expected, abs=1e-15)


def test_the_ceiling_is_reached_and_not_passed() -> None:
    times = [0.5 * k for k in range(200)]
    assert one(SymmetricSTDP(nu=0.5), times, times, 0.0) == 1.0


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
