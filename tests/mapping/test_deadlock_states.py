"""Verdicts against every reachable state of tiny networks, on 2x2 and 2x3 meshes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mapping import Channel, Mesh, find_deadlock, routing_function
from mapping.deadlock_check import check_certificate
from mapping.deadlock_witness import witness_packets
from mapping.routing import TURNS, TurnSet
from mapping.routing.adaptive_escape import AdaptiveEscape
from tests.mapping.flit_states import EMPTY, TinyNetwork
from tests.mapping.relations import RandomRelation, every_minimal_table, random_table

# Flits of a buffer and of a packet: one fits, several fit, none fits.
SIZES = [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3)]


def assert_no_contradiction(mesh, function, flows, *, most_states, **sizes):
    """Free: no standstill can be reached; possible, with packets to show it: one can.

    Returns the verdict and the state found, or None if there are too many to go through.
    """
    flows = list(flows)
    verdict = find_deadlock(mesh, function, flows)
    if verdict.escape is not None and not sizes.get("cut_through"):
        sizes["empty_first"] = True
    if verdict.free:
        complete = verdict.escape is None
        order = verdict.channel_order
        assert check_certificate(mesh, function, order, flows, complete=complete) is None
    try:
        state, _ = TinyNetwork(mesh, function, flows, **sizes).standstill(most_states=most_states)
    except OverflowError:
        return None
    if verdict.free:
        assert state is None, (verdict, state)
    elif verdict.sole_choice and witness_packets(
        verdict, mesh, sizes["depth"], routing=function, flows=flows
    ):
        assert state is not None, verdict
    return verdict, state


def test_moves_that_need_no_choice_may_come_first():
    """The same answer as with every move left to choice, for relations of both kinds."""
    mesh = Mesh(2, 2)
    diagonals = [(0, 3), (3, 0), (1, 2), (2, 1)]
    answers = set()
    for function in list(every_minimal_table(mesh))[::40]:
        tiny = TinyNetwork(mesh, function, diagonals, depth=1, flits=2)
        answer = tiny.standstill()[0] is None
        assert (tiny.standstill(eager=False)[0] is None) == answer
        answers.add(answer)
    assert answers == {True, False}


@pytest.mark.parametrize(
    ("depth", "flits", "step"),
    [
        (1, 2, 1),
        (2, 3, 1),
        (1, 1, 16),
        *(pytest.param(*size, 1, marks=pytest.mark.slow) for size in [(1, 1), (2, 2)]),
    ],
)
def test_every_minimal_relation_on_2x2(depth, flits, step):
    """81 of (router, target), all flows: possible if and only if a standstill can be reached."""
    mesh = Mesh(2, 2)
    kinds = []
    for function in itertools.islice(every_minimal_table(mesh), 0, None, step):
        found = assert_no_contradiction(
            mesh, function, function.pairs(mesh), depth=depth, flits=flits, most_states=10**6
        )
        assert found[0].free == (found[1] is None)
        kinds.append(found[0].kind)
    # A circle takes one route of each diagonal pair: 2 of the 3 choices have it. Two circles.
    if step == 1:
        assert (len(kinds), kinds.count("possible")) == (81, 2 * 2**4 - 1)


@pytest.mark.parametrize("fewest", [pytest.param(0, marks=pytest.mark.slow), 7])
def test_every_turn_set_on_2x2(fewest):
    """Of so many turns: possible if and only if a standstill can be reached."""
    mesh = Mesh(2, 2)
    for bits in itertools.product((False, True), repeat=8):
        turns = [turn for turn, allowed in zip(TURNS, bits, strict=True) if allowed]
        if len(turns) < fewest:
            continue
        function = TurnSet(turns, partial=True)
        flows = function.pairs(mesh)
        verdict, state = assert_no_contradiction(
            mesh, function, flows, depth=1, flits=2, most_states=10**6
        )
        clockwise = {"E2S", "S2W", "W2N", "N2E"} <= set(turns)
        counter = {"W2S", "S2E", "E2N", "N2W"} <= set(turns)
        assert verdict.free == (state is None) == (not clockwise and not counter)


@pytest.mark.parametrize(
    ("how", "comes_to_a_standstill"),
    [({}, True), ({"empty_first": True}, False), ({"cut_through": True}, False)],
)
def test_escape_channels_help_nobody_who_was_given_a_full_buffer(how, comes_to_a_standstill):
    """Packets of one flit, each in the buffer that the next one was given: all wait, escape free.

    So it is not enough that packets fit into one buffer, if they do not wait for the room.
    """
    mesh = Mesh(2, 2)
    adaptive = [Channel(mesh.link(core, to), 1) for core, to in ((0, "E"), (1, "S"), (3, "W"))]
    adaptive.append(Channel(mesh.link(2, "N"), 1))
    tiny = TinyNetwork(
        mesh, AdaptiveEscape(2), [(0, 3), (1, 2), (3, 0), (2, 1)], depth=1, flits=1, **how
    )
    circle = [tiny.place[channel.link * 2 + channel.vc] for channel in adaptive]
    state = (EMPTY,) * len(tiny.numbers)
    for channel in circle:
        state = next(new for new in map(tiny.settled, tiny.beginnings(state)) if new[channel].flits)
    for channel, ahead in zip(circle, circle[1:] + circle[:1], strict=True):
        given = [new for new in tiny.grants(state) if new[channel].out == ahead]
        assert bool(given) == comes_to_a_standstill
        state = given[0] if given else state
    stuck = not list(tiny.grants(state)) and not list(tiny.moves(state))
    assert stuck == comes_to_a_standstill


def random_case(seed, mesh):
    """A relation, flows and sizes of buffers and packets."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(5)
    if kind == 0:
        function = random_table(mesh, rng)
    elif kind == 1:
        function = AdaptiveEscape(2)
    else:
        function = RandomRelation(
            seed,
            int(rng.integers(1, 3)) if kind < 4 else 2,
            rng.uniform(0.3, 1.0),
            memory=bool(rng.integers(2)),
            with_escape=kind == 4,
        )
    pairs = list(function.pairs(mesh))
    some = rng.choice(len(pairs), rng.integers(2, min(len(pairs), 8) + 1), replace=False)
    depth, flits = SIZES[rng.integers(len(SIZES))]
    how = {"depth": depth, "flits": flits, "cut_through": bool(flits <= depth and rng.integers(2))}
    return function, [pairs[k] for k in sorted(some)], how


@pytest.mark.parametrize(
    ("shape", "seeds"),
    [
        ((2, 2), range(12)),
        pytest.param((2, 2), range(12, 200), marks=pytest.mark.slow),
        pytest.param((3, 2), range(150), marks=pytest.mark.slow),
    ],
)
def test_random_relations_and_flows(shape, seeds):
    mesh = Mesh(*shape)
    finished = 0
    for seed in seeds:
        function, flows, how = random_case(seed, mesh)
        found = assert_no_contradiction(mesh, function, flows, most_states=2000, **how)
        finished += found is not None
    assert finished > 0.7 * len(seeds)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["xy", "west_first", "fully_adaptive"])
def test_named_functions_on_2x3(name):
    mesh = Mesh(3, 2)
    function = routing_function(name, mesh)
    corners = [(0, 5), (5, 0), (2, 3), (3, 2), (1, 3), (4, 2)]
    verdict, state = assert_no_contradiction(
        mesh, function, corners, depth=1, flits=2, most_states=20_000
    )
    assert verdict.free == (state is None) == (name != "fully_adaptive")
