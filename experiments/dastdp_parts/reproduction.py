"""The runs behind `docs/results/dastdp.md`: which, with which seeds, and into which tables."""

from __future__ import annotations

from experiments.dastdp_parts.paper import PROGRAM_INHIBITION
from experiments.dastdp_parts.report import write_report
from experiments.reproduce import Cell, Reproduction

__all__ = ["REPRODUCTION", "SCANNED"]

# What a run stands for is written out, so that one of other defaults is not taken for it.
# The program's values with its charge (see `experiments.dastdp_parts.paper.Defaults`).
CHARGE: dict[str, object] = {
    "beta": 0.127, "inhibition": PROGRAM_INHIBITION, "output_ceiling": 12.0, "nu_hidden": 0.00635,
}  # fmt: skip
CHOSEN_100: dict[str, object] = {**CHARGE, "inhibition": 76.8}
CHOSEN_400: dict[str, object] = {**CHARGE, "inhibition": 57.6}

# Data, hidden neurons, inhibition, learning rate of the hidden layer.
SCANNED: list[tuple[str, int, float, float]] = [
    ("mnist", 100, 38.4, 0.00635),
    ("mnist", 100, 76.8, 0.00635),
    *(("mnist", 100, inhibition, 0.0127) for inhibition in (19.2, 57.6, 76.8, 115.2)),
    *(("mnist", 400, inhibition, 0.00635) for inhibition in (38.4, 57.6)),
    ("mnist", 400, 76.8, 0.0127),
    *(("fashion", 400, inhibition, 0.0254) for inhibition in (25.6, 38.4, 57.6)),
    ("fashion", 400, 38.4, 0.0127),
]


def _cells() -> list[Cell]:
    once: dict[str, object] = {
        "evaluate_on": "validation",
        "epochs": 1,
        "second_epochs": 0,
        "curve_every": 0,
    }
    scan = [
        Cell(
            f"scan-{data}-n{n}-{inhibition:g}-{rate:g}",
            {**once, "data": data, "n": n, "inhibition": inhibition, "nu_hidden": rate},
        )
        for data, n, inhibition, rate in SCANNED
    ]
    return [
        *scan,
        *(Cell("mnist-n100", {"n": 100, **CHOSEN_100}, seed) for seed in (1, 2, 3)),
        Cell("mnist-n400", {"n": 400, **CHOSEN_400}),
        Cell("fashion-n400", {"n": 400, "data": "fashion", "inhibition": PROGRAM_INHIBITION}),
        *(Cell("charge-n100", {"n": 100, **CHARGE}, seed) for seed in (1, 2, 3)),
        Cell("charge-n400", {"n": 400, **CHARGE}),
        Cell(
            "mnist-n1600",
            {"n": 1600, **CHARGE, "epochs": 1, "second_epochs": 0, "curve_every": 2_000},
        ),
    ]


REPRODUCTION = Reproduction("dastdp", _cells(), write_report, shows_begun=True)
