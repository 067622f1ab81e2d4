"""What the tests of plasticity rules share: given trains on both sides of every synapse."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from encoders import SpikeTimes
from simulator import Network, PlasticityRule, explicit, one_to_one
from simulator.reference import Reference
from tests.simulator.jump_model import Jump

__all__ = ["TRAIN", "Trains", "learned", "matrix", "one"]

Trains = list[list[float]]  # ms, by neuron

# Ties between arrivals and spikes are as likely as not.
TIMES = st.one_of(st.integers(0, 60).map(lambda k: 0.5 * k), st.floats(0.0, 30.0))
TRAIN = st.lists(TIMES, max_size=12, unique=True)


def learned(
    rule: PlasticityRule,
    pre: Trains,
    post: Trains,
    weights: list[list[float]],
    delays: list[list[float]],
) -> np.ndarray:
    """Weights (pre, post) after the engine has run neurons that fire when a teacher tells them."""
    n_pre, n_post = len(pre), len(post)
    net = Network()
    u, teacher = (
        net.population(name, len(trains), SpikeTimes(*_flat(trains)))
        for name, trains in (("u", pre), ("teacher", post))
    )
    v = net.population("v", n_post, Jump(v_th=1e3))
    net.projection(teacher, v, one_to_one(), weight=1e4)
    a, b = (index.ravel() for index in np.indices((n_pre, n_post)))
    d = np.ravel(delays)
    net.projection(u, v, explicit(a, b), np.ravel(weights), d, rule=rule)
    engine = Reference(net)
    engine.run(1.0 + max([0.0, *np.concatenate([*pre, *post])]) + d.max())
    times, neurons = engine.spikes("v")
    for j, train in enumerate(post):
        assert sorted(times[neurons == j]) == sorted(train)
    result = np.empty(n_pre * n_post)
    result[np.lexsort((b, d, a))] = engine.weights("u->v")
    return result.reshape(n_pre, n_post)


def one(rule: PlasticityRule, arrivals: list[float], spikes: list[float], w: float) -> float:
    """The weight of a single synapse without delay, from ``w`` on."""
    return float(learned(rule, [arrivals], [spikes], [[w]], [[0.0]])[0, 0])


def matrix(
    data: st.DataObject, values: st.SearchStrategy[float], n_pre: int, n_post: int
) -> list[list[float]]:
    """Drawn numbers of shape (n_pre, n_post)."""
    row = st.lists(values, min_size=n_post, max_size=n_post)
    drawn: Any = data.draw(st.lists(row, min_size=n_pre, max_size=n_pre))
    return drawn


def _flat(trains: Trains) -> tuple[list[float], list[int]]:
    return [t for train in trains for t in train], [k for k, s in enumerate(trains) for _ in s]
