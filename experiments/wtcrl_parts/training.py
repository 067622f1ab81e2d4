"""Training: all patches in one run of the engine, in pieces, with checkpoints of its state."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.arrays import packed, unpacked
from experiments.experiment import Context
from experiments.reporting import Progress
from experiments.wtcrl_parts.measures import Measures, measure
from experiments.wtcrl_parts.network import AFFERENT, CODE, LAYER, Model, code_vectors
from experiments.wtcrl_parts.patches import Patches
from simulator import Simulation

__all__ = ["Curve", "Training", "train"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

PIECE = 500  # presentations between two looks at the clock and the keyboard
CHECKPOINT = "checkpoint"
MISSING = -1.0  # stands for None in the arrays of a checkpoint, which hold finite numbers


@dataclass
class Curve:
    """The course of learning: what the network was like after so many presentations.

    Measured on `Patches.curve` with the plasticity off and the inhibition that training had
    reached; code vectors have shape (m, n_pixels) each.
    """

    patches: list[int]
    measures: list[Measures]
    code_vectors: list[Floats]

    def column(self, name: str) -> list[float | None]:
        """One measure along the course."""
        return [getattr(point, name) for point in self.measures]


@dataclass(frozen=True)
class Training:
    """A trained network: weights of shape (n_inputs, m), all spikes of its layer, its course."""

    weights: Floats
    times_ms: Floats
    neurons: Indices
    curve: Curve
    seconds: float


def train(
    model: Model,
    patches: Patches,
    context: Context,
    *,
    noise: float,
    curve_at: Sequence[int],
    checkpoint_s: float,
) -> Training:
    """Train the network, or go on from the checkpoint in the run directory.

    Parameters
    ----------
    model, patches
        What is trained on what.
    context
        Of the running experiment.
    noise
        Of the encoder.
    curve_at
        Numbers of presentations after which a point of the learning curve is taken, ascending; the
        last one is the number of all.
    checkpoint_s
        Wall time between two checkpoints, s.
    """
    simulation = model.training(patches.scaled(patches.train), noise)
    curve = Curve([], [], [])
    done, seconds = 0, 0.0
    earlier: tuple[Floats, Indices] = np.empty(0), np.empty(0, np.int64)
    if context.resume and (context.directory.path / f"{CHECKPOINT}.npz").exists():
        saved = context.directory.arrays(CHECKPOINT)
        done, seconds = int(saved["done"]), float(saved["seconds"])
        earlier = saved["times_ms"], saved["neurons"]
        curve = _curve_from(saved)
        simulation.restore(unpacked(saved["simulation"]))
        context.note(f"resuming after {done:,} presentations")
    last_saved = time.monotonic()
    with context.progress("train", model.n_train) as bar:
        bar.advance(done)
        if not curve.patches:
            _take_point(curve, 0, simulation, model, patches, bar)
        while done < model.n_train:
            next_point = next(p for p in curve_at if p > done)
            step = min(PIECE, next_point - done)
            start = time.perf_counter()
            simulation.run((done + step) * CODE.period_ms)
            seconds += time.perf_counter() - start
            done += step
            bar.advance(step)
            if done == next_point:
                _take_point(curve, done, simulation, model, patches, bar)
            if time.monotonic() - last_saved > checkpoint_s:
                _save(context, simulation, done, seconds, earlier, curve)
                last_saved = time.monotonic()
    times, neurons = _all_spikes(earlier, simulation)
    return Training(simulation.weights(AFFERENT), times, neurons, curve, seconds)


def _take_point(
    curve: Curve, done: int, simulation: Simulation, model: Model, patches: Patches, bar: Progress
) -> None:
    """Measure the network as it is now."""
    weights = simulation.weights(AFFERENT)
    answers, _, _ = model.answers(patches.scaled(patches.curve), weights, model.inhibition(done))
    vectors = code_vectors(weights, patches)
    curve.patches.append(done)
    curve.measures.append(measure(patches.curve, vectors, answers))
    curve.code_vectors.append(vectors)
    bar.note(f"RMS {curve.measures[-1].rms:.3f}")


def _all_spikes(earlier: tuple[Floats, Indices], simulation: Simulation) -> tuple[Floats, Indices]:
    """Those before the checkpoint and those since."""
    times, neurons = simulation.spikes(LAYER)
    return np.concatenate([earlier[0], times]), np.concatenate([earlier[1], neurons])


def _save(
    context: Context,
    simulation: Simulation,
    done: int,
    seconds: float,
    earlier: tuple[Floats, Indices],
    curve: Curve,
) -> None:
    times, neurons = _all_spikes(earlier, simulation)
    points = [
        [MISSING if value is None else value for value in asdict(point).values()]
        for point in curve.measures
    ]
    context.directory.write_arrays(
        CHECKPOINT,
        {
            "simulation": packed(simulation.save()),
            "done": np.int64(done),
            "seconds": np.float64(seconds),
            "times_ms": times,
            "neurons": neurons,
            "curve_patches": np.array(curve.patches),
            "curve_measures": np.array(points),
            "curve_code_vectors": np.array(curve.code_vectors),
        },
    )


def _curve_from(saved: dict[str, npt.NDArray[np.generic]]) -> Curve:
    points = []
    for row in saved["curve_measures"]:
        values: dict[str, Any] = {
            field.name: None if value == MISSING else float(value)
            for field, value in zip(fields(Measures), row, strict=True)
        }
        points.append(Measures(**values))
    return Curve(
        [int(n) for n in saved["curve_patches"]], points, list(saved["curve_code_vectors"])
    )
