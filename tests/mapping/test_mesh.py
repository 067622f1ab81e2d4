from collections import deque

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
