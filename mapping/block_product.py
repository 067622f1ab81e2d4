"""A layer computed as its cores would, each from its own slices: the proof of a partition.

Nothing is read but what a core holds: a slice too small, a block sent the wrong way or a phase too
few give another result than `mapping.layer.convolve`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from mapping.closed_loop import AsynchronousPartition, RingShare, phases
from mapping.layer import ConvLayer, FloatArray
from mapping.layer import convolve as convolve_whole
from mapping.tensor_partition import Range, SynchronousPartition

__all__ = ["compute_by_rings", "compute_by_shares"]


def compute_by_shares(
    partition: SynchronousPartition, inputs: ArrayLike, weights: ArrayLike
) -> FloatArray:
    """Output of the layer: partial sums of every core, added up over the input channels.

    Parameters
    ----------
    partition : SynchronousPartition
    inputs, weights : arrays
        As `mapping.layer.convolve`.

    Returns
    -------
    float64 array, shape (out_height, out_width, out_channels)
    """
    x, w = np.asarray(inputs, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    out = _empty(partition.layer)
    for share in partition.shares():
        held = x[_box(share.needed_rows, share.needed_columns, share.in_channels)]
        kernel = w[:, :, slice(*share.in_channels), slice(*share.out_channels)]
        whole = _partial(partition.layer, held, share.needed_rows, share.needed_columns, kernel)
        out[_box(share.out_rows, share.out_columns, share.out_channels)] += whole[
            slice(*share.out_rows), slice(*share.out_columns)
        ]
    return out


def compute_by_rings(
    partition: AsynchronousPartition, inputs: ArrayLike, weights: ArrayLike
) -> FloatArray:
    """Output of the layer, phase by phase, with blocks that go from core to core.

    Parameters, returns: as `compute_by_shares`.
    """
    x, w = np.asarray(inputs, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    out = _empty(partition.layer)
    shares = list(partition.shares())
    for start in range(0, len(shares), partition.nodes):
        _run_ring(partition, shares[start : start + partition.nodes], x, w, out)
    return out


def _run_ring(
    partition: AsynchronousPartition,
    ring: list[RingShare],
    x: FloatArray,
    w: FloatArray,
    out: FloatArray,
) -> None:
    inputs = [x[_box(s.rows, s.columns, s.in_channels)].copy() for s in ring]
    weights = [
        w[:, :, slice(*s.weight_in_channels), slice(*s.weight_out_channels)].copy() for s in ring
    ]
    moves_inputs = partition.form == "input"
    moving = inputs if moves_inputs else weights
    for phase in phases(partition.nodes):
        for position, share in enumerate(ring):
            # The block keeps the ranges of the core it was at first.
            first = ring[int(phase.block[position])]
            rows = first.rows if moves_inputs else share.rows
            columns = first.columns if moves_inputs else share.columns
            held, kernel = inputs[position], weights[position]
            if moves_inputs:
                kernel = kernel[:, :, slice(*first.in_channels)]
            else:
                held = held[:, :, slice(*first.weight_in_channels)]
            whole = _partial(partition.layer, held, rows, columns, kernel)
            out[_box(share.out_rows, share.out_columns, share.out_channels)] += whole[
                slice(*share.out_rows), slice(*share.out_columns)
            ]
        sent = [(target, moving[source]) for source, target, _ in phase.sends]
        for target, block in sent:
            moving[target] = block


def _partial(
    layer: ConvLayer, held: FloatArray, rows: Range, columns: Range, kernel: FloatArray
) -> FloatArray:
    """Contribution of a slice of the inputs to the whole output map; what is not held is zero."""
    channels, out_channels = kernel.shape[2:]
    full = np.zeros((layer.height, layer.width, channels))
    full[slice(*rows), slice(*columns)] = held
    return convolve_whole(
        replace(layer, in_channels=channels, out_channels=out_channels), full, kernel
    )


def _box(rows: Range, columns: Range, channels: Range) -> tuple[slice, slice, slice]:
    return slice(*rows), slice(*columns), slice(*channels)


def _empty(layer: ConvLayer) -> FloatArray:
    return np.zeros((layer.out_height, layer.out_width, layer.out_channels))
