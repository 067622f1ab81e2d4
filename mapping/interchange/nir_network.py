"""Networks of other frameworks, in the Neuromorphic Intermediate Representation (NIR).

Neurons (LIF, CubaLIF, IF, and the non-spiking LI, CubaLI and I) become populations, as do inputs
and those outputs that weights lead to. What lies between them (Affine, Linear, Conv1d, Conv2d,
SumPool2d, AvgPool2d, Flatten, Scale, Delay) becomes synapses: one for every pair of units that is
joined by weights that are not zero. Graphs inside graphs are unfolded. Values of weights and
parameters of neurons are not looked at: a mapping needs who reaches whom, and how often.

J. E. Pedersen et al., Neuromorphic intermediate representation: a unified instruction set for
interoperable brain-inspired computing, Nature Communications 15, 2024.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mapping.graph import Edges, IntArray, SpikingGraph, integers
from mapping.interchange._nir_layers import LAYERS, NEURONS, SPIKING, Unfolded, unfold
from mapping.interchange._pairs import Pairs, composed, elementwise
from simulator.errors import DataError, MappingError

__all__ = ["network_from_nir"]


def network_from_nir(
    source: Any,
    *,
    spike_counts: Mapping[str, ArrayLike] | None = None,
    rate_hz: float | None = None,
    duration_ms: float = 1000.0,
) -> SpikingGraph:
    """A network described in NIR, ready to be partitioned and placed.

    Parameters
    ----------
    source : path or nir.NIRGraph
        A file that `nir.write` wrote (needs the package nir), or the graph itself.
    spike_counts : mapping of str to int or array of int, optional
        Spikes of every unit of a node during `duration_ms`, by name of the node (nodes of inner
        graphs are "outer.inner"): a number for all of its units, or one for each in C order.
    rate_hz : float, optional
        [Hz] rate of every input and every spiking neuron without counts of its own. Non-spiking
        units (LI, CubaLI, I, outputs) have no spikes unless they are given.
    duration_ms : float
        [ms]

    Returns
    -------
    SpikingGraph
        Populations in the order of the nodes, named like them.

    Raises
    ------
    DataError
        The file cannot be read, or the package nir is missing.
    MappingError
        A node of a type that is not supported (the text lists all of them), shapes that do not
        fit, a loop without a neuron, or spikes that are not given.
    """
    graph = unfold(source if hasattr(source, "nodes") else _read(source))
    layer_outputs = _outputs_with_weights(graph)
    populations = [
        name
        for name, node in graph.nodes.items()
        if type(node).__name__ in NEURONS
        or (type(node).__name__ == "Input" and graph.followers[name])
        or name in layer_outputs
    ]
    if not populations:
        raise MappingError(
            "the NIR graph has neither inputs nor neurons; there is nothing to place"
        )
    shapes = {name: graph.shape(name) for name in populations}
    edges: dict[tuple[str, str], list[Pairs]] = {}
    for name in populations:
        if name not in layer_outputs:
            _follow(graph, name, name, elementwise(shapes[name]), set(populations), (), edges)
    sizes = {name: int(np.prod(shape)) for name, shape in shapes.items()}
    return SpikingGraph(
        sizes,
        [
            _edges(pre, post, pairs, sizes)
            for (pre, post), found in edges.items()
            for pairs in found
        ],
        _counts(graph, sizes, spike_counts or {}, rate_hz, duration_ms),
        duration_ms,
    )


def _read(path: str | os.PathLike[str]) -> Any:
    try:
        import nir
    except ImportError as error:
        raise DataError(
            f"{path}: reading NIR needs the package nir: pip install 'spikemesh[nir]'"
        ) from error
    try:
        return nir.read(os.fspath(path))
    except Exception as error:  # whatever nir and h5py raise at a damaged file
        raise DataError(f"{path}: not a NIR graph: {error}") from error


def _outputs_with_weights(graph: Unfolded) -> set[str]:
    """Outputs that a layer of weights leads to: their sums have to be formed on some core."""
    return {
        name
        for name, node in graph.nodes.items()
        if type(node).__name__ == "Output"
        and any(type(graph.nodes[before]).__name__ in LAYERS for before in graph.leaders[name])
    }


def _follow(
    graph: Unfolded,
    start: str,
    name: str,
    reached: Pairs,
    populations: set[str],
    path: tuple[str, ...],
    edges: dict[tuple[str, str], list[Pairs]],
) -> None:
    """Extend `reached` along every way from `name` to the next populations."""
    for after in graph.followers[name]:
        kind = type(graph.nodes[after]).__name__
        if after in populations:
            shape = graph.shape(after)
            if int(np.prod(shape)) != int(np.prod(reached.shape)):
                raise MappingError(
                    f"NIR node {name!r} gives shape {reached.shape}, and {after!r} ({kind}) has "
                    f"{shape}"
                )
            edges.setdefault((start, after), []).append(reached)
        elif kind != "Output":
            if after in path:
                loop = " -> ".join((*path[path.index(after) :], after))
                raise MappingError(f"NIR: a loop without a neuron: {loop}")
            then = LAYERS[kind](after, graph.nodes[after], reached.shape)
            n_middle, n_post = int(np.prod(reached.shape)), int(np.prod(then.shape))
            further = composed(reached, then, n_middle, n_post)
            _follow(graph, start, after, further, populations, (*path, after), edges)


def _edges(pre: str, post: str, pairs: Pairs, sizes: dict[str, int]) -> Edges:
    n_pre, n_post = sizes[pre], sizes[post]
    if pairs.pre.size == n_pre * n_post:
        return Edges(pre, post)
    if pre == post and pairs.pre.size == n_pre * (n_pre - 1) and np.all(pairs.pre != pairs.post):
        return Edges(pre, post, self_connections=False)
    return Edges(pre, post, pairs.pre, pairs.post)


def _counts(
    graph: Unfolded,
    sizes: dict[str, int],
    given: Mapping[str, ArrayLike],
    rate_hz: float | None,
    duration_ms: float,
) -> IntArray:
    unknown = sorted(set(given) - set(sizes))
    if unknown:
        raise MappingError(
            f"spike_counts: no population {unknown[0]!r}; there are {', '.join(sizes)}"
        )
    if rate_hz is not None and not (np.isfinite(rate_hz) and rate_hz >= 0):
        raise MappingError(f"rate_hz = {rate_hz}; it must be finite and >= 0 Hz")
    counts = []
    for name, size in sizes.items():
        if name in given:
            values = np.asarray(given[name])
            values = np.full(size, values) if values.ndim == 0 else values.ravel()
            if values.shape != (size,):
                raise MappingError(
                    f"spike_counts[{name!r}] has {values.size} entries; the node has {size} units"
                )
            counts.append(integers(f"spike_counts[{name!r}]", values))
        elif type(graph.nodes[name]).__name__ not in SPIKING:
            counts.append(np.zeros(size, dtype=np.int64))
        elif rate_hz is None:
            raise MappingError(
                f"no spikes of {name!r}: give spike_counts[{name!r}], or rate_hz for all"
            )
        else:
            # Rounded to whole spikes: a rate is an assumption, not a measurement.
            counts.append(np.full(size, round(rate_hz * duration_ms * 1e-3), dtype=np.int64))
    return np.concatenate(counts)
