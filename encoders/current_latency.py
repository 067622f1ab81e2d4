"""Constant-current latency code in closed form: one spike a presentation, the sooner the stronger.

Neuron i of presentation p is a leaky integrator that starts at 0 and feels the current I_pi::

    tau dV/dt = -V + I,    a spike at V = threshold, after tau ln(I / (I - threshold))

if I is above threshold and the time not beyond ``on_ms``, when the current ends; else there is no
spike.
It is silent until the next presentation, which starts from V = 0 again.

Source: the latency of a leaky integrate-and-fire neuron (Gerstner & Kistler, Spiking Neuron Models,
2002, equation 4.6 without refractoriness); time-to-first-spike codes, Thorpe et al. 2001.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from encoders._presentations import Presentations, check_patterns
from simulator.errors import ModelError

__all__ = ["CurrentLatency"]


class CurrentLatency(Presentations):
    """Presents one vector of currents after the other, each current to a neuron of its own.

    Parameters
    ----------
    currents : (n_patterns, n_neurons)
        In the unit of the threshold; finite.
    tau : float
        Membrane time constant, ms.
    threshold : float
        > 0.
    on_ms, period_ms : float
        How long a current flows, and from one presentation to the next, ms; on_ms <= period_ms.
    patterns_per_chunk : int
        How many are encoded at a time; the spikes do not depend on it.

    Raises
    ------
    ModelError
        For parameters out of range, or a current that is not finite.

    Examples
    --------
    >>> source = CurrentLatency([[2.0, 1.0, 4.0]], tau=10.0, threshold=1.0)
    >>> source.latencies([2.0, 1.0, 4.0]).round(3).tolist()
    [6.931, inf, 2.877]
    """

    def __init__(
        self,
        currents: npt.ArrayLike,
        tau: float = 10.0,
        threshold: float = 1.0,
        on_ms: float = 25.0,
        period_ms: float = 25.0,
        patterns_per_chunk: int = 256,
    ) -> None:
        given = {"tau": tau, "threshold": threshold, "on_ms": on_ms, "period_ms": period_ms}
        for name, value in given.items():
            if not (math.isfinite(value) and value > 0.0):
                raise ModelError(f"CurrentLatency: {name} = {value}; a finite number > 0 is needed")
        if on_ms > period_ms:
            raise ModelError(
                f"CurrentLatency: on_ms = {on_ms} is longer than period_ms = {period_ms}"
            )
        self.tau, self.threshold, self.on_ms = float(tau), float(threshold), float(on_ms)
        self.currents = check_patterns(currents)
        bad = np.argwhere(~np.isfinite(self.currents))
        if bad.size:
            p, i = (int(k) for k in bad[0])
            raise ModelError(
                f"CurrentLatency: current [{p}, {i}] = {self.currents[p, i]}; finite numbers are "
                "needed"
            )
        super().__init__(self.currents.shape, 1, float(period_ms), patterns_per_chunk)

    def latencies(self, currents: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Time from onset to spike (ms), infinite where there is none, shape of ``currents``."""
        current = np.asarray(currents, dtype=np.float64)
        result = np.full(current.shape, np.inf)
        above = current > self.threshold
        share = self.threshold / current[above]
        result[above] = -self.tau * np.log1p(-share)
        result[result > self.on_ms] = np.inf
        return result

    def spikes(
        self, chunk: int, size: int, stream: Callable[[int], np.random.Generator]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        patterns = np.asarray(self.presented(chunk), dtype=np.int64)
        latency = self.latencies(self.currents[patterns])
        row, neuron = np.nonzero(np.isfinite(latency))
        times = patterns[row] * self.period_ms + latency[row, neuron]
        order = np.lexsort((neuron, times))
        return times[order], neuron[order]
