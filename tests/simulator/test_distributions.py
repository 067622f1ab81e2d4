"""Distributions: moments, bounds and what they refuse."""

from __future__ import annotations

from math import exp, inf, log, nan, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import NetworkError, exponential, lognormal, normal, uniform
from simulator.distributions import Distribution

N = 100_000


def drawn(distribution: Distribution, n: int = N) -> Any:
    return distribution.draw(np.random.default_rng(4), n)


@pytest.mark.parametrize(
    ("distribution", "mean", "deviation"),
    [
        (uniform(0.6, 0.8), 0.7, 0.2 / sqrt(12)),
        (normal(-2.0, 0.5), -2.0, 0.5),
        (normal(0.0, 1.0, low=0.0), sqrt(2 / np.pi), sqrt(1 - 2 / np.pi)),
        (lognormal(0.5, 0.25), exp(0.5 + 0.25**2 / 2), None),
        (exponential(3.0), 3.0, 3.0),
        (exponential(0.5, offset=1.5), 2.0, 0.5),
    ],
    ids=str,
)
def test_moments(distribution: Distribution, mean: float, deviation: float | None) -> None:
    """Within five standard errors; that of a deviation takes the fourth moment of the sample."""
    values = drawn(distribution)
    if deviation is None:
        deviation = mean * sqrt(exp(0.25**2) - 1)
    assert abs(values.mean() - mean) < 5 * deviation / sqrt(N)
    spread = (values - mean) ** 2
    assert abs(spread.mean() - deviation**2) < 5 * spread.std() / sqrt(N)


def test_the_logarithm_of_a_lognormal_is_normal() -> None:
    values = np.log(drawn(lognormal(log(2.0), 0.1)))
    assert abs(values.mean() - log(2.0)) < 5 * 0.1 / sqrt(N)
    assert abs(np.mean(np.abs(values - log(2.0)) < 0.1) - 0.6827) < 5 * 0.47 / sqrt(N)


@given(st.floats(-1e6, 1e6), st.floats(0.0, 1e6))
def test_uniform_stays_within_its_ends(low: float, width: float) -> None:
    values = drawn(uniform(low, low + width), 50)
    assert np.all((values >= low) & (values <= low + width))


def test_a_clipped_normal_is_drawn_again_and_not_cut() -> None:
    values = drawn(normal(0.0, 1.0, -0.5, 0.5), 10_000)
    assert values.min() > -0.5
    assert values.max() < 0.5
    assert np.unique(values).size == values.size, "nothing piles up at the ends"


@pytest.mark.parametrize(
    "distribution", [uniform(2.0, 2.0), normal(2.0, 0.0), exponential(0.0, 2.0)], ids=str
)
def test_no_spread_is_a_constant(distribution: Distribution) -> None:
    assert drawn(distribution, 5).tolist() == [2.0] * 5


def test_every_draw_depends_on_the_generator_alone() -> None:
    for distribution in (uniform(0, 1), normal(0, 1, -1, 1), lognormal(0, 1), exponential(1)):
        np.testing.assert_array_equal(drawn(distribution, 100), drawn(distribution, 100))
        assert drawn(distribution, 100).shape == (100,)


def test_it_prints_as_it_is_written() -> None:
    assert str(uniform(0.6, 0.8)) == "uniform(0.6, 0.8)"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: uniform(1.0, 0.5), r"uniform\(1\.0, 0\.5\): the upper end"),
        (lambda: uniform(nan, 1.0), r"uniform\(nan, 1\): nan is not a finite number"),
        (lambda: uniform(0.0, inf), r"uniform\(0, inf\): inf is not a finite number"),
        (lambda: normal(0.0, -1.0), r"normal\(0\.0, -1\.0\): the deviation"),
        (lambda: normal(0.0, nan), r"normal\(0, nan\): nan"),
        (lambda: normal(0.0, 1.0, low=2.0, high=1.0), r"low = 2\.0 must lie below high = 1\.0"),
        (lambda: normal(0.0, 1.0, low=nan), "low = nan must lie below"),
        (lambda: lognormal(0.0, -1.0), r"lognormal\(0\.0, -1\.0\): sigma"),
        (lambda: lognormal(inf, 1.0), r"lognormal\(inf, 1\): inf"),
        (lambda: exponential(-1.0), r"exponential\(-1\.0\): the mean"),
        (lambda: exponential(1.0, nan), r"exponential\(1, nan\): nan"),
    ],
)
def test_bad_parameters_are_refused(make: Any, text: str) -> None:
    with pytest.raises(NetworkError, match=text):
        make()


def test_an_interval_that_is_never_hit_is_refused() -> None:
    with pytest.raises(NetworkError, match=r"normal\(0\.0, 1\.0\) hardly ever .* \[50\.0, 51\.0\]"):
        drawn(normal(0.0, 1.0, 50.0, 51.0), 3)
