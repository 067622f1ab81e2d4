"""Asynchronous partition: slices of inputs and weights that meet by going round rings of cores.

N cores of a ring hold all inputs and all weights of a tile of the layer once: one of the two stays,
the other moves on by one core per phase, and after N phases every core has met every moving block.

- Form "input": the weights stay, cut by output channels; the inputs move, cut by input channels
  (or by height, as in tables 2 and 3). Each core sums up all outputs of its own output channels:
  nothing is added up across cores, and with inputs cut by input channels the output is cut as the
  next layer wants its input.
- Form "weight": the inputs stay, cut by height; the weights move, cut by input channels. Each core
  gets the outputs of its own rows, so with a kernel taller than the stride it needs the halo of
  them: the paper's claim of no overhead holds for 1 x 1 kernels.

Several rings share a layer if it is cut by height, width or output channels before.

References
----------
Approaching the mapping limit with closed-loop mapping strategy for deploying neural networks on
neuromorphic hardware, section 4.1. The left index of equation 24 is misprinted: in phase t core i
meets block (i - t) mod N.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from mapping.graph import IntArray
from mapping.layer import ConvLayer
from mapping.tensor_partition import (
    Overheads,
    Range,
    check_parts,
    cut,
    cut_both,
    halo,
    receptive_field,
)
from simulator.errors import MappingError

__all__ = ["AsynchronousPartition", "Phase", "RingShare", "phases"]

Form = Literal["input", "weight"]
InputCut = Literal["in_channels", "height"]


class Phase(NamedTuple):
    """One phase of a ring; positions on it are 0..N-1.

    Attributes
    ----------
    block : int64 array, shape (N,)
        Moving block that each position computes with.
    sends : tuple of (position, position, block)
        Transfers, which may overlap with the computation; none in the last phase.
    """

    block: IntArray
    sends: tuple[tuple[int, int, int], ...]


def phases(nodes: int) -> tuple[Phase, ...]:
    """The N phases of a ring of N cores: position i meets block (i - t) mod N in phase t.

    >>> phases(3)[1].block
    array([1, 2, 0])
    >>> phases(3)[0].sends
    ((0, 1, 0), (1, 2, 1), (2, 0, 2))
    """
    if nodes < 1:
        raise MappingError(f"nodes = {nodes}; a ring has one core or more")
    position = np.arange(nodes)
    schedule = []
    for t in range(nodes):
        block = (position - t) % nodes
        sends = tuple((i, (i + 1) % nodes, int(block[i])) for i in range(nodes))
        schedule.append(Phase(block, sends if t < nodes - 1 else ()))
    return tuple(schedule)


class RingShare(NamedTuple):
    """What the core at one position of one ring holds at first, and the outputs it computes.

    Attributes
    ----------
    ring, position : int
    rows, columns, in_channels : Range
        Of its inputs, halos included.
    weight_in_channels, weight_out_channels : Range
        Of its weights.
    out_rows, out_columns, out_channels : Range
    """

    ring: int
    position: int
    rows: Range
    columns: Range
    in_channels: Range
    weight_in_channels: Range
    weight_out_channels: Range
    out_rows: Range
    out_columns: Range
    out_channels: Range


@dataclass(frozen=True)
class AsynchronousPartition:
    """Rings of `nodes` cores, one for each part of the layer.

    Parameters
    ----------
    layer : ConvLayer
    nodes : int
        N, cores of a ring; 1 is the limit of tables 2 and 3, without anything that moves.
    form : "input" or "weight"
        What moves.
    input_cut : "in_channels" or "height"
        How the inputs of a ring are cut; form "weight" needs "height".
    height, width, out_channels : int
        Parts of the layer, each with a ring of its own.

    Raises
    ------
    MappingError
        More parts than there is to cut, or an unknown form.

    Examples
    --------
    The row A(#nodes = 4) of table 3:

    >>> layer = ConvLayer(28, 28, 128, 512)
    >>> parts = AsynchronousPartition(layer, 4, "input", "height", width=7, out_channels=4)
    >>> parts.table_row, parts.n_cores
    ((7, 4, 1, 16), 112)
    """

    layer: ConvLayer
    nodes: int
    form: Form = "input"
    input_cut: InputCut = "in_channels"
    height: int = 1
    width: int = 1
    out_channels: int = 1

    def __post_init__(self) -> None:
        layer, name = self.layer, self.layer.name
        if self.form not in ("input", "weight"):
            raise MappingError(f"{name}: form {self.form!r}; it is 'input' or 'weight'")
        if self.input_cut not in ("in_channels", "height"):
            raise MappingError(
                f"{name}: input_cut {self.input_cut!r}; it is 'in_channels' or 'height'"
            )
        if self.form == "weight" and self.input_cut != "height":
            raise MappingError(
                f"{name}: form 'weight' keeps the inputs, which are then cut by height; give "
                "input_cut='height'"
            )
        rows = min(layer.height, layer.out_height)
        check_parts(layer, "height", self.height, rows)
        check_parts(layer, "width", self.width, min(layer.width, layer.out_width))
        check_parts(layer, "out_channels", self.out_channels, layer.out_channels)
        most = [layer.in_channels if self.input_cut == "in_channels" else rows // self.height]
        most.append(
            layer.in_channels if self.form == "weight" else layer.out_channels // self.out_channels
        )
        check_parts(layer, "the ring (nodes)", self.nodes, min(most))

    @property
    def n_rings(self) -> int:
        return self.height * self.width * self.out_channels

    @property
    def n_cores(self) -> int:
        """Also I J m n / nodes of `table_row`: a ring cuts inputs and weights by the same cores."""
        return self.nodes * self.n_rings

    @property
    def table_row(self) -> tuple[int, int, int, int]:
        """(J, I, m, n) as tables 2 and 3 count: parts of the inputs and of the weights together."""
        tall = self.height * (self.nodes if self.input_cut == "height" else 1)
        deep = self.nodes if self.input_cut == "in_channels" or self.form == "weight" else 1
        return self.width, tall, deep, self.out_channels * (self.nodes if self._moves_inputs else 1)

    @property
    def input_elements(self) -> float:
        """S_IA per core, halos aside; IA / N with a single ring (equation 29)."""
        return self.layer.input_elements / (self.height * self.width * self.nodes)

    @property
    def weight_elements(self) -> float:
        """S_W per core; W / N with a single ring (equation 29)."""
        return self.layer.weight_elements / (self.out_channels * self.nodes)

    @property
    def buffer_elements(self) -> float:
        """Room for the block that arrives while the last one is still in use, which the paper does
        not count; 0 for a single core, or if blocks are passed on in place."""
        moving = self.input_elements if self._moves_inputs else self.weight_elements
        return moving if self.nodes > 1 else 0.0

    @property
    def moved_elements(self) -> float:
        """Elements that go over the links of all rings: N (N - 1) blocks in each."""
        return self.n_cores * (self.nodes - 1) * self.buffer_elements

    @property
    def redundancy(self) -> float:
        """Copies beyond the first, of IA + W, halos aside; 0 for a single ring."""
        ia, w = self.layer.input_elements, self.layer.weight_elements
        copies = self.out_channels * ia + self.height * self.width * w
        return copies / (ia + w) - 1.0

    def overheads(self) -> Overheads:
        """Average per core, with neighbours all round; no partial sums are ever sent.

        `reshape` is 0 where the output is cut as the next layer wants its input, else one copy of
        the core's share of that.
        """
        layer, i, j, n = self.layer, self.height, self.width, self.nodes
        if self._moves_inputs:
            # The halo of a ring's tile goes round with its blocks, shared by all of them.
            halos = [each / n for each in halo(layer, i, j, 1)]
        else:
            halos = list(halo(layer, i * n, j, 1))
        fits = self.out_channels == 1 and (
            n == 1 or not self._moves_inputs or self.input_cut == "in_channels"
        )
        return Overheads(
            halos[0], halos[1], halos[2], 0.0, 0.0 if fits else layer.output_elements / (i * j * n)
        )

    def shares(self) -> Iterator[RingShare]:
        """Every core's share, ring by ring, in the order of parts of height, width, channels."""
        layer, n = self.layer, self.nodes
        rings = itertools.product(
            cut_both(layer.height, layer.out_height, self.height),
            cut_both(layer.width, layer.out_width, self.width),
            cut(layer.out_channels, self.out_channels),
        )
        every_channel = (0, layer.in_channels)
        for ring, ((_, out_rows), (_, out_columns), outs) in enumerate(rings):
            rows = receptive_field(out_rows, layer.height, layer.kernel_height, layer)
            columns = receptive_field(out_columns, layer.width, layer.kernel_width, layer)
            own_rows, own_outs = _within(out_rows, n), _within(outs, n)
            deep, tall = _within(every_channel, n), _within(rows, n)
            for k in range(n):
                if not self._moves_inputs:
                    seen = receptive_field(own_rows[k], layer.height, layer.kernel_height, layer)
                    yield RingShare(
                        ring, k, seen, columns, every_channel, deep[k], outs,
                        own_rows[k], out_columns, outs,
                    )  # fmt: skip
                else:
                    by_height = self.input_cut == "height"
                    yield RingShare(
                        ring, k, tall[k] if by_height else rows, columns,
                        every_channel if by_height else deep[k], every_channel, own_outs[k],
                        out_rows, out_columns, own_outs[k],
                    )  # fmt: skip

    @property
    def _moves_inputs(self) -> bool:
        return self.form == "input"


def _within(span: Range, parts: int) -> list[Range]:
    return [(span[0] + a, span[0] + b) for a, b in cut(span[1] - span[0], parts)]
