"""Running a network: the compiled engine behind a small object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.compile import CompiledNetwork
from simulator.control import Controlled
from simulator.engine import Engine
from simulator.errors import SimulationError
from simulator.interrupt import HeldInterrupt
from simulator.network import Network, Population, Projection, StateSampling
from simulator.reading import check_variable, get_weights, put_weights, read_state
from simulator.recorder import Recording
from simulator.saving import check_entries, restore_engine, save_engine

__all__ = ["Simulation"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Simulation(Controlled):
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
        super().__init__(network)
        self.recording = Recording(network)
        self._engine = Engine(network, self._take_spikes)

    @property
    def compiled(self) -> CompiledNetwork:
        """The network as arrays."""
        return self._engine.compiled

    @property
    def deliveries(self) -> int:
        """Spikes delivered to synapses so far."""
        return int(self._engine.state.engine[0].deliveries)

    # -- running (see Controlled) ------------------------------------------------------------

    def _now(self) -> float:
        return self._engine.time

    def _get_ready(self) -> None:
        self._engine.get_ready()

    def _advance(self, until: float, interrupt: HeldInterrupt) -> None:
        self._engine.advance(until, interrupt)
        self._engine.drain()

    def _watch(self, k: int, watched: bool) -> None:
        pop = self.compiled.arrays.pops[k]
        pop.watched = watched
        pop.recorded = watched or self.recording.is_recorded(k)

    def _take_spikes(self, times: Floats, neurons: Ints, pops: Ints) -> None:
        """Hand on a piece of spikes to the recorder and to those who wait for them."""
        self.recording.add_spikes(times, neurons, pops)
        for k in np.flatnonzero(self.compiled.arrays.pops.watched):
            if np.any(pops == k):
                self._schedule.spiked(int(k), neurons[pops == k])

    def _next_sample(self) -> float:
        return self.recording.next_sample()

    def _sample(self) -> None:
        t = self.time
        if self.recording.next_sample() > t:
            return
        for k, what in self.recording.due(t):
            if isinstance(what, StateSampling):
                values = {v: self.state(what.population, v) for v in what.variables}
                self.recording.add_sample(k, t, values)
            else:
                self.recording.add_sample(k, t, self.weights(what.projection))

    # -- saving ------------------------------------------------------------------------------

    def save(self) -> dict[str, npt.NDArray[Any]]:
        """The whole state as arrays (for ``numpy.savez``): states, weights, traces, spikes in
        flight, the place in the sources and in the schedule of calls.

        What was recorded is not part of it, and neither are the functions that a run calls: a new
        simulation that asks for the same calls in the same order makes those that are ahead.
        """
        return {**save_engine(self._engine), **self._schedule.save()}

    def restore(self, saved: Mapping[str, npt.NDArray[Any]]) -> None:
        """Continue from a saved state of the same network; the run goes on bit for bit.

        Raises
        ------
        SimulationError
            When ``saved`` is not a saved state or belongs to another network.
        """
        self._refuse_inside_a_call("restore()")
        check_entries(saved, self.save())
        restore_engine(self._engine, saved)
        self._schedule.restore(saved, self.time)
        self.recording.skip_to(self.time)

    # -- reading and changing ----------------------------------------------------------------

    def spikes(self, population: Population | str) -> tuple[Floats, Ints]:
        """Recorded spikes of a population: times (ms) and neurons, in order.

        Raises
        ------
        NetworkError
            When the population does not exist or its spikes are not recorded.
        """
        self._engine.drain()
        return self.recording.spikes(self.network.find_population(population).name)

    def state(self, population: Population | str, variable: str) -> Floats:
        """A state variable of every neuron at the present time; reading disturbs nothing."""
        pop = self.network.find_population(population)
        model = check_variable(pop, variable)
        values: Floats = read_state(self._engine, pop)[list(model.state).index(variable)]
        return values

    def weights(self, projection: Projection | str) -> Floats:
        """Present weights: a matrix (pre, post) for all-to-all, else (n_synapses,) as described.

        The diagonal of an all-to-all projection without self connections holds no synapses; its
        entries mean nothing.
        """
        return get_weights(self.compiled, self.network.find_projection(projection))

    def set_weights(self, projection: Projection | str, values: npt.ArrayLike) -> None:
        """Replace the weights of a projection, in the shape of :meth:`weights`.

        Raises
        ------
        SimulationError
            For the wrong number of values, values that are not finite, or a projection that was
            described with one weight for all.
        """
        put_weights(self.compiled, self.network.find_projection(projection), values)

    def set_learning(self, projection: Projection | str, learning: bool) -> None:
        """Switch the plasticity of a projection off or on again; its traces rest meanwhile."""
        proj = self.network.find_projection(projection)
        if proj.rule is None or not proj.rule.learns():
            raise SimulationError(f"projection {proj.name!r} has no rule that changes its weights")
        q = list(self.network.projections).index(proj.name)
        self.compiled.arrays.projs.learns[q] = learning
