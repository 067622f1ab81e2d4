import numpy as np
import pytest
from hypothesis import given
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
)
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
    traffic = Traffic.from_matrix([[4, 10, 3], [0, 0, 0], [0, 0, 0]], 2.0)
    return traffic, np.array([0, 8, 1]), Mesh(3, 3)


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
    energy = HopEnergy(east_west_pj=2.0, north_south_pj=5.0, local_pj=0.5, source="test")
    # 23 east-west hops, 20 north-south hops, 13 packets and 4 local deliveries.
    assert metrics.network_energy_pj(traffic, loads, energy) == 23 * 2 + 20 * 5 + 17 * 0.5


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

    with pytest.raises(MappingError, match=r"'all_turns' is adaptive; .* need a deterministic one"):
        metrics.link_loads(*corner_to_corner(), AllTurns())
    with pytest.raises(MappingError, match=r"'circling' goes round in a circle from \(0, 0\)"):
        metrics.link_loads(*corner_to_corner(), Circling())
