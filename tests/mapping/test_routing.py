import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping import Channel, Mesh, RoutingFunction, route, routing_function, routing_names
from simulator.errors import MappingError


def test_names():
    assert {"xy", "torus_dimension_order"} <= set(routing_names())
    assert not [name for name in routing_names() if name.startswith("_")]
    for name in routing_names():
        mesh = Mesh(4, 4, torus=name.startswith("torus"))
        assert routing_function(name, mesh).name == name


def test_xy_by_hand():
    mesh = Mesh(3, 3)
    path = route(mesh, "xy", mesh.core(2, 0), mesh.core(0, 2))
    assert [channel.text(mesh) for channel in path] == [
        "(2,0)-W->(1,0) vc 0",
        "(1,0)-W->(0,0) vc 0",
        "(0,0)-S->(0,1) vc 0",
        "(0,1)-S->(0,2) vc 0",
    ]
    assert route(mesh, "xy", 4, 4) == []


def test_torus_takes_the_shorter_way_round():
    mesh = Mesh(5, 4, torus=True)
    path = route(mesh, "torus_dimension_order", mesh.core(0, 0), mesh.core(3, 2))
    directions = [mesh.link_direction(channel.link) for channel in path]
    assert directions == ["W", "W", "S", "S"]  # two rows away both ways round: south


@given(st.integers(1, 7), st.integers(1, 7), st.booleans(), st.data())
def test_routes_are_connected_and_shortest(width, height, torus, data):
    mesh = Mesh(width, height, torus)
    source = data.draw(st.integers(0, mesh.n_cores - 1))
    target = data.draw(st.integers(0, mesh.n_cores - 1))
    path = route(mesh, "torus_dimension_order" if torus else "xy", source, target)
    here = source
    for channel in path:
        assert mesh.link_source(channel.link) == here
        here = mesh.link_target(channel.link)
    assert here == target
    assert len(path) == mesh.distances[source, target]
    turns = [mesh.link_direction(channel.link) in "NS" for channel in path]
    assert turns == sorted(turns)


class Scripted(RoutingFunction):
    name = "scripted"
    virtual_channels = 2

    def __init__(self, offer):
        self.offer = offer

    def next_channels(self, mesh, router, came_by, target):
        return self.offer(mesh, router)


@pytest.mark.parametrize(
    ("offer", "message"),
    [
        (lambda mesh, at: (), r"at \(0, 0\) offers no channel towards \(1, 1\)"),
        (lambda mesh, at: (Channel(4 * at),), "offers link 0, which does not leave that router"),
        (lambda mesh, at: (Channel(5),), "offers link 5, which does not leave that router"),
        (lambda mesh, at: (Channel(1, 2),), "offers virtual channel 2; it declares 2"),
        (lambda mesh, at: (Channel(1), Channel(2)), "offers 2 channels .* no single route"),
        (
            lambda mesh, at: (Channel(mesh.link(at, "E" if at == 0 else "W")),),
            r"circle from \(0, 0\) to \(1, 1\)",
        ),
    ],
)
def test_a_broken_relation_is_caught(offer, message):
    with pytest.raises(MappingError, match=f"routing 'scripted' .*{message}"):
        route(Mesh(2, 2), Scripted(offer), 0, 3)


def test_wrong_names_meshes_and_cores_are_refused():
    with pytest.raises(MappingError, match=r"unknown routing 'zx'; there are .*xy"):
        route(Mesh(2, 2), "zx", 0, 1)
    with pytest.raises(MappingError, match=r"use 'torus_datelines'"):
        route(Mesh(2, 2, torus=True), "xy", 0, 1)
    with pytest.raises(MappingError, match=r"needs a torus; use 'xy'"):
        route(Mesh(2, 2), "torus_dimension_order", 0, 1)
    with pytest.raises(MappingError, match=r"no core 4"):
        route(Mesh(2, 2), "xy", 0, 4)
    with pytest.raises(MappingError, match=r"is not a RoutingFunction"):
        route(Mesh(2, 2), 3, 0, 1)
