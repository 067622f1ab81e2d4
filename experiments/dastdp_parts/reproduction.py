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

CLOTHES: dict[str, object] = {
    "inhibition": PROGRAM_INHIBITION, "kappa": 0.1, "tau_theta": 2e8, "v_th": -80.0,
    "nu_hidden": 0.0127, "nu_output": 1.28, "output_ceiling": 135.0, "epochs": 1,
    "curve_every": 20_000,
}  # fmt: skip
DECAY: dict[str, object] = {**CLOTHES, "tau_theta": 5e7, "epochs": 5}
SLOWER: dict[str, object] = {**DECAY, "nu_hidden": 0.00635}
# What the first choices for clothes had in common: the source's decay, another output layer.
CLOTHES_BEFORE: dict[str, float] = {"tau_theta": 5e7, "nu_output": 0.32, "output_ceiling": 60.0}

# How the last choices for clothes differ from DECAY, which one of them is.
LAST: list[dict[str, float]] = [
    {"nu_hidden": 0.00635, "epochs": 5},
    {"tau_theta": 5e7},
    {"inhibition": 48.0},
    {"inhibition": 76.8, "kappa": 0.05},
    {"inhibition": 76.8, "kappa": 0.02},
    {"v_th": -72.0},
    {"tau_theta": 2e8},
]

# Data, hidden neurons, what was set.
SCANNED: list[tuple[str, int, dict[str, float]]] = [
    *(
        ("mnist", n, {"inhibition": inhibition, "nu_hidden": rate})
        for n, inhibition, rate in (
            (100, 38.4, 0.00635),
            (100, 76.8, 0.00635),
            (100, 19.2, 0.0127),
            (100, 57.6, 0.0127),
            (100, 76.8, 0.0127),
            (100, 115.2, 0.0127),
            (400, 38.4, 0.00635),
            (400, 57.6, 0.00635),
            (400, 76.8, 0.0127),
        )
    ),
    *(
        ("fashion", 400, {"inhibition": inhibition, "kappa": 0.05, "nu_hidden": 0.0254})
        for inhibition in (25.6, 38.4, 57.6)
    ),
    *(
        ("fashion", 400, {"beta": beta, "kappa": 0.05, "nu_hidden": 0.0127})
        for beta in (0.03175, 0.127)
    ),
    *(("fashion", 400, {"kappa": kappa, "nu_hidden": 0.0127}) for kappa in (0.02, 0.05, 0.1, 0.2)),
    ("fashion", 400, {"kappa": 0.1, "nu_hidden": 0.00635}),
    *(
        ("fashion", 400, {"inhibition": inhibition, "kappa": 0.1, "nu_hidden": 0.0127})
        for inhibition in (25.6, 57.6)
    ),
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
            "-".join([f"scan-{data}-n{n}", *(f"{value:g}" for value in settings.values())]),
            {
                **once,
                "data": data,
                "n": n,
                **settings,
                **(CLOTHES_BEFORE if data == "fashion" else {}),
            },
        )
        for data, n, settings in SCANNED
    ]
    scan += [
        Cell(
            "-".join(["scan-fashion-n400", *(f"{name}-{value:g}" for name, value in last.items())]),
            {"data": "fashion", "n": 400, **DECAY, **once, **last},
        )
        for last in LAST
    ]
    return [
        *scan,
        *(Cell("mnist-n100", {"n": 100, **CHOSEN_100}, seed) for seed in (1, 2, 3)),
        Cell("mnist-n400", {"n": 400, **CHOSEN_400}),
        *(Cell("fashion-n400", {"n": 400, "data": "fashion", **CLOTHES}, seed) for seed in (1, 2)),
        *(Cell("decay-n400", {"n": 400, "data": "fashion", **DECAY}, seed) for seed in (1, 2)),
        Cell("slower-n400", {"n": 400, "data": "fashion", **SLOWER}),
        *(Cell("charge-n100", {"n": 100, **CHARGE}, seed) for seed in (1, 2, 3)),
        Cell("charge-n400", {"n": 400, **CHARGE}),
        Cell(
            "mnist-n1600",
            {"n": 1600, **CHARGE, "epochs": 1, "second_epochs": 0, "curve_every": 2_000},
        ),
    ]


REPRODUCTION = Reproduction("dastdp", _cells(), write_report, shows_begun=True)
