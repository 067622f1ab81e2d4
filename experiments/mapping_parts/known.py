"""Placement of problems with a known best cost, from several seeds, in a given time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from experiments.experiment import Context
from experiments.mapping_parts.problems import Instance, planted_grid, qaplib_instance
from simulator.errors import MappingError

if TYPE_CHECKING:
    from experiments.mapping import Config

__all__ = ["place_known"]


def place_known(config: Config, context: Context) -> Mapping[str, object]:
    """Place one instance by each method from `seeds` seeds; cost and CPU time of every try."""
    from mapping import degree_bound, place, placement_names

    names = config.placements or tuple(placement_names())
    first = _instance(config, context, context.seed)
    for name in names:
        place(first.traffic, first.mesh, name, seed=context.seed)  # compiles
    found: dict[str, object] = {}
    lines = []
    few = config.other_seeds or config.seeds
    tries = {name: config.seeds if name == "auto" else few for name in names}
    with context.progress("placements", sum(tries.values())) as bar:
        for name in names:
            costs, seconds = [], []
            for seed in range(context.seed, context.seed + tries[name]):
                instance = _instance(config, context, seed)
                start = time.process_time()
                placed = place(instance.traffic, instance.mesh, name, seed=seed)
                seconds.append(time.process_time() - start)
                costs.append(int(placed.cost))
                bar.advance()
            if min(costs) < first.best and config.study == "planted":
                raise MappingError(f"{name} beats the optimum {first.best} with {min(costs)}")
            bar.note(name)
            found[name] = {"costs": costs, "cpu_s": seconds}
            best = sum(cost <= first.best for cost in costs)
            excess = np.mean(costs) / first.best - 1.0
            lines.append(
                (name, f"{best} of {len(costs)}", f"{excess:.2%}", f"{np.mean(seconds):.2f}")
            )
    context.table(
        f"{config.instance if config.study == 'qaplib' else f'side {config.side}'}: best known "
        f"{first.best:,}",
        ("placement", "at the best", "mean above it", "CPU s"),
        lines,
    )
    return {
        "best": first.best,
        "cores": first.traffic.n_cores,
        "mesh": str(first.mesh),
        "packets": first.traffic.n_packets,
        "degree_bound": degree_bound(first.traffic, first.mesh),
        "placements": found,
    }


def _instance(config: Config, context: Context, seed: int) -> Instance:
    if config.study == "planted":
        return planted_grid(config.side, seed, torus=config.torus)
    return qaplib_instance(config.instance, context.data_dir)
