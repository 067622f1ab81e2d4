"""Saved states do not depend on the number of workers: synapses in the order of one worker.

Rows that are cut into pieces are sorted by delay within a piece (:mod:`simulator.parts`), so that
weights and variables are in another order where delays differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.compile import CompiledNetwork
from simulator.connect import Rows
from simulator.incoming import row_targets
from simulator.synapses import sort_rows

__all__ = ["from_plain_layout", "plain_rows", "to_plain_layout"]

Ints = npt.NDArray[np.int64]
Saved = dict[str, npt.NDArray[Any]]


def to_plain_layout(compiled: CompiledNetwork, saved: Saved) -> Saved:
    """Saved arrays as one worker has them."""
    for name, part, order in _reordered(compiled):
        saved[name][part] = saved[name][part][order]
    return saved


def from_plain_layout(compiled: CompiledNetwork, saved: Mapping[str, npt.NDArray[Any]]) -> Saved:
    """The inverse of :func:`to_plain_layout`; the arrays given are left alone."""
    result = dict(saved)
    for name, part, order in _reordered(compiled):
        if result[name] is saved[name]:
            result[name] = np.array(saved[name])
        result[name][part][order] = saved[name][part]
    return result


def _reordered(compiled: CompiledNetwork) -> Iterator[tuple[str, slice, Ints]]:
    """What has one value a synapse: (saved array, part of it, places of the plain order)."""
    net = compiled.arrays
    for row in net.projs:
        if row.stride == 1 or not np.isnan(row.delay) or row.same:
            continue
        order, n = _plain_order(compiled, row), int(row.n_synapses)
        yield "weight", slice(row.w_at, row.w_at + order.size), order
        for k in range(len(compiled.rules[row.rule].variables) if row.plastic else 0):
            yield "synaptic", slice(row.var_at + k * n, row.var_at + (k + 1) * n), order


def plain_rows(
    compiled: CompiledNetwork, row: Any
) -> tuple[Ints, npt.NDArray[np.int32], npt.NDArray[Any]]:
    """Rows, targets and delays (none if they are equal) of a sparse projection."""
    first, post, delays = _stored_rows(compiled, row)
    if row.stride > 1 and delays.size:
        post, delays = post.copy(), delays.copy()
        sort_rows(Rows(first, post), None, delays)
    return np.ascontiguousarray(first), post, delays


def _plain_order(compiled: CompiledNetwork, row: Any) -> Ints:
    first, post, delays = _stored_rows(compiled, row)
    order = np.arange(post.size, dtype=np.int64)
    sort_rows(Rows(first, post.copy()), None, delays.copy(), order)
    return order


def _stored_rows(
    compiled: CompiledNetwork, row: Any
) -> tuple[Ints, npt.NDArray[np.int32], npt.NDArray[Any]]:
    net = compiled.arrays
    n_pre = int(net.pops.hi[row.pre] - net.pops.lo[row.pre])
    first = net.row_ptr[row.row_at : row.row_at + n_pre * row.stride + 1 : row.stride]
    post = row_targets(net, row)
    pool = net.short_delay if row.short else net.syn_delay
    several = post.size if np.isnan(row.delay) else 0
    return first, post, pool[row.delay_at : row.delay_at + several]
