"""Packets that fork on their way, and packets whose route is given."""

from __future__ import annotations

import pytest

from mapping.mesh import Mesh
from mapping.network import PacketNetwork, StallError
from mapping.routing import Channel, route
from simulator.errors import MappingError


def merged_routes(mesh: Mesh, source: int, targets: list[int]) -> tuple[list[Channel], list[int]]:
    """The union of XY routes, which is a tree."""
    channels: list[Channel] = []
    parents: list[int] = []
    for target in targets:
        before = -1
        for channel in route(mesh, "xy", source, target):
            if channel not in channels:
                channels.append(channel)
                parents.append(before)
            before = channels.index(channel)
    return channels, parents


@pytest.mark.parametrize("flits", [1, 6])
@pytest.mark.parametrize("depth", [2, 8])
def test_every_target_gets_a_copy_and_every_link_one(flits: int, depth: int) -> None:
    mesh = Mesh(4, 4)
    network = PacketNetwork(mesh, multicast=True, buffer_flits=depth)
    targets = [1, 3, 5, 12, 15]
    channels, parents = merged_routes(mesh, 4, targets)
    tree = network.add_tree(4, channels, parents, targets)
    other = network.add_tree(0, *merged_routes(mesh, 0, [15]), [15])
    for k in range(5):
        network.inject_tree(7 * k, tree, flits, k)
    network.inject_tree(0, other, flits, 9)
    network.run(20)
    counts = network.counts
    assert counts.injected == 5 * 3 + 1
    assert counts.injected == counts.delivered + counts.in_flight
    arrived = network.drain()
    assert network.counts.delivered == 5 * 5 + 1
    sent = sorted(zip(arrived.tag.tolist(), arrived.target.tolist(), strict=True))
    assert set(sent) <= {(k, target) for k in range(5) for target in targets} | {(9, 15)}
    crossed = network.wire_flits[: mesh.n_link_ids]
    assert int(crossed.sum()) == flits * (5 * len(channels) + 6)
    assert network.occupied_slots == 0


def test_a_tree_alone_is_as_fast_as_its_routes() -> None:
    mesh = Mesh(5, 1)
    network = PacketNetwork(mesh, multicast=True)
    channels, parents = merged_routes(mesh, 2, [0, 1, 4])
    network.inject_tree(0, network.add_tree(2, channels, parents, [0, 1, 4]))
    arrived = network.drain()
    found = dict(zip(arrived.target.tolist(), arrived.latency.tolist(), strict=True))
    # One flit leaves a side in a cycle, so that each fork on the way may cost one.
    for target, hops, forks in ((4, 2, 1), (1, 1, 2), (0, 2, 2)):
        assert 0 <= found[target] - (2 + 5 * (hops + 1)) <= forks


def test_trees_that_hold_each_others_branches_stall() -> None:
    """XY alone is safe; two of its trees are not, where packets are longer than the buffers."""
    mesh = Mesh(4, 1)
    network = PacketNetwork(mesh, multicast=True, buffer_flits=1)
    # Each holds the branch next to its source and waits for the one that the other holds.
    first = network.add_tree(1, *merged_routes(mesh, 1, [0, 3]), [0, 3])
    second = network.add_tree(2, *merged_routes(mesh, 2, [3, 0]), [3, 0])
    network.inject_tree(0, first, 12, 1)
    network.inject_tree(0, second, 12, 2)
    with pytest.raises(StallError) as caught:
        network.drain(5_000)
    assert caught.value.stall.n_blocked == 2
    assert {packet.tag for packet in caught.value.stall.cycle} == {1, 2}
    roomy = PacketNetwork(mesh, multicast=True, buffer_flits=12)
    for source, targets in ((1, [0, 3]), (2, [3, 0])):
        tree = roomy.add_tree(source, *merged_routes(mesh, source, targets), targets)
        roomy.inject_tree(0, tree, 12)
    roomy.drain(5_000)
    assert roomy.counts.delivered == 4


def test_what_is_no_tree_is_refused() -> None:
    mesh = Mesh(3, 1)
    network = PacketNetwork(mesh, multicast=True)
    east = [Channel(mesh.link(0, "E")), Channel(mesh.link(1, "E"))]
    with pytest.raises(MappingError, match="does not begin at"):
        network.add_tree(0, east, [-1, -1], [2])
    with pytest.raises(MappingError, match=r"does not reach \(2, 0\)"):
        network.add_tree(0, east[:1], [-1], [1, 2])
    with pytest.raises(MappingError, match="leads to no target"):
        network.add_tree(0, east, [-1, 0], [1])
    with pytest.raises(MappingError, match="multicast=True"):
        PacketNetwork(mesh).add_tree(0, east, [-1, 0], [2])
    with pytest.raises(MappingError, match="no tree 3"):
        network.inject_tree(0, 3)
