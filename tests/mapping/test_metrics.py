from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping import (
    Channel,
    Edges,
    HopEnergy,
    Mesh,
    SpikingGraph,
    Traffic,
    metrics,
    partition_neurons,
    place,
    route,
    routing_function,
    spike_traffic,
)
from mapping.multicast import multicast_names
from mapping.multicast_flows import MulticastFlows
from simulator.errors import MappingError
from tests.mapping.test_deadlock import AllTurns, xy_path


@st.composite
def placed(draw, may_wrap=True):
    torus = draw(st.booleans()) if may_wrap else False
    mesh = Mesh(draw(st.integers(1, 5)), draw(st.integers(1, 5)), torus)
    n = draw(st.integers(1, mesh.n_cores))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    packets = rng.integers(0, 9, (n, n)) * (rng.random((n, n)) < draw(st.sampled_from([0.1, 1])))
    core_of = np.array(draw(st.permutations(range(mesh.n_cores)))[:n])
    return Traffic.from_matrix(packets, 1.0), core_of, mesh


def routing_of(mesh):
    return "torus_dimension_order" if mesh.torus else "xy"


@given(placed())
def test_link_loads_add_up_to_the_cost(case):
    traffic, core_of, mesh = case
    loads = metrics.link_loads(traffic, core_of, mesh, routing_of(mesh))
    cost = metrics.communication_cost(traffic, core_of, mesh)
    assert loads.sum() == cost
    assert loads[[link for link in range(loads.size) if not mesh.has_link(link)]].sum() == 0
    assert metrics.maximum_link_load(loads) == loads.max()
    if traffic.n_packets:
        average, maximum = metrics.hops(traffic, core_of, mesh)
        assert average == cost / traffic.n_packets
        assert 1 <= average <= maximum <= mesh.distances.max()


@given(placed(may_wrap=False))
def test_link_loads_of_xy_packet_by_packet(case):
    traffic, core_of, mesh = case
    expected = np.zeros(mesh.n_link_ids, dtype=int)
    by_ends = {
        (mesh.coordinates(link // 4), mesh.coordinates(mesh.link_target(link))): link
        for link in mesh.links
    }
    for i in range(traffic.n_cores):
        for j in range(traffic.n_cores):
            for step in xy_path(mesh, core_of[i], core_of[j]):
                expected[by_ends[step]] += traffic.packets[i, j]
    assert metrics.link_loads(traffic, core_of, mesh, "xy").tolist() == expected.tolist()


@given(placed())
def test_packets_are_conserved_at_every_router(case):
    """What enters a router and what is injected there leaves it or is delivered there."""
    traffic, core_of, mesh = case
    loads = metrics.link_loads(traffic, core_of, mesh, routing_of(mesh))
    balance = np.zeros(mesh.n_cores, dtype=int)
    for link in mesh.links:
        balance[mesh.link_source(link)] -= loads[link]
        balance[mesh.link_target(link)] += loads[link]
    balance[core_of] += traffic.packets.sum(axis=1) - traffic.packets.sum(axis=0)
    assert not balance.any()


def corner_to_corner():
    energy = HopEnergy(east_west_pj=2.0, north_south_pj=5.0, local_pj=0.5, source="test")
    traffic = Traffic.from_matrix([[4, 10, 3], [0, 0, 0], [0, 0, 0]], 2.0)
    return traffic, np.array([0, 8, 1]), Mesh(3, 3, energy=energy)


def test_figures_by_hand():
    traffic, core_of, mesh = corner_to_corner()
    assert metrics.communication_cost(traffic, core_of, mesh) == 10 * 4 + 3 * 1
    assert metrics.hops(traffic, core_of, mesh) == (43 / 13, 4)
    loads = metrics.link_loads(traffic, core_of, mesh, "xy")
    assert {mesh.link_text(link): int(loads[link]) for link in np.flatnonzero(loads)} == {
        "(0,0)-E->(1,0)": 13,
        "(1,0)-E->(2,0)": 10,
        "(2,0)-S->(2,1)": 10,
        "(2,1)-S->(2,2)": 10,
    }
    assert metrics.maximum_link_load(loads) == 13
    assert metrics.link_utilisation(loads, mesh) == 4 / 24
    assert metrics.physical_flows(traffic, core_of) == [(0, 1), (0, 8)]
    # 23 east-west hops, 20 north-south hops, 13 packets and 4 local deliveries.
    assert metrics.network_energy_pj(traffic, loads, mesh) == 23 * 2 + 20 * 5 + 17 * 0.5


def test_silence_has_zero_hops():
    silent = Traffic.from_matrix(np.zeros((2, 2)), 1.0)
    assert metrics.hops(silent, np.array([0, 1]), Mesh(2, 1)) == (0.0, 0)
    assert metrics.link_utilisation(np.zeros(4), Mesh(1, 1)) == 0.0


def test_core_utilisation_by_hand():
    graph = SpikingGraph({"a": 4, "b": 2}, [Edges("a", "b")], [1] * 6, 1.0)
    mesh = Mesh(3, 2, neurons_per_core=5, fan_in_per_core=10, synapses_per_core=16)
    partition = partition_neurons(graph, mesh)
    assert metrics.core_utilisation(partition, mesh) == (2 / 6, 4 / 5, 4 / 10, 8 / 16)


def test_direct_all_to_all_under_xy():
    """Busiest link of N(N - 1) unit flows: 2, 8, 16, 64 on 2x2, 2x4, 4x4, 4x8."""
    for (width, height), expected in {(2, 2): 2, (4, 2): 8, (4, 4): 16, (8, 4): 64}.items():
        n = width * height
        traffic = Traffic.from_matrix(1 - np.eye(n), 1.0)
        placement = place(traffic, Mesh(width, height), "sequential")
        loads = metrics.link_loads(traffic, placement.core_of, Mesh(width, height), "xy")
        assert metrics.maximum_link_load(loads) == expected


def test_loads_of_adaptive_and_circling_functions_are_refused():
    class Circling(AllTurns):
        name = "circling"

        def next_channels(self, mesh, router, came_by, target):
            return (Channel(mesh.link(router, "E" if router % 3 == 0 else "W")),)

    with pytest.raises(
        metrics.AdaptiveRoutingError, match=r"'all_turns' is adaptive; .* need a deterministic one"
    ):
        metrics.link_loads(*corner_to_corner(), AllTurns())
    with pytest.raises(MappingError, match=r"'circling' goes round in a circle through"):
        metrics.link_loads(*corner_to_corner(), Circling())


def loads_by_asking(traffic, core_of, mesh, function):
    """Expected loads, one packet at a time, by the slow interface and fractions."""
    expected = [Fraction(0)] * mesh.n_link_ids

    def follow(router, came_by, target, share):
        if router == target:
            return
        offered = function.next_channels(mesh, router, came_by, target)
        links = {channel.link for channel in offered}
        for channel in offered:
            alike = sum(channel.link == other.link for other in offered)
            part = share / len(links) / alike
            expected[channel.link] += part
            follow(mesh.link_target(channel.link), channel, target, part)

    for i, j in zip(*np.nonzero(traffic.packets), strict=True):
        follow(int(core_of[i]), None, int(core_of[j]), Fraction(int(traffic.packets[i, j])))
    return np.array([float(load) for load in expected])


class TwoLanesEast(AllTurns):
    """Adaptive and minimal; eastward it offers two virtual channels, one of which it prefers."""

    name = "two_lanes_east"
    virtual_channels = 2

    def next_channels(self, mesh, router, came_by, target):
        minimal = super().next_channels(mesh, router, came_by, target)
        east = [Channel(link, 1) for link, _ in minimal if link % 4 == 1]
        return [*east, *minimal]


@settings(max_examples=30)
@given(placed(may_wrap=False), st.sampled_from([AllTurns(), TwoLanesEast(), "xy"]))
def test_expected_loads_packet_by_packet(case, routing):
    traffic, core_of, mesh = case
    function = routing_function(routing, mesh)
    loads = metrics.expected_link_loads(traffic, core_of, mesh, routing)
    np.testing.assert_allclose(loads, loads_by_asking(*case, function), atol=1e-12)
    assert loads.sum() == pytest.approx(metrics.communication_cost(*case))
    if routing == "xy":
        assert loads.tolist() == metrics.link_loads(*case, "xy").tolist()


@st.composite
def multicast(draw):
    mesh = Mesh(draw(st.integers(1, 5)), draw(st.integers(1, 4)))
    n = draw(st.integers(1, mesh.n_cores))
    core_of = np.array(draw(st.permutations(range(mesh.n_cores)))[:n])
    flows = {}
    if n > 1:
        core = st.integers(0, n - 1)
        for source, targets, packets in draw(
            st.lists(st.tuples(core, st.frozensets(core, min_size=1), st.integers(1, 9)))
        ):
            if targets - {source}:
                flows[source, targets - {source}] = packets
    rows = [sorted(targets) for _, targets in flows]
    return (
        Traffic.from_multicast(
            MulticastFlows(
                np.array([source for source, _ in flows], dtype=np.int64),
                np.cumsum([0, *map(len, rows)]),
                np.array([core for row in rows for core in row], dtype=np.int64),
                np.array(list(flows.values()), dtype=np.int64),
            ),
            np.zeros(n, dtype=np.int64),
            1.0,
        ),
        core_of,
        mesh,
        flows,
    )


@settings(max_examples=40)
@given(multicast())
def test_multicast_counts_every_link_of_a_tree_once(case):
    traffic, core_of, mesh, flows = case
    expected = np.zeros(mesh.n_link_ids, dtype=int)
    for (source, targets), packets in flows.items():
        tree = {
            channel.link
            for target in targets
            for channel in route(mesh, "xy", int(core_of[source]), int(core_of[target]))
        }
        # A tree has as many links as routers besides its root.
        assert len({mesh.link_target(link) for link in tree}) == len(tree)
        expected[list(tree)] += packets
    loads = metrics.multicast_link_loads(traffic, core_of, mesh, "xy")
    assert loads.tolist() == expected.tolist()
    tree = metrics.multicast_link_loads(traffic, core_of, mesh, tree="xy_tree")
    assert tree.tolist() == expected.tolist()
    unicast = metrics.link_loads(traffic, core_of, mesh, "xy")
    assert np.all(loads <= unicast)
    if all(len(targets) == 1 for _, targets in flows):
        assert loads.tolist() == unicast.tolist()


def test_multicast_by_hand_and_where_there_is_none():
    # Core 0 sends 5 spikes to the whole first row and 2 to its end only.
    flows = MulticastFlows(*map(np.array, ([0, 0], [0, 3, 4], [1, 2, 3, 3], [5, 2])))
    traffic = Traffic.from_multicast(flows, [0] * 4, 1.0)
    mesh, core_of = Mesh(4, 1), np.arange(4)
    assert traffic.packets[0].tolist() == [0, 5, 5, 7]
    loads = metrics.multicast_link_loads(traffic, core_of, mesh, "xy")
    assert [int(loads[mesh.link(x, "E")]) for x in range(3)] == [7, 7, 7]
    assert metrics.link_loads(traffic, core_of, mesh, "xy").max() == 17
    for name in multicast_names():
        assert metrics.multicast_link_loads(traffic, core_of, mesh, tree=name).sum() == 21
    with pytest.raises(MappingError, match="unknown multicast method 'oak'"):
        metrics.multicast_link_loads(traffic, core_of, mesh, tree="oak")
    with pytest.raises(MappingError, match="has no multicast flows"):
        metrics.multicast_link_loads(corner_to_corner()[0], np.arange(3), Mesh(3, 3), "xy")


def test_energy_of_board_links():
    energy = HopEnergy(2.0, 5.0, 0.5, "test", board_pj=100.0)
    mesh = Mesh(4, 2, chip_width=2, energy=energy)
    traffic = Traffic.from_matrix([[1, 0, 3], [0, 0, 0], [0, 0, 0]], 1.0)
    core_of = np.array([0, 1, 7])  # three hops along the row, the second across; one down
    loads = metrics.link_loads(traffic, core_of, mesh, "xy")
    assert metrics.network_energy_pj(traffic, loads, mesh) == 3 * (2 + 100 + 2 + 5) + 0.5 * 4
    cheap = replace(mesh, energy=replace(energy, board_pj=None))
    assert metrics.network_energy_pj(traffic, loads, cheap) == 3 * (2 + 2 + 2 + 5) + 0.5 * 4
    with pytest.raises(MappingError, match="states no energies"):
        metrics.network_energy_pj(traffic, loads, replace(mesh, energy=None))
    with pytest.raises(MappingError, match=r"HopEnergy.board_pj = -1.0"):
        replace(energy, board_pj=-1.0)


def test_no_path_is_refused_and_a_detour_is_counted():
    traffic = Traffic.from_matrix([[0, 2], [1, 0]], 1.0)
    core_of = np.array([0, 1])
    mesh = Mesh(3, 2).with_faults(links=[1])  # east of core 0 fails one way
    assert metrics.communication_cost(traffic, core_of, mesh) == 2 * 3 + 1
    cut = Mesh(2, 1).with_faults(links=[1])
    for measure in (metrics.communication_cost, metrics.hops):
        with pytest.raises(MappingError, match=r"core 0 at \(0, 0\) sends packets to core 1"):
            measure(traffic, core_of, cut)
    with pytest.raises(MappingError, match=r"'xy' at \(0, 0\) offers no channel towards \(1, 0\)"):
        metrics.link_loads(traffic, core_of, cut, "xy")


def test_added_storage_and_the_limit():
    # Six neurons on three cores: a0 a1 | a2 b0 | b1 b2, every a reaching every b.
    graph = SpikingGraph({"a": 3, "b": 3}, [Edges("a", "b")], [2, 2, 2, 0, 0, 0], 1.0)
    mesh = Mesh(3, 1, neurons_per_core=2)
    partition = partition_neurons(graph, mesh, mix_populations=True)
    traffic = spike_traffic(graph, partition)
    assert traffic.packets.tolist() == [[0, 4, 4], [0, 0, 2], [0, 0, 0]]
    # Three sources on two cores each, with nine synapses stored once.
    assert metrics.added_storage(graph, partition) == pytest.approx((6 + 9) / (3 + 9) - 1)
    # 14 packets x hops of 10 packets.
    limit = metrics.mapping_limit(traffic, mesh, np.arange(3))
    assert limit.gap_to_packets == pytest.approx(14 / 10 - 1)
    # On one core nothing is stored twice.
    one = partition_neurons(graph, Mesh(1, 1), mix_populations=True)
    assert metrics.added_storage(graph, one) == 0.0


def test_utilisation_of_unlike_cores():
    graph = SpikingGraph({"a": 4, "b": 2}, [Edges("a", "b")], [1] * 6, 1.0)
    mesh = Mesh(3, 1, neurons_per_core=5, core_capacities={2: (4, 8, 32)}, faulty_cores=[1])
    partition = partition_neurons(graph, mesh)
    found = metrics.core_utilisation(partition, mesh, np.array([0, 2]))
    assert found == (2 / 2, 4 / 5, 4 / 8, 8 / 32)
