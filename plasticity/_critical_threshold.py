"""The critical threshold of a trial and its gradient: exact, in continuous time.

The neuron is :class:`neurons.SRM` under a threshold theta that is free:

::

    V(t) = Vo(t) - theta sum_{t_s < t} exp(-(t - t_s) / tau_m)
    Vo(t) = sum_i w_i K(t - t_i) + rest(t)

over the arrivals of the trial; ``rest`` is what the state at its beginning decays to.  The number
of spikes never rises with theta, whatever the input: with U(t) = Vo(t) exp(t / tau_m) there is a
spike where U / theta reaches exp(t / tau_m) + sum_j exp(t_j / tau_m), so that every spike time is a
non-decreasing function of theta.  The critical threshold of k spikes,

::

    theta*_k = sup {theta : the trial has k spikes or more},

is therefore found by bisection.  At theta*_k one spike is about to vanish, at the time t* at which
V just touches the threshold: a smooth maximum, an inhibitory arrival, or the end of the trial.  It
need not be the last spike; it is the first one that differs between both sides of theta*_k.

Source: Gütig, Science 351 (2016); Zhang et al., ETDP, equations 1 to 21.
"""

from __future__ import annotations

from math import exp, inf, log, nan
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from simulator.roots import bracketed_newton

__all__ = ["ETDP", "MST", "TDP", "Trial", "critical_threshold", "gradient", "spike_times"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MST, ETDP, TDP = 0, 1, 2  # which derivative
_SAME_SPIKE = 1e-3  # ms: a spike moves far less in the last bracket, another one is further away
_BRACKET = 1e-14  # relative, of the bisection
_LEAST = 1e-9  # of the threshold: where the search for a critical threshold gives up


class Trial(NamedTuple):
    """What one neuron got: arrivals by time (ms from the beginning), each at a synapse.

    ``slow`` and ``fast`` are what the state at the beginning adds to the two sums of exponentials,
    V = slow - fast; ``gain`` is V0 of the kernel.
    """

    times: Floats
    synapse: Ints
    weights: Floats
    end: float
    slow: float
    fast: float
    tau_m: float
    tau_s: float
    gain: float


class _Pieces(NamedTuple):
    """The time between arrivals: when it begins, how long it is, what arrives, how much is left."""

    begin: Floats
    length: Floats
    jump: Floats
    slow: Floats
    fast: Floats


def _above(a: tuple[float, float, float, float, float], x: float) -> tuple[float, float]:
    """V - threshold and its slope, ``x`` ms on."""
    slow, fast = a[0] * exp(-x / a[3]), a[1] * exp(-x / a[4])
    return slow - fast - a[2], fast / a[4] - slow / a[3]


_find_crossing = bracketed_newton(_above)


@njit(cache=True)
def _pieces(trial: Trial) -> _Pieces:
    n = trial.times.size + 1
    begin, jump = np.zeros(n), np.zeros(n)
    length, slow, fast = np.empty(n), np.empty(n), np.empty(n)
    begin[1:] = trial.times
    for k in range(n):
        if k > 0:
            jump[k] = trial.gain * trial.weights[trial.synapse[k - 1]]
        length[k] = (begin[k + 1] if k + 1 < n else trial.end) - begin[k]
        slow[k] = exp(-length[k] / trial.tau_m)
        fast[k] = exp(-length[k] / trial.tau_s)
    return _Pieces(begin, length, jump, slow, fast)


@njit(cache=True)
def _fire(trial: Trial, pieces: _Pieces, theta: float, out: Floats) -> int:
    """Fill ``out`` with spike times under ``theta``, as many as it holds; how many there were."""
    tau_m, tau_s = trial.tau_m, trial.tau_s
    to_peak = tau_m * tau_s / (tau_m - tau_s)
    a, s, n = trial.slow, trial.fast, 0
    while n < out.size and a - s >= theta:
        out[n] = 0.0
        a -= theta
        n += 1
    for k in range(pieces.begin.size):
        a += pieces.jump[k]
        s += pieces.jump[k]
        left = pieces.length[k]
        # V reaches a threshold above 0 only where it rises, on one stretch of a piece at most.
        while a > 0.0 and s * tau_m > a * tau_s:
            if n == out.size:
                return n
            if a - s + (s / tau_s - a / tau_m) * left < theta:  # it is concave while it rises
                break
            x = min(left, to_peak * log(s * tau_m / (a * tau_s)))
            state = (a, s, theta, tau_m, tau_s)
            if _above_theta(state, x) < 0.0:
                break
            x = _find_crossing(state, 0.0, x)
            left -= x
            out[n] = pieces.begin[k] + (pieces.length[k] - left)
            n += 1
            a = a * exp(-x / tau_m) - theta
            s *= exp(-x / tau_s)
        if left == pieces.length[k]:
            a *= pieces.slow[k]
            s *= pieces.fast[k]
        else:
            a *= exp(-left / tau_m)
            s *= exp(-left / tau_s)
    return n


@njit(cache=True)
def _above_theta(state: tuple[float, float, float, float, float], x: float) -> float:
    return state[0] * exp(-x / state[3]) - state[1] * exp(-x / state[4]) - state[2]


@njit(cache=True)
def spike_times(trial: Trial, theta: float, most: int) -> Floats:
    """The first spikes of a trial under ``theta`` > 0, ``most`` of them if there are as many.

    Returns
    -------
    array
        Times, ms from the beginning of the trial.
    """
    out = np.empty(most)
    return out[: _fire(trial, _pieces(trial), theta, out)]


@njit(cache=True)
def critical_threshold(trial: Trial, theta: float, k: int) -> tuple[float, float, Floats]:
    """theta*_k of a trial, k >= 1; the search starts at ``theta`` > 0.

    Returns
    -------
    theta_k : float
        In units of the weights, to some units in the 14th digit.  NaN where V does not exceed 0, or
        not by enough to fire k spikes under a billionth of ``theta``.
    t_star : float
        When V touches it (ms from the beginning).
    before : array
        The spikes under theta*_k before t*.
    """
    pieces = _pieces(trial)
    under, over = np.empty(k), np.empty(k)
    lo = hi = theta
    if _fire(trial, pieces, theta, under) >= k:
        hi = 1.3 * lo
        while _fire(trial, pieces, hi, over) >= k:
            lo, hi = hi, 1.3 * hi
    else:
        lo = 0.7 * hi
        while _fire(trial, pieces, lo, under) < k:
            hi, lo = lo, 0.7 * lo
            if lo < _LEAST * theta:
                return nan, nan, np.empty(0)
    while hi - lo > _BRACKET * hi:
        middle = 0.5 * (lo + hi)
        if not lo < middle < hi:
            break
        if _fire(trial, pieces, middle, under) >= k:
            lo = middle
        else:
            hi = middle
    _fire(trial, pieces, lo, under)
    n_over = _fire(trial, pieces, hi, over)
    m = 0
    while m < n_over and abs(under[m] - over[m]) < _SAME_SPIKE:
        m += 1
    before = under[:m].copy()
    return lo, _touch(trial, pieces, lo, before, under[m]), before


@njit(cache=True)
def _touch(trial: Trial, pieces: _Pieces, theta: float, before: Floats, crossing: float) -> float:
    """The maximum of V that follows closely on a crossing, which itself is known to the root of a
    rounding error only."""
    tau_m, tau_s = trial.tau_m, trial.tau_s
    if crossing == 0.0:
        return 0.0
    a, s = trial.slow, trial.fast
    for k in range(pieces.begin.size):
        a += pieces.jump[k]
        s += pieces.jump[k]
        end = pieces.begin[k] + pieces.length[k]
        if k + 1 == pieces.begin.size or pieces.begin[k + 1] > crossing:
            slow = a
            for t in before:
                slow -= theta * exp(-(pieces.begin[k] - t) / tau_m)
            if slow <= 0.0 or s * tau_m <= slow * tau_s:
                return pieces.begin[k]
            ratio = log(s * tau_m / (slow * tau_s))
            peak = pieces.begin[k] + tau_m * tau_s / (tau_m - tau_s) * ratio
            if peak <= end:
                return peak
        a *= pieces.slow[k]
        s *= pieces.fast[k]
    return trial.end


@njit(cache=True)
def gradient(
    trial: Trial, theta: float, t_star: float, before: Floats, kind: int, slope_floor: float
) -> Floats:
    """The derivative of theta*_k with respect to each weight.

    Parameters
    ----------
    trial, theta, t_star, before
        As :func:`critical_threshold` takes and returns them.
    kind
        MST: the exact one.  ETDP: as printed there, with the threshold of the earlier spikes held
        while they move, which makes it longer and leaves its direction.  TDP: earlier spikes move
        by themselves only.
    slope_floor
        Least slope of V at an earlier spike, 1/ms in units of the weights; of V' / C for ETDP,
        whose equation 16 is that.
    """
    tau_m, tau_s = trial.tau_m, trial.tau_s
    n, m = trial.weights.size, before.size
    a, b = np.zeros((m, n)), np.zeros(m)
    heard = np.empty(n)  # S_x: the kernels of a synapse's arrivals, summed
    for x in range(m + 1):
        t = before[x] if x < m else t_star
        heard[:] = 0.0
        slow = trial.slow * exp(-t / tau_m)
        fast = trial.fast * exp(-t / tau_s)
        for i in range(trial.times.size):
            if trial.times[i] >= t:
                break
            k = trial.synapse[i]
            one = trial.gain * exp(-(t - trial.times[i]) / tau_m)
            other = trial.gain * exp(-(t - trial.times[i]) / tau_s)
            heard[k] += one - other
            slow += one * trial.weights[k]
            fast += other * trial.weights[k]
        c, with_a, with_b = 1.0, np.zeros(n), 0.0
        for j in range(x):
            e = exp(-(t - before[j]) / tau_m)
            c += e
            if kind != TDP or x == m:
                with_a += e * a[j]
                with_b += e * b[j]
        top = heard - theta / tau_m * with_a
        if x == m:
            if kind == MST:
                top /= c + theta / tau_m * with_b
            elif kind == ETDP:
                top /= c
            return top
        slope = fast / tau_s - slow / tau_m + theta / tau_m * (c - 1.0)
        if t == 0.0:  # fired by what the trial began with: the weights do not move it
            slope = inf
        slope = max(slope, slope_floor * c if kind == ETDP else slope_floor)
        if slope > 0.0:
            a[x] = -top / slope
            b[x] = (c + theta / tau_m * with_b) / slope
    return heard
