"""Synapses of NIR graphs against unit pulses pushed through the layers, one unit at a time."""

import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mapping import Mesh, map_network
from mapping.interchange import network_from_nir
from mapping.interchange._pairs import convolution
from simulator.errors import DataError, MappingError

nir = pytest.importorskip("nir")


def lif(*shape):
    return nir.LIF(*(np.ones(shape) for _ in range(4)))


def li(*shape):
    return nir.LI(*(np.ones(shape) for _ in range(3)))


def cuba(*shape):
    return nir.CubaLIF(*(np.ones(shape) for _ in range(5)))


def synapses(network):
    """Set of (pre population, index, post population, index) of every connected pair."""
    found = set()
    for neuron in range(network.n_neurons):
        for target in network.targets(neuron):
            found.add((network.neuron_text(neuron), network.neuron_text(int(target))))
    return found


def naive_convolution(x, weight, stride, pads, dilation, groups):
    """Cross-correlation in 2 dimensions by its definition, x of shape (channels, height, width)."""
    x = np.pad(x, [(0, 0), *pads])
    c_out, c_in, k_h, k_w = weight.shape
    height = (x.shape[1] - dilation[0] * (k_h - 1) - 1) // stride[0] + 1
    width = (x.shape[2] - dilation[1] * (k_w - 1) - 1) // stride[1] + 1
    y = np.zeros((c_out, height, width))
    for o, i, j in np.ndindex(*y.shape):
        first = o // (c_out // groups) * c_in
        for c, a, b in np.ndindex(c_in, k_h, k_w):
            at = (first + c, i * stride[0] + a * dilation[0], j * stride[1] + b * dilation[1])
            y[o, i, j] += weight[o, c, a, b] * x[at]
    return y


@st.composite
def convolutions(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    groups = draw(st.integers(1, 2))
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    weight = rng.integers(-1, 2, (groups * draw(st.integers(1, 2)), 2, *kernel))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 2)))
    dilation = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    pads = tuple(draw(st.tuples(st.integers(0, 2), st.integers(0, 2))) for _ in range(2))
    space = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    for n, pad, d, k in zip(space, pads, dilation, kernel, strict=True):
        assume(n + sum(pad) >= d * (k - 1) + 1)
    return weight, (2 * groups, *space), stride, pads, dilation, groups


@settings(max_examples=40)
@given(convolutions())
def test_convolutions_by_their_definition(case):
    weight, shape, stride, pads, dilation, groups = case
    expected = set()
    for pre in range(int(np.prod(shape))):
        pulse = np.zeros(shape)
        pulse.flat[pre] = 1
        y = naive_convolution(pulse, weight, stride, pads, dilation, groups)
        expected |= {(pre, int(post)) for post in np.flatnonzero(y)}
    found = convolution(weight, shape, stride, pads, dilation, groups)
    assert found.shape == y.shape
    pairs = list(zip(found.pre.tolist(), found.post.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert set(pairs) == expected


def convolutional():
    """Input 1x6x6, convolution, pooling, flattening, recurrent hidden layer, readout."""
    rng = np.random.default_rng(3)
    kernel = rng.integers(0, 2, (2, 1, 3, 3)).astype(float)
    w_in = rng.integers(0, 2, (4, 18)).astype(float)
    w_rec = 1 - np.eye(4)
    nodes = {
        "input": nir.Input((1, 6, 6)),
        "conv": nir.Conv2d((6, 6), kernel, 1, "same", 1, 1, np.zeros(2)),
        "features": lif(2, 6, 6),
        "pool": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "flat": nir.Flatten(np.array([2, 3, 3]), 0, -1),
        "w_in": nir.Affine(w_in, np.zeros(4)),
        "hidden": cuba(4),
        "w_rec": nir.Linear(w_rec),
        "w_out": nir.Linear(np.ones((3, 4))),
        "readout": li(3),
        "output": nir.Output((3,)),
    }
    chain = ["input", "conv", "features", "pool", "flat", "w_in", "hidden", "w_out", "readout"]
    edges = [*pairwise(chain), ("readout", "output")]
    edges += [("hidden", "w_rec"), ("w_rec", "hidden")]
    return nir.NIRGraph(nodes, edges), kernel, w_in


def test_a_convolutional_recurrent_network_pulse_by_pulse():
    graph, kernel, w_in = convolutional()
    network = network_from_nir(graph, rate_hz=20.0, duration_ms=500.0)
    assert network.names == ("input", "features", "hidden", "readout")
    assert network.sizes.tolist() == [36, 72, 4, 3]
    expected = set()
    for pre in range(36):
        pulse = np.zeros((1, 6, 6))
        pulse.flat[pre] = 1
        y = naive_convolution(pulse, kernel, (1, 1), ((1, 1), (1, 1)), (1, 1), 1)
        expected |= {(f"input[{pre}]", f"features[{post}]") for post in np.flatnonzero(y)}
    for pre in range(72):
        pulse = np.zeros((2, 6, 6))
        pulse.flat[pre] = 1
        pooled = pulse.reshape(2, 3, 2, 3, 2).sum(axis=(2, 4)).ravel()
        expected |= {(f"features[{pre}]", f"hidden[{j}]") for j in np.flatnonzero(w_in @ pooled)}
    expected |= {(f"hidden[{i}]", f"hidden[{j}]") for i in range(4) for j in range(4) if i != j}
    expected |= {(f"hidden[{i}]", f"readout[{j}]") for i in range(4) for j in range(3)}
    assert synapses(network) == expected
    assert network.n_synapses == len(expected)
    # 20 Hz for half a second; the readout does not spike.
    assert network.spike_counts.tolist() == [10] * (36 + 72 + 4) + [0] * 3


def test_a_file_is_partitioned_and_placed(tmp_path):
    path = tmp_path / "network.nir"
    nir.write(path, convolutional()[0])
    network = network_from_nir(path, rate_hz=10.0)
    assert synapses(network) == synapses(network_from_nir(convolutional()[0], rate_hz=10.0))
    report = map_network(network, Mesh(4, 4, neurons_per_core=10), seed=1)
    assert report.verdict.free
    assert report.traffic.n_packets > 0


def test_inner_graphs_weights_of_zero_and_spikes_of_ones_own():
    inner = nir.NIRGraph(
        {
            "input": nir.Input((2,)),
            "cell": lif(2),
            "back": nir.Linear(np.array([[0.0, 1.0], [0.0, 0.0]])),
            "output": nir.Output((2,)),
        },
        [("input", "cell"), ("cell", "back"), ("back", "cell"), ("cell", "output")],
    )
    graph = nir.NIRGraph(
        {
            "in": nir.Input((2,)),
            "a": nir.Linear(np.array([[1.0, 0.0], [0.0, 2.0]])),
            "rec": inner,
            "b": nir.Linear(np.array([[1.0, 0.0]])),
            "out": nir.Output((1,)),
        },
        [("in", "a"), ("a", "rec"), ("rec", "b"), ("b", "out")],
    )
    network = network_from_nir(graph, spike_counts={"in": [3, 4], "rec.cell": 5})
    assert network.names == ("in", "rec.cell", "out")
    assert synapses(network) == {
        ("in[0]", "rec.cell[0]"),
        ("in[1]", "rec.cell[1]"),
        ("rec.cell[1]", "rec.cell[0]"),
        ("rec.cell[0]", "out[0]"),
    }
    assert network.spike_counts.tolist() == [3, 4, 5, 5, 0]


def test_one_dimension_scale_and_parameters_for_a_whole_layer():
    graph = nir.NIRGraph(
        {
            "in": nir.Input((1, 5)),
            "conv": nir.Conv1d(5, np.ones((2, 1, 2)), 1, 0, 1, 1, np.zeros(2)),
            "scale": nir.Scale(np.array([[1.0], [0.0]]) * np.ones((2, 4))),
            "cells": nir.IF(np.ones((2, 1)), np.ones((2, 1))),  # a threshold per channel
            "out": nir.Output((2, 4)),
        },
        [("in", "conv"), ("conv", "scale"), ("scale", "cells"), ("cells", "out")],
        type_check=False,
    )
    network = network_from_nir(graph, rate_hz=1.0)
    assert network.sizes.tolist() == [5, 8]
    assert synapses(network) == {(f"in[{i}]", f"cells[{j}]") for j in range(4) for i in (j, j + 1)}


def test_dense_layers_are_kept_as_blocks():
    graph = nir.NIRGraph.from_list(nir.Linear(np.ones((300, 200))), lif(300))
    network = network_from_nir(graph, rate_hz=1.0)
    assert network.n_synapses == 60_000
    assert all(edge.pre_index is None for edge in network.edges)


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        (
            {"in": nir.Input((2,)), "t": nir.Threshold(np.ones(2)), "n": lif(2)},
            [("in", "t"), ("t", "n")],
            r"not supported \(Threshold: t\); supported are Affine, AvgPool2d, Conv1d, Conv2d, Cu",
        ),
        (
            {"in": nir.Input((2,)), "a": nir.Linear(np.ones((2, 2))), "n": lif(2)},
            [("in", "a"), ("a", "a"), ("a", "n")],
            "a loop without a neuron: a -> a",
        ),
        (
            {"in": nir.Input((3,)), "a": nir.Linear(np.ones((2, 2))), "n": lif(2)},
            [("in", "a"), ("a", "n")],
            r"'a': it gets shape \(3,\) and expects \(2,\)",
        ),
        (
            {"in": nir.Input((3,)), "n": lif(2)},
            [("in", "n")],
            r"'in' gives shape \(3,\), and 'n' \(LIF\) has \(2,\)",
        ),
        ({"in": nir.Input((3,))}, [], "neither inputs nor neurons"),
        ({"in": nir.Input((3,)), "n": lif(3)}, [("in", "m")], "there is no node 'm'"),
        (
            {
                "in": nir.Input((1, 2, 2)),
                "c": nir.Conv2d((2, 2), np.ones((1, 1, 3, 3)), 1, 0, 1, 1, np.zeros(1)),
                "n": lif(1, 1, 1),
            },
            [("in", "c"), ("c", "n")],
            r"'c': its output has shape \(1, 0, 0\); the kernel is larger",
        ),
    ],
)
def test_graphs_that_cannot_be_mapped_are_refused(nodes, edges, message):
    graph = nir.NIRGraph(nodes, edges, type_check=False)
    with pytest.raises(MappingError, match=message):
        network_from_nir(graph, rate_hz=1.0)


def test_spikes_must_be_given_and_fit():
    graph = nir.NIRGraph.from_list(nir.Linear(np.ones((2, 3))), lif(2))
    with pytest.raises(MappingError, match=r"no spikes of 'input': give spike_counts\['input'\]"):
        network_from_nir(graph)
    with pytest.raises(MappingError, match="no population 'x'; there are input, lif"):
        network_from_nir(graph, spike_counts={"x": 1})
    with pytest.raises(MappingError, match=r"spike_counts\['lif'\] has 3 entries; the node has 2"):
        network_from_nir(graph, spike_counts={"lif": [1, 2, 3]}, rate_hz=1.0)
    with pytest.raises(MappingError, match="rate_hz = nan"):
        network_from_nir(graph, rate_hz=float("nan"))


def test_files_that_are_no_graph_and_a_missing_package(tmp_path, monkeypatch):
    path = tmp_path / "broken.nir"
    path.write_bytes(b"not hdf5")
    with pytest.raises(DataError, match=r"broken.nir: not a NIR graph"):
        network_from_nir(path, rate_hz=1.0)
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(DataError, match=r"needs the package nir: pip install 'spikemesh\[nir\]'"):
        network_from_nir(path, rate_hz=1.0)
