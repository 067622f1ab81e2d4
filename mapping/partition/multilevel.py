"""Coarsen, assign the coarsest level, refine on the way back; repeated while it pays (V-cycles).

1. *Coarsening* joins vertices that share heavy nets, level by level (`mapping.partition._coarsen`).
2. The *coarsest* level, some ten clusters per core, is assigned by connectivity (`greedy`) or at
   random, and annealed from a high temperature.
3. Each finer level starts from the coarser one's result and is annealed from a lower temperature
   with a little room to spare on every core (`mapping.partition._anneal`).
4. The finest level is made legal by the cheapest chains of moves (`mapping.partition._chains`)
   and descends by moves and swaps.
5. Further cycles coarsen again, but join only what shares a core, and anneal from lower
   temperatures still.

Where the effort is only worth a few sweeps over the whole network, coarse levels would cost more
than they bring: the nets of a neuron with a hundred targets hardly become fewer. Then the cores are
filled by connectivity on the finest level at once, and what effort there is goes into descent.

The partition in the order of the neurons is refined in the same way, and the best of all is
returned; so the result never needs more packets than ``method="sequential"``.

References
----------
G. Karypis, V. Kumar, Multilevel k-way hypergraph partitioning, VLSI Design 11(3), 2000 (phases,
V-cycles); B. W. Kernighan, S. Lin, Bell System Technical Journal 49(2), 1970 (chains and swaps);
S. Kirkpatrick et al., Optimization by simulated annealing, Science 220, 1983.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mapping.graph import IntArray
from mapping.partition._anneal import anneal, overflow
from mapping.partition._base import CapacityError
from mapping.partition._chains import legalise
from mapping.partition._coarsen import clusters, contract
from mapping.partition._level import (
    Assignment,
    FloatArray,
    Int32Array,
    Level,
    Limits,
    packets,
)
from mapping.partition._level import assign as count
from mapping.partition._problem import Problem
from mapping.partition.greedy import grow
from mapping.partition.sequential import fill
from simulator.errors import MappingError

__all__ = ["assign"]

Progress = Callable[[float, float], object]

# A vertex move costs about this many elementary steps beside its pins.
_STEP = 60
# Steps of one unit of effort: some 15 s on a core of a 2020s processor.
_STEPS_PER_EFFORT = 1.2e9
_CLUSTERS_PER_CORE = 10
_PARTNERS = 16
_PINS_LOOKED_AT = 2000
# With fewer sweeps than this to spend, a network is not coarsened.
_FEW_SWEEPS = 16
# From here on a partition is made legal with less room to spare: every chain surveys its cores.
_MANY = 20_000


def assign(
    problem: Problem,
    *,
    seed: int = 0,
    effort: float = 1.0,
    cycles: int = 2,
    progress: Progress | None = None,
) -> IntArray:
    """Slot of each vertex.

    Parameters
    ----------
    problem : Problem
    seed : int
    effort : float
        Work to spend, > 0; the time grows in proportion. At 1, some 20 s for a few thousand
        neurons and up; large networks get fewer passes for it, 0.1 is a quick look. Ten million
        synapses get two or three sweeps at 1, some 20 s.
    cycles : int
        V-cycles after the first, >= 0, each on a share of the effort.
    progress : callable, optional
        Called as ``progress(fraction, packets)`` after every pass, with the share of the work
        that is done and the packets of the best partition so far.

    Raises
    ------
    CapacityError
        Nothing that fits was found.

    Notes
    -----
    Ctrl-C (KeyboardInterrupt) ends the search and returns the best partition so far; before
    there is any, it is raised.
    """
    if not (np.isfinite(effort) and effort > 0):
        raise MappingError(f"effort = {effort!r}; it must be finite and > 0")
    if isinstance(cycles, bool) or not isinstance(cycles, int | np.integer) or cycles < 0:
        raise MappingError(f"cycles = {cycles!r}; it must be an integer >= 0")
    search = _Search(problem, np.random.default_rng(seed), float(effort), int(cycles), progress)
    try:
        search.run()
    except KeyboardInterrupt:
        if search.best is None:
            raise
    if search.best is None:
        raise CapacityError(
            f"{problem.machine}: no partition within the capacities was found on "
            f"{problem.n_slots} cores; a larger machine or larger capacities would do",
            "cores",
            problem.n_slots + 1,
            problem.n_slots,
        )
    return search.best.astype(np.int64)


@dataclass
class _Search:
    problem: Problem
    rng: np.random.Generator
    effort: float
    cycles: int
    progress: Progress | None
    best: Int32Array | None = None
    best_packets: float = np.inf
    spent: float = 0.0

    def run(self) -> None:
        problem, level, limits = self.problem, self.problem.level, self.problem.limits
        filling = fill(problem)
        in_order = filling.core_of.astype(np.int32) if filling.pinning < 0 else None
        if in_order is not None:
            known = self.offer(count(level, limits, in_order), trusted=True)
        if problem.n_slots == 1 or self.best_packets == 0.0:
            return
        self.total = self.effort * _STEPS_PER_EFFORT
        if in_order is not None:
            per_sweep = _steps_of_sweep(level, count(level, limits, in_order))
            if self.total < _FEW_SWEEPS * per_sweep:
                self.descend()
                return
        share = self.total / (3 + self.cycles)
        # From nothing; then from what the order of the neurons already knows, if it knows enough.
        core_of, cost = self.cycle(None, 2 * share, hot=1.0)
        if in_order is not None and known < 1.5 * cost:
            kept, kept_cost = self.cycle(in_order, share, hot=0.5)
            core_of = kept if kept_cost < cost else core_of
        # A further cycle is only worth its coarsening if it can sweep the finest level.
        worth = _steps_of_sweep(level, count(level, limits, core_of)) < 0.2 * share
        for k in range(self.cycles if worth else 0):
            core_of = self.cycle(core_of, share, hot=0.7 ** (k + 1))[0]

    def descend(self) -> None:
        """Fill the cores by connectivity without coarsening, then move and swap downhill.

        Every step keeps the capacities, so that nothing has to be made legal.
        """
        level, limits = self.problem.level, self.problem.limits
        grown = np.empty(level.neurons.size, dtype=np.int32)
        if grow(level, limits, grown) == 0:
            self.offer(count(level, limits, grown))
        assert self.best is not None  # the order of the neurons fits
        a = count(level, limits, self.best)
        core_of = self.sweep(level, a, limits.capacity, 0.0, 0.0, self.total, least=1, most=3)
        self.offer(count(level, limits, core_of))

    def offer(self, a: Assignment, *, trusted: bool = False) -> float:
        """Keep the assignment if it is legal and the best; its packets, infinite if illegal."""
        if not trusted and overflow(a, self.problem.limits.capacity):
            return np.inf
        cost = float(packets(self.problem.level, self.problem.limits, a))
        if cost < self.best_packets:
            self.best, self.best_packets = a.core_of.copy(), cost
        return cost

    def cycle(
        self, core_of: Int32Array | None, steps: float, hot: float
    ) -> tuple[Int32Array, float]:
        """One V-cycle; from `core_of`, whose cores are then kept apart, or from nothing."""
        limits = self.problem.limits
        levels, maps, starts = self.coarser_levels(core_of)
        start = starts[-1] if core_of is not None else self.first(levels[-1], limits)
        # Half of the work goes to the finest level.
        shares = np.array([1.0] + [1.0 / max(len(levels) - 1, 1)] * (len(levels) - 1))
        shares *= steps / shares.sum()
        for depth in range(len(levels) - 1, 0, -1):
            start = self.refine(levels[depth], start, shares[depth], depth, hot, core_of is None)
            start = start[maps[depth - 1]]
        return self.finish(levels[0], start, shares[0], hot)

    def coarser_levels(
        self, core_of: Int32Array | None
    ) -> tuple[list[Level], list[Int32Array], list[Int32Array]]:
        """Levels from fine to coarse, the maps between them, and `core_of` on each."""
        capacity = self.problem.limits.capacity
        levels, maps = [self.problem.level], []
        starts = [core_of if core_of is not None else np.empty(0, dtype=np.int32)]
        goal = _CLUSTERS_PER_CORE * self.problem.n_slots
        typical = min(float(np.median(capacity[:, 0])), levels[0].neurons.sum() / capacity.shape[0])
        most = np.array([max(typical / 6, 2), 2**62, capacity[:, 2].min() // 4], dtype=np.int64)
        while levels[-1].neurons.size > goal:
            level = levels[-1]
            n = level.neurons.size
            restrict = starts[-1] if core_of is not None else np.full(n, -1, dtype=np.int32)
            cluster_of = np.empty(n, dtype=np.int32)
            n_clusters = clusters(
                level,
                self.rng.permutation(n),
                restrict,
                most,
                max(goal, int(n / 2.2)),
                _PINS_LOOKED_AT,
                cluster_of,
            )
            if n_clusters > 0.95 * n:
                break
            levels.append(contract(level, cluster_of, n_clusters))
            maps.append(cluster_of)
            if core_of is not None:
                coarse = np.empty(n_clusters, dtype=np.int32)
                coarse[cluster_of] = starts[-1]
                starts.append(coarse)
            else:
                starts.append(starts[-1])
        return levels, maps, starts

    def first(self, level: Level, limits: Limits) -> Int32Array:
        """Start of the coarsest level: by connectivity, leftovers where most room is."""
        core_of = np.empty(level.neurons.size, dtype=np.int32)
        grow(level, limits, core_of)
        load = np.zeros(limits.capacity.shape[0])
        placed = core_of >= 0
        np.add.at(load, core_of[placed], level.neurons[placed])
        group_on = np.full(load.size, -1, dtype=np.int64)
        group_on[core_of[placed]] = level.group[placed]
        for v in np.flatnonzero(~placed):
            open_to = limits.allowed[level.pinning[v]] & (
                (group_on < 0) | (group_on == level.group[v])
            )
            if not open_to.any():
                open_to = limits.allowed[level.pinning[v]]
            room = np.where(open_to, limits.capacity[:, 0] - load, -np.inf)
            core_of[v] = int(np.argmax(room))
            load[core_of[v]] += level.neurons[v]
            group_on[core_of[v]] = level.group[v]
        return core_of

    def refine(
        self, level: Level, start: Int32Array, steps: float, depth: int, hot: float, fresh: bool
    ) -> Int32Array:
        """Anneal one coarse level."""
        limits = self.problem.limits
        a = count(level, limits, start)
        slack = min(int(level.neurons.max()) // 2 + 1, 3 * depth + 3)
        loose = limits.capacity.copy()
        loose[:, 0] += slack
        loose[:, 1:] += loose[:, 1:] // 32
        legalise(level, limits, a, loose)
        unit = _typical_pull(level)
        high, low = (0.3, 0.02) if fresh and depth and hot == 1.0 else (0.02 * hot, 0.005)
        return self.sweep(level, a, loose, unit * high, unit * low, steps)

    def finish(
        self, level: Level, start: Int32Array, steps: float, hot: float
    ) -> tuple[Int32Array, float]:
        """Anneal the finest level with room to spare, make it legal, descend."""
        limits = self.problem.limits
        a = count(level, limits, start)
        typical = int(np.median(limits.capacity[:, 0]))
        slack = 0
        if int(np.minimum(limits.capacity[:, 0], 2**40).sum()) < 1.1 * level.neurons.sum():
            slack = max(1, typical // (16 if level.neurons.size <= _MANY else 256))
        loose = limits.capacity.copy()
        loose[:, 0] += slack
        legalise(level, limits, a, loose)
        unit = float(level.weight[level.vert_net].mean()) if level.vert_net.size else 1.0
        core_of = self.sweep(level, a, loose, unit * hot, unit * 0.15, 0.8 * steps)
        a = count(level, limits, core_of)
        legalise(level, limits, a, limits.capacity)
        self.offer(a)
        core_of = self.sweep(level, a, limits.capacity, unit * 0.15, 0.0, 0.2 * steps, least=1)
        a = count(level, limits, core_of)
        return core_of, self.offer(a)

    def sweep(
        self,
        level: Level,
        a: Assignment,
        capacity: IntArray,
        high: float,
        low: float,
        steps: float,
        least: int = 0,
        most: int = 400,
    ) -> Int32Array:
        """Anneal from `high` to `low` in the sweeps that `steps` allow, the last few at 0."""
        n = level.neurons.size
        per_sweep = _steps_of_sweep(level, a)
        n_sweeps = int(np.clip(steps / per_sweep, least, most))
        n_cold = min(n_sweeps, 3)
        temperatures = np.zeros(n_sweeps)
        if n_sweeps > n_cold:
            hot = np.geomspace(high, max(low, high * 0.05), n_sweeps - n_cold)
            temperatures[: n_sweeps - n_cold] = hot
        best = np.empty(n, dtype=np.int32)
        chosen, lowest = a.core_of.copy(), np.inf
        # A few sweeps at a time, so that Ctrl-C and progress are heard.
        batch = max(1, int(2e8 / per_sweep))
        for k in range(0, temperatures.size, batch):
            some: FloatArray = temperatures[k : k + batch]
            cost = anneal(level, self.problem.limits, a, capacity, some, _PARTNERS, self.rng, best)
            if cost < lowest:
                chosen, lowest = best.copy(), cost
            self.spent += per_sweep * some.size
            if self.progress is not None:
                self.progress(min(self.spent / self.total, 1.0), self.best_packets)
        return chosen


def _steps_of_sweep(level: Level, a: Assignment) -> float:
    """Elementary steps of looking at every vertex once."""
    reached = float(a.n_near @ (np.diff(level.net_start) + 1))
    pins = level.vert_net.size + level.own_net.size
    return reached + 3.0 * pins + float(level.neurons.size * (_STEP + 2.0 * a.use.shape[0]))


def _typical_pull(level: Level) -> float:
    """Mean over the vertices of the weight of their nets: the scale of a move's gain."""
    total = level.weight[level.vert_net].sum() + level.weight[level.own_net].sum()
    return float(total) / max(level.neurons.size, 1) or 1.0
