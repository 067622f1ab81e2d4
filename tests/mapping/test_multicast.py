"""Multicast trees, and what their branches do to freedom from deadlock."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping import Mesh, find_deadlock, route
from mapping.deadlock_causes import EndChannel
from mapping.deadlock_multicast import find_multicast_deadlock
from mapping.multicast import MulticastTree, multicast_names, multicast_tree
from mapping.multicast.dual_path import snake_number
from mapping.routing import Channel
from simulator.errors import MappingError


@st.composite
def cases(draw, torus=True, most=6):
    """A mesh (or, sometimes, a torus), a source and targets."""
    torus = torus and draw(st.booleans())
    mesh = Mesh(draw(st.integers(1, 6)), draw(st.integers(2, 5)), torus)
    source = draw(st.integers(0, mesh.n_cores - 1))
    others = [core for core in range(mesh.n_cores) if core != source]
    return mesh, source, draw(st.sets(st.sampled_from(others), min_size=1, max_size=most))


@pytest.mark.parametrize("method", multicast_names())
@settings(max_examples=60, deadline=None)
@given(cases())
def test_every_method_makes_a_tree_to_its_targets(method, case):
    mesh, source, targets = case
    tree = multicast_tree(mesh, method, source, targets)
    tree.check(mesh)
    assert set(tree.targets) == targets
    ends = [mesh.link_target(channel.link) for channel in tree.parent]
    assert len(set(ends)) == len(ends)  # no router is entered twice
    assert source not in ends
    fed = {parent for parent in tree.parent.values() if parent is not None}
    assert {c for c in tree.parent if c not in fed} <= set(tree.arrival.values())
    assert sum(map(len, tree.packets())) == tree.n_hops
    if len(targets) == 1 and method != "dual_path":
        assert tree.n_hops == mesh.distances[source, next(iter(targets))]


@settings(max_examples=50, deadline=None)
@given(cases())
def test_xy_trees_are_unions_of_routes(case):
    mesh, source, targets = case
    tree = multicast_tree(mesh, "xy_tree", source, targets)
    name = "torus_dimension_order" if mesh.torus else "xy"
    routes = {target: tuple(route(mesh, name, source, target)) for target in targets}
    assert {target: tree.path(target) for target in targets} == routes
    assert tree.n_hops == len(set(itertools.chain(*routes.values())))


@settings(max_examples=50, deadline=None)
@given(cases(torus=False))
def test_dual_path_rises_and_falls_along_the_snake(case):
    mesh, source, targets = case
    tree = multicast_tree(mesh, "dual_path", source, targets)
    packets = list(tree.packets())
    assert len(packets) <= 2
    for packet in packets:
        numbers = [snake_number(mesh, source)]
        numbers += [snake_number(mesh, mesh.link_target(c.link)) for c in packet]
        assert numbers in (sorted(numbers), sorted(numbers, reverse=True))


def test_neighbours_are_explored():
    # A column of targets far away: one trunk, not five rows.
    mesh = Mesh(9, 9)
    targets = [mesh.core(8, y) for y in range(9)]
    source = mesh.core(0, 4)
    assert multicast_tree(mesh, "neighbour_exploring", source, targets).n_hops == 16
    down = [mesh.core(x, 8) for x in range(2, 7)]
    top = mesh.core(4, 0)
    assert multicast_tree(mesh, "neighbour_exploring", top, down).n_hops == 12
    assert multicast_tree(mesh, "xy_tree", top, down).n_hops == 4 + 5 * 8


def test_bad_trees_are_refused():
    mesh = Mesh(3, 3)
    for targets, message in (([], "no target"), ([0], "among its own"), ([9], "no core 9")):
        with pytest.raises(MappingError, match=message):
            multicast_tree(mesh, "xy_tree", 0, targets)
    with pytest.raises(MappingError, match="unknown multicast method 'star'; there are dual_path"):
        multicast_tree(mesh, "star", 0, [1])
    with pytest.raises(MappingError, match="does not follow its parent"):
        MulticastTree("mine", 0, (2,), {Channel(5): None}, {2: Channel(5)}).check(mesh)
    with pytest.raises(MappingError, match="does not reach its targets"):
        MulticastTree("mine", 0, (2,), {Channel(1): None}, {1: Channel(1)}).check(mesh)
    cut = mesh.with_faults(links=[mesh.link(0, "E")])
    with pytest.raises(MappingError, match="cannot be reached"):
        multicast_tree(cut, "dual_path", 0, [1])
    with pytest.raises(MappingError, match="switching = 'store'; expected one of wormhole"):
        find_multicast_deadlock(mesh, [], switching="store")


def dependencies(tree, packet):
    """Pairs (held, wanted), written down from the definition."""
    ways = {}
    for channel, parent in packet.items():
        ways[channel] = (*ways.get(parent, ()), channel)
    for held, wanted in itertools.permutations(packet, 2):
        if packet[wanted] == held or (held not in ways[wanted] and wanted not in ways[held]):
            yield held, wanted


def test_two_trees_that_branch_alike_block_each_other():
    """One comes from the west, one from the east; each may hold one branch and want the other."""
    mesh = Mesh(3, 3)
    ends = [mesh.core(1, 0), mesh.core(1, 2)]
    west, east = (multicast_tree(mesh, "xy_tree", mesh.core(x, 1), ends) for x in (0, 2))
    assert find_deadlock(mesh, "xy").free
    for alone in ([west], [east]):
        assert find_multicast_deadlock(mesh, alone).free
    verdict = find_multicast_deadlock(mesh, [west, east])
    assert not verdict.free
    assert set(verdict.cycle) == {Channel(mesh.link(mesh.core(1, 1), d)) for d in "NS"}
    assert set(verdict.causes) == {0, 1}
    assert "held by a multicast packet from (0,1), tree 0" in verdict.text(mesh, [west, east])
    # A whole packet in a buffer lets the branches go on one by one.
    assert find_multicast_deadlock(mesh, [west, east], switching="cut_through").free
    # One tree and XY packets: none of them wants both branches, so nothing closes the circle.
    assert find_multicast_deadlock(mesh, [west], routing="xy", flows=[(0, 8), (6, 2)]).free
    assert not find_multicast_deadlock(mesh, [west], routing="fully_adaptive").free


def test_dual_path_needs_more_than_one_consumption_channel():
    mesh = Mesh(4, 4)
    trees = [
        multicast_tree(mesh, "dual_path", source, set(range(16)) - {source}) for source in range(16)
    ]
    assert find_multicast_deadlock(mesh, trees).free
    verdict = find_multicast_deadlock(mesh, trees, consumption="single")
    assert not verdict.free
    assert any(isinstance(channel, EndChannel) for channel in verdict.cycle)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_verdicts_on_random_trees(data):
    """Freedom is proven by the groups; without it there is a circle of two packets' making."""
    mesh = Mesh(data.draw(st.integers(2, 4)), data.draw(st.integers(2, 4)))
    method = data.draw(st.sampled_from(multicast_names()))
    core = st.integers(0, mesh.n_cores - 1)
    trees = []
    for _ in range(data.draw(st.integers(1, 5))):
        source = data.draw(core)
        targets = data.draw(
            st.sets(core.filter(lambda c, s=source: c != s), min_size=1, max_size=5)
        )
        trees.append(multicast_tree(mesh, method, source, targets))
    verdict = find_multicast_deadlock(mesh, trees)
    causes = {}
    packets = [packet for tree in trees for packet in tree.packets()]
    numbers = [k for k, tree in enumerate(trees) for _ in tree.packets()]
    for number, packet in enumerate(packets):
        for pair in dependencies(None, packet):
            causes.setdefault(pair, set()).add(number)
    assert verdict.n_dependencies == len(causes)
    if verdict.free:
        group_of = {c: k for k, group in enumerate(verdict.groups) for c in group}
        makers = {}
        for (held, wanted), who in causes.items():
            assert group_of[held] <= group_of[wanted]
            if group_of[held] == group_of[wanted]:
                makers.setdefault(group_of[held], set()).update(who)
        assert all(len(who) == 1 for who in makers.values())
    else:
        for k, held in enumerate(verdict.cycle):
            wanted = verdict.cycle[(k + 1) % len(verdict.cycle)]
            assert verdict.causes[k] in {numbers[n] for n in causes[held, wanted]}
