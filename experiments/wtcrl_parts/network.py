"""The network of the source: a latency code, a layer of neurons, plastic weights, inhibition.

The encoder `u` has ten neurons per pixel, the representation layer `v` has m, all of which inhibit
each other. Everything that depends on the size of the input is a multiple of the threshold, a
quarter of the number of encoding neurons.

Source: Fois & Girau (2023), sections 2 and 3.2, table 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp

import numpy as np
import numpy.typing as npt

from encoders import CircularLatency, LatencyCode, NoisyLatencyCode
from experiments.network_record import NetworkRecord, ProjectionRecord
from experiments.wtcrl_parts.measures import Responses, responses
from experiments.wtcrl_parts.patches import Patches
from neurons import LIFExp
from plasticity import WTCRL, ExponentialDrift
from simulator import Network, Simulation, all_to_all, uniform

__all__ = ["AFFERENT", "CODE", "ENCODER", "LAYER", "Model", "code_vectors"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

CODE = CircularLatency()
THRESHOLD = 0.25  # per encoding neuron
C_MIN, C_MAX = 9.0, 91.0  # inhibition at the beginning and in the end, in thresholds
ENCODER, LAYER = "u", "v"
AFFERENT = "u->v"
PIECE = 500  # presentations between two signs of life


@dataclass(frozen=True)
class Model:
    """What the settings and the data fix about the network.

    Attributes
    ----------
    m : int
        Neurons of the representation layer.
    n_pixels : int
        Of a patch.
    n_train : int
        Training presentations; inhibition grows with a third of their duration.
    tau_m : float
        Membrane time constant of the representation layer, ms.
    lateral_delay : float
        From a spike to its inhibition of the others, ms.
    seed : int
        Of the initial weights and of the noise.
    afferent_delay : float
        From an encoding neuron to the representation layer, ms.
    """

    m: int
    n_pixels: int
    n_train: int
    tau_m: float
    lateral_delay: float
    seed: int
    afferent_delay: float = 0.0

    @property
    def n_inputs(self) -> int:
        """Neurons of the encoder."""
        return self.n_pixels * CODE.fields

    @property
    def threshold(self) -> float:
        return THRESHOLD * self.n_inputs

    @property
    def drift_ms(self) -> float:
        """Time constant of the growing inhibition."""
        return self.n_train * CODE.period_ms / 3.0

    def inhibition(self, n_patches: float) -> float:
        """Lateral weight after so many training presentations, in thresholds."""
        return -C_MAX + (C_MAX - C_MIN) * exp(-n_patches * CODE.period_ms / self.drift_ms)

    def training(self, patches: Floats, noise: float) -> Simulation:
        """The network that learns; `patches` are on the ring, shape (n_patches, n_pixels)."""
        return Simulation(self.describe(patches, noise, -C_MIN, -C_MAX))

    def frozen(
        self,
        patches: Floats,
        weights: Floats,
        inhibition: float = -C_MAX,
        noise: float = 0.0,
        record_encoder: bool = False,
    ) -> Simulation:
        """The network with its plasticity off and its lateral weights constant."""
        # A drift from a value to itself, and a rule that rests: the same compiled loop serves.
        network = self.describe(patches, noise, inhibition, inhibition, record_encoder)
        simulation = Simulation(network)
        simulation.set_weights(AFFERENT, weights)
        simulation.set_learning(AFFERENT, False)
        return simulation

    def answers(
        self,
        patches: Floats,
        weights: Floats,
        inhibition: float = -C_MAX,
        noise: float = 0.0,
        advance: Callable[[float], None] | None = None,
    ) -> tuple[Responses, Floats, Indices]:
        """Present patches to the frozen network: responses, and the spikes behind them.

        `advance` is told how many patches were presented since its last call.
        """
        simulation = self.frozen(patches, weights, inhibition, noise)
        for first in range(0, len(patches), PIECE):
            end = min(first + PIECE, len(patches))
            simulation.run(end * CODE.period_ms)
            if advance is not None:
                advance(end - first)
        times, neurons = simulation.spikes(LAYER)
        return responses(times, neurons, len(patches), CODE.period_ms), times, neurons

    def record(self) -> NetworkRecord:
        """The connectivity, for placing the network."""
        return NetworkRecord(
            {ENCODER: self.n_inputs, LAYER: self.m},
            (
                ProjectionRecord(ENCODER, LAYER),
                ProjectionRecord(LAYER, LAYER, allow_self=False),
            ),
        )

    def describe(
        self,
        patches: Floats,
        noise: float = 0.0,
        start: float = -C_MIN,
        end: float = -C_MAX,
        record_encoder: bool = False,
    ) -> Network:
        """The network to which `patches` are presented, with lateral weights that drift from
        `start` to `end` thresholds."""
        theta = self.threshold
        network = Network(seed=self.seed)
        source = NoisyLatencyCode(patches, noise, CODE) if noise else LatencyCode(patches, CODE)
        u = network.population(ENCODER, self.n_inputs, source)
        v = network.population(
            LAYER,
            self.m,
            LIFExp(tau_m=self.tau_m, tau_exc=2.8, tau_inh=0.3, v_th=theta, t_ref=6.0),
        )
        network.projection(
            u, v, all_to_all(), weight=uniform(0.6, 0.8), delay=self.afferent_delay, rule=WTCRL()
        )
        network.projection(
            v,
            v,
            all_to_all(self_connections=False),
            weight=1.0,
            delay=self.lateral_delay,
            port="inhibitory",
            rule=ExponentialDrift(w_start=start * theta, w_end=end * theta, tau=self.drift_ms),
        )
        network.record_spikes(v)
        if record_encoder:
            network.record_spikes(u)
        return network


def code_vectors(weights: Floats, patches: Patches) -> Floats:
    """Decoded weights in grey values, shape (m, n_pixels), from weights of shape (n_inputs, m)."""
    return patches.raw(CODE.decode(weights.T.reshape(weights.shape[1], -1, CODE.fields)))
