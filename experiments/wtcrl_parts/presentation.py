"""Showing patches to the trained network: spikes on the disk, and images put together again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.experiment import Context
from experiments.wtcrl_parts.measures import SILENT, Responses
from experiments.wtcrl_parts.network import CODE, ENCODER, LAYER, Model, code_vectors
from experiments.wtcrl_parts.patches import Patches, cut, join

__all__ = ["Presented", "Reconstruction", "reconstruct", "record_presentations"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Presented:
    """Spikes of the first presentations: (times in ms, neurons) of both layers."""

    encoder: tuple[Floats, Indices]
    layer: tuple[Floats, Indices]


@dataclass(frozen=True)
class Reconstruction:
    """Images made of the code vectors of the winners, and which pixels had no winner."""

    images: Floats
    silent: npt.NDArray[np.bool_]


def record_presentations(
    model: Model, patches: Patches, weights: Floats, n_patches: int, context: Context
) -> Presented | None:
    """Write the spikes of both layers in the first test presentations to `spikes.h5`.

    The rates of that file are those of a trained network at work; all of training would be 250
    spikes for each of 60,000 patches. The hidden spikes are those of the test, bit for bit.
    """
    n_patches = min(n_patches, len(patches.test))
    if not n_patches:
        return None
    directory = context.directory
    directory.declare_populations(ENCODER, LAYER)
    if context.resume:
        directory.keep_spikes_until(-1.0)
    simulation = model.frozen(
        patches.scaled(patches.test[:n_patches]), weights, record_encoder=True
    )
    simulation.run(n_patches * CODE.period_ms)
    spikes = {name: simulation.spikes(name) for name in (ENCODER, LAYER)}
    for name, (times, neurons) in spikes.items():
        directory.append_spikes(name, times, neurons)
    directory.flush()
    directory.update(simulated_ms=n_patches * CODE.period_ms)
    return Presented(spikes[ENCODER], spikes[LAYER])


def reconstruct(model: Model, patches: Patches, weights: Floats) -> Reconstruction:
    """Show the images of the gallery patch by patch, and put the answers together."""
    n, height, width = patches.gallery.shape
    shown = cut(patches.gallery, patches.side).reshape(-1, patches.side**2)
    answers, _, _ = model.answers(patches.scaled(shown), weights)
    parts = _elected(answers, code_vectors(weights, patches)).reshape(n, -1, patches.side**2)
    silent = np.broadcast_to((answers.winner == SILENT)[:, None], shown.shape)
    return Reconstruction(
        join(parts, height, width),
        join(silent.reshape(parts.shape).astype(float), height, width) > 0,
    )


def _elected(answers: Responses, vectors: Floats) -> Floats:
    """The code vector of each winner; zeros where there is none."""
    elected: Floats = np.where((answers.winner == SILENT)[:, None], 0.0, vectors[answers.winner])
    return elected
