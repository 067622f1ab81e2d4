import numpy as np
import pytest
from matplotlib.collections import PatchCollection, PolyCollection

from mapping import Edges, Mesh, SpikingGraph, map_network
from mapping.draw import draw_convergence, draw_link_load, draw_placement
from mapping.draw._style import colours
from simulator.errors import DataError, MappingError
from tests.mapping.support import demo_graph


@pytest.fixture(scope="module")
def report():
    return map_network(
        demo_graph(), Mesh(5, 4), placement="annealing", moves_per_core=200, mix_populations=True
    )


def arrows(figure):
    """The coloured links of a picture, and those of the outlined cycle."""
    found = [c for c in figure.axes[0].collections if isinstance(c, PolyCollection)]
    return [c for c in found if c.get_array() is not None], [
        c for c in found if c.get_array() is None
    ]


@pytest.mark.parametrize(("unit", "scale"), [("packets", 1.0), ("packets/ms", 1_440_000.0)])
def test_every_link_is_drawn_with_its_load(report, unit, scale):
    figure = draw_link_load(report, unit=unit)
    (links,), cycle = arrows(figure)
    assert not cycle
    assert len(links.get_paths()) == len(report.mesh.links)
    drawn = np.ma.getdata(links.get_array()) * scale
    expected = np.sort(report.link_loads[list(report.mesh.links)])
    np.testing.assert_allclose(np.sort(drawn), expected, rtol=1e-12)
    assert np.ma.getmaskarray(links.get_array()).sum() == np.sum(expected == 0)
    assert unit.split("/")[0] in figure.axes[1].get_ylabel()


def test_arrows_point_from_the_source_to_the_target(report):
    mesh = report.mesh
    (links,), _ = arrows(draw_link_load(report))
    loads = report.link_loads[list(mesh.links)]
    for path, k in zip(links.get_paths(), np.argsort(loads, kind="stable"), strict=True):
        link = mesh.links[k]
        start = np.array(mesh.coordinates(mesh.link_source(link)))
        end = np.array(mesh.coordinates(mesh.link_target(link)))
        tip, tail = path.vertices[3], (path.vertices[0] + path.vertices[6]) / 2
        np.testing.assert_allclose((tip - tail) / np.linalg.norm(tip - tail), end - start)
        assert np.linalg.norm(tip - end) < np.linalg.norm(tail - end)
        # Traffic keeps to the right: the other direction is on the other side.
        side = (path.vertices[3] - start) - (end - start) * ((tip - start) @ (end - start))
        assert np.cross([*(end - start), 0], [*side, 0])[2] > 0


def test_the_title_says_cost_and_verdict(report):
    title = draw_link_load(report).get_suptitle()
    assert "annealing placement on the 5x4 mesh" in title
    assert "free of routing deadlock" in title
    assert f"{report.hops.average:.2f} hops per packet" in title


def test_a_cycle_is_outlined():
    graph = SpikingGraph({"a": 16}, [Edges("a", "a")], [1] * 16, 1.0)
    mesh = Mesh(4, 4, torus=True)
    report = map_network(
        graph, mesh, routing="torus_dimension_order", placement="annealing", moves_per_core=10
    )
    figure = draw_link_load(report)
    _, (cycle,) = arrows(figure)
    assert len(cycle.get_paths()) == 4
    assert "deadlock possible: cycle of 4 channels" in figure.get_suptitle()


def test_pictures_are_written(report, tmp_path):
    for draw, name in ((draw_link_load, "load.png"), (draw_convergence, "course.png")):
        draw(report, tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
        with pytest.raises(DataError, match=r"cannot write the picture"):
            draw(report, tmp_path / "no" / name)


def test_convergence_shows_the_record_and_the_baselines(report):
    lines = draw_convergence(report).axes[0].lines
    np.testing.assert_array_equal(lines[0].get_ydata(), report.placement.convergence.cost)
    np.testing.assert_array_equal(lines[1].get_ydata(), report.placement.convergence.best)
    flat = [line.get_ydata()[0] for line in lines[2:]]
    assert flat == list(report.baseline_costs.values())


def test_odd_machines_are_drawn():
    graph = SpikingGraph({"a": 2}, [Edges("a", "a")], [0, 0], 1.0)
    for mesh in (Mesh(1, 1), Mesh(9, 1), Mesh(1, 9), Mesh(30, 2)):
        (links,), _ = arrows(
            draw_link_load(map_network(graph, mesh, placement="annealing", moves_per_core=1))
        )
        assert len(links.get_paths()) == len(mesh.links)


def test_a_course_without_a_single_useful_move_is_drawn():
    silent = SpikingGraph({"a": 2}, [Edges("a", "a")], [0, 0], 1.0)
    for mesh in (Mesh(1, 1), Mesh(3, 1)):
        lines = draw_convergence(map_network(silent, mesh, placement="annealing")).axes[0].lines
        assert lines[0].get_ydata().tolist() == [0.0]


def test_what_cannot_be_drawn_is_refused():
    graph = SpikingGraph({"a": 2}, [Edges("a", "a")], [1, 1], 1.0)
    report = map_network(graph, Mesh(2, 1), placement="sequential")
    with pytest.raises(MappingError, match=r"'sequential' has no convergence record"):
        draw_convergence(report)
    with pytest.raises(MappingError, match=r"unit 'bits'; it is 'packets' or 'packets/ms'"):
        draw_link_load(report, unit="bits")


def test_no_two_populations_look_alike():
    found = colours(24)
    assert len(set(found)) == 24
    assert found[:8] == colours(8)


def test_the_placement_shows_populations_chips_and_what_cannot_be_used():
    graph = SpikingGraph({"a": 4, "b": 2}, [Edges("a", "b")], [1] * 6, 1.0)
    mesh = Mesh(4, 2, chip_width=2, neurons_per_core=2, core_capacities={7: (0, 0, 0)})
    figure = draw_placement(map_network(graph, mesh, placement="sequential"))
    key = [text.get_text() for text in figure.legends[0].get_texts()]
    assert key == ["a (4 neurons)", "b (2 neurons)", "empty core", "unusable"]
    tiles, unusable = (c for c in figure.axes[0].collections if isinstance(c, PatchCollection))
    assert (len(tiles.get_paths()), len(unusable.get_paths())) == (7, 1)
    # One line between the two chips.
    (border,) = figure.axes[0].lines
    assert list(border.get_xdata()) == [1.5, 1.5]
    assert "6 of 7 cores" in figure.get_suptitle()
