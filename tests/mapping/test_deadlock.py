"""Verdicts, each checked by code that shares nothing with the graph that produced it."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping import Channel, Mesh, RoutingFunction, find_deadlock, route
from simulator.errors import MappingError


class AllTurns(RoutingFunction):
    """Minimal fully adaptive on one virtual channel: every turn is allowed."""

    name = "all_turns"

    def next_channels(self, mesh, router, came_by, target):
        (x, y), (to_x, to_y) = mesh.coordinates(router), mesh.coordinates(target)
        wanted = "E" * (to_x > x) + "W" * (to_x < x) + "S" * (to_y > y) + "N" * (to_y < y)
        return tuple(Channel(mesh.link(router, direction)) for direction in wanted)


class Dateline(RoutingFunction):
    """A ring going east only; packets change to channel 1 on the wrap-around link."""

    name = "dateline"
    virtual_channels = 2

    def next_channels(self, mesh, router, came_by, target):
        crossed = came_by is not None and came_by.vc == 1
        return (Channel(mesh.link(router, "E"), int(crossed or router == mesh.width - 1)),)


def walks(mesh, routing, source, target):
    """All channel sequences that a packet may take, by recursion."""

    def extend(router, came_by):
        if router == target:
            yield ()
            return
        for channel in routing.next_channels(mesh, router, came_by, target):
            for rest in extend(mesh.link_target(channel.link), channel):
                yield (channel, *rest)

    return extend(source, None)


def assert_certificate(mesh, routing, verdict, flows):
    """Along every route of every flow, the channel order strictly rises."""
    rank = {channel: k for k, channel in enumerate(verdict.channel_order)}
    assert len(rank) == len(verdict.channel_order) == verdict.n_channels
    for source, target in flows:
        for path in walks(mesh, routing, source, target):
            ranks = [rank[channel] for channel in path]
            assert ranks == sorted(set(ranks))


def assert_witness(mesh, routing, verdict):
    """Each channel of the cycle is really followed by the next on a route of the named flow."""
    assert len(verdict.cycle) == len(verdict.flows) == len(set(verdict.cycle))
    for k, (source, target) in enumerate(verdict.flows):
        step = (verdict.cycle[k], verdict.cycle[(k + 1) % len(verdict.cycle)])
        assert any(step in pairwise(path) for path in walks(mesh, routing, source, target))


def every_pair(mesh):
    return [(i, j) for i in range(mesh.n_cores) for j in range(mesh.n_cores) if i != j]


def xy_path(mesh, source, target):
    """XY written down once more, without the relation: links as (core, core) pairs."""
    x, y = source % mesh.width, source // mesh.width
    to_x, to_y = target % mesh.width, target // mesh.width
    stops = [(x, y)]
    while x != to_x:
        x += 1 if to_x > x else -1
        stops.append((x, y))
    while y != to_y:
        y += 1 if to_y > y else -1
        stops.append((x, y))
    return list(pairwise(stops))


@settings(max_examples=25)
@given(st.integers(1, 7), st.integers(1, 7))
def test_xy_is_free_at_every_size(width, height):
    mesh = Mesh(width, height)
    verdict = find_deadlock(mesh, "xy")
    assert verdict.free
    assert verdict.cycle is None
    assert verdict.n_channels == len(mesh.links)
    ends = [
        (mesh.coordinates(mesh.link_source(c.link)), mesh.coordinates(mesh.link_target(c.link)))
        for c in verdict.channel_order
    ]
    rank = {link: k for k, link in enumerate(ends)}
    for source, target in every_pair(mesh):
        ranks = [rank[step] for step in xy_path(mesh, source, target)]
        assert ranks == sorted(set(ranks))


def test_xy_dependencies_counted_by_hand():
    # 2x2: a packet turns from the row to the column in four ways, and no row has two links.
    assert find_deadlock(Mesh(2, 2), "xy").n_dependencies == 4
    # A row of n: n - 2 straight continuations each way.
    assert find_deadlock(Mesh(6, 1), "xy").n_dependencies == 8


@pytest.mark.parametrize("k", range(1, 10))
def test_a_torus_ring_without_datelines_is_cyclic_from_four_on(k):
    mesh = Mesh(k, 1, torus=True)
    verdict = find_deadlock(mesh, "torus_dimension_order")
    assert verdict.free == (k < 4)
    if not verdict.free:
        assert len(verdict.cycle) == k


@settings(max_examples=15)
@given(st.integers(2, 6), st.integers(2, 6))
def test_torus_verdicts(width, height):
    from mapping.routing.torus_dimension_order import ROUTING

    mesh = Mesh(width, height, torus=True)
    verdict = find_deadlock(mesh, "torus_dimension_order")
    assert verdict.free == (max(width, height) < 4)
    if verdict.free:
        assert_certificate(mesh, ROUTING, verdict, every_pair(mesh))
    else:
        assert_witness(mesh, ROUTING, verdict)
        assert len(verdict.cycle) == min(k for k in (width, height) if k >= 4)


@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (3, 3), (4, 3)])
def test_all_turns_close_a_square_of_four_channels(shape):
    mesh = Mesh(*shape)
    verdict = find_deadlock(mesh, AllTurns())
    assert not verdict.free
    assert verdict.channel_order is None
    assert len(verdict.cycle) == 4
    assert_witness(mesh, AllTurns(), verdict)


def test_all_turns_on_a_line_are_free():
    mesh = Mesh(5, 1)
    verdict = find_deadlock(mesh, AllTurns())
    assert verdict.free
    assert_certificate(mesh, AllTurns(), verdict, every_pair(mesh))


def test_a_dateline_repairs_the_ring():
    mesh = Mesh(6, 1, torus=True)
    verdict = find_deadlock(mesh, Dateline())
    assert verdict.free
    assert_certificate(mesh, Dateline(), verdict, every_pair(mesh))
    assert {channel.vc for channel in verdict.channel_order} == {0, 1}


def test_given_flows_can_be_free_where_the_function_is_not():
    ring = Mesh(4, 1, torus=True)
    three = [(0, 2), (1, 3), (2, 0)]
    verdict = find_deadlock(ring, "torus_dimension_order", three)
    assert verdict.free
    assert not verdict.all_flows
    closing = find_deadlock(ring, "torus_dimension_order", [*three, (3, 1)])
    assert not closing.free
    assert set(closing.flows) == {*three, (3, 1)}


def test_the_flows_of_a_witness_are_among_those_given():
    from mapping.routing.torus_dimension_order import ROUTING

    ring = Mesh(6, 1, torus=True)
    flows = [(0, 3), (2, 5), (4, 1)]  # three hops each: the middle channel is held on the way
    verdict = find_deadlock(ring, "torus_dimension_order", flows)
    assert not verdict.free
    assert set(verdict.flows) == set(flows)
    assert_witness(ring, ROUTING, verdict)


@settings(max_examples=60)
@given(st.data())
def test_given_flows_against_the_routes_one_by_one(data):
    """The verdict on random flows equals a search for cycles in dependencies read off routes."""
    mesh = Mesh(data.draw(st.integers(2, 5)), data.draw(st.integers(1, 4)), torus=True)
    flows = data.draw(st.lists(st.sampled_from(every_pair(mesh)), min_size=1, max_size=30))
    after = {}
    for source, target in flows:
        path = route(mesh, "torus_dimension_order", source, target)
        for channel in path:
            after.setdefault(channel, set())
        for held, wanted in pairwise(path):
            after[held].add(wanted)
    verdict = find_deadlock(mesh, "torus_dimension_order", flows)
    assert verdict.n_channels == len(after)
    assert verdict.n_dependencies == sum(map(len, after.values()))
    # A graph has a cycle if and only if removing channels that nothing waits in empties it.
    while removable := [c for c in after if not after[c] & after.keys()]:
        for channel in removable:
            del after[channel]
    assert verdict.free == (not after)


def test_the_witness_reads_well():
    mesh = Mesh(4, 1, torus=True)
    assert find_deadlock(mesh, "torus_dimension_order").text(mesh) == (
        "torus_dimension_order on the 4x1 torus: deadlock possible for all flows; "
        "4 channels wait for each other:\n"
        "  (0,0)-E->(1,0) vc 0, held by a packet (0,0) to (2,0) by (1,0), "
        "waits for (1,0)-E->(2,0) vc 0\n"
        "  (1,0)-E->(2,0) vc 0, held by a packet (1,0) to (3,0) by (2,0), "
        "waits for (2,0)-E->(3,0) vc 0\n"
        "  (2,0)-E->(3,0) vc 0, held by a packet (2,0) to (0,0) by (3,0), "
        "waits for (3,0)-E->(0,0) vc 0\n"
        "  (3,0)-E->(0,0) vc 0, held by a packet (3,0) to (1,0) by (0,0), "
        "waits for (0,0)-E->(1,0) vc 0"
    )
    free = find_deadlock(Mesh(2, 2), "xy", [(0, 3)])
    assert free.text(Mesh(2, 2)) == (
        "xy on the 2x2 mesh: free of routing deadlock for the flows of this network "
        "(2 channels, 1 dependencies, no cycle)"
    )


def test_no_flows_are_free():
    verdict = find_deadlock(Mesh(3, 3), "xy", [])
    assert (verdict.free, verdict.n_channels, verdict.channel_order) == (True, 0, ())


def test_bad_flows_and_dead_ends_are_refused():
    class DeadEnd(AllTurns):
        def next_channels(self, mesh, router, came_by, target):
            return () if router == 1 else super().next_channels(mesh, router, came_by, target)

    with pytest.raises(MappingError, match=r"no core 9; cores are 0..8"):
        find_deadlock(Mesh(3, 3), "xy", [(0, 9)])
    with pytest.raises(MappingError, match=r"at \(1, 0\) offers no channel"):
        find_deadlock(Mesh(3, 3), DeadEnd())
