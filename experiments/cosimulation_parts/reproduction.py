"""The runs behind `docs/results/cosimulation.md`: two networks, bandwidth after bandwidth."""

from __future__ import annotations

import math
from typing import Any

from experiments.cosimulation_parts.report import BANDWIDTHS, row_name, write_report
from experiments.reproduce import Cell, Reproduction

__all__ = ["REPRODUCTION"]

SEEDS = {"wtcrl": (1, 2, 3), "brunel": (1, 2, 3)}
SETTINGS: dict[str, dict[str, Any]] = {
    "wtcrl": {},
    "brunel": {"mesh": "8x8", "duration_ms": 150.0},
}


def _cells() -> list[Cell]:
    return [
        Cell(
            row_name(network, per_ms),
            {
                "network": network,
                "cycles_per_ms": None if math.isinf(per_ms) else per_ms,
                **SETTINGS[network],
            },
            seed,
        )
        for network, bandwidths in BANDWIDTHS.items()
        for per_ms in bandwidths
        for seed in SEEDS[network]
    ]


REPRODUCTION = Reproduction("cosimulation", _cells(), write_report)
