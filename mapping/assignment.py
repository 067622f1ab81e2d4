"""The cheapest one-to-one assignment of rows to columns, exact in integers."""

from __future__ import annotations

import numpy as np
from numba import njit

from mapping.graph import IntArray

__all__ = ["assign"]


@njit(cache=True)
def assign(cost: IntArray) -> IntArray:
    """Column of each row, all different, with the least sum of costs.

    Parameters
    ----------
    cost : int64 array, shape (n_rows, n_columns)
        n_rows <= n_columns; sums of n_rows costs must stay far below 2^63.

    Returns
    -------
    int64 array, shape (n_rows,)

    References
    ----------
    H. W. Kuhn, The Hungarian method for the assignment problem, Naval Research Logistics Quarterly
    2, 1955; in the form of shortest augmenting paths (R. Jonker, A. Volgenant, Computing 38, 1987):
    one row after the other, in n_rows^2 n_columns steps at most.
    """
    n_rows, n_columns = cost.shape
    start = n_columns  # an extra column, where every new row begins
    infinity = np.int64(2**62)
    row_price = np.zeros(n_rows, dtype=np.int64)
    column_price = np.zeros(n_columns + 1, dtype=np.int64)
    row_of = np.full(n_columns + 1, -1, dtype=np.int64)
    came_from = np.empty(n_columns + 1, dtype=np.int64)
    reach = np.empty(n_columns + 1, dtype=np.int64)
    settled = np.empty(n_columns + 1, dtype=np.bool_)
    for new_row in range(n_rows):
        row_of[start] = new_row
        column = start
        reach[:] = infinity
        settled[:] = False
        while row_of[column] >= 0:
            settled[column] = True
            row = row_of[column]
            step, nearest = infinity, -1
            for other in range(n_columns):
                if not settled[other]:
                    reduced = cost[row, other] - row_price[row] - column_price[other]
                    if reduced < reach[other]:
                        reach[other] = reduced
                        came_from[other] = column
                    if reach[other] < step:
                        step, nearest = reach[other], other
            for other in range(n_columns + 1):
                if settled[other]:
                    row_price[row_of[other]] += step
                    column_price[other] -= step
                else:
                    reach[other] -= step
            column = nearest
        while column != start:
            row_of[column] = row_of[came_from[column]]
            column = came_from[column]
    column_of = np.empty(n_rows, dtype=np.int64)
    for column in range(n_columns):
        if row_of[column] >= 0:
            column_of[row_of[column]] = column
    return column_of
