"""Verdicts against every reachable state of tiny networks."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping import Channel, Mesh, RoutingFunction, find_deadlock, routing_function
from mapping.deadlock_check import check_certificate
from mapping.deadlock_witness import witness_packets
from mapping.routing import TURNS, TurnSet
from mapping.routing.adaptive_escape import AdaptiveEscape
from mapping.routing.fully_adaptive import FullyAdaptive
from tests.mapping.state_search import find_deadlock_state


class Scattered(RoutingFunction):
    """A random minimal relation: some of the channels that lead nearer, by router and target."""

    name = "scattered"

    def __init__(self, choices, virtual_channels):
        self.choices = choices
        self.virtual_channels = virtual_channels

    def next_channels(self, mesh, router, came_by, target):
        nearer = [
            Channel(link, vc)
            for link in range(4 * router, 4 * router + 4)
            if mesh.has_link(link)
            and mesh.distances[mesh.link_target(link), target] < mesh.distances[router, target]
            for vc in range(self.virtual_channels)
        ]
        pick = self.choices[(router * mesh.n_cores + target) % len(self.choices)]
        kept = [c for k, c in enumerate(nearer) if (pick >> (k % 8)) & 1]
        return tuple(kept) or (nearer[pick % len(nearer)],)


def agree(mesh, function, flows, hold):
    """The verdict contradicts no reachable state; returns (verdict, state)."""
    verdict = find_deadlock(mesh, function, flows)
    state = find_deadlock_state(mesh, function, flows, hold=hold)
    if verdict.free:
        assert state is None, (verdict, state)
        fault = check_certificate(
            mesh, function, verdict.channel_order, flows, complete=verdict.escape is None
        )
        assert fault is None
    elif witness_packets(verdict, mesh, 2, routing=function, flows=flows):
        assert state is not None, verdict
    return verdict, state


@pytest.mark.parametrize("hold", [1, 2])
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_random_relations_on_2x2(hold, data):
    mesh = Mesh(2, 2)
    choices = data.draw(st.lists(st.integers(0, 255), min_size=16, max_size=16))
    function = Scattered(choices, data.draw(st.integers(1, 2)))
    pairs = list(function.pairs(mesh))
    flows = data.draw(st.lists(st.sampled_from(pairs), min_size=2, max_size=6, unique=True))
    agree(mesh, function, flows, hold)


@pytest.mark.slow
@pytest.mark.parametrize("hold", [1, 2, 9])
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_random_relations_on_2x3(hold, data):
    mesh = Mesh(3, 2)
    choices = data.draw(st.lists(st.integers(0, 255), min_size=36, max_size=36))
    function = Scattered(choices, data.draw(st.integers(1, 2)))
    pairs = list(function.pairs(mesh))
    flows = data.draw(st.lists(st.sampled_from(pairs), min_size=2, max_size=8, unique=True))
    agree(mesh, function, flows, hold)


@pytest.mark.parametrize("fewest", [pytest.param(0, marks=pytest.mark.slow), 7])
def test_every_turn_set_on_2x2(fewest):
    """Of so many turns. Deterministic or not: possible if and only if a deadlock is reachable."""
    mesh = Mesh(2, 2)
    for bits in itertools.product((False, True), repeat=8):
        turns = [turn for turn, allowed in zip(TURNS, bits, strict=True) if allowed]
        if len(turns) < fewest:
            continue
        function = TurnSet(turns, partial=True)
        flows = [(i, j) for i, j in function.pairs(mesh) if i + j == 3]  # the diagonals turn
        verdict, state = agree(mesh, function, flows, hold=1)
        assert verdict.free == (state is None)
        clockwise = {"E2S", "S2W", "W2N", "N2E"} <= set(turns)
        counter = {"W2S", "S2E", "E2N", "N2W"} <= set(turns)
        assert verdict.free == (not clockwise and not counter)


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (FullyAdaptive(), "possible"),
        pytest.param(AdaptiveEscape(), "free by escape set", marks=pytest.mark.slow),
    ],
)
def test_adaptive_functions_on_2x2(function, kind):
    mesh = Mesh(2, 2)
    diagonals = [(0, 3), (3, 0), (1, 2), (2, 1)]
    assert find_deadlock(mesh, function).kind == kind
    state = find_deadlock_state(mesh, function, diagonals, hold=1)
    assert (state is None) == (kind != "possible")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["xy", "west_first", "odd_even", "fully_adaptive", "o1turn"])
def test_named_functions_on_2x3(name):
    mesh = Mesh(3, 2)
    function = routing_function(name, mesh)
    corners = [(0, 5), (5, 0), (2, 3), (3, 2), (0, 4), (4, 0), (1, 3), (1, 5), (3, 1), (4, 2)]
    verdict, state = agree(mesh, function, corners, hold=1)
    assert verdict.free == (state is None)
