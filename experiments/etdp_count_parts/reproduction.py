"""The runs behind `docs/results/etdp-count.md`: a sweep on seeds of its own, the source's task."""

from __future__ import annotations

from experiments.etdp_count_parts.report import CHOSEN, FREE, MODES, RATES, STEPS, write_report
from experiments.reproduce import Cell, Reproduction

__all__ = ["REPRODUCTION"]


def _cells() -> list[Cell]:
    cells = []
    for mode in (*MODES, FREE):
        steps = STEPS if mode == "etdp" else (5e-4, 2e-3) if mode == FREE else STEPS[2:]
        floor: dict[str, object] = {"slope_floor": 0.0} if mode == FREE else {}
        for rate in RATES:
            kind: dict[str, object] = {"rate": rate, "mode": mode.removesuffix("-free"), **floor}
            for step in steps:
                sweep = {**kind, "step": step, "neurons": 10}
                cells.append(Cell(f"sweep-{rate:g}hz-{mode}-{step:g}", sweep, 1001))
    for rate in RATES:
        for mode in MODES:
            settings: dict[str, object] = {"rate": rate, "mode": mode, "step": CHOSEN[rate]}
            cells.append(Cell(f"final-{rate:g}hz-{mode}", settings, 1))
    return cells


REPRODUCTION = Reproduction("etdp-count", _cells(), write_report)
