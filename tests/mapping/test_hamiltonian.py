"""Closed loops on grids: every size up to 32 x 32, and existence by brute force on tiny ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mapping import Mesh
from mapping.hamiltonian import hamiltonian_cycle, hamiltonian_loop, loop_hops
from simulator.errors import MappingError

SIDES = range(1, 33)


def steps(loop: Any, rows: int, columns: int, torus: bool) -> Any:
    """Hops from each core to the next, from coordinates alone."""
    assert loop.dtype == np.int64
    assert sorted(loop.tolist()) == list(range(rows * columns))
    y, x = np.divmod(loop, columns)
    gaps = []
    for where, side in ((y, rows), (x, columns)):
        gap = np.abs(np.roll(where, -1) - where)
        gaps.append(np.minimum(gap, side - gap) if torus else gap)
    return gaps[0] + gaps[1]


def cycle_exists(mesh: Mesh) -> bool:
    """Exhaustive search from core 0 over simple paths."""
    neighbours = mesh.distances == 1

    def extend(path: list[int]) -> bool:
        if len(path) == mesh.n_cores:
            return bool(neighbours[path[-1], 0])
        ahead = np.flatnonzero(neighbours[path[-1]]).tolist()
        return any(core not in path and extend([*path, core]) for core in ahead)

    return mesh.n_cores >= 3 and extend([0])


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize(
    ("rows", "columns"),
    [(m, n) for m in range(1, 6) for n in range(1, 6) if m * n <= 20 and (m, n) != (5, 5)],
)
def test_a_cycle_is_found_exactly_where_search_finds_one(
    rows: int, columns: int, torus: bool
) -> None:
    mesh = Mesh(columns, rows, torus=torus)
    found = hamiltonian_cycle(rows, columns, torus=torus)
    assert (found is not None) == cycle_exists(mesh)


@pytest.mark.parametrize("rows", SIDES)
def test_every_grid_with_an_even_side_has_its_cycle(rows: int) -> None:
    for columns in SIDES:
        cycle = hamiltonian_cycle(rows, columns)
        if min(rows, columns) == 1 or rows * columns % 2:
            assert cycle is None
        else:
            assert cycle is not None
            assert cycle[0] == 0
            assert (steps(cycle, rows, columns, torus=False) == 1).all()
            assert np.array_equal(cycle, hamiltonian_loop(rows, columns))


@pytest.mark.parametrize("rows", SIDES)
def test_every_torus_has_its_cycle(rows: int) -> None:
    for columns in SIDES:
        cycle = hamiltonian_cycle(rows, columns, torus=True)
        if max(rows, columns) < 3 and rows * columns < 4:
            assert cycle is None
        else:
            assert cycle is not None
            assert (steps(cycle, rows, columns, torus=True) == 1).all()


@pytest.mark.parametrize("rows", range(1, 33, 2))
def test_odd_grids_have_one_hop_of_two_and_lines_one_way_back(rows: int) -> None:
    for columns in range(1, 33, 2):
        hops = sorted(steps(hamiltonian_loop(rows, columns), rows, columns, torus=False).tolist())
        n = rows * columns
        if min(rows, columns) > 1:
            assert hops == [1] * (n - 1) + [2]
        elif n > 1:
            assert hops == [1] * (n - 1) + [n - 1]
        else:
            assert hops == [0]


@pytest.mark.parametrize(("rows", "columns"), [(1, 2), (1, 5), (6, 1), (3, 3)])
def test_no_tour_is_shorter(rows: int, columns: int) -> None:
    """Held-Karp over all tours of the cores."""
    distance = Mesh(columns, rows).distances
    n = rows * columns
    best = {(1, 0): 0}
    for visited in range(1, 1 << n):
        for last in range(n):
            length = best.get((visited, last))
            if length is None:
                continue
            for core in range(n):
                if not visited >> core & 1:
                    key = (visited | 1 << core, core)
                    new = length + int(distance[last, core])
                    best[key] = min(best.get(key, new), new)
    everything = (1 << n) - 1
    shortest = min(
        length + int(distance[last, 0])
        for (visited, last), length in best.items()
        if visited == everything
    )
    mesh = Mesh(columns, rows)
    assert loop_hops(hamiltonian_loop(rows, columns), mesh).sum() == shortest


@pytest.mark.parametrize(("rows", "columns"), [(101, 2), (3, 100), (64, 77)])
def test_larger_grids(rows: int, columns: int) -> None:
    cycle = hamiltonian_cycle(rows, columns)
    assert cycle is not None
    assert (steps(cycle, rows, columns, torus=False) == 1).all()


@pytest.mark.parametrize("wrong", [0, -2, 2.5, "4", True, None])
def test_sizes_are_checked(wrong: Any) -> None:
    with pytest.raises(MappingError, match="rows = "):
        hamiltonian_cycle(wrong, 4)
    with pytest.raises(MappingError, match="columns = "):
        hamiltonian_loop(4, wrong)
