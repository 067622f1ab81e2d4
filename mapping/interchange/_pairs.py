"""Which unit of one layer reaches which of the next: pair lists of the layers of a network.

A layer is described by its pattern of weights that are not zero, as (pre, post) pairs of flat
indices (C order). Values do not matter: a pattern says where synapses are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.ragged import entries_of

__all__ = ["Pairs", "composed", "convolution", "dense", "elementwise", "pooling"]

IntArray = NDArray[np.int64]


class Pairs(NamedTuple):
    """Distinct pairs of flat indices, and the shape of what they lead to."""

    pre: IntArray
    post: IntArray
    shape: tuple[int, ...]


def elementwise(shape: tuple[int, ...], keep: NDArray[np.bool_] | None = None) -> Pairs:
    """Every unit to itself, or those where `keep` is true."""
    index = np.arange(int(np.prod(shape)), dtype=np.int64)
    if keep is not None:
        index = index[np.broadcast_to(keep, shape).ravel()]
    return Pairs(index, index, shape)


def dense(weight: NDArray[np.float64]) -> Pairs:
    """A matrix (n_post, n_pre), or a stack of them, each on its own row of units."""
    *stack, n_post, n_pre = weight.shape
    entry = np.nonzero(weight.reshape(-1, n_post, n_pre))
    block, post, pre = (index.astype(np.int64) for index in entry)
    return Pairs(block * n_pre + pre, block * n_post + post, (*stack, n_post))


def convolution(
    weight: NDArray[np.float64],
    shape: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
    groups: int,
) -> Pairs:
    """Cross-correlation in any number of dimensions, as deep-learning frameworks define it.

    Parameters
    ----------
    weight : array, shape (c_out, c_in // groups, *kernel)
    shape : tuple
        (c_in, *space) of the input.
    padding : tuple of (before, after), one per dimension of space
    """
    c_out, c_in_group = weight.shape[:2]
    kernel, space = weight.shape[2:], shape[1:]
    out_space = tuple(
        (n + before + after - d * (k - 1) - 1) // s + 1
        for n, (before, after), d, k, s in zip(
            space, padding, dilation, kernel, stride, strict=True
        )
    )
    pres, posts = [], []
    # One tap of the kernel at a time: where it lands for every position of the output.
    for tap in np.ndindex(*kernel):
        landing, inside = [], []
        for axis, offset in enumerate(tap):
            at = np.arange(out_space[axis]) * stride[axis] - padding[axis][0]
            at = at + offset * dilation[axis]
            fits = (at >= 0) & (at < space[axis])
            landing.append(at[fits])
            inside.append(np.flatnonzero(fits))
        if any(index.size == 0 for index in landing):
            continue
        at_pre = np.ravel_multi_index(np.meshgrid(*landing, indexing="ij"), space).ravel()
        at_post = np.ravel_multi_index(np.meshgrid(*inside, indexing="ij"), out_space).ravel()
        out, within = np.nonzero(weight[(slice(None), slice(None), *tap)])
        channel = out // (c_out // groups) * c_in_group + within
        pres.append(np.add.outer(channel * int(np.prod(space)), at_pre).ravel())
        posts.append(np.add.outer(out * int(np.prod(out_space)), at_post).ravel())
    nothing = np.empty(0, dtype=np.int64)
    return Pairs(
        np.concatenate([nothing, *pres]), np.concatenate([nothing, *posts]), (c_out, *out_space)
    )


def pooling(
    shape: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
) -> Pairs:
    """A pool of every channel on its own: a convolution with all weights one."""
    channels = shape[0]
    ones = np.ones((channels, 1, *kernel))
    return convolution(ones, shape, stride, padding, (1,) * len(kernel), channels)


def composed(first: Pairs, then: Pairs, n_middle: int, n_post: int) -> Pairs:
    """Pairs (a, c) with (a, b) in `first` and (b, c) in `then` for some b, each once.

    Patterns are composed, not values: weights that cancel on two ways leave the synapse there.
    """
    order = np.argsort(then.pre, kind="stable")
    start = np.searchsorted(then.pre[order], np.arange(n_middle + 1))
    which, entry = entries_of(start, first.post)
    key = np.unique(first.pre[which] * n_post + then.post[order][entry])
    return Pairs(key // n_post, key % n_post, then.shape)
