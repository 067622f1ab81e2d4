"""Running a network: the compiled engine behind a small object."""

from __future__ import annotations

import math
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.boundary import (
    checked_state,
    clear_in_flight,
    clear_traces,
    put_state,
    raised_level,
)
from simulator.compile import CompiledNetwork
from simulator.control import Controlled
from simulator.engine import Engine
from simulator.errors import SimulationError
from simulator.interrupt import HeldInterrupt
from simulator.modulation import catch_up, modulate, settled_weights
from simulator.network import Network, Population, Projection
from simulator.normalise import normalise
from simulator.reading import check_variable, get_weights, put_weights, read_state
from simulator.recorder import Recording
from simulator.recorders import StateSampling
from simulator.saving import (
    check_entries,
    read_state_file,
    restore_engine,
    save_engine,
    write_state,
)
from simulator.trials import Incoming, Trials, has_trials
from simulator.workers import make_engine

__all__ = ["Simulation"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Simulation(Controlled):
    """A network that runs.

    Parameters
    ----------
    network : Network
        Compiled once, here; later changes to the description have no effect.
    workers : int, optional
        Threads that share the work; as many as there are cores where that pays, else one.  Results
        are the same, bit for bit, for every number.  Functions to be called on spikes, what is
        changed between trials, and rules that learn from trials need one.

    Notes
    -----
    ``run(a); run(b)`` gives the same bits as ``run(b)``: time is only a limit up to which events
    are handled, never a cut in the integration of a neuron.
    """

    def __init__(self, network: Network, workers: int | None = None) -> None:
        super().__init__(network)
        if has_trials(network):
            workers = 1
        self._engine: Engine = self._make_engine(network.as_it_is(), workers)
        self._trials = Trials(self.compiled)
        self.compiled.arrays.pops.recorded[self._trials.seen] = True
        sampled = {plan.projection for plan in network.recorders.weights}
        self.recording = Recording(network, {name: self.weights(name).shape for name in sampled})

    def _make_engine(self, network: Network, workers: int | None) -> Engine:
        return make_engine(network, self._take_spikes, self._take_changes, workers)

    @property
    def compiled(self) -> CompiledNetwork:
        """The network as arrays."""
        return self._engine.compiled

    @property
    def deliveries(self) -> int:
        """Spikes delivered to synapses so far."""
        return self._engine.deliveries

    @property
    def workers(self) -> int:
        """Threads that share the work: 1 where the network cannot be shared out."""
        return self._engine.workers

    # -- running (see Controlled) ------------------------------------------------------------

    def _now(self) -> float:
        return self._engine.time

    def _get_ready(self) -> None:
        self._engine.get_ready()

    def _advance(self, until: float, interrupt: HeldInterrupt) -> None:
        self._engine.advance(until, interrupt)
        self._engine.drain()
        self._sample_events()

    def _run(self, until: float, interrupt: HeldInterrupt) -> None:
        super()._run(until, interrupt)
        self.recording.flush()

    def _watch(self, k: int, watched: bool) -> None:
        name = list(self.network.populations)[k]
        if name in self.compiled.drawn_alone:
            raise SimulationError(
                f"the spikes of {name!r} are drawn by their targets, and nobody sees them as they "
                "happen; connect them with explicit(range(n), range(n)) instead of one_to_one()"
            )
        if watched:  # several workers would be past the spike when it is seen
            self._be_alone()
        pop = self.compiled.arrays.pops[k]
        pop.watched = watched
        pop.recorded = watched or self.recording.is_recorded(k) or k in self._trials.seen

    def _take_spikes(self, times: Floats, neurons: Ints, pops: Ints) -> None:
        """Hand on a piece of spikes to the recorder and to those who wait for them."""
        self.recording.add_spikes(times, neurons, pops)
        self._trials.take(times, neurons, pops, self.time)
        for k in np.flatnonzero(self.compiled.arrays.pops.watched):
            if np.any(pops == k):
                self._schedule.spiked(int(k), neurons[pops == k])

    def _next_sample(self) -> float:
        return self.recording.next_sample()

    def _sample(self) -> None:
        t = self.time
        if self.recording.next_sample() > t:
            return
        for plan in self.recording.due(t):
            if isinstance(plan, StateSampling):
                values = [self.state(plan.population, v) for v in plan.variables]
                self.recording.add_state(plan.population, t, values)
            else:
                self.recording.add_weights(plan.projection, t, self.weights(plan.projection))

    def _sample_events(self) -> None:
        """Read the neurons that the instant has reached."""
        reached = self._engine.take_reached()
        if reached.size == 0:
            return
        for plan in self.network.recorders.events:
            pop = self.network.populations[plan.population]
            lo = self.compiled.arrays.pops.lo[self.network.population_number(pop)]
            mine = reached[(reached >= lo) & (reached < lo + pop.size)] - lo
            if mine.size:
                variables = list(check_variable(pop, plan.variables[0]).state)
                rows = [variables.index(v) for v in plan.variables]
                values = [read_state(self._engine, pop, i, i + 1)[rows, 0] for i in mine.tolist()]
                self.recording.add_events(pop.name, self.time, mine, np.array(values).T)

    def _take_changes(self, times: Floats, synapses: Ints, weights: Floats) -> None:
        """Hand on changes of weights, by projection; within an instant by synapse."""
        first = self.compiled.arrays.projs.w_at
        owner = np.searchsorted(first, synapses, side="right") - 1
        for q in np.unique(owner):
            name = list(self.network.projections)[q]
            mine, order = owner == q, self.compiled.orders[name]
            stored = synapses[mine] - first[q]
            described = stored if order is None else order[stored]
            by_time = np.lexsort((described, times[mine]))
            self.recording.add_changes(
                name, times[mine][by_time], described[by_time], weights[mine][by_time]
            )

    def record_to(self, path: str | PathLike[str], resume: bool = False) -> None:
        """Record to an HDF5 file from here on; memory then does not grow with time.

        What was recorded so far is put there first.  The layout is that of
        :mod:`simulator.recorder`; rows are flushed about every second and at the end of a run, and
        what was flushed survives a kill.

        Parameters
        ----------
        path
            The file; it must not exist, unless it is to be resumed.
        resume
            Go on with an existing file: what it holds after the present time is dropped.

        Raises
        ------
        DataError
            When the file exists or is damaged, or a name cannot be that of a group.
        """
        self._engine.drain()
        self.recording.open(Path(path), self._behind(), resume)

    def _behind(self) -> float:
        """The time (ms) up to which everything has happened; -inf before the first run."""
        return self.time if self._engine.has_run else -math.inf

    # -- saving ------------------------------------------------------------------------------

    def save(self, path: str | PathLike[str] | None = None) -> dict[str, npt.NDArray[Any]]:
        """The whole state as arrays: states, weights, traces, spikes in flight, the place in the
        sources and in the schedule of calls.  With ``path``, written to that file as well.

        What was recorded is not part of it, and neither are the functions that a run calls: a new
        simulation that asks for the same calls in the same order makes those that are ahead.

        Raises
        ------
        DataError
            When the file cannot be written; one that was there before stays as it was.
        """
        saved = {**save_engine(self._engine), **self._schedule.save(), **self._trials.save()}
        if path is not None:
            write_state(Path(path), saved)
        return saved

    def restore(self, saved: Mapping[str, npt.NDArray[Any]] | str | PathLike[str]) -> None:
        """Continue from a saved state of the same network; the run goes on bit for bit.

        ``saved`` is what :meth:`save` returned or the name of a file that it wrote.  What this
        simulation recorded after the time of the state is dropped, in a file as well.

        Raises
        ------
        SimulationError
            When ``saved`` is not a saved state, or that of another network, which is named; and
            inside a call of a run.  Nothing has changed then.
        DataError
            When there is no such file or it is damaged.
        """
        self._refuse_inside_a_call("restore()")
        state = saved if isinstance(saved, Mapping) else read_state_file(Path(saved))
        check_entries(state, self.save())
        restore_engine(self._engine, state)
        self._schedule.restore(state, self.time)
        self._trials.restore(state)
        self.recording.go_to(self._behind())

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

        The diagonal of an all-to-all projection without self connections holds no synapses: it
        reads 0, whatever was drawn or set there.
        """
        proj = self.network.find_projection(projection)
        q = self.network.projection_number(proj)
        settled = settled_weights(self.compiled, self._engine.state, q, self.time)
        return get_weights(self.compiled, proj, settled)

    def set_weights(self, projection: Projection | str, values: npt.ArrayLike) -> None:
        """Replace the weights of a projection, in the shape of :meth:`weights`.

        Raises
        ------
        SimulationError
            For the wrong number of values, values that are not finite, or a projection that was
            described with one weight for all.
        """
        proj = self.network.find_projection(projection)
        before = self._weights_if_recorded(proj)
        self._settle(proj)
        put_weights(self.compiled, proj, values)
        self._record_changes(proj, before)

    def normalise_weights(self, projection: Projection | str, total: float) -> None:
        """Scale the weights into each neuron of a projection so that they add up to ``total``.

        Synaptic scaling at one instant, as between two presentations of a stimulus.  The bounds of
        the projection's rule are not imposed.

        Raises
        ------
        SimulationError
            For a total that is not finite, a neuron whose weights add up to 0, or a projection that
            was described with one weight for all.
        """
        proj = self.network.find_projection(projection)
        before = self._weights_if_recorded(proj)
        self._settle(proj)
        normalise(self.compiled, proj, total)
        self._record_changes(proj, before)

    def _weights_if_recorded(self, proj: Projection) -> Floats | None:
        return self.weights(proj) if proj.name in self.network.recorders.changes else None

    def _record_changes(self, proj: Projection, before: Floats | None) -> None:
        if before is None:
            return
        now = self.weights(proj)
        changed = np.flatnonzero(now != before)
        self._engine.drain()
        times = np.full(changed.size, self.time)
        self.recording.add_changes(proj.name, times, changed, now.ravel()[changed])
        self._engine.see_weights()

    def set_learning(self, projection: Projection | str, learning: bool) -> None:
        """Switch the plasticity of a projection off or on again; its traces go on meanwhile."""
        proj = self.network.find_projection(projection)
        if proj.rule is None or not proj.rule.learns():
            waits = proj.rule is not None and proj.rule.changes_weights()
            remedy = " as it runs; it learns from feedback(), so give none" if waits else ""
            raise SimulationError(
                f"projection {proj.name!r} has no rule that changes its weights{remedy}"
            )
        q = self.network.projection_number(proj)
        self._settle(proj)
        self.compiled.arrays.projs.learns[q] = learning

    def release(self, modulator: Population | str, amount: float) -> None:
        """Raise the concentration of a neuromodulator at the present time, as if a spike of this
        weight had just arrived.

        Raises
        ------
        SimulationError
            When the population is no modulator, or the amount no finite number.
        """
        pop = self.network.find_population(modulator)
        level = raised_level(self, pop, amount)
        self._be_alone()
        for proj in self.network.projections.values():
            if proj.modulator is pop:
                self._settle(proj, amount)
        self.set_state(pop, "z", level)

    def _settle(self, proj: Projection, amount: float = 0.0) -> None:
        """Bring modulated synapses up to date; release an amount of what they feel."""
        q = self.network.projection_number(proj)
        arrays = self.compiled.arrays
        modulate(self.compiled, arrays, self._engine.state, q, amount, self.time)

    def set_state(self, population: Population | str, variable: str, values: npt.ArrayLike) -> None:
        """Set a state variable, for all neurons or one by one, at the present time.

        A neuron that is refractory stays so, and what its model holds meanwhile stays held.  One
        whose potential is set above threshold spikes at once; exactly at it, rounding decides.

        Raises
        ------
        SimulationError
            For a variable that the population does not have, or values that are not finite or of
            the wrong number.
        """
        pop = self.network.find_population(population)
        check_variable(pop, variable)
        checked = checked_state(pop, variable, values)
        self._be_alone()
        put_state(self._engine, pop, variable, checked)
        for q, proj in enumerate(self.network.projections.values()):
            if proj.modulator is pop:
                self._settle(proj)
                self._engine.state.projs.level[q] = checked[0]
        self._state_was_set(pop)

    def forget(self, traces: bool = True, in_flight: bool = True) -> None:
        """Set all synaptic traces to zero, and drop the spikes that have not arrived."""
        self._be_alone()
        if traces:
            # Modulated synapses know from their traces up to when they have drifted.
            for proj in self.network.projections.values():
                self._settle(proj)
            clear_traces(self._engine)
        if in_flight:
            for q in range(len(self.network.projections)):
                catch_up(self.compiled, self._engine.state, q, self.time)
            self._hand_out_spikes()
            clear_in_flight(self._engine)
            self._trials.cut(self.time)

    def _hand_out_spikes(self) -> None:
        self._engine.drain()

    def _weights_into(self, projection: Incoming) -> Floats:
        weights: Floats = self.compiled.arrays.weight[projection.place]
        return weights

    def _put_weights_into(self, projection: Incoming, weights: Floats) -> None:
        proj = self.network.projections[projection.name]
        before = self._weights_if_recorded(proj)
        self.compiled.arrays.weight[projection.place] = weights
        self._record_changes(proj, before)

    def _inject(self, times: Floats, neurons: Ints) -> None:
        self._be_alone()
        self._engine.inject(times, neurons)

    def _set_rates(self, name: str, hz: Floats, start: float, stop: float) -> None:
        self._be_alone()
        self._engine.set_rates(name, hz, start, stop)

    def _be_alone(self) -> None:
        """Go on with one worker, for what the engine of several does not do."""
        if self._engine.workers > 1:
            self._engine = self._engine.alone()
