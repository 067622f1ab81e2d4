"""Every rule that learns: against sums over spike pairs, within bounds, free of NaN, compiled."""

from __future__ import annotations

from math import inf, isfinite
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
from experiments.verify.reward_sums import REWARD_SUMS, Releases
from plasticity import InhibitorySTDP
from simulator import Age, ModelError, PlasticityRule
from simulator.drift_kernels import of_tuple
from simulator.rule_kernels import on_synapse
from tests.plasticity.support import TIMES, TRAIN, learned, matrix, one

RULES = [
    rule
    for rule in (getattr(plasticity, name) for name in plasticity.__all__)
    if isinstance(rule, type) and issubclass(rule, PlasticityRule) and rule.learns()
]
SUMS: dict[str, Any] = {**PAIR_SUMS, **REWARD_SUMS}
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
        elif name == "a_plus" and "tau_c" in rule.Parameters._fields:
            chosen |= {name: draw(st.floats(0.0, 0.05)), "a_minus": draw(st.floats(0.0, 0.05))}
        elif name not in ("w_0", "w_min", "w_max", "floor", *chosen):  # sums know no floor
            chosen[name] = draw(st.floats(0.0, 1.0))
    if "w_0" in rule.Parameters._fields:
        w_0 = draw(st.sampled_from([1.0, -0.5]))
        chosen |= {"w_0": w_0, "w_max": w_0 * draw(st.sampled_from([3.0, 1e6]))}
    elif "w_min" in rule.Parameters._fields:
        chosen["w_min"], chosen["w_max"] = draw(st.sampled_from(BOUNDS))
    return rule(**chosen)


# The end is late enough for all arrivals and spikes.
RELEASES = st.builds(
    lambda given, tau: Releases([t for t, _ in given], [z for _, z in given], tau, 40.0),
    st.lists(
        st.tuples(TIMES, st.floats(0.01, 1.0)), max_size=4, unique_by=lambda release: release[0]
    ),
    st.floats(1.0, 300.0),
)


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
    releases = data.draw(RELEASES) if rule.modulated else None
    more = (releases,) if rule.modulated else ()
    got = learned(made, pre, post, weights, delays, *more)
    assert np.all((got >= low) & (got <= high))
    for i, j in np.ndindex(got.shape):
        arrivals = [t + delays[i][j] for t in pre[i]]
        expected = SUMS[rule.__name__](weights[i][j], arrivals, post[j], made.parameters, *more)
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
    more = (Releases([50.0, 120.0], [1.0, 1.0], 200.0, 210.0),) if rule.modulated else ()
    got = learned(made, pre, post, weights.tolist(), [[0.0, 0.3]] * 3, *more)
    for i, j in np.ndindex(3, 2):
        arrivals = [t + (0.0, 0.3)[j] for t in pre[i]]
        expected = SUMS[rule.__name__](weights[i, j], arrivals, post[j], made.parameters, *more)
        assert got[i, j] == pytest.approx(expected, rel=1e-12)
        assert abs(got[i, j] - weights[i, j]) > 0.001


POSITIVE = st.floats(0.0, exclude_min=True, allow_infinity=False)
UNIT = st.floats(0.0, 1.0, exclude_max=True)
TRACE = st.one_of(st.just(0.0), st.just(1.0), st.floats(0.0, 1e9))
AGE = st.one_of(st.just(0.0), st.just(inf), st.floats(0.0, 1e9))


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
    s, p = (w, *rule.variables.values()), made.parameters
    learning = [on_synapse(rule, function) for function in (rule.on_pre, rule.on_post)]
    drift, jump = of_tuple(rule, rule.drift), of_tuple(rule, rule.on_modulator)
    for _ in range(6):
        x, y = (
            tuple(data.draw(AGE if isinstance(trace, Age) else TRACE) for trace in traces)
            for traces in (rule.pre_traces, rule.post_traces)
        )
        z = data.draw(st.one_of(st.floats(0.0, 1.0), POSITIVE))
        s = data.draw(st.sampled_from(learning))(s, x, y, z, p)
        if rule.modulated:
            s = drift(s, z, data.draw(POSITIVE), data.draw(st.floats(1e-9, 1e9)), p)
            s = jump(s, data.draw(st.floats(allow_nan=False, allow_infinity=False)), p)
        assert low <= s[0] <= high
        assert all(isfinite(value) for value in s)


@pytest.mark.parametrize("rule", [r for r in RULES if r not in (InhibitorySTDP,)])
def test_a_weight_without_partners_stays_wherever_it_is(rule: Any) -> None:
    """Even outside its bounds: an engine need not look at it."""
    more = (Releases([0.5], [1.0], 200.0, 5.0),) if rule.modulated else ()
    for w in (0.4, 7.0, -3.0):
        assert one(rule(), [1.0, 2.0], [], w, *more) == w
        assert one(rule(), [], [1.0, 2.0], w, *more) == w


@pytest.mark.parametrize("rule", RULES)
def test_compiled_functions_change_no_bit(rule: Any) -> None:
    plain: list[Any] = [rule.on_pre, rule.on_post]
    if rule.drifts():
        plain += [rule.drift, rule.on_modulator]
    compiled = [numba.njit(function, error_model="numpy") for function in plain]
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
        s = (w, *rng.uniform(0.0, 0.1, len(rule.variables)).tolist()) if rule.variables else w
        z, tau, dt = rng.uniform(0.1, 3.0, 3).tolist()
        more = (z, p) if rule.modulated else (p,)
        for fast, slow in zip(compiled[:2], plain[:2], strict=True):
            assert fast(s, x, y, *more) == slow(s, x, y, *more)
        if rule.drifts():
            assert compiled[2](s, z, tau, dt, p) == plain[2](s, z, tau, dt, p)
            assert compiled[3](s, z, p) == plain[3](s, z, p)


@pytest.mark.slow
def test_the_compiled_engine_finds_what_the_pairs_give() -> None:
    """All rules in one loop, over every kind of projection; uncompiled they run with the tests of
    `spikemesh verify`."""
    rows = {row.check: row for row in rule_rows(RULES, 240, QuietReporter())}
    for rule in RULES:
        assert rows[f"{rule.__name__}: weights"].verdict == "pass", rule
