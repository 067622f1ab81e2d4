"""Running a network: the compiled engine behind a small object."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.compile import CompiledNetwork
from simulator.engine import Engine
from simulator.errors import SimulationError
from simulator.interrupt import HeldInterrupt
from simulator.network import Network, Population, Projection, StateSampling
from simulator.reading import check_variable, get_weights, put_weights, read_state
from simulator.recorder import Recording
from simulator.saving import restore_engine, save_engine

__all__ = ["Simulation"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


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
        self.network = network
        self.recording = Recording(network)
        self._engine = Engine(network, self.recording.add_spikes)

    # -- running -----------------------------------------------------------------------------

    @property
    def compiled(self) -> CompiledNetwork:
        """The network as arrays."""
        return self._engine.compiled

    @property
    def time(self) -> float:
        """Time reached, in ms."""
        return self._engine.time

    @property
    def deliveries(self) -> int:
        """Spikes delivered to synapses so far."""
        return int(self._engine.state.engine[0].deliveries)

    def run(self, until: float) -> None:
        """Handle all events up to and including time ``until`` (ms).

        Ctrl-C ends a run at the end of the instant that it is at: the state is then that of a run
        up to :attr:`time`, which can be read, saved and continued with the bits of a run that was
        not interrupted.

        Raises
        ------
        SimulationError
            When ``until`` is no finite time or lies in the past, or when spikes travel round a
            loop without delay for ever; the message names the loop.
        KeyboardInterrupt
            After Ctrl-C.
        """
        if not math.isfinite(until):
            raise SimulationError(f"run(until={until}): a finite time in ms is needed")
        if until < self.time:
            raise SimulationError(
                f"run(until={until}): the simulation is at {self.time} ms and cannot go back"
            )
        self._engine.get_ready()
        with HeldInterrupt() as interrupt:
            while True:
                sample = self.recording.next_sample()
                target = min(sample, until)
                self._engine.advance(target, interrupt)
                if self.time == sample:
                    self._sample(sample)
                interrupt.deliver()
                if self.time == until and sample > until:
                    break
            self._engine.drain()

    # -- saving ------------------------------------------------------------------------------

    def save(self) -> dict[str, npt.NDArray[Any]]:
        """The whole state as arrays (for ``numpy.savez``): states, weights, traces, spikes in
        flight, the place in the sources.  What was recorded is not part of it."""
        return save_engine(self._engine)

    def restore(self, saved: Mapping[str, npt.NDArray[Any]]) -> None:
        """Continue from a saved state of the same network; the run goes on bit for bit.

        Raises
        ------
        SimulationError
            When ``saved`` is not a saved state or belongs to another network.
        """
        restore_engine(self._engine, saved)
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

    def _sample(self, t: float) -> None:
        """Take the samples that are due now."""
        for k, what in self.recording.due(t):
            if isinstance(what, StateSampling):
                values = {v: self.state(what.population, v) for v in what.variables}
                self.recording.add_sample(k, t, values)
            else:
                self.recording.add_sample(k, t, self.weights(what.projection))
