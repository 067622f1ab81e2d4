"""Spike sources: populations whose spikes come from outside the network.

A source hands out its spikes in chunks of simulated time, so that its memory does not grow with
the length of a run and a saved state needs only the number of the chunk.  The engine sees all
sources of a network as one stream, ordered by time, then population, then neuron.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.errors import NetworkError, SimulationError
from simulator.seeds import generator

if TYPE_CHECKING:
    from simulator.network import Network, Population

__all__ = [
    "PrivateInput",
    "SetRates",
    "SourceStream",
    "SpikeSource",
    "check_rates",
    "open_sources",
    "source_stream",
]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Stream = Callable[[int], np.random.Generator]


class PrivateInput(NamedTuple):
    """What a target needs to draw the spikes of a source by itself (simulator.poisson_cells)."""

    key: int  # 63 bits
    cell_ms: float  # length of a cell
    starts: Floats  # (n_pieces,) ms
    rates: Floats  # (n_pieces, 1 or size), 1/ms


class SetRates(NamedTuple):
    """Rates that a run has given to a source in the place of its own."""

    number: int  # how often that has happened, 1 or more
    hz: Floats  # (size,)
    start: float  # ms
    stop: float  # ms, may be infinite


class SpikeSource:
    """Base of spike sources; a subclass gives :meth:`spikes` and, if it is endless, ``chunk_ms``.

    Attributes
    ----------
    chunk_ms : float
        Length of a chunk; infinite when all spikes are in chunk 0.
    """

    chunk_ms: float = math.inf
    ports: ClassVar[tuple[str, ...]] = ()

    def bind(self, name: str, size: int) -> None:
        """Check that the source can drive a population of this name and size."""

    def spikes(
        self, chunk: int, size: int, stream: Callable[[int], np.random.Generator]
    ) -> tuple[Floats, Indices]:
        """Times (ms) and neurons of one chunk, ordered by time, then neuron.

        Chunk k holds the times from ``k * chunk_ms`` up to, but not including, those of chunk
        k + 1.  ``stream(chunk)`` is the random stream of this population and chunk.
        """
        raise NotImplementedError

    def private_input(self, stream: Callable[[int], np.random.Generator]) -> PrivateInput | None:
        """The same spikes as :meth:`spikes`, neuron by neuron, if a target can draw them itself."""
        return None

    def with_rates(self, rate_hz: Floats, start: float, stop: float) -> SpikeSource:
        """A source of this kind with these rates (Hz, one a neuron) from ``start`` until ``stop``
        (ms, may be infinite) and none at other times.  Optional: for sources whose rates may be
        set as a run goes on."""
        raise NotImplementedError


class SourceStream:
    """All sources of a network merged into one ordered stream, a piece at a time.

    Parameters
    ----------
    sources
        (source, size, first global neuron, random stream) in population order.
    network
        Whose sources they are; it may be left out where no rates are set.

    Attributes
    ----------
    given : (times, neurons)
        Injected spikes that lie ahead.
    rates : dict of str to SetRates
        Of the sources whose rates were set, by population.
    """

    def __init__(
        self,
        sources: Sequence[tuple[SpikeSource, int, int, Stream]],
        network: Network | None = None,
    ) -> None:
        self._sources = list(sources)
        self._network = network
        self.rates: dict[str, SetRates] = {}
        self._chunk = [-1] * len(self._sources)  # the chunk that is open
        self._open: list[tuple[Floats, Indices]] = [
            (np.empty(0), np.empty(0, np.int64)) for _ in self._sources
        ]
        self._end = [0.0] * len(self._sources)
        self.given: tuple[Floats, Indices] = (np.empty(0), np.empty(0, np.int64))

    def __bool__(self) -> bool:
        return bool(self._sources)

    def add(self, times: Floats, neurons: Indices) -> None:
        """Give further spikes (ms, global neurons) that no source knows of."""
        times = np.concatenate([self.given[0], times])
        neurons = np.concatenate([self.given[1], neurons])
        order = np.lexsort((neurons, times))
        times, neurons = times[order], neurons[order]
        _refuse_twice(times, neurons)
        self.given = times, neurons

    def forget(self, until: float) -> None:
        """Drop given spikes up to ``until`` (ms): they have been handled."""
        if self.given[0].size:
            first = int(np.searchsorted(self.given[0], until, side="right"))
            self.given = self.given[0][first:], self.given[1][first:]

    def set_rates(self, name: str, rates: SetRates | None) -> None:
        """Have a source spike at these rates from ``rates.start`` on, whatever it did before, or
        as it is described again.

        The random numbers are keyed by how often rates were set.
        """
        assert self._network is not None
        pop = self._network.populations[name]
        first = self._network.first_neuron(pop)
        k = next(k for k, (_, _, lo, _) in enumerate(self._sources) if lo == first)
        assert isinstance(pop.model, SpikeSource)
        source, number = pop.model, 0
        self.rates.pop(name, None)
        if rates is not None:
            source, number = source.with_rates(rates.hz, rates.start, rates.stop), rates.number
            source.bind(name, pop.size)
            self.rates[name] = rates
        stream = source_stream(self._network, name, number)
        self._sources[k] = (source, pop.size, first, stream)
        self._chunk[k], self._end[k] = -1, 0.0
        self._open[k] = np.empty(0), np.empty(0, np.int64)

    def next_piece(self, start: float, after: float = -math.inf) -> tuple[Floats, Indices, float]:
        """Spikes in [start, end) as (times, global neurons, end); ``end`` may be infinite.

        Those of the sources up to ``after`` are left out, given ones are not.
        """
        times, neurons, end = self._piece_of_sources(start)
        first = int(np.searchsorted(times, after, side="right"))
        given = slice(*np.searchsorted(self.given[0], (start, end), side="left"))
        if given.start == given.stop:
            return times[first:], neurons[first:], end
        times = np.concatenate([times[first:], self.given[0][given]])
        neurons = np.concatenate([neurons[first:], self.given[1][given]])
        order = np.lexsort((neurons, times))
        times, neurons = times[order], neurons[order]
        _refuse_twice(times, neurons)
        return times, neurons, end

    def _piece_of_sources(self, start: float) -> tuple[Floats, Indices, float]:
        """Spikes of the sources in [start, end)."""
        if not self._sources:
            return np.empty(0), np.empty(0, np.int64), math.inf
        for k, (source, size, first, stream) in enumerate(self._sources):
            # Another chunk when this one is used up, or when a restored run goes back before it.
            if (
                self._chunk[k] < 0
                or self._end[k] <= start
                or self._chunk[k] * source.chunk_ms > start
            ):
                chunk = 0 if math.isinf(source.chunk_ms) else int(start // source.chunk_ms)
                while (chunk + 1) * source.chunk_ms <= start:  # rounding of the division
                    chunk += 1
                times, neurons = source.spikes(chunk, size, stream)
                end = (chunk + 1) * source.chunk_ms
                begin = 0.0 if math.isinf(source.chunk_ms) else chunk * source.chunk_ms
                _check_chunk(source, chunk, (begin, end), size, times, neurons)
                self._chunk[k] = chunk
                self._open[k] = (times, neurons + first)
                self._end[k] = end
        end = min(self._end)
        parts = []
        for times, neurons in self._open:
            lo, hi = np.searchsorted(times, (start, end), side="left")
            parts.append((times[lo:hi], neurons[lo:hi]))
        if len(parts) == 1:
            return *parts[0], end
        times = np.concatenate([part[0] for part in parts])
        neurons = np.concatenate([part[1] for part in parts])
        order = np.argsort(times, kind="stable")  # of the parts, each by time, then neuron
        return times[order], neurons[order], end


def _refuse_twice(times: Floats, neurons: Indices) -> None:
    twice = np.flatnonzero((times[1:] == times[:-1]) & (neurons[1:] == neurons[:-1]))
    if twice.size:
        raise SimulationError(
            f"a channel of a source is to spike twice at {times[twice[0]]} ms, by inject(); a "
            "neuron spikes once at an instant"
        )


def source_stream(network: Network, name: str, number: int = 0) -> Stream:
    """The random stream of a source, by chunk; of the ``number``-th rates that it was set to."""
    entity = ("source", name, "rates", number) if number else ("source", name)
    return lambda chunk: generator(network.seed, *entity, counter=chunk)


def open_sources(
    network: Network, first_neurons: Sequence[int], names: Collection[str] | None = None
) -> SourceStream:
    """The sources of a network, or those of these ``names``; ``first_neurons`` are the global
    numbers by population."""
    return SourceStream(
        [
            (pop.model, pop.size, first, source_stream(network, pop.name))
            for pop, first in zip(network.populations.values(), first_neurons, strict=True)
            if isinstance(pop.model, SpikeSource) and (names is None or pop.name in names)
        ],
        network,
    )


def check_rates(pop: Population, rate_hz: npt.ArrayLike, duration: float) -> Floats:
    """Rates (Hz) of all neurons of a source, from one or as many, and their duration.

    Raises
    ------
    SimulationError
        For a population without rates, rates that are not finite and >= 0 or of the wrong number,
        or a duration that is not above 0.
    """
    where = f"set_rates() of {pop.name!r}"
    model = pop.model
    if not isinstance(model, SpikeSource) or type(model).with_rates is SpikeSource.with_rates:
        raise SimulationError(
            f"{where}: {type(model).__name__} has no rates; describe the population with Poisson"
        )
    rates = np.asarray(rate_hz, np.float64)
    if rates.shape not in ((), (pop.size,)):
        raise SimulationError(
            f"{where}: rates of shape {rates.shape}; one, or one for each of the {pop.size} "
            "neurons, is needed"
        )
    wrong = np.flatnonzero(~(np.isfinite(rates) & (rates >= 0.0)))
    if wrong.size:
        k = int(wrong[0])
        raise SimulationError(
            f"{where}: rate [{k}] = {rates.flat[k]} Hz; rates must be finite and >= 0"
        )
    if not duration > 0.0:
        raise SimulationError(f"{where}: duration = {duration}; a time in ms > 0 is needed")
    return np.array(np.broadcast_to(rates, pop.size))


def _check_chunk(
    source: SpikeSource,
    chunk: int,
    span: tuple[float, float],
    size: int,
    times: Floats,
    neurons: Indices,
) -> None:
    """An engine relies on it: ordered by time, then neuron, no spike twice, none elsewhere."""
    where = f"{type(source).__name__}, chunk {chunk}"
    fine = times[1:] > times[:-1]
    fine |= (times[1:] == times[:-1]) & (neurons[1:] > neurons[:-1])
    if not fine.all():
        a = int(np.argmin(fine))
        raise SimulationError(
            f"{where}: spikes {a} and {a + 1}, at {times[a]} ms (neuron "
            f"{neurons[a]}) and {times[a + 1]} ms (neuron {neurons[a + 1]}), are out of order "
            "or the same"
        )
    # In order, so that the ends tell of all; NaN is not within.
    if times.size and not (times[0] >= span[0] and times[-1] < span[1]):
        a = int(np.argmin((times >= span[0]) & (times < span[1])))
        raise SimulationError(
            f"{where}: spike {a} is at {times[a]} ms; the chunk is from {span[0]} ms to before "
            f"{span[1]} ms, and a spike belongs to the chunk of its time"
        )
    if times.size and (neurons.min() < 0 or neurons.max() >= size):
        a = int(np.argmax((neurons < 0) | (neurons >= size)))
        raise SimulationError(
            f"{where}: spike {a} is of neuron {neurons[a]}; the population has neurons 0 to "
            f"{size - 1}"
        )


def check_spike_times(name: str, times: Floats, neurons: Indices, size: int) -> None:
    """Refuse spikes that are not finite, lie before 0 or belong to no neuron of the population."""
    wrong = np.flatnonzero(~(np.isfinite(times) & (times >= 0.0)))
    if wrong.size:
        k = int(wrong[0])
        raise NetworkError(
            f"population {name!r}: spike time [{k}] = {times[k]} ms; times must be finite and >= 0"
        )
    wrong = np.flatnonzero((neurons < 0) | (neurons >= size))
    if wrong.size:
        k = int(wrong[0])
        raise NetworkError(
            f"population {name!r}: spike [{k}] names neuron {neurons[k]}; "
            f"the population has neurons 0 to {size - 1}"
        )
    order = np.lexsort((neurons, times))
    t, i = times[order], neurons[order]
    twice = np.flatnonzero((t[1:] == t[:-1]) & (i[1:] == i[:-1]))
    if twice.size:
        k = int(twice[0])
        raise NetworkError(
            f"population {name!r}: neuron {i[k]} spikes twice at {t[k]} ms; a neuron spikes once "
            "at an instant"
        )
