"""Verdicts against the network: what is free never stalls, every witness comes to its stall."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping import Mesh, find_deadlock
from mapping.deadlock_witness import witness_packets
from mapping.network import replay


@pytest.mark.parametrize(
    ("mesh", "routing"),
    [
        (Mesh(4, 1, torus=True), "torus_dimension_order"),
        (Mesh(5, 4, torus=True), "torus_dimension_order"),
    ],
)
def test_a_ring_stalls_in_the_cycle_of_its_verdict(mesh: Mesh, routing: str) -> None:
    verdict = find_deadlock(mesh, routing)
    assert verdict.cycle is not None
    stall = replay(verdict, mesh)
    assert stall is not None
    assert set(stall.channels) == set(verdict.cycle)


@settings(max_examples=15, deadline=None)
@given(
    width=st.integers(4, 6),
    height=st.integers(1, 5),
    depth=st.integers(1, 6),
)
def test_every_witness_comes_to_its_stall(width: int, height: int, depth: int) -> None:
    mesh = Mesh(width, height, torus=True)
    verdict = find_deadlock(mesh, "torus_dimension_order")
    assert verdict.cycle is not None
    assert witness_packets(verdict, mesh, depth)
    stall = replay(verdict, mesh, depth)
    assert stall is not None
    assert set(stall.channels) == set(verdict.cycle)
