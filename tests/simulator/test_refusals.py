"""Bad input at every entry point is refused with a message that names it.  Nothing is run."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np
import pytest

from encoders import SpikeTimes
from neurons import LIFExp
from plasticity import WTCRL, ExponentialDrift
from simulator import (
    ModelError,
    Network,
    NetworkError,
    PlasticityRule,
    Simulation,
    SimulationError,
    SpikemeshError,
    Trace,
    all_to_all,
    errors,
    fixed_in_degree,
    one_to_one,
    uniform,
)
from simulator.compile import compile_network
from simulator.traces import trace_kernels


def network(n: int = 3) -> Network:
    """A source of two channels, ``n`` neurons, a plastic and a drifting projection."""
    net = Network(seed=1)
    u = net.population("u", 2, SpikeTimes([1.0, 2.0], [0, 1]))
    v = net.population("v", n, LIFExp())
    net.projection(u, v, all_to_all(), weight=0.5, rule=WTCRL())
    net.projection(v, v, fixed_in_degree(1), -1.0, uniform(0, 1), rule=ExponentialDrift())
    net.record_spikes("v")
    return net


def refused(text: str, error: type[SpikemeshError] = NetworkError) -> Any:
    return pytest.raises(error, match=text)


def test_all_errors_are_one_tree() -> None:
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), SpikemeshError)


# -- the description -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [-1, 1.5, "one", None, True, nan])
def test_seeds(seed: Any) -> None:
    with refused(f"seed = {seed!r}; an integer >= 0"):
        Network(seed=seed)


@pytest.mark.parametrize("name", ["", "a/b", 3, None])
def test_names_of_populations(name: Any) -> None:
    with refused(f"population {name!r}"):
        network().population(name, 1, LIFExp())


def test_a_name_that_is_taken() -> None:
    with refused("population 'v' exists already"):
        network().population("v", 1, LIFExp())


@pytest.mark.parametrize("size", [0, -3, 2.0, "two", True, None])
def test_sizes(size: Any) -> None:
    with refused(f"population 'w': size = {size!r}; at least one neuron"):
        network().population("w", size, LIFExp())


@pytest.mark.parametrize("model", [LIFExp, None, "LIFExp", WTCRL()])
def test_what_is_no_model(model: Any) -> None:
    with refused(r"population 'w': .* is neither a neuron model nor a spike source"):
        network().population("w", 1, model)


def test_initial_values_of_unknown_variables() -> None:
    with refused("population 'w' has no state variable 'u'; it has v, i_exc, i_inh"):
        network().population("w", 1, LIFExp(), {"u": 1.0})
    with refused("population 'w' has no state variable 'v'; it has none"):
        network().population("w", 1, SpikeTimes([]), {"v": 1.0})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (nan, r"initial v\[0\] = nan"),
        ([0.0, 1.0, inf, nan], r"initial v\[2\] = inf"),
        ([0.0, 1.0], r"initial v has 2 values; 4 are needed"),
        ("high", r"initial v = 'high'; numbers"),
        (np.zeros((2, 2)), r"initial v has shape \(2, 2\); \(4,\) is needed"),
    ],
)
def test_initial_values(value: Any, text: str) -> None:
    net = Network()
    net.population("w", 4, LIFExp(), {"v": value})
    with refused(f"population 'w': {text}"):
        compile_network(net)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("x", "v", all_to_all()), "no population 'x'; it has 'u', 'v'"),
        (("v", "x", all_to_all()), "no population 'x'; it has 'u', 'v'"),
        ((3, "v", all_to_all()), "no population 3; it has 'u', 'v'"),
        (("v", "u", all_to_all()), "'v->u': 'u' is a spike source, it has no inputs"),
        (("u", "v", all_to_all()), "projection 'u->v' exists already"),
        (("u", "v", all_to_all, 1, 0, None, None, "p"), r"'p': .* use all_to_all\(\), one_to_one"),
        (("u", "v", None, 1, 0, None, None, "p"), "'p': None is no connector"),
        (("u", "v", all_to_all(), 1, 0, "left", None, "p"), "'p': LIFExp has no port 'left'; it"),
        (("u", "v", all_to_all(), 1, 0, None, WTCRL, "p"), "'p': .* is no plasticity rule"),
        (("u", "v", all_to_all(), 1, 0, None, LIFExp(), "p"), "'p': .* is no plasticity rule"),
    ],
)
def test_projections(arguments: tuple[Any, ...], text: str) -> None:
    net = network()
    with refused(text):
        net.projection(*arguments)
    assert len(net.projections) == 2, "a refused projection leaves nothing behind"


def test_entities_of_another_network() -> None:
    net, other = network(), network()
    text = "this network has no population 'v'; it has 'u', 'v'"
    with refused(text):
        net.projection(other.populations["v"], "v", all_to_all(), name="p")
    with refused(text):
        net.record_spikes(other.populations["v"])
    with refused("this network has no projection 'u->v'; it has 'u->v', 'v->v'"):
        net.record_weights(other.projections["u->v"], [1.0])
    with refused(text):
        net.first_neuron(other.populations["v"])


def test_places_in_the_order_of_description() -> None:
    net = network()
    assert [net.population_number(name) for name in ("u", "v")] == [0, 1]
    assert [net.first_neuron(name) for name in ("u", net.populations["v"])] == [0, 2]
    assert [net.projection_number(proj) for proj in net.projections.values()] == [0, 1]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"weight": nan}, r"weight\[0\] = nan"),
        ({"weight": [1, 2, 3, -inf, 5, nan]}, r"weight\[3\] = -inf"),
        ({"weight": [1, 2, 3]}, r"weight has 3 values; 6 are needed"),
        ({"weight": []}, r"weight has 0 values; 6 are needed"),
        ({"weight": None}, r"weight\[0\] = nan"),
        ({"weight": "strong"}, r"weight = 'strong'; numbers are needed"),
        ({"weight": [[1, 2], [3]]}, r"weight = \[\[1, 2\], \[3\]\]; numbers are needed"),
        ({"delay": -0.3}, r"delay\[0\] = -0\.3 ms; delays must be >= 0"),
        ({"delay": [0, 1, 0, 1, -0.25, -1]}, r"delay\[4\] = -0\.25 ms; delays must be >= 0"),
        ({"delay": uniform(-2, -1)}, r"delay\[0\] = -1\.\d+ ms; delays must be >= 0"),
        ({"delay": nan}, r"delay\[0\] = nan"),
        ({"delay": [0, 1, inf, 1, 2, 1]}, r"delay\[2\] = inf"),
        ({"delay": [1.0] * 5}, r"delay has 5 values; 6 are needed"),
    ],
)
def test_values_of_synapses(values: dict[str, Any], text: str) -> None:
    net = network()
    net.projection("u", "v", all_to_all(), name="p", **values)
    with refused(f"projection 'p': {text}"):
        Simulation(net)


def test_connectors_that_do_not_fit() -> None:
    net = network()
    net.projection("u", "v", one_to_one(), name="p")
    with refused("projection 'p': one_to_one needs equal sizes, got 2 and 3"):
        Simulation(net)


def test_an_empty_network() -> None:
    with refused(r"the network has no populations; add one with Network\.population"):
        Simulation(Network())


def test_a_trace_of_an_unknown_parameter() -> None:
    class Misspelt(WTCRL):
        pre_traces = (Trace("tau_z"),)

    assert issubclass(Misspelt, PlasticityRule)
    with refused("Misspelt: a trace names the parameter 'tau_z'; the rule has tau_x", ModelError):
        trace_kernels(Misspelt, Misspelt.pre_traces)


# -- recorders -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (lambda n: n.record_spikes("u", "w"), "no population 'w'; it has 'u', 'v'"),
        (lambda n: n.record_state("w", ["v"], [1.0]), "no population 'w'"),
        (lambda n: n.record_state("v", ["u"], [1.0]), "'v' has no state variable 'u'; it has v, i"),
        (lambda n: n.record_state("u", ["v"], [1.0]), "'u' has no state variable 'v'; it has none"),
        (lambda n: n.record_state("v", ["v"], [1.0, nan]), "recorder of 'v': time nan ms"),
        (lambda n: n.record_state("v", ["v"], [-1.0]), r"recorder of 'v': time -1\.0 ms"),
        (lambda n: n.record_weights("w", [1.0]), "no projection 'w'; it has 'u->v', 'v->v'"),
        (lambda n: n.record_weights("u->v", [inf]), "recorder of 'u->v': time inf ms"),
        (lambda n: n.find_population("w"), "no population 'w'"),
        (lambda n: n.find_population(None), "no population None"),
        (lambda n: n.find_projection("w"), "no projection 'w'"),
        (lambda n: n.find_projection(7), "no projection 7"),
        (lambda n: Network().find_population("w"), "no population 'w'; it has none"),
    ],
)
def test_recorders_and_look_ups(record: Callable[[Network], Any], text: str) -> None:
    with refused(text):
        record(network())


# -- a simulation --------------------------------------------------------------------------------


@pytest.mark.parametrize("until", [nan, inf, -inf])
def test_times_that_are_no_times(until: float) -> None:
    with refused(rf"run\(until={until}\): a finite time in ms", SimulationError):
        Simulation(network()).run(until)


def test_times_that_are_past() -> None:
    with refused(r"run\(until=-1\.0\): the simulation is at 0\.0 ms", SimulationError):
        Simulation(network()).run(-1.0)


def test_spikes_that_are_not_recorded() -> None:
    simulation = Simulation(network())
    with refused("the spikes of population 'u' are not recorded; .*record_spikes"):
        simulation.spikes("u")
    with refused("no population 'w'"):
        simulation.spikes("w")


@pytest.mark.parametrize(
    ("projection", "values", "text"),
    [
        ("u->v", np.zeros((3, 2)), r"'u->v': weights of shape \(3, 2\); \(2, 3\) is needed"),
        ("u->v", np.zeros(6), r"'u->v': weights of shape \(6,\); \(2, 3\) is needed"),
        ("u->v", 1.0, r"'u->v': weights of shape \(\); \(2, 3\) is needed"),
        ("u->v", [[0, 1, 2], [3, nan, 5]], r"'u->v': weight\[4\] = nan"),
        ("v->v", [1.0, 2.0], r"'v->v': weights of shape \(2,\); \(3,\) is needed"),
        ("v->v", [1.0, 2.0, inf], r"'v->v': weight\[2\] = inf"),
        ("v->v", [1.0, 2.0, 3.0], "'v->v' was described with one weight for all its synapses"),
    ],
)
def test_new_weights(projection: str, values: Any, text: str) -> None:
    simulation = Simulation(network())
    before = simulation.weights(projection)
    with refused(f"projection {text}", SimulationError):
        simulation.set_weights(projection, values)
    np.testing.assert_array_equal(simulation.weights(projection), before)


def test_weights_of_an_unknown_projection() -> None:
    simulation = Simulation(network())
    for call in (simulation.weights, lambda p: simulation.set_weights(p, [1.0])):
        with refused("no projection 'w'; it has 'u->v', 'v->v'"):
            call("w")


def test_learning_without_a_rule_that_learns() -> None:
    net = network()
    net.projection("u", "v", all_to_all(), name="static")
    simulation = Simulation(net)
    for name in ("static", "v->v"):
        with refused(f"projection '{name}' has no rule that changes", SimulationError):
            simulation.set_learning(name, False)
    with refused("no projection 'w'"):
        simulation.set_learning("w", False)


def test_unknown_state_variables() -> None:
    simulation = Simulation(network())
    with refused("'v' has no state variable 'u'; it has v, i_exc, i_inh", SimulationError):
        simulation.state("v", "u")
    with refused("'u' has no state variable 'v'; it has none", SimulationError):
        simulation.state("u", "v")
    with refused("no population 'w'"):
        simulation.state("w", "v")


# -- saved states --------------------------------------------------------------------------------


def content(simulation: Simulation) -> dict[str, str]:
    """All numbers of a saved state; the gaps between the fields of records hold anything."""
    return {name: repr(array.tolist()) for name, array in simulation.save().items()}


@pytest.mark.parametrize(
    ("saved", "text"),
    [
        ({}, "no saved state of a simulation: 'engine/engine' is missing"),
        ({"a": np.zeros(3)}, "no saved state of a simulation: 'engine/engine' is missing"),
        (Simulation(network(4)).save(), "another network: population 'v' is 4 x .* there and 3 x"),
    ],
    ids=["empty", "garbage", "another network"],
)
def test_what_is_no_saved_state(saved: dict[str, Any], text: str) -> None:
    simulation = Simulation(network())
    before = content(simulation)
    with refused(text, SimulationError):
        simulation.restore(saved)
    assert content(simulation) == before, "a refused state changes nothing"


@pytest.mark.parametrize("name", sorted(Simulation(network()).save()))
def test_every_part_of_a_saved_state_is_checked(name: str) -> None:
    simulation = Simulation(network())
    before, good = content(simulation), simulation.save()
    missing = {k: v for k, v in good.items() if k != name}
    with refused(f"'{name}' is missing", SimulationError):
        simulation.restore(missing)
    shape = good[name].shape
    for bad in (np.zeros(shape, "U3"), good[name][None], np.zeros((*shape, 2), good[name].dtype)):
        with refused(f"another network: '{name}' has shape", SimulationError):
            simulation.restore({**good, name: bad})
    assert content(simulation) == before
    simulation.restore(good)
