"""Addresses of a packet network's parts, and arbitration by bits, against the plain way."""

from __future__ import annotations

import numpy as np
import pytest

from mapping import Mesh
from mapping.network import PacketNetwork, layout
from mapping.network.bits import in_turn, lowest_bit
from mapping.network.layout import Shape, addresses


def test_the_next_in_turn_is_the_first_one_met() -> None:
    for bits in range(1, 1 << 6):
        members = [k for k in range(6) if bits >> k & 1]
        assert lowest_bit(bits) == members[0]
        for turn in range(6):
            assert in_turn(bits, turn) == min(members, key=lambda k: (k - turn) % 6)


@pytest.mark.parametrize(
    ("lanes", "branches", "offers", "depth"), [(1, 1, 4, 1), (4, 1, 4, 8), (6, 5, 8, 3)]
)
def test_nothing_lies_where_something_else_does(
    lanes: int, branches: int, offers: int, depth: int
) -> None:
    mesh = Mesh(3, 2, faulty_links=(1,))
    shape = Shape.of(lanes, branches, offers, depth)
    there = addresses(mesh, shape)
    sizes = {
        "router": layout.ROUTER_WORDS,
        "in_side": layout.IN_WORDS,
        "out_side": 0,  # sources among them
        "source": layout.SOURCE_WORDS,
        "lane": shape.lane,
        "channel": layout.CHANNEL_WORDS,
    }
    used = np.zeros(shape.router * (mesh.n_cores + 1), dtype=int)
    for name, size in sizes.items():
        for address in getattr(there, name):
            if address:
                used[address : address + size] += 1
    out = np.setdiff1d(there.out_side, there.source)
    for address in out:
        used[address : address + layout.OUT_WORDS] += 1
    assert used.max() == 1
    assert not used[: shape.router].any()  # a block for what is not there
    ends = there.branch[there.branch > 0].reshape(-1, branches) + shape.branch
    assert np.all(ends[:, -1] <= there.lane[there.lane > 0] + shape.ring)


def test_both_ends_of_a_wire_know_each_other() -> None:
    network = PacketNetwork(Mesh(3, 3, torus=True), "torus_datelines", lanes=2)
    w, there = network._tables.words, network._there
    number = np.flatnonzero(there.lane)
    lane, channel = there.lane[number], there.channel[number]
    assert np.array_equal(w[channel + layout.DOWNSTREAM], lane)
    assert np.array_equal(w[lane + layout.UPSTREAM], channel)
    assert np.array_equal(w[lane + layout.IN_SIDE], there.in_side[number // 4])
