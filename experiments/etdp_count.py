"""Neurons that learn how many spikes to fire in a trial, told at its end how many were wanted.

Each neuron has 500 afferents with a frozen Poisson train of 500 ms.  A learning epoch is one
presentation of it; at its end the neuron hears how many spikes it should have fired, and changes
its weights by one step of the derivative of its critical threshold.  At 4 Hz it is silent at first,
at 10 Hz it bursts.  Several neurons, each with a seed of its own, learn side by side.

Source: Zhang et al., An efficient threshold-driven aggregate-label learning algorithm for
multimodal information processing, section IV A, figures 2 and 3.  Time constants, the step and the
bound of the slope are not printed there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from experiments.experiment import Context, Experiment
from experiments.settings import setting
from simulator.errors import DataError

if TYPE_CHECKING:
    from simulator import Simulation

__all__ = ["EXPERIMENT", "Config", "Task", "make_task", "measures"]

WEIGHT = 0.01  # mean and standard deviation of the initial weights, in units of the threshold
GAP = 50.0  # ms between two presentations
SAMPLE = 0.25  # ms, of the potentials in the picture
CHECKPOINT = "checkpoint"

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Config:
    """The settings; rate, afferents, duration and number of spikes are the source's."""

    rate: float = setting(4.0, "of each afferent", unit="Hz")
    desired: int = setting(10, "spikes to be fired in a trial")
    mode: Literal["etdp", "mst", "tdp"] = setting("etdp", "which derivative")
    step: float = setting(5e-4, "of a weight for a derivative of 1, in units of the threshold")
    slope_floor: float = setting(
        0.01, "least slope at earlier spikes, of the threshold", unit="1/ms"
    )
    n_afferents: int = setting(500, "of each neuron")
    duration: float = setting(500.0, "of a trial", unit="ms")
    tau_m: float = setting(20.0, "slow time constant", unit="ms")
    tau_s: float = setting(5.0, "fast time constant", unit="ms")
    neurons: int = setting(20, "that learn side by side, with the seeds from that of the run on")
    epochs: int = setting(400, "after which is given up")
    checkpoint_s: float = setting(10.0, "wall time between checkpoints for --resume", unit="s")

    def __post_init__(self) -> None:
        for name in ("rate", "step", "duration", "tau_m", "tau_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise DataError(f"setting '{name}' = {value}; it must be a finite number > 0")
        for name in ("slope_floor", "checkpoint_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise DataError(f"setting '{name}' = {value}; it must be a finite number >= 0")
        if self.tau_m <= 1.01 * self.tau_s:
            raise DataError(f"setting 'tau_m' = {self.tau_m}; it must exceed tau_s = {self.tau_s}")
        for name, least in (("desired", 0), ("n_afferents", 1), ("neurons", 1), ("epochs", 1)):
            if getattr(self, name) < least:
                raise DataError(f"setting '{name}' = {getattr(self, name)}; it must be >= {least}")


@dataclass(frozen=True)
class Task:
    """Frozen trains and initial weights: afferents of all neurons one behind the other."""

    times: Floats  # ms from the beginning of a trial
    afferents: Ints
    weights: Floats


def make_task(config: Config, seed: int) -> Task:
    """What the neurons are given; one with the seed s has the same in every run."""
    times, afferents, weights = [], [], []
    n = config.n_afferents
    for k in range(config.neurons):
        rng = np.random.default_rng(seed + k)
        weights.append(rng.normal(WEIGHT, WEIGHT, n))
        counts = rng.poisson(config.rate * config.duration / 1000.0, n)
        times.append(rng.uniform(0.0, config.duration, int(counts.sum())))
        afferents.append(k * n + np.repeat(np.arange(n), counts))
    return Task(np.concatenate(times), np.concatenate(afferents), np.concatenate(weights))


def build(config: Config, weights: Floats, sampled: bool = False) -> Simulation:
    """The neurons and their afferents; with their potentials sampled over a first trial or not."""
    from encoders import SpikeTimes
    from neurons import SRM
    from plasticity import AggregateLabel
    from simulator import Network, Simulation, explicit

    net = Network()
    total = config.neurons * config.n_afferents
    afferents = net.population("afferents", total, SpikeTimes([]))
    cells = net.population("neurons", config.neurons, SRM(tau_m=config.tau_m, tau_s=config.tau_s))
    targets = np.repeat(np.arange(config.neurons), config.n_afferents)
    rule = AggregateLabel(config.mode, rate=config.step, slope_floor=config.slope_floor)
    wiring = explicit(np.arange(total), targets)
    net.projection(afferents, cells, wiring, weights, rule=rule, name="plastic")
    net.record_spikes(cells)
    if sampled:
        net.record_state(cells, ["v"], np.arange(0.0, config.duration + SAMPLE / 2, SAMPLE))
    return Simulation(net)


def learn(config: Config, task: Task, context: Context) -> tuple[Floats, Ints]:
    """Present the trains until all neurons fire as they should: weights, and counts by epoch."""
    simulation = build(config, task.weights)
    counts: list[Ints] = []
    if context.resume and (context.directory.path / f"{CHECKPOINT}.npz").exists():
        saved = context.directory.arrays(CHECKPOINT)
        counts = list(saved["counts"])
        simulation.run(len(counts) * (config.duration + GAP))
        simulation.set_weights("plastic", saved["weights"])
    written = time.monotonic()
    with context.progress("epochs", config.epochs) as bar:
        bar.advance(len(counts))
        while len(counts) < config.epochs and not (
            counts and bool(np.all(counts[-1] == config.desired))
        ):
            counts.append(_present(config, simulation, task))
            simulation.feedback("neurons", config.desired)
            simulation.run(len(counts) * (config.duration + GAP))
            bar.advance(1)
            if time.monotonic() - written > config.checkpoint_s:
                weights = simulation.weights("plastic")
                arrays = {"weights": weights, "counts": np.array(counts)}
                context.directory.write_arrays(CHECKPOINT, arrays)
                written = time.monotonic()
    return simulation.weights("plastic"), np.array(counts)


def _present(config: Config, simulation: Simulation, task: Task) -> Ints:
    """One trial, which knows nothing of those before it: how many spikes each neuron fired."""
    simulation.set_state("neurons", "v", 0.0)
    simulation.set_state("neurons", "i", 0.0)
    start = simulation.time
    simulation.begin_trial("neurons")
    simulation.trial(config.duration, {"afferents": (task.times, task.afferents)})
    times, neurons = simulation.spikes("neurons")
    return np.bincount(neurons[times >= start], minlength=config.neurons)


def potentials(config: Config, task: Task, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """The first neuron with these weights: sampled times, potentials, and its spikes (ms)."""
    simulation = build(config, weights, sampled=True)
    _present(config, simulation, task)
    times, values = simulation.recording.states("neurons")
    spikes, neurons = simulation.spikes("neurons")
    return times, values["v"][:, 0], spikes[neurons == 0]


def measures(counts: Ints, desired: int) -> dict[str, object]:
    """Of the counts by epoch and neuron: epochs until each first fired as it should.

    An epoch is a presentation with its update; a neuron that is right from the start has needed 0.
    """
    right = counts == desired
    learned = right.any(axis=0)
    epochs = right.argmax(axis=0)[learned]
    found: dict[str, object] = {
        "learned": int(learned.sum()),
        "epochs": epochs.tolist(),
        "first_count": float(counts[0].mean()),
        "last_count": float(counts[-1].mean()),
    }
    if epochs.size:
        found["mean_epochs"] = float(epochs.mean())
        found["spread_epochs"] = float(epochs.std(ddof=1)) if epochs.size > 1 else 0.0
        found["median_epochs"] = float(np.median(epochs))
    return found


def run(config: Config, context: Context) -> Mapping[str, object]:
    """Learn, measure, draw; see the module's text."""
    from experiments.etdp_count_parts.figures import draw_course

    task = make_task(config, context.seed)
    weights, counts = learn(config, task, context)
    before, after = (potentials(config, task, w) for w in (task.weights, weights))
    directory = context.directory
    directory.write_weights({"plastic": weights})
    directory.write_arrays("counts", {"counts": counts})
    directory.write_arrays(
        "potentials",
        {
            "times_ms": before[0],
            "before": before[1],
            "after": after[1],
            "spikes_before": before[2],
            "spikes_after": after[2],
        },
    )
    directory.write_figure(
        "course", draw_course(config, task, directory.arrays("potentials"), counts)
    )
    found = measures(counts, config.desired)
    context.table(
        f"{config.desired} spikes from {config.n_afferents} afferents of {config.rate:g} Hz",
        ("measure", config.mode),
        [
            ("neurons that learned", f"{found['learned']} of {config.neurons}"),
            ("spikes before, mean", f"{found['first_count']:.3g}"),
            ("epochs, mean", f"{found.get('mean_epochs', math.nan):.3g}"),
            ("epochs, standard deviation", f"{found.get('spread_epochs', math.nan):.3g}"),
        ],
    )
    return found


EXPERIMENT = Experiment(
    name="etdp-count",
    summary="neurons that learn how many spikes to fire in a trial, told at its end",
    config=Config,
    run=run,
)
