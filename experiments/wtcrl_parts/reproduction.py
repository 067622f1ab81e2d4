"""The runs behind `docs/results/wtcrl.md`: which, with which seeds, and into which tables."""

from __future__ import annotations

from experiments.reproduce import Cell, Reproduction
from experiments.wtcrl_parts.paper import NEURONS
from experiments.wtcrl_parts.report import write_report

__all__ = ["HALF_STEP", "REPRODUCTION"]

# The source's simulator has steps of 0.1 ms: a neuron that crosses threshold after another, but in
# the same step, fires too. The next end of a step is half a step away on average.
HALF_STEP = 0.05
NOISE = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)


def _cells() -> list[Cell]:
    step: dict[str, object] = {"lateral_delay": HALF_STEP}
    # The recorded spikes of 256 pixels fill a disk; a few presentations show them.
    natural: dict[str, object] = {"data": "natural", "record_patches": 100}
    short = {**natural, **step, "n_train": 6_000}
    rows: dict[str, tuple[int, dict[str, object]]] = {}  # how many seeds, and which settings
    for m in NEURONS:
        rows[f"step-m{m}"] = 5, {"m": m, **step}
        rows[f"exact-m{m}"] = 5, {"m": m}
        rows[f"short-m{m}"] = 5, {"m": m, **short}
        rows[f"natural-m{m}"] = 5, {"m": m, **natural, **step}
        rows[f"natural-exact-m{m}"] = 3, {"m": m, **natural}
    for delay in (0.01, 0.1):
        rows[f"delay-m64-{delay:g}"] = 5, {"m": 64, "lateral_delay": delay}
    rows["delay-m16-0.1"] = 5, {"m": 16, "lateral_delay": 0.1}
    for m in (16, 64, 256):
        rows[f"tau-m{m}-1.4"] = 5, {"m": m, "tau_m": 1.4, **step}
    for g in NOISE:
        rows[f"noise-{g:g}"] = 3, {"m": 128, "noise": g, **step}

    # The digits first, every seed; then a seed at a time and the short runs before the long ones,
    # so that an interrupted reproduction has something of as many rows as possible.
    def order(cell: Cell) -> tuple[int, int]:
        if cell.row.startswith(("exact", "step", "delay")):
            return 0, 0
        pixels = 256 if "data" in cell.settings else 25
        patches = cell.settings.get("n_train", 60_000)
        return cell.seed, pixels * int(str(cell.settings["m"])) * int(str(patches))

    return sorted(
        (
            Cell(row, settings, seed)
            for row, (n_seeds, settings) in rows.items()
            for seed in range(1, n_seeds + 1)
        ),
        key=order,
    )


REPRODUCTION = Reproduction("wtcrl", _cells(), write_report)
