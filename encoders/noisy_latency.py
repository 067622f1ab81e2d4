"""The population latency code with noise in the currents of its neurons.

::

    tau dV/dt = -V + A + g eta(t)

eta is a standard normal number, drawn anew for every neuron and every ``step_ms``. The current is
thus constant within a step and V has a closed form there, which is monotone: the first crossing of
the threshold is exact and none is missed. A neuron may fire early, late, several times or never.

V starts every presentation with its stationary distribution without input, of variance
g^2 tanh(step_ms / (2 tau)), below threshold: what a V carried over the silence of the period before
is distributed like, but for traces of refractoriness. So a presentation depends on its own random
stream alone, and g = 0 gives the latencies of :class:`encoders.LatencyCode`.

Source: Fois & Girau (2023), sections 2.1.1 and 3.3. The text calls eta Gaussian white noise and
gives no scale to it. This reading, one number per step of their simulator, is the one that agrees
with what they report: spikes displaced by up to about 5 ms at g = 1.5, and learning unharmed at
g = 0.5. White noise of unit intensity per ms displaces spikes by 2.4 ms (root mean square) at
g = 0.5 already, and the neurons downstream never fire.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from numba import njit

from encoders._presentations import Presentations
from encoders.latency import CircularLatency, check_ring
from simulator.errors import ModelError

__all__ = ["NoisyLatencyCode"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


class NoisyLatencyCode(Presentations):
    """:class:`encoders.LatencyCode` with noise; see the module's text.

    Parameters
    ----------
    patterns : (n_patterns, n_values)
        In [0, 1].
    noise : float
        g, in units of the current; >= 0.
    code : CircularLatency
    step_ms : float
        How long a number of the noise holds, ms; the variance it gives to V is proportional to it.
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
        self._patterns = check_ring(patterns)
        super().__init__(
            self._patterns.shape, self.code.fields, self.code.period_ms, patterns_per_chunk
        )

    def spikes(
        self, chunk: int, size: int, stream: Callable[[int], np.random.Generator]
    ) -> tuple[Floats, Indices]:
        parts = [self._present(p, size, stream(p)) for p in self.presented(chunk)]
        if not parts:
            return np.empty(0), np.empty(0, np.int64)
        return np.concatenate([t for t, _ in parts]), np.concatenate([i for _, i in parts])

    def _present(self, pattern: int, size: int, rng: np.random.Generator) -> tuple[Floats, Indices]:
        """The spikes of one presentation, by time, then neuron."""
        code, step = self.code, self.step_ms
        spread = self.noise * math.sqrt(math.tanh(step / (2.0 * code.tau)))
        v = spread * rng.standard_normal(size)
        while (high := np.flatnonzero(v >= code.threshold)).size:
            v[high] = spread * rng.standard_normal(high.size)
        eta = rng.standard_normal((round(code.period_ms / step), size))
        eta *= self.noise
        current = code.activations(self._patterns[pattern]).ravel()
        most = 1 + int(code.period_ms / code.t_ref)
        times, neurons = np.empty(size * most), np.empty(size * most, np.int64)
        n = _integrate(
            v, current, eta, round(code.on_ms / step), step, code.tau, code.threshold, code.t_ref,
            times, neurons,
        )  # fmt: skip
        order = np.lexsort((neurons[:n], times[:n]))
        return times[:n][order] + pattern * code.period_ms, neurons[:n][order]


@njit(cache=True)
def _integrate(  # type: ignore[no-untyped-def]
    v, current, eta, n_on, step, tau, threshold, t_ref, times, neurons
):
    """Fill in spike times after onset and neurons; return how many."""
    n_steps, size = eta.shape
    ready = np.zeros(size)  # until then V is held at 0
    whole = math.exp(-step / tau)
    n = 0
    for k in range(n_steps):
        end = (k + 1) * step
        for i in range(size):
            if end <= ready[i]:
                continue
            drive = eta[k, i] + (current[i] if k < n_on else 0.0)
            start, decay = k * step, whole
            if ready[i] > start:
                start = ready[i]
                decay = math.exp((start - end) / tau)
            after = drive + (v[i] - drive) * decay
            if after < threshold:
                v[i] = after
                continue
            t = start + tau * math.log((drive - v[i]) / (drive - threshold))
            times[n], neurons[n] = t, i
            n += 1
            v[i] = 0.0
            ready[i] = t + t_ref
    return n
