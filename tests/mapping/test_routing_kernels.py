"""The compiled relation, the plain one and the one written down are the same relation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping import Channel, Mesh, RoutingFunction, routing_function
from mapping.routing import Grid, compiled_offers, grid_of
from simulator.errors import MappingError


def ask(function, mesh, grid, router, came_by, target):
    """What the compiled relation offers, as channels."""
    lanes = function.virtual_channels
    out = np.full(4 * lanes, -7, dtype=np.int64)
    held = -1 if came_by is None else came_by.link * lanes + came_by.vc
    count = compiled_offers(function)(grid, router, held, target, out)
    return tuple(Channel(*divmod(int(number), lanes)) for number in out[:count])


class EastRing(RoutingFunction):
    """A ring going east only, in plain Python; channel 1 from the wrap-around link on."""

    name = "east_ring"
    virtual_channels = 2

    def next_channels(self, mesh, router, came_by, target):
        crossed = came_by is not None and came_by.vc == 1
        return (Channel(mesh.link(router, "E"), int(crossed or router == mesh.width - 1)),)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.booleans())
def test_compiled_and_plain_relations_agree(width, height, torus):
    mesh = Mesh(width, height, torus)
    function = routing_function("torus_dimension_order" if torus else "xy", mesh)
    grid = grid_of(mesh, function)
    for router in range(mesh.n_cores):
        for target in range(mesh.n_cores):
            if router != target:
                plain = function.next_channels(mesh, router, None, target)
                assert ask(function, mesh, grid, router, None, target) == plain
                assert len(plain) == 1


def test_a_relation_in_plain_python_is_written_down():
    mesh = Mesh(5, 1, torus=True)
    function = EastRing()
    grid = grid_of(mesh, function)
    assert isinstance(grid, Grid)
    assert grid.virtual_channels == 2
    seen = 0
    for target in range(5):
        for source in range(5):
            router, came_by = source, None
            while router != target:
                plain = function.next_channels(mesh, router, came_by, target)
                assert ask(function, mesh, grid, router, came_by, target) == plain
                came_by = plain[0]
                router = mesh.link_target(came_by.link)
                seen += 1
    assert seen == 5 * (1 + 2 + 3 + 4)
    # Nobody crosses the wrap-around link and travels on channel 0 after it.
    assert ask(function, mesh, grid, 1, Channel(mesh.link(0, "E"), 1), 0) == ()


def test_only_the_flows_given_are_written_down():
    class OnlyEast(EastRing):
        def next_channels(self, mesh, router, came_by, target):
            return super().next_channels(mesh, router, came_by, target) if target == 2 else ()

    mesh = Mesh(4, 1, torus=True)
    assert ask(OnlyEast(), mesh, grid_of(mesh, OnlyEast(), ((0, 2),)), 0, None, 2)
    with pytest.raises(MappingError, match=r"'east_ring' at .* offers no channel towards"):
        grid_of(mesh, OnlyEast())


def test_the_younger_definition_counts():
    xy = type(routing_function("xy", Mesh(2, 2)))

    class YX(xy):
        def next_channels(self, mesh, router, came_by, target):
            return tuple(reversed(super().next_channels(mesh, target, None, router)))

    assert xy().own_offers() is not None
    assert YX().own_offers() is None
    with pytest.raises(MappingError, match="defines neither"):
        type("Nothing", (RoutingFunction,), {"name": "nothing"})().next_channels(
            Mesh(2, 2), 0, None, 1
        )


def test_one_kernel_for_one_function():
    mesh = Mesh(2, 2)
    assert compiled_offers(routing_function("xy", mesh)) is compiled_offers(
        routing_function("xy", mesh)
    )


def test_tables_of_the_wrong_kind_and_meshes_too_large_are_refused():
    xy = type(routing_function("xy", Mesh(2, 2)))

    class Floats(xy):
        def table(self, mesh):
            return np.zeros(3)

    with pytest.raises(MappingError, match=r"table\(mesh\) is float64 of 1 dimensions"):
        grid_of(Mesh(2, 2), Floats())
    with pytest.raises(MappingError, match=r"has no `offers`, and the 64x64 torus is too large"):
        grid_of(Mesh(64, 64, torus=True), EastRing())
