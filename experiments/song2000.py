"""What STDP makes of the weights of a neuron with Poisson input: two peaks, or one.

A neuron with conductances has 1,000 plastic excitatory synapses, all at their maximum at first, and
200 constant inhibitory ones, each with a Poisson train of its own.  With additive pair STDP the
inputs compete: most weights end near the bounds, at 0 or at the maximum, and the neuron fires
irregularly.  With multiplicative STDP on the same inputs all weights end near one value.

Sources: Song, Miller & Abbott, Nat. Neurosci. 3 (2000), figure 2, with its parameters; the
multiplicative rule as in Rubin, Lee & Sompolinsky, Phys. Rev. Lett. 86 (2001).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments.experiment import Context, Experiment
from experiments.settings import setting
from simulator.errors import DataError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from simulator import Network

__all__ = ["EXPERIMENT", "Config"]

G_MAX = 0.015  # maximal excitatory conductance, in units of the leak
G_INHIBITORY = 0.05
RATE_INHIBITORY = 10.0  # Hz
CELL = {
    "tau_m": 20.0, "tau_exc": 5.0, "tau_inh": 5.0, "v_rest": -70.0, "v_th": -54.0, "v_reset": -60.0,
    "e_exc": 0.0, "e_inh": -70.0,
}  # fmt: skip
RULES = ("additive", "multiplicative")
BINS = 40

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Config:
    """The settings; the defaults are the source's network."""

    duration: float = setting(3_000.0, "simulated time", unit="s")
    rate: float = setting(10.0, "of each excitatory input", unit="Hz")
    n_excitatory: int = setting(1_000, "plastic inputs")
    n_inhibitory: int = setting(200, "inhibitory inputs")
    a_plus: float = setting(0.005, "potentiation by a pair at distance 0, of the maximum")
    ratio: float = setting(1.05, "depression in units of potentiation")
    samples: int = setting(100, "times at which the weights are kept for the picture")

    def __post_init__(self) -> None:
        for name in ("duration", "rate", "a_plus", "ratio"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise DataError(f"setting '{name}' = {value}; it must be a finite number > 0")
        if self.a_plus * max(1.0, self.ratio) > 1:
            raise DataError(
                f"setting 'a_plus' = {self.a_plus} with ratio = {self.ratio}; one pair must not "
                "change a weight by more than its maximum"
            )
        for name, least in (("n_excitatory", 1), ("n_inhibitory", 1), ("samples", 2)):
            if getattr(self, name) < least:
                raise DataError(f"setting '{name}' = {getattr(self, name)}; it must be >= {least}")


def build(config: Config, seed: int) -> Network:
    """One neuron a rule, all with the same inputs."""
    from encoders import Poisson
    from neurons import LIFCond
    from plasticity import PairSTDP
    from simulator import Network, all_to_all

    net = Network(seed=seed)
    excitatory = net.population("excitatory", config.n_excitatory, Poisson(config.rate))
    inhibitory = net.population("inhibitory", config.n_inhibitory, Poisson(RATE_INHIBITORY))
    times = np.linspace(0.0, 1000.0 * config.duration, config.samples)
    for name in RULES:
        exponent = float(name == "multiplicative")
        rule = PairSTDP(
            a_plus=config.a_plus,
            a_minus=config.ratio * config.a_plus,
            mu_plus=exponent,
            mu_minus=exponent,
            w_max=G_MAX,
        )
        cell = net.population(name, 1, LIFCond(**CELL), {"v": CELL["v_rest"]})
        net.projection(excitatory, cell, all_to_all(), G_MAX, rule=rule, name=f"to {name}")
        net.projection(inhibitory, cell, all_to_all(), G_INHIBITORY, port="inhibitory")
        net.record_spikes(cell)
        net.record_weights(f"to {name}", times)
    return net


def run(config: Config, context: Context) -> Mapping[str, object]:
    """Run, measure, draw; see the module's text."""
    from simulator import Simulation

    simulation = Simulation(build(config, context.seed))
    total = 1000.0 * config.duration
    with context.progress("seconds simulated", config.duration) as bar:
        for k in range(config.samples):
            simulation.run(total * (k + 1) / config.samples)
            bar.advance(config.duration / config.samples)
    spikes = {name: simulation.spikes(name)[0] for name in RULES}
    weights = {name: simulation.recording.weights(f"to {name}") for name in RULES}
    directory = context.directory
    directory.write_weights({f"to {name}": simulation.weights(f"to {name}") for name in RULES})
    directory.write_arrays(
        "history",
        {
            "times_ms": weights[RULES[0]][0],
            **{name: weights[name][1].reshape(config.samples, -1) for name in RULES},
        },
    )
    directory.write_arrays("spikes", spikes)
    measured = {
        name: measures(weights[name][1][-1].ravel() / G_MAX, spikes[name], total) for name in RULES
    }
    history = directory.arrays("history")
    directory.write_figure("weights", draw(history, measured))
    context.table(
        f"{config.n_excitatory:,} weights after {config.duration:,.0f} s",
        ("measure", *RULES),
        [
            (label, *(f"{measured[name][key]:.3g}" for name in RULES))
            for key, label in LABELS.items()
        ],
    )
    return {f"{name}_{key}": value for name in RULES for key, value in measured[name].items()}


LABELS = {
    "low": "share of weights in the lowest tenth",
    "middle": "share in the middle fifth",
    "high": "share in the highest tenth",
    "mean": "mean weight, of the maximum",
    "bimodality": "bimodality coefficient (5/9 for a uniform distribution)",
    "rate_hz": "rate in the last third, Hz",
    "cv": "coefficient of variation of its intervals",
}


def measures(w: Floats, times: Floats, total: float) -> dict[str, float]:
    """Of the weights in units of their maximum, and of the spikes (ms) until ``total``.

    The bimodality coefficient is (skewness^2 + 1) / kurtosis: 1 for two points, 5/9 for a uniform
    distribution, 1/3 for a normal one.
    """
    late = np.diff(times[times > total * 2.0 / 3.0])
    centred = w - w.mean()
    spread = float(w.std())
    skewness, kurtosis = ((centred**k).mean() / spread**k if spread > 0 else 0.0 for k in (3, 4))
    return {
        "low": float((w < 0.1).mean()),
        "middle": float(((w >= 0.4) & (w < 0.6)).mean()),
        "high": float((w >= 0.9).mean()),
        "mean": float(w.mean()),
        "bimodality": float((skewness**2 + 1.0) / kurtosis) if spread > 0 else 1.0,
        "rate_hz": float((times > total * 2.0 / 3.0).sum() / (total / 3.0) * 1000.0),
        "cv": float(late.std() / late.mean()) if late.size > 1 else 0.0,
    }


def draw(history: Mapping[str, Any], measured: Mapping[str, Mapping[str, float]]) -> Figure:
    """Histograms of the weights at the end, and how they came about."""
    from matplotlib.figure import Figure

    seconds = history["times_ms"] / 1000.0
    edges = np.linspace(0.0, 1.0, BINS + 1)
    figure = Figure(figsize=(10, 7), layout="constrained")
    top, bottom = figure.subplots(2, 2, sharex="row", sharey="row")
    image = None
    for axis, below, name in zip(top, bottom, RULES, strict=True):
        w = np.clip(history[name] / G_MAX, 0.0, 1.0)
        axis.hist(w[-1], edges, color="#0072B2")
        axis.set_xlim(0, 1)
        axis.set_xlabel("weight (of the maximum)")
        m = measured[name]
        axis.set_title(f"{name}: {m['rate_hz']:.1f} Hz, CV {m['cv']:.2f}", fontsize=11)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
        density = np.array([np.histogram(row, edges)[0] for row in w]) / w.shape[1]
        image = below.pcolormesh(
            _borders(seconds), edges, density.T, cmap="cividis", vmin=0.0, vmax=0.2, rasterized=True
        )
        below.set_xlabel("time (s)")
    top[0].set_ylabel("synapses")
    bottom[0].set_ylabel("weight (of the maximum)")
    assert image is not None
    label = "share of synapses in a bin (1)"
    figure.colorbar(
        image, ax=bottom, location="bottom", label=label, extend="max", aspect=50, shrink=0.6
    )
    figure.suptitle("Weights of Poisson inputs under additive and multiplicative STDP", fontsize=12)
    return figure


def _borders(times: Floats) -> Floats:
    """Between the samples, and half a step beyond."""
    middle = (times[1:] + times[:-1]) / 2.0
    return np.concatenate([[times[0]], middle, [times[-1]]])


EXPERIMENT = Experiment(
    name="song2000",
    summary="weights of a neuron with Poisson input under additive and multiplicative STDP",
    config=Config,
    run=run,
)
