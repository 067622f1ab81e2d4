"""The runs behind `docs/results/dastdp.md`: which, with which seeds, and into which tables."""

from __future__ import annotations

from experiments.dastdp_parts.report import write_report
from experiments.reproduce import Cell, Reproduction

__all__ = ["CEILINGS", "RATES", "REPRODUCTION"]

RATES = (0.0025, 0.005, 0.01, 0.02)  # of the hidden layer; the program's is 0.005
CEILINGS = (8.0, 12.0, 16.0)  # of weights into the output layer; the program's is 8

# What a run stands for is written out, so that one of other defaults is not taken for it.
CHOSEN: dict[str, object] = {"inhibition": 34.0, "output_ceiling": 12.0, "nu_hidden": 0.005}


def _cells() -> list[Cell]:
    short: dict[str, object] = {
        **CHOSEN,
        "evaluate_on": "validation",
        "n_train": 20_000,
        "n_test": 2_000,
        "epochs": 1,
        "second_epochs": 0,
        "curve_every": 0,
    }
    cells = [Cell("mnist-n100", {"n": 100, **CHOSEN}, seed) for seed in (1, 2, 3)]
    cells += [
        Cell("mnist-n400", {"n": 400, **CHOSEN}),
        Cell("fashion-n400", {"n": 400, "data": "fashion", "inhibition": 34.0}),
        Cell("mnist-n1600", {"n": 1600, **CHOSEN, "epochs": 1, "second_epochs": 0}),
        Cell("text-n100", {"n": 100, **CHOSEN, "inhibition": 17.0, "epochs": 1}),
    ]
    cells += [Cell(f"scan-rate-{nu:g}", {**short, "nu_hidden": nu}) for nu in RATES]
    cells += [
        Cell(f"scan-ceiling-{ceiling:g}", {**short, "output_ceiling": ceiling})
        for ceiling in CEILINGS
    ]
    return cells


REPRODUCTION = Reproduction("dastdp", _cells(), write_report)
