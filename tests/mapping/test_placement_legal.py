"""Places that cores may not have: faults, unlike cores, pinning, machines in pieces."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping import Mesh, Traffic, place, placement_names
from mapping.placement._legal import legal_mask
from mapping.placement.hamiltonian_loop import _loop
from simulator.errors import MappingError
from tests.mapping.test_placement import QUICK, random_traffic


def ring(n):
    return Traffic.from_matrix(np.roll(np.eye(n, dtype=int), 1, axis=1), 1.0)


@settings(max_examples=12)
@given(st.data())
def test_every_method_keeps_to_the_places_allowed(data):
    faulty = data.draw(st.sets(st.integers(1, 11), max_size=3))
    mesh = Mesh(4, 3, faulty_cores=tuple(faulty))
    n = data.draw(st.integers(1, mesh.usable_cores.size))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    allowed = rng.random((n, 12)) < 0.3
    # One placement is possible: the hidden one.
    allowed[np.arange(n), rng.permutation(mesh.usable_cores)[:n]] = True
    traffic = random_traffic(n, 1)
    for method in placement_names():
        for objective in ("packet_hops", "max_link_load"):
            found = place(
                traffic, mesh, method, allowed=allowed, objective=objective, **QUICK.get(method, {})
            )
            assert allowed[np.arange(n), found.core_of].all()
            assert not faulty & set(found.core_of.tolist())
            assert np.unique(found.core_of).size == n


@pytest.mark.parametrize("method", placement_names())
def test_a_pinned_placement_is_the_only_one(method):
    cores = np.random.default_rng(0).permutation(9)[:7]
    allowed = np.zeros((7, 9), dtype=bool)
    allowed[np.arange(7), cores] = True
    found = place(random_traffic(7, 2), Mesh(3, 3), method, allowed=allowed)
    assert found.core_of.tolist() == cores.tolist()


def test_pinning_one_core_leaves_the_others_their_optimum():
    # A ring of 6 on 3 x 2 costs 6 wherever its first core is.
    allowed = np.ones((6, 6), dtype=bool)
    allowed[0] = np.arange(6) == 4
    found = place(ring(6), Mesh(3, 2), allowed=allowed)
    assert (found.core_of[0], found.cost) == (4, 6)


def test_a_crowd_without_room_is_named():
    allowed = np.ones((5, 9), dtype=bool)
    allowed[[0, 2, 4]] = np.isin(np.arange(9), [1, 7])
    with pytest.raises(MappingError, match=r"cores 0, 2, 4 may go to 2 cores only, 1, 7: 1 short"):
        place(random_traffic(5, 0), Mesh(3, 3), allowed=allowed)
    allowed[3] = False
    with pytest.raises(MappingError, match="logical core 3 may go to no usable core of the 3x3"):
        place(random_traffic(5, 0), Mesh(3, 3), allowed=allowed)


# The router of core 2 and that of core 7 are gone: column 2 of a 5 x 2 mesh. Two parts of 4 cores.
IN_TWO = Mesh(5, 2, faulty_routers=(2, 7))


@pytest.mark.parametrize("method", placement_names())
def test_cores_that_exchange_packets_share_a_part_of_the_machine(method):
    packets = np.zeros((7, 7), dtype=int)
    for i, j in ((0, 2), (2, 4), (4, 6), (1, 3), (3, 5)):
        packets[i, j] = 1
    found = place(Traffic.from_matrix(packets, 1.0), IN_TWO, method, **QUICK.get(method, {}))
    column = found.core_of % 5
    for group in ([0, 2, 4, 6], [1, 3, 5]):
        assert len(set((column[group] > 2).tolist())) == 1
    assert found.cost >= 5
    assert found.value == found.cost


def test_a_group_larger_than_any_part_is_refused():
    with pytest.raises(MappingError, match=r"5 logical cores that exchange packets, 0, 1, 2, 3, 4"):
        place(ring(5), IN_TWO)
    with pytest.raises(MappingError, match=r"9 logical cores do not fit on the 8 cores .* 1 short"):
        place(ring(9), IN_TWO)


def test_a_mask_that_one_part_cannot_meet_sends_the_group_to_the_other():
    allowed = np.ones((2, 10), dtype=bool)
    allowed[1] = np.arange(10) == 9
    mask = legal_mask(ring(2), IN_TWO, allowed)
    assert np.flatnonzero(mask[0]).tolist() == [3, 4, 8, 9]


def test_a_ring_on_a_loop_costs_one_hop_a_packet():
    for width, height in ((4, 4), (6, 3), (2, 5), (8, 4)):
        found = place(ring(width * height), Mesh(width, height), "hamiltonian_loop")
        assert found.cost == width * height
        assert found.remark == ""


def test_the_long_hop_of_an_odd_loop_is_reported():
    found = place(ring(9), Mesh(3, 3), "hamiltonian_loop")
    assert found.cost == 10
    assert found.remark.startswith("steps of the loop longer than one hop, between logical cores: ")
    assert found.remark.count("2 hops") == 1
    assert place(ring(9), Mesh(3, 3, torus=True), "hamiltonian_loop").cost == 9


def test_a_short_ring_closes_on_a_large_mesh():
    assert place(ring(8), Mesh(7, 7), "hamiltonian_loop").cost == 8
    mesh = Mesh(4, 4, faulty_cores=(5,))
    found = place(ring(8), mesh, "hamiltonian_loop")
    assert found.cost == 8
    assert 5 not in found.core_of
    # 15 places and one of them in the way: no closed tour of 15 has fewer than 16 hops.
    assert place(ring(15), mesh, "hamiltonian_loop").cost >= 16
    order = _loop(mesh, 8, np.isin(np.arange(16), mesh.usable_cores))
    assert sorted(order.tolist()) == list(range(16))


def test_few_cores_on_a_large_machine_stay_together():
    packets = np.ones((4, 4), dtype=int) - np.eye(4, dtype=int)
    for method in ("auto", "tabu", "genetic", "annealing"):
        assert place(Traffic.from_matrix(packets, 1.0), Mesh(9, 9), method).cost == 16
