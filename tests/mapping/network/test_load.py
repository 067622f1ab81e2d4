"""Loads, traces and reports; the figures of BookSim 2; what a run costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mapping import Edges, Mesh, SpikingGraph, partition_neurons
from mapping.network import (
    PacketNetwork,
    Pipeline,
    SyntheticTraffic,
    packets,
    read_trace,
    run_load,
    run_packets,
    spike_packets,
    write_trace,
)
from mapping.network.patterns import PATTERNS, find_pattern
from mapping.network.stability import backlog_at, is_stable
from simulator.errors import DataError, MappingError


# Flits, virtual channels, offered flit rate -> mean latency and accepted rate of BookSim 2 (commit
# 28f43299), 8x8 mesh, dimension order, Bernoulli uniform load, 8 flits per virtual channel.
@pytest.mark.parametrize(
    ("flits", "lanes", "rate", "latency", "accepted"),
    [
        (1, 1, 0.1, 38.66, 0.1),
        (1, 4, 0.3, 37.97, 0.3004),
        (5, 1, 0.15, 44.62, 0.1497),
        (5, 4, 0.25, 44.71, 0.2501),
        (1, 1, 0.25, None, 0.1414),
        (5, 4, 0.45, None, 0.4006),
    ],
)
def test_latency_and_saturation_are_those_of_booksim(
    flits: int, lanes: int, rate: float, latency: float | None, accepted: float
) -> None:
    mesh = Mesh(8, 8)
    report = run_load(
        PacketNetwork(mesh, "xy", lanes=lanes),
        SyntheticTraffic(mesh, "uniform", rate, flits, seed=1),
        warm_up=1_500,
        cycles=5_000,
        most_drain=1_000,
    )
    assert report.stable == (latency is not None)
    if latency is not None:
        assert report.latency is not None
        assert report.latency.mean == pytest.approx(latency, rel=0.03)
        assert report.accepted == pytest.approx(accepted, rel=0.03)
    else:
        assert report.latency is None
        assert report.accepted == pytest.approx(accepted, rel=0.05)


def test_a_four_stage_pipeline_saves_a_cycle_a_hop() -> None:
    mesh = Mesh(8, 8)
    load = SyntheticTraffic(mesh, "uniform", 0.005, seed=2)
    reports = [
        run_load(PacketNetwork(mesh, "xy", pipeline=stages), load, warm_up=200, cycles=6_000)
        for stages in (Pipeline(), Pipeline(routing=0))
    ]
    means = [report.latency.mean for report in reports if report.latency]
    assert means[0] - means[1] == pytest.approx(reports[0].mean_hops + 1, abs=0.1)


def test_patterns() -> None:
    mesh = Mesh(4, 4)
    every = np.arange(16)
    random = np.zeros(16)
    sent = {name: kind(mesh, every, random) for name, kind in PATTERNS.items()}
    assert sent["transpose"][mesh.core(3, 1)] == mesh.core(1, 3)
    assert sent["bit_complement"].tolist() == (every ^ 15).tolist()
    assert sent["tornado"][mesh.core(3, 0)] == mesh.core(0, 1)
    assert set(sent["hotspot"]) == {mesh.core(2, 2)}
    drawn = PATTERNS["uniform"](mesh, every, np.arange(16) / 16)
    assert drawn.tolist() == every.tolist()
    with pytest.raises(MappingError, match="the patterns are uniform"):
        find_pattern("random")
    with pytest.raises(MappingError, match="square"):
        SyntheticTraffic(Mesh(2, 3), "transpose").window(0, 100)


@pytest.mark.parametrize("burst", [None, 20.0])
def test_the_load_is_what_was_asked_for_however_it_is_cut(burst: float | None) -> None:
    mesh = Mesh(8, 8)

    def traffic(seed: int = 5) -> SyntheticTraffic:
        return SyntheticTraffic(mesh, "uniform", 0.3, 3, burst_cycles=burst, peak=0.5, seed=seed)

    whole = traffic().window(0, 20_000)
    other = traffic()
    parts = [other.window(0, 7), other.window(7, 1_000), other.window(1_000, 20_000)]
    for field, column in enumerate(whole):
        assert np.array_equal(column, np.concatenate([part[field] for part in parts]))
    n = whole.n_packets
    assert 3 * n / 64 / 20_000 == pytest.approx(0.3, rel=0.03)
    # Packets per core in 200 cycles: independent cycles scatter less than Poisson, bursts more.
    scatter = np.bincount(whole.source + 64 * (whole.cycle // 200)).var() / (n / 6_400)
    assert scatter < 1.1 if burst is None else scatter > 2
    assert not np.array_equal(traffic(6).window(0, 100).cycle, traffic().window(0, 100).cycle)


def test_a_trace_comes_back_from_both_kinds_of_file(tmp_path: Path) -> None:
    sent = packets([3, 1, 1], [0, 2, 1], [1, 0, 3], [1, 4, 2], [7, 8, 9])
    assert sent.tag.tolist() == [8, 9, 7]
    for name in ("a.csv", "a.npz"):
        again = read_trace(write_trace(tmp_path / name, sent))
        assert all(np.array_equal(x, y) for x, y in zip(sent, again, strict=True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cycle,source,target\n1,2,3\n4,x,6\n", "line 3: '4,x,6'; expected 3 whole numbers"),
        ("cycle,source,target\n1,2\n", "line 2: '1,2'; expected 3"),
        ("cycle,source,target,flits\n1,2,3,0\n", "line 2: flits = 0; it must be >= 1"),
        ("cycle,source\n1,2\n", "has no column 'target'"),
        ("cycle,source,target,size\n", "column 'size'; a trace has cycle, source"),
        ("", "is empty"),
    ],
)
def test_a_bad_trace_names_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=r"bad\.csv") as caught:
        read_trace(path)
    assert message in str(caught.value)
    damaged = tmp_path / "bad.npz"
    damaged.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DataError, match=r"bad\.npz"):
        read_trace(damaged)


def test_a_spike_makes_a_packet_for_each_other_core() -> None:
    graph = SpikingGraph({"a": 2, "b": 4}, [Edges("a", "b")], [1] * 6, 10.0)
    mesh = Mesh(2, 2, neurons_per_core=2)
    partition = partition_neurons(graph, mesh)
    core_of = np.array([3, 1, 0])
    sent = spike_packets(graph, partition, core_of, mesh, [0, 1, 2], [0.5, 0.1, 0.3], 100.0)
    a = int(core_of[partition.core_of[0]])
    others = sorted(core_of[[int(partition.core_of[k]) for k in (2, 4)]].tolist())
    assert sent.cycle.tolist() == [10, 10, 50, 50]
    assert sent.tag.tolist() == [1, 1, 0, 0]
    assert sent.source.tolist() == [a] * 4
    assert sorted(sent.target[:2].tolist()) == sorted(sent.target[2:].tolist()) == others
    report = run_packets(PacketNetwork(mesh), sent)
    assert report.stable
    assert report.counts.delivered == 4
    with pytest.raises(MappingError, match="neuron_ids"):
        spike_packets(graph, partition, core_of, mesh, [6], [0.0], 1.0)
    with pytest.raises(MappingError, match="spike 0 at nan ms"):
        spike_packets(graph, partition, core_of, mesh, [1], [np.nan], 1.0)


def test_a_report_adds_up() -> None:
    mesh = Mesh(3, 1)
    network = PacketNetwork(mesh)
    sent = packets([0, 0, 40], [0, 2, 0], [2, 0, 1], [2, 1, 3])
    report = run_packets(network, sent)
    assert report.link_flits[mesh.link(0, "E")] == 5
    assert report.link_flits.sum() == 2 * 2 + 2 * 1 + 3
    assert report.mean_hops == pytest.approx(5 / 3)
    assert report.energy_pj == pytest.approx(5 * 3.0 + 3 * 1.7)
    assert report.latency is not None
    assert report.latency.maximum == 18.0
    assert report.disorder == 0.0
    # Two flits wait five cycles less the two wires in each buffer they pass.
    assert report.occupancy[mesh.link(2, "W")] > 0


def test_stability_is_read_off_the_backlog() -> None:
    rng = np.random.default_rng(0)
    created = np.sort(rng.integers(0, 10_000, 5_000))
    one = np.ones(5_000, dtype=int)
    soon = created + rng.integers(1, 30, 5_000)
    late = np.maximum.accumulate(np.maximum(created, np.arange(5_000) * 3))
    ever = np.ones(5_000, dtype=bool)
    assert is_stable(1_000, 10_000, created, soon, one, ever)
    assert not is_stable(1_000, 10_000, created, late, one, ever)
    assert backlog_at([0, 5, 100_000], created, soon, one, ever).tolist()[::2] == [0, 0]


def test_what_stands_still_costs_nothing() -> None:
    """A packet costs its own way, however large the mesh is and however long nothing happens."""
    work = []
    for side, gap in ((4, 50), (24, 10_000)):
        mesh = Mesh(side, side)
        network = PacketNetwork(mesh, "xy")
        network.inject(np.arange(50) * gap, 0, 3, 1)
        network.drain()
        work.append(network.work)
    assert work[0].router_visits == work[1].router_visits
    assert work[1].cycles < 1.2 * work[0].cycles  # of 2,500 and 500,000 cycles
    assert work[0].flit_hops == 150
    assert work[0].router_visits <= 3 * 50 * 4


def test_a_slow_link_carries_a_flit_every_few_cycles() -> None:
    mesh = Mesh(4, 1, chip_width=2, board_link_cycles=5)
    network = PacketNetwork(mesh)
    network.inject(0, 0, 3, 4)
    # The head is over the slow wire after 2 + 5 + 5 + 4 cycles, the tail 3 x 5 later; flits behind
    # a head need no channel, so that it passes the last two routers in 3 cycles each.
    assert network.drain().latency.tolist() == [16 + 15 + 3 + 3]
    network.inject(network.now, 0, 3, 1)
    assert network.drain().latency.tolist() == [2 + 5 * 4 + 4]


def test_a_saved_network_goes_on_bit_for_bit() -> None:
    mesh = Mesh(4, 4)
    load = SyntheticTraffic(mesh, "uniform", 0.2, 2, seed=4).window(0, 400)

    def network() -> PacketNetwork:
        return PacketNetwork(mesh, "west_first", lanes=2, seed=9)

    whole, first, second = network(), network(), network()
    for each in (whole, first):
        each.inject(*load)
    whole.run(150)
    first.run(150)
    second.restore({name: array.copy() for name, array in first.state().items()})
    for x, y in zip(whole.drain(), second.drain(), strict=True):
        assert np.array_equal(x, y)
    with pytest.raises(MappingError, match="other parameters"):
        PacketNetwork(mesh, "west_first", lanes=1).restore(first.state())
    with pytest.raises(MappingError, match="'packet' is missing"):
        second.restore({k: v for k, v in first.state().items() if k != "packet"})


def test_cut_through_waits_until_all_of_a_packet_fits() -> None:
    """Three flits into a buffer of four that holds two of another packet's: not before one left."""
    mesh = Mesh(3, 1)
    latency = {}
    for switching in ("wormhole", "cut_through"):
        network = PacketNetwork(mesh, buffer_flits=4, switching=switching)
        network.inject([0, 0, 1], [1, 0, 0], [2, 2, 2], [4, 4, 4])
        latency[switching] = sorted(network.drain().latency.tolist())
    assert all(x <= y for x, y in zip(latency["wormhole"], latency["cut_through"], strict=True))
    assert latency["wormhole"] != latency["cut_through"]
    with pytest.raises(MappingError, match=r"flits\[0\] = 5"):
        PacketNetwork(mesh, buffer_flits=4, switching="cut_through").inject(0, 0, 1, 5)


@pytest.mark.slow
def test_a_mesh_of_4096_routers() -> None:
    mesh = Mesh(64, 64)
    network = PacketNetwork(mesh, "xy", lanes=4)
    load = SyntheticTraffic(mesh, "uniform", 0.02, seed=1).window(0, 1_000)
    network.inject(*load)
    arrived = network.drain(2_000)
    assert network.counts.delivered == load.n_packets == np.unique(arrived.number).size
    # 64 x 64 cores, uniform: 2 (64 - 1/64) / 3 hops on average.
    assert arrived.hops.mean() == pytest.approx(2 * (64 - 1 / 64) / 3, rel=0.01)
    assert np.array_equal(arrived.hops, mesh.distances[arrived.source, arrived.target])
    assert network.work.flit_hops == arrived.hops.sum()
    alone = network.pipeline.zero_load_latency(0, 1) + 5 * arrived.hops
    assert np.all(arrived.latency >= alone)
    assert arrived.latency.mean() < 1.5 * alone.mean()
