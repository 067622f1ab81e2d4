"""The runs behind `docs/results/dastdp.md`: which, with which seeds, and into which tables."""

from __future__ import annotations

from experiments.dastdp_parts.report import write_report
from experiments.reproduce import Cell, Reproduction

__all__ = ["REPRODUCTION", "SCAN"]

# Learning rates relative to the source's, which are only known up to a factor.
SCAN = (0.5, 1.0, 2.0, 4.0)


def _cells() -> list[Cell]:
    cells = [
        Cell(
            f"scan-hidden-{factor:g}",
            {
                "nu_hidden": 0.005 * factor,
                "evaluate_on": "validation",
                "n_train": 20_000,
                "n_test": 2_000,
                "epochs": 1,
                "second_epochs": 0,
                "curve_every": 0,
            },
        )
        for factor in SCAN
    ]
    cells += [Cell("mnist-n100", {"n": 100}, seed) for seed in (1, 2, 3)]
    cells.append(Cell("mnist-n400", {"n": 400}))
    cells.append(Cell("fashion-n400", {"n": 400, "data": "fashion"}))
    cells.append(Cell("mnist-n1600", {"n": 1600, "epochs": 1, "second_epochs": 0}))
    cells.append(Cell("text-n100", {"n": 100, "inhibition": 17.0, "epochs": 1}))
    return cells


REPRODUCTION = Reproduction("dastdp", _cells(), write_report)
