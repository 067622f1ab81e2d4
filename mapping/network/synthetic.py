"""Synthetic loads: when each core creates packets (Bernoulli or in bursts), and for whom.

In a burst (on-off process, W. J. Dally, B. Towles, Principles and practices of interconnection
networks, 2004, section 24.2.2) a core creates packets with probability `peak` in each cycle; it
falls silent with probability 1 / burst_cycles and begins again so that the mean load is the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.graph import IntArray
from mapping.mesh import Mesh
from mapping.network.draws import draw
from mapping.network.packets import Packets
from mapping.network.patterns import Pattern, find_pattern
from simulator.errors import MappingError

__all__ = ["SyntheticTraffic"]

_CREATE, _TARGET, _SWITCH, _FIRST = range(4)
_BLOCK = 1 << 20  # random numbers at a time


class SyntheticTraffic:
    """A load that goes on for as long as it is asked to.

    Parameters
    ----------
    mesh : Mesh
        Cores whose routers are faulty send nothing.
    pattern : str or function
        "uniform", "transpose", "bit_complement", "tornado", "hotspot".
    rate : float
        [flits per core and cycle] 0 < rate <= flits: a core creates at most a packet in a cycle.
    flits : int
        Of every packet.
    burst_cycles : float or None
        [cycles] mean length of a burst, >= 1; None for independent cycles (Bernoulli).
    peak : float
        Probability of a packet in a cycle of a burst; above rate / flits, at most 1.
    seed : int

    Raises
    ------
    MappingError
        A parameter out of range.
    """

    def __init__(
        self,
        mesh: Mesh,
        pattern: str | Pattern = "uniform",
        rate: float = 0.1,
        flits: int = 1,
        *,
        burst_cycles: float | None = None,
        peak: float = 1.0,
        seed: int = 0,
    ) -> None:
        if isinstance(flits, bool) or int(flits) != flits or flits < 1:
            raise MappingError(f"flits = {flits}; it must be an integer >= 1")
        if not (np.isfinite(rate) and 0 < rate <= flits):
            raise MappingError(
                f"rate = {rate} flits per core and cycle; it must be > 0 and at most the {flits} "
                "flits of the packet that a core can create in a cycle"
            )
        self.mesh, self.rate, self.flits, self.seed = mesh, float(rate), int(flits), int(seed)
        self.pattern = find_pattern(pattern)
        self.cores = np.setdiff1d(np.arange(mesh.n_cores), mesh.faulty_routers)
        self.burst_cycles, self.peak = burst_cycles, peak
        if burst_cycles is not None:
            if not (np.isfinite(burst_cycles) and burst_cycles >= 1):
                raise MappingError(f"burst_cycles = {burst_cycles}; it must be >= 1")
            if not rate / flits < peak <= 1:
                raise MappingError(
                    f"peak = {peak}; it must be above {rate / flits:g} packets per cycle, the "
                    "mean, and at most 1"
                )
            share = rate / flits / peak
            if share / (1.0 - share) > burst_cycles:
                raise MappingError(
                    f"burst_cycles = {burst_cycles}: bursts that short cannot hold "
                    f"{share:.3g} of the time; raise it to {share / (1.0 - share):.3g} or more"
                )
        self._on: NDArray[np.bool_] | None = None
        self._after = 0

    def scaled(self, factor: float) -> SyntheticTraffic:
        """The same load from its beginning, with its rate multiplied by a factor."""
        return SyntheticTraffic(
            self.mesh,
            self.pattern,
            self.rate * factor,
            self.flits,
            burst_cycles=self.burst_cycles,
            peak=self.peak,
            seed=self.seed,
        )

    def window(self, start: int, stop: int) -> Packets:
        """Packets created in the cycles `start`, ..., `stop` - 1.

        The windows of a load in bursts follow each other without a gap, from cycle 0 on.

        Raises
        ------
        MappingError
            `stop` < `start`, or a gap between two windows of a load in bursts.
        """
        if not 0 <= start <= stop:
            raise MappingError(f"window {start}..{stop}; expected 0 <= start <= stop")
        if self.burst_cycles is not None and start != self._after:
            raise MappingError(
                f"window from cycle {start}; a load in bursts goes on where it was, at "
                f"{self._after}"
            )
        self._after = stop
        n = self.cores.size
        step = max(1, _BLOCK // n)
        parts = [
            self._created(first, min(first + step, stop)) for first in range(start, stop, step)
        ]
        cycle = np.concatenate([part[0] for part in parts] or [np.empty(0, dtype=np.int64)])
        place = np.concatenate([part[1] for part in parts] or [np.empty(0, dtype=np.int64)])
        source = self.cores[place]
        target = self.pattern(self.mesh, source, draw(self.seed, _TARGET, source, cycle))
        lost = np.isin(target, self.mesh.faulty_routers)
        if lost.any():
            core = int(source[np.argmax(lost)])
            raise MappingError(
                f"the pattern sends packets of core {core} to one whose router is faulty"
            )
        flits = np.full(cycle.size, self.flits, dtype=np.int64)
        return Packets(cycle, source, target, flits, np.zeros_like(cycle))

    def _created(self, start: int, stop: int) -> tuple[IntArray, IntArray]:
        cycles = np.arange(start, stop)[:, np.newaxis]
        random = draw(self.seed, _CREATE, self.cores, cycles)
        mean = self.rate / self.flits
        if self.burst_cycles is None:
            made = random < mean
        else:
            made = (random < self.peak) & self._bursts(cycles)
        cycle, place = np.nonzero(made)
        return cycle + start, place

    def _bursts(self, cycles: IntArray) -> NDArray[np.bool_]:
        """Whether each core is in a burst, by cycle; a chain of two states for each core."""
        assert self.burst_cycles is not None
        share = self.rate / self.flits / self.peak  # of the time that a core is in a burst
        stop = 1.0 / self.burst_cycles
        begin = stop * share / (1.0 - share)
        if self._on is None:
            self._on = draw(self.seed, _FIRST, self.cores, 0) < share
        random = draw(self.seed, _SWITCH, self.cores, cycles)
        on = np.empty(random.shape, dtype=bool)
        for k, row in enumerate(random):
            on[k] = self._on
            self._on = np.where(self._on, row >= stop, row < begin)
        return on
