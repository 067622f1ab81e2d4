"""Placing a run: the mapping sees the connectivity and the spike counts that the run left."""

from __future__ import annotations

import json

import numpy as np
import pytest

from experiments import RunDirectory, run_experiment
from experiments.machines import MachineOptions, parse_pins
from experiments.network_record import NetworkRecord, ProjectionRecord
from experiments.place import parse_objective, place_run, spiking_graph
from experiments.recorded import PacketOptions
from simulator.errors import DataError, MappingError


@pytest.fixture
def run(tmp_path, tiny) -> RunDirectory:
    return run_experiment("tiny", out=tmp_path / "run", settings={"n": 4, "period": 5.0})


def test_the_graph_has_the_counts_and_connections_of_the_run(run):
    graph = spiking_graph(run)
    assert graph.names == ("clock", "echo")
    assert graph.duration_ms == 50.0
    # Neuron k % 4 at every tick k < 10, and neuron 0 at every tick; "echo" never fires.
    assert graph.spike_counts.tolist() == [3 + 10, 3, 2, 2, 0, 0, 0]
    assert graph.n_synapses == 4 * 3 + 3 * 2


def test_explicit_synapses_and_silent_populations_are_placed_too(tmp_path):
    with RunDirectory.create(tmp_path, experiment="x", parameters={}, seed=1) as run:
        run.append_spikes("a", [1.0, 2.0, 4.0], [1, 1, 0])
        pre, post = np.array([0, 1, 1]), np.array([2, 0, 1])
        explicit = ProjectionRecord("a", "b", "explicit", pre_indices=pre, post_indices=post)
        run.write_network(NetworkRecord({"a": 2, "b": 3}, (explicit,)))
    graph = spiking_graph(run)
    assert graph.spike_counts.tolist() == [1, 2, 0, 0, 0]
    assert graph.targets(1).tolist() == [2, 3]
    assert graph.duration_ms == 4.0


def test_everything_is_written_and_listed(run):
    report, files = place_run(run.path, "3x2", placement="annealing", seed=3)
    names = ["mapping.json", "placement.png", "link_load.png", "convergence.png"]
    assert [path.name for path in files] == names
    content = json.loads((run.path / "mapping.json").read_text())
    assert content["schema_version"] == 2
    assert content["placement"]["cost_packet_hops"] == report.cost
    assert (content["placement"]["seed"], content["routing"]) == (3, "xy")
    assert content["deadlock"]["all_flows"]["free"] is True
    listed = RunDirectory.open(run.path).record["files"]
    assert listed[-4:] == names
    # As thin as six cores allow with a population to a core: one neuron each would need seven.
    assert content["partition"]["neurons"] == [2, 2, 2, 1]


def test_capacities_placement_and_torus_reach_the_mapping(run):
    report, files = place_run(
        run,
        "3x3",
        placement="serpentine",
        routing="torus_dimension_order",
        machines=MachineOptions(torus=True, neurons_per_core=2, fan_in_per_core=100),
    )
    assert str(report.mesh) == "3x3 torus"
    assert report.mesh.neurons_per_core == 2
    assert report.mesh.fan_in_per_core == 100
    assert report.partition.neurons.max() <= 2
    assert report.routing == "torus_dimension_order"
    assert report.placement.method == "serpentine"
    assert [path.name for path in files] == ["mapping.json", "placement.png", "link_load.png"]


@pytest.mark.parametrize(
    ("mesh", "options", "text"),
    [
        ("8by8", {}, "mesh '8by8': expected WIDTHxHEIGHT"),
        (
            "1x1",
            {"machines": MachineOptions(neurons_per_core=2)},
            "7 neurons need 4 cores and there are 1",
        ),
        ("2x2", {"placement": "magic"}, "magic"),
        ("2x2", {"routing": "magic"}, "magic"),
        ("2x2", {"partition": "magic"}, "magic"),
        (
            "2x2",
            {"machines": MachineOptions(neurons_per_core=0)},
            "neurons_per_core = 0; it must be an integer >= 1",
        ),
        ("2x2", {"pins": ["echo"]}, "pin 'echo': expected POPULATION=CORES, such as hidden=0,4-7"),
        ("2x2", {"pins": ["echo=1,x"]}, "pin 'echo=1,x': 'x'; expected a core"),
        ("2x2", {"pins": ["echo=3-1"]}, "pin 'echo=3-1': '3-1'; expected a core"),
        ("2x2", {"pins": ["echo=1", "echo=2"]}, "population 'echo' is given twice"),
        ("2x2", {"pins": ["bell=1"]}, "bell"),
        ("2x2", {"pins": ["echo=7"]}, "7"),
        ("2x2", {"seed": -1}, "seed"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(run, mesh, options, text):
    with pytest.raises(MappingError, match=text):
        place_run(run, mesh, **options)
    assert not (run.path / "mapping.json").exists()


def test_a_run_without_network_or_with_foreign_spikes_is_refused(tmp_path):
    with RunDirectory.create(tmp_path, experiment="x", parameters={}, seed=1) as run:
        run.append_spikes("a", [1.0], [7])
    with pytest.raises(DataError, match=r"network\.npz' does not exist"):
        place_run(run, "2x2")
    run.write_network(NetworkRecord({"a": 3}, (ProjectionRecord("a", "a"),)))
    with pytest.raises(DataError, match="a spike of neuron 7 of population 'a', which has 3"):
        place_run(run, "2x2")


def test_presets_chips_faults_and_objectives_reach_the_mapping(run):
    report, _ = place_run(run, "loihi", placement="sequential")
    assert report.mesh.name == "Intel Loihi"
    report, _ = place_run(
        run,
        "4x2",
        partition="multilevel",
        placement="annealing",
        routing="up_down",
        objective="packet_hops=1,max_link_load=2",
        machines=MachineOptions(
            chips="2x1", board_link_cycles=3, faulty_cores="0", faulty_links="2-3"
        ),
    )
    assert 0 not in report.placement.core_of
    assert report.partition_method == "multilevel"
    assert len(report.mesh.board_links) == 4
    assert report.mesh.board_link_cycles == 3
    assert report.placement.objective == {"packet_hops": 1.0, "max_link_load": 2.0}
    rows = dict(report.summary_rows())
    assert rows["objective"].startswith("packet_hops + 2 x max_link_load = ")
    content = json.loads((run.path / "mapping.json").read_text())
    assert content["placement"]["value"] == report.placement.value
    assert content["mesh"]["faulty_cores"] == [0]


def test_pinned_populations_stay_on_their_cores(run):
    report, _ = place_run(run, "3x3", pins=["echo=7", "clock=0-2,5"])
    assert report.placement.method == "auto"
    assert report.core_of[4:].tolist() == [7, 7, 7]
    assert set(report.core_of[:4].tolist()) <= {0, 1, 2, 5}
    assert parse_pins([" a = 1 , 3 - 4 "]) == {"a": [1, 3, 4]}


def test_recorded_spikes_travel_along_trees(run):
    """Twenty spikes of ten ticks, each to the cores of all three echoes."""
    report, files = place_run(
        run,
        "4x2",
        placement="sequential",
        multicast="dual_path",
        machines=MachineOptions(neurons_per_core=1),
        packets=PacketOptions(cycles_per_ms=50.0),
    )
    assert files[-1].name == "latency.csv"
    pairs = np.genfromtxt(files[-1], delimiter=",", names=True)
    assert pairs["copies"].sum() == report.spikes.report.counts.delivered == 20 * 3
    assert set(pairs["target"]) == set(report.core_of[4:].tolist())
    latency = report.spikes.report.latency
    total = (pairs["copies"] * pairs["mean_cycles"]).sum()
    assert total == pytest.approx(latency.mean * latency.n_packets, rel=1e-5)
    assert pairs["maximum_cycles"].max() == latency.maximum
    first = place_run(
        run,
        "4x2",
        placement="sequential",
        machines=MachineOptions(neurons_per_core=1),
        packets=PacketOptions(cycles_per_ms=50.0, window="0:5"),
    )[0]
    assert first.spikes.report.counts.delivered == 2 * 3  # the tick at 0 ms alone
    with pytest.raises(MappingError, match="multicast = 'spanning'"):
        place_run(run, "4x2", placement="sequential", multicast="spanning")


@pytest.mark.parametrize(
    ("text", "weights"),
    [("energy", {"energy": 1.0}), (" a = 2 , b=0.5", {"a": 2.0, "b": 0.5})],
)
def test_objectives_in_words(text, weights):
    assert parse_objective(text) == weights


def test_objectives_that_are_none_are_refused(run):
    for text, message in (
        ("energy=x", "objective 'energy=x': 'x' is no number"),
        ("energy,energy", "'energy' is given twice"),
        ("speed", "unknown objective 'speed'; there are packet_hops, max_link_load, energy"),
        ("energy=nan", "energy"),
    ):
        with pytest.raises(MappingError, match=message):
            place_run(run, "3x3", objective=text)
