import re
from collections import deque

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping import HopEnergy, Mesh
from simulator.errors import MappingError

meshes = st.builds(Mesh, st.integers(1, 6), st.integers(1, 6), st.booleans())


def test_cores_are_numbered_row_by_row():
    mesh = Mesh.parse(" 4x3 ")
    assert (mesh.width, mesh.height, mesh.n_cores) == (4, 3, 12)
    assert mesh.core(3, 2) == 11
    assert mesh.coordinates(6) == (2, 1)
    assert [mesh.core(*mesh.coordinates(c)) for c in range(12)] == list(range(12))


def test_link_ids_and_directions():
    mesh = Mesh(3, 2)
    east = mesh.link(0, "E")
    assert (east, mesh.link_source(east), mesh.link_target(east)) == (1, 0, 1)
    south = mesh.link(1, "S")
    assert (mesh.link_target(south), mesh.link_text(south)) == (4, "(1,0)-S->(1,1)")
    # An id does not depend on which other links exist: the torus has the same ones, and more.
    assert set(mesh.links) < set(Mesh(3, 2, torus=True).links)
    assert Mesh(3, 2, torus=True).link_target(mesh.n_link_ids - 4 + 1) == 3


@given(st.integers(1, 9), st.integers(1, 9))
def test_number_of_links(width, height):
    assert len(Mesh(width, height).links) == 2 * ((width - 1) * height + width * (height - 1))
    wrapped = 2 * width * height * ((width > 1) + (height > 1))
    assert len(Mesh(width, height, torus=True).links) == wrapped


@given(meshes)
def test_distances_are_those_of_a_search_over_the_links(mesh):
    for start in range(mesh.n_cores):
        found = {start: 0}
        queue = deque([start])
        while queue:
            core = queue.popleft()
            for link in mesh.links:
                if mesh.link_source(link) == core and mesh.link_target(link) not in found:
                    found[mesh.link_target(link)] = found[core] + 1
                    queue.append(mesh.link_target(link))
        assert [found[c] for c in range(mesh.n_cores)] == mesh.distances[start].tolist()


@pytest.mark.parametrize("text", ["8", "8x", "8x8x8", "ax8", "-1x2", "", "8.5x2"])
def test_a_text_that_is_no_mesh_is_refused(text):
    with pytest.raises(MappingError, match=r"expected WIDTHxHEIGHT in tiles, such as 8x8"):
        Mesh.parse(text)


@pytest.mark.parametrize("value", [0, -3, 2.5, float("nan"), True, "4", None])
@pytest.mark.parametrize(
    "name", ["width", "height", "neurons_per_core", "fan_in_per_core", "synapses_per_core"]
)
def test_sizes_and_capacities_are_integers_of_at_least_one(name, value):
    arguments = {"width": 2, "height": 2, name: value}
    with pytest.raises(MappingError, match=rf"Mesh\.{name} = .*must be an integer >= 1"):
        Mesh(**arguments)


def test_numpy_integers_are_taken_and_stored_as_plain_ones():
    mesh = Mesh(np.int64(3), np.uint8(2))
    assert mesh == Mesh(3, 2)
    assert type(mesh.width) is int


def test_unknown_option_lists_the_known_ones():
    with pytest.raises(MappingError, match=r"no option 'neurons'; it has torus, neurons_per_core"):
        Mesh.parse("2x2", neurons=3)


def test_things_that_are_not_there_are_refused():
    mesh = Mesh(3, 2)
    with pytest.raises(MappingError, match=r"no core 6; cores are 0..5"):
        mesh.coordinates(6)
    with pytest.raises(MappingError, match=r"no core at \(3,0\)"):
        mesh.core(3, 0)
    with pytest.raises(MappingError, match=r"no link leaves \(2, 0\) to E"):
        mesh.link(2, "E")
    with pytest.raises(MappingError, match=r"direction 'up'"):
        mesh.link(2, "up")
    with pytest.raises(MappingError, match=r"no link 0"):
        mesh.link_target(0)


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_energies_are_finite_positive_and_have_a_source(bad):
    with pytest.raises(MappingError, match=r"HopEnergy.local_pj = .*finite and >= 0"):
        HopEnergy(1.0, 1.0, bad, "a paper")
    with pytest.raises(MappingError, match=r"source is empty"):
        HopEnergy(1.0, 1.0, 1.0, " ")


@st.composite
def machines(draw):
    """Small machines with any faults, unlike cores and chips."""
    across = [draw(st.integers(1, 3)) for _ in range(2)]
    chips = [draw(st.integers(1, 2)) for _ in range(2)]
    width, height = (n * size for n, size in zip(chips, across, strict=True))
    whole = Mesh(width, height, draw(st.booleans()))
    cores = st.sets(st.integers(0, whole.n_cores - 1), max_size=2)
    links = st.sets(st.sampled_from(whole.links), max_size=6) if whole.links else st.just(set())
    return Mesh(
        width,
        height,
        whole.torus,
        core_capacities=dict.fromkeys(draw(cores), (2, 3, 4)),
        faulty_cores=draw(cores),
        faulty_routers=draw(cores),
        faulty_links=draw(links),
        chip_width=across[0],
        chip_height=across[1],
        board_link_cycles=draw(st.integers(1, 5)),
    )


@given(machines())
def test_every_part_of_a_machine_against_its_definition(mesh):
    whole = Mesh(mesh.width, mesh.height, mesh.torus)
    expected = [
        link
        for link in whole.links
        if link not in mesh.faulty_links
        and whole.link_source(link) not in mesh.faulty_routers
        and whole.link_target(link) not in mesh.faulty_routers
    ]
    assert list(mesh.links) == expected
    assert mesh.link_targets.tolist() == [
        whole.link_target(link) if link in expected else -1 for link in range(mesh.n_link_ids)
    ]

    def chip(core):
        x, y = mesh.coordinates(core)
        return x // mesh.chip_width, y // mesh.chip_height

    between = [i for i in expected if chip(i // 4) != chip(mesh.link_target(i))]
    assert list(mesh.board_links) == between
    for link in range(mesh.n_link_ids):
        slow = mesh.board_link_cycles if link in between else 1
        assert mesh.link_cycles[link] == (slow if link in expected else 0)

    unusable = {*mesh.faulty_cores, *mesh.faulty_routers}
    for core in range(mesh.n_cores):
        own = dict(mesh.core_capacities).get(core, (1024, 4096, 131_072))
        assert tuple(mesh.capacities[core]) == ((0, 0, 0) if core in unusable else tuple(own))
    assert mesh.usable_cores.tolist() == [c for c in range(mesh.n_cores) if c not in unusable]


@given(machines())
def test_distances_of_a_faulty_machine_are_shortest_paths_of_networkx(mesh):
    graph = nx.DiGraph()
    graph.add_nodes_from(range(mesh.n_cores))
    graph.add_edges_from((mesh.link_source(i), mesh.link_target(i)) for i in mesh.links)
    found = dict(nx.all_pairs_shortest_path_length(graph))
    for i in range(mesh.n_cores):
        assert mesh.distances[i].tolist() == [found[i].get(j, -1) for j in range(mesh.n_cores)]
    cut_off = [
        (i, j) for i in mesh.usable_cores for j in mesh.usable_cores if mesh.distances[i, j] < 0
    ]
    if not cut_off and mesh.usable_cores.size:
        mesh.check_connected()
    else:
        with pytest.raises(MappingError) as caught:
            mesh.check_connected()
        named = re.findall(r"core (\d+) at", str(caught.value))
        assert not cut_off or tuple(map(int, named)) in cut_off


def test_large_machines_need_no_square_array_until_distances_are_asked_for():
    mesh = Mesh(300, 300, faulty_routers=(1, 300))  # core 0 is on its own
    with pytest.raises(MappingError, match=r"from core 0 at \(0, 0\) to core 2 at \(2, 0\) over"):
        mesh.check_connected()
    mesh.with_faults(cores=[0]).check_connected()
    assert len(mesh.links) == 4 * 300 * 299 - 2 * 2 * 3
    assert mesh.link_cycles.sum() == len(mesh.links)


def test_faults_are_added_one_way_or_both():
    mesh = Mesh(3, 3, faulty_cores=(4,))
    one_way = mesh.with_faults(links=[mesh.link(0, "E")])
    assert (one_way.distances[0, 1], one_way.distances[1, 0]) == (3, 1)
    both = mesh.with_faults(links=[mesh.link(0, "E")], both_ways=True)
    assert both.faulty_links == (mesh.link(0, "E"), mesh.link(1, "W"))
    assert (both.distances[0, 1], both.distances[1, 0]) == (3, 3)
    # Failing both ways already, or failing again, is the same machine.
    assert both.with_faults(links=[1, 7], both_ways=True, cores=[4]) == both
    assert hash(both) == hash(mesh.with_faults(links=[7, 1]))
    assert both.with_faults(routers=[8], cores=[0]).usable_cores.tolist() == [1, 2, 3, 5, 6, 7]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"faulty_cores": [9]}, r"Mesh\.faulty_cores\[0\] = 9; core ids are 0\.\.8"),
        ({"faulty_cores": [1, -1]}, r"Mesh\.faulty_cores\[1\] = -1; it must be an integer >= 0"),
        ({"faulty_cores": [1, 2, 1]}, r"Mesh\.faulty_cores: core 1 is given twice"),
        ({"faulty_cores": 3}, r"Mesh\.faulty_cores = 3; expected a sequence of core ids"),
        ({"faulty_cores": "3"}, r"Mesh\.faulty_cores = '3'; expected a sequence of core ids"),
        ({"faulty_routers": [0.5]}, r"Mesh\.faulty_routers\[0\] = 0\.5"),
        ({"faulty_links": [36]}, r"Mesh\.faulty_links\[0\] = 36; link ids are 0\.\.35"),
        ({"faulty_links": [0]}, r"Mesh\.faulty_links: 0 is no link; none leaves \(0, 0\) to N"),
        ({"chip_width": 2}, r"Mesh\.chip_width = 2 does not divide the 3 tiles of the 3x3 mesh"),
        ({"chip_height": 0}, r"Mesh\.chip_height = 0; it must be an integer >= 1"),
        ({"board_link_cycles": 0}, r"Mesh\.board_link_cycles = 0; it must be an integer >= 1"),
        ({"core_capacities": {9: (1, 1, 1)}}, r"core_capacities\[0\] = 9; core ids are 0\.\.8"),
        ({"core_capacities": {2: (1, 1)}}, r"core_capacities\[2\] = \(1, 1\); expected \(neurons"),
        ({"core_capacities": {2: (1, -1, 1)}}, r"core_capacities\[2\]\.fan_in = -1"),
        ({"core_capacities": [(2, (1, 1, 1)), (2, (2, 2, 2))]}, r"core 2 is given twice"),
        ({"core_capacities": [5]}, r"core_capacities: 5; expected core: \(neurons, fan_in"),
        ({"torus": "yes"}, r"Mesh\.torus = 'yes'; it must be True or False"),
    ],
)
def test_parts_that_are_not_there_cannot_fail(arguments, message):
    with pytest.raises(MappingError, match=message):
        Mesh(3, 3, **arguments)


def test_a_machine_of_which_nothing_can_be_used():
    with pytest.raises(MappingError, match="no core can be used"):
        Mesh(2, 1, faulty_cores=[0], core_capacities={1: (0, 5, 5)}).check_connected()


def test_torus_links_lead_off_the_chip_only_where_there_are_several():
    assert Mesh(4, 4, torus=True, chip_width=4, chip_height=4).board_links == ()
    two = Mesh(4, 2, torus=True, chip_width=2)
    assert [two.link_text(i) for i in two.board_links[:2]] == ["(0,0)-W->(3,0)", "(1,0)-E->(2,0)"]
    assert len(two.board_links) == 2 * 4
    assert two.chip_of.tolist() == [0, 0, 1, 1] * 2
