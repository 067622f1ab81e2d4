"""Figures of BookSim 2, and how far off ours are."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

__all__ = ["COLUMNS", "Reference", "rates_of", "references", "saturation"]

# Flits of a packet, virtual channels.
COLUMNS = ((1, 1), (1, 4), (5, 1), (5, 4))
_FILE = Path(__file__).parents[1] / "data" / "booksim_8x8_uniform.csv"


class Reference(NamedTuple):
    """One run of BookSim 2 at commit 28f43299; `latency` is None where it was unstable."""

    rate: float
    latency: float | None
    accepted: float


def references(flits: int, lanes: int) -> list[Reference]:
    """8x8 mesh, dimension order, Bernoulli uniform load (self included), 8 flits per channel."""
    with _FILE.open(newline="") as file:
        return [
            Reference(
                float(line["offered_flit_rate"]),
                float(line["mean_packet_latency"]) if line["mean_packet_latency"] else None,
                float(line["accepted_flit_rate"]),
            )
            for line in csv.DictReader(file)
            if (int(line["packet_size"]), int(line["vcs"])) == (flits, lanes)
        ]


def rates_of(flits: int, lanes: int) -> tuple[float, ...]:
    """The offered rates of a column."""
    return tuple(reference.rate for reference in references(flits, lanes))


def saturation(flits: int, lanes: int) -> float:
    """Mean accepted rate of the unstable runs [flits per core and cycle]."""
    rates = [found.accepted for found in references(flits, lanes) if found.latency is None]
    return sum(rates) / len(rates)
