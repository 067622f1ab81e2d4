"""The runs behind `docs/results/dastdp.md`: which, with which seeds, and into which tables."""

from __future__ import annotations

from experiments.dastdp_parts.report import write_report
from experiments.reproduce import Cell, Reproduction

__all__ = ["CEILINGS", "RATES", "REPRODUCTION"]

RATES = (0.0025, 0.005, 0.01)  # of the hidden layer; the program's is 0.005
CEILINGS = (8.0, 10.2, 16.0)  # of the output layer, besides the chosen one; the program's is 8

# What a run stands for is written out, so that one of other defaults is not taken for it.
PLAIN: dict[str, object] = {
    "beta": 0.1, "inhibition": 34.0, "output_ceiling": 8.0, "nu_hidden": 0.005,
}  # fmt: skip
CHOSEN: dict[str, object] = {
    "beta": 0.127, "inhibition": 38.4, "output_ceiling": 12.0, "nu_hidden": 0.00635,
}  # fmt: skip


def _cells() -> list[Cell]:
    short: dict[str, object] = {
        "evaluate_on": "validation",
        "n_train": 20_000,
        "n_test": 2_000,
        "epochs": 1,
        "second_epochs": 0,
        "curve_every": 0,
    }
    scan = {f"scan-rate-{nu:g}": {**PLAIN, **short, "nu_hidden": nu} for nu in RATES}
    cells = [Cell(row, settings) for row, settings in scan.items()]
    cells += [
        Cell("scan-charge-1.27", {**CHOSEN, **short}),
        Cell("charge-n100", {"n": 100, **PLAIN}),
    ]
    cells += [Cell("mnist-n100", {"n": 100, **CHOSEN}, seed) for seed in (1, 2, 3)]
    cells += [
        Cell(f"scan-ceiling-{ceiling:g}", {**CHOSEN, **short, "output_ceiling": ceiling})
        for ceiling in CEILINGS
    ]
    return [
        *cells,
        Cell("mnist-n400", {"n": 400, **CHOSEN}),
        Cell("fashion-n400", {"n": 400, "data": "fashion", "inhibition": 38.4}),
        Cell(
            "mnist-n1600",
            {"n": 1600, **CHOSEN, "epochs": 1, "second_epochs": 0, "curve_every": 2_000},
        ),
    ]


REPRODUCTION = Reproduction("dastdp", _cells(), write_report, shows_begun=True)
