"""Distributions for weights, delays and initial states: ``uniform(0.6, 0.8)`` and its kin."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.errors import NetworkError

__all__ = ["Distribution", "exponential", "lognormal", "normal", "uniform"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Distribution:
    """Something that draws ``n`` numbers from a generator."""

    name: str
    parameters: tuple[float, ...]
    draw: Callable[[np.random.Generator, int], Floats]

    def __post_init__(self) -> None:
        for value in self.parameters:
            if not math.isfinite(value):
                raise NetworkError(f"{self}: {value} is not a finite number")

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{v:g}' for v in self.parameters)})"


def uniform(low: float, high: float) -> Distribution:
    """Uniform on [low, high)."""
    if high < low:
        raise NetworkError(f"uniform({low}, {high}): the upper end lies below the lower one")
    return Distribution("uniform", (low, high), lambda rng, n: rng.uniform(low, high, n))


def normal(
    mean: float, deviation: float, low: float = -math.inf, high: float = math.inf
) -> Distribution:
    """Normal; values outside [low, high] are drawn again, as PyNN's ``normal_clipped`` does.

    Raises
    ------
    NetworkError
        When ``deviation`` is negative or the interval has so little mass that redrawing is futile.
    """
    if deviation < 0:
        raise NetworkError(f"normal({mean}, {deviation}): the deviation must be >= 0")
    if not low < high:
        raise NetworkError(f"normal: low = {low} must lie below high = {high}")

    def draw(rng: np.random.Generator, n: int) -> Floats:
        values = rng.normal(mean, deviation, n)
        for _ in range(1000):
            outside = (values < low) | (values > high)
            if not outside.any():
                return values
            values[outside] = rng.normal(mean, deviation, int(outside.sum()))
        raise NetworkError(
            f"normal({mean}, {deviation}) hardly ever falls within [{low}, {high}]; widen it"
        )

    return Distribution("normal", (mean, deviation), draw)


def lognormal(mu: float, sigma: float) -> Distribution:
    """exp of a normal with mean ``mu`` and deviation ``sigma``."""
    if sigma < 0:
        raise NetworkError(f"lognormal({mu}, {sigma}): sigma must be >= 0")
    return Distribution("lognormal", (mu, sigma), lambda rng, n: rng.lognormal(mu, sigma, n))


def exponential(mean: float, offset: float = 0.0) -> Distribution:
    """``offset`` plus an exponential of the given mean."""
    if mean < 0:
        raise NetworkError(f"exponential({mean}): the mean must be >= 0")
    return Distribution(
        "exponential", (mean, offset), lambda rng, n: offset + rng.exponential(mean, n)
    )
