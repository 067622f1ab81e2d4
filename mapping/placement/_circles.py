"""Angles along the two ways round a torus, from the smoothest eigenvectors of its traffic.

Those of a ring come in pairs, cos and sin of an angle along it. Those of a torus are the pairs of
both of its rings, and where their eigenvalues are equal (a square torus, or one whose sides divide
each other) a solver returns any rotation of the four.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["angles_of", "cut"]

FloatArray = NDArray[np.float64]


def angles_of(vectors: FloatArray) -> list[FloatArray]:
    """Angles that may be those along one way round, shape (n,) each.

    Parameters
    ----------
    vectors : float64 array, shape (n_vectors, n)
        By ascending eigenvalue.
    """
    planes = [vectors[k : k + 2] for k in range(0, len(vectors) - 1, 2)]
    for k in range(0, len(vectors) - 3, 2):
        planes += _planes(vectors[k : k + 4])
    return [np.arctan2(sine, cosine) for cosine, sine in planes]


def cut(angle: FloatArray, parts: int) -> FloatArray:
    """The angle from the gap before the first of `parts` clusters on, 0 to 2 pi.

    Angles near multiples of 2 pi / parts, all turned by the same, have that turn for the phase of
    the mean of exp(i parts angle).
    """
    phase = np.angle(np.mean(np.exp(1j * parts * angle))) / parts
    return np.asarray((angle - phase + np.pi / parts) % (2.0 * np.pi), dtype=np.float64)


def _planes(four: FloatArray) -> list[FloatArray]:
    """Two planes in which all points lie on circles around the origin, shape (2, n) each.

    For points p = R (cos x, sin x, cos y, sin y) with a rotation R, the quadratic forms p' Q p that
    are the same for all of them are those of the projections on the two planes and their sums; the
    one of trace 0 has the planes for eigenspaces.
    """
    i, j = np.triu_indices(4)
    # With sqrt(2) off the diagonal coefficients are orthogonal exactly if the matrices are.
    scale = np.where(i == j, 1.0, np.sqrt(2.0))
    products = scale[:, None] * four[i] * four[j]
    products -= products.mean(axis=1, keepdims=True)
    _, forms = np.linalg.eigh(products @ products.T)
    traces = forms[i == j].sum(axis=0)
    coefficients = (traces[1] * forms[:, 0] - traces[0] * forms[:, 1]) / scale
    form = np.zeros((4, 4))
    form[i, j] = form[j, i] = coefficients
    _, axes = np.linalg.eigh(form)
    return [axes[:, :2].T @ four, axes[:, 2:].T @ four]
