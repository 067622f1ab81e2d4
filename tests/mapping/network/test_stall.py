"""Deadlocks of a running network: found exactly, in part of it as well, and never where none is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.deadlock import find_deadlock
from mapping.mesh import Mesh
from mapping.network import PacketNetwork, StallError


def ring_packets(network: PacketNetwork, flits: int = 4) -> None:
    """On the top row, every packet holds a link and wants the next one."""
    for k in range(4):
        network.inject(0, k, (k + 2) % 4, flits, k)


def test_a_ring_without_datelines_stalls_in_its_four_links() -> None:
    mesh = Mesh(4, 1, torus=True)
    network = PacketNetwork(mesh, "torus_dimension_order", buffer_flits=1)
    ring_packets(network)
    with pytest.raises(StallError) as caught:
        network.run(1000)
    stall = caught.value.stall
    assert sorted(stall.channels) == [(4 * k + 1, 0) for k in range(4)]
    assert stall.n_blocked == 4
    wanted = {packet.channel: packet.wants for packet in stall.cycle}
    assert all(wanted[(4 * k + 1, 0)] == (4 * ((k + 1) % 4) + 1, 0) for k in range(4))
    assert "(3,0)-E->(0,0)" in str(caught.value)


def test_datelines_larger_buffers_and_dropping_each_avoid_it() -> None:
    mesh = Mesh(4, 1, torus=True)
    for routing, options in (
        ("torus_datelines", {"buffer_flits": 1}),
        ("torus_dimension_order", {"buffer_flits": 8}),
        ("torus_dimension_order", {"buffer_flits": 1, "drop_after": 30}),
    ):
        network = PacketNetwork(mesh, routing, **options)  # type: ignore[arg-type]
        ring_packets(network)
        network.drain(5000)
        assert network.counts.in_flight == 0
        assert network.counts.dropped == 0 or "drop_after" in options


def test_a_stall_in_one_row_is_found_while_another_row_goes_on() -> None:
    network = PacketNetwork(Mesh(4, 2, torus=True), "torus_dimension_order", buffer_flits=1)
    ring_packets(network)
    cycle = np.arange(0, 60_000, 3)
    network.inject(cycle, 4, 5)
    with pytest.raises(StallError) as caught:
        network.run(60_000)
    assert {channel.link for channel in caught.value.stall.channels} == {1, 5, 9, 13}
    assert network.counts.delivered > 1000


@settings(max_examples=25, deadline=None)
@given(
    size=st.tuples(st.integers(2, 3), st.integers(2, 3)),
    routing=st.sampled_from(["xy", "west_first", "odd_even", "fully_adaptive", "adaptive_escape"]),
    depth=st.integers(1, 3),
    flits=st.integers(1, 4),
    seed=st.integers(0, 10_000),
)
def test_free_never_stalls_and_what_stalls_is_possible(
    size: tuple[int, int], routing: str, depth: int, flits: int, seed: int
) -> None:
    mesh = Mesh(*size)
    free = find_deadlock(mesh, routing).free
    network = PacketNetwork(
        mesh, routing, buffer_flits=depth, empty_first=routing == "adaptive_escape", seed=seed
    )
    rng = np.random.default_rng(seed)
    n = 40 * mesh.n_cores
    network.inject(np.sort(rng.integers(0, 80, n)), *rng.integers(0, mesh.n_cores, (2, n)), flits)
    try:
        network.drain(50_000)
    except StallError as error:
        assert not free
        assert routing != "adaptive_escape"
        cycle = error.stall.cycle
        followers = cycle[1:] + cycle[:1]
        assert all(a.wants == b.channel for a, b in zip(cycle, followers, strict=True))
    else:
        assert network.counts.in_flight == 0
