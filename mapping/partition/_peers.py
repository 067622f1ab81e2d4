"""What the peers share: nets as plain lists, and their answer made to fit the capacities."""

from __future__ import annotations

import numpy as np

from mapping.graph import NO_BLOCK, IntArray
from mapping.partition._anneal import anneal, overflow
from mapping.partition._base import CapacityError
from mapping.partition._chains import legalise
from mapping.partition._level import assign as count
from mapping.partition._problem import Problem
from simulator.errors import MappingError
from simulator.ragged import row_starts

__all__ = ["check_free", "expanded_nets", "legal", "scaled"]

_MOST_PINS = 50_000_000
_SWEEPS = 8


def check_free(problem: Problem) -> None:
    """A peer knows nothing but neurons per core.

    Raises
    ------
    MappingError
        Populations are pinned, or must not share a core.
    """
    if np.unique(problem.level.group).size > 1 or not problem.limits.allowed.all():
        raise MappingError(
            "this partition method knows neither pinning nor populations that must not share a "
            "core; pass mix_populations=True without pinned, or take method='multilevel'"
        )


def expanded_nets(problem: Problem, method: str) -> tuple[IntArray, IntArray]:
    """Start and targets of every net, all-to-all projections written out.

    Raises
    ------
    MappingError
        They would take more than 50 million entries.
    """
    level, limits = problem.level, problem.limits
    net_start, pins = level.net_start, level.net_pin.astype(np.int64)
    if not limits.any_block:
        return net_start, pins
    sizes = limits.sizes
    extra = int(((limits.blocks != NO_BLOCK) * sizes[:, None] * sizes[None, :]).sum())
    if extra + pins.size > _MOST_PINS:
        raise MappingError(
            f"partition method {method!r}: the all-to-all projections have {extra:,} pairs of "
            "neurons, too many to write out; method='multilevel' does without"
        )
    offsets = row_starts(sizes)
    rows = []
    for neuron in range(problem.n_vertices):
        posts = np.flatnonzero(limits.blocks[level.population[neuron]] != NO_BLOCK)
        rows.append(
            np.concatenate(
                [
                    pins[net_start[neuron] : net_start[neuron + 1]],
                    *(np.arange(offsets[post], offsets[post + 1]) for post in posts),
                ]
            )
        )
    start = row_starts(row.size for row in rows)
    return start, np.concatenate(rows)


def scaled(weight: np.typing.NDArray[np.float64]) -> IntArray:
    """Weights as integers of at most a million, for programs that take nothing else."""
    largest = float(weight.max(initial=0.0))
    if largest <= 1e6 and np.array_equal(weight, np.floor(weight)):
        return weight.astype(np.int64)
    return np.rint(weight * (1e6 / largest)).astype(np.int64)


def legal(problem: Problem, core_of: IntArray, seed: int) -> IntArray:
    """The assignment made to fit by the cheapest moves, and improved by a few sweeps of descent.

    Raises
    ------
    CapacityError
        The moves did not lead to one that fits.
    """
    level, limits = problem.level, problem.limits
    proposal = core_of.astype(np.int32)
    a = count(level, limits, proposal)
    legalise(level, limits, a, limits.capacity)
    if overflow(a, limits.capacity):
        raise CapacityError(
            f"{problem.machine}: the partition could not be made to fit the capacities; "
            "a larger machine or method='multilevel' would do",
            "cores",
            problem.n_slots + 1,
            problem.n_slots,
        )
    best = np.empty(problem.n_vertices, dtype=np.int32)
    anneal(
        level, limits, a, limits.capacity, np.zeros(_SWEEPS), 16, np.random.default_rng(seed), best
    )
    return best.astype(np.int64)
