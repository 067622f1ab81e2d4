"""A weighted directed hypergraph: the most general thing that can be partitioned.

Each net is one sender and the vertices that its packets go to. A network of neurons has one net
per neuron; see `mapping.graph.SpikingGraph` for that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mapping.graph import IntArray, integers
from simulator.errors import MappingError

__all__ = ["Hypergraph"]


class Hypergraph:
    """Vertices, and nets from one source vertex to any number of target vertices.

    Parameters
    ----------
    sources : array of int, shape (n_nets,)
        Vertex that sends each net's packets; -1 is outside the machine, so that every core that
        holds a target costs a packet. For an undirected hypergraph name any pin of the net: the
        packets are then its connectivity minus one.
    net_start : array of int, shape (n_nets + 1,)
        Targets of net e are ``pins[net_start[e]:net_start[e + 1]]``.
    pins : array of int
        Target vertices; one entry per synapse, so that repeats count as memory.
    weights : array of float, shape (n_nets,), optional
        Packets of each net, >= 0; 1 if left out.
    n_vertices : int, optional
        One more than the largest vertex named if left out.
    neurons : array of int, shape (n_vertices,), optional
        Neurons that a vertex stands for, >= 1; 1 if left out.
    synapses : array of int, shape (n_vertices,), optional
        Synapse memory of each vertex, >= 0; the number of its pins if left out.

    Raises
    ------
    MappingError
        Nothing to partition, an index out of range, lengths that do not go together, or anything
        negative, fractional, NaN or infinite.

    Examples
    --------
    >>> ring = Hypergraph(sources=[0, 1, 2, 3], net_start=[0, 1, 2, 3, 4], pins=[1, 2, 3, 0])
    >>> ring.packets([0, 0, 1, 1])
    2.0
    """

    def __init__(
        self,
        sources: ArrayLike,
        net_start: ArrayLike,
        pins: ArrayLike,
        weights: ArrayLike | None = None,
        *,
        n_vertices: int | None = None,
        neurons: ArrayLike | None = None,
        synapses: ArrayLike | None = None,
    ) -> None:
        self.sources = integers("sources", sources)
        self.net_start = integers("net_start", net_start)
        self.pins = integers("pins", pins)
        m = self.sources.size
        if self.net_start.size != m + 1:
            raise MappingError(
                f"net_start has {self.net_start.size} entries; {m} nets need {m + 1}"
            )
        if self.net_start[0] != 0 or self.net_start[-1] != self.pins.size:
            raise MappingError(
                f"net_start runs from {self.net_start[0]} to {self.net_start[-1]}; it must run "
                f"from 0 to the number of pins, {self.pins.size}"
            )
        falls = np.flatnonzero(np.diff(self.net_start) < 0)
        if falls.size:
            raise MappingError(f"net_start falls after entry {falls[0]}; it must never fall")
        largest = max(int(self.sources.max(initial=-1)), int(self.pins.max(initial=-1)))
        count = largest + 1 if n_vertices is None else n_vertices
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
            raise MappingError(f"n_vertices = {n_vertices!r}; a hypergraph has at least one vertex")
        self.n_vertices = int(count)
        for name, values, lowest in (("sources", self.sources, -1), ("pins", self.pins, 0)):
            wrong = np.flatnonzero((values < lowest) | (values >= count))
            if wrong.size:
                raise MappingError(
                    f"{name}[{wrong[0]}] = {values[wrong[0]]}; vertices are 0..{count - 1}"
                    + (", and -1 is outside the machine" if lowest < 0 else "")
                )
        self.weights = self._weights(weights)
        self.neurons = self._per_vertex("neurons", neurons, 1)
        if synapses is None:
            self.synapses = np.bincount(self.pins, minlength=self.n_vertices).astype(np.int64)
        else:
            self.synapses = self._per_vertex("synapses", synapses, 0)

    @property
    def n_nets(self) -> int:
        return int(self.sources.size)

    def _weights(self, given: ArrayLike | None) -> NDArray[np.float64]:
        if given is None:
            return np.ones(self.n_nets)
        weights = np.array(given, dtype=np.float64)
        if weights.shape != (self.n_nets,):
            raise MappingError(f"weights has shape {weights.shape}; expected ({self.n_nets},)")
        wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
        if wrong.size:
            raise MappingError(
                f"weights[{wrong[0]}] = {weights[wrong[0]]}; weights must be finite and >= 0"
            )
        return weights

    def _per_vertex(self, name: str, given: ArrayLike | None, lowest: int) -> IntArray:
        if given is None:
            return np.ones(self.n_vertices, dtype=np.int64)
        values = integers(name, given)
        if values.size != self.n_vertices:
            raise MappingError(f"{name} has {values.size} entries for {self.n_vertices} vertices")
        wrong = np.flatnonzero(values < lowest)
        if wrong.size:
            raise MappingError(f"{name}[{wrong[0]}] = {values[wrong[0]]}; it must be >= {lowest}")
        return values

    def packets(self, core_of: ArrayLike) -> float:
        """Packets under an assignment of vertices to cores.

        sum over nets of weight x (distinct cores that hold a target, the source's own excepted).
        """
        cores = integers("core_of", core_of)
        if cores.size != self.n_vertices or cores.min() < 0:
            raise MappingError(
                f"core_of must give each of {self.n_vertices} vertices a core number >= 0"
            )
        net = np.repeat(np.arange(self.n_nets), np.diff(self.net_start))
        home = np.where(self.sources >= 0, cores[self.sources], -1)
        remote = cores[self.pins] != home[net]
        pairs = np.unique(net[remote] * (cores.max() + 1) + cores[self.pins][remote])
        return float(self.weights[pairs // (cores.max() + 1)].sum())
