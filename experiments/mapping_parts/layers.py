"""What the partitions of tables 1 to 3 of the mapping-limit paper hold and store, on its layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.experiment import Context

if TYPE_CHECKING:
    from experiments.mapping import Config
    from mapping import AsynchronousPartition, ConvLayer, SynchronousPartition

__all__ = ["ASYNCHRONOUS", "SYNCHRONOUS", "partition_layers"]

# Table 1: model, (J, I, m, n), on layers 5 and 6.
SYNCHRONOUS = {
    "1": (28, 1, 1, 1), "2": (14, 2, 1, 1), "3": (7, 4, 1, 1), "4": (4, 7, 1, 1),
    "5": (2, 14, 1, 1), "6": (1, 28, 1, 1), "7": (28, 1, 1, 2), "8": (14, 1, 2, 2),
    "9": (7, 1, 4, 2), "10": (1, 28, 1, 2), "11": (1, 14, 2, 2), "12": (1, 7, 4, 2),
    "13": (28, 1, 2, 1), "14": (14, 1, 1, 2), "15": (1, 28, 1, 1),
}  # fmt: skip
# Tables 2 and 3: n of the limit row, on layers 15 and 16; S cuts input channels, A has rings.
ASYNCHRONOUS = {"15": 4, "16": 16}
WIDTH = 7


def partition_layers(config: Config, context: Context) -> Mapping[str, object]:
    """Storage and overheads per core, by formula and by counting every core's slices."""
    from mapping import AsynchronousPartition, SynchronousPartition, resnet50

    layers = resnet50()
    rows: list[dict[str, Any]] = []
    for number in ("5", "6"):
        for model, (j, i, m, n) in SYNCHRONOUS.items():
            parts = SynchronousPartition(layers[number], i, j, m, n)
            rows.append(_synchronous(number, f"model {model}", (j, i, m, n), parts))
    for number, n in ASYNCHRONOUS.items():
        layer = layers[number]
        for m in (1, 2, 4):
            parts = SynchronousPartition(layer, 1, WIDTH, m, n // m)
            name = "limit" if m == 1 else f"S(m = {m})"
            rows.append(_synchronous(number, name, (WIDTH, 1, m, n // m), parts))
        for nodes in (2, 4):
            ring = AsynchronousPartition(
                layer, nodes, "input", "height", width=WIDTH, out_channels=n // nodes
            )
            rows.append(_asynchronous(number, f"A(#nodes = {nodes})", ring))
        for form, cut in (("input", "in_channels"), ("weight", "height")):
            ring = AsynchronousPartition(layer, 28, form, cut)  # type: ignore[arg-type]
            rows.append(_asynchronous(number, f"one ring of 28, {form} form", ring))
    context.table(
        "Partitions of ResNet-50's layers",
        ("layer", "partition", "cores", "IA", "W", "overhead", "redundancy"),
        [
            (
                row["layer"], row["name"], row["cores"], f"{row['inputs']:,.0f}",
                f"{row['weights']:,.0f}", f"{row['overhead']:,.0f}", f"{row['redundancy']:.2f}",
            )
            for row in rows
        ],
    )  # fmt: skip
    return {
        "rows": rows,
        "layers": {number: _sizes(layers[number]) for number in ("5", "6", *ASYNCHRONOUS)},
    }


def _sizes(layer: ConvLayer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "height": layer.height,
        "width": layer.width,
        "in_channels": layer.in_channels,
        "out_channels": layer.out_channels,
        "kernel": layer.kernel_height,
        "inputs": layer.input_elements,
        "weights": layer.weight_elements,
    }


def _synchronous(
    layer: str, name: str, row: tuple[int, ...], parts: SynchronousPartition
) -> dict[str, Any]:
    overheads = parts.overheads()
    counted = []
    for share in parts.shares():
        needed = _size(share.needed_rows) * _size(share.needed_columns)
        own = _size(share.rows) * _size(share.columns)
        counted.append((needed - own) * _size(share.in_channels))
    return {
        "layer": layer,
        "name": name,
        "row": list(row),
        "cores": parts.n_cores,
        "inputs": parts.input_elements,
        "weights": parts.weight_elements,
        "halo": sum(overheads[:3]),
        "halo_counted": float(np.mean(counted)),
        "partial_sums": overheads.partial_sums,
        "reshape": overheads.reshape,
        "overhead": overheads.total,
        "overhead_printed": parts.overheads(printed=True).total,
        "redundancy": parts.redundancy,
        "buffer": 0.0,
        "moved": 0.0,
    }


def _asynchronous(layer: str, name: str, ring: AsynchronousPartition) -> dict[str, Any]:
    overheads = ring.overheads()
    shares = list(ring.shares())
    held = [_size(s.rows) * _size(s.columns) * _size(s.in_channels) for s in shares]
    return {
        "layer": layer,
        "name": name,
        "row": list(ring.table_row),
        "cores": ring.n_cores,
        "inputs": ring.input_elements,
        "weights": ring.weight_elements,
        "halo": sum(overheads[:3]),
        "halo_counted": float(np.mean(held)) - ring.input_elements,
        "partial_sums": 0.0,
        "reshape": overheads.reshape,
        "overhead": overheads.total,
        "overhead_printed": 0.0,
        "redundancy": ring.redundancy,
        "buffer": ring.buffer_elements,
        "moved": ring.moved_elements,
    }


def _size(span: tuple[int, int]) -> int:
    return span[1] - span[0]
