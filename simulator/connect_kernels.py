"""Kernels of the connectors: choosing partners and laying them out, a block of drawn numbers at a
time.

A row belongs to a presynaptic neuron; ``first[i]`` is its first synapse.  Uniform numbers u of 53
bits are scaled to an index as floor(u * n), which is below n for every n < 2**53.
"""

from __future__ import annotations

from math import floor

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["choose", "cut_rows", "lay_out", "skip"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Targets = npt.NDArray[np.int32]


@njit(cache=True)
def choose(
    u: Floats,
    owner: int,
    degree: int,
    available: int,
    not_oneself: bool,
    multapses: bool,
    stamp: Targets,
    chosen: Targets,
) -> None:
    """``degree`` partners out of ``available`` for the owners from number ``owner`` on.

    Without multapses every subset is equally likely (R. W. Floyd's algorithm, Commun. ACM 30,
    1987, 754-757): one number and one look at ``stamp`` a partner.
    """
    for k in range(u.size):
        mine = owner + k // degree
        if multapses:
            partner = int(u[k] * available)
        else:
            last = available - degree + k % degree
            partner = int(u[k] * (last + 1))
            if stamp[partner] == mine:
                partner = last
            stamp[partner] = mine
        chosen[k] = partner + 1 if not_oneself and partner >= mine else partner


@njit(cache=True)
def lay_out(chosen: Targets, owner: int, degree: int, place: Ints, post: Targets) -> None:
    """Append each postsynaptic owner to the rows of the presynaptic neurons it has chosen.

    ``place[i]`` is the next free place of row i; owners come in order, so the rows are sorted.
    """
    for k in range(chosen.size):
        i = chosen[k]
        post[place[i]] = owner + k // degree
        place[i] += 1


@njit(cache=True)
def skip(
    gaps: Floats,
    rate: float,
    at: Ints,
    n_pre: int,
    n_post: int,
    no_self: bool,
    counts: Ints,
    post: Targets,
) -> None:
    """Walk through the matrix of pairs from one connected pair to the next.

    The gaps are exponential of mean 1; divided by ``rate`` = -log(1 - p) and rounded down they
    are geometric, as the gaps between successes of probability p.  ``at`` holds the pair reached
    (pre, post) and the number of synapses; at the end pre is ``n_pre``.  ``post`` is filled if it
    has any room, else the synapses are only counted.
    """
    i, j, n = at
    fill = post.size > 0
    for gap in gaps:
        steps = floor(gap / rate)
        if steps >= float(n_pre - i) * n_post:
            i = n_pre
            break
        j += int(steps)
        while j >= n_post:
            j -= n_post
            i += 1
        if i >= n_pre:
            break
        if not (no_self and i == j):
            if fill:
                post[n] = j
            else:
                counts[i] += 1
            n += 1
        j += 1
    at[0], at[1], at[2] = i, j, n


@njit(cache=True)
def cut_rows(first: Ints, post: Targets, piece_of: Targets, n: int, pieces: Ints) -> None:
    """First synapses of the ``n`` pieces of each row; target j belongs to piece ``piece_of[j]``.

    ``pieces`` has an entry a piece and one past the last; rows are sorted by piece already.
    """
    for i in range(first.size - 1):
        s = first[i]
        for w in range(n):
            pieces[i * n + w] = s
            while s < first[i + 1] and piece_of[post[s]] == w:
                s += 1
    pieces[-1] = first[-1]
