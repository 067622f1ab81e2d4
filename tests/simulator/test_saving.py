"""Saved states in files: bit for bit, of the same network only, whole or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import SpikeTimes
from neurons import LIFExp
from plasticity import WTCRL
from simulator import (
    DataError,
    Network,
    Simulation,
    SimulationError,
    all_to_all,
    explicit,
    fixed_probability,
    uniform,
)
from tests.simulator.support import assert_same_spikes, everything, with_rules
from tests.strategies import DURATION, NetworkPlan, build, network_plans


@settings(max_examples=40)
@given(network_plans(), st.lists(st.floats(0.0, DURATION), min_size=1, max_size=4))
def test_a_run_goes_on_bit_for_bit_from_files_at_any_times(
    tmp_path_factory: pytest.TempPathFactory, plan: NetworkPlan, times: list[float]
) -> None:
    path = tmp_path_factory.mktemp("states") / "state.npz"
    whole, part = Simulation(build(plan)), Simulation(build(plan))
    whole.run(DURATION)
    got: dict[str, list[Any]] = {name: [] for name in whole.network.populations}
    for t in [*sorted(times), DURATION]:
        part.run(t)
        for name, (when, neurons) in everything(part).items():
            got[name] += zip(when.tolist(), neurons.tolist(), strict=True)
        part.save(path)
        part = Simulation(build(plan))
        part.restore(path)
    for name, (when, neurons) in everything(whole).items():
        assert got[name] == list(zip(when.tolist(), neurons.tolist(), strict=True))
    for name in whole.network.projections:
        np.testing.assert_array_equal(part.weights(name), whole.weights(name))
    for name in plan.neurons():
        np.testing.assert_array_equal(part.state(name, "v"), whole.state(name, "v"))


def described(
    seed: int = 1,
    spikes: float = 2.0,
    size: int = 3,
    tau_m: float = 10.0,
    post: int = 2,
    delay: float = 0.5,
    a_plus: float = 0.004,
    name: str = "v",
    p: float = 0.5,
    self_connections: bool = True,
    weight: float = 1.0,
    record: bool = True,
) -> Network:
    net = Network(seed=seed)
    u = net.population("u", 2, SpikeTimes([1.0, spikes], [0, 1]))
    v = net.population(name, size, LIFExp(tau_m=tau_m))
    net.projection(u, v, explicit([0, 1], [0, post]), weight, [0.5, delay], rule=WTCRL(), name="a")
    net.projection(u, v, all_to_all(), uniform(0, 1), rule=WTCRL(a_plus=a_plus), name="b")
    net.projection(v, v, all_to_all(self_connections), 0.1, 1.0, name="c")
    net.projection(v, v, fixed_probability(p), 0.1, 1.0, name="d")
    if record:
        net.record_spikes(u, v)
    return net


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"seed": 2}, "the seed is 2 there and 1 here"),
        ({"spikes": 2.5}, r"population 'u' is 2 x SpikeTimes \[\w+\] there and 2 x"),
        ({"size": 4}, "population 'v' is 4 x LIFExp.* there and 3 x LIFExp"),
        ({"tau_m": 10.000000001}, "population 'v' is 3 x LIFExp.* there and 3 x LIFExp"),
        ({"name": "w"}, "population 'v' is missing there and 3 x LIFExp"),
        ({"post": 1}, r"projection 'a' is 'u' to 'v', 2 synapses, WTCRL.* there and .* here"),
        ({"delay": 0.25}, "projection 'a' is"),
        ({"a_plus": 0.005}, "projection 'b' is .*a_plus=0.005.* there and .*a_plus=0.004.* here"),
        ({"self_connections": False}, "projection 'c' is .*False.* there and .*True"),
        ({"p": 1.0}, "projection 'd' is 'v' to 'v', 9 synapses .* there"),
    ],
)
def test_another_network_is_refused_by_what_is_different(
    change: dict[str, Any], text: str, tmp_path: Path
) -> None:
    other, simulation = Simulation(described(**change)), Simulation(described())
    other.save(tmp_path / "state.npz")
    before = simulation.save()
    with pytest.raises(SimulationError, match=f"belongs to another network: {text}"):
        simulation.restore(tmp_path / "state.npz")
    for key, array in simulation.save().items():
        assert array.tolist() == before[key].tolist()


def test_weights_and_recorders_do_not_make_another_network() -> None:
    first = Simulation(described(weight=0.25, record=False))
    second = Simulation(described(weight=2.0))
    second.restore(first.save())
    np.testing.assert_array_equal(second.weights("a"), [0.25, 0.25])


def test_a_source_that_takes_notes_stays_the_same(tmp_path: Path) -> None:
    """Its sets, lists of notes aside, are no part of what it is."""
    net = described()
    source: Any = net.populations["u"].model
    source.asked = set()
    first = Simulation(net)
    saved = first.save()
    source.asked.add(3)
    Simulation(net).restore(saved)


def test_the_order_of_populations_counts() -> None:
    """It decides ties."""
    nets = [Network(), Network()]
    for net, names in zip(nets, ("uv", "vu"), strict=True):
        for name in names:
            net.population(name, 1, LIFExp())
    with pytest.raises(SimulationError, match="the order is v, u there and u, v here"):
        Simulation(nets[0]).restore(Simulation(nets[1]).save())


def test_a_state_of_another_form_is_refused() -> None:
    simulation = Simulation(described())
    saved = {**simulation.save(), "schema": np.array(99)}
    with pytest.raises(SimulationError, match="has form 99, this program reads form 4"):
        simulation.restore(saved)


def test_a_damaged_identity_is_refused() -> None:
    simulation = Simulation(described())
    saved = {**simulation.save(), "network": np.frombuffer(b"{", np.uint8)}
    with pytest.raises(SimulationError, match="'network' is damaged"):
        simulation.restore(saved)


@pytest.fixture(scope="module")
def state_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "state.npz"
    Simulation(described()).save(path)
    return path.read_bytes()


@settings(max_examples=40)
@given(st.floats(0.0, 1.0, exclude_max=True))
def test_a_file_that_was_cut_is_refused(
    tmp_path_factory: pytest.TempPathFactory, state_file: bytes, part: float
) -> None:
    path = tmp_path_factory.mktemp("cut") / "state.npz"
    path.write_bytes(state_file[: int(part * len(state_file))])
    with pytest.raises(DataError, match=r"state\.npz' is no saved state, or damaged"):
        Simulation(described()).restore(path)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.write_text("hello"), "is no saved state, or damaged"),
        (lambda path: path.mkdir(), "is no saved state, or damaged"),
    ],
    ids=["missing", "text", "directory"],
)
def test_files_that_are_no_state(make: Callable[[Path], Any], text: str, tmp_path: Path) -> None:
    make(tmp_path / "state.npz")
    with pytest.raises(DataError, match=text):
        Simulation(described()).restore(tmp_path / "state.npz")


def test_a_state_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    simulation, path = Simulation(described()), tmp_path / "state.npz"
    simulation.save(path)
    old = path.read_bytes()
    (tmp_path / ".state.npz.new").mkdir()
    with pytest.raises(DataError, match="cannot write"):
        simulation.save(path)
    assert path.read_bytes() == old


def test_a_repeated_call_may_save(tmp_path: Path) -> None:
    """The checkpoint of a long run; a new simulation goes on from the last one."""

    def prepared() -> Simulation:
        simulation = Simulation(build_busy())
        simulation.every(2.5, lambda t: simulation.save(tmp_path / f"{t}.npz"))
        return simulation

    whole, second = prepared(), prepared()
    whole.run(9.0)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["2.5.npz", "5.0.npz", "7.5.npz"]
    second.restore(tmp_path / "5.0.npz")
    second.run(9.0)
    times, neurons = whole.spikes("v")
    late = {"v": (times[times > 5.0], neurons[times > 5.0])}
    assert_same_spikes({"v": second.spikes("v")}, late)
    assert late["v"][0].size == 3


def build_busy() -> Network:
    net = Network()
    v = net.population("v", 3, LIFExp(bias=1.2, tau_m=2.0), {"v": uniform(0.0, 0.9)})
    net.record_spikes(v)
    return with_rules(net)
