"""Showing one image to a network: 350 ms, brighter if hardly a neuron answers, and a rest.

Source: Hao et al. 2020, section 3: fewer than five hidden spikes in 350 ms, and the image is shown
again with rates that are 31.875 Hz higher at full intensity (32 Hz in the text; its published
program adds an eighth of the pixel).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from experiments.dastdp_parts.network import CLASSES, HIDDEN, INPUT, LABEL, TEACHER_HZ
from simulator import Simulation

__all__ = ["PRESENTATION_MS", "REST_MS", "Presentation", "Presenter"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

PRESENTATION_MS, REST_MS = 350.0, 150.0
HZ_PER_GREY = 0.25  # 63.75 Hz at 255
MORE_HZ_PER_GREY = 0.125  # for each further attempt
ENOUGH_SPIKES = 5
MOST_ATTEMPTS = 31  # 1,020 Hz in the end


class Presentation(NamedTuple):
    """The answer to an image: spikes of each neuron in the last attempt, by population."""

    counts: dict[str, Indices]
    attempts: int


class Presenter:
    """Shows images to a simulation.

    Parameters
    ----------
    simulation
        Its network has an input and a hidden population, and records the spikes of ``counted``.
        What it records comes here and nowhere else.
    counted
        Populations whose spikes are counted.
    totals
        What the weights into each neuron are scaled to before a presentation, by projection.
    """

    def __init__(
        self, simulation: Simulation, counted: Sequence[str], totals: Mapping[str, float]
    ) -> None:
        self._simulation = simulation
        populations = simulation.network.populations
        self._counts = {name: np.zeros(populations[name].size, np.int64) for name in counted}
        self._totals = dict(totals)
        self._has_label = LABEL in populations
        self._teacher = TEACHER_HZ * np.eye(CLASSES)
        simulation.recording.sink = self._count

    def show(self, image: npt.NDArray[np.uint8], label: int) -> Presentation:
        """Present an image, (784,) grey values, until the hidden layer answers, with a rest after
        each attempt; the label is told to the output layer if that is taught."""
        attempts = 0
        simulation = self._simulation
        while True:
            for projection, total in self._totals.items():
                simulation.normalise_weights(projection, total)
            gain = HZ_PER_GREY + MORE_HZ_PER_GREY * attempts
            simulation.set_rates(INPUT, gain * image, PRESENTATION_MS)
            if self._has_label:
                simulation.set_rates(LABEL, self._teacher[label], PRESENTATION_MS)
            for counts in self._counts.values():
                counts[:] = 0
            end = simulation.time + PRESENTATION_MS
            simulation.run(end)
            answer = {name: counts.copy() for name, counts in self._counts.items()}
            simulation.run(end + REST_MS)
            attempts += 1
            if answer[HIDDEN].sum() >= ENOUGH_SPIKES or attempts == MOST_ATTEMPTS:
                return Presentation(answer, attempts)

    def _count(self, population: str, times_ms: Floats, neurons: Indices) -> None:
        if population in self._counts:
            np.add.at(self._counts[population], neurons, 1)
