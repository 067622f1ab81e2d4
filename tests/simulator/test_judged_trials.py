"""Trials that are judged: what their records hold, when which feedback acts, in both engines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pytest
from numba import config

from encoders import Poisson, SpikeTimes
from neurons import LIFExp
from plasticity import WTCRL
from simulator import (
    ModelError,
    Network,
    NetworkError,
    Simulation,
    SimulationError,
    TrialRecord,
    TrialRule,
    all_to_all,
    explicit,
    one_to_one,
    trial_log,
)
from simulator.reference import Reference
from tests.uncompiled import uncompiled_python

Engine = Simulation | Reference
DELAYS = np.array([[0.0, 4.0], [1.5, 0.25], [0.5, 2.0]])  # ms, of 3 inputs to 2 cells
TIMES = np.array([0.0, 2.0, 9.0, 9.5, 10.0, 12.0, 20.0])  # ms
INPUTS = np.array([0, 1, 0, 1, 2, 0, 1])


class Tally(TrialRule):
    """Adds to each weight the label times the number of its arrivals; shows what it was told."""

    seen: ClassVar[list[TrialRecord]] = []

    class Parameters(NamedTuple):
        scale: float = 1.0

    @staticmethod
    def on_feedback(record: TrialRecord, label: float, neuron: Any, p: Any) -> Any:
        Tally.seen.append(record)
        counts = np.bincount(record.synapse, minlength=record.weights.size)
        return record.weights + p.scale * label * counts


@pytest.fixture(autouse=True)
def seen() -> list[TrialRecord]:
    Tally.seen.clear()
    return Tally.seen


# The loop of these networks serves no other test: with the compiler off, see the last test.
COMPILED = pytest.mark.skipif(not config.DISABLE_JIT, reason="runs with the compiler off")


@pytest.fixture(params=[pytest.param(Simulation, marks=COMPILED), Reference])
def make(request: pytest.FixtureRequest) -> Callable[[Network], Engine]:
    made: Callable[[Network], Engine] = request.param
    return made


def describe(delays: Any = DELAYS, weight: float = 0.1, seed: int = 0) -> Network:
    """Two cells with plastic inputs, and a constant one from a parrot-like third cell."""
    net = Network(seed)
    inputs = net.population("in", 3, SpikeTimes(TIMES, INPUTS))
    cells = net.population("cells", 2, LIFExp(tau_m=10.0, tau_exc=2.0, tau_inh=5.0))
    driver = net.population("driver", 1, LIFExp(tau_m=10.0, tau_exc=2.0, tau_inh=5.0))
    net.projection(inputs, cells, all_to_all(), weight, delays, rule=Tally(), name="plastic")
    net.projection(inputs, driver, explicit([0], [0]), 9.0, 0.0)
    net.projection(driver, cells, all_to_all(), 0.05, 0.75, name="constant")
    net.record_spikes(inputs, cells, driver)
    return net


def arrivals(engine: Engine, j: int) -> np.ndarray:
    """All arrivals at a cell so far, by brute force: times and synapses."""
    found = [
        (t + DELAYS[i, j], i) for t, i in zip(*engine.spikes("in"), strict=True)
    ]  # synapses of a neuron: those of the first projection, then of the second
    found += [(t + 0.75, 3) for t in engine.spikes("driver")[0]]
    return np.array(sorted((t, i) for t, i in found if t <= engine.time))


def weights(engine: Engine) -> np.ndarray:
    w = np.asarray(engine.weights("plastic"))
    if isinstance(engine, Simulation):
        return w
    rows = [sorted((DELAYS[i, j], j) for j in range(2)) for i in range(3)]  # stored by delay
    result, values = np.empty((3, 2)), iter(w)
    for i, row in enumerate(rows):
        for _, j in row:
            result[i, j] = next(values)
    return result


def test_successive_trials_share_out_all_arrivals(make: Any, seen: list[TrialRecord]) -> None:
    """Wherever they begin: at arrivals, at spikes, with spikes on their way."""
    engine = make(describe())
    starts = [0.0, 2.0, 3.5, 9.0, 9.25, 10.5, 13.0, 24.0]
    for t in starts:
        engine.run(t)
        engine.begin_trial("cells")
    engine.run(30.0)
    for _ in starts:
        engine.feedback("cells", [0.0, 0.0])
    # What happened at 0 came before the first trial.
    for j in range(2):
        mine = seen[j::2]
        assert [record.duration for record in mine] == np.diff([*starts, 30.0]).tolist()
        together = [
            (start + t, s)
            for start, record in zip(starts, mine, strict=True)
            for t, s in zip(record.times, record.synapse, strict=True)
        ]
        expected = arrivals(engine, j)
        expected = expected[expected[:, 0] > 0.0]
        assert np.allclose(together, expected, rtol=0, atol=1e-12)


def test_a_record_is_that_of_its_trial(make: Any, seen: list[TrialRecord]) -> None:
    engine = make(describe(weight=60.0))
    engine.begin_trial("cells")  # before anything has happened: the spike at 0 belongs to it
    engine.run(11.0)
    engine.feedback("cells", [1.0, -1.0])
    assert len(seen) == 2
    for j, record in enumerate(seen):
        expected = arrivals(engine, j)
        assert np.array_equal(record.times, expected[:, 0])
        assert np.array_equal(record.synapse, expected[:, 1])
        assert record.weights.tolist() == [60.0, 60.0, 60.0, 0.05]
        assert record.ports.tolist() == [0, 0, 0, 0]
        assert record.initial == LIFExp.State(0.0, 0.0, 0.0, *record.initial[3:])
        times, neurons = engine.spikes("cells")
        assert record.fired.size
        assert np.array_equal(record.fired, times[neurons == j])
        counts = np.bincount(record.synapse, minlength=4)[:3]
        assert np.array_equal(weights(engine)[:, j], 60.0 + (-1) ** j * counts)


def test_late_feedback_acts_on_the_trial_that_it_is_for(make: Any, seen: list[TrialRecord]) -> None:
    engine = make(describe())
    engine.begin_trial("cells")
    engine.run(8.0)
    engine.feedback("cells", 2.0, delay=7.0)  # the trial ends; the next one will be running
    engine.run(8.5)
    assert engine.begin_trial("cells") == 1
    told = []
    engine.at(15.0, lambda t: told.append(weights(engine).copy()))
    engine.run(14.0)
    assert not seen
    before = weights(engine)
    engine.run(16.0)
    assert [record.duration for record in seen] == [8.0, 8.0]
    counts = [np.bincount(record.synapse, minlength=4)[:3] for record in seen]
    np.testing.assert_allclose(weights(engine), before + 2.0 * np.array(counts).T)
    assert np.array_equal(told[0], weights(engine))  # feedback comes before calls
    engine.feedback("cells", 0.0)
    assert seen[2].duration == 7.5
    assert np.allclose(seen[2].weights[:3], weights(engine)[:, 0])


def test_a_trial_can_be_named_or_forgotten(make: Any, seen: list[TrialRecord]) -> None:
    engine = make(describe())
    for t in (1.0, 4.0, 9.0):
        engine.begin_trial("cells")
        engine.run(t)
    engine.feedback("cells", 0.0, trial=1)
    assert [record.duration for record in seen] == [3.0, 3.0]
    engine.feedback("cells", None)
    assert len(seen) == 2
    with pytest.raises(SimulationError, match="trial 1 does not wait for it; there is 2"):
        engine.feedback("cells", 0.0, trial=1)
    engine.feedback("cells", 0.0)
    assert seen[2].duration == 5.0
    with pytest.raises(SimulationError, match="no trial waits"):
        engine.feedback("cells", 0.0)


def test_spikes_that_are_dropped_do_not_arrive(make: Any, seen: list[TrialRecord]) -> None:
    engine = make(describe())
    engine.begin_trial("cells")
    engine.run(2.5)  # on their way: 0 to cell 1 (4 ms), 1 to cell 0 (3.5 ms)
    engine.forget()
    engine.run(9.0)
    engine.feedback("cells", 0.0)
    assert engine.spikes("driver")[0][0] < 2.5 < engine.spikes("driver")[0][0] + 0.75
    assert (seen[0].times.tolist(), seen[0].synapse.tolist()) == ([0.0, 9.0], [0, 0])
    assert (seen[1].times.tolist(), seen[1].synapse.tolist()) == ([2.25], [1])


def test_the_state_at_the_beginning_is_in_the_record(make: Any, seen: list[TrialRecord]) -> None:
    engine = make(describe())
    engine.run(5.0)
    engine.begin_trial("cells")
    engine.set_state("cells", "v", [0.25, -0.5])
    engine.run(6.0)
    engine.feedback("cells", 0.0)
    assert [record.initial.v for record in seen] == pytest.approx([0.25, -0.5])
    engine.begin_trial("cells")
    engine.run(7.0)
    engine.set_state("cells", "v", 0.0)
    engine.run(8.0)
    with pytest.raises(SimulationError, match=r"set at 7.0 ms, inside the trial that began at 6"):
        engine.feedback("cells", 0.0)
    engine.feedback("cells", None)
    with pytest.raises(SimulationError, match="no trial waits"):
        engine.feedback("cells", 0.0)


def test_two_rules_see_the_old_weights(make: Any, seen: list[TrialRecord]) -> None:
    net = describe()
    rule = Tally(scale=10.0)
    net.projection("in", "cells", all_to_all(), np.full((3, 2), 0.2), 0.0, rule=rule, name="more")
    engine = make(net)
    engine.begin_trial("cells")
    engine.run(9.0)
    engine.feedback("cells", [1.0, 0.0])
    for record in seen:
        assert record.weights.tolist() == [0.1] * 3 + [0.05] + [0.2] * 3
    assert weights(engine).tolist() == pytest.approx(
        np.array([[2.1, 0.1], [1.1, 0.1], [0.1, 0.1]]), abs=1e-12
    )
    more = np.asarray(engine.weights("more")).reshape(3, 2)
    assert more == pytest.approx(np.array([[20.2, 0.2], [10.2, 0.2], [0.2, 0.2]]))


@COMPILED
def test_what_is_saved_between_trial_and_feedback_goes_on(
    tmp_path: Path, seen: list[TrialRecord]
) -> None:
    def first(simulation: Simulation) -> None:
        simulation.begin_trial("cells")
        simulation.run(9.75)
        simulation.feedback("cells", [1.0, 2.0], delay=4.0)
        simulation.begin_trial("cells")
        simulation.forget(traces=False)
        simulation.run(11.0)

    def second(simulation: Simulation) -> Any:
        simulation.run(25.0)
        simulation.feedback("cells", [0.5, -0.5])
        return simulation.weights("plastic"), simulation.save()

    whole = Simulation(describe())
    first(whole)
    whole.save(tmp_path / "state.npz")
    expected, end = second(whole)
    records = list(seen)
    again = Simulation(describe())
    again.restore(tmp_path / "state.npz")
    seen.clear()
    got, saved = second(again)
    assert np.array_equal(got, expected)
    assert not np.all(got == got[0, 0])
    for a, b in zip(seen, records, strict=True):
        assert np.array_equal(a.times, b.times)
        assert np.array_equal(a.fired, b.fired)
        assert a.initial == b.initial
    for name in saved:
        if name.startswith("trials/"):
            assert np.array_equal(saved[name], end[name], equal_nan=True), name


def test_a_network_without_such_a_rule_saves_nothing_of_trials() -> None:
    net = Network()
    net.population("cells", 1, LIFExp())
    assert not [name for name in Simulation(net).save() if name.startswith("trials")]


@COMPILED
@pytest.mark.parametrize("judged", [True, False])
def test_the_memory_is_that_of_a_trial(judged: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_log, "_ROOM", 50)
    net = describe()
    source = net.population("busy", 3, SpikeTimes([]))
    net.projection(source, "cells", all_to_all(), 0.0, 1.0)
    simulation = Simulation(net)
    rng = np.random.default_rng(0)
    for _ in range(8):
        if judged:
            simulation.begin_trial("cells")
        n = 100
        simulation.trial(20.0, {"busy": (rng.uniform(0.0, 20.0, n), np.arange(n) % 3)})
        if judged:
            simulation.feedback("cells", 0.0)
    held = simulation.save()["trials/times"].size
    assert 0 < held < (120 if judged else 260)


def test_trials_need_one_worker() -> None:
    assert Simulation(describe(), workers=2).workers == 1


# -- refusals ----------------------------------------------------------------------------------


def test_inputs_that_no_record_holds_are_refused(make: Any) -> None:
    net = describe()
    net.projection("in", "cells", all_to_all(), 0.1, rule=WTCRL(), name="other")
    with pytest.raises(NetworkError, match=r"'cells' has trials, and projection 'other' has the"):
        make(net)
    net = describe()
    noise = net.population("noise", 2, Poisson(100.0))
    net.projection(noise, "cells", one_to_one(), 0.1)
    with pytest.raises(NetworkError, match=r"draw for themselves; connect it with explicit"):
        make(net)


def test_feedback_that_makes_no_sense_is_refused(make: Any) -> None:
    engine = make(describe())
    with pytest.raises(SimulationError, match=r"'driver' has no trials.*'cells' has"):
        engine.begin_trial("driver")
    with pytest.raises(SimulationError, match=r"begin_trial\(\)"):
        engine.feedback("cells", 0.0)
    engine.begin_trial("cells")
    with pytest.raises(SimulationError, match=r"labels of shape \(3,\)"):
        engine.feedback("cells", [1, 2, 3])
    with pytest.raises(SimulationError, match="finite"):
        engine.feedback("cells", np.nan)
    with pytest.raises(SimulationError, match="delay=-1"):
        engine.feedback("cells", 0.0, delay=-1.0)
    engine.feedback("cells", 0.0)


class Shapeless(TrialRule):
    class Parameters(NamedTuple):
        nan: float = 0.0

    @staticmethod
    def on_feedback(record: TrialRecord, label: float, neuron: Any, p: Any) -> Any:
        return record.weights * np.nan if p.nan else record.weights[:1]


@pytest.mark.parametrize(("nan", "text"), [(0.0, r"\(4,\) is needed"), (1.0, "not finite")])
def test_weights_that_are_none_are_refused(nan: float, text: str) -> None:
    net = describe()
    net.projections.pop("plastic")
    net.projection("in", "cells", all_to_all(), 0.1, rule=Shapeless(nan=nan))
    engine = Reference(net)
    engine.begin_trial("cells")
    engine.run(5.0)
    with pytest.raises(SimulationError, match=text):
        engine.feedback("cells", 0.0)


def test_a_rule_for_trials_has_no_other_functions() -> None:
    class Both(Tally):
        @staticmethod
        def on_pre(w: Any, x: Any, y: Any, *more: Any) -> Any:
            return w

    with pytest.raises(ModelError, match=r"it defines on_pre\(\)"):
        Both()
    with pytest.raises(SimulationError, match=r"it learns from feedback\(\)"):
        Simulation(describe()).set_learning("plastic", False)


@COMPILED
def test_changes_on_feedback_are_recorded() -> None:
    net = describe()
    net.record_weight_changes("plastic")
    simulation = Simulation(net)
    simulation.begin_trial("cells")
    simulation.run(9.0)
    simulation.feedback("cells", [1.0, 0.0])
    times, synapses, values = simulation.recording.weight_changes("plastic")
    assert (times.tolist(), synapses.tolist()) == ([9.0, 9.0], [0, 2])
    assert values.tolist() == pytest.approx([2.1, 1.1])


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="is the test that starts this one")
def test_all_of_this_with_the_compiler_off() -> None:
    output = uncompiled_python("-m", "pytest", "-q", "-p", "no:cacheprovider", __file__)
    assert " passed" in output
