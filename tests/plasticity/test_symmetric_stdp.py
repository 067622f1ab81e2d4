"""SymmetricSTDP: its symmetry and its ceiling; test_rules.py has the sums over spike pairs."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest

from encoders import SpikeTimes
from neurons import Parrot
from plasticity import SymmetricSTDP
from simulator import ModelError, Network, all_to_all
from simulator.compile import compile_network
from simulator.engine_state import new_state, new_workspace
from simulator.rule_kernels import rule_kernels
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


def test_a_pair_counts_while_the_trace_is_above_its_floor() -> None:
    rule = SymmetricSTDP(nu=0.5, floor=exp(-1.0))
    for first, second in ((1.0, 20.9), (20.9, 1.0)):
        assert one(rule, [first], [second], 0.2) > 0.2
    for first, second in ((1.0, 21.1), (21.1, 1.0)):
        assert one(rule, [first], [second], 0.2) == 0.2


@pytest.mark.parametrize("n_spiking", [0, 2, 20], ids=["nobody", "few", "many"])
@pytest.mark.parametrize("floor", [0.0, exp(-0.5)])
def test_a_row_onto_all_learns_where_somebody_has_spiked(n_spiking: int, floor: float) -> None:
    """The kernel alone, uncompiled: targets on a list, or all in one loop; two rows, twice."""
    rule, n = SymmetricSTDP(nu=0.5, tau=20.0, floor=floor), 30
    net = Network()
    u, v = net.population("u", 3, SpikeTimes([1.0])), net.population("v", n, Parrot())
    net.projection(u, v, all_to_all(), np.full((3, n), 0.25), port="unheeded", rule=rule)
    compiled = compile_network(net)
    state = new_state(compiled)
    work = new_workspace(compiled, state)
    kernels, arrays = rule_kernels([SymmetricSTDP]), compiled.arrays
    expected = np.full((3, n), 0.25)
    spiked = {j: 5.0 + 0.25 * j for j in range(0, n, n // n_spiking)} if n_spiking else {}
    for j, t in spiked.items():
        kernels.learn_column(compiled.groups.rules, 0, 0, arrays, state, work, 0, j, t)
    for t in (13.0, 16.0):
        for r, i in enumerate((0, 2)):
            work.rows[r].q, work.rows[r].i = 0, i
            for j, since in spiked.items():
                trace = exp((since - t) / 20.0)
                expected[i, j] += 0.05 * trace * (trace > floor)
        kernels.learn_dense(compiled.groups.rules, 0, 0, arrays, state, work, 0, 0, 2, t)
        np.testing.assert_allclose(
            arrays.weight.reshape(3, n), np.minimum(expected, 1.0), rtol=0, atol=1e-15
        )


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"tau": 0.0}, r"tau = 0\.0 ms; it must be > 0"),
        ({"nu": -0.1}, r"nu = -0\.1; it must be >= 0"),
        ({"increment": -1.0}, r"increment = -1\.0; it must be >= 0"),
        ({"floor": -1e-9}, r"floor = -1e-09; it must be >= 0"),
    ],
)
def test_bad_parameters_are_named(parameters: dict[str, float], text: str) -> None:
    with pytest.raises(ModelError, match=f"^SymmetricSTDP: {text}"):
        SymmetricSTDP(**parameters)
