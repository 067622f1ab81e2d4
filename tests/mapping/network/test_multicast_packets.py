"""Spikes as packets that branch: who gets them, and what they cost the links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mapping import Edges, Mesh, SpikingGraph, partition_neurons
from mapping.metrics import link_loads, multicast_link_loads
from mapping.multicast import multicast_names, multicast_tree
from mapping.network import (
    MulticastTrace,
    PacketNetwork,
    Packets,
    multicast_trace,
    packet_trees,
    read_trace,
    run_packets,
    spike_packets,
    write_trace,
)
from mapping.network.records import Deliveries
from mapping.partition import Partition
from mapping.traffic import spike_traffic
from simulator.errors import DataError, MappingError


def recorded(
    seed: int, torus: bool = False
) -> tuple[SpikingGraph, Partition, np.ndarray, Mesh, np.ndarray, np.ndarray]:
    """A random network on a 4x3 mesh, and spikes of it at random times."""
    rng = np.random.default_rng(seed)
    mesh = Mesh(4, 3, torus=torus, neurons_per_core=4)
    pairs = np.unique(rng.integers(0, 40, (160, 2)), axis=0)
    counts = rng.integers(0, 6, 40)
    graph = SpikingGraph({"a": 40}, [Edges("a", "a", pairs[:, 0], pairs[:, 1])], counts, 50.0)
    partition = partition_neurons(graph, mesh)
    core_of = rng.permutation(mesh.n_cores)[: partition.n_cores]
    ids = rng.permutation(np.repeat(np.arange(40), counts))
    return graph, partition, core_of, mesh, ids, rng.uniform(0.0, 50.0, ids.size)


def sent_and_arrived(
    network: PacketNetwork, spikes: Any, multicast: str | None, flits: int
) -> tuple[list[tuple[int, int]], Deliveries]:
    """(spike, core) of every delivery, in order; conservation at every few cycles on the way."""
    # Packets of this method that come close together can block each other.
    cycles_per_ms = 100.0 if multicast == "neighbour_exploring" else 3.0
    sent = spike_packets(*spikes, cycles_per_ms, flits, multicast=multicast)
    if isinstance(sent, Packets):
        network.inject(*sent)
    else:
        trees = network.add_trees(sent.trees)
        network.inject_tree(sent.cycle, trees[sent.tree], sent.flits, sent.tag)
    parts = []
    for until in range(7, 210, 7):
        parts.append(network.run(until))
        counts = network.counts
        assert counts.injected == counts.delivered + counts.in_flight
    parts.append(network.drain())
    arrived = Deliveries(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return sorted(zip(arrived.tag.tolist(), arrived.target.tolist(), strict=True)), arrived


@pytest.mark.parametrize("flits", [1, 3])
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("method", multicast_names())
def test_the_same_cores_get_each_spike_over_fewer_links(method: str, seed: int, flits: int) -> None:
    spikes = recorded(seed)
    graph, partition, core_of, mesh = spikes[:4]
    one_by_one, branching = PacketNetwork(mesh), PacketNetwork(mesh, multicast=True)
    expected, _ = sent_and_arrived(one_by_one, spikes, None, flits)
    found, arrived = sent_and_arrived(branching, spikes, method, flits)
    assert found == expected
    assert len(expected) > 100
    traffic = spike_traffic(graph, partition)
    links = branching.wire_flits[: mesh.n_link_ids]
    loads = multicast_link_loads(traffic, core_of, mesh, tree=method)
    assert links.tolist() == (flits * loads).tolist()
    alone = one_by_one.wire_flits[: mesh.n_link_ids]
    assert alone.tolist() == (flits * link_loads(traffic, core_of, mesh, "xy")).tolist()
    assert links.sum() < alone.sum()
    if method == "xy_tree":
        assert np.array_equal(arrived.hops, mesh.distances[arrived.source, arrived.target])
    assert branching.occupied_slots == 0


def test_a_report_of_packets_that_branch_counts_copies() -> None:
    spikes = recorded(3)
    mesh = spikes[3]
    sent = spike_packets(*spikes, 20.0, multicast="xy_tree")
    plain = spike_packets(*spikes, 20.0)
    assert sent.n_packets == np.unique(plain.tag).size
    assert int(sent.copies.sum()) == plain.n_packets
    assert np.all(np.diff(sent.cycle) >= 0)
    report = run_packets(PacketNetwork(mesh, multicast=True), sent)
    alone = run_packets(PacketNetwork(mesh), plain)
    assert report.stable
    assert alone.stable
    assert report.counts.delivered == alone.counts.delivered == plain.n_packets
    assert report.mean_hops == pytest.approx(alone.mean_hops)
    assert report.link_flits.sum() < alone.link_flits.sum()
    span = int(sent.cycle[-1]) + 1
    assert report.offered == pytest.approx(plain.n_packets / (span * mesh.n_cores))
    assert report.saturation_margin >= alone.saturation_margin


def test_packets_for_sets_of_cores_come_back_from_both_kinds_of_file(tmp_path: Path) -> None:
    given = multicast_trace([3, 1, 1], [0, 2, 1], [(3, 1), (0,), (3, 0)], [1, 4, 2], [7, 8, 9])
    assert given.cycle.tolist() == [1, 1, 3]
    assert [given.sets[k] for k in given.to] == [(2, (0,)), (1, (0, 3)), (0, (1, 3))]
    sent = spike_packets(*recorded(4), 5.0, 2, multicast="dual_path")
    for trace in (given, sent.trace()):
        for file in ("a.csv", "a.npz"):
            again = read_trace(write_trace(tmp_path / file, trace))
            assert isinstance(again, MulticastTrace)
            assert [again.sets[k] for k in again.to] == [trace.sets[k] for k in trace.to]
            for name in ("cycle", "flits", "tag"):
                assert np.array_equal(getattr(again, name), getattr(trace, name))
    assert (tmp_path / "a.csv").read_text().startswith("cycle,source,targets,flits,tag\n")


@pytest.mark.parametrize("method", ["xy_tree", "dual_path", "neighbour_exploring"])
def test_a_trace_of_what_branches_makes_the_same_packets_again(tmp_path: Path, method: str) -> None:
    """Each packet goes to the same cores by the same links; alone, it is a spike's packet."""
    spikes = recorded(5)
    mesh = spikes[3]
    sent = spike_packets(*spikes, 5.0, multicast=method)
    trace = read_trace(write_trace(tmp_path / "trace.npz", sent))
    assert isinstance(trace, MulticastTrace)
    again = trace.branching(mesh, method)
    assert np.array_equal(again.cycle, sent.cycle)
    assert np.array_equal(again.tag, sent.tag)
    for a, b in zip(again.tree.tolist(), sent.tree.tolist(), strict=True):
        one, other = again.trees[a], sent.trees[b]
        assert (one.source, set(one.channels)) == (other.source, set(other.channels))
        assert set(one.targets) == set(other.targets)
    plain = spike_packets(*spikes, 5.0)
    order = np.lexsort((trace.unicast().target, trace.unicast().tag))
    for x, y in zip(trace.unicast(), plain, strict=True):
        assert np.array_equal(x[order], y[np.lexsort((plain.target, plain.tag))])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cycle,source,targets\n1,2,3 4\n4,0,x\n", "line 3: '4,0,x'; expected 3 whole numbers"),
        ("cycle,source,targets\n1,2\n", "line 2: '1,2'; expected 3"),
        ("cycle,source,targets\n1,-2,3\n", "line 2: source = -2; it must be >= 0"),
        ("cycle,source,targets\n1,2,\n", "targets[0] is empty"),
        ("cycle,source,targets\n1,2,3 2\n", "targets[0] holds the source, core 2"),
        ("cycle,source,targets\n1,2,3 3\n", "targets[0] = [3, 3] names a core twice"),
        ("cycle,source,targets\n1,2,-3\n", "targets[0] has core -3"),
        ("cycle,source,targets,target\n", "column 'target'; a trace has cycle, source, targets"),
        ("cycle,cycle,source,targets\n", "two columns 'cycle'"),
    ],
)
def test_a_bad_trace_of_sets_names_file_and_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=r"bad\.csv") as caught:
        read_trace(path)
    assert message in str(caught.value)


def test_a_bad_archive_of_sets_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    for start in ([0, 2, 1], [0, 1], [], [0, 0.5, 2]):
        np.savez(path, cycle=[0, 1], source=[0, 1], start=np.array(start), targets=[2, 3])
        with pytest.raises(DataError, match=r"bad\.npz.*start"):
            read_trace(path)
    with pytest.raises(MappingError, match="3 entries for 2 sets"):
        multicast_trace([0, 1, 2], 0, [(1,), (2,)])


def test_trees_of_a_torus_and_of_separate_packets() -> None:
    mesh = Mesh(4, 4, torus=True)
    network = PacketNetwork(mesh, "torus_datelines", multicast=True)
    (tree,) = packet_trees(multicast_tree(mesh, "xy_tree", 5, [4, 7, 13]))
    network.inject_tree([0, 3, 90], network.add_trees([tree]), 2, [7, 8, 9])
    arrived = network.drain()
    assert sorted(zip(arrived.tag.tolist(), arrived.target.tolist(), strict=True)) == [
        (tag, core) for tag in (7, 8, 9) for core in (4, 7, 13)
    ]
    assert np.array_equal(arrived.hops, mesh.distances[5, arrived.target])
    both = packet_trees(multicast_tree(Mesh(4, 4), "dual_path", 5, [0, 4, 6, 15]))
    # Along the snake 0 1 2 3 7 6 5 4 8 ...: one packet back to 6 and 0, one on to 4 and 15.
    assert sorted(sorted(one.targets) for one in both) == [[0, 6], [4, 15]]


def test_what_cannot_branch_is_refused() -> None:
    spikes = recorded(0)
    mesh = spikes[3]
    with pytest.raises(MappingError, match="multicast method"):
        spike_packets(*spikes, 1.0, multicast="spanning")
    with pytest.raises(MappingError, match="multicast=True"):
        run_packets(PacketNetwork(mesh), spike_packets(*spikes, 1.0, multicast="xy_tree"))
    network = PacketNetwork(mesh, multicast=True)
    numbers = network.add_trees(packet_trees(multicast_tree(mesh, "xy_tree", 0, [1, 2])))
    with pytest.raises(MappingError, match="no tree 99"):
        network.inject_tree([0, 1], [int(numbers[0]), 99])
    with pytest.raises(MappingError, match="different lengths"):
        network.inject_tree([0, 1, 2], [numbers[0]] * 2)
