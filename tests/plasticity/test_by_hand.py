"""What each rule is: numbers worked out by hand, and what it refuses."""

from __future__ import annotations

from math import exp
from typing import Any

import pytest

from experiments.verify.reward_sums import Releases
from plasticity import (
    WTCRL,
    DopamineSTDP,
    GatedSymmetricSTDP,
    InhibitorySTDP,
    NearestPairSTDP,
    NearestTripletSTDP,
    PairSTDP,
    PowerLawSTDP,
    PreCentredPairSTDP,
    RestrictedPairSTDP,
    RewardSTDP,
    TripletSTDP,
)
from simulator import ModelError
from tests.plasticity.support import one


@pytest.mark.parametrize(
    ("rule", "up", "down"),
    [
        # Arrivals at 1, 2 and 6 ms, spikes at 4, 5 and 8 ms: distances that count.
        (PairSTDP, [3, 2, 4, 3, 7, 6, 2], [2, 1]),
        (NearestPairSTDP, [2, 3, 2], [1]),
        (PreCentredPairSTDP, [3, 2, 2], [1]),
        (RestrictedPairSTDP, [2, 2], [1]),
    ],
)
def test_which_spikes_make_a_pair(rule: Any, up: list[int], down: list[int]) -> None:
    """Figure 7 of Morrison, Diesmann & Gerstner 2008, on one train."""
    made = rule(a_plus=0.02, a_minus=0.01, tau_plus=10.0, tau_minus=5.0)
    change = sum(0.02 * exp(-d / 10.0) for d in up) - sum(0.01 * exp(-d / 5.0) for d in down)
    w = one(made, [1.0, 2.0, 6.0], [4.0, 5.0, 8.0], 0.5)
    assert w == pytest.approx(0.5 + change, abs=1e-14)


def test_dopamine_turns_eligibility_into_weight() -> None:
    """One pair at 3 and 5 ms, dopamine at 25 ms: dw/dt = c d until 60 ms."""
    rule = DopamineSTDP(tau_c=40.0, a_plus=0.05, tonic=0.0, w_max=1.0)
    eligible = 0.05 * exp(-2.0 / 20.0)
    decays = 1.0 / 40.0 + 1.0 / 10.0
    area = exp(-20.0 / 40.0) * 0.5 * (1.0 - exp(-35.0 * decays)) / decays
    w = one(rule, [3.0], [5.0], 0.2, Releases([25.0], [0.5], 10.0, 60.0))
    assert w == pytest.approx(0.2 + eligible * area, abs=1e-14)
    assert one(rule, [3.0], [5.0], 0.2, Releases([1.0], [0.0], 10.0, 60.0)) == 0.2
    tonic = DopamineSTDP(tau_c=40.0, a_plus=0.05, tonic=0.1, w_max=1.0)
    w = one(tonic, [3.0], [5.0], 0.2, Releases([1.0], [0.0], 10.0, 60.0))
    assert w == pytest.approx(0.2 + eligible * 0.1 * 40.0 * (1.0 - exp(-55.0 / 40.0)), abs=1e-14)


def test_a_reward_changes_the_weight_at_once_and_a_punishment_the_other_way() -> None:
    rule = RewardSTDP(tau_c=40.0, rate=0.1)
    eligible = exp(-2.0 / 20.0) * exp(-20.0 / 40.0)
    for amount in (0.5, -0.5):
        w = one(rule, [3.0], [5.0], 0.5, Releases([25.0], [amount], 10.0, 60.0))
        assert w == pytest.approx(0.5 + 0.1 * amount * eligible, abs=1e-14)


def test_the_gate_is_open_while_there_is_dopamine() -> None:
    """1 at 10 ms falls to the gate of 0.5 after 20 ln 2 = 13.9 ms."""
    rule = GatedSymmetricSTDP(nu=0.5, gate=0.5)
    dopamine = Releases([10.0], [1.0], 20.0, 60.0)
    pair = 0.05 * exp(-2.0 / 20.0)
    for arrival, gained in ((5.0, 0.0), (11.0, pair), (21.0, pair), (22.0, 0.0), (40.0, 0.0)):
        w = one(rule, [arrival], [arrival + 2.0], 0.3, dopamine)
        assert w == pytest.approx(0.3 + gained, abs=1e-15)


def test_additive_pairs_add_up_and_multiplicative_ones_know_the_distance_to_the_bounds() -> None:
    pairs = [[1.0], [4.0]], [[21.0], [1.0]]
    for w, up, down in ((0.5, 0.5, 0.5), (0.9, 0.1, 0.9)):
        rule = {"a_plus": 0.2, "a_minus": 0.1}
        gain, loss = 0.2 * exp(-3.0 / 20.0), 0.1 * exp(-1.0)
        assert one(PairSTDP(**rule), *pairs[0], w) == pytest.approx(min(1.0, w + gain))
        assert one(PairSTDP(**rule), *pairs[1], w) == pytest.approx(w - loss)
        rule |= {"mu_plus": 1.0, "mu_minus": 1.0}
        assert one(PairSTDP(**rule), *pairs[0], w) == pytest.approx(w + gain * up)
        assert one(PairSTDP(**rule), *pairs[1], w) == pytest.approx(w - loss * down)
        rule |= {"mu_plus": 0.5, "mu_minus": 0.5}
        assert one(PairSTDP(**rule), *pairs[0], w) == pytest.approx(w + gain * up**0.5)
        assert one(PairSTDP(**rule), *pairs[1], w) == pytest.approx(w - loss * down**0.5)


def test_negative_weights_are_potentiated_towards_their_bound() -> None:
    rule = PairSTDP(a_plus=0.2, a_minus=0.1, w_max=-2.0)
    assert one(rule, [1.0], [4.0], -1.0) == pytest.approx(-1.0 - 2.0 * 0.2 * exp(-3.0 / 20.0))
    assert one(rule, [4.0], [1.0], -1.0) == pytest.approx(-1.0 + 2.0 * 0.1 * exp(-3.0 / 20.0))


def test_the_nearest_spike_makes_the_only_pair() -> None:
    few, many = [[3.0], [5.0]], [[0.0, 1.0, 3.0], [5.0]]
    assert one(NearestPairSTDP(), *few, 0.5) == one(NearestPairSTDP(), *many, 0.5)
    assert one(PairSTDP(), *few, 0.5) < one(PairSTDP(), *many, 0.5)
    assert one(PairSTDP(), *few, 0.5) == one(NearestPairSTDP(), *few, 0.5)


def test_triplets_need_three_spikes() -> None:
    """Pfister & Gerstner 2006: with the minimal rule a single pair does not potentiate, and the
    second of two spikes does."""
    rule = TripletSTDP(a2_plus=0.0, a3_plus=0.1)
    assert one(rule, [1.0], [6.0], 0.5) == 0.5
    y2 = exp(-20.0 / 125.0)
    assert one(rule, [21.0], [6.0, 26.0], 0.5) == pytest.approx(
        0.5 - 7e-3 * exp(-15.0 / 33.7) + exp(-5.0 / 16.8) * 0.1 * y2
    )
    x2 = exp(-20.0 / 101.0)
    assert one(TripletSTDP(), [1.0, 21.0], [16.0], 0.5) == pytest.approx(
        0.5 + 5e-10 * exp(-15.0 / 16.8) - exp(-5.0 / 33.7) * (7e-3 + 2.3e-4 * x2)
    )


def test_triplets_of_all_spikes_and_of_the_last() -> None:
    """Two postsynaptic spikes before the one that potentiates."""
    shared = {"a2_plus": 0.0, "a3_plus": 0.01, "a2_minus": 0.0, "a3_minus": 0.0, "tau_y": 40.0}
    trains = [[29.0], [10.0, 20.0, 30.0]]
    last = 0.01 * exp(-1.0 / 16.8) * exp(-10.0 / 40.0)
    both = 0.01 * exp(-1.0 / 16.8) * (exp(-10.0 / 40.0) + exp(-20.0 / 40.0))
    assert one(NearestTripletSTDP(**shared), *trains, 0.5) == pytest.approx(0.5 + last)
    assert one(TripletSTDP(**shared), *trains, 0.5) == pytest.approx(0.5 + both)


def test_the_power_law_settles_where_potentiation_and_depression_balance() -> None:
    """Alternate pairs at +2 and -2 ms: rate w^0.4 = rate alpha w, at w = alpha^(-1 / 0.6)."""
    rule = PowerLawSTDP(rate=0.2, alpha=0.11, tau_plus=2.0, tau_minus=2.0)
    arrivals = [100.0 * k for k in range(3000)]
    spikes = [100.0 * k + (2.0 if k % 2 else -2.0) for k in range(1, 3000)]
    for start in (10.0, 100.0):
        w = one(rule, arrivals, spikes, start)
        assert w == pytest.approx(0.11 ** (-1.0 / 0.6), rel=0.01)


def test_inhibition_is_weakened_by_lone_arrivals_and_strengthened_by_pairs() -> None:
    for w_max in (1.0, -1.0):
        rule = InhibitorySTDP(eta=0.1, rho_0=5.0, w_max=w_max)
        alone, pair = 0.1 * 2.0 * 0.005 * 20.0, 0.1 * exp(-2.0 / 20.0)
        assert one(rule, [1.0], [], 0.5 * w_max) == pytest.approx((0.5 - alone) * w_max)
        for trains in (([1.0], [3.0]), ([3.0], [1.0])):
            w = one(rule, *trains, 0.5 * w_max)
            assert w == pytest.approx((0.5 - alone + pair) * w_max)


@pytest.mark.parametrize(
    ("rule", "parameters", "text"),
    [
        (PairSTDP, {"tau_plus": 0.0}, r"tau_plus = 0\.0 ms; time constants must be > 0"),
        (PairSTDP, {"a_minus": 1.5}, r"a_minus = 1\.5; it must lie in \[0, 1\]"),
        (NearestPairSTDP, {"mu_plus": -0.5}, r"mu_plus = -0\.5; it must be >= 0"),
        (PairSTDP, {"w_max": 0.0}, "leave no room; they must differ"),
        (PairSTDP, {"w_min": -1e308, "w_max": 1e308}, "are too far apart"),
        (TripletSTDP, {"a3_plus": -0.1}, r"a3_plus = -0\.1; it must lie in \[0, 1\]"),
        (PowerLawSTDP, {"rate": 2.0}, r"rate = 2\.0; it must lie in \[0, 1\]"),
        (PowerLawSTDP, {"mu": 1.5}, r"mu = 1\.5; it must lie in \[0, 1\]"),
        (PowerLawSTDP, {"w_0": -1.0}, "in units of w_0"),
        (PowerLawSTDP, {"w_0": 0.0}, "in units of w_0"),
        (InhibitorySTDP, {"eta": -0.1}, r"eta = -0\.1; it must be >= 0"),
        (DopamineSTDP, {"tonic": -0.1}, r"tonic = -0\.1; it must be >= 0"),
        (RewardSTDP, {"tau_c": 0.0}, r"tau_c = 0\.0 ms; time constants must be > 0"),
        (GatedSymmetricSTDP, {"nu": -1.0}, r"nu = -1\.0; it must be >= 0"),
        (InhibitorySTDP, {"rho_0": -1.0}, r"rho_0 = -1\.0; it must be >= 0"),
        (WTCRL, {"a_plus": 1.5}, r"a_plus = 1\.5"),
    ],
)
def test_bad_parameters_are_named(rule: Any, parameters: dict[str, float], text: str) -> None:
    with pytest.raises(ModelError, match=f"^{rule.__name__}: .*{text}"):
        rule(**parameters)
