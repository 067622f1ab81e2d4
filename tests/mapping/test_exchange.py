"""All-to-all exchange: hops counted one by one, and loads of the ring."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mapping import Mesh, place, route
from mapping.exchange import (
    direct_exchange,
    exchange_cost,
    exchange_formulas,
    exchange_hops,
    line_exchange,
    ring_exchange,
)
from mapping.hamiltonian import hamiltonian_loop
from mapping.traffic import Traffic
from simulator.errors import MappingError

GRIDS = {4: (2, 2), 8: (2, 4), 16: (4, 4), 32: (4, 8)}  # rows x columns
DELAYS: Any = {"flits_per_block": 10, "router_cycles": 3}


def walked(exchange: Any, core_of: Any, mesh: Mesh) -> int:
    """Hops by walking every route link by link."""
    return sum(
        len(route(mesh, "xy", int(core_of[a]), int(core_of[b])))
        for phase in exchange
        for a, b in phase
    )


@pytest.mark.parametrize("n", GRIDS)
def test_hops_of_every_way_of_exchanging(n: int) -> None:
    rows, columns = GRIDS[n]
    grid, line = Mesh(columns, rows), Mesh(n, 1)
    order = np.arange(n)
    counted = [
        walked(ring_exchange(n)[:1], hamiltonian_loop(rows, columns), grid) * (n - 1),
        walked(line_exchange(n)[:1], order, line) + n * walked(line_exchange(n)[1:2], order, line),
        walked(direct_exchange(n), order, line),
    ]
    assert counted[0] == exchange_hops(ring_exchange(n), hamiltonian_loop(rows, columns), grid)
    assert counted[1] == exchange_hops(line_exchange(n), order, line)
    assert counted[2] == exchange_hops(direct_exchange(n), order, line)
    assert counted == [formula.hops(n) for formula in exchange_formulas()]


def test_the_printed_values_are_what_they_are() -> None:
    ring, gathered, direct = exchange_formulas()
    assert [ring.printed(n) for n in GRIDS] == [12, 56, 240, 992]
    assert [gathered.hops(n) for n in GRIDS] == [18, 84, 360, 1488]
    assert [gathered.printed(n) for n in GRIDS] == [15, 77, 345, 1457]
    assert [direct.hops(n) for n in GRIDS] == [20, 168, 1360, 10912]
    assert [direct.printed(n) for n in GRIDS] == [14, 140, 1240, 10416]
    for n in range(2, 40):
        assert ring.printed(n) == ring.hops(n)
        assert ring.printed_sum(n) - ring.hops(n) == n
        assert gathered.hops(n) - gathered.printed(n) == n - 1
        assert direct.printed(n) < direct.hops(n) < direct.printed_sum(n)
        # The sums, term by term as printed.
        assert gathered.printed_sum(n) == sum(range(n)) + n * sum(1 for _ in range(n))
        terms = (sum(range(i + 1)) + sum(range(n - i + 1)) for i in range(n + 1))
        assert direct.printed_sum(n) == sum(terms)
        assert direct.printed(n) == sum(i * i for i in range(n))


@pytest.mark.parametrize("n", GRIDS)
def test_time_of_the_ring_and_of_others(n: int) -> None:
    rows, columns = GRIDS[n]
    mesh = Mesh(columns, rows)
    loop = exchange_cost(ring_exchange(n), hamiltonian_loop(rows, columns), mesh, **DELAYS)
    # Every link of the cycle carries one block per phase, never two, over one hop.
    assert loop == (n - 1, n * (n - 1), n - 1, n - 1, (n - 1) * 13)
    by_rows = exchange_cost(ring_exchange(n), np.arange(n), mesh, **DELAYS)
    assert by_rows.hops == {4: 18, 8: 98, 16: 450, 32: 1922}[n]
    assert by_rows.link_slots == n - 1
    assert by_rows.cycles == (n - 1) * (10 + 3 * (rows + columns - 2))
    direct = exchange_cost(direct_exchange(n), np.arange(n), mesh, **DELAYS)
    assert direct.hops == {4: 16, 8: 112, 16: 640, 32: 3968}[n]
    assert direct.link_slots == {4: 2, 8: 8, 16: 16, 32: 64}[n]
    assert direct.slots == max(direct.link_slots, n - 1)
    assert direct.cycles == 10 * direct.slots + 3 * (rows + columns - 2)


def test_everyone_gets_everything() -> None:
    for n in (2, 5, 8):
        held = [{i} for i in range(n)]
        last = list(range(n))
        for phase in ring_exchange(n):
            passed = {int(b): last[int(a)] for a, b in phase}
            last = [passed[i] for i in range(n)]
            for i in range(n):
                assert last[i] not in held[i]
                held[i].add(last[i])
        assert held == [set(range(n))] * n
        assert sorted(map(tuple, direct_exchange(n)[0].tolist())) == [
            (i, j) for i in range(n) for j in range(n) if i != j
        ]
    assert ring_exchange(1) == line_exchange(1) == []


def test_no_placement_of_the_ring_beats_the_loop() -> None:
    n, mesh = 16, Mesh(4, 4)
    ring = Traffic.from_matrix(np.roll(np.eye(n, dtype=int), 1, axis=1), 1.0)
    for seed in range(3):
        placed = place(ring, mesh, "annealing", seed=seed)
        assert exchange_hops(ring_exchange(n), placed.core_of, mesh) >= n * (n - 1)


def test_refused() -> None:
    with pytest.raises(MappingError, match="among 0 cores"):
        ring_exchange(0)
