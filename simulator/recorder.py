"""What a run has recorded: spikes in memory or handed on as they come, and samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.errors import NetworkError
from simulator.network import Network, StateSampling, WeightSampling

__all__ = ["Recording", "SpikeSink"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SpikeSink = Callable[[str, Floats, Ints], None]


class Recording:
    """Spikes by population, and samples of state variables and weights.

    Attributes
    ----------
    sink : callable or None
        When set, ``sink(population, times_ms, neurons)`` gets the spikes piece by piece and they
        are not kept in memory.
    """

    def __init__(self, network: Network) -> None:
        self._names = list(network.populations)
        self._recorded = set(network.recorders.spikes)
        self.sink: SpikeSink | None = None
        self._pieces: dict[str, list[tuple[Floats, Ints]]] = {n: [] for n in self._recorded}
        self._plans: list[StateSampling | WeightSampling] = [
            *network.recorders.states,
            *network.recorders.weights,
        ]
        self._next = [0] * len(self._plans)
        self._samples: list[list[tuple[float, Any]]] = [[] for _ in self._plans]

    def is_recorded(self, k: int) -> bool:
        """Whether spikes of population number ``k`` are kept."""
        return self._names[k] in self._recorded

    def add_spikes(self, times: Floats, neurons: Ints, pops: Ints) -> None:
        """Sort a piece of the engine's output by population."""
        for k in np.unique(pops):
            mine = pops == k
            name = self._names[int(k)]
            if name not in self._recorded:
                continue
            if self.sink is not None:
                self.sink(name, times[mine], neurons[mine])
            else:
                self._pieces[name].append((times[mine], neurons[mine]))

    def spikes(self, population: str) -> tuple[Floats, Ints]:
        """All spikes of a population that are held in memory: times (ms), neurons."""
        if population not in self._recorded:
            raise NetworkError(
                f"the spikes of population {population!r} are not recorded; "
                "ask for them with Network.record_spikes() before the run"
            )
        pieces = self._pieces[population]
        if not pieces:
            return np.empty(0), np.empty(0, np.int64)
        joined = (np.concatenate([p[0] for p in pieces]), np.concatenate([p[1] for p in pieces]))
        self._pieces[population] = [joined]
        return joined

    def next_sample(self) -> float:
        """Time of the earliest sample that is still to be taken, infinity if there is none."""
        return min(
            (
                plan.times[k]
                for plan, k in zip(self._plans, self._next, strict=True)
                if k < len(plan.times)
            ),
            default=math.inf,
        )

    def due(self, t: float) -> list[tuple[int, StateSampling | WeightSampling]]:
        """The plans that sample at time ``t``; each is moved on to its next time."""
        result = []
        for k, plan in enumerate(self._plans):
            if self._next[k] < len(plan.times) and plan.times[self._next[k]] == t:
                while self._next[k] < len(plan.times) and plan.times[self._next[k]] == t:
                    self._next[k] += 1
                result.append((k, plan))
        return result

    def skip_to(self, t: float) -> None:
        """Pass over samples that were due up to time ``t``: a restored run has them behind it."""
        for k, plan in enumerate(self._plans):
            while self._next[k] < len(plan.times) and plan.times[self._next[k]] <= t:
                self._next[k] += 1

    def add_sample(self, plan: int, t: float, values: Any) -> None:
        """Keep one sample of a plan."""
        self._samples[plan].append((t, values))

    def states(self, population: str) -> tuple[Floats, dict[str, Floats]]:
        """Sampled state: times (n,) and, by variable, values (n, neurons)."""
        times: list[float] = []
        series: dict[str, list[Floats]] = {}
        for plan, samples in zip(self._plans, self._samples, strict=True):
            if isinstance(plan, StateSampling) and plan.population == population:
                times = [t for t, _ in samples]
                for variable in plan.variables:
                    series[variable] = [values[variable] for _, values in samples]
        if not series:
            raise NetworkError(
                f"no state of population {population!r} is recorded; "
                "ask for it with Network.record_state() before the run"
            )
        return np.array(times), {v: np.array(values) for v, values in series.items()}

    def weights(self, projection: str) -> tuple[Floats, Floats]:
        """Sampled weights: times (n,) and values (n, ...) in the shape of Simulation.weights."""
        for plan, samples in zip(self._plans, self._samples, strict=True):
            if isinstance(plan, WeightSampling) and plan.projection == projection:
                return np.array([t for t, _ in samples]), np.array([w for _, w in samples])
        raise NetworkError(
            f"no weights of projection {projection!r} are recorded; "
            "ask for them with Network.record_weights() before the run"
        )
