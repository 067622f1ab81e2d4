"""METIS, a peer (the package `pymetis`): communication volume of the graph, then made to fit.

METIS partitions undirected graphs. Its volume counts, for each vertex, the parts that hold a
neighbour in either direction, which is the connectivity metric when every connection is mutual.

References
----------
G. Karypis, V. Kumar, A fast and high quality multilevel scheme for partitioning irregular
graphs, SIAM J. Scientific Computing 20(1), 1998.
"""

from __future__ import annotations

import numpy as np

from mapping.graph import IntArray
from mapping.partition._peers import check_free, expanded_nets, legal, scaled
from mapping.partition._problem import Problem
from simulator.errors import MappingError
from simulator.ragged import row_starts

__all__ = ["assign"]


def assign(problem: Problem, *, seed: int = 0, tries: int = 4) -> IntArray:
    """Slot of each vertex.

    Parameters
    ----------
    problem : Problem
        Populations must be free to mix; only neurons per core are known to the peer, the other
        capacities are enforced on its answer.
    seed : int
    tries : int
        Partitions that METIS makes, >= 1; it keeps the best.

    Raises
    ------
    MappingError
        The package is not installed, or populations may not mix.
    CapacityError
        Its answer could not be made to fit.
    """
    if isinstance(tries, bool) or not isinstance(tries, int | np.integer) or tries < 1:
        raise MappingError(f"tries = {tries!r}; it must be an integer >= 1")
    try:
        import pymetis
    except ImportError as error:
        raise MappingError(
            "partition method 'metis' needs the package pymetis: pip install pymetis"
        ) from error
    check_free(problem)
    level, n = problem.level, problem.n_vertices
    start, pins = expanded_nets(problem, "metis")
    source = np.repeat(level.source.astype(np.int64), np.diff(start))
    weight = np.repeat(scaled(level.weight) + 1, np.diff(start))
    real = (source >= 0) & (source != pins)
    ends = np.concatenate((source[real] * n + pins[real], pins[real] * n + source[real]))
    pairs, index = np.unique(ends, return_inverse=True)
    weights = np.bincount(index, weights=np.tile(weight[real], 2)).astype(np.int64)
    row, neighbour = np.divmod(pairs, n)
    row_start = row_starts(np.bincount(row, minlength=n))
    if problem.n_slots == 1 or pairs.size == 0:
        return legal(problem, np.arange(n) % problem.n_slots, seed)
    _, parts = pymetis.part_graph(
        problem.n_slots,
        pymetis.CSRAdjacency(row_start.tolist(), neighbour.tolist()),
        vweights=level.neurons.tolist(),
        eweights=weights.tolist(),
        recursive=False,
        options=pymetis.Options(seed=seed, ncuts=int(tries), ufactor=1, contig=False),
    )
    return legal(problem, np.asarray(parts, dtype=np.int64), seed)
