"""Naming the loop when spikes travel round without delay for ever."""

from __future__ import annotations

import numpy as np

from simulator.network import Network, Projection

__all__ = ["describe_loop"]


def describe_loop(network: Network, culprit: str, time_ms: float) -> str:
    """The sentence for a zero-delay loop through the population ``culprit``."""
    loop = _shortest_loop(network, culprit)
    route = " -> ".join(repr(p.name) for p in loop) if loop else f"population {culprit!r}"
    return (
        f"at {time_ms} ms spikes keep travelling without delay and never stop: {route}. "
        "Give one of these projections a delay > 0, or the neurons a refractory period"
    )


def _shortest_loop(network: Network, start: str) -> list[Projection]:
    """Projections with a zero delay that lead from a population back to itself."""
    zero = [p for p in network.projections.values() if _has_zero_delay(p)]
    paths: list[list[Projection]] = [[p] for p in zero if p.pre.name == start]
    seen = {start}
    while paths:
        path = paths.pop(0)
        end = path[-1].post.name
        if end == start:
            return path
        if end not in seen:
            seen.add(end)
            paths += [[*path, p] for p in zero if p.pre.name == end]
    return []


def _has_zero_delay(projection: Projection) -> bool:
    delay = projection.delay
    if isinstance(delay, (int, float)):
        return delay == 0.0
    return not hasattr(delay, "draw") and bool(np.any(np.asarray(delay) == 0.0))
