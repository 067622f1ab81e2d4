"""What all pictures share: colours, numbers in words, and how they are saved."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from simulator.errors import DataError

__all__ = ["CYCLE_COLOUR", "colours", "engineering", "save"]

_PALETTE = (
    "#56B4E9",
    "#E69F00",
    "#009E73",
    "#F0E442",
    "#CC79A7",
    "#0072B2",
    "#D55E00",
    "#999999",
)
CYCLE_COLOUR = "#D81B60"


def colours(n: int) -> list[str]:
    """`n` colours: the palette, then the same lighter, then darker, and so on round."""
    from matplotlib.colors import to_hex, to_rgb

    found = []
    for k in range(n):
        lap = k // len(_PALETTE) % 3
        share, towards = ((0.0, 0.0), (0.55, 1.0), (0.45, 0.0))[lap]
        red, green, blue = (
            (1 - share) * part + share * towards for part in to_rgb(_PALETTE[k % len(_PALETTE)])
        )
        found.append(to_hex((red, green, blue)))
    return found


def engineering(value: float) -> str:
    """A count in at most four digits: 1.234 million."""
    for size, suffix in ((1e9, " billion"), (1e6, " million"), (1e4, " thousand")):
        if value >= size:
            return f"{value / (1e3 if size == 1e4 else size):.4g}{suffix}"
    return f"{value:,.0f}"


def save(figure: Any, path: str | os.PathLike[str] | None) -> None:
    """Write a figure if a path is given; DataError if that fails."""
    if path is None:
        return
    try:
        figure.savefig(Path(path), dpi=150)
    except OSError as error:
        raise DataError(f"{path}: cannot write the picture: {error.strerror}") from error
