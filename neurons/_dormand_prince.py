"""Error-controlled integration between events, for models without a closed form.

The explicit Runge-Kutta pair of order 5(4) of Dormand and Prince for two coupled variables, a
potential y and a slow variable z.  A step is accepted when its estimated error is below
``tolerance`` in both.  A crossing of the threshold is found in the step that
contains it by repeating that step with a shorter length, which gives a smooth function of the
length; a step in which y turns close to threshold is searched for its top first, so that a graze
counts.  This takes for granted that y turns at most once within an accepted step.

Source: Dormand & Prince 1980, J. Comput. Appl. Math. 6; Hairer, Nørsett & Wanner, Solving Ordinary
Differential Equations I, section II.4.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, inf, log
from typing import Any

from simulator.inner import register_jitable
from simulator.roots import bracketed_newton

__all__ = ["dormand_prince"]

_SHORTEST = 1e-12  # ms; a step of this length is accepted as it is


def dormand_prince(
    slopes: Callable[[Any, float, float, float], tuple[float, float]],
    excess: Callable[[Any, float, float], tuple[float, float]],
    settled: Callable[[Any, float, float, float], bool],
) -> tuple[Callable[..., tuple[float, float]], Callable[..., tuple[float, float, float]]]:
    """Build an integrator of a model.

    Parameters
    ----------
    slopes : (a, t, y, z) -> (dy/dt, dz/dt)
        The equations; ``a`` is whatever the model needs, ``t`` the time since the last event (ms).
    excess : (a, t, y) -> (y - threshold, -d threshold / dt)
    settled : (a, t, y, z) -> bool
        True only when y surely never reaches threshold from there.

    Returns
    -------
    advance : (a, y, z, dt, h, tolerance) -> (y, z)
        State after ``dt`` (ms); ``h`` is the step to try first.
    rise : (a, t, y, z, end, h, tolerance) -> (t, y, z)
        Time of the first crossing in (t, end], infinity if there is none, and the state at ``end``.
    """
    slopes, excess = register_jitable(slopes), register_jitable(excess)
    settled = register_jitable(settled)

    @register_jitable
    def step(
        a: Any, t: float, y: float, z: float, h: float
    ) -> tuple[float, float, float, float, float]:
        """(y, z) after h, the larger error of both beyond rounding, dy/dt at the start and end."""
        y1, z1 = slopes(a, t, y, z)
        y2, z2 = slopes(a, t + h / 5.0, y + h * y1 / 5.0, z + h * z1 / 5.0)
        y3, z3 = slopes(
            a,
            t + h * 3.0 / 10.0,
            y + h * (3.0 / 40.0 * y1 + 9.0 / 40.0 * y2),
            z + h * (3.0 / 40.0 * z1 + 9.0 / 40.0 * z2),
        )
        y4, z4 = slopes(
            a,
            t + h * 4.0 / 5.0,
            y + h * (44.0 / 45.0 * y1 - 56.0 / 15.0 * y2 + 32.0 / 9.0 * y3),
            z + h * (44.0 / 45.0 * z1 - 56.0 / 15.0 * z2 + 32.0 / 9.0 * z3),
        )
        c1, c2, c3, c4 = 19372.0 / 6561.0, 25360.0 / 2187.0, 64448.0 / 6561.0, 212.0 / 729.0
        y5, z5 = slopes(
            a,
            t + h * 8.0 / 9.0,
            y + h * (c1 * y1 - c2 * y2 + c3 * y3 - c4 * y4),
            z + h * (c1 * z1 - c2 * z2 + c3 * z3 - c4 * z4),
        )
        c1, c2, c3, c4 = 9017.0 / 3168.0, 355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0
        c5 = 5103.0 / 18656.0
        y6, z6 = slopes(
            a,
            t + h,
            y + h * (c1 * y1 - c2 * y2 + c3 * y3 + c4 * y4 - c5 * y5),
            z + h * (c1 * z1 - c2 * z2 + c3 * z3 + c4 * z4 - c5 * z5),
        )
        c1, c3, c4 = 35.0 / 384.0, 500.0 / 1113.0, 125.0 / 192.0
        c5, c6 = 2187.0 / 6784.0, 11.0 / 84.0
        y_new = y + h * (c1 * y1 + c3 * y3 + c4 * y4 - c5 * y5 + c6 * y6)
        z_new = z + h * (c1 * z1 + c3 * z3 + c4 * z4 - c5 * z5 + c6 * z6)
        y7, z7 = slopes(a, t + h, y_new, z_new)
        c1, c3, c4 = 71.0 / 57600.0, 71.0 / 16695.0, 71.0 / 1920.0
        c5, c6, c7 = 17253.0 / 339200.0, 22.0 / 525.0, 1.0 / 40.0
        y_error = h * (c1 * y1 - c3 * y3 + c4 * y4 - c5 * y5 + c6 * y6 - c7 * y7)
        z_error = h * (c1 * z1 - c3 * z3 + c4 * z4 - c5 * z5 + c6 * z6 - c7 * z7)
        rounding = 4e-15 * (abs(y_new) + abs(z_new))
        return y_new, z_new, max(abs(y_error), abs(z_error)) - rounding, y1, y7

    @register_jitable
    def next_length(h: float, error: float) -> float:
        """Length of the next step, from the error of this one in units of the tolerance."""
        if not error < 1e4:  # not a number counts as too large
            return 0.1 * h
        return h * min(5.0, 0.9 * exp(-0.2 * log(max(error, 1e-10))))

    @register_jitable
    def advance(
        a: Any, y: float, z: float, dt: float, h: float, tolerance: float
    ) -> tuple[float, float]:
        t = 0.0
        while t < dt:
            h = min(h, dt - t)
            y_new, z_new, error, _, _ = step(a, t, y, z, h)
            if error <= tolerance or h < _SHORTEST:
                t = dt if h == dt - t else t + h
                y, z = y_new, z_new
            h = next_length(h, error / tolerance)
        return y, z

    @register_jitable
    def above(b: Any, h: float) -> tuple[float, float]:
        a, t, y, z = b
        y, _, _, _, slope = step(a, t, y, z, h)
        value, change = excess(a, t + h, y)
        return value, slope + change

    @register_jitable
    def falling(b: Any, h: float) -> tuple[float, float]:
        a, t, y, z = b
        y, _, _, _, slope = step(a, t, y, z, h)
        return -(slope + excess(a, t + h, y)[1]), 0.0  # no derivative: bisection

    find_crossing, find_top = bracketed_newton(above), bracketed_newton(falling)

    @register_jitable
    def rise(
        a: Any, t: float, y: float, z: float, end: float, h: float, tolerance: float
    ) -> tuple[float, float, float]:
        while t < end and not settled(a, t, y, z):
            h = min(h, end - t)
            y_new, z_new, error, first, last = step(a, t, y, z, h)
            if error <= tolerance or h < _SHORTEST:
                b = (a, t, y, z)
                value, change = excess(a, t, y)
                value_new, change_new = excess(a, t + h, y_new)
                if value_new >= 0.0:
                    return t + find_crossing(b, 0.0, h), y, z
                rising = first + change > 0.0
                if rising and last + change_new < 0.0 and value + h * (first + change) >= 0.0:
                    top = find_top(b, 0.0, h)
                    if above(b, top)[0] >= 0.0:
                        return t + find_crossing(b, 0.0, top), y, z
                t = end if h == end - t else t + h
                y, z = y_new, z_new
            h = next_length(h, error / tolerance)
        return inf, y, z

    return advance, rise
