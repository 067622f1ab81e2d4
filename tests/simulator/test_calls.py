"""Functions that a run calls at times and on spikes: order, exactness, determinism, exceptions."""

from __future__ import annotations

import signal
from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import SpikeTimes
from neurons import LIFExp
from plasticity import WTCRL
from simulator import Network, NetworkError, Simulation, SimulationError, all_to_all
from simulator.reference import Reference
from tests.simulator.support import (
    assert_equal_engines,
    assert_same_spikes,
    everything,
    through_a_file,
    with_rules,
)
from tests.strategies import DURATION, GRID, NetworkPlan, build, network_plans

Engine = Simulation | Reference
ENGINES: list[type[Engine]] = [Simulation, Reference]

# A call that is planned: at a time, or on the spikes of the n-th population that is no source; and
# what it does to the first projection.
TIMES = st.integers(0, int(DURATION / GRID)).map(lambda k: k * GRID)
DEEDS = st.sampled_from(["look", "halve", "rest", "learn"])
CALLS = st.lists(
    st.tuples(st.one_of(TIMES, st.floats(0.0, DURATION), st.integers(0, 2).map(str)), DEEDS),
    min_size=1,
    max_size=5,
)
Log = list[tuple[Any, ...]]


def ask(engine: Engine, plan: NetworkPlan, calls: list[tuple[float | str, str]]) -> Log:
    """Ask an engine for the planned calls; what they see is in the log."""
    log: Log = []
    populations, name = plan.neurons(), plan.projections[0].name  # learns, weight by weight

    def make(number: int, deed: str) -> Callable[..., None]:
        def function(t: float, *neurons: Any) -> None:
            assert t == engine.time
            seen = [engine.state(p, "v").tolist() for p in populations]
            log.append((number, t, [n.tolist() for n in neurons], seen))
            if deed == "halve":
                engine.set_weights(name, 0.5 * engine.weights(name))
            elif deed != "look":
                engine.set_learning(name, deed == "learn")

        return function

    for number, (when, deed) in enumerate(calls):
        if isinstance(when, str):
            engine.on_spike(populations[int(when) % len(populations)], make(number, deed))
        else:
            engine.at(when, make(number, deed))
    return log


def the_same(a: Log, b: Log, tolerance: float = 0.0) -> None:
    assert [(n, ids) for n, _, ids, _ in a] == [(n, ids) for n, _, ids, _ in b]
    np.testing.assert_allclose([t for _, t, _, _ in a], [t for _, t, _, _ in b], 0.0, tolerance)
    for one, other in zip(a, b, strict=True):
        for v, w in zip(one[3], other[3], strict=True):
            np.testing.assert_allclose(v, w, rtol=0.0, atol=tolerance and 1e-9)


@settings(max_examples=50)
@given(network_plans(), CALLS)
def test_both_engines_make_the_same_calls(
    plan: NetworkPlan, calls: list[tuple[float | str, str]]
) -> None:
    simulation, reference = Simulation(build(plan)), Reference(build(plan))
    logs = [ask(engine, plan, calls) for engine in (simulation, reference)]
    simulation.run(DURATION)
    reference.run(DURATION)
    the_same(*logs, tolerance=1e-10)
    assert_equal_engines(simulation, reference)


@settings(max_examples=30)
@given(network_plans(), CALLS, st.lists(st.one_of(TIMES, st.floats(0, DURATION)), max_size=4))
def test_calls_do_not_depend_on_how_a_run_is_cut(
    plan: NetworkPlan, calls: list[tuple[float | str, str]], stops: list[float]
) -> None:
    """Nor on whether it is saved and restored by a new simulation that asks for the same."""
    whole, cut = Simulation(build(plan)), Simulation(build(plan))
    expected, log = ask(whole, plan, calls), ask(cut, plan, calls)
    whole.run(DURATION)
    got: Log = []
    for stop in sorted(stops):
        cut.run(stop)
        got += log
        saved, cut = through_a_file(cut.save()), Simulation(build(plan))
        log = ask(cut, plan, calls)
        cut.restore(saved)
    cut.run(DURATION)
    the_same(got + log, expected)
    for name in whole.network.projections:
        np.testing.assert_array_equal(cut.weights(name), whole.weights(name))


@settings(max_examples=40)
@given(network_plans(), CALLS)
def test_calls_that_only_look_leave_the_bits_alone(
    plan: NetworkPlan, calls: list[tuple[float | str, str]]
) -> None:
    plain, watched = Simulation(build(plan)), Simulation(build(plan))
    log = ask(watched, plan, [(when, "look") for when, _ in calls])
    plain.run(DURATION)
    watched.run(DURATION)
    assert_same_spikes(everything(watched), everything(plain))
    for name in plain.network.projections:
        np.testing.assert_array_equal(watched.weights(name), plain.weights(name))
    # Every instant with spikes of a population is seen once, with all that spiked at it.
    for number, (when, _) in enumerate(calls):
        if isinstance(when, str):
            name = plan.neurons()[int(when) % len(plan.neurons())]
            times, neurons = plain.spikes(name)
            seen = [(t, ids) for n, t, (ids,), _ in [e for e in log if e[0] == number]]
            assert [t for t, _ in seen] == np.unique(times).tolist()
            assert [i for _, ids in seen for i in ids] == neurons.tolist()


# -- a small network of which everything is known -------------------------------------------------


def pair() -> Network:
    """Input at 1, 2, 3 and 5 ms; each of them makes v fire at once, and w a ms later."""
    net = Network(seed=1)
    u = net.population("u", 2, SpikeTimes([1.0, 2.0, 3.0, 3.0, 5.0], [0, 0, 0, 1, 1]))
    v = net.population("v", 2, LIFExp(v_th=0.1, tau_m=1.0, tau_exc=0.2, t_ref=0.9))
    w = net.population("w", 1, LIFExp(v_th=0.1, tau_m=1.0, tau_exc=0.2, t_ref=0.9))
    net.projection(u, v, all_to_all(), 2.0, rule=WTCRL())
    net.projection(v, w, all_to_all(), 2.0, 1.0)
    net.record_spikes(v)
    return with_rules(net)


@pytest.mark.parametrize("kind", ENGINES)
def test_spikes_of_a_population_that_is_not_recorded(kind: type[Engine]) -> None:
    engine, got = kind(pair()), []
    engine.on_spike("u", lambda t, neurons: got.append((t, neurons.tolist())))
    engine.run(10.0)
    assert got == [(1.0, [0]), (2.0, [0]), (3.0, [0, 1]), (5.0, [1])]
    if isinstance(engine, Simulation):
        with pytest.raises(NetworkError, match="'u' are not recorded"):
            engine.spikes("u")


@pytest.mark.parametrize("kind", ENGINES)
def test_order_at_one_instant(kind: type[Engine]) -> None:
    """Spikes by population before times; within them the order of asking; events before all."""
    engine, got = kind(pair()), []
    say = lambda word: lambda t, *neurons: got.append((t, word))  # noqa: E731
    engine.at(3.0, say("at a"))
    engine.every(1.5, say("every"))
    engine.on_spike("w", say("w"))
    engine.on_spike("u", say("u a"))
    engine.on_spike("u", say("u b"))
    engine.at(3.0, say("at b"))
    engine.run(3.2)
    assert [e for e in got if e[1] != "w"] == [
        (1.0, "u a"),
        (1.0, "u b"),
        (1.5, "every"),
        (2.0, "u a"),
        (2.0, "u b"),
        (3.0, "u a"),
        (3.0, "u b"),
        (3.0, "at a"),
        (3.0, "every"),
        (3.0, "at b"),
    ]
    assert len(got) == len(set(got)) > 10


@pytest.mark.parametrize("kind", ENGINES)
def test_a_call_can_end_the_run_and_change_what_comes_after(kind: type[Engine]) -> None:
    engine, got = kind(pair()), []

    def first(t: float, neurons: Any) -> None:
        engine.stop()
        engine.set_weights("u->v", 0.0 * engine.weights("u->v"))

    call = engine.on_spike("v", first)
    engine.on_spike("v", lambda t, neurons: got.append(t))
    engine.run(10.0)
    assert 1.0 < engine.time < 1.1
    assert got == [engine.time], "the other calls of the instant are made"
    call.cancel()
    call.cancel()  # once is enough
    engine.run(4.0)
    assert engine.time == 4.0
    assert len(engine.spikes("v")[0]) < 5


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt()])
def test_an_exception_leaves_the_instant_finished(kind: type[Engine], error: BaseException) -> None:
    plain, engine, got = kind(pair()), kind(pair()), []

    def fail(t: float, neurons: Any) -> None:
        raise error

    engine.on_spike("u", lambda t, neurons: got.append((t, "before")))
    call = engine.on_spike("u", fail)
    engine.on_spike("u", lambda t, neurons: got.append((t, "behind")))
    engine.at(1.0, lambda t: got.append((t, "at")))
    with pytest.raises(type(error)):
        engine.run(10.0)
    assert (engine.time, got) == (1.0, [(1.0, "before")])
    plain.run(1.0)
    np.testing.assert_array_equal(engine.state("v", "v"), plain.state("v", "v"))
    call.cancel()
    engine.run(1.5)
    assert got[1:] == [(1.0, "behind"), (1.0, "at")]
    engine.run(10.0)
    plain.run(10.0)
    for a, b in zip(engine.spikes("v"), plain.spikes("v"), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_is_left_of_an_instant_is_saved_with_it() -> None:
    """A call may save; what comes behind it is due when that is restored."""

    def asked(simulation: Simulation, saved: list[Any]) -> list[Any]:
        got: list[Any] = []
        simulation.on_spike("u", lambda t, n: got.append((t, "a", n.tolist())))
        simulation.on_spike("u", lambda t, n: saved.append(simulation.save()))
        simulation.on_spike("u", lambda t, n: got.append((t, "b", n.tolist())))
        simulation.at(3.0, lambda t: saved.append(simulation.save()))
        simulation.at(3.0, lambda t: got.append((t, "c")))
        return got

    first, saved = Simulation(pair()), []
    whole = asked(first, saved)
    first.run(10.0)
    for state, behind in zip(saved, [1, 3, 5, 6, 8], strict=True):
        second = Simulation(pair())
        got = asked(second, [])
        second.restore(through_a_file(state))
        second.run(10.0)
        assert got == whole[behind:]


@pytest.mark.parametrize("kind", ENGINES)
def test_calls_may_ask_for_more(kind: type[Engine]) -> None:
    engine, got = kind(pair()), []

    def again(t: float) -> None:
        got.append(t)
        if t < 3.0:
            engine.at(t, got.append)  # at this very instant
            engine.at(t + 1.0, again)

    engine.at(1.0, again)
    engine.run(10.0)
    assert got == [1.0, 1.0, 2.0, 2.0, 3.0]


@pytest.mark.parametrize("kind", ENGINES)
def test_repeated_calls_are_at_multiples_that_do_not_drift(kind: type[Engine]) -> None:
    engine, got, late = kind(pair()), [], []
    call = engine.every(0.1, got.append)
    engine.run(0.05)
    engine.every(0.25, late.append, start=1.0)
    engine.run(2.0)
    assert got == [0.1 + k * 0.1 for k in range(20)]
    assert late == [1.0, 1.25, 1.5, 1.75, 2.0]
    call.cancel()
    engine.run(3.0)
    assert got[-1] == 2.0
    assert late[-1] == 3.0


def test_calls_at_the_time_reached_are_made_by_the_next_run() -> None:
    simulation, got = Simulation(pair()), []
    simulation.at(0.0, got.append)
    assert got == []
    simulation.run(0.0)
    simulation.run(0.0)
    assert got == [0.0]
    simulation.at(0.0, got.append)
    simulation.run(1.0)
    assert got == [0.0, 0.0]


def test_going_back_makes_the_calls_again() -> None:
    simulation, got = Simulation(pair()), []
    for t in (1.0, 2.0, 3.0):
        simulation.at(t, got.append)
    simulation.every(2.0, lambda t: got.append(-t))
    simulation.run(2.0)
    saved = simulation.save()
    simulation.run(4.5)
    simulation.restore(saved)
    simulation.run(4.5)
    assert got == [1.0, 2.0, -2.0, 3.0, -4.0, 3.0, -4.0]


def test_a_state_saved_without_calls_is_restored_with_some() -> None:
    """Those that lie behind are not made up for."""
    first, second, got = Simulation(pair()), Simulation(pair()), []
    first.run(2.0)
    for t in (0.5, 2.0, 3.0):
        second.at(t, got.append)
    second.every(0.75, got.append)
    second.restore(first.save())
    second.run(3.0)
    assert got == [2.0, 2.25, 3.0, 3.0]


def test_ctrl_c_in_a_call_acts_at_once() -> None:
    simulation, reached = Simulation(pair()), []

    def press(t: float) -> None:
        reached.append("before")
        signal.raise_signal(signal.SIGINT)
        reached.append("after")

    simulation.at(2.0, press)
    with pytest.raises(KeyboardInterrupt):
        simulation.run(10.0)
    assert (simulation.time, reached) == (2.0, ["before"])


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda e: e.at(0.5, print), r"at\(\): 0\.5 ms is in the past; .* is at 1\.0 ms"),
        (lambda e: e.at(nan, print), r"at\(\): nan ms is no finite time"),
        (lambda e: e.at(inf, print), r"at\(\): inf ms"),
        (lambda e: e.every(0.0, print), r"every\(interval=0\.0\): an interval in ms > 0"),
        (lambda e: e.every(nan, print), r"every\(interval=nan\)"),
        (lambda e: e.every(1.0, print, start=0.0), r"every\(\): 0\.0 ms is in the past"),
        (lambda e: e.run(0.5), r"run\(until=0\.5\): .* cannot go back"),
    ],
)
def test_refused_calls(kind: type[Engine], wrong: Callable[[Engine], Any], text: str) -> None:
    engine = kind(pair())
    engine.run(1.0)
    with pytest.raises(SimulationError, match=text):
        wrong(engine)


@pytest.mark.parametrize("kind", ENGINES)
def test_a_population_that_does_not_exist(kind: type[Engine]) -> None:
    with pytest.raises(NetworkError, match="no population 'x'; it has 'u', 'v', 'w'"):
        kind(pair()).on_spike("x", print)


@pytest.mark.parametrize("what", ["run", "restore"])
def test_no_run_and_no_restoring_inside_a_call(what: str) -> None:
    simulation = Simulation(pair())
    saved = simulation.save()
    deeds = {"run": lambda: simulation.run(9.0), "restore": lambda: simulation.restore(saved)}
    simulation.at(1.0, lambda t: deeds[what]())
    with pytest.raises(SimulationError, match=rf"{what}\(\) inside a function that a run calls"):
        simulation.run(2.0)
    simulation.run(2.0)
    assert simulation.time == 2.0
