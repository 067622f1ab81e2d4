"""The smoothest eigenvectors of a weighted graph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["smoothest"]

FloatArray = NDArray[np.float64]

_DENSE = 1100  # nodes up to which all eigenvectors are computed
_DEGREE = 24  # of the polynomial
_MOST_WORK = 2e9  # multiplications, after which vectors have to be smooth enough


def smoothest(
    packets: FloatArray, n_vectors: int, by_degree: bool, rng: np.random.Generator
) -> FloatArray:
    """Solutions of L x = lambda M x with the smallest lambda > 0, L = D - packets.

    Parameters
    ----------
    packets : float64 array, shape (n, n)
        Symmetric, >= 0, connected; D is the diagonal of its row sums.
    n_vectors : int
        Less than n.
    by_degree : bool
        M = D, so that cores with few packets do not lead; otherwise M = max(D), which draws a grid
        as a grid.

    Returns
    -------
    float64 array, shape (n, n_vectors)
        By ascending lambda.

    Notes
    -----
    For many nodes by subspace iteration with a Chebyshev polynomial of 1 - L / M (Y. Saad,
    Numerical Methods for Large Eigenvalue Problems, 2011, section 5.3), until the eigenvalues stand
    still or it has done its share: coordinates need no digits.
    """
    degree = packets.sum(axis=1)
    mass = degree if by_degree else np.full_like(degree, degree.max())
    root = np.sqrt(mass)
    # All eigenvalues are within -1..1, and the first vector, for 1, is known.
    matrix = (packets + np.diag(mass - degree)) / np.outer(root, root)
    constant = root / np.linalg.norm(root)
    if len(packets) <= _DENSE:
        _, vectors = np.linalg.eigh(matrix - 2.0 * np.outer(constant, constant))
        found = vectors[:, ::-1][:, :n_vectors]
    else:
        found = _subspace(matrix, constant, n_vectors, rng)
    return np.asarray(found / root[:, None], dtype=np.float64)


def _subspace(
    matrix: FloatArray, constant: FloatArray, n_vectors: int, rng: np.random.Generator
) -> FloatArray:
    """Eigenvectors of the largest eigenvalues but the first, whose vector is known."""
    block = rng.standard_normal((len(matrix), n_vectors + 4))
    multiply = _multiplication(matrix)
    edge = 0.0  # eigenvalues between -1 and here are damped
    before = np.full(n_vectors, np.inf)
    each = _DEGREE * max(1, int(np.count_nonzero(matrix))) * block.shape[1]
    for _ in range(int(min(60, max(3, _MOST_WORK / each)))):
        centre, half = (edge - 1.0) / 2.0, (edge + 1.0) / 2.0
        last, now = block, (multiply(block) - centre * block) / half
        for _ in range(_DEGREE):
            last, now = now, 2.0 * (multiply(now) - centre * now) / half - last
        now -= np.outer(constant, constant @ now)
        basis, _ = np.linalg.qr(now)
        values, turn = np.linalg.eigh(basis.T @ multiply(basis))
        block = basis @ turn[:, ::-1]
        found = values[::-1][:n_vectors]
        # Relative to 1 - lambda: what tells one smooth vector from the next is next to 1.
        if np.all(np.abs(found - before) <= 1e-3 * np.maximum(1.0 - found, 1e-12)):
            break
        before = found
        edge = min(float(values[0]), 1.0 - 1e-9)
    return block[:, :n_vectors]


def _multiplication(matrix: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Product with a block of vectors; by rows of non-zeros where there are few."""
    row, column = np.nonzero(matrix)
    if row.size > matrix.size // 20:
        return lambda block: np.asarray(matrix @ block)
    entries = matrix[row, column][:, None]
    start = np.searchsorted(row, np.arange(len(matrix)))
    return lambda block: np.add.reduceat(entries * block[column], start)
