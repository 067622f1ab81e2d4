"""The mapping-limit paper's all-to-all exchange, by several placements, counted on a chip.

Two questions. On a chip of 160 cores (TianjicX), N of them exchange blocks: the loop sends them
round a ring, every other placement sends each block straight to its target. And on exactly N cores
all use the ring's schedule, but its positions are placed otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.experiment import Context

if TYPE_CHECKING:
    from experiments.mapping import Config
    from mapping import Mesh, Traffic

__all__ = ["BLOCK_BYTES", "CHIP", "FLIT_BYTES", "GRIDS", "ROUTER_CYCLES", "exchange_all"]

GRIDS = {4: (2, 2), 8: (2, 4), 16: (4, 4), 32: (4, 8)}  # rows x columns
CHIP = (16, 10)  # columns x rows; how the 160 cores are laid out is not published
BLOCK_BYTES = 98 * 1024  # of all cores together
FLIT_BYTES = 8
ROUTER_CYCLES = 3
DRAWS = 20
MOVES = 4_000  # tried by annealing, per core of the chip
LARGEST = 32  # side of the grids whose loops are checked


def exchange_all(config: Config, context: Context) -> Mapping[str, object]:
    """Slots, cycles and hops of every placement, for 4, 8, 16 and 32 cores."""
    from mapping import Mesh
    from mapping.exchange import direct_exchange as direct
    from mapping.exchange import exchange_formulas, exchange_hops, line_exchange
    from mapping.hamiltonian import hamiltonian_loop

    rows: list[dict[str, Any]] = []
    hops: list[dict[str, Any]] = []
    with context.progress("exchanges", len(GRIDS)) as bar:
        for n, (height, width) in GRIDS.items():
            rows.append(
                {"n": n, "protocol": "chip", **_on_the_chip(n, height, width, context.seed)}
            )
            rows.append(
                {"n": n, "protocol": "ring", **_on_the_ring(n, height, width, context.seed)}
            )
            grid, line = Mesh(width, height), Mesh(n, 1)
            order = np.arange(n)
            ring = exchange_hops(_ring(n), hamiltonian_loop(height, width), grid)
            hops.append(
                {
                    "n": n,
                    "grid": f"{height} x {width}",
                    "counted": [
                        ring,
                        exchange_hops(line_exchange(n), order, line),
                        exchange_hops(direct(n), order, line),
                    ],
                    "formula": [int(f.hops(n)) for f in exchange_formulas()],
                    "printed": [float(f.printed(n)) for f in exchange_formulas()],
                    "printed_sum": [float(f.printed_sum(n)) for f in exchange_formulas()],
                    "direct_on_grid": exchange_hops(direct(n), order, grid),
                    "ring_by_rows": exchange_hops(_ring(n), order, grid),
                }
            )
            bar.advance()
            bar.note(f"{n} cores")
    for protocol in ("chip", "ring"):
        chosen = [row for row in rows if row["protocol"] == protocol]
        names = list(chosen[0]["placements"])
        context.table(
            f"All-to-all, {protocol}: cycles",
            ("cores", *names),
            [
                (row["n"], *(f"{row['placements'][name]['cycles']:,.0f}" for name in names))
                for row in chosen
            ],
        )
    return {
        "exchanges": rows,
        "hops": hops,
        "formulas": [f.name for f in exchange_formulas()],
        "loops": _loops(),
    }


def _loops() -> dict[str, dict[str, int]]:
    """Grids up to 32 x 32 by what their loop is: how many, and in how many it is as it must be."""
    from mapping import Mesh
    from mapping.hamiltonian import hamiltonian_loop, loop_hops

    found: dict[str, dict[str, int]] = {}
    for torus in (False, True):
        for rows in range(1, LARGEST + 1):
            for columns in range(1, LARGEST + 1):
                n = rows * columns
                if n <= 2:
                    continue
                kind, longest = "every step one hop", 1
                if not torus and min(rows, columns) == 1:
                    kind, longest = "a line, one step back to its start", n - 1
                elif not torus and n % 2:
                    kind, longest = "both sides odd, one step of two hops", 2
                loop = hamiltonian_loop(rows, columns, torus=torus)
                hops = loop_hops(loop, Mesh(columns, rows, torus=torus))
                right = np.array_equal(np.sort(loop), np.arange(n)) and bool(
                    np.array_equal(np.sort(hops), [1] * (n - 1) + [longest])
                )
                row = found.setdefault(f"{'torus' if torus else 'mesh'}: {kind}", {})
                row["grids"] = row.get("grids", 0) + 1
                row["right"] = row.get("right", 0) + int(right)
    return found


def _ring(n: int) -> Any:
    from mapping.exchange import ring_exchange

    return ring_exchange(n)


def _on_the_chip(n: int, height: int, width: int, seed: int) -> dict[str, Any]:
    """The loop in a corner of the chip; other placements on all of it, with direct sends."""
    from mapping import Mesh, Traffic
    from mapping.exchange import direct_exchange, ring_exchange
    from mapping.hamiltonian import hamiltonian_loop

    chip = Mesh(*CHIP)
    y, x = np.divmod(hamiltonian_loop(height, width), width)
    loop = y * chip.width + x
    exchange = direct_exchange(n)
    traffic = Traffic.from_matrix(np.ones((n, n), dtype=np.int64), 1.0)
    rng = np.random.default_rng(seed)
    return {
        "placements": {
            "loop": _cost(ring_exchange(n), [loop], chip),
            **{
                f"annealing, {objective}": _cost(exchange, [annealed], chip)
                for objective, annealed in _annealed(traffic, chip, seed).items()
            },
            "random": _cost(exchange, [rng.permutation(160)[:n] for _ in range(DRAWS)], chip),
            "sequential": _cost(exchange, [np.arange(n)], chip),
        }
    }


def _annealed(traffic: Traffic, chip: Mesh, seed: int) -> dict[str, Any]:
    from mapping import place

    return {
        objective: place(
            traffic, chip, "annealing", seed=seed, objective=objective, moves_per_core=MOVES
        ).core_of
        for objective in ("packet_hops", "max_link_load")
    }


def _on_the_ring(n: int, height: int, width: int, seed: int) -> dict[str, Any]:
    """The ring's own schedule on exactly n cores, its positions placed by several methods."""
    from mapping import Mesh, Traffic, place
    from mapping.exchange import ring_exchange
    from mapping.hamiltonian import hamiltonian_loop

    mesh = Mesh(width, height)
    exchange = ring_exchange(n)
    traffic = Traffic.from_matrix(np.roll(np.eye(n, dtype=np.int64), 1, axis=1), 1.0)
    rng = np.random.default_rng(seed)
    return {
        "placements": {
            "loop": _cost(exchange, [hamiltonian_loop(height, width)], mesh),
            "annealing": _cost(
                exchange, [place(traffic, mesh, "annealing", seed=seed).core_of], mesh
            ),
            "sequential": _cost(exchange, [np.arange(n)], mesh),
            "random": _cost(exchange, [rng.permutation(n) for _ in range(DRAWS)], mesh),
        }
    }


def _cost(exchange: Any, placements: list[Any], mesh: Mesh) -> dict[str, float]:
    """Mean over placements of slots, cycles and hops."""
    from mapping.exchange import exchange_cost

    n = placements[0].size
    flits = -(-BLOCK_BYTES // (n * FLIT_BYTES))
    costs = [
        exchange_cost(exchange, p, mesh, flits_per_block=flits, router_cycles=ROUTER_CYCLES)
        for p in placements
    ]
    return {
        name: float(np.mean([getattr(cost, name) for cost in costs]))
        for name in ("hops", "link_slots", "slots", "cycles")
    }
