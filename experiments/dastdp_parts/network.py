"""The three-layer network of the source: inputs, a competing hidden layer, one output a class.

Hidden neurons are inhibited by the partners of all others; their thresholds adapt.  In training the
output neurons are made to fire by the label, a teacher, and learn from the hidden spikes; in a test
they are neurons like others.  Time constants of conductances are equal, 1 ms as in the text of the
source, so that membranes are exact.  Its program has 2 ms for inhibition: by default the weight is
greater instead (see :class:`experiments.dastdp_parts.paper.Defaults`).

Source: Hao, Huang, Dong & Xu 2020, sections 2 and 3, table 1; what its text leaves open is taken
from its published program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from encoders import Poisson
from experiments.network_record import NetworkRecord, ProjectionRecord
from neurons import LIFCond, Parrot
from plasticity import SymmetricSTDP
from simulator import Network, Simulation, all_to_all, explicit, uniform

__all__ = [
    "CLASSES",
    "HIDDEN",
    "HIDDEN_TAUGHT",
    "INPUT",
    "INPUT_HIDDEN",
    "LABEL",
    "OUTPUT",
    "PARTNERS",
    "PIXELS",
    "TEACHER_HZ",
    "Model",
    "Weights",
]

Floats = npt.NDArray[np.float64]
Weights = Mapping[str, Floats]

PIXELS, CLASSES = 784, 10
INPUT, HIDDEN, PARTNERS, OUTPUT = "input", "hidden", "inhibitory", "output"
LABEL, TAUGHT = "label", "taught"
INPUT_HIDDEN, HIDDEN_TAUGHT = f"{INPUT}->{HIDDEN}", f"{HIDDEN}->{TAUGHT}"

W_HIDDEN = 1.0  # ceiling of the weights into the hidden layer
W_OUTPUT = 8.0  # and into the output layer
START = 0.3  # initial weights are uniform from 0 to this share of the ceiling
TEACHER_HZ = 200.0
TRACE_FLOOR = 1e-8  # of a spike: 370 ms after the last one its pairs are 1e-12 of a weight
EXCITE_PARTNER = 10.4
THETA_START, THETA_HALF = 20.0, 10.0  # mV
V_REST = -65.0  # mV
START_BELOW_REST = 40.0  # mV

SECOND_PHASE = 1  # the others are the first pass, 0, and tests
FROZEN_MS = 1e300  # a time constant of a threshold that does not move


@dataclass(frozen=True)
class Model:
    """What the settings fix about the network.

    Attributes
    ----------
    n : int
        Hidden neurons.
    nu_hidden, nu_output : float
        Learning rates, weight per unit of the traces.
    kappa : float
        First step of a threshold, mV.
    tau_theta : float
        Decay of the thresholds, ms.
    v_th : float
        What a threshold would decay to, mV; it starts 20 mV above.
    beta : float
        Mean weight into a hidden neuron, after scaling.
    output_ceiling : float
        Of the weights into the output layer; their mean after scaling is a tenth of it.
    inhibition : float
        Weight of an inhibitory spike at each hidden neuron but its partner's own.
    seed : int
    """

    n: int
    nu_hidden: float
    nu_output: float
    kappa: float
    tau_theta: float
    v_th: float
    beta: float
    output_ceiling: float
    inhibition: float
    seed: int

    @property
    def hidden_total(self) -> float:
        """What the weights into a hidden neuron are scaled to."""
        return self.beta * PIXELS

    @property
    def output_total(self) -> float:
        """What the weights into an output neuron are scaled to."""
        return 0.1 * self.n * self.output_ceiling

    def training(self) -> Simulation:
        """The network that learns in both layers."""
        network = self._network(0, THETA_START, self.kappa, self.tau_theta)
        self._add_teacher(network)
        return Simulation(network, workers=1)

    def second_pass(self, weights: Floats, theta: Floats) -> Simulation:
        """The network whose output layer alone learns: everything about the hidden one is fixed."""
        network = self._network(SECOND_PHASE, theta, 0.0, FROZEN_MS)
        self._add_teacher(network)
        simulation = Simulation(network, workers=1)
        self._freeze(simulation, weights)
        return simulation

    def test(
        self,
        weights: Floats,
        theta: Floats,
        outputs: Weights,
        phase: int,
        record_input: bool = False,
    ) -> Simulation:
        """The network at work, nothing of which changes.

        Parameters
        ----------
        weights, theta
            Of the hidden layer, shapes (784, n) and (n,), mV.
        outputs
            Weights into an output layer, shape (n, 10), by its name; none inhibits another.
        phase
            Makes the random input of this test its own; 2 or more.
        record_input
            Whether the spikes of the input are recorded as well.
        """
        network = self._network(phase, theta, 0.0, FROZEN_MS)
        if record_input:
            network.record_spikes(INPUT)
        hidden = network.populations[HIDDEN]
        # Unused, but the models are then those of training: one compiled loop serves both.
        network.population(TAUGHT, 1, Parrot())
        for name, into in outputs.items():
            cells = network.population(
                name,
                CLASSES,
                LIFCond(
                    tau_m=10.0, tau_exc=1.0, tau_inh=1.0, v_rest=-60.0, e_inh=-100.0, v_th=-40.0,
                    v_reset=-45.0,
                ),
                {"v": -60.0},
            )  # fmt: skip
            network.projection(hidden, cells, all_to_all(), into)
            network.record_spikes(cells)
        simulation = Simulation(network, workers=1)
        self._freeze(simulation, weights)
        return simulation

    def record(self) -> NetworkRecord:
        """The connectivity, for placing the network."""
        pre, post = np.nonzero(1 - np.eye(self.n, dtype=np.int64))
        return NetworkRecord(
            {INPUT: PIXELS, HIDDEN: self.n, PARTNERS: self.n, OUTPUT: CLASSES},
            (
                ProjectionRecord(INPUT, HIDDEN),
                ProjectionRecord(
                    HIDDEN,
                    PARTNERS,
                    "explicit",
                    pre_indices=np.arange(self.n),
                    post_indices=np.arange(self.n),
                ),
                ProjectionRecord(PARTNERS, HIDDEN, "explicit", pre_indices=pre, post_indices=post),
                ProjectionRecord(HIDDEN, OUTPUT),
            ),
        )

    def _network(
        self, phase: int, theta: float | Floats, kappa: float, tau_theta: float
    ) -> Network:
        network = Network(seed=int(np.random.SeedSequence([self.seed, phase]).generate_state(1)[0]))
        pixels = network.population(INPUT, PIXELS, Poisson(0.0))
        hidden = network.population(
            HIDDEN,
            self.n,
            LIFCond(
                tau_m=100.0, tau_exc=1.0, tau_inh=1.0, v_rest=V_REST, e_inh=-100.0, v_th=self.v_th,
                v_reset=V_REST, t_ref=2.0, theta_plus=kappa, theta_half=THETA_HALF,
                tau_theta=tau_theta,
            ),
            {"v": V_REST - START_BELOW_REST, "theta": theta},
        )  # fmt: skip
        partners = network.population(
            PARTNERS,
            self.n,
            LIFCond(
                tau_m=10.0, tau_exc=1.0, tau_inh=1.0, v_rest=-60.0, e_inh=-100.0, v_th=-40.0,
                v_reset=-45.0, t_ref=2.0,
            ),
            {"v": -60.0 - START_BELOW_REST},
        )  # fmt: skip
        network.projection(
            pixels,
            hidden,
            all_to_all(),
            uniform(0.0, START * W_HIDDEN),
            rule=SymmetricSTDP(nu=self.nu_hidden, w_max=W_HIDDEN, floor=TRACE_FLOOR),
        )
        own = np.arange(self.n)
        network.projection(hidden, partners, explicit(own, own), EXCITE_PARTNER)
        # A matrix with zeros for one's own partner: every neuron is then reached at one instant.
        others = self.inhibition * (1.0 - np.eye(self.n))
        network.projection(partners, hidden, all_to_all(), others, port="inhibitory")
        network.record_spikes(hidden)
        return network

    def _add_teacher(self, network: Network) -> None:
        label = network.population(LABEL, CLASSES, Poisson(0.0))
        taught = network.population(TAUGHT, CLASSES, Parrot())
        own = np.arange(CLASSES)
        network.projection(label, taught, explicit(own, own))
        network.projection(
            network.populations[HIDDEN],
            taught,
            all_to_all(),
            uniform(0.0, START * self.output_ceiling),
            port="unheeded",
            rule=SymmetricSTDP(nu=self.nu_output, w_max=self.output_ceiling, floor=TRACE_FLOOR),
        )

    def _freeze(self, simulation: Simulation, weights: Floats) -> None:
        simulation.set_weights(INPUT_HIDDEN, weights)
        simulation.normalise_weights(INPUT_HIDDEN, self.hidden_total)
        simulation.set_learning(INPUT_HIDDEN, False)
