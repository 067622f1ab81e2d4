import tomllib
from pathlib import Path

import pytest

import mapping
from mapping import NO_LIMIT, Mesh, preset_names, preset_rows
from mapping.hop_energy import LOIHI_HOP_ENERGY
from simulator.errors import MappingError

CAPACITIES = ("neurons_per_core", "fan_in_per_core", "synapses_per_core")


def test_the_four_machines_and_their_sizes():
    assert preset_names() == ["loihi", "spinnaker2", "tianjicx", "truenorth"]
    cores = {name: Mesh.preset(name).n_cores for name in preset_names()}
    assert cores == {"loihi": 128, "spinnaker2": 152, "tianjicx": 160, "truenorth": 4096}


def test_loihi_is_what_a_plain_mesh_has_per_core():
    loihi, plain = Mesh.preset("loihi"), Mesh(16, 8)
    assert [getattr(loihi, name) for name in CAPACITIES] == [1024, 4096, 131_072]
    assert loihi.capacities.tolist() == plain.capacities.tolist()
    assert loihi.energy == LOIHI_HOP_ENERGY
    assert loihi.name == "Intel Loihi"


def test_every_figure_has_a_source_and_every_missing_one_is_said():
    words = {"neurons_per_core": "neurons", "fan_in_per_core": "axons"}
    for name in preset_names():
        mesh, rows = Mesh.preset(name), preset_rows(name)
        assert all(len(source) > 10 for _, _, source in rows)
        given = {figure for figure, _, _ in rows}
        left_out = [value for figure, value, _ in rows if figure == "left out"]
        for capacity in CAPACITIES:
            assert (getattr(mesh, capacity) == NO_LIMIT) == (capacity not in given)
            said = any(words.get(capacity, "synapses") in what for what in left_out)
            assert said >= (capacity not in given), (name, capacity)
        assert (mesh.energy is None) == ("energy" not in given)


def test_a_board_of_chips():
    board = Mesh.preset("loihi", chips=(2, 3), board_link_cycles=5, neurons_per_core=10)
    assert (board.width, board.height, board.neurons_per_core) == (32, 24, 10)
    # One column of links between the chips, two rows, both directions.
    assert len(board.board_links) == 2 * (24 + 2 * 32)
    assert Mesh.preset("loihi").chip_width is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Mesh.preset("loihi2"), r"unknown preset 'loihi2'; there are loihi, spinnaker2, "),
        (lambda: Mesh.preset("loihi", chips=(0, 1)), r"preset 'loihi': chips\[0\] = 0; it must be"),
        (lambda: Mesh.preset("loihi", chips=4), r"chips = 4; expected \(across, down\)"),
        (lambda: Mesh.preset("loihi", neurons=4), r"Mesh has no option 'neurons'; it has torus"),
    ],
)
def test_wrong_names_and_sizes_are_refused(call, message):
    with pytest.raises(MappingError, match=message):
        call()


def test_the_wheel_holds_the_data():
    pyproject = Path(mapping.__file__).parents[1] / "pyproject.toml"
    package_data = tomllib.loads(pyproject.read_text())["tool"]["setuptools"]["package-data"]
    assert package_data["mapping"] == ["data/*"]
