"""The distal reward problem: which of 80,000 synapses was it, one to three seconds ago?

Of 1,000 neurons that fire by noise, 800 excitatory ones with 100 plastic synapses each, two are
watched that one synapse joins.  Whenever the second fires shortly after the first, dopamine is
released everywhere, but one to three seconds later, while all neurons go on firing.  With STDP
modulated by dopamine that synapse is found: its weight starts at 0, and within two hours it comes
to the maximum, while the median of the others falls and the second neuron follows the first more
often.  A reward moves whatever is eligible, though: with the source's releases, 0.5, the others
spread until the network runs away with them in some seeds; with half of that it takes longer.

Source: Izhikevich, Cereb. Cortex 17 (2007), figure 1, with the sizes, limits of weights, delays and
window of the text and the published program.  The neurons here are leaky
integrate-and-fire ones, whose potential jumps by the weight, with Poisson noise; they fire between
once and twice a second as there.  Their threshold is 30 mV above rest, as many synapses that are
strong by chance would otherwise strengthen themselves, and weights begin at 0.5 mV, not 1 mV.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments.arrays import packed, unpacked
from experiments.experiment import Context, Experiment
from experiments.settings import setting
from simulator.errors import DataError

if TYPE_CHECKING:
    from simulator import Network, Simulation

__all__ = ["EXPERIMENT", "Config"]

W_MAX, W_START, W_INHIBITORY = 4.0, 0.5, -1.0  # mV
DELAY = 1.0  # ms
CELL = {"tau_m": 10.0, "v_rest": -65.0, "v_reset": -65.0, "v_th": -35.0, "t_ref": 2.0}  # ms, mV
TAU_DOPAMINE = 200.0  # ms
EARLIEST, LATEST = 1_000.0, 3_000.0  # ms, from the pair to its reward
QUANTILES = (0.05, 0.5, 0.95)
PIECE = 500.0  # ms, shorter than any reward is late
CHECKPOINT, CHECKPOINT_S = "checkpoint", 30.0  # s of wall time
CELLS, PLASTIC, DOPAMINE = "cells", "plastic", "dopamine"

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Config:
    """The settings; the defaults are the source's network."""

    duration: float = setting(7_200.0, "simulated time", unit="s")
    n: int = setting(1_000, "neurons; four fifths are excitatory")
    out_degree: int = setting(100, "synapses of a neuron")
    noise: float = setting(2.95, "weight of the noise, which decides the rate", unit="mV")
    noise_rate: float = setting(500.0, "of the noise into each neuron", unit="Hz")
    window: float = setting(10.0, "within which the second neuron is to follow", unit="ms")
    amount: float = setting(0.25, "dopamine of a reward")
    samples: int = setting(200, "times at which the weights are kept for the picture")

    def __post_init__(self) -> None:
        for name in ("duration", "noise", "noise_rate", "window", "amount"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise DataError(f"setting '{name}' = {value}; it must be a finite number > 0")
        if not 1 <= self.out_degree < 0.8 * self.n - 1:
            raise DataError(
                f"setting 'out_degree' = {self.out_degree}; it must be at least 1, and below the "
                f"number of excitatory neurons ({self.n_excitatory}) less one"
            )
        if self.samples < 2:
            raise DataError(f"setting 'samples' = {self.samples}; it must be >= 2")

    @property
    def n_excitatory(self) -> int:
        return 4 * self.n // 5


@dataclass(frozen=True)
class Wiring:
    """Pairs (pre, post), and the synapse that is rewarded: its number and its two neurons."""

    plastic: tuple[Ints, Ints]
    inhibitory: tuple[Ints, Ints]
    chosen: int
    first: int
    second: int


def wire(config: Config, rng: np.random.Generator) -> Wiring:
    """Excitatory neurons reach all, inhibitory ones the excitatory; no synapse on oneself."""
    targets = []
    for i in range(config.n):
        reached = config.n if i < config.n_excitatory else config.n_excitatory
        others = np.delete(np.arange(reached), i) if i < reached else np.arange(reached)
        targets.append(np.sort(rng.choice(others, config.out_degree, replace=False)))
    pre = np.repeat(np.arange(config.n), config.out_degree)
    post = np.concatenate(targets)
    plastic = pre < config.n_excitatory
    excitatory = np.flatnonzero(plastic & (post < config.n_excitatory))
    chosen = int(excitatory[0])
    return Wiring(
        (pre[plastic], post[plastic]),
        (pre[~plastic], post[~plastic]),
        chosen,
        int(pre[chosen]),
        int(post[chosen]),
    )


def build(config: Config, wiring: Wiring, seed: int) -> Network:
    """Neurons, noise, dopamine; the weight that will be rewarded is 0."""
    from encoders import Poisson
    from neurons import Concentration, LIFDelta
    from plasticity import DopamineSTDP
    from simulator import Network, explicit, one_to_one, uniform

    net = Network(seed=seed)
    noise = net.population("noise", config.n, Poisson(config.noise_rate))
    start = {"v": uniform(CELL["v_reset"], CELL["v_th"])}
    cells = net.population(CELLS, config.n, LIFDelta(**CELL), start)
    dopamine = net.population(DOPAMINE, 1, Concentration(tau=TAU_DOPAMINE))
    net.projection(noise, cells, one_to_one(), config.noise, DELAY)
    w = np.full(wiring.plastic[0].size, W_START)
    w[wiring.chosen] = 0.0
    net.projection(
        cells,
        cells,
        explicit(*wiring.plastic),
        w,
        DELAY,
        rule=DopamineSTDP(w_max=W_MAX),
        name=PLASTIC,
        modulator=dopamine,
    )
    inhibitory = explicit(*wiring.inhibitory)
    net.projection(cells, cells, inhibitory, W_INHIBITORY, DELAY, name="inhibitory")
    net.record_spikes(cells)
    return net


class Trainer:
    """Watches two neurons, releases dopamine some time after the second follows the first, and
    keeps what is drawn of the weights."""

    def __init__(self, simulation: Simulation, config: Config, wiring: Wiring, seed: int) -> None:
        self.simulation = simulation
        self.watched = (wiring.first, wiring.second)
        self.window, self.amount = config.window, config.amount
        self.spikes: tuple[list[float], list[float]] = ([], [])  # ms, of the watched neurons
        self.rewards: list[float] = []  # ms
        self.due: list[float] = []  # ms, of those to come too
        self.count = 0  # spikes of all neurons
        self.rng = np.random.default_rng([seed, 2])
        self.chosen = wiring.chosen
        self.times: list[float] = []  # ms
        self.rewarded: list[float] = []  # mV
        self.quantiles: list[Floats] = []  # mV
        simulation.recording.sink = self.take
        simulation.every(1000.0 * config.duration / config.samples, self.sample, start=0.0)

    def take(self, population: str, times: Floats, neurons: Ints) -> None:
        """Spikes as the engine hands them over, in order."""
        self.count += times.size
        for which, own in zip(self.watched, self.spikes, strict=True):
            own.extend(times[neurons == which].tolist())

    def run(self, until: float) -> None:
        """Go on until then (ms); rewards are due later than the piece that they are for."""
        seen = len(self.spikes[1])
        self.simulation.run(until)
        first = np.array(self.spikes[0])
        for t in self.spikes[1][seen:]:
            before = first[first < t]
            if before.size and t - before[-1] < self.window:
                self._reward_at(t + self.rng.uniform(EARLIEST, LATEST))

    def sample(self, t: float) -> None:
        w = self.simulation.weights(PLASTIC)
        self.times.append(t)
        self.rewarded.append(float(w[self.chosen]))
        self.quantiles.append(np.quantile(w, QUANTILES))

    def reward(self, t: float) -> None:
        self.rewards.append(t)
        self.simulation.release(DOPAMINE, self.amount)

    def save(self) -> dict[str, npt.NDArray[Any]]:
        """All of it and the simulation's state, as arrays."""
        state = packed(self.simulation.save())
        drawn = json.dumps(self.rng.bit_generator.state).encode()
        return {
            "first": np.array(self.spikes[0]),
            "second": np.array(self.spikes[1]),
            "rewards": np.array(self.rewards),
            "due": np.array(self.due),
            "count": np.array(self.count),
            "rng": np.frombuffer(drawn, np.uint8),
            "times": np.array(self.times),
            "rewarded": np.array(self.rewarded),
            "quantiles": np.array(self.quantiles).reshape(-1, len(QUANTILES)),
            "simulation": state,
        }

    def restore(self, saved: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go on from what :meth:`save` gave, bit for bit; this one has not run yet."""
        for t in saved["due"][~np.isin(saved["due"], saved["rewards"])].tolist():
            self._reward_at(t)
        self.simulation.restore(unpacked(saved["simulation"]))
        self.spikes = saved["first"].tolist(), saved["second"].tolist()
        self.rewards, self.due = saved["rewards"].tolist(), saved["due"].tolist()
        self.count = int(saved["count"])
        self.rng.bit_generator.state = json.loads(saved["rng"].tobytes())
        self.times, self.rewarded = saved["times"].tolist(), saved["rewarded"].tolist()
        self.quantiles = list(saved["quantiles"])

    def _reward_at(self, t: float) -> None:
        self.due.append(t)
        self.simulation.at(t, self.reward)


def run(config: Config, context: Context) -> Mapping[str, object]:
    """Run, measure, draw; see the module's text."""
    from experiments.distal_reward_parts.figure import draw
    from experiments.distal_reward_parts.measures import LABELS, measure
    from simulator import Simulation

    wiring = wire(config, np.random.default_rng([context.seed, 1]))
    simulation = Simulation(build(config, wiring, context.seed))
    trainer = Trainer(simulation, config, wiring, context.seed)
    total = 1000.0 * config.duration
    if context.resume and (context.directory.path / f"{CHECKPOINT}.npz").exists():
        trainer.restore(context.directory.arrays(CHECKPOINT))
    written = time.monotonic()
    with context.progress("seconds simulated", config.duration) as bar:
        bar.advance(simulation.time / 1000.0)
        while simulation.time < total:
            before = simulation.time
            trainer.run(min(total, before + PIECE))
            bar.advance((simulation.time - before) / 1000.0)
            bar.note(f"{len(trainer.rewards)} rewards")
            if time.monotonic() - written > CHECKPOINT_S:
                context.directory.write_arrays(CHECKPOINT, trainer.save())
                written = time.monotonic()
    weights = simulation.weights(PLASTIC)
    others = np.delete(weights, wiring.chosen)
    times, rewarded = np.array(trainer.times), np.array(trainer.rewarded)
    first, second = (np.array(spikes) for spikes in trainer.spikes)
    course = {
        "times_ms": times,
        "rewarded": rewarded,
        "quantiles": np.array(trainer.quantiles).T,
        "rewards_ms": np.array(trainer.rewards),
        "first_ms": first,
        "second_ms": second,
    }
    context.directory.write_weights({PLASTIC: weights})
    context.directory.write_arrays("course", course)
    context.directory.write_figure("distal_reward", draw(course, others, W_MAX))
    results = measure(
        times, rewarded / W_MAX, others / W_MAX, first, second, len(trainer.rewards), total
    )
    results["rate_hz"] = trainer.count / config.n / config.duration
    shown = {name: "-" if value is None else f"{value:.3g}" for name, value in results.items()}
    context.table(
        f"The rewarded synapse among {others.size:,} others",
        ("measure", "value"),
        [(label, shown[name]) for name, label in LABELS.items()],
    )
    return results


EXPERIMENT = Experiment(
    name="distal-reward",
    summary="dopamine that comes seconds late finds the synapse it is for (Izhikevich 2007)",
    config=Config,
    run=run,
)
