"""The current-based benchmark network of Brette et al. 2007, with which simulators are compared.

4,000 integrate-and-fire neurons with exponential currents, 2 % of all pairs connected, no input: it
keeps itself active at about 6 Hz.

Source: Brette et al. 2007, "Simulation of networks of spiking neurons: a review of tools and
strategies", J. Comput. Neurosci. 23, 349-398, appendix 2, benchmark 2 (weights and time constants
as in the scripts published with it).
"""

from __future__ import annotations

from typing import NamedTuple

from neurons import LIFExp
from simulator import Network, fixed_probability, uniform

__all__ = ["CUBA", "POPULATIONS", "CubaParameters", "cuba"]

POPULATIONS = ("exc", "inh")


class CubaParameters(NamedTuple):
    """Of the network; potentials in mV, currents in mV (resistance 1), times in ms."""

    n_exc: int = 3200  # [1] excitatory neurons
    n_inh: int = 800  # [1] inhibitory neurons
    probability: float = 0.02  # [1] of a connection
    tau_m: float = 20.0  # [ms] membrane
    tau_exc: float = 5.0  # [ms] excitatory current
    tau_inh: float = 10.0  # [ms] inhibitory current
    v_rest: float = -49.0  # [mV] above threshold: the neurons are driven by it
    v_th: float = -50.0  # [mV] threshold
    v_reset: float = -60.0  # [mV]
    t_ref: float = 5.0  # [ms] refractory period
    w_exc: float = 1.62  # [mV] of an excitatory synapse
    w_inh: float = -9.0  # [mV] of an inhibitory synapse
    delay: float = 0.1  # [ms] one step of the grids it is compared with

    def fan_out(self) -> float:
        """Mean number of synapses of a neuron."""
        return self.probability * (self.n_exc + self.n_inh)


CUBA = CubaParameters()


def cuba(
    parameters: CubaParameters = CUBA, seed: int = 1, neuron: type[LIFExp] = LIFExp
) -> Network:
    """The network, recording all spikes.

    Parameters
    ----------
    parameters
        As published, or scaled for a test.
    seed
        Of connections and initial potentials.
    neuron
        The class of the neurons.
    """
    p = parameters
    net = Network(seed=seed)
    model = neuron(
        tau_m=p.tau_m,
        tau_exc=p.tau_exc,
        tau_inh=p.tau_inh,
        v_rest=p.v_rest,
        v_th=p.v_th,
        v_reset=p.v_reset,
        t_ref=p.t_ref,
    )
    for name, size in zip(POPULATIONS, (p.n_exc, p.n_inh), strict=True):
        net.population(name, size, model, {"v": uniform(p.v_reset, p.v_th)})
        net.record_spikes(name)
    for pre, weight, port in (("exc", p.w_exc, "excitatory"), ("inh", p.w_inh, "inhibitory")):
        for post in POPULATIONS:
            connector = fixed_probability(p.probability, self_connections=False)
            net.projection(pre, post, connector, weight=weight, delay=p.delay, port=port)
    return net
