import json

import numpy as np
import pytest

from mapping import CapacityError, Edges, Mesh, SpikingGraph, map_network
from simulator.errors import DataError, MappingError
from tests.mapping.support import demo_graph, naive_packets
from tests.mapping.test_deadlock import AllTurns


@pytest.fixture(scope="module")
def report():
    return map_network(
        demo_graph(), Mesh.parse("8x8"), seed=3, placement="annealing", moves_per_core=1000
    )


def test_the_report_agrees_with_itself(report):
    graph = report.graph
    core_of = report.core_of
    assert core_of.shape == (282,)
    assert np.bincount(core_of).max() <= 5
    packets = naive_packets_by_population(graph, core_of)
    hops = report.mesh.distances
    assert report.cost == int((packets * hops).sum()) == int(report.link_loads.sum())
    assert report.traffic.n_packets == packets.sum() - packets.trace()
    assert report.traffic.local.sum() == packets.trace()
    assert report.cost < min(report.baseline_costs.values())
    assert report.verdict.free
    assert report.verdict.all_flows
    assert not report.traffic_verdict.all_flows
    assert report.traffic_verdict.n_channels == np.count_nonzero(report.link_loads)


def naive_packets_by_population(graph, core_of):
    """Both all-to-all projections of the demo end on the hidden neurons."""
    packets = np.zeros((64, 64), dtype=int)
    hidden_cores = core_of[250:].tolist()
    for neuron in range(282):
        others = [c for k, c in enumerate(hidden_cores) if k + 250 != neuron]
        for core in set(others):
            packets[core_of[neuron], core] += graph.spike_counts[neuron]
    return packets


def test_json_holds_everything(report, tmp_path):
    path = report.to_json(tmp_path / "mapping.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    assert (data["schema"], data["schema_version"]) == ("spikemesh.mapping", 2)
    assert data["mesh"]["width"] == 8
    assert data["mesh"]["neurons_per_core"] == 1024
    assert data["mesh"]["energy"]["source"].startswith("Davies")
    cores = [
        core
        for name in ("code", "hidden")
        for core in data["network"]["populations"][name]["core_of"]
    ]
    assert cores == report.core_of.tolist()
    assert data["placement"]["seed"] == 3
    assert data["placement"]["method"] == "annealing"
    assert set(data["placement"]["baseline_cost_packet_hops"]) == {"sequential", "serpentine"}
    assert sum(link["packets"] for link in data["links"]) == report.cost
    assert data["placement"]["cost_packet_hops"] == report.cost
    assert len(data["links"]) == 224
    assert {"id": 1, "from": [0, 0], "to": [1, 0], "direction": "E"}.items() <= next(
        link.items() for link in data["links"] if link["id"] == 1
    )
    assert data["deadlock"]["all_flows"]["free"] is True
    assert len(data["deadlock"]["all_flows"]["channel_order"]) == 224


def test_json_of_a_possible_deadlock_holds_the_cycle():
    graph = SpikingGraph({"a": 16}, [Edges("a", "a")], [1] * 16, 1.0)
    mesh = Mesh(4, 4, torus=True, energy=None)
    report = map_network(
        graph, mesh, routing="torus_dimension_order", placement="annealing", moves_per_core=10
    )
    verdict = report.to_dict()["deadlock"]["all_flows"]
    assert verdict["free"] is False
    assert len(verdict["cycle"]) == len(verdict["cycle_flows"]) == 4
    assert "wait for each other" in verdict["text"]
    assert report.to_dict()["traffic"]["energy_pj"] is None
    rows = dict(report.summary_rows())
    assert rows["deadlock, all flows"].startswith("possible: a cycle of 4 channels")
    assert "network energy" not in rows


def test_summary_rows_are_pairs_of_text(report):
    rows = report.summary_rows()
    assert all(isinstance(text, str) and text for row in rows for text in row)
    assert len({label for label, _ in rows}) == len(rows)
    table = dict(rows)
    assert table["network"] == "code 250, hidden 32"
    assert table["synapses"] == "8,992"
    assert table["machine"] == "8x8 mesh, 57 of 64 cores in use"
    assert table["cost"] == f"{report.cost:,} packets x hops"
    assert table["deadlock, all flows"].startswith("free (224 channels")


def test_same_seed_same_report(report):
    again = map_network(
        demo_graph(), Mesh.parse("8x8"), seed=3, placement="annealing", moves_per_core=1000
    )
    assert again.to_dict() == report.to_dict()


def test_a_silent_network_is_mapped_too():
    graph = SpikingGraph({"a": 2, "b": 2}, [Edges("a", "b")], [0] * 4, 1.0)
    report = map_network(graph, Mesh(2, 2))
    assert (report.cost, report.maximum_link_load, report.hops) == (0, 0, (0.0, 0))
    assert dict(report.summary_rows())["busiest link"] == "no packet enters the network"
    assert not naive_packets(graph, report.partition.core_of, 4).any()


def test_one_core_is_a_machine():
    graph = SpikingGraph({"a": 3}, [Edges("a", "a")], [1, 2, 3], 1.0)
    report = map_network(graph, Mesh(1, 1))
    assert report.traffic.local.tolist() == [6]
    assert report.verdict.free
    assert json.dumps(report.to_dict(), allow_nan=False)


def test_bad_arguments_reach_the_caller():
    graph = SpikingGraph({"a": 3}, [], [1, 2, 3], 1.0)
    with pytest.raises(MappingError, match=r"unknown placement 'magic'"):
        map_network(graph, Mesh(2, 2), placement="magic")
    with pytest.raises(MappingError, match=r"unknown routing 'magic'"):
        map_network(graph, Mesh(2, 2), routing="magic")
    with pytest.raises(MappingError, match=r"no option 'colour'"):
        map_network(graph, Mesh(2, 2), colour=3)
    with pytest.raises(CapacityError, match=r"3 neurons need 3 cores and there are 2: 1 short"):
        map_network(graph, Mesh(2, 1, neurons_per_core=1))


def test_an_adaptive_routing_function_shares_its_packets_out():
    talking = SpikingGraph({"a": 9}, [Edges("a", "a")], [1] * 9, 1.0)
    mesh = Mesh(3, 3, neurons_per_core=1)
    report = map_network(talking, mesh, routing=AllTurns(), placement="sequential")
    assert report.loads_are_expected
    assert report.multicast is None
    assert report.link_loads.sum() == pytest.approx(report.cost)
    assert report.verdict.free is False
    assert "choices shared evenly" in dict(report.summary_rows())["busiest link"]
    data = report.to_dict()
    assert data["traffic"]["loads_are_expected"] is True
    assert sum(link["packets"] for link in data["links"]) == pytest.approx(report.cost)
    # XY leaves no choice: whole packets, and trees.
    plain = map_network(talking, mesh, placement="sequential")
    assert plain.multicast.n_packets == 9
    assert 9 * 8 == plain.multicast.cost < plain.cost
    assert plain.multicast.maximum_link_load <= plain.maximum_link_load
    assert all(isinstance(link["packets"], int) for link in plain.to_dict()["links"])


def test_boards_of_chips_with_faults_are_reported():
    graph = SpikingGraph({"a": 4}, [Edges("a", "a")], [1] * 4, 1.0)
    board = Mesh(4, 2, chip_width=2, board_link_cycles=3, neurons_per_core=1, name="Board")
    report = map_network(graph, board, placement="sequential")
    rows = dict(report.summary_rows())
    assert rows["machine"] == "Board, 4x2 mesh of 2 chips, 4 of 8 cores in use"
    assert "faulty" not in rows
    cycles = {link["id"]: link["cycles_per_flit"] for link in report.to_dict()["links"]}
    assert {link for link, n in cycles.items() if n == 3} == set(board.board_links)
    faulty = board.with_faults(cores=[7], links=[board.link(6, "N")])
    report = map_network(graph, faulty, placement="sequential", routing="up_down")
    rows = dict(report.summary_rows())
    assert rows["faulty"] == "1 core, 1 link"
    assert rows["machine"].endswith("4 of 7 cores in use")


def test_the_limit_is_part_of_the_report(report):
    limit = report.limit
    assert limit.packets == report.traffic.n_packets <= limit.degree <= limit.cost == report.cost
    assert report.to_dict()["placement"]["limit"] == limit.to_dict()
    assert "no placement below" in dict(report.summary_rows())["mapping limit"]
    assert report.to_dict()["partition"]["added_storage"] == report.added_storage > 0


def test_a_path_that_cannot_be_written_is_named(report, tmp_path):
    with pytest.raises(DataError, match=r"no/mapping.json: cannot write the mapping: No such file"):
        report.to_json(tmp_path / "no" / "mapping.json")


def test_pinned_populations_and_options_of_the_partition_reach_the_mapping():
    graph = SpikingGraph({"a": 4, "b": 2}, [Edges("a", "b")], [1] * 6, 1.0)
    small = Mesh(3, 3, neurons_per_core=2)
    report = map_network(graph, small, partition="greedy", pinned={"b": [8]}, seed=1)
    assert report.core_of[4:].tolist() == [8, 8]
    assert report.partition_method == "greedy"
    assert report.to_dict()["partition"]["method"] == "greedy"
    with pytest.raises(MappingError, match=r"unknown partition method 'magic'"):
        map_network(graph, small, partition="magic")
    with pytest.raises(MappingError, match=r"no option 'colour'"):
        map_network(graph, small, partition_options={"colour": 3})


def test_only_allowed_cores_are_used():
    graph = SpikingGraph({"a": 4, "b": 2}, [Edges("a", "b")], [1] * 6, 1.0)
    mesh = Mesh(3, 3, neurons_per_core=1)
    some = np.arange(9) != 4
    report = map_network(graph, mesh, pinned={"b": [0, 1, 4]}, allowed=some)
    assert set(report.core_of[4:].tolist()) == {0, 1}
    assert 4 not in report.core_of
    assert report.placement.method == "auto"
    for wrong in (some[:-1], some.astype(int), np.ones((2, 9), bool)):
        with pytest.raises(MappingError, match=r"allowed is .*; expected bool, \(9,\)"):
            map_network(graph, mesh, allowed=wrong)


def test_unlike_and_faulty_cores_are_respected():
    graph = SpikingGraph({"a": 6}, [Edges("a", "a")], [1] * 6, 1.0)
    mesh = Mesh(2, 2, core_capacities={0: (1, 9, 9), 3: (1, 9, 9)}, faulty_cores=[1])
    report = map_network(graph, mesh, seed=2)
    per_core = np.bincount(report.core_of, minlength=4)
    assert per_core[1] == 0
    assert np.all(per_core <= mesh.capacities[:, 0])
