"""The recipes of CONTRIBUTING.md, run as they are printed."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import mapping.placement
import neurons
import plasticity
from encoders import SpikeTimes
from mapping import Mesh, Traffic, place
from simulator import Network, Simulation, all_to_all
from simulator.reference import Reference

PAGE = Path(__file__).parents[1] / "CONTRIBUTING.md"
PACKAGES = {"neurons": neurons, "plasticity": plasticity, "mapping/placement": mapping.placement}


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ModuleType]]:
    """The printed files, importable from the packages they belong to."""
    blocks = re.findall(r"```python\n# file: (\S+)/(\w+)\.py\n(.*?)```", PAGE.read_text(), re.S)
    root = tmp_path_factory.mktemp("recipes")
    modules = {}
    for folder, name, text in blocks:
        place_of = root / folder
        place_of.mkdir(parents=True, exist_ok=True)
        (place_of / f"{name}.py").write_text(text)
        package = PACKAGES[folder]
        if str(place_of) not in package.__path__:
            package.__path__.append(str(place_of))
        importlib.invalidate_caches()
        modules[name] = importlib.import_module(f"{package.__name__}.{name}")
    yield modules
    for package in PACKAGES.values():
        package.__path__[:] = [p for p in package.__path__ if not p.startswith(str(root))]
    for module in modules.values():
        sys.modules.pop(module.__name__, None)


def build(recipes: dict[str, ModuleType]) -> Network:
    net = Network(seed=3)
    source = net.population("source", 2, SpikeTimes([1.0, 4.0, 6.5, 9.0], [0, 1, 0, 1]))
    cells = net.population("cells", 3, recipes["perfect"].Perfect(drift=0.05, t_ref=1.0))
    rule = recipes["additive_stdp"].AdditiveSTDP()
    net.projection(source, cells, all_to_all(), weight=[[0.2, 0.3, 0.5]] * 2, rule=rule)
    net.record_spikes(cells)
    return net


def test_the_model_and_the_rule_run_in_both_engines(recipes: dict[str, ModuleType]) -> None:
    simulation, reference = Simulation(build(recipes)), Reference(build(recipes))
    simulation.run(30.0)
    reference.run(30.0)
    times, cells = simulation.spikes("cells")
    assert np.array_equal(times, reference.spikes("cells")[0])
    assert np.array_equal(
        simulation.weights("source->cells").ravel(), reference.weights("source->cells")
    )
    # Cell 2 is at 0.05 + 0.5 at 1 ms, 0.7 before and 1.2 after 4 ms: it fires with the arrival.
    assert (times[0], cells[0]) == (4.0, 2)


def test_the_rule_changes_weights_by_its_pairs(recipes: dict[str, ModuleType]) -> None:
    simulation = Simulation(build(recipes))
    simulation.run(5.0)
    p = recipes["additive_stdp"].AdditiveSTDP.Parameters()
    # Only cell 2 has fired, at 4 ms: inputs at 1 ms (channel 0) and at 4 ms itself (channel 1).
    expected = 0.5 + p.a_plus * np.array([np.exp(-3.0 / p.tau_plus), 1.0])
    assert simulation.weights("source->cells")[:, 2] == pytest.approx(expected, abs=1e-12)


def test_the_placement_is_found_by_its_name(recipes: dict[str, ModuleType]) -> None:
    packets = np.array([[0, 5, 0], [0, 0, 2], [1, 0, 0]])
    found = place(Traffic.from_matrix(packets, 10.0), Mesh(2, 2), "shuffled", seed=4)
    assert sorted(set(found.core_of.tolist())) == sorted(found.core_of.tolist())
    assert found.method == "shuffled"
