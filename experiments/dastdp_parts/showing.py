"""Showing test images with every spike kept: for `spikes.h5` and the picture of a presentation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.dastdp_parts.network import CLASSES, HIDDEN, INPUT, OUTPUT, Model
from experiments.dastdp_parts.presenting import Presenter
from experiments.dastdp_parts.testing import Trained
from experiments.experiment import Context

__all__ = ["Shown", "show_images"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shown:
    """Spikes of presentations: (times in ms, neurons) by population, and when each image began
    and ended, attempts and rests included."""

    spikes: dict[str, tuple[Floats, Indices]]
    start_ms: Floats
    end_ms: Floats


def show_images(
    model: Model,
    trained: Trained,
    readout: str,
    images: npt.NDArray[np.uint8],
    phase: int,
    context: Context,
) -> Shown:
    """Show the first test images once more, as in the test, and write all spikes to `spikes.h5`."""
    names = (INPUT, HIDDEN, OUTPUT)
    context.directory.declare_populations(*names)
    if context.resume:
        context.directory.keep_spikes_until(-1.0)
    simulation = model.test(
        trained.weights, trained.theta, {OUTPUT: trained.outputs[readout]}, phase, record_input=True
    )
    pieces: dict[str, list[tuple[Floats, Indices]]] = {name: [] for name in names}
    presenter = Presenter(simulation, [HIDDEN], {})
    count = simulation.recording.sink
    assert count is not None

    def keep(population: str, times_ms: Floats, neurons: Indices) -> None:
        pieces[population].append((times_ms.copy(), neurons.copy()))
        count(population, times_ms, neurons)

    simulation.recording.sink = keep
    start, end = np.zeros(len(images)), np.zeros(len(images))
    for k, image in enumerate(images):
        start[k] = simulation.time
        presenter.show(image, 0)
        end[k] = simulation.time
    spikes = {
        name: (
            np.concatenate([np.empty(0), *(times for times, _ in found)]),
            np.concatenate([np.empty(0, np.int64), *(neurons for _, neurons in found)]),
        )
        for name, found in pieces.items()
    }
    for name, (times, neurons) in spikes.items():
        context.directory.append_spikes(name, times, neurons)
    context.directory.flush()
    context.directory.update(simulated_ms=float(simulation.time))
    assert spikes[OUTPUT][1].max(initial=0) < CLASSES
    return Shown(spikes, start, end)
