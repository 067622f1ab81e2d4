"""Packets that are still to be created: checked when they are given, sorted when they are due."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mapping.graph import integers
from mapping.network.tables import PENDING, IntArray, rows
from simulator.errors import MappingError

__all__ = ["Pending"]

_MOST_FLITS = (1 << 31) - 1
_FIELDS = ("cycle", "source", "target", "flits", "tag")


class Pending:
    """Rows of `PENDING` in the order of their cycles; those of one cycle as they were given.

    Parameters
    ----------
    n_cores : int
    cut_off : bool array, shape (n_cores,)
        Cores whose routers are faulty.
    most_flits : int or None
        [flits] of a packet.
    """

    def __init__(
        self, n_cores: int, cut_off: NDArray[np.bool_], most_flits: int | None = None
    ) -> None:
        self._n_cores, self._cut_off = n_cores, cut_off
        self._most_flits = _MOST_FLITS if most_flits is None else most_flits
        self._sorted = rows(0, PENDING)
        self._added: list[IntArray] = []
        self.given = 0  # packets so far

    def __len__(self) -> int:
        return len(self._sorted) + sum(map(len, self._added))

    @property
    def table(self) -> IntArray:
        """All of them, sorted."""
        if self._added:
            both = np.concatenate([self._sorted, *self._added])
            self._sorted = both[np.argsort(both[:, PENDING.cycle], kind="stable")]
            self._added = []
        return self._sorted

    def replace(self, table: IntArray, given: int) -> None:
        """Put a saved table back."""
        self._sorted, self._added, self.given = table, [], given

    def batch(self, now: int, until: int, most: int) -> tuple[IntArray, int]:
        """About `most` packets, and a cycle before which no others are due, at most `until`."""
        table = self.table
        cycle = table[:, PENDING.cycle]
        if len(cycle) <= most or cycle[most] >= until:
            return table[:most], until
        # A batch holds all packets of its cycles.
        end = max(int(cycle[most]), now + 1)
        return table[: int(np.searchsorted(cycle, end))], end

    def remove(self, n: int) -> None:
        """Take the first `n` away, which were created."""
        self._sorted = self.table[n:]

    def add(
        self,
        now: int,
        cycle: ArrayLike,
        source: ArrayLike,
        target: ArrayLike,
        flits: ArrayLike,
        tag: ArrayLike,
    ) -> IntArray:
        """Check packets and queue them; returns their rows. See `PacketNetwork.inject`."""
        given = [np.atleast_1d(np.asarray(x)) for x in (cycle, source, target, flits, tag)]
        try:
            shape = np.broadcast_shapes(*(x.shape for x in given))
        except ValueError:
            shapes = ", ".join(f"{k} {x.shape}" for k, x in zip(_FIELDS, given, strict=True))
            raise MappingError(f"inject: arrays of different lengths: {shapes}") from None
        if len(shape) != 1:
            raise MappingError(f"inject: arrays of shape {shape}; expected (n,)")
        table = rows(shape[0], PENDING)
        if len(table) == 0:
            return table
        last = self._n_cores - 1
        allowed = {
            "cycle": (now, None),
            "source": (0, last),
            "target": (0, last),
            "flits": (1, self._most_flits),
            "tag": (None, None),
        }
        for name, values in zip(_FIELDS, given, strict=True):
            checked = integers(f"inject: {name}", values)
            _within(name, checked, *allowed[name])
            if name in ("source", "target") and self._cut_off[checked].any():
                k = int(np.argmax(self._cut_off[checked]))
                raise MappingError(f"inject: {name}[{k}] = {checked[k]}, whose router is faulty")
            table[:, getattr(PENDING, name)] = checked
        table[:, PENDING.number] = self.given + np.arange(len(table))
        table[:, PENDING.node] = -1
        table[:, PENDING.leaves] = 1
        self.given += len(table)
        self._added.append(table)
        return table


def _within(name: str, values: IntArray, least: int | None, most: int | None) -> None:
    if least is None:
        return
    wrong = values < least
    if most is not None:
        wrong |= values > most
    if wrong.any():
        k = int(np.argmax(wrong))
        allowed = f">= {least}" if most is None else f"{least}..{most}"
        raise MappingError(f"inject: {name}[{k}] = {values[k]}; it must be {allowed}")
