"""The course of a pass over the training images, as it is shown and kept for resuming."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.dastdp_parts.label_statistics import LabelStatistics, classify
from experiments.dastdp_parts.network import CLASSES
from experiments.dastdp_parts.presenting import Presentation

__all__ = ["SPAN", "Course"]

SPAN = 1_000  # presentations to a point of the running figures
REASSIGN = 100  # presentations between two assignments of neurons to classes
RUNNING = ("right", "spikes", "attempts")


class Course:
    """What is noted of every presentation, and points of the learning curve.

    Attributes
    ----------
    done : int
        Presentations so far.
    seconds : float
        Process time that they took, without tests.
    statistics : LabelStatistics
    running : dict of str to list of float
        Per span of 1,000 presentations: the share of images whose class the label statistics of
        before would have got right (before the image was learned from), spikes of all hidden
        neurons, attempts; means of each.
    points : list of (int, dict)
        Accuracies by readout after so many presentations.
    """

    def __init__(self, n: int) -> None:
        self.done, self.seconds = 0, 0.0
        self.statistics = LabelStatistics(n, CLASSES)
        self.running: dict[str, list[float]] = {name: [] for name in RUNNING}
        self.points: list[tuple[int, dict[str, float]]] = []
        self._span = np.zeros(len(RUNNING))
        self._assignment = self.statistics.assignment()

    def add(self, counts: npt.NDArray[np.int64], answer: Presentation, label: int) -> None:
        """Note a presentation that the hidden neurons gave ``counts`` spikes to."""
        if self.done % REASSIGN == 0:
            self._assignment = self.statistics.assignment()
        right = classify(counts[None], self._assignment, CLASSES)[0] == label
        self._span += right, counts.sum(), answer.attempts
        self.statistics.add(counts, label)
        self.done += 1
        if self.done % SPAN == 0:
            for name, total in zip(RUNNING, self._span.tolist(), strict=True):
                self.running[name].append(total / SPAN)
            self._span[:] = 0.0

    def remark(self) -> str:
        """How it goes, for the progress bar."""
        parts = []
        if self.running["right"]:
            parts.append(f"{self.running['right'][-1]:.1%} of the last 1,000 training images")
        if self.points:
            done, found = self.points[-1]
            best = ", ".join(f"{100 * value:.1f}" for value in found.values())
            parts.append(f"{best} % tested at {done:,}")
        return "; ".join(parts)

    def arrays(self) -> dict[str, npt.ArrayLike]:
        """All of it, for a file."""
        names = sorted({name for _, found in self.points for name in found})
        table = [[found.get(name, -1.0) for name in names] for _, found in self.points]
        return {
            "done": self.done,
            "seconds": self.seconds,
            "statistics_spikes": self.statistics.spikes,
            "statistics_images": self.statistics.images,
            "assignment": self._assignment,
            "span": self._span,
            **{f"running_{name}": np.array(values) for name, values in self.running.items()},
            "point_at": np.array([done for done, _ in self.points], np.int64),
            "point_names": np.array(names, str),
            "point_accuracy": np.array(table).reshape(len(table), len(names)),
        }

    @classmethod
    def from_arrays(cls, saved: Mapping[str, npt.NDArray[Any]]) -> Course:
        """The inverse of :meth:`arrays`."""
        course = cls(saved["statistics_spikes"].shape[2])
        course.done, course.seconds = int(saved["done"]), float(saved["seconds"])
        course.statistics.spikes[:] = saved["statistics_spikes"]
        course.statistics.images[:] = saved["statistics_images"]
        course.statistics.seen = course.done
        course.running = {name: saved[f"running_{name}"].tolist() for name in RUNNING}
        course._span[:] = saved["span"]
        course._assignment = saved["assignment"].copy()
        names = saved["point_names"].tolist()
        course.points = [
            (int(done), {n: float(v) for n, v in zip(names, row, strict=True) if v >= 0.0})
            for done, row in zip(saved["point_at"], saved["point_accuracy"], strict=True)
        ]
        return course
