"""The population latency code with white noise in its neurons.

::

    tau dV/dt = -V + A + g eta(t),    <eta(t) eta(t')> = delta(t - t'), t in ms

Noise has no closed-form latency.  V is advanced on a grid of ``step_ms`` by the exact transition of
this process (a Gaussian: no error of discretisation in V), and a crossing is placed by linear
interpolation between two points of the grid; an excursion over threshold that begins and ends
between two points is missed.  A neuron may fire early, several times, or not at all.

At every onset V is drawn anew from its stationary distribution without input, of variance
g^2 / (2 tau), below threshold; after period_ms - on_ms of silence that is what a carried-over V
would be distributed like, but for what threshold and refractoriness do to it.  So a presentation
depends on its own random stream alone.

Source: Fois & Girau (2023), sections 2.1.1 and 3.3.  The equation is taken as printed, with time in
ms: read so, g = 1.5 moves spikes by about 5 ms, as the source says it does.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from numba import njit

from encoders.latency import CircularLatency, check_patterns, check_size
from simulator.errors import ModelError
from simulator.sources import SpikeSource

__all__ = ["NoisyLatencyCode"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


class NoisyLatencyCode(SpikeSource):
    """:class:`encoders.LatencyCode` with noise; see the module's text.

    Parameters
    ----------
    patterns : (n_patterns, n_values)
        In [0, 1].
    noise : float
        g, in units of the threshold times sqrt(ms); >= 0.
    code : CircularLatency
    step_ms : float
        Grid on which the threshold is watched, ms.
    patterns_per_chunk : int
        How many are encoded at a time; the spikes do not depend on it.

    Raises
    ------
    ModelError
        For values out of range, a negative noise, or a step that does not divide the current and
        the period.
    """

    def __init__(
        self,
        patterns: npt.ArrayLike,
        noise: float,
        code: CircularLatency | None = None,
        step_ms: float = 0.1,
        patterns_per_chunk: int = 64,
    ) -> None:
        self.code = CircularLatency() if code is None else code
        if not (math.isfinite(noise) and noise >= 0.0):
            raise ModelError(f"NoisyLatencyCode: noise = {noise}; a finite number >= 0 is needed")
        if not (math.isfinite(step_ms) and step_ms > 0.0):
            raise ModelError(f"NoisyLatencyCode: step_ms = {step_ms}; a finite time > 0 is needed")
        for name in ("on_ms", "period_ms"):
            steps = getattr(self.code, name) / step_ms
            if abs(steps - round(steps)) > 1e-9 * steps:
                raise ModelError(
                    f"NoisyLatencyCode: step_ms = {step_ms} does not divide {name} = "
                    f"{getattr(self.code, name)} ms"
                )
        self.noise, self.step_ms = float(noise), float(step_ms)
        self._patterns = check_patterns(patterns, patterns_per_chunk)
        self.n_patterns, self.n_values = self._patterns.shape
        self._per_chunk = patterns_per_chunk
        self.chunk_ms = patterns_per_chunk * self.code.period_ms

    @property
    def duration_ms(self) -> float:
        """How long all presentations take, ms."""
        return self.n_patterns * self.code.period_ms

    def bind(self, name: str, size: int) -> None:
        check_size(name, size, self.n_values, self.code.fields)

    def spikes(
        self, chunk: int, size: int, stream: Callable[[int], np.random.Generator]
    ) -> tuple[Floats, Indices]:
        first = chunk * self._per_chunk
        parts = [
            self._present(p, size, stream(p))
            for p in range(first, min(first + self._per_chunk, self.n_patterns))
        ]
        if not parts:
            return np.empty(0), np.empty(0, np.int64)
        return np.concatenate([t for t, _ in parts]), np.concatenate([i for _, i in parts])

    def _present(
        self, pattern: int, size: int, rng: np.random.Generator
    ) -> tuple[Floats, Indices]:
        """The spikes of one presentation, by time, then neuron."""
        code, step = self.code, self.step_ms
        spread = self.noise / math.sqrt(2.0 * code.tau)  # standard deviation of V at rest
        v = rng.normal(0.0, 1.0, size) * spread
        while (high := np.flatnonzero(v >= code.threshold)).size:
            v[high] = rng.normal(0.0, 1.0, high.size) * spread
        n_steps, n_on = round(code.period_ms / step), round(code.on_ms / step)
        kick = rng.standard_normal((n_steps, size))
        kick *= spread * math.sqrt(-math.expm1(-2.0 * step / code.tau))
        most = 1 + int(code.period_ms / max(code.t_ref, step))
        times, neurons = np.empty(size * most), np.empty(size * most, np.int64)
        n = _integrate(
            v, code.activations(self._patterns[pattern]).ravel(), kick, n_on, step,
            math.exp(-step / code.tau), code.threshold, code.t_ref, times, neurons,
        )  # fmt: skip
        order = np.lexsort((neurons[:n], times[:n]))
        return times[:n][order] + pattern * code.period_ms, neurons[:n][order]


@njit(cache=True)
def _integrate(  # type: ignore[no-untyped-def]
    v, current, kick, n_on, step, decay, threshold, t_ref, times, neurons
):
    """Fill in spike times after onset and neurons; return how many."""
    n_steps, size = kick.shape
    ready = np.zeros(size)
    n = 0
    for k in range(n_steps):
        start = k * step
        for i in range(size):
            if start + step <= ready[i]:
                continue  # V is held at 0
            drive = current[i] if k < n_on else 0.0
            before = v[i]
            after = drive + (before - drive) * decay + kick[k, i]
            if after >= threshold:
                t = start + step * (threshold - before) / (after - before)
                times[n], neurons[n] = t, i
                n += 1
                ready[i] = t + t_ref
                after = 0.0
            v[i] = after
    return n
