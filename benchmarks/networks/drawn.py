"""The connections and initial potentials of a network as drawn here, for a peer to run the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from simulator import Network
from simulator.distributions import Distribution
from simulator.seeds import generator

__all__ = ["write_drawn"]


def write_drawn(net: Network, file: Path) -> None:
    """Write an npz file: ``pre->post/pre`` and ``/post`` of the sparse projections between neurons,
    ``population/v`` where the initial potential was drawn."""
    arrays: dict[str, Any] = {}
    for name, population in net.populations.items():
        initial = population.initial.get("v")
        if isinstance(initial, Distribution):
            rng = generator(net.seed, "population", name, "v")
            arrays[f"{name}/v"] = initial.draw(rng, population.size)
    for name, projection in net.projections.items():
        if projection.pre.is_source or projection.connector.rows is None:
            continue
        rng = generator(net.seed, "projection", name, "connect")
        sizes = projection.pre.size, projection.post.size
        rows = projection.connector.rows(*sizes, projection.pre is projection.post, rng)
        arrays[f"{name}/pre"] = np.repeat(np.arange(sizes[0], dtype=np.int32), np.diff(rows.first))
        arrays[f"{name}/post"] = rows.post
    np.savez(file, **arrays)
