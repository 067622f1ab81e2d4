"""Ctrl-C: whatever a run is at, its state is that of a run up to the end of an instant."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator
from encoders import SpikeTimes
from neurons import LIFExp
from plasticity import WTCRL, ExponentialDrift
from simulator import Network, Simulation, all_to_all, engine, fixed_probability, instant_loop
from simulator.interrupt import HeldInterrupt
from simulator.sources import SpikeSource
from tests.simulator.support import assert_same_spikes, everything, through_a_file
from tests.strategies import DURATION, NetworkPlan, build, network_plans

ROOT = Path(simulator.__file__).parents[1]


class Pressed(SpikeSource):
    """One spike a ms; somebody presses Ctrl-C while the engine waits for a chunk."""

    chunk_ms = 5.0

    def __init__(self, chunk: int) -> None:
        self.left = {chunk}

    def spikes(self, chunk: int, size: int, stream: Any) -> tuple[Any, Any]:
        if chunk in self.left:
            self.left.remove(chunk)
            signal.raise_signal(signal.SIGINT)
        times = chunk * self.chunk_ms + np.arange(5.0)
        return times, np.zeros(5, np.int64)


def driven(source: SpikeSource) -> Network:
    """The loop of the drawn networks; what arrives keeps it busy between the chunks."""
    net = Network(seed=2)
    u = net.population("u", 1, source)
    v = net.population("v", 6, LIFExp(v_th=0.2, t_ref=1.0), {"v": 0.1})
    net.projection(u, v, all_to_all(), 0.9, 0.5, rule=WTCRL(a_plus=0.2))
    drift = ExponentialDrift(w_start=-0.2, w_end=-0.6, tau=20.0)
    net.projection(v, v, fixed_probability(0.5), 1.0, 0.7, port="inhibitory", rule=drift)
    net.record_spikes(u, v)
    return net


def test_a_signal_while_the_engine_works_ends_the_run_between_two_instants() -> None:
    whole = Simulation(driven(Pressed(-1)))
    whole.run(40.0)
    assert whole.spikes("v")[0].size > 20
    simulation = Simulation(driven(Pressed(4)))
    with pytest.raises(KeyboardInterrupt):
        simulation.run(40.0)
    # Chunk 4 is asked for when everything before 20 ms is done.
    assert 18.0 < simulation.time < 20.0
    saved, other = through_a_file(simulation.save()), Simulation(driven(Pressed(-1)))
    np.testing.assert_array_equal(
        simulation.state("v", "v"), state_at(driven(Pressed(-1)), simulation.time)
    )
    simulation.run(40.0)
    assert_same_spikes(everything(simulation), everything(whole))
    np.testing.assert_array_equal(simulation.weights("u->v"), whole.weights("u->v"))
    other.restore(saved)
    other.run(40.0)
    np.testing.assert_array_equal(other.weights("u->v"), whole.weights("u->v"))


def state_at(net: Network, t: float) -> Any:
    simulation = Simulation(net)
    simulation.run(t)
    return simulation.state("v", "v")


@settings(max_examples=40)
@given(network_plans(), st.integers(0, 40), st.integers(0, 200))
def test_a_run_may_be_interrupted_after_any_piece_of_work(
    plan: NetworkPlan, budget: int, calls: int
) -> None:
    """Also within an instant whose spikes go round without delay: that one is finished."""
    whole = Simulation(build(plan))
    whole.run(DURATION)
    simulation = Simulation(build(plan))
    one, made, begun = simulation._engine, 0, False
    call = one._call

    def press(until: float, given: int) -> int:
        nonlocal made, begun
        made, begun = made + 1, begun or given > 0
        # With little to spend at a time, but enough for a pass of the loop.
        status = call(until, instant_loop.PASS + budget if given else 0)
        if made == calls:
            signal.raise_signal(signal.SIGINT)
        return status

    one._call = press  # type: ignore[method-assign]
    one._adapt_budget = lambda seconds: None  # type: ignore[method-assign]
    try:
        simulation.run(DURATION)
    except KeyboardInterrupt:
        middle = Simulation(build(plan))
        if begun:  # else the engine was getting ready: not even the instant 0 has been
            middle.run(simulation.time)
        assert_same_spikes(everything(simulation), everything(middle))
        for name in simulation.network.projections:
            np.testing.assert_array_equal(simulation.weights(name), middle.weights(name))
        for name in plan.neurons():
            np.testing.assert_array_equal(simulation.state(name, "v"), middle.state(name, "v"))
        middle.restore(through_a_file(simulation.save()))
        middle.run(DURATION)
        for name in simulation.network.projections:
            np.testing.assert_array_equal(middle.weights(name), whole.weights(name))
    calls = -1  # nobody presses any more, if it was not to be within the first run
    simulation.run(DURATION)
    assert_same_spikes(everything(simulation), everything(whole))
    for name in simulation.network.projections:
        np.testing.assert_array_equal(simulation.weights(name), whole.weights(name))


def test_a_handler_that_does_not_raise_lets_the_run_go_on() -> None:
    heard = []
    previous = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        simulation = Simulation(driven(Pressed(2)))
        simulation.run(40.0)
        assert heard == [signal.SIGINT]
        assert simulation.time == 40.0
        assert simulation.spikes("u")[0].tolist() == list(range(41))
    finally:
        signal.signal(signal.SIGINT, previous)


def test_an_ignored_signal_stays_ignored_and_handlers_are_put_back() -> None:
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with HeldInterrupt() as interrupt:
            signal.raise_signal(signal.SIGINT)
            assert not interrupt.pending
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, previous)

    def hold() -> None:
        with HeldInterrupt() as interrupt:
            signal.raise_signal(signal.SIGINT)
            assert interrupt.pending

    with pytest.raises(KeyboardInterrupt):
        hold()
    assert signal.getsignal(signal.SIGINT) is previous


def test_a_signal_acts_at_once_where_the_hold_is_lifted() -> None:
    reached = []

    def lift() -> None:
        with HeldInterrupt() as interrupt, interrupt.lifted():
            reached.append("before")
            signal.raise_signal(signal.SIGINT)
            reached.append("after")

    with pytest.raises(KeyboardInterrupt):
        lift()
    assert reached == ["before"]


def test_a_simulation_runs_outside_the_main_thread() -> None:
    simulation, errors = Simulation(driven(SpikeTimes([1.0, 2.0], [0, 0]))), []

    def work() -> None:
        try:
            simulation.run(5.0)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (errors, simulation.time) == ([], 5.0)


def test_the_budget_follows_the_time_that_a_call_takes() -> None:
    one = Simulation(driven(SpikeTimes([])))._engine
    one._adapt_budget(0.1)
    assert one._budget == engine._FIRST
    one._adapt_budget(0.01)
    assert one._budget == 2 * engine._FIRST
    for _ in range(40):
        one._adapt_budget(0.0)
    assert one._budget == engine._MOST
    for _ in range(40):
        one._adapt_budget(5.0)
    assert one._budget == engine._LEAST > instant_loop.PASS


SCRIPT = """
import signal
import numpy as np
from encoders import Regular
from simulator import Simulation
from tests.simulator.test_interrupt import driven

# A process in the background of a shell is born deaf to it.
signal.signal(signal.SIGINT, signal.default_int_handler)
simulation = Simulation(driven(Regular(interval_ms=1.0)))
waiting = True

def say(name, times, neurons):
    global waiting
    if waiting:
        print("running", flush=True)
    waiting = False

simulation.recording.sink = say
try:
    simulation.run(1e12)
except KeyboardInterrupt:
    stopped = simulation.time
    simulation.run(stopped + 50.0)
    other = Simulation(driven(Regular(interval_ms=1.0)))
    other.run(stopped + 50.0)
    same = all(
        np.array_equal(simulation.weights(name), other.weights(name))
        and np.array_equal(simulation.state("v", "v"), other.state("v", "v"))
        for name in other.network.projections
    ) and simulation.deliveries == other.deliveries
    print("same" if same and 0.0 < stopped < 1e12 else "different", flush=True)
"""


def test_ctrl_c_in_a_run_that_would_not_end() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "running\n"
        child.send_signal(signal.SIGINT)
        answer, _ = child.communicate(timeout=300)
    finally:
        child.kill()
        child.wait()
    assert answer == "same\n"
