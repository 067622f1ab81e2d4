"""What the mapping sees of a network and of its run: arrays, no neuron models, no weights.

Neurons are numbered globally in population order. Connections are kept in two forms that never
overlap: *blocks* (all-to-all between two populations, one flag each) and *pairs* (an explicit
list in compressed rows), so that an all-to-all projection costs no memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.errors import MappingError
from simulator.ragged import row_starts

__all__ = ["Edges", "SpikingGraph"]

IntArray = NDArray[np.int64]

NO_BLOCK, BLOCK_WITHOUT_SELF, BLOCK = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Edges:
    """The synapses of one projection.

    Parameters
    ----------
    pre_population, post_population : str
        Names of the two populations; they may be the same.
    pre_index, post_index : array of int, shape (n_synapses,), or None
        Neuron numbers within the populations, one entry per synapse (several synapses between
        one pair are allowed). Both None means all-to-all.
    self_connections : bool
        All-to-all within one population only: whether a neuron also reaches itself.
    """

    pre_population: str
    post_population: str
    pre_index: ArrayLike | None = None
    post_index: ArrayLike | None = None
    self_connections: bool = True

    @property
    def label(self) -> str:
        return f"edges '{self.pre_population}->{self.post_population}'"


class Connections(NamedTuple):
    """Who reaches whom, each pair of neurons at most once.

    Attributes
    ----------
    blocks : int8 array, shape (n_populations, n_populations)
        [pre, post]: `NO_BLOCK`, `BLOCK_WITHOUT_SELF` or `BLOCK` (all-to-all).
    out_start, out_target : int64 arrays, shapes (n_neurons + 1,), (n_pairs,)
        Targets of neuron i outside the blocks: ``out_target[out_start[i]:out_start[i + 1]]``.
    in_start, in_source : the same, by target.
    synapses : int64 array, shape (n_neurons,)
        Synapses that end on each neuron, repeated pairs counted every time.
    """

    blocks: NDArray[np.int8]
    out_start: IntArray
    out_target: IntArray
    in_start: IntArray
    in_source: IntArray
    synapses: IntArray


class SpikingGraph:
    """Populations, connections and the spike counts of one run.

    Parameters
    ----------
    populations : mapping of str to int, or sequence of (name, size)
        Sizes >= 1, in the order that numbers the neurons.
    edges : sequence of Edges
    spike_counts : array of int, shape (n_neurons,)
        Spikes of each neuron during the run, >= 0.
    duration_ms : float
        [ms] length of the run, > 0.

    Raises
    ------
    MappingError
        An empty network or population, a repeated or unknown name, an index out of range,
        counts of the wrong shape, or anything negative, fractional, NaN or infinite.

    Examples
    --------
    >>> graph = SpikingGraph({"input": 3, "code": 2}, [Edges("input", "code")],
    ...                      spike_counts=[4, 0, 1, 2, 2], duration_ms=10.0)
    >>> graph.fan_in()
    array([0, 0, 0, 3, 3])
    >>> graph.targets(0)
    array([3, 4])
    """

    def __init__(
        self,
        populations: Mapping[str, int] | Sequence[tuple[str, int]],
        edges: Sequence[Edges],
        spike_counts: ArrayLike,
        duration_ms: float,
    ) -> None:
        items = list(populations.items() if isinstance(populations, Mapping) else populations)
        if not items:
            raise MappingError("the network has no population; there is nothing to place")
        self.names: tuple[str, ...] = tuple(name for name, _ in items)
        for name in self.names:
            if self.names.count(name) > 1:
                raise MappingError(f"population {name!r} appears twice; names must be unique")
        for name, size in items:
            if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
                raise MappingError(f"population {name!r}: size = {size!r}; it must be >= 1")
        self.sizes: IntArray = np.array([size for _, size in items], dtype=np.int64)
        self.offsets: IntArray = row_starts(self.sizes)
        self.edges: tuple[Edges, ...] = tuple(edges)
        self.spike_counts = integers("spike_counts", spike_counts)
        if self.spike_counts.shape != (self.n_neurons,):
            raise MappingError(
                f"spike_counts has shape {self.spike_counts.shape}; "
                f"the populations have {self.n_neurons} neurons, so it must be ({self.n_neurons},)"
            )
        if self.spike_counts.min() < 0:
            worst = int(np.argmin(self.spike_counts))
            raise MappingError(
                f"spike_counts[{worst}] = {self.spike_counts[worst]}; counts must be >= 0"
            )
        self.duration_ms = float(duration_ms)
        if not (np.isfinite(self.duration_ms) and self.duration_ms > 0):
            raise MappingError(f"duration_ms = {duration_ms}; it must be finite and > 0 ms")
        self._pairs = [self._global_pairs(edge) for edge in self.edges]

    @property
    def n_neurons(self) -> int:
        return int(self.offsets[-1])

    @property
    def n_populations(self) -> int:
        return len(self.names)

    @property
    def n_synapses(self) -> int:
        return int(self.connections.synapses.sum())

    @cached_property
    def population_of(self) -> IntArray:
        """Population number of every neuron, shape (n_neurons,)."""
        return np.repeat(np.arange(self.n_populations, dtype=np.int64), self.sizes)

    def neuron_text(self, neuron: int) -> str:
        """Readable name, "population[index]"."""
        population = int(self.population_of[neuron])
        return f"{self.names[population]}[{neuron - int(self.offsets[population])}]"

    def fan_in(self) -> IntArray:
        """Distinct source neurons of every neuron, shape (n_neurons,)."""
        blocks = self.connections.blocks
        within = (np.diag(blocks) == BLOCK_WITHOUT_SELF).astype(np.int64)
        from_blocks = (blocks != NO_BLOCK).T.astype(np.int64) @ self.sizes - within
        fan_in: IntArray = from_blocks[self.population_of] + np.diff(self.connections.in_start)
        return fan_in

    def synapses(self) -> IntArray:
        """Synapses that end on every neuron, shape (n_neurons,)."""
        return self.connections.synapses

    def targets(self, neuron: int) -> IntArray:
        """Distinct target neurons of one source neuron, ascending."""
        links = self.connections
        found = [links.out_target[links.out_start[neuron] : links.out_start[neuron + 1]]]
        row = links.blocks[self.population_of[neuron]]
        for post in np.flatnonzero(row):
            block = np.arange(self.offsets[post], self.offsets[post + 1])
            found.append(block[block != neuron] if row[post] == BLOCK_WITHOUT_SELF else block)
        return np.sort(np.concatenate(found))

    @cached_property
    def connections(self) -> Connections:
        """The connections in the form that the kernels read."""
        n = self.n_neurons
        blocks = np.zeros((self.n_populations, self.n_populations), dtype=np.int8)
        synapses = np.zeros(n, dtype=np.int64)
        keys = [np.empty(0, dtype=np.int64)]
        for edge, pairs in zip(self.edges, self._pairs, strict=True):
            pre, post = self._ends(edge)
            if pairs is None:
                without_self = pre == post and not edge.self_connections
                kind = BLOCK_WITHOUT_SELF if without_self else BLOCK
                blocks[pre, post] = max(blocks[pre, post], kind)
                ends = slice(self.offsets[post], self.offsets[post + 1])
                synapses[ends] += self.sizes[pre] - int(without_self)
            else:
                synapses += np.bincount(pairs[1], minlength=n)
                keys.append(pairs[0] * n + pairs[1])
        source, target = np.divmod(np.unique(np.concatenate(keys)), n)
        kind_of_pair = blocks[self.population_of[source], self.population_of[target]]
        outside = (kind_of_pair == NO_BLOCK) | (
            (kind_of_pair == BLOCK_WITHOUT_SELF) & (source == target)
        )
        source, target = source[outside], target[outside]
        by_target = np.argsort(target, kind="stable")
        return Connections(
            blocks=blocks,
            out_start=row_starts(np.bincount(source, minlength=n)),
            out_target=target,
            in_start=row_starts(np.bincount(target, minlength=n)),
            in_source=source[by_target],
            synapses=synapses,
        )

    def _ends(self, edge: Edges) -> tuple[int, int]:
        return self.names.index(edge.pre_population), self.names.index(edge.post_population)

    def _global_pairs(self, edge: Edges) -> tuple[IntArray, IntArray] | None:
        for name in (edge.pre_population, edge.post_population):
            if name not in self.names:
                raise MappingError(
                    f"{edge.label}: no population {name!r}; there are {', '.join(self.names)}"
                )
        if edge.pre_index is None and edge.post_index is None:
            return None
        if edge.pre_index is None or edge.post_index is None:
            raise MappingError(
                f"{edge.label}: pre_index and post_index must both be given, or both be None "
                "for all-to-all"
            )
        ends = []
        columns = (("pre_index", edge.pre_index), ("post_index", edge.post_index))
        for population, (name, index) in zip(self._ends(edge), columns, strict=True):
            local = integers(f"{edge.label}: {name}", index)
            size = int(self.sizes[population])
            wrong = np.flatnonzero((local < 0) | (local >= size))
            if wrong.size:
                raise MappingError(
                    f"{edge.label}: {name}[{wrong[0]}] = {local[wrong[0]]}; population "
                    f"{self.names[population]!r} has neurons 0..{size - 1}"
                )
            ends.append(local + self.offsets[population])
        if ends[0].shape != ends[1].shape:
            raise MappingError(
                f"{edge.label}: pre_index has {ends[0].size} entries and post_index "
                f"{ends[1].size}; one pair per synapse is expected"
            )
        return ends[0], ends[1]


def integers(name: str, values: ArrayLike) -> IntArray:
    """One-dimensional int64 copy; whole-numbered floats pass, everything else is refused."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise MappingError(f"{name} has {array.ndim} dimensions; expected a flat array of integers")
    if array.size == 0:
        return np.empty(0, dtype=np.int64)
    if array.dtype.kind not in "iuf":
        raise MappingError(f"{name} has type {array.dtype}; expected integers")
    if array.dtype.kind == "f":
        wrong = np.flatnonzero(~np.isfinite(array) | (array != np.floor(array)))
        if wrong.size:
            raise MappingError(f"{name}[{wrong[0]}] = {array[wrong[0]]}; expected an integer")
    return array.astype(np.int64)
