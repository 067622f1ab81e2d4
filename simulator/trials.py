"""Trials of populations whose weights change on feedback: their records, and the feedback to come.

A record is put together when it is needed, from the spikes of the populations that project here and
the delays of the synapses; the event loop takes no part in it but that it hands these spikes out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.arrays import SPARSE
from simulator.compile import CompiledNetwork
from simulator.errors import NetworkError, SimulationError
from simulator.flight_queue import synapse_delay
from simulator.model import NeuronModel
from simulator.network import Network, Population
from simulator.ragged import entries_of
from simulator.trial_log import SpikeLog
from simulator.trial_rule import TrialRecord, TrialRule

__all__ = ["Incoming", "Trial", "Trials", "has_trials"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
WeightsOf = Callable[["Incoming"], Floats]


def has_trials(network: Network) -> bool:
    """Whether a projection of the network has a rule that waits for feedback."""
    return any(isinstance(proj.rule, TrialRule) for proj in network.projections.values())


@dataclass(frozen=True)
class Incoming:
    """The synapses of a projection, as stored, without those that there are not."""

    number: int  # of the projection
    name: str
    sender: int  # number of the population
    port: int
    rule: TrialRule | None
    stream: Ints  # whose spikes: a neuron's, or on a machine those of a neuron at a core
    post: Ints
    delay: Floats  # ms
    place: Ints  # in the array of all weights


@dataclass
class Trial:
    """One trial of a population: from when to when, and which spikes may matter to it."""

    number: int
    start: float  # ms
    initial: Floats  # (variables, neurons)
    kept: Ints  # by population that is seen: the first spike that may arrive in the trial,
    first: Ints  # the first one of the trial itself,
    last: Ints  # and the first one after it, or -1
    end: float = math.inf  # ms
    disturbed: float = math.nan  # ms; when a state variable was set within it


@dataclass
class _Trained:
    """A population with such a rule."""

    pop: Population
    number: int
    incoming: list[Incoming]
    latest: float  # ms, the longest delay
    trials: list[Trial] = field(default_factory=list)
    begun: int = 0


@dataclass(frozen=True)
class _Due:
    """Feedback that is still to come."""

    t: float  # ms
    trained: int
    trial: int
    labels: Floats


class Trials:
    """What a simulation knows of trials.

    Raises
    ------
    NetworkError
        When a neuron has inputs that no record holds: spikes that its population draws for itself,
        or weights that another rule moves.
    """

    def __init__(self, compiled: CompiledNetwork) -> None:
        names = list(compiled.network.populations)
        projections = compiled.network.projections.values()
        learning = {p.post.name for p in projections if isinstance(p.rule, TrialRule)}
        self._trained = [
            _trained(compiled, pop) for name, pop in compiled.network.populations.items()
            if name in learning
        ]  # fmt: skip
        senders = {one.sender for t in self._trained for one in t.incoming}
        self.seen = sorted(senders | {names.index(name) for name in learning})
        self._net = compiled.arrays
        self._n_cores = _n_cores(compiled)
        # Of a sender on a machine there are two logs: its spikes, which are at once at its own
        # core, and what has come of them to others; the second one counts streams.
        spread = {int(row.pre) for row in self._net.projs if row.spread}
        self._carried = {k: len(self.seen) + i for i, k in enumerate(sorted(senders & spread))}
        self._logs = [SpikeLog() for _ in (*self.seen, *self._carried)]
        self._due: list[_Due] = []

    # -- spikes ------------------------------------------------------------------------------

    def take(self, times: Floats, neurons: Ints, pops: Ints, now: float) -> None:
        """Keep what matters of a piece of spikes, in the order in which they happened."""
        for k, log in zip(self.seen, self._logs, strict=False):
            mine = pops == k
            if mine.any():
                self._add(log, times[mine], neurons[mine], min(now, float(times[0])))

    def take_arrivals(self, times: Floats, neurons: Ints, cores: Ints, now: float) -> None:
        """Keep what matters of spikes that have reached other cores: when, of which neurons of the
        whole network, and which cores; in order of time."""
        for k, number in self._carried.items():
            lo, hi = int(self._net.pops.lo[k]), int(self._net.pops.hi[k])
            mine = (neurons >= lo) & (neurons < hi)
            if mine.any():
                streams = (neurons[mine] - lo) * self._n_cores + cores[mine]
                self._add(self._logs[number], times[mine], streams, min(now, float(times[0])))

    def _add(self, log: SpikeLog, times: Floats, neurons: Ints, now: float) -> None:
        log.add(times, neurons)
        if log.is_full:
            self._drop(now)

    def cut(self, now: float) -> None:
        """Spikes in flight are dropped."""
        for log in self._logs:
            log.cut(now)

    def _drop(self, now: float) -> None:
        """Forget spikes that no trial, of now or later, can ask for."""
        for i, log in enumerate(self._logs):
            needed = [log.end]
            for one in self._trained:
                needed.append(log.first_since(now - one.latest))
                needed += [int(trial.kept[i]) for trial in one.trials]
            log.drop_before(min(needed))

    # -- trials ------------------------------------------------------------------------------

    def begin(self, pop: Population, now: float, initial: Floats) -> int:
        """End the trial of a population that runs, if one does, and begin another."""
        trained = self._find(pop)
        self._end(trained, now)
        kept = [log.first_since(now - trained.latest) for log in self._logs]
        first = [log.end for log in self._logs]
        trial = Trial(
            trained.begun, now, initial, np.array(kept), np.array(first), np.full(len(first), -1)
        )
        trained.begun += 1
        trained.trials.append(trial)
        self._drop(now)
        return trial.number

    def disturb(self, pop: Population, now: float, initial: Callable[[], Floats]) -> None:
        """A state variable is set: that begins the trial anew, or spoils it."""
        for one in self._trained:
            if one.pop is pop and one.trials and math.isinf(one.trials[-1].end):
                if one.trials[-1].start == now:
                    one.trials[-1].initial = initial()
                elif math.isnan(one.trials[-1].disturbed):
                    one.trials[-1].disturbed = now

    def _end(self, trained: _Trained, now: float) -> None:
        if trained.trials and math.isinf(trained.trials[-1].end):
            trial = trained.trials[-1]
            trial.end, trial.last = now, np.array([log.end for log in self._logs])

    # -- feedback ----------------------------------------------------------------------------

    def ask(self, pop: Population, labels: Any, number: int | None, t: float, now: float) -> None:
        """Note feedback that comes at ``t`` for a trial, which has ended then."""
        trained = self._find(pop)
        due = {one.trial for one in self._due if self._trained[one.trained] is trained}
        waiting = [trial.number for trial in trained.trials if trial.number not in due]
        where = f"feedback() to {pop.name!r}"
        if number is None and not waiting:
            raise SimulationError(
                f"{where}: no trial waits for it; say where one begins with begin_trial()"
            )
        number = waiting[0] if number is None else number
        if number not in waiting:
            known = ", ".join(map(str, waiting)) or "none"
            raise SimulationError(f"{where}: trial {number} does not wait for it; there is {known}")
        trial = next(trial for trial in trained.trials if trial.number == number)
        checked = _checked_labels(trained, labels, where)
        if checked.size and trial.disturbed < min(trial.end, now):
            raise SimulationError(
                f"{where}: its state was set at {trial.disturbed} ms, inside the trial that began "
                f"at {trial.start} ms; begin_trial() when you set it, or leave it alone"
            )
        if math.isinf(trial.end):
            self._end(trained, now)
        self._due.append(_Due(t, self._trained.index(trained), number, checked))
        self._due.sort(key=lambda one: one.t)

    def next_time(self) -> float:
        """When the next feedback comes (ms)."""
        return self._due[0].t if self._due else math.inf

    def learn(
        self, now: float, weights: WeightsOf, put: Callable[[Incoming, Floats], None]
    ) -> None:
        """Apply the rules to the trials whose feedback is due."""
        while self._due and self._due[0].t <= now:
            due = self._due.pop(0)
            trained = self._trained[due.trained]
            trial = next(trial for trial in trained.trials if trial.number == due.trial)
            trained.trials.remove(trial)
            if due.labels.size:
                new = self._learned(trained, trial, due.labels, weights)
                for one, values in zip(trained.incoming, new, strict=True):
                    if one.rule is not None:
                        put(one, values)
        self._drop(now)

    def _learned(
        self, trained: _Trained, trial: Trial, labels: Floats, weights: WeightsOf
    ) -> list[Floats]:
        """New weights of the projections onto a population, all of them from the old ones."""
        model = trained.pop.model
        assert isinstance(model, NeuronModel)
        old = [weights(one) for one in trained.incoming]
        new = [values.copy() for values in old]
        spikes = [self._spikes_by_neuron(one, trial) for one in trained.incoming]
        own = self.seen.index(trained.number)
        _, fired, who, _ = self._logs[own].spikes(int(trial.first[own]), int(trial.last[own]))
        for j, label in enumerate(labels):
            mine = [np.flatnonzero(one.post == j) for one in trained.incoming]
            ends = np.cumsum([0, *(synapses.size for synapses in mine)])
            arrived = [
                _arrivals(one, synapses, sent, trial)
                for one, synapses, sent in zip(trained.incoming, mine, spikes, strict=True)
            ]
            times = np.concatenate([t for t, _ in arrived])
            synapse = np.concatenate([s + n for (_, s), n in zip(arrived, ends[:-1], strict=True)])
            order = np.lexsort((synapse, times))
            record = TrialRecord(
                times[order] - trial.start,
                synapse[order],
                np.concatenate([w[s] for w, s in zip(old, mine, strict=True)]),
                np.repeat([one.port for one in trained.incoming], np.diff(ends)),
                type(model).State(*trial.initial[:, j].tolist()),
                fired[who == j] - trial.start,
                trial.end - trial.start,
            )
            for q, one in enumerate(trained.incoming):
                if one.rule is not None:
                    told = record._replace(weights=record.weights.copy())
                    result = one.rule.on_feedback(
                        told, float(label), model.parameters, one.rule.parameters
                    )
                    _check_result(one, trained.pop, j, result, record.weights.size)
                    new[q][mine[q]] = result[ends[q] : ends[q + 1]]
        return new

    def _spikes_by_neuron(self, one: Incoming, trial: Trial) -> tuple[Ints, Floats, Any, Floats]:
        """Of what a projection sends: first spike of each stream; then time, whether it is of the
        trial itself, and cut of each spike."""
        k = self.seen.index(one.sender)
        streams, *columns = self._since(k, trial)
        if one.sender in self._carried:
            lo, hi = int(self._net.pops.lo[one.sender]), int(self._net.pops.hi[one.sender])
            streams = streams * self._n_cores + self._net.home[lo:hi][streams]
            more, *others = self._since(self._carried[one.sender], trial)
            streams = np.concatenate([streams, more])
            columns = [np.concatenate(both) for both in zip(columns, others, strict=True)]
        order = np.argsort(streams, kind="stable")
        most = int(one.stream.max(initial=0)) + 2
        first = np.searchsorted(streams[order], np.arange(most))
        times, own, cuts = (column[order] for column in columns)
        return first, times, own, cuts

    def _since(self, log: int, trial: Trial) -> tuple[Ints, Floats, Any, Floats]:
        """What a log holds for a trial: stream, time, whether it is of the trial itself, cut."""
        numbers, times, streams, cuts = self._logs[log].spikes(
            int(trial.kept[log]), int(trial.last[log])
        )
        return streams, times, numbers >= trial.first[log], cuts

    def _find(self, pop: Population) -> _Trained:
        for one in self._trained:
            if one.pop is pop:
                return one
        known = ", ".join(repr(one.pop.name) for one in self._trained) or "no population"
        raise SimulationError(
            f"population {pop.name!r} has no trials: no projection to it has a rule for them, "
            f"as AggregateLabel is; {known} has"
        )

    # -- saving ------------------------------------------------------------------------------

    def save(self) -> dict[str, npt.NDArray[Any]]:
        """Spikes, trials and feedback to come; nothing where there are no trials."""
        if not self._trained:
            return {}
        held = [log.spikes() for log in self._logs]
        trials = [(k, t) for k, one in enumerate(self._trained) for t in one.trials]
        marks = [np.array([t.kept, t.first, t.last]).ravel() for _, t in trials]
        return {
            "trials/dropped": np.array([log.dropped for log in self._logs]),
            "trials/held": np.array([one[1].size for one in held]),
            "trials/times": np.concatenate([one[1] for one in held]),
            "trials/neurons": np.concatenate([one[2] for one in held]),
            "trials/cuts": np.concatenate([one[3] for one in held]),
            "trials/begun": np.array([one.begun for one in self._trained]),
            "trials/numbers": np.array([(k, t.number) for k, t in trials], np.int64).ravel(),
            "trials/when": np.array(
                [(t.start, t.end, t.disturbed) for _, t in trials], np.float64
            ).ravel(),
            "trials/marks": np.concatenate([np.empty(0, np.int64), *marks]),
            "trials/initial": np.concatenate(
                [np.empty(0), *(t.initial.ravel() for _, t in trials)]
            ),
            "trials/due": np.array(
                [(one.trained, one.trial, one.labels.size) for one in self._due], np.int64
            ).ravel(),
            "trials/due_at": np.array([one.t for one in self._due], np.float64),
            "trials/labels": np.concatenate([np.empty(0), *(one.labels for one in self._due)]),
        }

    def restore(self, saved: Mapping[str, npt.NDArray[Any]]) -> None:
        """Stand where :meth:`save` found it."""
        if not self._trained:
            return
        ends = np.cumsum(saved["trials/held"])[:-1]
        columns = (np.split(saved[f"trials/{name}"], ends) for name in ("times", "neurons", "cuts"))
        dropped = saved["trials/dropped"].tolist()
        for log, n, *parts in zip(self._logs, dropped, *columns, strict=True):
            log.replace(n, *parts)
        for one, begun in zip(self._trained, saved["trials/begun"].tolist(), strict=True):
            one.begun, one.trials = begun, []
        used = 0
        for (k, number), (start, end, disturbed), marks in zip(
            saved["trials/numbers"].reshape(-1, 2).tolist(),
            saved["trials/when"].reshape(-1, 3).tolist(),
            saved["trials/marks"].reshape(-1, 3, len(self._logs)),
            strict=True,
        ):
            pop = self._trained[k].pop
            assert isinstance(pop.model, NeuronModel)
            shape = len(pop.model.state), pop.size
            initial = np.array(saved["trials/initial"][used : used + shape[0] * shape[1]])
            used += initial.size
            kept, first, last = np.array(marks)
            self._trained[k].trials.append(
                Trial(number, start, initial.reshape(shape), kept, first, last, end, disturbed)
            )
        due = saved["trials/due"].reshape(-1, 3).tolist()
        labels = np.split(saved["trials/labels"], np.cumsum([n for _, _, n in due])[:-1])
        self._due = [
            _Due(t, k, number, np.array(one))
            for (k, number, _), t, one in zip(
                due, saved["trials/due_at"].tolist(), labels, strict=False
            )
        ]


def _trained(compiled: CompiledNetwork, pop: Population) -> _Trained:
    incoming = []
    for q, proj in enumerate(compiled.network.projections.values()):
        if proj.post is not pop:
            continue
        where = f"population {pop.name!r} has trials, and projection {proj.name!r}"
        if proj.pre.name in compiled.drawn_alone:
            raise NetworkError(
                f"{where} brings spikes that its neurons draw for themselves; connect it with "
                "explicit(range(n), range(n)) instead of one_to_one()"
            )
        if proj.rule is not None and not isinstance(proj.rule, TrialRule):
            raise NetworkError(
                f"{where} has the rule {type(proj.rule).__name__}; all weights of a neuron that "
                "learns from trials are constant within one, so give it another rule or none"
            )
        incoming.append(_incoming(compiled, q, proj.rule))
    delays = [float(one.delay.max(initial=0.0)) for one in incoming]
    number = compiled.network.population_number(pop)
    return _Trained(pop, number, incoming, max(delays, default=0.0))


def _incoming(compiled: CompiledNetwork, q: int, rule: TrialRule | None) -> Incoming:
    arrays, row = compiled.arrays, compiled.arrays.projs[q]
    proj = list(compiled.network.projections.values())[q]
    n_pre, n_post = proj.pre.size, proj.post.size
    if row.kind == SPARSE:
        ends = arrays.row_ptr[row.row_at : row.row_at + n_pre * row.stride + 1 : row.stride]
        stored = np.arange(int(ends[0]), int(ends[-1]))
        pre = np.repeat(np.arange(n_pre), np.diff(ends))
        post = arrays.syn_post[row.post_at + stored].astype(np.int64)
    else:
        pre, post = (part.ravel() for part in np.indices((n_pre, n_post)))
        stored = np.arange(n_pre * n_post)
        if row.no_self:
            stored = stored[pre != post]
            pre, post = pre[stored], post[stored]
    if np.isnan(row.delay):
        delay = np.array([synapse_delay(arrays, q, int(s)) for s in stored], np.float64)
    else:
        delay = np.full(stored.size, float(row.delay))
    place = int(row.w_at) + (np.zeros_like(stored) if row.same else stored)
    sender = int(row.pre)
    stream = pre
    if row.spread:
        home = arrays.home[arrays.pops.lo[row.post] : arrays.pops.hi[row.post]]
        stream = pre * _n_cores(compiled) + home[post]
    return Incoming(q, proj.name, sender, proj.port, rule, stream, post, delay, place)


def _n_cores(compiled: CompiledNetwork) -> int:
    """Cores of the machine that the network is spread over, as far as they are used."""
    return int(compiled.arrays.home.max(initial=-1)) + 1


def _arrivals(
    one: Incoming, synapses: Ints, sent: tuple[Ints, Floats, Any, Floats], trial: Trial
) -> tuple[Floats, Ints]:
    """Arrivals at some synapses within a trial: times (ms), and which of them."""
    first, times, own, cuts = sent
    which, spike = entries_of(first, one.stream[synapses])
    t = times[spike] + one.delay[synapses][which]
    # At its first and its last instant the order of the calls decides.
    within = np.where(own[spike], t >= trial.start, t > trial.start)
    within &= (t <= trial.end) & (t <= cuts[spike])
    return t[within], which[within]


def _checked_labels(trained: _Trained, labels: Any, where: str) -> Floats:
    """One finite label a neuron, from as many or one; none at all from None."""
    if labels is None:
        return np.empty(0)
    given = np.asarray(labels, np.float64)
    size = trained.pop.size
    if given.shape not in ((), (size,)):
        raise SimulationError(
            f"{where}: labels of shape {given.shape}; one for all, or one for each of the {size} "
            "neurons, is needed"
        )
    if not np.all(np.isfinite(given)):
        raise SimulationError(f"{where}: labels {given}; finite numbers are needed")
    given = np.array(np.broadcast_to(given, size))
    for one in trained.incoming:
        if one.rule is not None:
            one.rule.check_labels(given)
    return given


def _check_result(one: Incoming, pop: Population, j: int, result: Any, size: int) -> None:
    what = f"{type(one.rule).__name__} of projection {one.name!r}, neuron {j} of {pop.name!r}"
    if not isinstance(result, np.ndarray) or result.shape != (size,):
        shape = getattr(result, "shape", type(result).__name__)
        raise SimulationError(f"{what}: on_feedback() returned {shape}; ({size},) is needed")
    if not np.all(np.isfinite(result)):
        raise SimulationError(
            f"{what}: on_feedback() returned weights that are not finite; lower its rate"
        )
