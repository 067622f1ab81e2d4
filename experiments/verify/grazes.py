"""Intervals in which V turns at a hair's breadth from the threshold."""

from __future__ import annotations

import numpy as np

from experiments.verify.decide import pieces_of
from experiments.verify.draws import Intervals, draw
from experiments.verify.equations import find_equations
from simulator.model import NeuronModel

__all__ = ["construct_grazes"]

_LIFTED = 1000.0  # mV, a threshold that nothing reaches


def construct_grazes(
    model: type[NeuronModel],
    size: int,
    seed: int,
    variant: str = "",
    hairs: tuple[float, float] = (-13.0, -4.0),
) -> Intervals:
    """Random intervals whose threshold is moved to the top of V, up to a hair.

    The hair is 10^x of the size of what V is summed from, x uniform in ``hairs``; in half of the
    intervals the top is above threshold, in the others below.  Intervals in which V does not turn
    are left out: about ``size`` are returned.
    """
    made: list[Intervals] = []
    while sum(part.size for part in made) < size:
        made.append(_some(model, min(4 * size, 4000), seed + len(made), variant, hairs))
    parts = made[0] if len(made) == 1 else made[0].joined(made[1:])
    return parts.take(np.arange(size))


def _some(
    model: type[NeuronModel], size: int, seed: int, variant: str, hairs: tuple[float, float]
) -> Intervals:
    s = draw(model, size, seed, variant)
    linear = find_equations(model) is not None
    s.p["v_th"] = np.full(size, 0.0 if linear else _LIFTED)
    pieces = pieces_of(s)
    shares = np.linspace(0.0, 1.0, 24)
    if linear:
        shares = np.unique(np.r_[shares, np.geomspace(1e-4, 1.0, 100), np.linspace(0, 1, 100)])
    k = np.arange(pieces.interval.size)
    g = np.stack([pieces.value(k, pieces.length * x) for x in shares])
    # The piece with the highest sample of its interval, if that lies inside the piece.
    order = np.lexsort((-g.max(axis=0), pieces.interval))
    best = order[np.r_[True, np.diff(pieces.interval[order]) != 0]]
    at = g[:, best].argmax(axis=0)
    best, at = best[(at > 0) & (at < shares.size - 1)], at[(at > 0) & (at < shares.size - 1)]
    lo, hi = pieces.length[best] * shares[at - 1], pieces.length[best] * shares[at + 1]
    height = pieces.top(best, lo, hi) + s.p["v_th"][pieces.interval[best]]
    i = pieces.interval[best]
    sign = s.rng.choice([-1.0, 1.0], i.size)
    hair = sign * 10.0 ** s.rng.uniform(*hairs, i.size) * pieces.scale[i]
    found = s.take(i)
    found.p["v_th"] = np.asarray(height - hair, np.float64)
    start = found.n["v"] - found.n.get("theta", 0.0)
    room = 1e-3 * pieces.scale[i]
    turning = start < found.p["v_th"] - room
    if "v_reset" in found.p:
        found.p["v_reset"] = np.minimum(found.p["v_reset"], found.p["v_th"] - 1.0)
    else:
        turning &= found.p["v_th"] > room  # a subtractive reset needs a threshold above rest
    return found.take(np.flatnonzero(turning))
