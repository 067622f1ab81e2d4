"""What the tests of plasticity rules share: given trains on both sides of every synapse."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from encoders import SpikeTimes
from experiments.verify.reward_sums import Releases
from neurons import Concentration
from simulator import Network, PlasticityRule, explicit, one_to_one
from simulator.network import Population
from simulator.reference import Reference
from tests.simulator.jump_model import Jump

__all__ = ["TIMES", "TRAIN", "Trains", "learned", "matrix", "modulated_by", "one"]

Trains = list[list[float]]  # ms, by neuron

# Ties between arrivals and spikes are as likely as not; two spikes of a neuron are not so near that
# a delay makes them arrive at one instant.
TIMES = st.one_of(
    st.integers(0, 60).map(lambda k: 0.5 * k), st.floats(0.0, 30.0).map(lambda t: round(t, 9))
)
TRAIN = st.lists(TIMES, max_size=12, unique=True)


def learned(
    rule: PlasticityRule,
    pre: Trains,
    post: Trains,
    weights: list[list[float]],
    delays: list[list[float]],
    releases: Releases | None = None,
) -> np.ndarray:
    """Weights (pre, post) after the engine has run neurons that fire when a teacher tells them.

    A rule that feels a modulator gets ``releases``, which also say when the run ends.
    """
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
    modulator = None if releases is None else modulated_by(net, releases)
    net.projection(
        u, v, explicit(a, b), np.ravel(weights), d, rule=rule, name="u->v", modulator=modulator
    )
    engine = Reference(net)
    until = 1.0 + max([0.0, *np.concatenate([*pre, *post])]) + d.max()
    engine.run(until if releases is None else releases.end)
    times, neurons = engine.spikes("v")
    for j, train in enumerate(post):
        assert sorted(times[neurons == j]) == sorted(train)
    result = np.empty(n_pre * n_post)
    result[np.lexsort((b, d, a))] = engine.weights("u->v")
    return result.reshape(n_pre, n_post)


def modulated_by(net: Network, releases: Releases) -> Population:
    """A modulator that spikes of as many weights as there are releases reach without delay."""
    dopamine = net.population("dopamine", 1, Concentration(tau=releases.tau))
    for k, (t, amount) in enumerate(zip(releases.times, releases.amounts, strict=True)):
        source = net.population(f"release {k}", 1, SpikeTimes([t]))
        net.projection(source, dopamine, one_to_one(), amount, 0.0)
    return dopamine


def one(
    rule: PlasticityRule,
    arrivals: list[float],
    spikes: list[float],
    w: float,
    releases: Releases | None = None,
) -> float:
    """The weight of a single synapse without delay, from ``w`` on."""
    return float(learned(rule, [arrivals], [spikes], [[w]], [[0.0]], releases)[0, 0])


def matrix(
    data: st.DataObject, values: st.SearchStrategy[float], n_pre: int, n_post: int
) -> list[list[float]]:
    """Drawn numbers of shape (n_pre, n_post)."""
    row = st.lists(values, min_size=n_post, max_size=n_post)
    drawn: Any = data.draw(st.lists(row, min_size=n_pre, max_size=n_pre))
    return drawn


def _flat(trains: Trains) -> tuple[list[float], list[int]]:
    return [t for train in trains for t in train], [k for k, s in enumerate(trains) for _ in s]
