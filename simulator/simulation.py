"""Running a network: the compiled engine behind a small object."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator import instant_loop
from simulator.arrays import EVENT, records
from simulator.compile import CompiledNetwork, compile_network
from simulator.engine_state import grown, new_state, new_workspace
from simulator.errors import SimulationError
from simulator.instant_loop import make_instant_loop
from simulator.model import NeuronModel
from simulator.network import Network, Population, Projection, StateSampling
from simulator.population_kernels import make_touch
from simulator.recorder import Recording
from simulator.seeds import generator
from simulator.sources import SourceStream, SpikeSource
from simulator.zero_delay import describe_loop

__all__ = ["Simulation"]

# Fields of the engine's state that a saved state consists of; the others are buffers.
_SAVED = [
    "engine",
    "neurons",
    "pops",
    "projs",
    "rings",
    "flights",
    "left",
    "used_up",
    "buckets",
    "x_value",
    "x_time",
    "y_value",
    "y_time",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@lru_cache(maxsize=64)
def _event_loop(models: tuple[Any, ...], rules: tuple[Any, ...]) -> Any:
    return make_instant_loop(models, rules)


class Simulation:
    """A network that runs.

    Parameters
    ----------
    network : Network
        Compiled once, here; later changes to the description have no effect.

    Notes
    -----
    ``run(a); run(b)`` gives the same bits as ``run(b)``: time is only a limit up to which events
    are handled, never a cut in the integration of a neuron.
    """

    def __init__(self, network: Network) -> None:
        self.compiled: CompiledNetwork = compile_network(network)
        arrays = self.compiled.arrays
        self.network = network
        self._index = {name: k for k, name in enumerate(network.populations)}
        self._projection_index = {name: q for q, name in enumerate(network.projections)}
        self._state = new_state(self.compiled)
        self._work = new_workspace(self.compiled, self._state)
        self._loop = _event_loop(self.compiled.models, self.compiled.rules)
        self._sources = SourceStream(
            [
                (pop.model, pop.size, int(arrays.pops[k].lo), _stream(network.seed, pop.name))
                for k, pop in enumerate(network.populations.values())
                if isinstance(pop.model, SpikeSource)
            ]
        )
        self._piece_start = 0.0
        self.recording = Recording(network)
        self._to_modes()
        self._predict_all()

    # -- running -----------------------------------------------------------------------------

    @property
    def time(self) -> float:
        """Time reached, in ms."""
        return float(self._state.engine[0].now)

    @property
    def deliveries(self) -> int:
        """Spikes delivered to synapses so far."""
        return int(self._state.engine[0].deliveries)

    def run(self, until: float) -> None:
        """Handle all events up to and including time ``until`` (ms).

        Raises
        ------
        SimulationError
            When ``until`` is no finite time or lies in the past, or when spikes travel round a
            loop without delay for ever; the message names the loop.
        """
        if not math.isfinite(until):
            raise SimulationError(f"run(until={until}): a finite time in ms is needed")
        if until < self.time:
            raise SimulationError(
                f"run(until={until}): the simulation is at {self.time} ms and cannot go back"
            )
        for t in self.recording.sampling_times(until):
            self._run(t)
            self._sample(t)
        self._run(until)
        self._drain()

    def _run(self, until: float) -> None:
        groups = self.compiled.groups
        blocks = tuple(zip(groups.states, groups.parameters, groups.horizons, strict=True))
        while True:
            status = self._loop(
                self.compiled.arrays, blocks, groups.rules, self._state, self._work, float(until)
            )
            if status == instant_loop.DONE:
                return
            if status == instant_loop.MORE_INPUT:
                self._open_piece()
            elif status == instant_loop.MORE_OUTPUT:
                self._drain()
            elif status == instant_loop.MORE_ROOM:
                self._state = grown(self.compiled, self._state)
                self._work = new_workspace(self.compiled, self._state)
            else:
                culprit = int(self._state.engine[0].culprit)
                names = list(self.network.populations)
                raise SimulationError(
                    describe_loop(self.network, names[self._state.neurons[culprit].pop], self.time)
                )

    def _open_piece(self) -> None:
        st = self._state
        start = self._piece_start = float(st.engine[0].input_end)
        times, neurons, end = self._sources.next_piece(start)
        st.engine[0].input_end = end
        st.engine[0].src_pos = 0
        st.engine[0].src_end = times.size
        source = records(times.size, EVENT)
        source.t, source.i = times, neurons
        self._state = st._replace(source=source)

    def _drain(self) -> None:
        st = self._state
        n = int(st.engine[0].n_out)
        if n:
            times, neurons = st.output.t[:n], st.output.i[:n]
            pops = st.neurons.pop[neurons]
            first = self.compiled.arrays.pops.lo
            self.recording.add_spikes(times, neurons - first[pops], pops)
            st.engine[0].n_out = 0

    def _to_modes(self) -> None:
        """Turn the initial state of lazy populations into amplitudes of their modes."""
        for row, pop in zip(
            self.compiled.arrays.pops, self.network.populations.values(), strict=True
        ):
            if row.lazy and isinstance(pop.model, NeuronModel):
                block = self.compiled.groups.states[row.group][:, row.at : row.at + pop.size]
                n = pop.model.State(*block)
                for j in range(pop.size):
                    pop.model.to_modes(n, j, pop.model.parameters)

    def _predict_all(self) -> None:
        """First predictions of neurons that have a clock of their own (bias, initial state)."""
        arrays, st = self.compiled.arrays, self._state
        groups = self.compiled.groups
        heap = []
        for k, pop in enumerate(self.network.populations.values()):
            if isinstance(pop.model, SpikeSource) or arrays.pops[k].together or arrays.pops[k].lazy:
                continue
            group = int(arrays.pops[k].group)
            model = self.compiled.models[group]
            n = model.State(*groups.states[group])
            for i in range(pop.size):
                g = int(arrays.pops[k].lo) + i
                due = model.crossing(n, int(arrays.pops[k].at) + i, pop.model.parameters)
                st.neurons[g].due = due
                if due < math.inf:
                    heap.append((due, g))
        for place, (_, g) in enumerate(sorted(heap)):  # a sorted list is a heap
            st.neurons[place].tree, st.neurons[g].place = g, place
        st.engine[0].n_due = len(heap)

    # -- saving ------------------------------------------------------------------------------

    def save(self) -> dict[str, npt.NDArray[Any]]:
        """The whole state as arrays (for ``numpy.savez``): states, weights, traces, spikes in
        flight, the place in the sources.  What was recorded is not part of it."""
        self._drain()
        st = self._state
        saved = {f"engine/{name}": np.array(getattr(st, name)) for name in _SAVED}
        saved["weight"] = self.compiled.arrays.weight.copy()
        saved["learns"] = self.compiled.arrays.projs.learns.copy()
        for g, block in enumerate(self.compiled.groups.states):
            saved[f"state/{g}"] = block.copy()
        saved["piece_start"] = np.array(self._piece_start)
        return saved

    def restore(self, saved: Mapping[str, npt.NDArray[Any]]) -> None:
        """Continue from a saved state of the same network; the run goes on bit for bit.

        Raises
        ------
        SimulationError
            When ``saved`` is not a saved state or belongs to another network.
        """
        current = self.save()
        for name, array in current.items():
            if name not in saved:
                raise SimulationError(
                    f"this is no saved state of a simulation: {name!r} is missing"
                )
            # The last dimension of the queues grows as a run goes on.
            fixed = -1 if name in ("engine/rings", "engine/flights") else array.ndim
            given = np.asarray(saved[name])
            if (
                given.dtype != array.dtype
                or given.ndim != array.ndim
                or given.shape[:fixed] != array.shape[:fixed]
            ):
                raise SimulationError(
                    f"the saved state belongs to another network: {name!r} has shape "
                    f"{given.shape} and type {given.dtype}, expected {array.shape} "
                    f"and {array.dtype}"
                )
        for g, block in enumerate(self.compiled.groups.states):
            block[:] = saved[f"state/{g}"]
        self.compiled.arrays.weight[:] = saved["weight"]
        self.compiled.arrays.projs.learns = saved["learns"]
        renewed = {}
        for name in _SAVED:
            old = getattr(self._state, name)
            array = np.array(saved[f"engine/{name}"])
            renewed[name] = array.view(np.recarray) if old.dtype.names else array
        position = int(renewed["engine"]["src_pos"][0])
        end = float(renewed["engine"]["input_end"][0])
        self._state = self._state._replace(**renewed)
        self._work = new_workspace(self.compiled, self._state)
        if end > 0.0:
            self._state.engine[0].input_end = saved["piece_start"]
            self._open_piece()
            self._state.engine[0].src_pos = position
        self.recording.skip_to(self.time)

    # -- reading -----------------------------------------------------------------------------

    def spikes(self, population: Population | str) -> tuple[Floats, Ints]:
        """Recorded spikes of a population: times (ms) and neurons, in order.

        Raises
        ------
        NetworkError
            When the population does not exist or its spikes are not recorded.
        """
        self._drain()
        return self.recording.spikes(self.network.find_population(population).name)

    def weights(self, projection: Projection | str) -> Floats:
        """Present weights: a matrix (pre, post) for all-to-all, else (n_synapses,) as described.

        The diagonal of an all-to-all projection without self connections holds no synapses; its
        entries mean nothing.
        """
        proj = self.network.find_projection(projection)
        stored, order = self._stored(proj), self.compiled.orders[proj.name]
        if proj.connector.rows is not None:
            values = np.empty(self._n_synapses(proj))
            values[slice(None) if order is None else order] = stored
            return values
        values = np.zeros(proj.pre.size * proj.post.size)
        if order is None:
            values[:] = stored
        else:
            values[order] = stored
        return values.reshape(proj.pre.size, proj.post.size)

    def set_weights(self, projection: Projection | str, values: npt.ArrayLike) -> None:
        """Replace the weights of a projection, in the shape of :meth:`weights`.

        Raises
        ------
        SimulationError
            For the wrong number of values, values that are not finite, or a projection that was
            described with one weight for all.
        """
        proj = self.network.find_projection(projection)
        stored, order = self._stored(proj), self.compiled.orders[proj.name]
        given = np.asarray(values, dtype=np.float64)
        expected = self.weights(proj).shape
        if given.shape != expected:
            raise SimulationError(
                f"projection {proj.name!r}: weights of shape {given.shape}; {expected} is needed"
            )
        wrong = np.flatnonzero(~np.isfinite(given))
        if wrong.size:
            k = int(wrong[0])
            raise SimulationError(
                f"projection {proj.name!r}: weight[{k}] = {given.flat[k]}; "
                "finite numbers are needed"
            )
        if stored.size == 1 and given.size != 1:
            raise SimulationError(
                f"projection {proj.name!r} was described with one weight for all its synapses; "
                "describe it with an array to change them one by one"
            )
        stored[:] = given.ravel() if order is None else given.ravel()[order]

    def set_learning(self, projection: Projection | str, learning: bool) -> None:
        """Switch the plasticity of a projection off or on again; its traces rest meanwhile."""
        proj = self.network.find_projection(projection)
        if proj.rule is None or not proj.rule.learns():
            raise SimulationError(f"projection {proj.name!r} has no rule that changes its weights")
        self.compiled.arrays.projs.learns[self._projection_index[proj.name]] = learning

    def state(self, population: Population | str, variable: str) -> Floats:
        """A state variable of every neuron at the present time; reading disturbs nothing."""
        pop = self.network.find_population(population)
        if isinstance(pop.model, SpikeSource) or variable not in pop.model.state:
            known = () if isinstance(pop.model, SpikeSource) else tuple(pop.model.state)
            raise SimulationError(
                f"population {pop.name!r} has no state variable {variable!r}; "
                f"it has {', '.join(known) or 'none (it is a spike source)'}"
            )
        arrays, st = self.compiled.arrays, self._state
        k = self._index[pop.name]
        block = self.compiled.groups.states[int(arrays.pops[k].group)]
        first = int(arrays.pops[k].at)
        n = pop.model.State(*block[:, first : first + pop.size].copy())
        lo = int(arrays.pops[k].lo)
        p = pop.model.parameters
        if arrays.pops[k].lazy:
            age = self.time - float(st.pops[k].frame)
            for mode, tau in zip(n, pop.model.time_constants(p), strict=True):
                mode *= math.exp(-age / tau)
            for i in range(pop.size):
                pop.model.from_modes(n, i, p)
                if st.neurons[lo + i].ref_until > self.time:
                    pop.model.clamp(n, i, p)
            return np.asarray(getattr(n, variable), dtype=np.float64)
        touch = make_touch(type(pop.model))
        for i in range(pop.size):
            g = lo + i
            shared = arrays.pops[k].together and not st.neurons[g].odd
            t_last = float(st.pops[k].clock if shared else st.neurons[g].t_last)
            touch(n, i, p, t_last, float(st.neurons[g].ref_until), self.time)
        return np.asarray(getattr(n, variable), dtype=np.float64)

    def _n_synapses(self, proj: Projection) -> int:
        """Stored synapses of a projection that is kept in rows."""
        row = self.compiled.arrays.projs[self._projection_index[proj.name]]
        return int(self.compiled.arrays.row_ptr[row.row_at + proj.pre.size])

    def _stored(self, proj: Projection) -> Floats:
        """The projection's part of the weight array."""
        arrays = self.compiled.arrays
        q = self._projection_index[proj.name]
        last = q + 1 == arrays.projs.size
        return arrays.weight[arrays.projs[q].w_at : None if last else arrays.projs[q + 1].w_at]

    def _sample(self, t: float) -> None:
        """Take the samples that are due now."""
        for k, what in self.recording.due(t):
            if isinstance(what, StateSampling):
                values = {v: self.state(what.population, v) for v in what.variables}
                self.recording.add_sample(k, t, values)
            else:
                self.recording.add_sample(k, t, self.weights(what.projection))


def _stream(seed: int, name: str) -> Callable[[int], np.random.Generator]:
    """The random streams of a source, by chunk."""
    return lambda chunk: generator(seed, "source", name, counter=chunk)
