"""Partitions of layers: counted on explicit slices, and computed block by block."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.block_product import compute_by_rings, compute_by_shares
from mapping.closed_loop import AsynchronousPartition, phases
from mapping.layer import ConvLayer, convolve, resnet50
from mapping.tensor_partition import SynchronousPartition
from simulator.errors import MappingError

TOLERANCE = 1e-12
LAYER_15, LAYER_16 = resnet50()["15"], resnet50()["16"]


def naive(layer: ConvLayer, x: Any, w: Any) -> Any:
    """Seven loops, without a library."""
    out = np.zeros((layer.out_height, layer.out_width, layer.out_channels))
    p, s = layer.padding, layer.stride
    for r, c, o in itertools.product(*map(range, out.shape)):
        for a, b, i in itertools.product(*map(range, w.shape[:3])):
            row, column = r * s + a - p, c * s + b - p
            if 0 <= row < layer.height and 0 <= column < layer.width:
                out[r, c, o] += x[row, column, i] * w[a, b, i, o]
    return out


def draw_tensors(layer: ConvLayer, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((layer.height, layer.width, layer.in_channels))
    shape = (layer.kernel_height, layer.kernel_width, layer.in_channels, layer.out_channels)
    return x, rng.standard_normal(shape)


@st.composite
def layers(draw: Any) -> ConvLayer:
    kernel = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return ConvLayer(
        draw(st.integers(3, 8)),
        draw(st.integers(3, 8)),
        draw(st.integers(1, 6)),
        draw(st.integers(1, 6)),
        *kernel,
        stride=draw(st.integers(1, 3)),
        padding=draw(st.integers(0, 1)),
    )


def size(*ranges: tuple[int, int]) -> int:
    return int(np.prod([end - start for start, end in ranges]))


@settings(max_examples=30)
@given(layers())
def test_the_layer_itself(layer: ConvLayer) -> None:
    x, w = draw_tensors(layer)
    assert np.abs(convolve(layer, x, w) - naive(layer, x, w)).max() < TOLERANCE


@settings(max_examples=60)
@given(layers(), st.data())
def test_synchronous_slices_give_the_layer(layer: ConvLayer, data: Any) -> None:
    parts = SynchronousPartition(
        layer,
        data.draw(st.integers(1, min(layer.height, layer.out_height))),
        data.draw(st.integers(1, min(layer.width, layer.out_width))),
        data.draw(st.integers(1, layer.in_channels)),
        data.draw(st.integers(1, layer.out_channels)),
    )
    x, w = draw_tensors(layer)
    difference = compute_by_shares(parts, x, w) - convolve(layer, x, w)
    assert np.abs(difference).max() < TOLERANCE
    shares = list(parts.shares())
    assert len(shares) == parts.n_cores
    # Equations 25 and 27, by counting every core's own slices.
    own = sum(size(s.rows, s.columns, s.in_channels) for s in shares)
    weights = sum(size(s.in_channels, s.out_channels) for s in shares)
    weights *= layer.kernel_height * layer.kernel_width
    assert own == pytest.approx(parts.n_cores * parts.input_elements)
    assert weights == pytest.approx(parts.n_cores * parts.weight_elements)
    once = layer.input_elements + layer.weight_elements
    assert (own + weights) / once - 1 == pytest.approx(parts.redundancy)
    # Output slices are disjoint and cover the output, once for each part of the input channels.
    seen = np.zeros((layer.out_height, layer.out_width, layer.out_channels), dtype=int)
    for s in shares:
        seen[slice(*s.out_rows), slice(*s.out_columns), slice(*s.out_channels)] += 1
    assert (seen == parts.in_channels).all()


@settings(max_examples=80)
@given(layers(), st.sampled_from(["input", "input by height", "weight"]), st.data())
def test_rings_give_the_layer(layer: ConvLayer, kind: str, data: Any) -> None:
    rows = min(layer.height, layer.out_height)
    form: Any = kind.split()[0]
    by_height = kind != "input"
    height = data.draw(st.integers(1, rows))
    outs = data.draw(st.integers(1, layer.out_channels))
    most = layer.out_channels // outs if form == "input" else layer.in_channels
    most = min(most, rows // height if by_height else layer.in_channels)
    parts = AsynchronousPartition(
        layer,
        data.draw(st.integers(1, most)),
        form,
        "height" if by_height else "in_channels",
        height,
        data.draw(st.integers(1, min(layer.width, layer.out_width))),
        outs,
    )
    x, w = draw_tensors(layer)
    difference = compute_by_rings(parts, x, w) - convolve(layer, x, w)
    assert np.abs(difference).max() < TOLERANCE
    shares = list(parts.shares())
    assert len(shares) == parts.n_cores
    assert np.prod(parts.table_row) == parts.n_cores * parts.nodes
    seen = np.zeros((layer.out_height, layer.out_width, layer.out_channels), dtype=int)
    for s in shares:
        seen[slice(*s.out_rows), slice(*s.out_columns), slice(*s.out_channels)] += 1
    assert (seen == 1).all()
    weights = sum(size(s.weight_in_channels, s.weight_out_channels) for s in shares)
    weights *= layer.kernel_height * layer.kernel_width
    assert weights == pytest.approx(parts.n_cores * parts.weight_elements)
    if layer.kernel_height == layer.kernel_width == layer.stride == 1 and layer.padding == 0:
        # Nothing is stored twice but what the rings need apart, and no core has a halo.
        inputs = sum(size(s.rows, s.columns, s.in_channels) for s in shares)
        assert inputs == pytest.approx(parts.n_cores * parts.input_elements)
        once = layer.input_elements + layer.weight_elements
        assert (inputs + weights) / once - 1 == pytest.approx(parts.redundancy)
        assert parts.overheads()[:4] == (0, 0, 0, 0)


@pytest.mark.parametrize("form", ["input", "weight"])
def test_memory_halves_when_the_ring_doubles(form: Any) -> None:
    layer = ConvLayer(32, 8, 64, 64)
    cut: Any = "in_channels" if form == "input" else "height"
    rings = [AsynchronousPartition(layer, n, form, cut) for n in (1, 2, 4, 8, 16, 32)]
    for n, ring in zip((1, 2, 4, 8, 16, 32), rings, strict=True):
        assert ring.input_elements == layer.input_elements / n
        assert ring.weight_elements == layer.weight_elements / n
        assert ring.redundancy == 0
        assert ring.overheads().total == 0
        moving = layer.input_elements if form == "input" else layer.weight_elements
        assert ring.moved_elements == (n - 1) * moving


def test_every_block_meets_every_core_and_moves_on_by_one() -> None:
    for n in (1, 2, 3, 8, 31):
        schedule = phases(n)
        assert len(schedule) == n
        met = np.stack([phase.block for phase in schedule])
        assert (np.sort(met, axis=0) == np.arange(n)[:, None]).all()
        assert (np.sort(met, axis=1) == np.arange(n)).all()
        assert sum(len(phase.sends) for phase in schedule) == n * (n - 1)
        for before, after in itertools.pairwise(schedule):
            for source, target, block in before.sends:
                assert target == (source + 1) % n
                assert before.block[source] == after.block[target] == block
        assert schedule[-1].sends == ()


@pytest.mark.parametrize(("i", "j", "m"), [(4, 1, 1), (1, 4, 2), (4, 4, 2), (7, 4, 1)])
def test_halos_of_inner_slices(i: int, j: int, m: int) -> None:
    layer = ConvLayer(28, 28, 8, 8, 3, 3, padding=1)
    parts = SynchronousPartition(layer, i, j, m)
    formula = parts.overheads()
    rows = columns = corners = 0
    for s in parts.shares():
        below = size(s.needed_rows) - size(s.rows)
        beside = size(s.needed_columns) - size(s.columns)
        deep = size(s.in_channels)
        rows = max(rows, below * size(s.columns) * deep)
        columns = max(columns, beside * size(s.rows) * deep)
        corners = max(corners, below * beside * deep)
    assert (rows, columns, corners) == formula[:3]


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_one_halo_less_than_slices_in_all(stride: int) -> None:
    """The border has none: k - s rows between two neighbours, none where the kernel is smaller."""
    layer = ConvLayer(24, 6, 2, 2, 3, 3, stride=stride, padding=int(stride < 3))
    for i in (2, 4):
        parts = SynchronousPartition(layer, i)
        extra = sum(len(set(range(*s.needed_rows)) - set(range(*s.rows))) for s in parts.shares())
        assert extra == (i - 1) * max(3 - stride, 0)
        assert parts.overheads().row_halo == layer.width * 2 * max(3 - stride, 0)


def test_partial_sums_by_counting_a_reduce_scatter() -> None:
    layer = ConvLayer(8, 8, 16, 12)
    parts = SynchronousPartition(layer, 2, 2, 4, 3)
    received = np.zeros(parts.n_cores)
    groups: dict[Any, list[int]] = {}
    for core, s in enumerate(parts.shares()):
        groups.setdefault((s.out_rows, s.out_columns, s.out_channels), []).append(core)
    for (rows, columns, channels), cores in groups.items():
        for element in range(size(rows, columns, channels)):
            owner = cores[element % len(cores)]
            received[owner] += len(cores) - 1  # from each of the others
    assert received.mean() * 32 / 8 == parts.overheads().partial_sums
    assert parts.overheads(psum_bits=8).partial_sums == received.mean()
    assert parts.overheads(printed=True).partial_sums == layer.output_elements / (2 * 2 * 4) * 4


def test_overheads_as_printed_and_mended() -> None:
    layer = ConvLayer(20, 40, 8, 8, 3, 5, padding=1)
    tall = SynchronousPartition(layer, height=4)
    assert tall.overheads()[:3] == (40 * 8 * 2, 0, 0)
    assert tall.overheads(printed=True)[:3] == (0, 20 * 8 * 4, 0)  # I and J exchanged
    wide = SynchronousPartition(layer, width=4)
    assert wide.overheads()[:3] == (0, 20 * 8 * 4, 0)
    assert wide.overheads(printed=True)[:3] == (40 * 8 * 2, 0, 0)
    both = SynchronousPartition(layer, 4, 4, 2)
    assert both.overheads()[:3] == (10 * 4 * 2, 5 * 4 * 4, 4 * 2 * 4)
    whole = SynchronousPartition(layer)
    assert whole.overheads().total == whole.overheads(printed=True).total == 0
    assert whole.redundancy == whole.chip_overhead() == 0
    copies = 3 * layer.weight_elements + 4 * wide.overheads().total
    assert wide.chip_overhead() == copies


@pytest.mark.parametrize(
    ("layer", "rows"),
    [
        (LAYER_15, {1: (7, 1, 1, 4), 2: (7, 2, 1, 4), 4: (7, 4, 1, 4)}),
        (LAYER_16, {1: (7, 1, 1, 16), 2: (7, 2, 1, 16), 4: (7, 4, 1, 16)}),
    ],
)
def test_rows_of_tables_2_and_3(layer: ConvLayer, rows: dict[int, Any]) -> None:
    n = rows[1][3]
    for nodes, row in rows.items():
        parts = AsynchronousPartition(
            layer, nodes, "input", "height", width=7, out_channels=n // nodes
        )
        assert parts.table_row == row
        assert parts.n_cores == 7 * n
        assert parts.weight_elements == layer.weight_elements / n
        assert parts.input_elements == layer.input_elements / (7 * nodes)


def test_resnet50() -> None:
    layers = resnet50()
    assert [name for name in layers if name.isdigit()] == [str(k) for k in range(1, 51)]
    assert len(layers) == 54
    # Without biases and normalisation; 3.8e9 operations in table 1 of He et al.
    assert sum(layer.weight_elements for layer in layers.values()) == 25_502_912
    assert sum(layer.macs for layer in layers.values()) == pytest.approx(3.86e9, rel=0.001)
    assert LAYER_15.input_elements == 98 * 1024
    assert (LAYER_15.kernel_height, LAYER_16.kernel_height) == (3, 1)
    chain = [layers[str(k)] for k in range(2, 50)]
    for before, after in itertools.pairwise(chain):
        assert (before.out_height, before.out_channels) == (after.height, after.in_channels)


def test_what_is_refused() -> None:
    layer = ConvLayer(8, 8, 4, 4, name="conv")
    with pytest.raises(MappingError, match=r"conv: 9 parts of height; it can be cut into 1\.\.8"):
        SynchronousPartition(layer, 9)
    with pytest.raises(MappingError, match=r"conv: 1.5 parts of in_channels"):
        SynchronousPartition(layer, 1, 1, 1.5)  # type: ignore[arg-type]
    with pytest.raises(MappingError, match=r"conv: 5 parts of the ring \(nodes\); .* 1..4"):
        AsynchronousPartition(layer, 5)
    with pytest.raises(MappingError, match="form 'both'; it is 'input' or 'weight'"):
        AsynchronousPartition(layer, 2, "both")  # type: ignore[arg-type]
    with pytest.raises(MappingError, match="input_cut 'width'"):
        AsynchronousPartition(layer, 2, "input", "width")  # type: ignore[arg-type]
    with pytest.raises(MappingError, match="give input_cut='height'"):
        AsynchronousPartition(layer, 2, "weight")
    with pytest.raises(MappingError, match="height = 0; it must be an integer >= 1"):
        ConvLayer(0, 8, 4, 4)
    with pytest.raises(MappingError, match="padding = -1; it must be an integer >= 0"):
        ConvLayer(8, 8, 4, 4, padding=-1)
    with pytest.raises(MappingError, match="a kernel of 9 does not fit an input of 8"):
        ConvLayer(8, 8, 4, 4, 9, 1)
    with pytest.raises(MappingError, match=r"conv: inputs have shape \(8, 8, 3\)"):
        convolve(layer, np.zeros((8, 8, 3)), np.zeros((1, 1, 4, 4)))
    with pytest.raises(MappingError, match="nodes = 0"):
        phases(0)
