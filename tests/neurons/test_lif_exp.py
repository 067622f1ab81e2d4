"""LIFExp against 30-digit arithmetic: potential, crossings, grazes, and the bound before them."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from neurons import LIFExp
from simulator import ModelError

NAMES = ("v", "i_exc", "i_inh")
TAUS = st.one_of(st.sampled_from([0.3, 1.0, 1.5, 5.0]), st.floats(0.1, 50.0))
NEARLY = st.sampled_from([0.0, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 0.02])


@pytest.fixture(autouse=True)
def thirty_digits() -> Any:
    with mpmath.workdps(30):
        yield


def neuron(v: float = 0.0, i_exc: float = 0.0, i_inh: float = 0.0) -> SimpleNamespace:
    return SimpleNamespace(v=[v], i_exc=[i_exc], i_inh=[i_inh])


def parts(p: Any, n: SimpleNamespace, t: Any) -> list[Any]:
    """The four terms of V(t), without rounding to speak of."""
    t, tau_m = mpmath.mpf(t), mpmath.mpf(p.tau_m)
    terms = [mpmath.mpf(n.v[0]) * mpmath.exp(-t / tau_m)]
    for current, tau in ((n.i_exc[0], p.tau_exc), (n.i_inh[0], p.tau_inh)):
        tau = mpmath.mpf(tau)
        if tau == tau_m:
            kernel = t / tau_m * mpmath.exp(-t / tau_m)
        else:
            apart = t * (1 / tau_m - 1 / tau)
            kernel = tau / (tau - tau_m) * mpmath.exp(-t / tau_m) * mpmath.expm1(apart)
        terms.append(mpmath.mpf(current) * kernel)
    terms.append((mpmath.mpf(p.v_rest) + mpmath.mpf(p.bias)) * -mpmath.expm1(-t / tau_m))
    return terms


def potential(p: Any, n: SimpleNamespace, t: Any) -> Any:
    return mpmath.fsum(parts(p, n, t))


@st.composite
def models(draw: st.DrawFn) -> LIFExp:
    tau_m = draw(TAUS)
    tau_exc, tau_inh = (
        draw(st.one_of(TAUS, NEARLY.map(lambda d: tau_m * (1.0 + d)))) for _ in range(2)
    )
    bias = draw(st.sampled_from([0.0, 0.0, 0.5, 1.2, -1.0]))
    return LIFExp(tau_m=tau_m, tau_exc=tau_exc, tau_inh=tau_inh, bias=bias, v_reset=-1.0)


CURRENTS = st.one_of(st.just(0.0), st.floats(-30.0, 30.0))
STATES = st.builds(neuron, st.floats(-3.0, 0.999), CURRENTS, CURRENTS)


def crossing(model: LIFExp, n: SimpleNamespace) -> float:
    return float(model.crossing(n, 0, model.parameters))


@given(models(), STATES, st.one_of(st.floats(0.0, 200.0), st.floats(0.0, 1e-6)))
def test_the_membrane_is_exact(model: LIFExp, n: SimpleNamespace, dt: float) -> None:
    p = model.parameters
    expected = potential(p, n, dt)
    scale = mpmath.fsum(abs(term) for term in parts(p, n, dt))
    currents = [n.i_exc[0] * math.exp(-dt / p.tau_exc), n.i_inh[0] * math.exp(-dt / p.tau_inh)]
    model.advance(n, 0, p, model.factors(p, dt))
    # The rounding of an exponent grows with it.
    digits = 1e-13 * (1.0 + 0.05 * dt / min(p.tau_m, p.tau_exc, p.tau_inh))
    assert abs(n.v[0] - expected) <= digits * scale + mpmath.mpf(1e-300)
    np.testing.assert_allclose([n.i_exc[0], n.i_inh[0]], currents, rtol=1e-14, atol=1e-300)


@given(st.sampled_from([0.5, 3.0]), NEARLY, st.sampled_from([1.0, -1.0]), st.floats(1e-3, 60.0))
def test_nearly_equal_time_constants_lose_no_digits(
    tau: float, apart: float, sign: float, dt: float
) -> None:
    model = LIFExp(tau_m=tau, tau_exc=tau * (1.0 + sign * apart))
    n = neuron(i_exc=1.0)
    expected = potential(model.parameters, n, dt)
    model.advance(n, 0, model.parameters, model.factors(model.parameters, dt))
    assert abs(n.v[0] / expected - 1) <= 1e-13 * (1.0 + 0.05 * dt / tau)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("decade", range(1, 17))
def test_every_distance_of_the_time_constants_from_a_tenth_to_nothing(
    decade: int, sign: float
) -> None:
    """Excitation nearly as slow as the membrane, inhibition nearly twice as near on its other side:
    potential, crossing and, where they are used, modes against 30 digits."""
    apart = sign * 10.0**-decade
    model = LIFExp(tau_m=5.0, tau_exc=5.0 * (1.0 + apart), tau_inh=5.0 * (1.0 - 0.5 * apart))
    p, state = model.parameters, (0.2, 6.0, -1.5)
    for dt in (1e-6, 0.3, 4.0, 40.0):
        n = neuron(*state)
        scale = mpmath.fsum(abs(term) for term in parts(p, neuron(*state), dt))
        expected = potential(p, neuron(*state), dt)
        model.advance(n, 0, p, model.factors(p, dt))
        assert abs(n.v[0] - expected) <= 4e-16 * (4.0 + dt) * scale
        if model.has_modes(p):
            modes = neuron(*state)
            model.to_modes(modes, 0, p)
            for name, tau in zip(NAMES, model.time_constants(p), strict=True):
                getattr(modes, name)[0] *= math.exp(-dt / tau)
            model.from_modes(modes, 0, p)
            amplitudes = (6.0 + 2.0 * 1.5) / abs(apart)
            assert abs(modes.v[0] - expected) <= 4e-16 * amplitudes
    found = crossing(model, neuron(*state))
    root = mpmath.findroot(lambda t: potential(p, neuron(*state), t) - 1, found)
    assert 1.0 < found < 3.0
    assert abs(found - root) <= 1e-14


@given(models(), STATES, st.floats(0.0, 20.0), st.floats(0.0, 20.0))
def test_two_steps_are_one(model: LIFExp, n: SimpleNamespace, a: float, b: float) -> None:
    p = model.parameters
    whole = neuron(n.v[0], n.i_exc[0], n.i_inh[0])
    scale = float(mpmath.fsum(abs(term) for term in parts(p, n, a + b))) + 60.0
    for dt in (a, b):
        model.advance(n, 0, p, model.factors(p, dt))
    model.advance(whole, 0, p, model.factors(p, a + b))
    for name in NAMES:
        assert getattr(n, name)[0] == pytest.approx(getattr(whole, name)[0], abs=1e-13 * scale)


def turns(p: Any, n: SimpleNamespace, far: float) -> list[Any]:
    """Where V changes direction in [0, far], from a dense scan of dV/dt."""

    def slope(t: Any) -> Any:
        t = mpmath.mpf(t)
        drive = mpmath.mpf(p.v_rest) + mpmath.mpf(p.bias)
        drive += n.i_exc[0] * mpmath.exp(-t / mpmath.mpf(p.tau_exc))
        drive += n.i_inh[0] * mpmath.exp(-t / mpmath.mpf(p.tau_inh))
        return drive - potential(p, n, t)

    # float64 tells where to look; a geometric grid resolves all time constants.
    grid = np.concatenate([[0.0], np.geomspace(1e-9, far, 3000)])
    em, ee, ei = (np.exp(-grid / tau) for tau in (p.tau_m, p.tau_exc, p.tau_inh))
    drive = p.v_rest + p.bias + n.i_exc[0] * ee + n.i_inh[0] * ei
    v = n.v[0] * em - (p.v_rest + p.bias) * np.expm1(-grid / p.tau_m)
    for current, tau in ((n.i_exc[0], p.tau_exc), (n.i_inh[0], p.tau_inh)):
        x = grid * (1.0 / p.tau_m - 1.0 / tau)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            kernel = np.where(
                np.abs(x) < 1e-5,
                grid / p.tau_m * em * (1 + x / 2 + x * x / 6),
                tau / (tau - p.tau_m) * (np.exp(-grid / tau) - em) if tau != p.tau_m else 0.0,
            )
        v = v + current * kernel
    signs = np.sign(drive - v)
    found = []
    for k in np.flatnonzero(signs[:-1] * signs[1:] < 0):
        lo, hi = mpmath.mpf(float(grid[k])), mpmath.mpf(float(grid[k + 1]))
        if slope(lo) * slope(hi) < 0:
            found.append(mpmath.findroot(slope, (lo, hi), solver="anderson", verify=False))
    return found


def first_crossing(p: Any, n: SimpleNamespace) -> tuple[Any, Any]:
    """First time with V = v_th, None if there is none, and how close V comes to deciding
    otherwise: the distance of the nearest extremum to the threshold."""
    far = 60.0 * max(p.tau_m, p.tau_exc, p.tau_inh)
    knots = [mpmath.mpf(0), *turns(p, n, far), mpmath.mpf(far)]
    heights = [potential(p, n, t) - p.v_th for t in knots]
    margin = min(abs(h) for h in heights)
    for (a, h_a), (b, h_b) in zip(
        zip(knots, heights, strict=True), list(zip(knots, heights, strict=True))[1:], strict=False
    ):
        if h_a < 0 <= h_b:
            f = lambda t: potential(p, n, t) - p.v_th  # noqa: E731
            for _ in range(110):
                middle = (a + b) / 2
                a, b = (a, middle) if f(middle) >= 0 else (middle, b)
            return b, margin
    return None, margin


@given(models(), STATES)
@example(LIFExp(tau_m=1.4, tau_exc=2.8, v_th=62.5), neuron(10.0, 200.0, 0.0))
@example(LIFExp(tau_m=5, tau_exc=1, tau_inh=20), neuron(-1.0, -30.0, 8.0))
@example(LIFExp(tau_m=5, tau_exc=20, tau_inh=0.3), neuron(0.9, 2.5, -30.0))
@example(LIFExp(tau_m=20, tau_exc=0.1, tau_inh=1.0, bias=1.2), neuron(0.5, 30.0, -30.0))
def test_the_crossing_is_the_first_root(model: LIFExp, n: SimpleNamespace) -> None:
    p = model.parameters
    expected, margin = first_crossing(p, n)
    assume(margin > 1e-9)  # grazes have tests of their own
    found = crossing(model, n)
    if expected is None:
        assert found == math.inf
    else:
        # An error of V of a few units in the last place, turned into time by the slope.
        h = mpmath.mpf("1e-12")
        rise = (potential(p, n, expected + h) - potential(p, n, expected - h)) / (2 * h)
        size = mpmath.fsum(abs(term) for term in parts(p, n, expected)) + 1
        tolerance = max(1e-10, 4e-15 * float(size / rise))
        assert abs(found - expected) <= tolerance
        assert tolerance == 1e-10 or margin < 1e-3


@given(models(), STATES, st.floats(1e-6, 300.0))
def test_a_neuron_that_crosses_may_cross(model: LIFExp, n: SimpleNamespace, dt: float) -> None:
    p = model.parameters
    t = crossing(model, n)
    if t <= dt:
        assert model.may_cross(n, 0, p, dt)
    if t < math.inf:
        assert model.may_cross(n, 0, p, t)
        assert model.may_cross(n, 0, p, t * (1 + 1e-15))
        assert model.may_cross(n, 0, p, math.inf)


def peak_of_alpha(i_exc: float) -> float:
    """Highest V of a neuron with equal time constants that starts at rest."""
    return i_exc * math.exp(-1.0)


@pytest.mark.parametrize("hair", [1e-13, 1e-10, 1e-6])
def test_a_graze_fires_only_if_the_peak_reaches_threshold(hair: float) -> None:
    model = LIFExp(tau_m=5, tau_exc=5, v_th=1.0)
    above, below = math.e * (1 + hair), math.e * (1 - hair)
    t = crossing(model, neuron(i_exc=above))
    assert t < 5.0
    # Near its top V is a parabola: 1 - ((t - tau) / tau)**2 / 2.
    assert 5.0 - t == pytest.approx(5.0 * math.sqrt(2 * hair), rel=0.02, abs=2e-7)
    assert crossing(model, neuron(i_exc=below)) == math.inf


def test_a_peak_that_is_exactly_threshold_fires() -> None:
    """v_th is set to what the model itself finds at the top."""
    for i_exc in (1.0, 3.0, 7.3):
        n = neuron(i_exc=i_exc)
        model = LIFExp(tau_m=4, tau_exc=4, v_th=100.0)
        model.advance(n, 0, model.parameters, model.factors(model.parameters, 4.0))
        touching = LIFExp(tau_m=4, tau_exc=4, v_th=n.v[0])
        assert crossing(touching, neuron(i_exc=i_exc)) == pytest.approx(4.0, abs=1e-6)
        missing = LIFExp(tau_m=4, tau_exc=4, v_th=n.v[0] * (1 + 1e-14))
        assert crossing(missing, neuron(i_exc=i_exc)) == math.inf


@pytest.mark.parametrize("hair", [1e-11, 1e-6])
def test_a_graze_after_inhibition_has_let_go(hair: float) -> None:
    """V falls under fast inhibition, then rises to a peak at, above or below threshold."""
    p = LIFExp(tau_m=5, tau_exc=12, tau_inh=0.5).parameters
    n = neuron(0.9, 3.0, -40.0)
    falling, rising = turns(p, n, 200.0)
    peak = float(potential(p, n, rising))
    assert potential(p, n, falling) < 0.9 < peak
    above, below = (
        LIFExp(tau_m=5, tau_exc=12, tau_inh=0.5, v_th=peak * (1 - s * hair)) for s in (1, -1)
    )
    t = crossing(above, n)
    assert falling < t < rising
    assert abs(potential(p, n, t) - above.parameters.v_th) < 1e-14
    assert crossing(below, n) == math.inf


def test_the_first_of_two_peaks_is_taken() -> None:
    """Fast excitation, slower inhibition, bias: V rises, falls and rises for good."""
    model = LIFExp(tau_m=5, tau_exc=1, tau_inh=8, bias=1.5)
    n = neuron(0.5, 20.0, -6.0)
    first, second = turns(model.parameters, n, 200.0)
    assert potential(model.parameters, n, first) > 1.0 > potential(model.parameters, n, second)
    assert crossing(model, n) < first
    low = neuron(0.5, 4.0, -6.0)
    assert crossing(model, low) > second
    assert abs(potential(model.parameters, low, crossing(model, low)) - 1.0) < 1e-14


@pytest.mark.parametrize("bias", [1.0, 1.0 - 1e-12])
def test_a_bias_that_only_tends_to_threshold_never_fires(bias: float) -> None:
    for taus in ((10.0, 5.0, 10.0), (1.0, 100.0, 0.5), (100.0, 1.0, 1.0)):
        model = LIFExp(**dict(zip(("tau_m", "tau_exc", "tau_inh"), taus, strict=True)), bias=bias)
        assert crossing(model, neuron()) == math.inf
        assert crossing(model, neuron(0.5, 0.0, -3.0)) == math.inf


def test_a_bias_just_above_threshold_fires() -> None:
    for excess in (1e-3, 1e-9, 1e-12):
        model = LIFExp(tau_m=10, bias=1.0 + excess)
        true_excess = (1.0 + excess) - 1.0
        expected = 10 * math.log((1.0 + excess) / true_excess)
        assert crossing(model, neuron()) == pytest.approx(expected, rel=1e-13)


def test_the_published_case_in_closed_form() -> None:
    """tau_m = tau_exc / 2: a quadratic in exp(-t / tau_exc); the larger root is the rise."""
    model = LIFExp(tau_m=1.4, tau_exc=2.8, v_th=62.5)
    v, s, th = 10.0, 200.0, 62.5
    y = (s + math.sqrt(s * s - (2 * s - v) * th)) / (2 * s - v)
    found = crossing(model, neuron(v, s))
    assert found == pytest.approx(-2.8 * math.log(y), abs=1e-14)
    assert found == pytest.approx(0.511, abs=5e-4)


def test_at_or_above_threshold_means_now() -> None:
    assert crossing(LIFExp(), neuron(1.0)) == 0.0
    assert crossing(LIFExp(), neuron(5.0, 0.0, -9.0)) == 0.0


def test_a_refractory_neuron_holds_its_potential_while_currents_decay() -> None:
    model = LIFExp(tau_exc=2.0, tau_inh=3.0, v_reset=-0.25, t_ref=4.0)
    p, n = model.parameters, neuron(1.0, 6.0, -5.0)
    assert model.fire(n, 0, p) == 4.0
    model.hold(n, 0, p, model.factors(p, 1.5))
    model.receive(n, 0, p, 0, 1.0)
    model.receive(n, 0, p, 1, -2.0)
    assert n.v[0] == -0.25
    assert n.i_exc[0] == pytest.approx(6 * math.exp(-0.75) + 1.0, rel=1e-15)
    assert n.i_inh[0] == pytest.approx(-5 * math.exp(-0.5) - 2.0, rel=1e-15)


@given(models(), STATES, st.floats(0.0, 8.0))
def test_modes_hold_the_same_state(model: LIFExp, n: SimpleNamespace, dt: float) -> None:
    """Amplitudes that decay each with its time constant, turned back, are the advanced state."""
    p = model.parameters
    assume(model.has_modes(p))
    other = neuron(n.v[0], n.i_exc[0], n.i_inh[0])
    model.advance(n, 0, p, model.factors(p, dt))
    model.to_modes(other, 0, p)
    for name, tau in zip(NAMES, model.time_constants(p), strict=True):
        getattr(other, name)[0] *= math.exp(-dt / tau)
    model.from_modes(other, 0, p)
    for name in NAMES:  # amplitudes are up to a hundred times the currents
        assert getattr(other, name)[0] == pytest.approx(getattr(n, name)[0], abs=1e-11)


@given(models(), STATES, st.sampled_from([0, 1]), st.floats(-5, 5), st.floats(0.0, 5.0))
def test_a_kick_is_a_weight(
    model: LIFExp, n: SimpleNamespace, port: int, w: float, dt: float
) -> None:
    p = model.parameters
    assume(model.has_modes(p))
    other = neuron(n.v[0], n.i_exc[0], n.i_inh[0])
    model.receive(n, 0, p, port, w)
    model.to_modes(other, 0, p)
    for name, amount in zip(NAMES, model.kick(p, port), strict=True):
        getattr(other, name)[0] += w * amount
    model.from_modes(other, 0, p)
    for name in NAMES:
        assert getattr(other, name)[0] == pytest.approx(getattr(n, name)[0], abs=1e-11)


@given(models(), STATES, st.floats(0.05, 100.0), st.lists(st.floats(0.0, 1.0), max_size=4))
def test_weights_within_the_allowance_cannot_make_it_fire(
    model: LIFExp, n: SimpleNamespace, dt: float, shares: list[float]
) -> None:
    """Whatever arrives, at whatever time, up to the allowance in sum: no crossing within dt."""
    p = model.parameters
    allowance = float(model.allowance(n, 0, p, model.horizon(p, dt)))
    assume(allowance > 0.0 and n.v[0] < p.v_th)
    assert crossing(model, neuron(n.v[0], n.i_exc[0], n.i_inh[0])) > dt
    times = sorted(shares)
    t, clock = 0.0, 0.0
    for k, share in enumerate(times):
        t = share * dt
        assert crossing(model, n) > t - clock
        model.advance(n, 0, p, model.factors(p, t - clock))
        model.receive(n, 0, p, k % 2, allowance / len(times))
        clock = t
    assert crossing(model, n) > dt - clock


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"tau_m": 0.0}, r"LIFExp: tau_m = 0\.0 ms"),
        ({"tau_exc": -1.0}, r"LIFExp: tau_exc = -1\.0 ms"),
        ({"tau_inh": 0.0}, r"LIFExp: tau_inh = 0\.0 ms"),
        ({"t_ref": -0.1}, r"LIFExp: t_ref = -0\.1 ms"),
        ({"v_reset": 1.0}, r"LIFExp: v_reset = 1\.0 mV must be below v_th = 1\.0 mV"),
        ({"bias": math.nan}, r"LIFExp\.bias = nan"),
        ({"v_th": math.inf}, r"LIFExp\.v_th = inf"),
        ({"tau": 5.0}, r"LIFExp has no parameter 'tau'; it has tau_m, tau_exc, tau_inh, v_rest"),
        ({"tau_m": "ten"}, r"LIFExp\.tau_m = 'ten'; a number is needed"),
    ],
)
def test_parameters_that_make_no_sense_are_named(parameters: dict[str, Any], text: str) -> None:
    with pytest.raises(ModelError, match=text):
        LIFExp(**parameters)


def test_a_slope_that_underflows_before_the_search_ends_keeps_its_sign() -> None:
    """The slow inhibition is silent: the search must not wait for it to decay."""
    parameters = {"tau_m": 1.428291584495699, "tau_exc": 1.4571874435535022}
    model = LIFExp(**parameters, tau_inh=3.051195394035511, bias=1.5622712665323326)
    n = neuron(0.9896212203255583, -1.3795646283939085)
    expected, _ = first_crossing(model.parameters, n)
    assert abs(crossing(model, n) - expected) < 1e-12
    assert expected < 2.4
