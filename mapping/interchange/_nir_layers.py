"""Nodes of NIR graphs: what each type is to a mapping, and the shape of what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from mapping.interchange._pairs import Pairs, convolution, dense, elementwise, pooling
from simulator.errors import MappingError

__all__ = ["LAYERS", "NEURONS", "SPIKING", "Unfolded", "unfold"]

# Neuron types, with the parameter whose shape is that of the population.
NEURONS = {
    "LIF": "v_threshold",
    "CubaLIF": "v_threshold",
    "IF": "v_threshold",
    "LI": "v_leak",
    "CubaLI": "v_leak",
    "I": "r",
}
SPIKING = ("LIF", "CubaLIF", "IF", "Input")
_ENDS = ("Input", "Output")


@dataclass
class Unfolded:
    """A NIR graph without inner graphs.

    Attributes
    ----------
    nodes : dict of str to node
    followers, leaders : dict of str to list of str
        Nodes after and before each node.
    """

    nodes: dict[str, Any]
    followers: dict[str, list[str]]
    leaders: dict[str, list[str]]
    _shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of what a node gives; a neuron may have fewer parameters than neurons."""
        if name not in self._shapes:
            found = self._find_shape(name, ())
            if found is None:
                raise MappingError(
                    f"NIR node {name!r} ({type(self.nodes[name]).__name__}): its shape cannot be "
                    "told, because nothing with a shape leads to it"
                )
            self._shapes[name] = found
        return self._shapes[name]

    def _find_shape(self, name: str, asked: tuple[str, ...]) -> tuple[int, ...] | None:
        """Own shape, or what follows from a node before it that is not in `asked`."""
        node = self.nodes[name]
        own = _own_shape(name, node)
        if type(node).__name__ == "Input" or (own is not None and 1 not in own and own != ()):
            return own
        for before in self.leaders[name]:
            if before not in asked:
                incoming = self._find_shape(before, (*asked, name))
                if incoming is not None:
                    return _merged(name, type(node).__name__, node, own, incoming)
        return own


def _merged(
    name: str, kind: str, node: Any, own: tuple[int, ...] | None, incoming: tuple[int, ...]
) -> tuple[int, ...]:
    if kind in LAYERS:
        return LAYERS[kind](name, node, incoming).shape
    if own is None:
        return incoming
    try:
        wide = np.broadcast_shapes(own, incoming)
    except ValueError:
        wide = own
    return incoming if wide == incoming else own


def _own_shape(name: str, node: Any) -> tuple[int, ...] | None:
    kind = type(node).__name__
    if kind in NEURONS:
        return tuple(np.shape(getattr(node, NEURONS[kind])))
    if kind in _ENDS:
        given = node.input_type["input"]
        if given is None:
            return None
        return tuple(int(n) for n in np.atleast_1d(np.asarray(given)))
    return None


def unfold(graph: Any) -> Unfolded:
    """Replace inner graphs by their nodes; their inputs and outputs become mere passages."""
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    _collect(graph, "", nodes, edges)
    unsupported: dict[str, list[str]] = {}
    for name, node in nodes.items():
        kind = type(node).__name__
        if kind not in NEURONS and kind not in LAYERS and kind not in _ENDS:
            unsupported.setdefault(kind, []).append(name)
    if unsupported:
        said = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in unsupported.items())
        raise MappingError(
            f"NIR nodes of types that are not supported ({said}); supported are "
            f"{', '.join(sorted({*NEURONS, *LAYERS, *_ENDS} - {'_Passage'}))}"
        )
    followers: dict[str, list[str]] = {name: [] for name in nodes}
    leaders: dict[str, list[str]] = {name: [] for name in nodes}
    for before, after in dict.fromkeys(edges):
        for name in (before, after):
            if name not in nodes:
                raise MappingError(
                    f"NIR: edge {before!r} -> {after!r}, and there is no node {name!r}"
                )
        followers[before].append(after)
        leaders[after].append(before)
    return Unfolded(nodes, followers, leaders)


class _Passage:
    """Input or output of an inner graph: hands on what it gets."""


def _collect(graph: Any, prefix: str, nodes: dict[str, Any], edges: list[tuple[str, str]]) -> None:
    inner = {name for name, node in graph.nodes.items() if hasattr(node, "nodes")}
    for name, node in graph.nodes.items():
        if name in inner:
            _collect(node, f"{prefix}{name}.", nodes, edges)
        elif prefix and type(node).__name__ in _ENDS:
            nodes[prefix + name] = _Passage()
        else:
            nodes[prefix + name] = node

    def port(name: str, kind: str) -> str:
        if name not in inner:
            return prefix + name
        names = [k for k, node in graph.nodes[name].nodes.items() if type(node).__name__ == kind]
        if len(names) != 1:
            raise MappingError(
                f"NIR: inner graph {prefix + name!r} has {len(names)} {kind} nodes; expected one"
            )
        return f"{prefix}{name}.{names[0]}"

    edges += [(port(before, "Output"), port(after, "Input")) for before, after in graph.edges]


def _affine(name: str, node: Any, incoming: tuple[int, ...]) -> Pairs:
    weight = np.asarray(node.weight)
    if weight.ndim < 2:
        raise MappingError(f"NIR node {name!r}: weight of shape {weight.shape}; expected a matrix")
    _check_size(name, incoming, (*weight.shape[:-2], weight.shape[-1]))
    return dense(weight)


def _convolution(dimensions: int, name: str, node: Any, incoming: tuple[int, ...]) -> Pairs:
    weight = np.asarray(node.weight)
    groups = int(node.groups)
    if len(incoming) != 1 + dimensions:
        space = node.input_shape
        if space is None:
            raise MappingError(
                f"NIR node {name!r} ({type(node).__name__}): it gets shape {incoming} and has no "
                "input_shape to fold it into"
            )
        folded = (weight.shape[1] * groups, *_each(space, dimensions))
        _check_size(name, incoming, folded)
        incoming = folded
    if incoming[0] != weight.shape[1] * groups or weight.shape[0] % groups:
        raise MappingError(
            f"NIR node {name!r}: {incoming[0]} channels come in; weight of shape {weight.shape} in "
            f"{groups} groups takes {weight.shape[1] * groups}"
        )
    dilation = _each(node.dilation, dimensions)
    kernel = weight.shape[2:]
    pads: tuple[tuple[int, int], ...]
    if isinstance(node.padding, str | bytes):
        total = [
            d * (k - 1) if node.padding in ("same", b"same") else 0
            for d, k in zip(dilation, kernel, strict=True)
        ]
        pads = tuple((n // 2, n - n // 2) for n in total)
    else:
        pads = tuple((n, n) for n in _each(node.padding, dimensions))
    stride = _each(node.stride, dimensions)
    found = convolution(weight, incoming, stride, pads, dilation, groups)
    return _not_empty(name, found)


def _pool(name: str, node: Any, incoming: tuple[int, ...]) -> Pairs:
    if len(incoming) != 3:
        raise MappingError(
            f"NIR node {name!r} ({type(node).__name__}): it gets shape {incoming}; expected "
            "(channels, height, width)"
        )
    pads = tuple((n, n) for n in _each(node.padding, 2))
    found = pooling(incoming, _each(node.kernel_size, 2), _each(node.stride, 2), pads)
    return _not_empty(name, found)


def _flatten(name: str, node: Any, incoming: tuple[int, ...]) -> Pairs:
    first, last = int(node.start_dim), int(node.end_dim)
    last = last % len(incoming) if last < 0 else last
    if not 0 <= first < len(incoming) or not first <= last < len(incoming):
        # A vector, or dimensions counted with one for the batch: nothing is left to flatten.
        return elementwise(incoming)
    middle = int(np.prod(incoming[first : last + 1]))
    index = elementwise(incoming)
    return Pairs(index.pre, index.post, (*incoming[:first], middle, *incoming[last + 1 :]))


def _scale(name: str, node: Any, incoming: tuple[int, ...]) -> Pairs:
    scale = np.asarray(node.scale)
    try:
        fits = np.broadcast_shapes(scale.shape, incoming) == incoming
    except ValueError:
        fits = False
    if not fits:
        raise MappingError(f"NIR node {name!r}: scale of shape {scale.shape} for {incoming}")
    return elementwise(incoming, scale != 0)


def _same(name: str, node: Any, incoming: tuple[int, ...]) -> Pairs:
    return elementwise(incoming)


LAYERS: dict[str, Callable[[str, Any, tuple[int, ...]], Pairs]] = {
    "Affine": _affine,
    "Linear": _affine,
    "Conv1d": partial(_convolution, 1),
    "Conv2d": partial(_convolution, 2),
    "SumPool2d": _pool,
    "AvgPool2d": _pool,
    "Flatten": _flatten,
    "Scale": _scale,
    "Delay": _same,
    "_Passage": _same,
}


def _each(value: Any, dimensions: int) -> tuple[int, ...]:
    """A number for all dimensions, or one each."""
    numbers = np.atleast_1d(np.asarray(value)).astype(int).tolist()
    return tuple(numbers * dimensions if len(numbers) == 1 else numbers)


def _check_size(name: str, incoming: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if int(np.prod(incoming)) != int(np.prod(expected)):
        raise MappingError(f"NIR node {name!r}: it gets shape {incoming} and expects {expected}")


def _not_empty(name: str, pairs: Pairs) -> Pairs:
    if min(pairs.shape) < 1:
        raise MappingError(
            f"NIR node {name!r}: its output has shape {pairs.shape}; the kernel is larger than "
            "what comes in"
        )
    return pairs
