"""Mt-KaHyPar, a peer (the package `mtkahypar`): connectivity metric, then made to fit.

References
----------
L. Gottesbüren et al., Scalable high-quality hypergraph partitioning, ACM Transactions on
Algorithms 20(1), 2024.
"""

from __future__ import annotations

import numpy as np

from mapping.graph import IntArray
from mapping.partition._peers import check_free, expanded_nets, legal, scaled
from mapping.partition._problem import Problem
from simulator.errors import MappingError

__all__ = ["assign"]

_PRESETS = ("DEFAULT", "QUALITY", "HIGHEST_QUALITY", "DETERMINISTIC")


def assign(
    problem: Problem, *, seed: int = 0, preset: str = "DETERMINISTIC", threads: int = 1
) -> IntArray:
    """Slot of each vertex.

    Parameters
    ----------
    problem : Problem
        Populations must be free to mix; only neurons per core are known to the peer, the other
        capacities are enforced on its answer.
    seed : int
    preset : str
        DEFAULT, QUALITY, HIGHEST_QUALITY, or DETERMINISTIC: the only one whose result the seed
        fixes.
    threads : int

    Raises
    ------
    MappingError
        The package is not installed, the preset is unknown, or populations may not mix.
    CapacityError
        Its answer could not be made to fit.
    """
    if preset not in _PRESETS:
        raise MappingError(f"mtkahypar has no preset {preset!r}; it has {', '.join(_PRESETS)}")
    try:
        import mtkahypar
    except ImportError as error:
        raise MappingError(
            "partition method 'mtkahypar' needs the package mtkahypar: pip install mtkahypar"
        ) from error
    check_free(problem)
    level = problem.level
    start, pins = expanded_nets(problem, "mtkahypar")
    nets, weights = [], []
    for e, weight in enumerate(scaled(level.weight)):
        ends = np.unique(np.append(pins[start[e] : start[e + 1]], level.source[e]))
        ends = ends[ends >= 0]
        if ends.size > 1 and weight > 0:
            nets.append(ends.tolist())
            weights.append(int(weight))
    if not nets:
        return legal(problem, np.arange(problem.n_vertices) % problem.n_slots, seed)
    engine = mtkahypar.initialize(threads)
    context = engine.context_from_preset(getattr(mtkahypar.PresetType, preset))
    most = int(problem.limits.capacity[:, 0].max()) * problem.n_slots
    total = int(level.neurons.sum())
    epsilon = max(min(most / total - 1.0, 0.1), 0.0)
    context.set_partitioning_parameters(problem.n_slots, epsilon, mtkahypar.Objective.KM1)
    context.logging = False
    mtkahypar.set_seed(seed)
    hypergraph = engine.create_hypergraph(
        context, problem.n_vertices, len(nets), nets, level.neurons.tolist(), weights
    )
    found = hypergraph.partition(context)
    core_of = np.array([found.block_id(v) for v in range(problem.n_vertices)], dtype=np.int64)
    return legal(problem, core_of, seed)
