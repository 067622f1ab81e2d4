"""One network, any number of workers: the same spikes, weights and states, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import Poisson, Regular, SpikeTimes
from neurons import LIFExp
from plasticity import WTCRL, ExponentialDrift
from simulator import (
    Network,
    Simulation,
    SimulationError,
    all_to_all,
    engine,
    engine_state,
    fixed_in_degree,
    fixed_probability,
    flights,
    parts,
    uniform,
    workers,
)
from simulator.frames import move_frame
from tests.simulator.jump_model import Jump
from tests.simulator.support import assert_same_spikes, everything, through_a_file, with_rules
from tests.strategies import DURATION, GRID, NetworkPlan, ProjectionPlan, build, network_plans


@pytest.fixture(autouse=True)
def in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little there is to do."""
    monkeypatch.setattr(workers, "_WORTH", 0.0)


def shareable(plan: NetworkPlan, in_rows: bool) -> NetworkPlan:
    """The plan with delays between neurons; ``in_rows``: and no all-to-all projections."""
    sources = {p.name for p in plan.populations if p.spikes is not None}

    def changed(proj: ProjectionPlan) -> ProjectionPlan:
        delay = proj.delay
        if proj.pre not in sources:
            delay = tuple(d or GRID for d in delay) if isinstance(delay, tuple) else delay or GRID
        connector = proj.connector
        if in_rows and connector[0] == "all_to_all":
            connector = ("fixed_probability", 0.7, connector[1])
        return replace(proj, delay=delay, connector=connector)

    return replace(plan, projections=tuple(changed(proj) for proj in plan.projections))


def shareable_plans(model: str = "LIFExp") -> st.SearchStrategy[NetworkPlan]:
    return st.builds(shareable, network_plans(model), st.sampled_from([True, True, True, False]))


def assert_same(a: Simulation, b: Simulation) -> None:
    assert_same_spikes(everything(a), everything(b))
    assert a.time == b.time
    assert a.deliveries == b.deliveries
    for name in a.network.projections:
        np.testing.assert_array_equal(a.weights(name), b.weights(name), err_msg=name)
    for pop in a.network.populations.values():
        for variable in () if pop.is_source else pop.model.state:
            np.testing.assert_array_equal(
                a.state(pop.name, variable),
                b.state(pop.name, variable),
                err_msg=f"{pop.name}.{variable}",
            )


@pytest.mark.parametrize("model", ["LIFExp", "Jump"])
@settings(max_examples=50)
@given(data=st.data())
def test_the_number_of_workers_changes_nothing(model: str, data: st.DataObject) -> None:
    plan = data.draw(shareable_plans(model))
    one = Simulation(build(plan), workers=1)
    one.run(DURATION)
    for n in (2, 3):
        several = Simulation(build(plan), workers=n)
        several.run(DURATION)
        assert_same(several, one)


def test_most_plans_are_shared_out() -> None:
    seen: list[bool] = []

    @settings(max_examples=60, derandomize=True, database=None)
    @given(shareable_plans())
    def collect(plan: NetworkPlan) -> None:
        seen.append(Simulation(build(plan), workers=2).workers == 2)

    collect()
    assert np.mean(seen) > 0.6


@settings(max_examples=60)
@given(
    shareable_plans(),
    st.lists(st.floats(0.0, DURATION), max_size=4),
    st.lists(st.sampled_from([1, 2, 3]), min_size=6, max_size=6),
)
def test_a_run_goes_on_with_other_workers(
    plan: NetworkPlan, stops: list[float], numbers: list[int]
) -> None:
    """Saved and restored at any time, on the grid too, with another number each time."""
    whole = Simulation(build(plan), workers=1)
    whole.run(DURATION)
    pieces = []
    simulation = Simulation(build(plan), workers=numbers[0])
    times = sorted([*stops, *(round(2.0 * t) / 2.0 for t in stops[:1])])
    for stop, n in zip(times, numbers[1:], strict=False):
        simulation.run(stop)
        pieces.append(everything(simulation))
        following = Simulation(build(plan), workers=n)
        following.restore(through_a_file(simulation.save()))
        simulation = following
    simulation.run(DURATION)
    pieces.append(everything(simulation))
    joined = {
        name: tuple(np.concatenate([piece[name][k] for piece in pieces]) for k in range(2))
        for name in pieces[0]
    }
    assert_same_spikes(joined, everything(whole))
    for proj in plan.projections:
        np.testing.assert_array_equal(simulation.weights(proj.name), whole.weights(proj.name))


def busy(seed: int = 3) -> Network:
    """Populations that are cut and one that is not; learning, drifting and static synapses, one
    delay and several, sources in chunks and not; busy for 60 ms."""
    net = Network(seed=seed)
    u = net.population("u", 30, Poisson(60.0))
    r = net.population("r", 4, Regular(interval_ms=3.0))
    e = net.population(
        "e", 40, LIFExp(tau_m=10, tau_exc=3, tau_inh=6, t_ref=1, bias=0.6), {"v": uniform(0, 0.9)}
    )
    i = net.population("i", 15, LIFExp(tau_m=8, tau_exc=2, tau_inh=6, bias=1.05))
    whole = net.population("whole", 6, LIFExp(tau_m=9, tau_exc=2, tau_inh=6, bias=0.9))
    delay = uniform(0.4, 4.0)
    net.projection(u, e, fixed_probability(0.4), uniform(0.3, 0.9), delay, rule=WTCRL(a_plus=0.1))
    drift = ExponentialDrift(w_start=-0.2, w_end=-0.6, tau=20.0)
    net.projection(i, i, fixed_in_degree(5, False), 1.0, 1.2, port="inhibitory", rule=drift)
    net.projection(e, i, fixed_in_degree(6), uniform(0.2, 0.6), 0.7, rule=WTCRL())
    net.projection(u, i, fixed_in_degree(3), uniform(0.2, 0.6), 0.0, rule=WTCRL(), name="at once")
    net.projection(i, e, fixed_probability(0.4), -0.8, 0.5, port="inhibitory")
    net.projection(e, e, fixed_probability(0.2, False), 0.2, uniform(0.5, 3))
    net.projection(r, whole, all_to_all(), 0.4)
    net.projection(e, whole, all_to_all(), uniform(0.0, 0.1), 0.9)
    net.projection(whole, whole, all_to_all(False), -0.05, 0.0, port="inhibitory")
    net.projection(whole, i, fixed_probability(0.5), 0.3, 0.6)
    net.record_spikes(*net.populations)
    return net


@pytest.fixture(scope="module")
def alone() -> Simulation:
    simulation = Simulation(busy(), workers=1)
    simulation.run(60.0)
    return simulation


@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_busy_network_is_shared_out(alone: Simulation, n: int) -> None:
    several = Simulation(busy(), workers=n)
    several.run(60.0)
    assert several.workers == n
    assert all(len(alone.spikes(name)[0]) > 20 for name in alone.network.populations)
    assert_same(several, alone)


@pytest.mark.parametrize("numbers", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
def test_a_busy_state_is_taken_over_by_other_workers(
    alone: Simulation, numbers: tuple[int, int, int]
) -> None:
    simulation = Simulation(busy(), workers=numbers[0])
    for until, n in zip((20.0, 41.3), numbers[1:], strict=True):
        simulation.run(until)
        following = Simulation(busy(), workers=n)
        following.restore(through_a_file(simulation.save()))
        simulation = following
    simulation.run(60.0)
    assert simulation.workers == numbers[2]
    for name in alone.network.projections:
        np.testing.assert_array_equal(simulation.weights(name), alone.weights(name), err_msg=name)
    for name in ("e", "i", "whole"):
        np.testing.assert_array_equal(simulation.state(name, "v"), alone.state(name, "v"))


def test_reading_and_stopping_disturb_nothing(alone: Simulation) -> None:
    net = busy()
    net.record_state("e", ["v", "i_exc"], np.arange(0.0, 60.0, 7.3))
    net.record_weights("u->e", [11.0, 50.0])
    simulation = Simulation(net, workers=2)
    for until in (0.0, 3.0, 3.0, 17.1, 60.0):
        simulation.run(until)
        assert simulation.time == until
        simulation.state("whole", "v")
        simulation.save()
    assert_same(simulation, alone)
    one = Simulation(net, workers=1)
    one.run(60.0)
    for variable, values in one.recording.states("e")[1].items():
        np.testing.assert_array_equal(simulation.recording.states("e")[1][variable], values)
    np.testing.assert_array_equal(
        simulation.recording.weights("u->e")[1], one.recording.weights("u->e")[1]
    )


def test_weights_and_learning_are_changed_for_all_workers() -> None:
    runs = []
    for n in (1, 2):
        simulation = Simulation(busy(), workers=n)
        simulation.run(10.0)
        simulation.set_weights("u->e", simulation.weights("u->e")[::-1])
        simulation.set_weights("e->i", 0.5 * simulation.weights("e->i"))
        simulation.set_learning("e->i", False)
        simulation.run(20.0)
        simulation.set_learning("e->i", True)
        simulation.at(30.0, lambda t, s=simulation: s.set_learning("u->e", False))
        simulation.run(40.0)
        runs.append(simulation)
    assert runs[1].workers == 2
    assert_same(runs[1], runs[0])


def test_buffers_that_are_full_are_emptied_or_grow(
    alone: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_state = engine_state.new_state

    def cramped(*args: Any) -> Any:
        state = new_state(*args)
        return state._replace(rings=state.rings[:, :64].copy())

    monkeypatch.setattr(engine_state, "_OUTPUT", 1)
    monkeypatch.setattr(engine, "new_state", cramped)
    monkeypatch.setattr(workers, "_HELD", 100)
    monkeypatch.setattr(flights, "_ARRIVALS", 1)
    simulation = Simulation(busy(), workers=2)
    simulation.run(60.0)
    assert_same(simulation, alone)


def test_calls_on_spikes_are_made_by_one_worker(alone: Simulation) -> None:
    heard: list[float] = []
    simulation = Simulation(busy(), workers=2)
    simulation.run(20.0)
    simulation.network.population("added later", 3, LIFExp())
    call = simulation.on_spike("i", lambda t, neurons: heard.extend([t] * len(neurons)))
    assert simulation.workers == 1
    simulation.run(40.0)
    call.cancel()
    simulation.run(60.0)
    times = alone.spikes("i")[0]
    assert heard == times[(times > 20.0) & (times <= 40.0)].tolist()
    for name in alone.network.populations:
        np.testing.assert_array_equal(simulation.spikes(name)[0], alone.spikes(name)[0])


def test_the_loop_without_end_is_named() -> None:
    net = Network()
    u = net.population("u", 4, SpikeTimes([5.0], [1]))
    v = net.population("v", 10, Jump())
    w = net.population("w", 2, Jump())
    with_rules(net)
    net.projection(u, v, fixed_in_degree(2), 0.1)
    net.projection(u, w, all_to_all(), 2.0)
    net.projection(w, w, all_to_all(), 2.0, 0.0, name="loop")
    simulation = Simulation(net, workers=2)
    assert simulation.workers == 2
    with pytest.raises(SimulationError, match="never stop: 'loop'"):
        simulation.run(20.0)


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "2"])
def test_what_is_no_number_of_workers(value: Any) -> None:
    with pytest.raises(SimulationError, match=r"workers = .*; an integer >= 1 is needed"):
        Simulation(busy(), workers=value)


@pytest.mark.parametrize("delay", [0.0, uniform(0.0, 1e-4), 1e-4])
def test_without_a_delay_there_is_no_window(delay: Any) -> None:
    net = Network()
    v = net.population("v", 20, LIFExp())
    net.projection(v, v, fixed_in_degree(3), 0.1, delay)
    assert Simulation(net, workers=2).workers == 1


def test_populations_advanced_together_are_not_cut() -> None:
    net = Network()
    v = net.population("v", 20, LIFExp())
    net.projection(v, v, all_to_all(), 0.1, 1.0)
    assert Simulation(net, workers=2).workers == 1


def test_workers_are_as_many_as_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large network with a long delay, not one with a short delay nor a small one."""
    monkeypatch.setattr(parts, "available_cores", lambda: 2)

    def chosen(size: int, delay: Any) -> int:
        net = Network()
        v = net.population("v", size, LIFExp())
        net.projection(v, v, fixed_in_degree(size // 10), 0.1, delay)
        return parts.chosen_workers(net, None)

    assert chosen(15_000, 1.5) == 2
    assert chosen(15_000, uniform(1.0, 5.0)) == 2
    assert chosen(15_000, 0.1) == 1
    assert chosen(15_000, uniform(0.0, 5.0)) == 1
    assert chosen(1_000, 1.5) == 1


@given(st.lists(st.floats(0.0, 500.0), max_size=6))
def test_a_frame_moved_at_any_times_rounds_alike(stops: list[float]) -> None:
    """Workers, and whoever reads a state, move frames at times of their own."""
    taus, length = (15.0, 3.0), 4.8
    at_once = np.array([[1.0, 0.7], [2.0, 0.3]])
    in_steps = at_once.copy()
    frame = 0.0
    for t in sorted(stops):
        frame = move_frame(in_steps, taus, frame, length, t)
        assert 0.0 <= t - frame < length
    last = max(stops, default=0.0)
    assert move_frame(at_once, taus, 0.0, length, last) == frame
    np.testing.assert_array_equal(in_steps, at_once)
