"""What runs record: at each event, at each change of a weight, in memory and in a file."""

from __future__ import annotations

import gc
import resource
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterable
from math import inf
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator
from encoders import Regular
from neurons import LIFExp
from plasticity import ExponentialDrift
from simulator import (
    DataError,
    Network,
    NetworkError,
    Simulation,
    all_to_all,
    engine_state,
    table_file,
)
from simulator.reference import Reference
from tests.simulator.support import assert_same_spikes, everything, through_a_file, with_rules
from tests.simulator.test_calls import pair
from tests.strategies import DURATION, NetworkPlan, build, network_plans

ROOT = Path(simulator.__file__).parents[1]
LEARNING = "p0"  # the projection of drawn networks that learns
SAMPLES = [0.0, 1.25, 4.0, 4.0, 9.9]


def all_recorded(plan: NetworkPlan) -> Network:
    net = build(plan)
    for name in plan.neurons():
        net.record_events(name, ["v"])
        net.record_state(name, ["v"], SAMPLES)
    net.record_weight_changes(LEARNING)
    net.record_weights(LEARNING, SAMPLES)
    return net


def all_records(simulation: Simulation, plan: NetworkPlan) -> list[Any]:
    """Everything that was recorded, as flat lists."""
    made = simulation.recording
    found: list[Any] = [*made.weight_changes(LEARNING), *made.weights(LEARNING)]
    for name in simulation.network.populations:
        found += made.spikes(name)
    for name in plan.neurons():
        times, neurons, values = made.events(name)
        found += [times, neurons, *values.values(), made.states(name)[0]]
        found += made.states(name)[1].values()
    return [a.tolist() for a in found]


# -- recorders only look -------------------------------------------------------------------------


@settings(max_examples=60)
@given(network_plans())
def test_recorders_never_change_the_bits(plan: NetworkPlan) -> None:
    plain, recorded = Simulation(build(plan)), Simulation(all_recorded(plan))
    plain.run(DURATION)
    recorded.run(DURATION)
    assert_same_spikes(everything(recorded), everything(plain))
    for name in plain.network.projections:
        np.testing.assert_array_equal(recorded.weights(name), plain.weights(name))
    for name in plan.neurons():
        np.testing.assert_array_equal(recorded.state(name, "v"), plain.state(name, "v"))


@settings(max_examples=40)
@given(network_plans(), st.lists(st.floats(0.0, DURATION), max_size=3), st.integers(17, 60))
def test_records_do_not_depend_on_how_a_run_is_cut(
    plan: NetworkPlan, stops: list[float], budget: int
) -> None:
    whole, cut = Simulation(all_recorded(plan)), Simulation(all_recorded(plan))
    whole.run(DURATION)
    cut._engine._budget = budget
    cut._engine._adapt_budget = lambda seconds: None  # type: ignore[method-assign]
    for stop in sorted(stops):
        cut.run(stop)
    cut.run(DURATION)
    assert all_records(cut, plan) == all_records(whole, plan)


# -- events --------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(network_plans())
def test_every_event_is_recorded_with_what_it_leaves(plan: NetworkPlan) -> None:
    """Against the spikes of the readable engine and the delays of its synapses."""
    reference, simulation = Reference(build(plan)), Simulation(all_recorded(plan))
    reference.run(DURATION)
    simulation.run(DURATION)
    expected: dict[str, set[tuple[float, int]]] = {name: set() for name in plan.neurons()}
    for name in reference.network.populations:
        for t, i in zip(*(a.tolist() for a in reference.spikes(name)), strict=True):
            if name in expected:
                expected[name].add((t, i))
            for q, proj in enumerate(reference.network.projections.values()):
                if proj.pre.name == name:
                    for s in reference._rows[q][i]:
                        if t + s.delay <= DURATION:
                            expected[proj.post.name].add((t + s.delay, s.post.index))
    looked = Simulation(build(plan))
    for name in plan.neurons():
        times, neurons, values = simulation.recording.events(name)
        assert np.all(np.diff(times) >= 0.0)
        got = list(zip(times.tolist(), neurons.tolist(), strict=True))
        assert len(got) == len(set(got))
        for (t, i), (u, j) in zip(instants(got), instants(expected[name]), strict=True):
            assert i == j
            assert abs(t - u) < 1e-9
        for t, i, v in zip(times.tolist(), neurons.tolist(), values["v"].tolist(), strict=True):

            def look(now: float, name: str = name, i: int = i, v: float = v) -> None:
                assert looked.state(name, "v")[i] == v

            looked.at(t, look)
    looked.run(DURATION)


def instants(events: Iterable[tuple[float, int]]) -> list[tuple[float, int]]:
    """By neuron, then time, and the first of those that are one instant but for the last places: in
    which the engines differ, so that one may have apart what is together in the other."""
    firsts: list[tuple[float, int]] = []
    last = (-inf, -1)
    for t, i in sorted(events, key=lambda event: (event[1], event[0])):
        if i != last[1] or t - last[0] > 1e-9:
            firsts.append((t, i))
        last = t, i
    return firsts


def test_events_of_some_neurons() -> None:
    net = pair()
    net.record_events("v", ["i_exc", "v"], [1, 1])
    simulation = Simulation(net)
    simulation.run(2.0)
    times, neurons, values = simulation.recording.events("v")
    spike = float(simulation.spikes("v")[0][0])
    assert times.tolist() == [1.0, spike, 2.0]
    assert neurons.tolist() == [1, 1, 1]
    assert list(values) == ["i_exc", "v"]
    assert values["i_exc"][0] == 2.0
    assert values["i_exc"][1] == pytest.approx(2.0 * np.exp(-(spike - 1.0) / 0.2), rel=1e-12)
    assert values["v"][1] == 0.0, "after the reset"


# -- changes of weights --------------------------------------------------------------------------


@settings(max_examples=40)
@given(network_plans(), st.lists(st.floats(0.0, DURATION), max_size=6))
def test_changes_lead_from_the_first_weights_to_those_of_any_time(
    plan: NetworkPlan, times: list[float]
) -> None:
    simulation, plain = Simulation(all_recorded(plan)), Simulation(build(plan))
    first = simulation.weights(LEARNING)
    simulation.run(DURATION)
    when, synapses, weights = simulation.recording.weight_changes(LEARNING)
    assert np.all(np.diff(when) >= 0.0)
    for t in sorted([*times, *when.tolist(), DURATION]):
        plain.run(t)
        here, flat = first.copy(), None
        flat = here.reshape(-1)
        for k in np.flatnonzero(when <= t):
            flat[synapses[k]] = weights[k]
        np.testing.assert_array_equal(here, plain.weights(LEARNING))
    flat = first.reshape(-1).copy()
    for k in range(when.size):
        assert flat[synapses[k]] != weights[k], "a change changes something"
        flat[synapses[k]] = weights[k]


def test_weights_that_are_set_have_changed() -> None:
    net = pair()
    net.record_weight_changes("u->v")
    simulation = Simulation(net)
    simulation.run(0.5)
    weights = simulation.weights("u->v")
    weights[1, 0] = 0.25
    simulation.set_weights("u->v", weights)
    assert [a.tolist() for a in simulation.recording.weight_changes("u->v")] == [[0.5], [2], [0.25]]
    simulation.run(3.0)
    times, synapses, _ = simulation.recording.weight_changes("u->v")
    assert times.size > 5
    assert not np.any(synapses[times < 3.0][1:] == 2), "neuron 1 of u is silent until then"


def test_a_full_list_of_changes_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    net = pair()
    net.record_weight_changes("u->v")
    expected = Simulation(net)
    expected.run(10.0)
    monkeypatch.setattr(engine_state, "_OUTPUT", 1)
    simulation = Simulation(net)
    simulation.run(10.0)
    changes = simulation.recording.weight_changes("u->v")
    assert simulation._engine.state.changes.size < changes[0].size
    for a, b in zip(changes, expected.recording.weight_changes("u->v"), strict=True):
        np.testing.assert_array_equal(a, b)


# -- going back ----------------------------------------------------------------------------------


@settings(max_examples=15)
@given(network_plans(), st.floats(0.0, DURATION), st.floats(0.0, DURATION))
def test_a_run_that_goes_back_records_what_it_does_again_once(
    plan: NetworkPlan, a: float, b: float
) -> None:
    whole, simulation = Simulation(all_recorded(plan)), Simulation(all_recorded(plan))
    whole.run(DURATION)
    fresh = simulation.save()
    simulation.run(min(a, b))
    saved = through_a_file(simulation.save())
    simulation.run(max(a, b))
    simulation.restore(saved)
    simulation.run(DURATION)
    assert all_records(simulation, plan) == all_records(whole, plan)
    simulation.restore(fresh)
    assert simulation.recording.spikes(plan.populations[0].name)[0].size == 0
    simulation.run(DURATION)
    assert all_records(simulation, plan) == all_records(whole, plan)


# -- files ---------------------------------------------------------------------------------------


def busy() -> Network:
    net = pair()
    net.record_spikes("u", "w")
    net.record_state("v", ["v", "i_exc"], [0.0, 1.5, 4.0])
    net.record_events("w", ["v"])
    net.record_weights("u->v", [2.0, 3.0])
    net.record_weight_changes("u->v")
    return net


def content(simulation: Simulation) -> dict[str, list[Any]]:
    """All tables of a simulation that records to memory."""
    made = simulation.recording
    return {name: [c.tolist() for c in made._read_memory(name)] for name in made._tables}


def on_disk(path: Path, simulation: Simulation) -> dict[str, list[Any]]:
    tables = simulation.recording._tables
    return {
        name: [c.tolist() for c in table_file.read_table(path, table)]
        for name, table in tables.items()
    }


def test_a_file_holds_what_memory_would(tmp_path: Path) -> None:
    path, memory, disk = tmp_path / "records.h5", Simulation(busy()), Simulation(busy())
    memory.run(10.0)
    disk.run(1.2)
    disk.record_to(path)
    for t in (2.5, 2.5, 10.0):
        disk.run(t)
        assert on_disk(path, disk)["spikes/v"][0] == [x for x in memory.spikes("v")[0] if x <= t]
    disk.recording.close()
    expected = content(memory)
    assert on_disk(path, disk) == expected
    assert all(len(rows[0]) > 1 for rows in expected.values())
    with h5py.File(path) as file:  # for readers that know nothing of this program
        assert file["spikes/u/timestamps"][:].tolist() == [1.0, 2.0, 3.0, 3.0, 5.0]
        assert file["spikes/u/node_ids"][:].tolist() == [0, 0, 0, 1, 1]
        assert file["states/v/i_exc"].shape == (3, 2)
        assert file["weights/u->v/weights"].shape == (2, 2, 2)
        assert set(file["weight_changes/u->v"]) == {"times", "synapses", "weights"}
        assert set(file["events/w"]) == {"times", "node_ids", "v"}
        assert file["events/w/times"].attrs["units"] == "ms"


def test_what_is_in_a_file_is_not_in_memory(tmp_path: Path) -> None:
    simulation = Simulation(busy())
    simulation.record_to(tmp_path / "a.h5")
    simulation.run(3.0)
    with pytest.raises(NetworkError, match=r"'spikes/v' is recorded to .*a\.h5'; read it there"):
        simulation.spikes("v")
    with pytest.raises(DataError, match=r"records to .*a\.h5' already"):
        simulation.record_to(tmp_path / "b.h5")


def test_an_existing_file_is_resumed_or_refused(tmp_path: Path) -> None:
    path, first, whole = tmp_path / "records.h5", Simulation(busy()), Simulation(busy())
    whole.run(10.0)
    first.record_to(path)
    first.run(2.2)
    saved = first.save()
    first.run(4.0)
    first.recording.close()
    second = Simulation(busy())
    second.restore(saved)
    with pytest.raises(DataError, match=r"records\.h5' exists; .* or resume it"):
        second.record_to(path)
    second.record_to(path, resume=True)
    second.run(10.0)
    second.recording.close()
    assert on_disk(path, second) == content(whole)


def test_a_run_that_goes_back_shortens_its_file(tmp_path: Path) -> None:
    path, simulation, whole = tmp_path / "records.h5", Simulation(busy()), Simulation(busy())
    whole.run(10.0)
    simulation.record_to(path)
    simulation.run(2.2)
    saved = simulation.save()
    simulation.run(6.0)
    simulation.restore(saved)
    simulation.run(10.0)
    assert on_disk(path, simulation) == content(whole)
    simulation.recording.close()


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "records.h5"
    path.write_bytes(b"not this")
    with pytest.raises(DataError, match=r"records\.h5' is damaged or not an HDF5 file"):
        Simulation(busy()).record_to(path, resume=True)
    assert path.read_bytes() == b"not this"


ENDLESS = """
import sys
from pathlib import Path
from simulator import Simulation
from tests.simulator.test_records import dense

simulation = Simulation(dense(20))
simulation.record_to(Path(sys.argv[1]))
t = 0.0
while True:
    t += 100.0
    simulation.run(t)
    print(t, flush=True)
"""


def dense(channels: int) -> Network:
    """Every channel spikes once a ms, at the ms."""
    net = Network()
    u = net.population("u", channels, Regular(interval_ms=1.0))
    net.population("v", 1, LIFExp())
    net.record_spikes(u)
    return with_rules(net)


def test_a_killed_run_leaves_what_it_has_flushed(tmp_path: Path) -> None:
    path = tmp_path / "records.h5"
    command = [sys.executable, "-c", ENDLESS, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(25):
            reached = float(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        for line in process.stdout:
            reached = float(line)
    times, neurons = table_file.read_table(path, table_file.spike_table("u"))
    assert times.size >= 20 * (reached + 1.0)
    np.testing.assert_array_equal(times, np.arange(times.size) // 20)
    np.testing.assert_array_equal(neurons, np.arange(times.size) % 20)


# -- memory --------------------------------------------------------------------------------------


def peak(simulation: Simulation, until: float) -> int:
    """Bytes that a run adds, at most."""
    simulation.run(200.0)  # buffers have their size
    gc.collect()
    tracemalloc.start()
    simulation.run(until)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_memory_does_not_grow_with_time_when_recording_to_a_file(tmp_path: Path) -> None:
    """A million spikes are 16 MB; twice as many take no more than half of them."""
    most = {}
    for until in (2700.0, 5200.0):
        simulation = Simulation(dense(200))
        simulation.record_to(tmp_path / f"{until}.h5")
        most[until] = peak(simulation, until)
        simulation.recording.close()
        times, _ = table_file.read_table(tmp_path / f"{until}.h5", table_file.spike_table("u"))
        assert times.size == 200 * (until + 1)
    assert most[5200.0] < 6_000_000
    assert most[5200.0] < 1.25 * most[2700.0]
    assert peak(Simulation(dense(200)), 5200.0) > 15_000_000, "as it does in memory"


@pytest.mark.slow
def test_resident_memory_is_flat_over_ten_million_spikes(tmp_path: Path) -> None:
    simulation = Simulation(dense(1000))
    simulation.record_to(tmp_path / "records.h5")
    simulation.run(500.0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB
    simulation.run(10_500.0)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1024
    with h5py.File(tmp_path / "records.h5", swmr=True) as file:
        assert file["spikes/u/timestamps"].shape[0] == 1000 * 10_501


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (lambda n: n.record_events("v", ["x"]), "'v' has no state variable 'x'; it has v, i_exc"),
        (lambda n: n.record_events("u", ["v"]), "'u' has no state variable 'v'; it has none"),
        (lambda n: n.record_events("v", ["v"], [2]), "no neuron 2; .* neurons 0 to 1"),
        (lambda n: n.record_events("v", ["v"], [-1]), "no neuron -1"),
        (lambda n: n.record_weight_changes("v->w"), "'v->w' has no rule that changes its weights"),
        (lambda n: n.record_weight_changes("x"), "no projection 'x'"),
        (lambda n: n.record_weight_changes("idle 1"), "'idle 1' has no rule that changes"),
    ],
)
def test_what_cannot_be_recorded(ask: Any, text: str) -> None:
    with pytest.raises(NetworkError, match=text):
        ask(pair())


def test_events_of_a_population_are_asked_for_once() -> None:
    net = pair()
    net.record_events("v", ["v"], [0])
    with pytest.raises(NetworkError, match="events of population 'v' are recorded already"):
        net.record_events("v", ["i_exc"], [1])
    simulation = Simulation(net)
    with pytest.raises(NetworkError, match=r"events of population 'w' .*record_events\(\)"):
        simulation.recording.events("w")
    with pytest.raises(NetworkError, match=r"changes of weights .*record_weight_changes\(\)"):
        simulation.recording.weight_changes("u->v")


def test_names_that_no_group_can_have(tmp_path: Path) -> None:
    net = pair()
    rule = ExponentialDrift(w_start=1.0, w_end=1.0, tau=1.0)
    net.projection("u", "w", all_to_all(), rule=rule, name="a/b")
    net.record_weights("a/b", [1.0])
    simulation = Simulation(net)
    with pytest.raises(DataError, match=r"'a/b' cannot name a group in .*records\.h5'"):
        simulation.record_to(tmp_path / "records.h5")
    assert not (tmp_path / "records.h5").exists()
