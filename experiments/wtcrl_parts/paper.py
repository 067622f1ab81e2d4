"""Figures of the source, table 2: means of 30 runs at each number of neurons."""

from __future__ import annotations

__all__ = ["PAPER", "paper_figure"]

NEURONS = (16, 32, 64, 128, 256)
PAPER: dict[str, dict[str, tuple[float, ...]]] = {
    "mnist": {
        "rms": (0.144, 0.102, 0.087, 0.080, 0.078),
        "sparsity": (0.062, 0.032, 0.016, 0.009, 0.004),
        "incoherence_5": (0.134, 0.063, 0.026, 0.015, 0.010),
        "incoherence_10": (0.092, 0.031, 0.012, 0.005, 0.003),
    },
    "natural": {
        "rms": (0.164, 0.138, 0.061, 0.056, 0.056),
        "sparsity": (0.255, 0.234, 0.141, 0.076, 0.043),
        "incoherence_5": (0.516, 0.473, 0.361, 0.275, 0.224),
        "incoherence_10": (0.378, 0.344, 0.271, 0.176, 0.064),
    },
}


def paper_figure(data: str, measure: str, m: int) -> float | None:
    """What the source reports, or None where it reports nothing."""
    table = PAPER.get("mnist" if data == "embedded" else data, {})
    if measure not in table or m not in NEURONS:
        return None
    return table[measure][NEURONS.index(m)]
