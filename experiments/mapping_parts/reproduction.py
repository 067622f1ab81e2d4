"""The runs behind `docs/results/mapping.md`."""

from __future__ import annotations

from experiments.mapping_parts.networks import NETWORKS
from experiments.mapping_parts.report import INSTANCES, SIDES, write_report
from experiments.reproduce import Cell, Reproduction

__all__ = ["REPRODUCTION"]


def _cells() -> list[Cell]:
    cells = [
        Cell(f"network-{name}", {"study": "network", "network": name, "seeds": seeds})
        for name, seeds in zip(NETWORKS, (3, 3, 1, 1), strict=True)
    ]
    for name, seeds in INSTANCES.items():
        problem = {"study": "qaplib", "instance": name, "seeds": seeds, "other_seeds": 1}
        cells.append(Cell(f"qaplib-{name}", problem))
    for side, seeds in SIDES.items():
        problem = {"study": "planted", "side": side, "seeds": seeds, "other_seeds": 1}
        cells.append(Cell(f"planted-{side}", problem))
        cells.append(Cell(f"planted-torus-{side}", {**problem, "torus": True}))
    return [*cells, Cell("layers", {"study": "layers"}), Cell("exchange", {"study": "exchange"})]


REPRODUCTION = Reproduction("mapping", _cells(), write_report)
