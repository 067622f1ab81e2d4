"""Incoming synapses of learning projections: how rows and targets find each other's synapses.

An arrival goes along a row, a postsynaptic spike through the synapses into its neuron, and one of
the two has to be told where the values are that the other finds side by side.  Where all delays of
a projection are equal, synapses are numbered along rows, and every target has a list of numbers:
row in front and place in the row behind, because the traces belong to the presynaptic neurons.
Where they differ, every synapse has traces of its own, and weights, variables and traces lie in
*columns*, target by target: a spike finds them side by side, and a row has a list of numbers,
target in front and place in the column behind, which take the place of the targets.  A number has
4 bytes where these suffice: a row or column itself begins where ``row_ptr`` or ``in_ptr`` says
(docs/decisions/0005-memory-of-synapses.md).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from simulator.inner import register_jitable
from simulator.ragged import row_starts

__all__ = [
    "Columns",
    "Incoming",
    "columns_of",
    "in_columns",
    "incoming_codes",
    "incoming_of",
    "incoming_synapse",
    "row_synapse",
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
    codes, bits = _empty_codes(first, post.size)
    _transpose(first, post, in_ptr[:-1].copy(), bits, codes)
    return codes, bits


class Columns(NamedTuple):
    """A projection whose synapses are numbered by target, then presynaptic neuron, then delay."""

    in_ptr: Ints  # (targets + 1,) first synapse of each target
    codes: Codes  # (synapses,) in the order of rows: target in front, place in its column behind
    bits: int  # of the place


def columns_of(post: Targets, n_post: int) -> Columns:
    """Number the synapses of rows by target; ``post`` is the target of each, row after row."""
    in_ptr = row_starts(np.bincount(post, minlength=n_post))
    codes, bits = _empty_codes(in_ptr, post.size)
    _name_targets(post, np.zeros(n_post, np.int64), bits, codes)
    return Columns(in_ptr, codes, bits)


def in_columns(columns: Columns, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Values by synapse, in the order of rows, as they lie in columns."""
    result = np.empty_like(values)
    _to_columns(values, columns.in_ptr, columns.codes, columns.bits, result)
    return result


def row_targets(net: Any, row: Any) -> Targets:
    """Target of every synapse of a sparse projection (a record of ``net.projs``), row after row."""
    n_pre = int(net.pops.hi[row.pre] - net.pops.lo[row.pre])
    n = int(net.row_ptr[row.row_at + n_pre * row.stride])
    if not row.columns:
        targets: Targets = net.syn_post[row.post_at : row.post_at + n]
        return targets
    if row.in_short:
        codes = net.syn_post[row.post_at : row.post_at + n].view(np.uint32)
    else:
        codes = net.in_long[row.in_syn_at : row.in_syn_at + n]
    found: Targets = (codes >> codes.dtype.type(row.place_bits)).astype(np.int32)
    return found


def _empty_codes(first: Ints, n: int) -> tuple[Codes, int]:
    """Room for ``n`` numbers of groups that begin at ``first`` and places in them; the bits of a
    place."""
    bits = int(np.diff(first).max(initial=1) - 1).bit_length()
    last = max(first.size - 2, 0)
    short = last.bit_length() + bits <= _SHORT_BITS
    kind: Any = np.uint32 if short else np.int64
    return np.empty(n, kind), bits


@njit(cache=True)
def _transpose(first: Ints, post: Targets, place: Ints, bits: int, codes: Codes) -> None:
    """A counting sort; ``place[j]`` is the next entry of target j."""
    for i in range(first.size - 1):
        for s in range(first[i], first[i + 1]):
            codes[place[post[s]]] = (i << bits) | (s - first[i])
            place[post[s]] += 1


@njit(cache=True)
def _name_targets(post: Targets, used: Ints, bits: int, codes: Codes) -> None:
    for s in range(post.size):
        j = np.int64(post[s])
        codes[s] = (j << bits) | used[j]
        used[j] += 1


@njit(cache=True)
def _to_columns(values: Any, in_ptr: Ints, codes: Codes, bits: int, result: Any) -> None:
    for s in range(values.size):
        code = np.int64(codes[s])
        result[in_ptr[code >> bits] + (code & ((1 << bits) - 1))] = values[s]


class Incoming(NamedTuple):
    """What the numbers of a projection are read with; a loop that stores weights keeps it aside."""

    at: int  # first entry
    short: int
    bits: int
    rows_at: int
    stride: int


@register_jitable(forceinline=True)
def incoming_of(net: Any, q: int) -> Incoming:
    """How to read the incoming synapses of projection q, which is not in columns."""
    row = net.projs[q]
    return Incoming(row.in_syn_at, row.in_short, row.place_bits, row.in_rows_at, row.stride)


@register_jitable(forceinline=True)
def incoming_synapse(net: Any, of: Incoming, b: int) -> Any:
    """Presynaptic neuron and number of the synapse that entry b stands for, in its projection."""
    code = np.int64(net.in_short[of.at + b]) if of.short else net.in_long[of.at + b]
    i = code >> of.bits
    first = net.row_ptr[of.rows_at + i * of.stride]
    return i, first + (code & ((1 << of.bits) - 1))


@register_jitable(forceinline=True)
def row_synapse(net: Any, q: int, s: int) -> Any:
    """Target and number of the synapse at place s of the rows of projection q."""
    row = net.projs[q]
    if not row.columns:
        return np.int64(net.syn_post[row.post_at + s]), np.int64(s)
    if row.in_short:
        code = np.int64(np.uint32(net.syn_post[row.post_at + s]))
    else:
        code = net.in_long[row.in_syn_at + s]
    j = code >> row.place_bits
    return j, net.in_ptr[row.in_at + j] + (code & ((1 << row.place_bits) - 1))
