import pytest

from experiments.machines import MachineOptions, machine
from mapping import Mesh
from simulator.errors import MappingError


def test_sizes_and_presets():
    assert machine("8x4") == Mesh(8, 4)
    assert machine("loihi") == Mesh.preset("loihi")
    few = MachineOptions(neurons_per_core=7, torus=True)
    assert machine("8x4", few) == Mesh(8, 4, torus=True, neurons_per_core=7)
    assert machine("loihi", few) == Mesh.preset("loihi", torus=True, neurons_per_core=7)


def test_a_size_is_cut_into_chips_and_a_preset_is_repeated():
    cut = machine("8x4", MachineOptions(chips="2x1", board_link_cycles=3))
    assert cut == Mesh(8, 4, chip_width=4, chip_height=4, board_link_cycles=3)
    assert machine("loihi", MachineOptions(chips="2x1")) == Mesh.preset("loihi", chips=(2, 1))
    with pytest.raises(MappingError, match="2 chips do not divide the 3 columns of the 3x4 mesh"):
        machine("3x4", MachineOptions(chips="2x1"))


def test_faults_in_words():
    options = MachineOptions(faulty_cores="3, 5", faulty_routers="8", faulty_links="0-1,4>7")
    mesh = machine("3x3", options)
    assert (mesh.faulty_cores, mesh.faulty_routers) == ((3, 5), (8,))
    plain = Mesh(3, 3)
    links = [plain.link(0, "E"), plain.link(1, "W"), plain.link(4, "S")]
    assert mesh.faulty_links == tuple(sorted(links))
    # Two tiles of a ring of two are joined twice, and "-" means all of it.
    ring = machine("2x1", MachineOptions(torus=True, faulty_links="0-1"))
    assert ring.links == ()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("loihi3", {}, "mesh 'loihi3': expected WIDTHxHEIGHT, such as 8x8 or one of loihi, spinna"),
        ("2x2", {"chips": "2"}, "chips '2': expected WIDTHxHEIGHT"),
        ("2x2", {"faulty_cores": "1,x"}, "faulty_cores '1,x': 'x' is no id; expected such as 3,5"),
        ("2x2", {"faulty_cores": "4"}, r"faulty_cores\[0\] = 4; core ids are 0\.\.3"),
        ("2x2", {"faulty_cores": "1,1"}, "core 1 is given twice"),
        ("2x2", {"faulty_links": "1"}, "'1'; expected neighbouring cores, as 3-4 for both"),
        ("2x2", {"faulty_links": "0-3"}, "no link of the 2x2 mesh leads 0>3"),
        ("2x2", {"faulty_links": "0-9"}, "no core 9"),
    ],
)
def test_words_that_are_no_machine_are_refused(name, options, message):
    with pytest.raises(MappingError, match=message):
        machine(name, MachineOptions(**options))
