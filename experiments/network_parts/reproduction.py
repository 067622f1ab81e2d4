"""The runs behind `docs/results/network.md`."""

from __future__ import annotations

from experiments.network_parts.booksim import COLUMNS, rates_of
from experiments.network_parts.report import write_report
from experiments.reproduce import Cell, Reproduction

__all__ = ["REPRODUCTION"]

PATTERNS = {
    "transpose": (0.02, 0.05, 0.1, 0.15, 0.2, 0.25),
    "bit_complement": (0.02, 0.05, 0.1, 0.15, 0.2, 0.25),
    "tornado": (0.02, 0.05, 0.1, 0.2, 0.3, 0.35, 0.4),
    "hotspot": (0.02, 0.05, 0.08, 0.1, 0.12, 0.14),
}
ROUTINGS = ("xy", "west_first", "odd_even", "o1turn", "adaptive_escape")
LOADS = {
    "uniform": (0.05, 0.15, 0.25, 0.3, 0.35, 0.4, 0.45),
    "transpose": (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4),
}
SHORT: dict[str, object] = {"warm_up": 3_000, "cycles": 9_000}


def _cells() -> list[Cell]:
    cells = []
    for flits, lanes in COLUMNS:
        settings: dict[str, object] = {"flits": flits, "lanes": lanes}
        cells.append(
            Cell(f"booksim-{flits}-{lanes}", {**settings, "rates": rates_of(flits, lanes)})
        )
        cells.append(
            Cell(
                f"saturation-{flits}-{lanes}",
                {**settings, "study": "saturation", "rates": (0.1,), "warm_up": 3_000},
            )
        )
    quick = {"routing_cycles": 0, "lanes": 4, "rates": (0.005, 0.2, 0.4), **SHORT}
    cells.append(Cell("look-ahead", quick))
    for pattern, rates in PATTERNS.items():
        settings = {"pattern": pattern, "lanes": 4, "rates": rates, **SHORT}
        cells.append(Cell(f"pattern-{pattern}", settings))
    for routing in ROUTINGS:
        # Four virtual channels in all.
        lanes = 2 if routing in ("o1turn", "adaptive_escape") else 4
        for pattern, rates in LOADS.items():
            settings = {"routing": routing, "pattern": pattern, "lanes": lanes, "rates": rates}
            cells.append(Cell(f"routing-{routing}-{pattern}", {**settings, **SHORT}))
    for name, settings in {
        "speed-8x8-1-4": {"lanes": 4, "rates": (0.2,)},
        "speed-8x8-1-1": {"lanes": 1, "rates": (0.2,)},
        "speed-8x8-5-4": {"lanes": 4, "flits": 5, "rates": (0.2,)},
        "speed-8x8-5-1": {"lanes": 1, "flits": 5, "rates": (0.2,)},
        "speed-64x64-1-4": {"mesh": "64x64", "lanes": 4, "rates": (0.01,), "cycles": 2_000},
        "speed-64x64-busy": {"mesh": "64x64", "lanes": 4, "rates": (0.05,), "cycles": 1_000},
        "speed-64x64-quiet": {"mesh": "64x64", "lanes": 4, "rates": (1e-5,), "cycles": 100_000},
    }.items():
        cells.append(Cell(name, {"study": "speed", "warm_up": 1_000, **settings}))
    return cells


REPRODUCTION = Reproduction("network", _cells(), write_report)
