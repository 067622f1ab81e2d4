"""How a network is shared out among workers, and whether that pays.

A population that sparse projections alone reach is cut into contiguous pieces, one a worker, who
owns the synapses onto its piece; all other populations stay whole, with worker 0.  Sources are
heard by every worker.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.arrays import NetworkArrays
from simulator.compile import CompiledNetwork
from simulator.distributions import Distribution
from simulator.errors import SimulationError
from simulator.network import Network, Projection
from simulator.seeds import generator
from simulator.synapses import in_rows

__all__ = ["PAYS", "Parts", "available_cores", "chosen_workers", "cut_populations", "share_out"]

Ints = npt.NDArray[np.int64]

# Two workers pay from about this many deliveries in a window on (docs/decisions/0009-workers.md).
PAYS = 50_000.0
_RATE = 5.0  # Hz, assumed of neurons whose rate is not known yet
_LONGEST = 10.0  # ms; so that an interrupt is seen and the output stays small
_SHORTEST = 1e-3  # ms; below, workers would do nothing but wait for each other


@dataclass(frozen=True)
class Parts:
    """The work of each worker.

    ``direct[w]`` and ``exchanged[w]`` are the projections that worker w feeds from its own spikes
    at once, and from the merged spikes of all workers at the end of a window of ``window`` ms.
    """

    bounds: Mapping[str, Ints]
    direct: tuple[tuple[int, ...], ...]
    exchanged: tuple[tuple[int, ...], ...]
    window: float


def chosen_workers(network: Network, workers: int | None) -> int:
    """The number of workers asked for, or the one that pays if it is None.

    Raises
    ------
    SimulationError
        When ``workers`` is no integer >= 1.
    """
    if workers is None:
        return available_cores() if _expected_load(network) >= PAYS else 1
    if isinstance(workers, bool) or not isinstance(workers, (int, np.integer)) or workers < 1:
        raise SimulationError(f"workers = {workers!r}; an integer >= 1 is needed")
    return int(workers)


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cut_populations(network: Network, workers: int) -> dict[str, Ints]:
    """First neurons of the pieces of each population that is cut, and the end."""
    entering: dict[str, list[bool]] = {}
    for proj in network.projections.values():
        entering.setdefault(proj.post.name, []).append(in_rows(proj))
    return {
        name: np.arange(workers + 1) * network.populations[name].size // workers
        for name, in_rows in entering.items()
        if workers > 1 and all(in_rows)
    }


def share_out(compiled: CompiledNetwork, workers: int) -> Parts | None:
    """Who does what; None if nothing is cut, or the smallest delay leaves no window."""
    pops = list(compiled.network.populations.values())
    cut = [pop.name in compiled.bounds for pop in pops]
    if not any(cut):
        return None
    direct: list[tuple[int, ...]] = []
    exchanged: list[tuple[int, ...]] = []
    window = _LONGEST
    for w in range(workers):
        mine, others = [], []
        for q, row in enumerate(compiled.arrays.projs):
            if q in compiled.private or (w > 0 and not cut[row.post]):
                continue
            if pops[row.pre].is_source or (w == 0 and not cut[row.pre]):
                mine.append(q)
            else:
                others.append(q)
                window = min(window, _smallest_delay(compiled.arrays, q))
        direct.append(tuple(mine))
        exchanged.append(tuple(others))
    if window < _SHORTEST:
        return None
    return Parts(compiled.bounds, tuple(direct), tuple(exchanged), window)


def _smallest_delay(net: NetworkArrays, q: int) -> float:
    row = net.projs[q]
    if not np.isnan(row.delay):
        return float(row.delay)
    n_pre = int(net.pops.hi[row.pre] - net.pops.lo[row.pre])
    n = int(net.row_ptr[row.row_at + n_pre * row.stride])
    pool = net.short_delay if row.short else net.syn_delay
    return float(pool[row.delay_at : row.delay_at + n].min())


def _expected_load(network: Network) -> float:
    """Deliveries to be expected within a window, from the description alone."""
    cut = cut_populations(network, 2)
    deliveries, window = 0.0, _LONGEST
    for proj in network.projections.values():
        if proj.post.name in cut:
            n = proj.connector.expected(proj.pre.size, proj.post.size)
            deliveries += 1e-3 * _RATE * n
            if not proj.pre.is_source:
                window = min(window, _likely_smallest(network, proj))
    return deliveries * window


def _likely_smallest(network: Network, proj: Projection) -> float:
    if isinstance(proj.delay, Distribution):
        rng = generator(network.seed, "projection", proj.name, "delays to be expected")
        return float(np.min(proj.delay.draw(rng, 1000)))
    return float(np.min(np.asarray(proj.delay, np.float64), initial=_LONGEST))
