"""The three quantities of a placement: bounds below every placement of tiny instances."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from mapping import Mesh, Traffic, place
from mapping.assignment import assign
from mapping.hamiltonian import hamiltonian_loop
from mapping.limit import degree_bound, mapping_limit
from simulator.errors import MappingError

# QAPLIB nug12 (Nugent, Vollmann, Ruml 1968): flow between 12 facilities, which go on a 3 x 4 grid.
# Proven optimum 578; Gilmore-Lawler bound 493.
NUG12 = """
0 5 2 4 1 0 0 6 2 1 1 1
5 0 3 0 2 2 2 0 4 5 0 0
2 3 0 0 0 0 0 5 5 2 2 2
4 0 0 0 5 2 2 10 0 0 5 5
1 2 0 5 0 10 0 0 0 5 1 1
0 2 0 2 10 0 5 1 1 5 4 0
0 2 0 2 0 5 0 10 5 2 3 3
6 0 5 10 0 1 10 0 0 0 5 0
2 4 5 0 0 1 5 0 0 0 10 10
1 5 2 0 5 5 2 0 0 0 5 0
1 0 2 5 1 4 3 5 10 5 0 2
1 0 2 5 1 0 3 0 10 0 2 0
"""


def cheapest(traffic: Traffic, mesh: Mesh, allowed: Any = None) -> int | None:
    """Lowest cost over every placement, one after the other."""
    best = None
    for cores in itertools.permutations(range(mesh.n_cores), traffic.n_cores):
        if allowed is not None and not all(allowed[i, p] for i, p in enumerate(cores)):
            continue
        hops = mesh.distances[np.ix_(cores, cores)]
        if (
            not set(cores) <= set(mesh.usable_cores.tolist())
            or (hops[traffic.packets > 0] < 0).any()
        ):
            continue
        cost = int((traffic.packets * hops).sum())
        best = cost if best is None else min(best, cost)
    return best


@st.composite
def problems(draw: Any) -> tuple[Traffic, Mesh, Any]:
    width, height = draw(st.sampled_from([(1, 5), (2, 2), (3, 2), (2, 3), (6, 1), (7, 1)]))
    mesh = Mesh(width, height, torus=draw(st.booleans()))
    if draw(st.booleans()):
        dead = st.lists(st.integers(0, mesh.n_cores - 1), max_size=1)
        broken = st.lists(st.sampled_from(mesh.links), max_size=3, unique=True)
        mesh = mesh.with_faults(cores=draw(dead), routers=draw(dead), links=draw(broken))
    n = draw(st.integers(1, max(1, mesh.usable_cores.size)))
    size = draw(st.sampled_from([1, 9, 10**12]))
    flat = draw(st.lists(st.integers(0, size), min_size=n * n, max_size=n * n))
    traffic = Traffic.from_matrix(np.reshape(flat, (n, n)), 1.0)
    allowed = None
    if draw(st.booleans()):
        cells = n * mesh.n_cores
        flags = draw(st.lists(st.sampled_from([True, True, False]), min_size=cells, max_size=cells))
        allowed = np.reshape(flags, (n, mesh.n_cores))
    return traffic, mesh, allowed


@settings(max_examples=80)
@given(problems())
def test_no_placement_is_below_the_bounds(problem: tuple[Traffic, Mesh, Any]) -> None:
    traffic, mesh, allowed = problem
    best = cheapest(traffic, mesh, allowed)
    if best is None and (mesh.distances >= 0).all():
        with pytest.raises(MappingError, match="no placement exists"):
            degree_bound(traffic, mesh, allowed=allowed)
    elif best is not None:
        bound = degree_bound(traffic, mesh, allowed=allowed)
        assert traffic.n_packets <= bound <= best


def test_the_bound_of_gilmore_and_lawler_on_nug12() -> None:
    traffic = Traffic.from_matrix(np.fromstring(NUG12, sep=" ", dtype=int).reshape(12, 12), 1.0)
    assert degree_bound(traffic, Mesh(4, 3)) == 493
    assert degree_bound(traffic, Mesh(3, 4)) == 493
    placed = place(traffic, Mesh(4, 3), seed=0)
    limit = mapping_limit(traffic, Mesh(4, 3), placed.core_of)
    assert (limit.packets, limit.degree, limit.cost) == (348, 493, placed.cost)
    assert limit.cost >= 578
    assert limit.gap_to_packets == pytest.approx(placed.cost / 348 - 1)
    assert limit.gap_to_degree == pytest.approx(placed.cost / 493 - 1)
    assert limit.to_dict()["gap_to_degree"] == limit.gap_to_degree


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize(("width", "height"), [(2, 2), (4, 3), (5, 5)])
def test_bounds_that_are_reached(width: int, height: int, torus: bool) -> None:
    mesh = Mesh(width, height, torus=torus)
    n = mesh.n_cores
    # Neighbours of the mesh itself: one hop per packet.
    grid = Traffic.from_matrix(7 * (mesh.distances == 1), 1.0)
    # All with all: every placement is the same.
    everyone = Traffic.from_matrix(3 * np.ones((n, n), dtype=int), 1.0)
    for traffic in (grid, everyone):
        limit = mapping_limit(traffic, mesh, np.arange(n))
        assert limit.degree == limit.cost
        assert limit.gap_to_degree == 0.0
    assert mapping_limit(grid, mesh, np.arange(n)).gap_to_packets == 0.0


def test_a_ring_on_its_cycle_is_at_the_limit() -> None:
    mesh = Mesh(6, 4)
    ring = np.roll(np.eye(24, dtype=int), 1, axis=1) * 5
    limit = mapping_limit(Traffic.from_matrix(ring, 1.0), mesh, hamiltonian_loop(4, 6))
    assert (limit.packets, limit.degree, limit.cost) == (120, 120, 120)


def test_a_star_counts_rings_of_places() -> None:
    """12 partners around a core: 4 at one hop, 8 at two, but only in the middle of a mesh."""
    star = np.zeros((13, 13), dtype=int)
    star[0, 1:] = 1
    traffic = Traffic.from_matrix(star, 1.0)
    # Half of what the centre pays, and half of what each of 12 pays for its one partner.
    assert degree_bound(traffic, Mesh(5, 5)) == (4 * 1 + 8 * 2) / 2 + 12 / 2
    # On a line, two at each distance.
    assert degree_bound(traffic, Mesh(13, 1)) == (2 * (1 + 2 + 3 + 4 + 5 + 6)) / 2 + 12 / 2


def test_no_packets_no_gap() -> None:
    limit = mapping_limit(Traffic.from_matrix(np.zeros((2, 2), int), 1.0), Mesh(2, 2), np.arange(2))
    assert (limit.packets, limit.degree, limit.cost) == (0, 0, 0)
    assert limit.gap_to_packets == limit.gap_to_degree == 0.0


@settings(max_examples=60)
@given(st.integers(1, 8), st.integers(0, 4), st.sampled_from([0, 3, 10**15]), st.integers(0, 10**6))
def test_assignment_equals_a_well_kept_one(n: int, more: int, size: int, seed: int) -> None:
    costs = np.random.default_rng(seed).integers(0, size + 1, (n, n + more))
    chosen = assign(costs)
    assert len(set(chosen.tolist())) == n
    rows, columns = linear_sum_assignment(costs)
    assert costs[np.arange(n), chosen].sum() == costs[rows, columns].sum()


def test_what_is_refused() -> None:
    traffic = Traffic.from_matrix(np.ones((4, 4), int), 1.0)
    with pytest.raises(MappingError, match="4 logical cores do not fit on 3"):
        degree_bound(traffic, Mesh(3, 1))
    with pytest.raises(MappingError, match=r"allowed has shape \(4,\); expected \(4, 6\)"):
        degree_bound(traffic, Mesh(3, 2), allowed=np.ones(4, dtype=bool))
    mesh = Mesh(3, 2)
    for wrong, text in (
        ([0, 1, 2], "one core number"),
        ([0.0, 1.0, 2.0, 3.0], "one core number"),
        ([0, 1, 2, 6], r"core_of\[3\] = 6"),
        ([0, -1, 2, 3], r"core_of\[1\] = -1"),
        ([0, 1, 2, 2], "two logical cores"),
    ):
        with pytest.raises(MappingError, match=text):
            mapping_limit(traffic, mesh, np.array(wrong))
    holes = mesh.with_faults(cores=[4])
    with pytest.raises(MappingError, match=r"core_of\[2\] = 4, which is no usable core"):
        mapping_limit(traffic, holes, np.array([0, 1, 4, 5]))
    halves = Mesh(5, 1).with_faults(routers=[1])
    with pytest.raises(MappingError, match="no path leads from core 0 to 2"):
        mapping_limit(traffic, halves, np.array([0, 2, 3, 4]))
    with pytest.raises(MappingError, match="no placement exists"):
        degree_bound(traffic, halves)
