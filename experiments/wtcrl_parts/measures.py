"""The three measures of the source, and what is needed to read them rightly.

Source: Fois & Girau (2023), section 3.1. The best matching unit of a patch is the neuron that
fires first; a patch that makes no neuron fire is silent. The paper's text does not say what a
silent patch counts for; its published program takes an error of 1, and an incoherent election.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.errors import DataError

__all__ = ["SILENT", "Measures", "Responses", "measure", "responses"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

SILENT = -1
SILENT_ERROR = 1.0


@dataclass(frozen=True)
class Responses:
    """What the representation layer answered to each patch.

    Attributes
    ----------
    winner : (n_patches,)
        The neuron that fired first, the lowest index if several did; -1 for a silent patch.
    spikes : (n_patches,)
        How many spikes all neurons emitted.
    """

    winner: Indices
    spikes: Indices


@dataclass(frozen=True)
class Measures:
    """Averages over the patches.

    Attributes
    ----------
    rms : float
        Mean root-mean-square error of the reconstruction; a silent patch counts as 1.
    rms_firing : float or None
        The same over the patches that were not silent; None if all were.
    rms_nearest : float
        The same if the nearest code vector were elected: what the election costs is the rest.
    sparsity : float
        Spikes per neuron and patch.
    spikes_per_patch : float
        Spikes of all neurons per patch.
    incoherence_5, incoherence_10 : float
        Share of the patches whose winner is not among the nearest 5 % (10 %) of the code vectors.
    silent : float
        Share of the patches that made no neuron fire.
    """

    rms: float
    rms_firing: float | None
    rms_nearest: float
    sparsity: float
    spikes_per_patch: float
    incoherence_5: float
    incoherence_10: float
    silent: float


def responses(times_ms: Floats, neurons: Indices, n_patches: int, period_ms: float) -> Responses:
    """Sort spikes, given in order of time, then neuron, into the presentations they belong to."""
    patch = np.floor_divide(times_ms, period_ms).astype(np.int64)
    spikes = np.bincount(patch, minlength=n_patches)
    winner = np.full(n_patches, SILENT, dtype=np.int64)
    seen, first = np.unique(patch, return_index=True)
    winner[seen] = neurons[first]
    return Responses(winner, spikes)


def measure(patches: Floats, code_vectors: Floats, answers: Responses) -> Measures:
    """Measure the representation of `patches` by `code_vectors`.

    Parameters
    ----------
    patches
        Grey values, shape `(n_patches, n_pixels)`.
    code_vectors
        Decoded weights in the same units, shape `(n_neurons, n_pixels)`.
    answers
        Of the representation layer to the patches.

    Raises
    ------
    DataError
        If there are no patches or the shapes do not go together.
    """
    n, m = len(patches), len(code_vectors)
    if not n or not m or patches.shape[1:] != code_vectors.shape[1:] or len(answers.winner) != n:
        raise DataError(
            f"patches of shape {patches.shape}, code vectors of shape {code_vectors.shape} and "
            f"{len(answers.winner)} answers do not go together"
        )
    # One code vector after the other: equal ones get equal distances, to the last bit.
    squares = np.stack([((patches - v) ** 2).mean(axis=1) for v in code_vectors], axis=1)
    fired = answers.winner != SILENT
    elected = squares[np.arange(n), answers.winner][:, None]  # that of a silent patch is not used
    error = np.where(fired, np.sqrt(elected[:, 0]), SILENT_ERROR)
    rank = (squares < elected).sum(axis=1)
    return Measures(
        rms=float(error.mean()),
        rms_firing=float(error[fired].mean()) if fired.any() else None,
        rms_nearest=float(np.sqrt(squares.min(axis=1)).mean()),
        sparsity=float(answers.spikes.mean() / m),
        spikes_per_patch=float(answers.spikes.mean()),
        incoherence_5=_incoherence(rank, fired, m, 0.05),
        incoherence_10=_incoherence(rank, fired, m, 0.10),
        silent=float(1.0 - fired.mean()),
    )


def _incoherence(rank: Indices, fired: npt.NDArray[np.bool_], m: int, share: float) -> float:
    """A winner is coherent when fewer than ceil(share m) code vectors are nearer to the patch."""
    accepted = math.ceil(share * m - 1e-9)  # 0.1 * 30 is a little more than 3
    return float(1.0 - (fired & (rank < accepted)).mean())
