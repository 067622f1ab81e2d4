"""What the source reports, and the parameters that it and its published program use."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "DEFAULTS",
    "MEASURED",
    "PROGRAM_INHIBITION",
    "READOUTS",
    "TRAINING_IMAGES",
    "Defaults",
    "defaults",
    "paper_figure",
]

TRAINING_IMAGES = 60_000  # of either data set
PROGRAM_INHIBITION = 38.4  # the charge of its 17, which decay with 2 ms in steps of 0.5 ms
READOUTS = {
    "simultaneous": "simultaneous",
    "layer_by_layer": "layer by layer",
    "label_statistics": "label statistics",
}
# Also measured: while learning, as the program does, or with learning off, as the work that the
# text refers to for it.  The source has one figure for both.
SECOND = {"frozen_statistics": "label statistics of the second pass"}
MEASURED = {**READOUTS, **SECOND}
# Per cent of the test images, mean of five runs: tables 1 and 3.
PAPER: dict[str, dict[int, dict[str, float]]] = {
    "mnist": {
        100: {"simultaneous": 83.67, "layer_by_layer": 83.57, "label_statistics": 83.00},
        400: {"simultaneous": 91.13, "layer_by_layer": 91.41, "label_statistics": 91.02},
        1600: {"simultaneous": 91.22, "layer_by_layer": 91.82, "label_statistics": 91.19},
        6400: {"simultaneous": 95.89, "layer_by_layer": 96.28, "label_statistics": 96.02},
    },
    "fashion": {
        400: {"simultaneous": 77.61, "layer_by_layer": 78.68, "label_statistics": 77.73},
        6400: {"simultaneous": 84.23, "layer_by_layer": 84.71, "label_statistics": 84.65},
    },
}


@dataclass(frozen=True)
class Defaults:
    """Parameters that depend on the data and the size.

    They are those of the published program, but for weights.  A conductance of 1 ms that is summed
    in its steps of 0.5 ms carries 0.5 / (1 - exp(-0.5)) = 1.27 times the charge of one that decays
    exactly, and so do the weights here: ``beta`` and ``nu_hidden``.  Inhibition of 17 with the
    program's 2 ms carries 38.4 in units of 1 ms, the time constant of all conductances here, with
    which membranes are exact.  For digits and up to 400 hidden neurons another value was chosen on
    validation images, as was 12 of the output layer's ceilings 8, 10.2 (1.27 times as much), 12 and
    16.  For clothes, by such images too, ``kappa`` is that of the text's formula, twice the
    program's, ``nu_hidden`` half of the program's, ``nu_output`` and ``output_ceiling`` are the
    best of a grid, and up to 400 hidden neurons ``tau_theta`` is four times the source's
    (docs/results/dastdp.md).
    """

    epochs: int
    tau_theta: float  # ms
    kappa: float  # mV
    nu_hidden: float
    nu_output: float
    v_th: float  # mV
    beta: float
    output_ceiling: float
    inhibition: float = PROGRAM_INHIBITION


# By data, then by the largest number of hidden neurons that they are for.
DEFAULTS: dict[str, list[tuple[int, Defaults]]] = {
    "mnist": [
        (100, Defaults(3, 6e6, 0.07, 0.00635, 0.04, -72.0, 0.127, 12.0, inhibition=76.8)),
        (400, Defaults(5, 6e6, 0.07, 0.00635, 0.04, -72.0, 0.127, 12.0, inhibition=57.6)),
        (1600, Defaults(7, 8e6, 0.07, 0.00635, 0.04, -72.0, 0.127, 12.0)),
        (1 << 30, Defaults(10, 2e7, 0.05, 0.00635, 0.04, -72.0, 0.127, 12.0)),
    ],
    "fashion": [
        (400, Defaults(1, 2e8, 0.1, 0.0127, 1.28, -80.0, 0.0635, 135.0)),
        (1 << 30, Defaults(5, 5e7, 0.1, 0.0127, 1.28, -80.0, 0.0635, 135.0)),
    ],
}


def defaults(data: str, n: int) -> Defaults:
    """The parameters for a data set and a number of hidden neurons."""
    rows = DEFAULTS["mnist" if data == "embedded" else data]
    return next(row for most, row in rows if n <= most)


def paper_figure(data: str, n: int, readout: str) -> float | None:
    """What the source reports (per cent), or None where it reports nothing."""
    table = PAPER.get("mnist" if data == "embedded" else data, {})
    return table.get(n, {}).get("label_statistics" if readout in SECOND else readout)
