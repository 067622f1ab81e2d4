"""Running a network, and what a run does between its events; the base of both engines."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.errors import NetworkError, SimulationError
from simulator.interrupt import HeldInterrupt
from simulator.model import NeuronModel
from simulator.network import Network, Population
from simulator.schedule import Call, Schedule
from simulator.sources import check_rates, check_spike_times
from simulator.trials import Incoming, Trials

__all__ = ["Controlled"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Controlled:
    """What is asked of a run, whichever engine handles its events.

    A function that is called at time t finds the network as it is between ``run(t)`` and whatever
    comes after: all events up to and including t are handled, those of spikes that travel without
    delay as well, and samples that are due at t are taken.  It may read states and spikes, set
    weights, switch learning, ask for further calls, save, and :meth:`stop` the run.  At one instant
    calls on spikes come first, by population, then calls at the time, each in the order in which
    they were asked for.

    When a function raises, the exception leaves :meth:`run` and the simulation stands at that
    instant; the next run makes the calls of the instant that are left and goes on.
    """

    network: Network
    _trials: Trials

    def __init__(self, network: Network) -> None:
        self.network = network
        self._schedule = Schedule()
        self._running = False

    @property
    def time(self) -> float:
        """Time reached, in ms."""
        return self._now()

    def run(self, until: float) -> None:
        """Handle all events up to and including time ``until`` (ms).

        Ctrl-C ends a run at the end of the instant that it is at: the state is then that of a run
        up to :attr:`time`, which can be read, saved and continued with the bits of a run that was
        not interrupted.

        Raises
        ------
        SimulationError
            When ``until`` is no finite time or lies in the past, when spikes travel round a loop
            without delay for ever (the message names the loop), or inside a call of a run.
        KeyboardInterrupt
            After Ctrl-C.
        """
        if not math.isfinite(until):
            raise SimulationError(f"run(until={until}): a finite time in ms is needed")
        if until < self.time:
            raise SimulationError(
                f"run(until={until}): the simulation is at {self.time} ms and cannot go back"
            )
        self._refuse_inside_a_call("run()")
        self._get_ready()
        self._schedule.stopped, self._running = False, True
        try:
            with HeldInterrupt() as interrupt:
                self._run(until, interrupt)
        finally:
            self._running = False

    def _run(self, until: float, interrupt: HeldInterrupt) -> None:
        schedule = self._schedule
        while True:
            planned = min(schedule.next_time(), self._next_sample(), self._trials.next_time())
            next_stop = max(self.time, planned)
            self._advance(min(next_stop, until), interrupt)
            self._sample()
            interrupt.deliver()
            self._learn_from_trials()
            made = schedule.make(self.time, interrupt.lifted)
            if schedule.stopped or (self.time == until and not made):
                return

    # -- trials ------------------------------------------------------------------------------

    def trial(
        self, duration: float, inputs: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]]
    ) -> None:
        """Run for ``duration`` (ms) from now, with spikes that are given for this trial.

        ``inputs`` holds, by population, what :meth:`inject` takes, with times from the start of the
        trial.  What a trial begins with is that in which the last one ended, unless it is set:
        see ``set_state`` and ``forget``.
        """
        start = self.time
        if not (math.isfinite(duration) and duration >= 0.0):
            raise SimulationError(f"trial(duration={duration}): a time in ms >= 0 is needed")
        for population, (times, neurons) in inputs.items():
            self.inject(population, start + np.asarray(times, np.float64), neurons)
        self.run(start + duration)

    def inject(
        self, population: Population | str, times: npt.ArrayLike, neurons: npt.ArrayLike
    ) -> None:
        """Have channels of a source spike at further times (ms), beside what it does by itself.

        A spike at the present time is handled by the next run, before anything later.

        Raises
        ------
        SimulationError
            For a population that is no source, times that are not finite or in the past, channels
            that it does not have, or a second spike of a channel at one instant.
        """
        pop = self.network.find_population(population)
        if not pop.is_source:
            raise SimulationError(
                f"population {pop.name!r} is no spike source; describe one, SpikeTimes([]) for "
                "example, and connect it"
            )
        when = np.atleast_1d(np.asarray(times, np.float64))
        which = np.atleast_1d(np.asarray(neurons))
        if when.shape != which.shape or when.ndim != 1 or (which.size and which.dtype.kind != "i"):
            raise SimulationError(
                f"inject() into {pop.name!r}: times of shape {when.shape} and neurons of shape "
                f"{which.shape} and type {which.dtype}; as many times as integers are needed"
            )
        try:
            check_spike_times(pop.name, when, which, pop.size)
        except NetworkError as error:
            raise SimulationError(f"inject(): {error}") from None
        if when.size and when.min() < self.time:
            raise SimulationError(
                f"inject() into {pop.name!r}: {when.min()} ms is in the past; the simulation is at "
                f"{self.time} ms"
            )
        self._inject(when, which.astype(np.int64) + self.network.first_neuron(pop))

    def set_rates(
        self, population: Population | str, rate_hz: npt.ArrayLike, duration: float = math.inf
    ) -> None:
        """Have a Poisson source spike at other rates (Hz) from now on, in the place of its own.

        After ``duration`` (ms) it is silent until rates are set again.  The spikes are as
        independent of those before as two chunks of a Poisson train are: their random numbers
        follow from the seed, the population and how often its rates were set.

        Parameters
        ----------
        population
            A source with rates.
        rate_hz
            One for all neurons, or one for each; >= 0, Hz.
        duration
            How long they hold, ms, > 0.

        Raises
        ------
        SimulationError
            For a population without rates, rates that are negative, not finite or of the wrong
            number, or a duration that is not above 0.
        """
        pop = self.network.find_population(population)
        rates = check_rates(pop, rate_hz, duration)
        self._set_rates(pop.name, rates, self.time, self.time + duration)

    # -- trials that are judged ---------------------------------------------------------------

    def begin_trial(self, population: Population | str) -> int:
        """Say that a trial of a population begins, for rules that learn from a whole one
        (:class:`simulator.TrialRule`); the trial before it, if it runs, ends.

        What has happened at the present instant belongs to the trial that ends, what happens from
        here on to the one that begins: spikes that arrive, wherever they come from, and spikes of
        the population.  The present state is part of the record; set or ``forget`` what is not to
        be carried over before the trial, or at the same instant.

        Returns
        -------
        int
            The number of the trial, 0, 1, 2, ...

        Raises
        ------
        SimulationError
            When no projection onto the population has such a rule.
        """
        pop = self.network.find_population(population)
        self._hand_out_spikes()
        return self._trials.begin(pop, self.time, self._whole_state(pop))

    def feedback(
        self,
        population: Population | str,
        labels: npt.ArrayLike | None,
        trial: int | None = None,
        delay: float = 0.0,
    ) -> None:
        """Say how a trial should have gone: the rules of the population's inputs act.

        The trial ends now if it runs.  The feedback comes after ``delay`` (ms), when later trials
        may have begun; it is an event of the run, behind all that happens at its instant and before
        functions that are called.  The spikes that the trial needs are kept until then.

        Parameters
        ----------
        population
            Whose trial it is.
        labels
            What its rules compare with, one for each neuron or one for all; None judges nothing and
            has the trial forgotten.
        trial
            The number of the trial; by default the earliest that waits for feedback.
        delay
            Until it comes, ms, >= 0.

        Raises
        ------
        SimulationError
            When no such trial waits, a state variable was set within it, the labels are not finite
            or of the wrong number, or the delay is no finite time >= 0.
        ModelError
            For labels that a rule refuses.
        """
        pop = self.network.find_population(population)
        if not (math.isfinite(delay) and delay >= 0.0):
            raise SimulationError(f"feedback(delay={delay}): a time in ms >= 0 is needed")
        self._hand_out_spikes()
        self._trials.ask(pop, labels, trial, self.time + delay, self.time)
        if self._trials.next_time() == self.time:
            self._learn_from_trials()

    def _learn_from_trials(self) -> None:
        if self._trials.next_time() <= self.time:
            self._hand_out_spikes()
            self._trials.learn(self.time, self._weights_into, self._put_weights_into)

    def _whole_state(self, pop: Population) -> Floats:
        """All state variables, (variables, neurons)."""
        model = pop.model
        variables = list(model.state) if isinstance(model, NeuronModel) else []
        return np.array([self.state(pop, variable) for variable in variables])

    def _state_was_set(self, pop: Population) -> None:
        self._trials.disturb(pop, self.time, lambda: self._whole_state(pop))

    # -- calls -------------------------------------------------------------------------------

    def at(self, t: float, function: Callable[[float], Any]) -> Call:
        """Call ``function(t)`` at time ``t`` (ms).

        Returns
        -------
        Call
            Its ``cancel()`` takes it off the schedule.

        Raises
        ------
        SimulationError
            For a time that is not finite or lies in the past.
        """
        self._refuse_past("at", t)
        return self._schedule.add_time(function, float(t), math.inf)

    def every(
        self, interval: float, function: Callable[[float], Any], start: float | None = None
    ) -> Call:
        """Call ``function(t)`` at ``start`` + k ``interval`` (ms), k = 0, 1, 2, ...

        ``start`` is one interval from now unless it is given.

        Raises
        ------
        SimulationError
            For an interval that is not finite or not above 0, or a start in the past.
        """
        if not (math.isfinite(interval) and interval > 0.0):
            raise SimulationError(f"every(interval={interval}): an interval in ms > 0 is needed")
        first = self.time + interval if start is None else float(start)
        self._refuse_past("every", first)
        return self._schedule.add_time(function, first, float(interval))

    def on_spike(
        self, population: Population | str, function: Callable[[float, Ints], Any]
    ) -> Call:
        """Call ``function(t, neurons)`` whenever neurons of a population spike.

        Once an instant, with all neurons that spike at it, by index; where spikes travel without
        delay, neurons of a later round come behind those of an earlier one.

        Raises
        ------
        NetworkError
            When there is no such population.
        """
        k = self.network.population_number(population)
        return self._schedule.add_population(function, k, self._watch)

    def stop(self) -> None:
        """End the run after the calls of this instant; asked for by a function that it calls."""
        self._schedule.stopped = True

    def _refuse_past(self, method: str, t: float) -> None:
        if not math.isfinite(t):
            raise SimulationError(f"{method}(): {t} ms is no finite time")
        if t < self.time:
            raise SimulationError(
                f"{method}(): {t} ms is in the past; the simulation is at {self.time} ms"
            )

    def _refuse_inside_a_call(self, what: str) -> None:
        if self._running:
            raise SimulationError(
                f"{what} inside a function that a run calls; stop() the run and do it then"
            )

    # -- what an engine does -----------------------------------------------------------------

    def state(self, population: Population | str, variable: str) -> Floats:
        """A state variable of every neuron at the present time."""
        raise NotImplementedError

    def _hand_out_spikes(self) -> None:
        """Give the trials all spikes up to now."""

    def _weights_into(self, projection: Incoming) -> Floats:
        """Present weights, in its order."""
        raise NotImplementedError

    def _put_weights_into(self, projection: Incoming, weights: Floats) -> None:
        """Replace them."""
        raise NotImplementedError

    def _now(self) -> float:
        raise NotImplementedError

    def _advance(self, until: float, interrupt: HeldInterrupt) -> None:
        """Handle events up to ``until`` (ms), or up to the end of the first instant at which a
        watched population spikes or an interrupt is pending."""
        raise NotImplementedError

    def _watch(self, k: int, watched: bool) -> None:
        """End :meth:`_advance` at spikes of population number ``k``, and report them; or do not."""
        raise NotImplementedError

    def _inject(self, times: npt.NDArray[np.float64], neurons: Ints) -> None:
        """Have sources spike, by global number."""
        raise NotImplementedError

    def _set_rates(self, name: str, hz: npt.NDArray[np.float64], start: float, stop: float) -> None:
        """Have a source spike at these rates from ``start``, which is now, until ``stop`` (ms)."""
        raise NotImplementedError

    def _get_ready(self) -> None:
        """Whatever takes long and may be interrupted anywhere."""

    def _next_sample(self) -> float:
        """Time of the next sample, ms."""
        return math.inf

    def _sample(self) -> None:
        """Take the samples that are due now."""
