"""Population latency code in closed form: values on a ring become one spike per receptive field.

A value a in [0, 1] drives ``fields`` neurons with Gaussian receptive fields whose centres mu_z =
(z - 1/2) / fields lie on a ring of circumference 1::

    d = |a - mu_z|, or 1 - d where that is shorter;   A = exp(-d^2 / (2 sigma^2))
    tau dV/dt = -V + A for on_ms, then 0 until period_ms; a spike at V = threshold

so that field z fires tau ln(A / (A - threshold)) after the onset: the closer the value, the
sooner.  The refractory period outlasts the current, hence every neuron fires once and starts the
next presentation from V = 0 exactly: nothing has to be integrated.

Source: Fois & Girau, Enhanced representation learning with temporal coding in sparsely spiking
neural networks (2023), sections 2.1.1 and 2.2 (encoding) and 3.1.1 (decoding).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from encoders._presentations import Presentations, check_patterns
from simulator.errors import ModelError

__all__ = ["CircularLatency", "LatencyCode", "check_ring"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

# Distances are rounded to so many decimals: two fields equally far from a value then fire at
# exactly one instant, where the rounding of their centres would put 1e-15 ms between them. It
# moves no latency by more than 1e-12 ms.
_DECIMALS = 14


@dataclass(frozen=True)
class CircularLatency:
    """The code and its inverse.

    Parameters
    ----------
    fields : int
        Receptive fields, thus neurons, per value.
    sigma : float
        Width of a field, in units of the ring.
    tau : float
        Membrane time constant, ms.
    threshold : float
        Between 0 and the largest activation, 1.
    on_ms, period_ms : float
        How long the current flows, and from one presentation to the next, ms.
    t_ref : float
        Refractory period, ms; it must outlast the current.

    Raises
    ------
    ModelError
        For a parameter out of its range.

    Examples
    --------
    >>> code = CircularLatency()
    >>> code.latencies([0.45]).argmin()
    np.int64(4)
    >>> float(code.decode(1.0 / code.latencies([0.3])).round(3)[0])
    0.3
    """

    fields: int = 10
    sigma: float = 0.6
    tau: float = 10.0
    threshold: float = 0.5
    on_ms: float = 12.5
    period_ms: float = 25.0
    t_ref: float = 6.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float | np.number):
                raise ModelError(f"CircularLatency.{field.name} = {value!r}; a number is needed")
            if not math.isfinite(value) or value <= 0:
                raise ModelError(
                    f"CircularLatency.{field.name} = {value}; a finite number > 0 is needed"
                )
        if self.fields != int(self.fields):
            raise ModelError(f"CircularLatency.fields = {self.fields}; a whole number is needed")
        if self.threshold >= 1.0:
            raise ModelError(
                f"CircularLatency.threshold = {self.threshold}; it must be below 1, the largest "
                "activation, or no neuron ever fires"
            )
        if self.period_ms < self.on_ms:
            raise ModelError(
                f"CircularLatency: period_ms = {self.period_ms} is shorter than the current, "
                f"on_ms = {self.on_ms}"
            )
        earliest = -self.tau * math.log1p(-self.threshold)
        if earliest + self.t_ref < self.on_ms:
            raise ModelError(
                f"CircularLatency: a neuron that fires after {earliest:g} ms is ready again "
                f"{self.t_ref:g} ms later, while the current still flows (on_ms = {self.on_ms:g}); "
                "one spike per presentation needs a longer t_ref or a shorter current"
            )

    @property
    def centres(self) -> Floats:
        """Preferred values of the fields, shape (fields,)."""
        return (np.arange(self.fields) + 0.5) / self.fields

    def activations(self, values: npt.ArrayLike) -> Floats:
        """Currents into the neurons, shape (..., fields) for values of shape (...)."""
        distance = np.abs(np.asarray(values, dtype=np.float64)[..., None] - self.centres)
        distance = np.round(np.minimum(distance, 1.0 - distance), _DECIMALS)
        activation: Floats = np.exp(-(distance**2) / (2.0 * self.sigma**2))
        return activation

    def latencies(self, values: npt.ArrayLike) -> Floats:
        """Time from onset to spike in ms, shape (..., fields) for values of shape (...).

        Raises
        ------
        ModelError
            When a value is not in [0, 1], or a field does not reach threshold while the current
            flows; the text names the first one.
        """
        given = np.asarray(values, dtype=np.float64)
        _check_values(given, "values")
        activation = self.activations(given)
        # A current at or below threshold never gets there.
        above = np.maximum(activation - self.threshold, np.finfo(np.float64).tiny)
        latency: Floats = self.tau * np.log(activation / above)
        late = np.argwhere(latency > self.on_ms)
        if late.size:
            *where, z = (int(k) for k in late[0])
            a, value = float(activation[(*where, z)]), float(given[tuple(where)])
            when = f"after {latency[(*where, z)]:g} ms" if a > self.threshold else "never"
            raise ModelError(
                f"CircularLatency: value {value:g} drives field {z} (centre "
                f"{self.centres[z]:g}) with {a:.4g}, which {when} reaches threshold "
                f"{self.threshold:g}; the current flows for {self.on_ms:g} ms. Use wider fields, "
                "a lower threshold or a longer current"
            )
        return latency

    def decode(self, weights: npt.ArrayLike) -> Floats:
        """Circular mean of the centres, in [0, 1]: shape (...) for weights of shape (..., fields).

        [atan2(-S, -C) + pi] / (2 pi) with C and S the weighted sums of cos and sin of 2 pi mu.
        Weights without a direction, such as all zero, decode to no value in particular.
        """
        given = np.asarray(weights, dtype=np.float64)
        if given.shape[-1:] != (self.fields,):
            raise ModelError(
                f"CircularLatency: weights of shape {given.shape}; the last axis must have one "
                f"entry per field, {self.fields}"
            )
        angle = 2.0 * np.pi * self.centres
        c, s = given @ np.cos(angle), given @ np.sin(angle)
        value: Floats = (np.arctan2(-s, -c) + np.pi) / (2.0 * np.pi)
        return value


class LatencyCode(Presentations):
    """Presents one pattern of values after the other, each value through its receptive fields.

    Neuron ``v * fields + z`` is field z of value v.  Pattern p is on from ``p * period_ms``; after
    the last one the source is silent.  Equal values give exactly equal latencies, so that an
    engine can take all neurons of an instant together.

    Parameters
    ----------
    patterns : (n_patterns, n_values)
        In [0, 1].
    code : CircularLatency
    patterns_per_chunk : int
        How many are encoded at a time; the memory in use grows with it, the spikes do not
        depend on it.

    Raises
    ------
    ModelError
        For values out of range, or fields that they do not bring to threshold.
    """

    def __init__(
        self,
        patterns: npt.ArrayLike,
        code: CircularLatency | None = None,
        patterns_per_chunk: int = 256,
    ) -> None:
        self.code = CircularLatency() if code is None else code
        given = check_ring(patterns)
        super().__init__(given.shape, self.code.fields, self.code.period_ms, patterns_per_chunk)
        # Images have few grey levels: a table of the ranks of latencies makes encoding a look-up,
        # and ordering a sort of integers, each a rank and, below it, a neuron.
        levels, level = np.unique(given, return_inverse=True)
        self._level = level.reshape(given.shape)
        self._distinct, rank = np.unique(self.code.latencies(levels), return_inverse=True)
        self._closest = np.diff(self._distinct).min(initial=math.inf)
        n_neurons = self.n_values * self.code.fields
        self._bits = max(1, n_neurons - 1).bit_length()
        wide = (self._distinct.size - 1) << self._bits > np.iinfo(np.int32).max - n_neurons
        dtype = np.int64 if wide else np.int32
        self._ranked: npt.NDArray[Any] = rank.reshape(levels.size, -1).astype(dtype)
        self._ranked <<= self._bits
        self._neuron = np.arange(n_neurons, dtype=dtype)

    def spikes(
        self, chunk: int, size: int, stream: Callable[[int], np.random.Generator]
    ) -> tuple[Floats, Indices]:
        patterns = self.presented(chunk)
        level = self._level[patterns.start : patterns.stop]
        keys: npt.NDArray[Any] = self._ranked.take(level, axis=0).reshape(len(level), size)
        keys += self._neuron
        keys.sort(axis=1)
        order = (keys & ((1 << self._bits) - 1)).astype(np.int64)
        onset = np.asarray(patterns, dtype=np.int64) * self.code.period_ms
        times: Floats = np.take(self._distinct, keys >> self._bits)
        times += onset[:, None]
        # Late in a run the sum may round two latencies to one time: then neurons go by index.
        if times.size and self._closest <= 4.0 * np.spacing(times.max()):
            tied = (times[:, 1:] == times[:, :-1]) & (order[:, 1:] < order[:, :-1])
            for p in np.flatnonzero(tied.any(axis=1)):
                order[p] = order[p][np.lexsort((order[p], times[p]))]
        return times.ravel(), order.ravel()


def check_ring(patterns: npt.ArrayLike) -> Floats:
    """The patterns as an array of shape (n_patterns, n_values), their values in [0, 1]."""
    given = check_patterns(patterns)
    _check_values(given, "patterns")
    return given


def _check_values(values: Floats, name: str) -> None:
    wrong = np.argwhere(~((values >= 0.0) & (values <= 1.0)))  # NaN is neither
    if wrong.size:
        where = tuple(int(k) for k in wrong[0])
        index = ", ".join(map(str, where))
        raise ModelError(
            f"{name}[{index}] = {values[where]}; values on the ring lie in [0, 1], scale them first"
        )
