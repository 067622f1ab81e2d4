"""Cutting one layer into slices for many cores: the synchronous 4D partition and what it costs.

A layer is cut into I parts of height, J of width, m of input channels and n of output channels.
Synchronous means that inputs and weights are both cut by input channels. `SynchronousPartition.
shares` says exactly which elements each core holds; the formulas give averages over equal parts.

References
----------
Approaching the mapping limit with closed-loop mapping strategy for deploying neural networks on
neuromorphic hardware, section 3.1 and equations 12 to 15 and 25 to 28.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mapping.layer import ConvLayer
from simulator.errors import MappingError

__all__ = ["Overheads", "Range", "Share", "SynchronousPartition"]

Range = tuple[int, int]  # start and end, the end not included


class Overheads(NamedTuple):
    """[elements of the input's width] What a core stores beside its own slices, on average."""

    row_halo: float
    column_halo: float
    corner_halo: float
    partial_sums: float
    reshape: float

    @property
    def total(self) -> float:
        """S_add (equation 5)."""
        return sum(self)


class Share(NamedTuple):
    """What one core holds and computes: ranges of rows, columns and channels.

    Attributes
    ----------
    rows, columns : Range
        Of the input that are its own.
    needed_rows, needed_columns : Range
        Of the input that its outputs depend on; what is not its own is the halo.
    in_channels, out_channels : Range
        Of its weights; its inputs have the same in_channels.
    out_rows, out_columns : Range
        Of the output; its out_channels are those above.
    """

    rows: Range
    columns: Range
    needed_rows: Range
    needed_columns: Range
    in_channels: Range
    out_channels: Range
    out_rows: Range
    out_columns: Range


@dataclass(frozen=True)
class SynchronousPartition:
    """I x J x m x n cores, each with a slice of the inputs and a slice of the weights.

    Parameters
    ----------
    layer : ConvLayer
    height, width, in_channels, out_channels : int
        Parts I, J, m, n, 1 to the size of that dimension.

    Raises
    ------
    MappingError
        More parts than there is to cut.

    Examples
    --------
    >>> parts = SynchronousPartition(ConvLayer(28, 28, 128, 512), width=7, out_channels=16)
    >>> parts.n_cores, parts.input_elements, parts.weight_elements
    (112, 14336.0, 4096.0)
    """

    layer: ConvLayer
    height: int = 1
    width: int = 1
    in_channels: int = 1
    out_channels: int = 1

    def __post_init__(self) -> None:
        layer = self.layer
        check_parts(layer, "height", self.height, min(layer.height, layer.out_height))
        check_parts(layer, "width", self.width, min(layer.width, layer.out_width))
        check_parts(layer, "in_channels", self.in_channels, layer.in_channels)
        check_parts(layer, "out_channels", self.out_channels, layer.out_channels)

    @property
    def n_cores(self) -> int:
        """N = I J m n (equation 26)."""
        return self.height * self.width * self.in_channels * self.out_channels

    @property
    def input_elements(self) -> float:
        """S_IA = IA / (I J m) per core (equation 27)."""
        return self.layer.input_elements / (self.height * self.width * self.in_channels)

    @property
    def weight_elements(self) -> float:
        """S_W = W / (m n) per core (equation 27)."""
        return self.layer.weight_elements / (self.in_channels * self.out_channels)

    @property
    def redundancy(self) -> float:
        """(n IA + I J W) / (IA + W) - 1 (equation 25): copies beyond the first, halos aside."""
        ia, w = self.layer.input_elements, self.layer.weight_elements
        return (self.out_channels * ia + self.height * self.width * w) / (ia + w) - 1.0

    def overheads(
        self, *, printed: bool = False, psum_bits: int = 32, input_bits: int = 8
    ) -> Overheads:
        """Average per core of what is stored beside the slices.

        Parameters
        ----------
        printed : bool
            True: equations 12 to 15 as printed. They exchange I and J in the halos against the
            paper's own definition, have no corner, take no account of strides larger than the
            kernel, and divide partial sums by m where the outputs of a core are cut by n. False:
            all that mended; of its partial sums a core receives those of the m - 1 others for the
            part of its outputs that it sums up, that is (m - 1) / m of them.
        psum_bits, input_bits : int
            [bits] b_p and b, widths of a partial sum and of an activation.

        Notes
        -----
        The halo is that of a slice with neighbours on both sides; slices at the border have less.
        Each term is there only if its dimension has two parts or more. `reshape` is one copy of
        the core's share of the next layer's input, cut as this one's.
        """
        layer, i, j, m = self.layer, self.height, self.width, self.in_channels
        psum_width = psum_bits / input_bits
        reshape = layer.output_elements / (i * j * m) * (self.out_channels > 1)
        if printed:
            tall, wide = layer.kernel_height - layer.stride, layer.kernel_width - layer.stride
            return Overheads(
                layer.width * layer.in_channels / (i * m) * tall * (j > 1),
                layer.height * layer.in_channels / (j * m) * wide * (i > 1),
                0.0,
                layer.output_elements / (i * j * m) * psum_width * (m > 1),
                reshape,
            )
        outputs = layer.output_elements / (i * j * self.out_channels)
        partial_sums = outputs * (m - 1) / m * psum_width
        return Overheads(*halo(layer, i, j, m), partial_sums, reshape)

    def chip_overhead(self, *, printed: bool = False) -> float:
        """(I J - 1) W + (n - 1) IA + N S_add: stored beyond one copy, all cores (equation 28)."""
        layer = self.layer
        return (
            (self.height * self.width - 1) * layer.weight_elements
            + (self.out_channels - 1) * layer.input_elements
            + self.n_cores * self.overheads(printed=printed).total
        )

    def shares(self) -> Iterator[Share]:
        """Every core's share, in the order of parts of height, width, input and output channels.

        Parts differ by at most one element where they cannot be equal.
        """
        layer = self.layer
        tall = cut_both(layer.height, layer.out_height, self.height)
        wide = cut_both(layer.width, layer.out_width, self.width)
        for (rows, out_rows), (columns, out_columns), ins, outs in itertools.product(
            tall,
            wide,
            cut(layer.in_channels, self.in_channels),
            cut(layer.out_channels, self.out_channels),
        ):
            yield Share(
                rows,
                columns,
                receptive_field(out_rows, layer.height, layer.kernel_height, layer),
                receptive_field(out_columns, layer.width, layer.kernel_width, layer),
                ins,
                outs,
                out_rows,
                out_columns,
            )


def halo(layer: ConvLayer, rows: int, columns: int, channels: int) -> tuple[float, float, float]:
    """[elements] Row, column and corner halo of a slice with neighbours all round.

    Parameters
    ----------
    rows, columns, channels : int
        Parts of the input's height, width and channels.
    """
    tall = max(layer.kernel_height - layer.stride, 0) * (rows > 1)
    wide = max(layer.kernel_width - layer.stride, 0) * (columns > 1)
    deep = layer.in_channels / channels
    return (
        layer.width / columns * deep * tall,
        layer.height / rows * deep * wide,
        deep * tall * wide,
    )


def cut(length: int, parts: int) -> list[Range]:
    """Consecutive ranges that cover 0..length, as equal as integers can be."""
    ends = [k * length // parts for k in range(parts + 1)]
    return list(itertools.pairwise(ends))


def cut_both(inputs: int, outputs: int, parts: int) -> list[tuple[Range, Range]]:
    """Ranges of an input dimension with those of the output dimension."""
    return list(zip(cut(inputs, parts), cut(outputs, parts), strict=True))


def receptive_field(outputs: Range, size: int, kernel: int, layer: ConvLayer) -> Range:
    """Inputs, of `size` in this direction, that a range of outputs depends on."""
    first = outputs[0] * layer.stride - layer.padding
    last = (outputs[1] - 1) * layer.stride - layer.padding + kernel
    return min(max(first, 0), size), max(min(last, size), 0)


def check_parts(layer: ConvLayer, name: str, parts: int, most: int) -> None:
    """Refuse a number of parts that is not an integer in 1..most."""
    try:
        number = 0 if isinstance(parts, bool) else operator.index(parts)
    except TypeError:
        number = 0
    if not 1 <= number <= most:
        raise MappingError(
            f"{layer.name}: {parts!r} parts of {name}; it can be cut into 1..{most} parts"
        )
