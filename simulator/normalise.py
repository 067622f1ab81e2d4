"""Synaptic scaling: the weights into each neuron are brought to a given sum, in place.

A weight matrix is gone through twice row by row, which vectorises over the neurons; the sum of a
neuron's weights is taken in the order of its presynaptic neurons, so that it has the same bits in
both engines.

Source: w' = w total / sum(w), Diehl & Cook 2015, Front. Comput. Neurosci. 9:99, and equation 7 of
Hao et al. 2020; the biology is that of Turrigiano et al. 1998, Nature 391.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from simulator.arrays import SPARSE
from simulator.compile import CompiledNetwork
from simulator.errors import SimulationError
from simulator.incoming import row_targets
from simulator.network import Projection

__all__ = ["check_scaling", "normalise", "refuse_zero_sum"]

Floats = npt.NDArray[np.float64]


def normalise(compiled: CompiledNetwork, proj: Projection, total: float) -> None:
    """Scale the stored weights of a projection so that those into each neuron sum up to ``total``.

    Raises
    ------
    SimulationError
        For a total that is not finite, a neuron whose weights add up to 0, or a projection that was
        described with one weight for all.  Nothing has changed then.
    """
    check_scaling(compiled, proj, total)
    arrays = compiled.arrays
    row = arrays.projs[compiled.network.projection_number(proj)]
    n_pre, n_post = proj.pre.size, proj.post.size
    sums = np.zeros(n_post)
    if row.kind == SPARSE:
        post = row_targets(arrays, row)
        weight = arrays.weight[row.w_at : row.w_at + post.size]
        has_input = np.bincount(post, minlength=n_post) > 0
        _sum_rows(weight, post, sums)
        refuse_zero_sum(proj, np.where(has_input, sums, 1.0))
        _scale_rows(weight, post, total / np.where(has_input, sums, 1.0))
    else:
        weight = arrays.weight[row.w_at : row.w_at + n_pre * n_post].reshape(n_pre, n_post)
        _sum_matrix(weight, bool(row.no_self), sums)
        refuse_zero_sum(proj, sums)
        _scale_matrix(weight, total / sums)


def check_scaling(compiled: CompiledNetwork, proj: Projection, total: float) -> None:
    """Refuse a sum that is no finite number, and one weight for all synapses."""
    q = compiled.network.projection_number(proj)
    if compiled.arrays.projs[q].same:
        raise SimulationError(
            f"projection {proj.name!r} was described with one weight for all its synapses; "
            "describe it with an array to scale them neuron by neuron"
        )
    if not math.isfinite(total):
        raise SimulationError(
            f"normalise_weights() of {proj.name!r}: total = {total}; a finite number is needed"
        )


def refuse_zero_sum(proj: Projection, sums: Floats, first: int = 0) -> None:
    """Refuse weights that no factor brings to another sum, or only an infinite one."""
    wrong = np.flatnonzero(~(np.isfinite(sums) & (np.abs(sums) > np.finfo(float).tiny)))
    if wrong.size:
        k = int(wrong[0])
        raise SimulationError(
            f"normalise_weights() of {proj.name!r}: the weights into neuron {first + k} of "
            f"{proj.post.name!r} add up to {sums[k]}; there is nothing to scale"
        )


@njit(cache=True)
def _sum_matrix(weight: Floats, no_self: bool, sums: Floats) -> None:
    for i in range(weight.shape[0]):
        kept = sums[i] if no_self else 0.0  # the diagonal holds no synapses
        for j in range(weight.shape[1]):
            sums[j] += weight[i, j]
        if no_self:
            sums[i] = kept


@njit(cache=True)
def _scale_matrix(weight: Floats, factor: Floats) -> None:
    for i in range(weight.shape[0]):
        for j in range(weight.shape[1]):
            weight[i, j] *= factor[j]


@njit(cache=True)
def _sum_rows(weight: Floats, post: npt.NDArray[np.int32], sums: Floats) -> None:
    for s in range(weight.size):
        sums[post[s]] += weight[s]


@njit(cache=True)
def _scale_rows(weight: Floats, post: npt.NDArray[np.int32], factor: Floats) -> None:
    for s in range(weight.size):
        weight[s] *= factor[post[s]]
