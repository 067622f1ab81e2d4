"""Packets made from a verdict are played through and must stall, each where it was said to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping import Mesh, find_deadlock, routing_function
from mapping.deadlock_witness import witness_packets
from mapping.routing import TURNS, TurnSet
from mapping.routing.fully_adaptive import FullyAdaptive
from simulator.errors import MappingError


def play(packets, hops=200):
    """Hop by hop: heads take their next channel if nobody holds it, tails let go of nothing.

    A packet is as long as all that it holds, so it lets go only when its head is delivered.
    Returns how many channels each packet holds when nothing moves any more, None if delivered.
    """
    held = [0] * len(packets)
    delivered = [False] * len(packets)
    for time in range(hops):
        taken = {
            channel: k
            for k, packet in enumerate(packets)
            if not delivered[k]
            for channel in packet.route[: held[k]]
        }
        moved = time <= max(packet.release for packet in packets)
        claims = {}
        for k, packet in enumerate(packets):
            if delivered[k] or time < packet.release:
                continue
            if held[k] == len(packet.route):
                delivered[k] = moved = True
            elif packet.route[held[k]] not in taken:
                claims.setdefault(packet.route[held[k]], k)
        for k in claims.values():
            held[k] += 1
            moved = True
        if not moved:
            break
    return [None if delivered[k] else held[k] for k in range(len(packets))]


def assert_stalls(mesh, function, verdict, packets):
    assert play(packets) == [packet.held for packet in packets]
    waits = {packet.route[packet.held] for packet in packets}
    holds = [set(packet.route[: packet.held]) for packet in packets]
    cycle = set(verdict.cycle)
    assert waits <= cycle
    assert cycle <= set().union(*holds)
    for packet in packets:
        router, came_by = packet.source, None
        for k, channel in enumerate(packet.route):
            offered = list(function.next_channels(mesh, router, came_by, packet.target))
            assert channel in offered
            if k == packet.held:
                assert offered == [channel]
            router, came_by = mesh.link_target(channel.link), channel
        assert router == packet.target


@pytest.mark.parametrize("shape", [(4, 1), (5, 3), (7, 7)])
@pytest.mark.parametrize("buffer_flits", [1, 4])
def test_rings_of_a_torus(shape, buffer_flits):
    mesh = Mesh(*shape, torus=True)
    verdict = find_deadlock(mesh, "torus_dimension_order")
    packets = witness_packets(verdict, mesh, buffer_flits)
    assert len(packets) == len(verdict.cycle)
    assert {packet.flits for packet in packets} == {buffer_flits}
    function = routing_function("torus_dimension_order", mesh)
    assert_stalls(mesh, function, verdict, packets)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 4), st.integers(2, 4), st.sets(st.sampled_from(TURNS), min_size=4))
def test_every_cyclic_turn_set(width, height, turns):
    mesh = Mesh(width, height)
    function = TurnSet(turns, partial=True)
    verdict = find_deadlock(mesh, function)
    if verdict.free:
        return
    assert verdict.sole_choice
    packets = witness_packets(verdict, mesh, 2, routing=function)
    if len(verdict.cycle) == 4:
        assert len(packets) == 4
    if packets:
        assert_stalls(mesh, function, verdict, packets)


@settings(max_examples=60, deadline=None)
@given(st.integers(4, 7), st.data())
def test_given_flows_hold_several_channels_at_once(k, data):
    mesh = Mesh(k, 1, torus=True)
    function = routing_function("torus_dimension_order", mesh)
    pairs = list(function.pairs(mesh))
    flows = data.draw(st.lists(st.sampled_from(pairs), min_size=3, max_size=10, unique=True))
    verdict = find_deadlock(mesh, function, flows)
    if verdict.free:
        return
    packets = witness_packets(verdict, mesh, 3, flows=flows)
    for packet in packets:
        assert (packet.source, packet.target) in flows
        assert packet.flits == 3 * packet.held
    if packets:
        assert_stalls(mesh, function, verdict, packets)


def test_three_long_packets_fill_a_ring_of_six():
    mesh = Mesh(6, 1, torus=True)
    flows = [(0, 3), (2, 5), (4, 1)]
    verdict = find_deadlock(mesh, "torus_dimension_order", flows)
    packets = witness_packets(verdict, mesh, 4, flows=flows)
    assert [packet.held for packet in packets] == [2, 2, 2]
    assert_stalls(mesh, routing_function("torus_dimension_order", mesh), verdict, packets)


def test_nothing_is_claimed_where_packets_have_another_way():
    mesh = Mesh(3, 3)
    two = FullyAdaptive(2)
    assert witness_packets(find_deadlock(mesh, two), mesh, 4, routing=two) == ()
    dependent = find_deadlock(mesh, "xy", message_dependence=True)
    assert witness_packets(dependent, mesh, 4) == ()
    with pytest.raises(MappingError, match="there is no witness"):
        witness_packets(find_deadlock(mesh, "xy"), mesh, 4)
    possible = find_deadlock(mesh, "fully_adaptive")
    with pytest.raises(MappingError, match="buffer_flits = 0"):
        witness_packets(possible, mesh, 0)
    given = find_deadlock(mesh, "fully_adaptive", [(0, 4), (4, 0), (1, 3), (3, 1)])
    with pytest.raises(MappingError, match="pass them as `flows`"):
        witness_packets(given, mesh, 4)
