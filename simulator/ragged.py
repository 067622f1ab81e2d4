"""Rows of different length, one behind another: row i is at ``start[i] : start[i + 1]``."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

__all__ = ["entries_of", "row_starts"]

Ints = npt.NDArray[np.int64]


def entries_of(start: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """All entries of some rows, row after row.

    Parameters
    ----------
    start
        First entry of each row, and one past the last, shape (n + 1,).
    rows
        Any of them, as often as one likes, shape (m,).

    Returns
    -------
    which, place
        For each entry, which of ``rows`` it is of (0..m - 1), and where it is in the flat arrays.
    """
    n = start[rows + 1] - start[rows]
    which = np.repeat(np.arange(rows.size), n)
    within = np.arange(which.size) - np.repeat(np.cumsum(n) - n, n)
    return which, start[rows[which]] + within


def row_starts(sizes: Iterable[int] | npt.NDArray[np.integer]) -> Ints:
    """First entry of each row of these sizes, and one past the last, shape (n + 1,)."""
    counts = sizes if isinstance(sizes, np.ndarray) else np.fromiter(sizes, np.int64)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
