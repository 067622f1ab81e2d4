"""Connectors: which presynaptic neuron reaches which postsynaptic one.

A connector gives rows of targets, by presynaptic, then postsynaptic neuron, and draws from the
stream of its projection alone.  Numbers are drawn twice from the same place of the stream, first to
count, then to fill, so that nothing beside the result is held in memory.  All-to-all is kept as a
description (no index is stored), so that its weights are a matrix or one number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf, log1p
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.connect_kernels import choose, lay_out, skip
from simulator.errors import NetworkError
from simulator.ragged import row_starts

__all__ = [
    "Connector",
    "Rows",
    "all_to_all",
    "explicit",
    "fixed_in_degree",
    "fixed_out_degree",
    "fixed_probability",
    "fixed_total_number",
    "one_to_one",
]

Indices = npt.NDArray[np.int64]
Targets = npt.NDArray[np.int32]

_BLOCK = 1 << 18  # random numbers held at a time


class Rows(NamedTuple):
    """Synapses by presynaptic neuron, then target."""

    first: Indices  # (n_pre + 1,) first synapse of each row
    post: Targets  # (n_synapses,)
    order: Indices | None = None  # place of each synapse in the list given, None if they agree


@dataclass(frozen=True)
class Connector:
    """A way to connect two populations.

    ``rows(n_pre, n_post, recurrent, rng)`` gives the synapses; ``recurrent`` tells that both
    sides are the same population.  None stands for all-to-all.  ``expected(n_pre, n_post)`` is
    about how many there will be.
    """

    name: str
    self_connections: bool
    rows: Callable[[int, int, bool, np.random.Generator], Rows] | None
    expected: Callable[[int, int], float]


def all_to_all(self_connections: bool = True) -> Connector:
    """Every neuron to every neuron; without the diagonal when ``self_connections`` is False."""
    return Connector("all_to_all", self_connections, None, lambda n_pre, n_post: n_pre * n_post)


def one_to_one() -> Connector:
    """Neuron i to neuron i; both populations have the same size."""

    def rows(n_pre: int, n_post: int, recurrent: bool, rng: np.random.Generator) -> Rows:
        if n_pre != n_post:
            raise NetworkError(f"one_to_one needs equal sizes, got {n_pre} and {n_post}")
        return Rows(np.arange(n_pre + 1, dtype=np.int64), np.arange(n_pre, dtype=np.int32))

    return Connector("one_to_one", True, rows, lambda n_pre, n_post: n_pre)


def fixed_probability(probability: float, self_connections: bool = True) -> Connector:
    """Every pair is connected with the same probability, independently."""
    if not 0.0 <= probability <= 1.0:
        raise NetworkError(f"fixed_probability({probability}): a probability lies in [0, 1]")

    def rows(n_pre: int, n_post: int, recurrent: bool, rng: np.random.Generator) -> Rows:
        no_self = recurrent and not self_connections
        rate = inf if probability == 1.0 else -log1p(-probability)
        counts = np.zeros(n_pre, np.int64)
        nowhere = np.empty(0, np.int32)
        if rate == 0.0:
            return Rows(np.zeros(n_pre + 1, np.int64), nowhere)
        start = rng.bit_generator.state
        post = nowhere
        for _ in ("count", "fill"):
            rng.bit_generator.state = start
            at = np.zeros(3, np.int64)
            while at[0] < n_pre:
                expected = probability * float(n_pre - at[0]) * n_post
                gaps = rng.standard_exponential(int(min(_BLOCK, expected + 64.0)))
                skip(gaps, rate, at, n_pre, n_post, no_self, counts, post)
            if at[2] == 0:
                break
            if post.size == 0:
                post = np.empty(at[2], np.int32)
        return Rows(row_starts(counts), post)

    return Connector("fixed_probability", self_connections, rows, lambda a, b: probability * a * b)


def fixed_in_degree(
    degree: int, self_connections: bool = True, multapses: bool = False
) -> Connector:
    """Every postsynaptic neuron gets ``degree`` presynaptic partners, drawn at random.

    With ``multapses`` a partner may be drawn more than once (NEST's default; here it is off).
    """
    name = f"fixed_in_degree({degree})"
    _check_number(name, "degree", degree)

    def rows(n_pre: int, n_post: int, recurrent: bool, rng: np.random.Generator) -> Rows:
        no_self = recurrent and not self_connections
        available = n_pre - no_self
        _check_available(name, degree, available, multapses, "presynaptic neurons")
        start = rng.bit_generator.state
        out_degrees = np.zeros(n_pre, np.int64)
        for _, _, chosen in _chosen(rng, n_post, degree, available, no_self, multapses):
            out_degrees += np.bincount(chosen, minlength=n_pre)
        first = row_starts(out_degrees)
        post, place = np.empty(first[-1], np.int32), first[:-1].copy()
        rng.bit_generator.state = start
        for lo, _, chosen in _chosen(rng, n_post, degree, available, no_self, multapses):
            lay_out(chosen, lo, degree, place, post)
        return Rows(first, post)

    return Connector("fixed_in_degree", self_connections, rows, lambda a, b: degree * b)


def fixed_out_degree(
    degree: int, self_connections: bool = True, multapses: bool = False
) -> Connector:
    """Every presynaptic neuron gets ``degree`` postsynaptic partners, drawn at random."""
    name = f"fixed_out_degree({degree})"
    _check_number(name, "degree", degree)

    def rows(n_pre: int, n_post: int, recurrent: bool, rng: np.random.Generator) -> Rows:
        no_self = recurrent and not self_connections
        available = n_post - no_self
        _check_available(name, degree, available, multapses, "postsynaptic neurons")
        first = np.arange(n_pre + 1, dtype=np.int64) * degree
        post = np.empty(first[-1], np.int32)
        for lo, hi, chosen in _chosen(rng, n_pre, degree, available, no_self, multapses):
            post[first[lo] : first[hi]] = np.sort(chosen.reshape(hi - lo, degree)).ravel()
        return Rows(first, post)

    return Connector("fixed_out_degree", self_connections, rows, lambda a, b: degree * a)


def fixed_total_number(
    number: int, self_connections: bool = True, multapses: bool = False
) -> Connector:
    """``number`` synapses between pairs drawn at random.

    With ``multapses`` a pair may be drawn more than once (NEST's default; here it is off).
    """
    name = f"fixed_total_number({number})"
    _check_number(name, "number", number)

    def rows(n_pre: int, n_post: int, recurrent: bool, rng: np.random.Generator) -> Rows:
        no_self = recurrent and not self_connections
        available = n_post - no_self
        _check_available(name, number, n_pre * available, multapses, "pairs of neurons")
        if multapses:
            pairs = np.sort(rng.integers(0, max(n_pre * available, 1), number))
        else:
            pairs = _distinct(rng, number, n_pre * available)
        pre, post = np.divmod(pairs, max(available, 1))
        if no_self:
            post += post >= pre
        return Rows(row_starts(np.bincount(pre, minlength=n_pre)), post.astype(np.int32))

    return Connector("fixed_total_number", self_connections, rows, lambda a, b: number)


def explicit(pre: npt.ArrayLike, post: npt.ArrayLike) -> Connector:
    """The pairs (pre[k], post[k]); weight and delay arrays follow the order given here."""
    a, b = np.array(pre), np.array(post)  # copies: they are read when the network is compiled
    if a.ndim != 1 or a.shape != b.shape:
        raise NetworkError(
            f"explicit: pre and post are two lists of one length, got {a.shape} and {b.shape}"
        )
    for name, index in (("pre", a), ("post", b)):
        if index.size and not np.issubdtype(index.dtype, np.integer):
            raise NetworkError(f"explicit: {name} holds {index.dtype}, integers are needed")

    def rows(n_pre: int, n_post: int, recurrent: bool, rng: np.random.Generator) -> Rows:
        for name, index, size in (("pre", a, n_pre), ("post", b, n_post)):
            wrong = np.flatnonzero((index < 0) | (index >= size))
            if wrong.size:
                k = int(wrong[0])
                raise NetworkError(
                    f"explicit: {name}[{k}] = {index[k]}; the population has neurons 0 "
                    f"to {size - 1}"
                )
        first = row_starts(np.bincount(a.astype(np.int64), minlength=n_pre))
        same_row = a[1:] == a[:-1]
        if np.all((a[1:] > a[:-1]) | (same_row & (b[1:] >= b[:-1]))):
            return Rows(first, b.astype(np.int32))
        order = np.lexsort((b, a))
        return Rows(first, b[order].astype(np.int32), order)

    return Connector("explicit", True, rows, lambda n_pre, n_post: a.size)


def _distinct(rng: np.random.Generator, number: int, total: int) -> Indices:
    """``number`` of the integers below ``total``, sorted; every subset is equally likely."""
    if 2 * number > total:
        kept = np.ones(total, np.bool_)
        kept[_distinct(rng, total - number, total)] = False
        return np.flatnonzero(kept)
    drawn = np.empty(0, np.int64)
    while drawn.size < number:  # never too many, so that none drawn is thrown away
        drawn = np.unique(np.append(drawn, rng.integers(0, total, number - drawn.size)))
    return drawn


def _chosen(
    rng: np.random.Generator,
    n_owners: int,
    degree: int,
    available: int,
    no_self: bool,
    multapses: bool,
) -> Iterator[tuple[int, int, Targets]]:
    """``degree`` partners of each owner, by blocks of owners: (first, one past the last, all)."""
    stamp = np.full(max(available, 1), -1, np.int32)
    step = max(1, _BLOCK // max(degree, 1))
    for lo in range(0, n_owners, step):
        hi = min(lo + step, n_owners)
        u = rng.random((hi - lo) * degree)
        chosen = np.empty(u.size, np.int32)
        choose(u, lo, degree, available, no_self, multapses, stamp, chosen)
        yield lo, hi, chosen


def _check_number(where: str, what: str, number: int) -> None:
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 0:
        raise NetworkError(f"{where}: the {what} must be an integer >= 0")


def _check_available(
    where: str, number: int, available: int, multapses: bool, partners: str
) -> None:
    if number > 0 and (available < 1 or (not multapses and number > available)):
        raise NetworkError(
            f"{where}: only {available} {partners} are available; ask for fewer or allow multapses"
        )
