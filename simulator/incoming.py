"""Incoming synapses of learning projections: how a postsynaptic spike finds them.

Synapses are numbered along rows, where an arrival finds them side by side; every target has a list
of the numbers of the synapses into it: row in front and place in the row behind.  A number has 4
bytes where these suffice: a row itself begins where ``row_ptr`` says
(docs/decisions/0005-memory-of-synapses.md).  Synapses that wait (:mod:`simulator.waiting`) need not
be found.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from simulator.inner import register_jitable

__all__ = [
    "Incoming",
    "incoming_codes",
    "incoming_of",
    "incoming_synapse",
    "row_targets",
]

Ints = npt.NDArray[np.int64]
Targets = npt.NDArray[np.int32]
Codes = npt.NDArray[np.uint32] | npt.NDArray[np.int64]

_SHORT_BITS = 32


def incoming_codes(first: Ints, post: Targets, in_ptr: Ints) -> tuple[Codes, int]:
    """Numbers of the incoming synapses of each target, by presynaptic neuron: unsigned in 32 bits
    where they all fit, else in 64; and how many of the bits tell the place in the row.

    Parameters
    ----------
    first
        First synapse of each row, shape (rows + 1,).
    post
        Target of each synapse.
    in_ptr
        First entry of each target, shape (targets + 1,).
    """
    bits = int(np.diff(first).max(initial=1) - 1).bit_length()
    short = max(first.size - 2, 0).bit_length() + bits <= _SHORT_BITS
    kind: Any = np.uint32 if short else np.int64
    codes = np.empty(post.size, kind)
    _transpose(first, post, in_ptr[:-1].copy(), bits, codes)
    return codes, bits


def row_targets(net: Any, row: Any) -> Targets:
    """Target of every synapse of a sparse projection (a record of ``net.projs``), row after row."""
    n_pre = int(net.pops.hi[row.pre] - net.pops.lo[row.pre])
    n = int(net.row_ptr[row.row_at + n_pre * row.stride])
    targets: Targets = net.syn_post[row.post_at : row.post_at + n]
    return targets


@njit(cache=True)
def _transpose(first: Ints, post: Targets, place: Ints, bits: int, codes: Codes) -> None:
    """A counting sort; ``place[j]`` is the next entry of target j."""
    for i in range(first.size - 1):
        for s in range(first[i], first[i + 1]):
            codes[place[post[s]]] = (i << bits) | (s - first[i])
            place[post[s]] += 1


class Incoming(NamedTuple):
    """What the numbers of a projection are read with; a loop that stores weights keeps it aside."""

    at: int  # first entry
    short: int
    bits: int
    rows_at: int
    stride: int


@register_jitable(forceinline=True)
def incoming_of(net: Any, q: int) -> Incoming:
    """How to read the incoming synapses of projection q."""
    row = net.projs[q]
    return Incoming(row.in_syn_at, row.in_short, row.place_bits, row.in_rows_at, row.stride)


@register_jitable(forceinline=True)
def incoming_synapse(net: Any, of: Incoming, b: int) -> Any:
    """Presynaptic neuron and number of the synapse that entry b stands for, in its projection."""
    code = np.int64(net.in_short[of.at + b]) if of.short else net.in_long[of.at + b]
    i = code >> of.bits
    first = net.row_ptr[of.rows_at + i * of.stride]
    return i, first + (code & ((1 << of.bits) - 1))
