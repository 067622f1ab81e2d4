"""The frames in which the amplitudes of a lazy population are kept: multiples of one length.

A frame moves on by one length at a time.  Whoever moves it, and at whichever of the times that ask
for it, multiplies the amplitudes by the same factors in the same order.
"""

from __future__ import annotations

from math import exp, floor
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.inner import register_jitable

__all__ = ["move_frame", "next_frame"]


@register_jitable
def next_frame(frame: float, length: float) -> float:
    """The frame after this one (both times in ms)."""
    return (floor(frame / length + 0.5) + 1.0) * length


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
