"""What a placement is made for: packets x hops, the heaviest link, energy, or a weighted sum."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.errors import MappingError

__all__ = ["TERMS", "objective_weights"]

TERMS = ("packet_hops", "max_link_load", "energy")


def objective_weights(objective: str | Mapping[str, float]) -> dict[str, float]:
    """Weight of every term, in the order of `TERMS`, zeros left out.

    Parameters
    ----------
    objective : str or mapping
        A term, or a weight >= 0 for each of some terms. Their units differ (packets x hops,
        packets, pJ), so a weight says how much of its term outweighs a unit of the others.

    Raises
    ------
    MappingError
        An unknown term, a weight that is not finite and >= 0, or none above 0.
    """
    if isinstance(objective, str):
        objective = {objective: 1.0}
    if not isinstance(objective, Mapping):
        raise MappingError(
            f"objective = {objective!r}; expected a name or a name -> weight mapping"
        )
    weights: dict[str, float] = {}
    for name, given in objective.items():
        if name not in TERMS:
            raise MappingError(f"unknown objective {name!r}; there are {', '.join(TERMS)}")
        try:
            weight = -1.0 if isinstance(given, bool | np.bool_) else float(given)
        except (TypeError, ValueError):
            weight = -1.0
        if not (np.isfinite(weight) and weight >= 0):
            raise MappingError(f"objective {name!r}: weight {given!r}; it must be finite and >= 0")
        weights[name] = weight
    if not any(weights.values()):
        raise MappingError("objective: no term has a weight above 0")
    return {name: weights[name] for name in TERMS if weights.get(name, 0.0) > 0}
