"""The frames in which the amplitudes of a lazy population are kept: multiples of one length.

A frame moves on by one length at a time.  Whoever moves it, and at whichever of the times that ask
for it, multiplies the amplitudes by the same factors in the same order.
"""

from __future__ import annotations

from math import exp, floor
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from simulator.inner import register_jitable

__all__ = ["FRAME", "frame_at", "growth", "move_frame", "next_frame"]

FRAME: Final = 16.0  # shortest time constants in a frame: amplitudes grow by e to this power
_STEPS: Final = 128.0  # of the table in a time constant
_GROWN = np.array([exp(k / _STEPS) for k in range(int(FRAME * _STEPS) + 1)])
_3, _4, _5 = 1 / 6, 1 / 24, 1 / 120


@register_jitable(forceinline=True)
def growth(x: float) -> float:
    """exp(x) for an age of ``x`` time constants in a frame, within two units in the last place.

    By a table and a short series, with no call: deliveries one by one wait for little else.
    """
    if not 0.0 <= x <= FRAME:
        return exp(x)
    place = np.uint32(x * _STEPS + 0.5)
    r = x - place * (1.0 / _STEPS)
    r2 = r * r
    return float(_GROWN[place] * (1.0 + (r + r2 * ((0.5 + r * _3) + r2 * (_4 + r * _5)))))


@register_jitable
def next_frame(frame: float, length: float) -> float:
    """The frame after this one (both times in ms)."""
    return (floor(frame / length + 0.5) + 1.0) * length


@register_jitable
def frame_at(t: float, length: float) -> float:
    """The frame of time ``t`` >= 0 (ms)."""
    frame = 0.0
    if t >= length:
        frame = (floor(t / length) - 1.0) * length
    while t - frame >= length:
        frame = next_frame(frame, length)
    return frame


def move_frame(
    modes: npt.NDArray[np.float64], time_constants: Any, frame: float, length: float, t: float
) -> float:
    """Bring amplitudes, shape (modes, neurons), to the frame of time ``t``; the new frame."""
    while t - frame >= length:
        following = next_frame(frame, length)
        for mode, tau in zip(modes, time_constants, strict=True):
            mode *= exp(-(following - frame) / tau)
        frame = following
    return frame
