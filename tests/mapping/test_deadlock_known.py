"""What is known of routing functions, and certificates checked by independent code."""

import csv
import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping import Channel, Mesh, RoutingFunction, find_deadlock, routing_function
from mapping.deadlock_check import check_certificate
from mapping.deadlock_states import is_memoryless
from mapping.draw_deadlock import draw_deadlock
from mapping.routing import TURNS, TurnSet
from mapping.routing.adaptive_escape import AdaptiveEscape
from mapping.routing.fully_adaptive import FullyAdaptive
from simulator.errors import MappingError

FREE = ["xy", "yx", "west_first", "north_last", "negative_first", "odd_even", "o1turn"]


def assert_proven(mesh, routing, verdict, flows=None, dependent=()):
    function = routing_function(routing, mesh)
    pairs = function.pairs(mesh) if flows is None else flows
    complete = verdict.escape is None
    order = verdict.channel_order
    fault = check_certificate(mesh, function, order, pairs, complete=complete, dependent=dependent)
    assert fault is None


@pytest.mark.parametrize("name", FREE)
@settings(max_examples=8, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5))
def test_free_at_every_size(name, width, height):
    mesh = Mesh(width, height)
    verdict = find_deadlock(mesh, name)
    assert verdict.kind == "free"
    if width * height <= 16:
        assert_proven(mesh, name, verdict)


@pytest.mark.slow
@pytest.mark.parametrize("name", FREE)
def test_free_up_to_64x64(name):
    for side in (8, 16, 32, 64):
        verdict = find_deadlock(Mesh(side, side), name)
        assert verdict.kind == "free"
        vcs = 2 if name == "o1turn" else 1
        assert verdict.n_channels <= vcs * 4 * side * (side - 1)


@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (2, 5), (4, 4)])
@pytest.mark.parametrize("vcs", [1, 2, 3])
def test_fully_adaptive_is_cyclic_from_2x2_and_a_rule_for_escape_repairs_it(shape, vcs):
    mesh = Mesh(*shape)
    verdict = find_deadlock(mesh, FullyAdaptive(vcs))
    assert (verdict.kind, len(verdict.cycle)) == ("possible", 4)
    # With one channel, packets next to their target have no choice.
    assert verdict.sole_choice == (vcs == 1)
    duato = AdaptiveEscape(vcs + 1)
    repaired = find_deadlock(mesh, duato)
    assert repaired.kind == "free by escape set"
    assert_proven(mesh, duato, repaired)
    assert len(repaired.channel_order) == len(mesh.links)
    assert {channel.vc for channel in repaired.channel_order} == {0}


@pytest.mark.parametrize("k", range(2, 8))
def test_torus_rings_and_datelines(k):
    mesh = Mesh(k, k, torus=True)
    assert find_deadlock(mesh, "torus_dimension_order").free == (k < 4)
    verdict = find_deadlock(mesh, "torus_datelines")
    assert verdict.kind == "free"
    if k < 6:
        assert_proven(mesh, "torus_datelines", verdict)


class Mixed(RoutingFunction):
    """XY or YX by the parity of the target, on one channel."""

    name = "mixed"

    def next_channels(self, mesh, router, came_by, target):
        name = "xy" if target % 2 else "yx"
        return routing_function(name, mesh).next_channels(mesh, router, came_by, target)


def test_xy_and_yx_on_one_channel_are_cyclic():
    assert not find_deadlock(Mesh(3, 3), Mixed()).free
    assert find_deadlock(Mesh(3, 3), "o1turn").free


class Undeclared(AdaptiveEscape):
    """Duato's function that does not say which its escape channels are."""

    escape = None


class WrongEscape(AdaptiveEscape):
    """Declares escape channels that it does not offer."""

    escape = staticmethod(FullyAdaptive.offers)

    def __init__(self):
        super().__init__(2)


def test_escape_channels_are_found_if_they_are_not_declared():
    for mesh in (Mesh(3, 3), Mesh(8, 7)):
        verdict = find_deadlock(mesh, Undeclared(2))
        assert verdict.kind == "free by escape set"
        assert verdict.escape == "xy on virtual channel 0"
    assert_proven(Mesh(3, 3), Undeclared(2), find_deadlock(Mesh(3, 3), Undeclared(2)))
    with pytest.raises(MappingError, match=r"declares escape channel .* which it does not offer"):
        find_deadlock(Mesh(3, 3), WrongEscape())


class Indirect(RoutingFunction):
    """Escape channels that are acyclic one after the other, but not with others in between.

    A one-way ring: virtual channel 0 of each link is an escape, but hop by hop a packet may take
    either; any two escape channels can be held in either order round the ring.
    """

    name = "indirect"
    virtual_channels = 2

    def next_channels(self, mesh, router, came_by, target):
        link = mesh.link(router, "E")
        if came_by is not None and came_by.vc == 0:
            return (Channel(link, 1), Channel(link, 0))[: 1 if router % 2 else 2]
        return (Channel(link, 0), Channel(link, 1))


def test_indirect_dependencies_count():
    ring = Mesh(5, 1, torus=True)
    assert find_deadlock(ring, Indirect()).kind == "possible"


def test_two_lanes_are_two_copies():
    mesh = Mesh(3, 3)
    one, four = find_deadlock(mesh, "xy"), find_deadlock(mesh, "xy", lanes=4)
    assert four.n_channels == 4 * one.n_channels
    assert four.n_dependencies == 16 * one.n_dependencies
    assert len(set(four.channel_order)) == four.n_channels

    class FourLanes(RoutingFunction):
        name = "xy4"
        virtual_channels = 4

        def next_channels(self, mesh, router, came_by, target):
            xy = routing_function("xy", mesh).next_channels(mesh, router, None, target)
            return tuple(Channel(xy[0].link, lane) for lane in range(4))

    assert_proven(mesh, FourLanes(), four)
    same = find_deadlock(mesh, FourLanes())
    assert (same.n_channels, same.n_dependencies) == (four.n_channels, four.n_dependencies)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 5), st.integers(2, 5), st.booleans(), st.data())
def test_up_down_is_free_on_random_faulty_meshes(width, height, torus, data):
    whole = Mesh(width, height, torus)
    links = data.draw(st.lists(st.sampled_from(whole.links), max_size=6, unique=True))
    mesh = whole.with_faults(links=links, both_ways=data.draw(st.booleans()))
    try:
        verdict = find_deadlock(mesh, "up_down")
    except MappingError as error:
        assert "no way between" in str(error)  # noqa: PT017 - either is right
        return
    assert verdict.kind == "free"
    assert_proven(mesh, "up_down", verdict)


def test_message_dependence():
    mesh = Mesh(3, 2)
    verdict = find_deadlock(mesh, "xy", message_dependence=True)
    # Two neighbours that answer each other: link, consumption, injection, and back.
    assert (verdict.kind, len(verdict.cycle)) == ("possible", 6)
    assert "waits for consumption channel of" in verdict.text(mesh)
    assert "held by what the core must send first" in verdict.text(mesh)
    chain = [(0, 2), (2, 5), (5, 3)]
    for routing in ("xy", "adaptive_escape"):
        verdict = find_deadlock(mesh, routing, chain, message_dependence=True)
        assert verdict.free
        assert_proven(mesh, routing, verdict, chain, dependent=[2, 5])
        assert not find_deadlock(mesh, routing, [*chain, (3, 0)], message_dependence=True).free
        assert find_deadlock(mesh, routing, [*chain, (3, 0)], message_dependence=[2]).free
    # Nothing comes back: a core that only listens waits for nobody.
    assert find_deadlock(mesh, "xy", [(0, 5), (1, 5)], message_dependence=True).free


def test_wrong_proofs_are_refused():
    mesh = Mesh(3, 3)
    xy = routing_function("xy", mesh)
    flows = list(xy.pairs(mesh))
    order = list(find_deadlock(mesh, "xy").channel_order)
    assert check_certificate(mesh, xy, order, flows, complete=True) is None
    assert "do not come behind" in check_certificate(mesh, xy, order[::-1], flows, complete=True)
    assert "do not come behind" in check_certificate(mesh, xy, order[1:], flows, complete=True)
    assert "twice" in check_certificate(mesh, xy, [*order, order[0]], flows, complete=True)
    adaptive = FullyAdaptive()
    for proof in (order, order[::-1]):
        assert check_certificate(mesh, adaptive, proof, flows, complete=False) is not None


def test_which_functions_look_at_the_channel_they_came_by():
    def reads(name):
        mesh = Mesh(4, 4, torus=name.startswith("torus"))
        return not is_memoryless(routing_function(name, mesh).own_offers())

    reading = {"odd_even", "o1turn", "up_down"}
    others = {"xy", "yx", "west_first", "adaptive_escape", "fully_adaptive", "torus_datelines"}
    assert {name for name in reading | others if reads(name)} == reading


def turn_sets():
    for bits in itertools.product((False, True), repeat=8):
        yield frozenset(turn for turn, allowed in zip(TURNS, bits, strict=True) if allowed)


def minimal_paths(mesh, function):
    """Sum over all pairs of the number of routes."""
    total = 0
    for source, target in function.pairs(mesh):
        ways = {(source, None): 1}
        for _ in range(int(mesh.distances[source, target])):
            following = {}
            for (router, came_by), count in ways.items():
                for channel in function.next_channels(mesh, router, came_by, target):
                    state = (mesh.link_target(channel.link), channel)
                    following[state] = following.get(state, 0) + count
            ways = following
        total += sum(ways.values())
    return total


def test_the_256_turn_sets_on_3x3():
    """221 are acyclic, 50 of them connect all pairs, with the known numbers of routes."""
    mesh = Mesh(3, 3)
    acyclic, found = 0, {}
    for turns in turn_sets():
        function = TurnSet(turns, partial=True)
        verdict = find_deadlock(mesh, function)
        acyclic += verdict.kind == "free"
        connected = int(function.connected(mesh).sum())
        if verdict.kind == "free" and connected == 72:
            found[turns] = (connected, minimal_paths(mesh, function))
    assert acyclic == 221
    assert len(found) == 50
    known = Path(__file__).with_name("turn_models_3x3.csv")
    with open(known, newline="", encoding="utf-8") as file:
        rows = {
            frozenset(row["turns"].split("+")): (
                int(row["connected_pairs"]),
                int(row["minimal_paths"]),
            )
            for row in csv.DictReader(file)
        }
    assert found == rows


def test_the_picture_is_drawn(tmp_path):
    mesh = Mesh(3, 3)
    path = draw_deadlock(find_deadlock(mesh, FullyAdaptive()), mesh, tmp_path / "cycle.png")
    assert path.read_bytes()[:4] == b"\x89PNG"
    verdict = find_deadlock(mesh, "xy", message_dependence=True)
    assert draw_deadlock(verdict, mesh, tmp_path / "ends.png").stat().st_size > 10_000
    with pytest.raises(MappingError, match="no cycle to draw"):
        draw_deadlock(find_deadlock(mesh, "xy"), mesh, tmp_path / "none.png")


@pytest.mark.slow
def test_64x64_with_four_virtual_channels():
    mesh = Mesh(64, 64)
    verdict = find_deadlock(mesh, "xy", lanes=4)
    assert (verdict.kind, verdict.n_channels) == ("free", 16 * 64 * 63)
    verdict = find_deadlock(mesh, AdaptiveEscape(4))
    assert (verdict.kind, verdict.n_channels) == ("free by escape set", 16 * 64 * 63)
    assert find_deadlock(mesh, FullyAdaptive(4)).kind == "possible"
