"""Every rule that learns: against sums over spike pairs, within bounds, free of NaN, compiled."""

from __future__ import annotations

from math import exp, isfinite
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import plasticity
from experiments.reporting import QuietReporter
from experiments.verify.pair_sums import PAIR_SUMS
from experiments.verify.plasticity_sums import rule_rows
from plasticity import (
    WTCRL,
    InhibitorySTDP,
    NearestPairSTDP,
    NearestTripletSTDP,
    PairSTDP,
    PowerLawSTDP,
    TripletSTDP,
)
from simulator import ModelError, PlasticityRule
from tests.plasticity.support import TRAIN, learned, matrix, one

RULES = [
    rule
    for rule in (getattr(plasticity, name) for name in plasticity.__all__)
    if isinstance(rule, type) and issubclass(rule, PlasticityRule) and rule.learns()
]
BOUNDS = [(0.0, 1.0), (0.0, -2.0), (-0.5, 0.25), (1.0, 3.0), (-0.125, -0.5)]


@st.composite
def instances(draw: st.DrawFn, rule: type[PlasticityRule]) -> Any:
    """A rule with parameters anywhere in their ranges, at which weights move."""
    chosen: dict[str, float] = {}
    for name in rule.Parameters._fields:
        if name.startswith("tau"):
            chosen[name] = draw(st.floats(0.5, 50.0))
        elif name.startswith("mu_"):
            chosen[name] = draw(st.sampled_from([0.0, 1.0, 0.3, 2.0]))
        elif name == "epsilon":
            chosen[name] = draw(st.sampled_from([0.0, 0.1, 0.5]))
        elif name == "rho_0":
            chosen[name] = draw(st.floats(0.0, 400.0))
        elif name == "w_offset":
            chosen[name] = draw(st.floats(-0.5, 1.5))
        elif name not in ("w_0", "w_min", "w_max"):
            chosen[name] = draw(st.floats(0.0, 1.0))
    if "w_0" in rule.Parameters._fields:
        w_0 = draw(st.sampled_from([1.0, -0.5]))
        chosen |= {"w_0": w_0, "w_max": w_0 * draw(st.sampled_from([3.0, 1e6]))}
    elif "w_min" in rule.Parameters._fields:
        chosen["w_min"], chosen["w_max"] = draw(st.sampled_from(BOUNDS))
    return rule(**chosen)


def bounds_of(rule: PlasticityRule) -> tuple[float, float]:
    """Lower and upper bound of the weights."""
    p = rule.parameters
    low, high = sorted((getattr(p, "w_min", 0.0), getattr(p, "w_max", 1.0)))
    return low, high


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=25)
@given(data=st.data())
def test_the_engine_finds_what_the_pairs_give(data: st.DataObject, rule: Any) -> None:
    made = data.draw(instances(rule))
    pre = data.draw(st.lists(TRAIN, min_size=1, max_size=3))
    post = data.draw(st.lists(TRAIN, min_size=1, max_size=2))
    low, high = bounds_of(made)
    share = matrix(data, st.floats(0.0, 1.0), len(pre), len(post))
    top = min(high, 4.0 + low) if low >= 0.0 else max(low, high - 4.0)
    weights = [[(1.0 - s) * (low if low >= 0.0 else high) + s * top for s in row] for row in share]
    delays = matrix(data, st.sampled_from([0.0, 0.5, 1.7]), len(pre), len(post))
    got = learned(made, pre, post, weights, delays)
    assert np.all((got >= low) & (got <= high))
    for i, j in np.ndindex(got.shape):
        arrivals = [t + delays[i][j] for t in pre[i]]
        expected = PAIR_SUMS[rule.__name__](weights[i][j], arrivals, post[j], made.parameters)
        # Weights of 1 or so; only those of the power law grow, up to a million.
        assert got[i, j] == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_a_busy_synapse_changes(rule: Any) -> None:
    """The comparison above is not one of weights that rest: here hundreds of pairs act."""
    rng = np.random.default_rng(1)
    pre = [sorted(rng.uniform(0, 200, 60).tolist()) for _ in range(3)]
    post = [sorted(rng.uniform(0, 200, 40).tolist()) for _ in range(2)]
    weights = rng.uniform(0.3, 0.7, (3, 2))
    made = rule()
    got = learned(made, pre, post, weights.tolist(), [[0.0, 0.3]] * 3)
    for i, j in np.ndindex(3, 2):
        arrivals = [t + (0.0, 0.3)[j] for t in pre[i]]
        expected = PAIR_SUMS[rule.__name__](weights[i, j], arrivals, post[j], made.parameters)
        assert got[i, j] == pytest.approx(expected, rel=1e-12)
        assert abs(got[i, j] - weights[i, j]) > 0.005


POSITIVE = st.floats(0.0, exclude_min=True, allow_infinity=False)
UNIT = st.floats(0.0, 1.0, exclude_max=True)
TRACE = st.one_of(st.just(0.0), st.just(1.0), st.floats(0.0, 1e9))


@st.composite
def extremes(draw: st.DrawFn, rule: type[PlasticityRule]) -> Any:
    """A rule with any parameters that it takes."""
    chosen: dict[str, float] = {}
    sign = draw(st.sampled_from([1.0, -1.0]))
    for name in rule.Parameters._fields:
        if name.startswith("tau"):
            chosen[name] = draw(POSITIVE)
        elif name.startswith(("a_", "a2_", "a3_", "rate", "epsilon")) or name == "mu":
            chosen[name] = draw(UNIT)
        elif name == "w_min":
            chosen[name] = draw(st.one_of(st.just(0.0), POSITIVE.map(lambda w: sign * w)))
        elif name.startswith("w_"):
            chosen[name] = sign * draw(st.one_of(UNIT, POSITIVE))
        else:
            chosen[name] = draw(st.one_of(UNIT, POSITIVE))
    try:
        return rule(**chosen)
    except ModelError:
        assume(False)


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data())
def test_weights_stay_in_their_bounds_whatever_the_parameters(
    data: st.DataObject, rule: Any
) -> None:
    """With any parameters that are not refused, any traces and any weight within the bounds."""
    made = data.draw(extremes(rule))
    low, high = bounds_of(made)
    w = low + data.draw(st.floats(0.0, 1.0)) * (high - low) if isfinite(high - low) else high
    w = min(high, max(low, w))
    p = made.parameters
    for _ in range(6):
        x = tuple(data.draw(TRACE) for _ in rule.pre_traces)
        y = tuple(data.draw(TRACE) for _ in rule.post_traces)
        w = data.draw(st.sampled_from([rule.on_pre, rule.on_post]))(w, x, y, p)
        assert low <= w <= high


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.needs_partner])
def test_a_weight_without_partners_stays_wherever_it_is(rule: Any) -> None:
    """Even outside its bounds: an engine need not look at it."""
    for w in (0.4, 7.0, -3.0):
        assert one(rule(), [1.0, 2.0], [], w) == w
        assert one(rule(), [], [1.0, 2.0], w) == w


@pytest.mark.parametrize("rule", RULES)
def test_compiled_functions_change_no_bit(rule: Any) -> None:
    compiled = [
        numba.njit(function, error_model="numpy") for function in (rule.on_pre, rule.on_post)
    ]
    rng = np.random.default_rng(3)
    p = rule().parameters
    if "mu_plus" in p._fields:
        p = p._replace(mu_plus=0.4, mu_minus=1.0, w_max=-2.0)
    for _ in range(50):
        x, y = (
            tuple(rng.uniform(0.0, 3.0, len(t)).tolist())
            for t in (rule.pre_traces, rule.post_traces)
        )
        w = float(rng.uniform(0.0, 1.0) * getattr(p, "w_max", 1.0))
        for fast, plain in zip(compiled, (rule.on_pre, rule.on_post), strict=True):
            assert fast(w, x, y, p) == plain(w, x, y, p)


@pytest.mark.slow
def test_the_compiled_engine_finds_what_the_pairs_give() -> None:
    """All rules in one loop, over every kind of projection; uncompiled they run with the tests of
    `spikemesh verify`."""
    rows = {row.check: row for row in rule_rows(RULES, 240, QuietReporter())}
    for rule in RULES:
        assert rows[f"{rule.__name__}: weights"].verdict == "pass", rule


# -- what the rules are, by numbers worked out by hand --------------------------------------------


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
        (InhibitorySTDP, {"rho_0": -1.0}, r"rho_0 = -1\.0; it must be >= 0"),
        (WTCRL, {"a_plus": 1.5}, r"a_plus = 1\.5"),
    ],
)
def test_bad_parameters_are_named(rule: Any, parameters: dict[str, float], text: str) -> None:
    with pytest.raises(ModelError, match=f"^{rule.__name__}: .*{text}"):
        rule(**parameters)
