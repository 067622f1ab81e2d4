"""Random numbers that depend on a seed and two counters only, for whole arrays at once.

Counter-based numbers (Salmon et al. 2011) from the finaliser of SplitMix64 (Steele, Lea & Flood
2014): whoever asks, in whatever order and how often, gets the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["draw"]

_GOLDEN, _OTHER = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_27, _30, _31, _11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = (x ^ (x >> _30)) * _MIX_1
    x = (x ^ (x >> _27)) * _MIX_2
    return x ^ (x >> _31)


def draw(seed: int, stream: int, first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1), one for each pair of counters (which broadcast)."""
    with np.errstate(over="ignore"):
        key = _mixed(np.array([seed], dtype=np.uint64) * _GOLDEN + np.uint64(stream))
        one = np.asarray(first).astype(np.uint64) * _GOLDEN
        two = np.asarray(second).astype(np.uint64) * _OTHER
        mixed = _mixed(_mixed(key + one) + two)
    numbers: NDArray[np.float64] = (mixed >> _11).astype(np.float64) * 2.0**-53
    return numbers
