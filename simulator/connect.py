"""Connectors: which presynaptic neuron reaches which postsynaptic one.

A connector returns index pairs, ordered by presynaptic, then postsynaptic neuron.  All-to-all is
kept as a description (no index is stored), so that its weights are a matrix or one number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.errors import NetworkError

__all__ = [
    "Connector",
    "all_to_all",
    "explicit",
    "fixed_in_degree",
    "fixed_probability",
    "one_to_one",
]

Indices = npt.NDArray[np.int64]
Pairs = tuple[Indices, Indices]


@dataclass(frozen=True)
class Connector:
    """A way to connect two populations.

    ``pairs(n_pre, n_post, recurrent, rng)`` gives (pre, post) index arrays; ``recurrent`` tells
    that both sides are the same population.  None stands for all-to-all.
    """

    name: str
    self_connections: bool
    pairs: Callable[[int, int, bool, np.random.Generator], Pairs] | None


def all_to_all(self_connections: bool = True) -> Connector:
    """Every neuron to every neuron; without the diagonal when ``self_connections`` is False."""
    return Connector("all_to_all", self_connections, None)


def one_to_one() -> Connector:
    """Neuron i to neuron i; both populations have the same size."""

    def pairs(n_pre: int, n_post: int, recurrent: bool, rng: np.random.Generator) -> Pairs:
        if n_pre != n_post:
            raise NetworkError(f"one_to_one needs equal sizes, got {n_pre} and {n_post}")
        index = np.arange(n_pre, dtype=np.int64)
        return index, index.copy()

    return Connector("one_to_one", True, pairs)


def fixed_probability(probability: float, self_connections: bool = True) -> Connector:
    """Every pair is connected with the same probability, independently."""
    if not 0.0 <= probability <= 1.0:
        raise NetworkError(f"fixed_probability({probability}): a probability lies in [0, 1]")

    def pairs(n_pre: int, n_post: int, recurrent: bool, rng: np.random.Generator) -> Pairs:
        counts = rng.binomial(n_post, probability, n_pre)
        pre = np.repeat(np.arange(n_pre, dtype=np.int64), counts)
        post = np.concatenate(
            [np.sort(rng.choice(n_post, c, replace=False)) for c in counts] or [np.empty(0)]
        ).astype(np.int64)
        if recurrent and not self_connections:
            keep = pre != post
            pre, post = pre[keep], post[keep]
        return pre, post

    return Connector("fixed_probability", self_connections, pairs)


def fixed_in_degree(
    degree: int, self_connections: bool = True, multapses: bool = False
) -> Connector:
    """Every postsynaptic neuron gets ``degree`` presynaptic partners, drawn at random.

    With ``multapses`` a partner may be drawn more than once (NEST's default; here it is off).
    """
    if isinstance(degree, bool) or not isinstance(degree, (int, np.integer)) or degree < 0:
        raise NetworkError(f"fixed_in_degree({degree}): the degree must be an integer >= 0")

    def pairs(n_pre: int, n_post: int, recurrent: bool, rng: np.random.Generator) -> Pairs:
        no_self = recurrent and not self_connections
        available = n_pre - 1 if no_self else n_pre
        if degree > 0 and (available < 1 or (not multapses and degree > available)):
            raise NetworkError(
                f"fixed_in_degree({degree}): only {available} presynaptic neurons are available; "
                "lower the degree or allow multapses"
            )
        columns = np.empty((n_post, degree), dtype=np.int64)
        for j in range(n_post):
            chosen = (
                rng.integers(0, available, degree)
                if multapses
                else rng.choice(available, degree, replace=False)
            )
            columns[j] = chosen + (chosen >= j) if no_self else chosen
        pre = columns.ravel()
        post = np.repeat(np.arange(n_post, dtype=np.int64), degree)
        order = np.lexsort((post, pre))
        return pre[order], post[order]

    return Connector("fixed_in_degree", self_connections, pairs)


def explicit(pre: npt.ArrayLike, post: npt.ArrayLike) -> Connector:
    """The pairs (pre[k], post[k]); weight and delay arrays follow the order given here."""
    a, b = np.asarray(pre), np.asarray(post)
    if a.ndim != 1 or a.shape != b.shape:
        raise NetworkError(
            f"explicit: pre and post are two lists of one length, got {a.shape} and {b.shape}"
        )
    for name, index in (("pre", a), ("post", b)):
        if index.size and not np.issubdtype(index.dtype, np.integer):
            raise NetworkError(f"explicit: {name} holds {index.dtype}, integers are needed")

    def pairs(n_pre: int, n_post: int, recurrent: bool, rng: np.random.Generator) -> Pairs:
        for name, index, size in (("pre", a, n_pre), ("post", b, n_post)):
            wrong = np.flatnonzero((index < 0) | (index >= size))
            if wrong.size:
                k = int(wrong[0])
                raise NetworkError(
                    f"explicit: {name}[{k}] = {index[k]}; the population has neurons 0 "
                    f"to {size - 1}"
                )
        return a.astype(np.int64), b.astype(np.int64)

    return Connector("explicit", True, pairs)
