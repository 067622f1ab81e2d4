"""Packets to be sent, as arrays; `mapping.network.trace_file` reads and writes them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mapping.graph import IntArray, integers
from simulator.errors import MappingError

__all__ = ["Packets", "packets"]


class Packets(NamedTuple):
    """Packets in order of creation; every field is an int64 array, shape (n,).

    Attributes
    ----------
    cycle : when each is created
    source, target : cores
    flits : length
    tag : handed back with the delivery
    """

    cycle: IntArray
    source: IntArray
    target: IntArray
    flits: IntArray
    tag: IntArray

    @property
    def n_packets(self) -> int:
        return int(self.cycle.size)


def packets(
    cycle: ArrayLike,
    source: ArrayLike,
    target: ArrayLike,
    flits: ArrayLike = 1,
    tag: ArrayLike = 0,
) -> Packets:
    """Packets from arrays (or one number for all), in order of creation.

    Raises
    ------
    MappingError
        Unequal lengths, anything but integers, a negative one, or a length of no flits.
    """
    given = [np.atleast_1d(np.asarray(values)) for values in (cycle, source, target, flits, tag)]
    n = max(values.size for values in given[:3])
    columns = []
    for name, values in zip(Packets._fields, given, strict=True):
        if values.size not in (1, n):
            raise MappingError(f"packets: {name} has {values.size} entries; expected {n}")
        checked = integers(f"packets: {name}", values)
        least = 1 if name == "flits" else 0
        if name != "tag" and checked.size and checked.min() < least:
            k = int(np.argmin(checked))
            raise MappingError(f"packets: {name}[{k}] = {checked[k]}; it must be >= {least}")
        columns.append(np.broadcast_to(checked, (n,)))
    order = np.argsort(columns[0], kind="stable")
    return Packets(*(np.ascontiguousarray(column[order]) for column in columns))
