"""The sparse random network of Brunel 2000, model A, asynchronous irregular at about 38 Hz.

With a learning rate its excitatory synapses onto excitatory neurons are plastic: additive pair STDP
with all pairs, weights from 0 to twice the initial one, exact spike times.

10,000 excitatory and 2,500 inhibitory neurons whose synapses make the potential jump; each neuron
hears 1,000 of the former, 250 of the latter and an external Poisson train of its own.

Source: N. Brunel 2000, "Dynamics of sparsely connected networks of excitatory and inhibitory
spiking neurons", J. Comput. Neurosci. 8, 183-208, sections 2 and 5.
"""

from __future__ import annotations

from typing import NamedTuple

from encoders import Poisson
from neurons import LIFDelta
from plasticity import PairSTDP
from simulator import Network, fixed_in_degree, one_to_one

__all__ = ["BRUNEL", "PLASTIC", "POPULATIONS", "BrunelParameters", "brunel"]

POPULATIONS = ("exc", "inh")


class BrunelParameters(NamedTuple):
    """Of the network; potentials in mV, times in ms."""

    n_exc: int = 10_000  # [1] excitatory neurons
    n_inh: int = 2_500  # [1] inhibitory neurons
    c_exc: int = 1_000  # [1] excitatory synapses of a neuron
    c_inh: int = 250  # [1] inhibitory synapses of a neuron
    tau_m: float = 20.0  # [ms] membrane
    v_th: float = 20.0  # [mV] threshold
    v_reset: float = 10.0  # [mV]
    t_ref: float = 2.0  # [ms] refractory period
    j: float = 0.1  # [mV] jump caused by an excitatory spike
    g: float = 5.0  # [1] inhibitory jump over excitatory jump
    eta: float = 2.0  # [1] external rate over the one that takes the mean to threshold
    delay: float = 1.5  # [ms]
    a_plus: float = (
        0.0  # [1] potentiation by a pair at no distance, as a share of the largest weight
    )
    a_minus: float = 0.0  # [1] depression
    tau_stdp: float = 20.0  # [ms] of both

    def external_hz(self) -> float:
        """Rate of the external train of a neuron (equation 3: c_exc times nu_ext)."""
        return 1000.0 * self.eta * self.v_th / (self.j * self.tau_m)

    def fan_out(self) -> float:
        """Mean number of recurrent synapses of a neuron."""
        return float(self.c_exc + self.c_inh)


BRUNEL = BrunelParameters()
PLASTIC = BrunelParameters(a_plus=0.005, a_minus=0.00525)


def brunel(
    parameters: BrunelParameters = BRUNEL, seed: int = 1, neuron: type[LIFDelta] = LIFDelta
) -> Network:
    """The network, recording all spikes.

    Parameters
    ----------
    parameters
        As published, or scaled for a test.
    seed
        Of connections and external trains; all potentials start at 0.
    neuron
        The class of the neurons.
    """
    p = parameters
    net = Network(seed=seed)
    model = neuron(tau_m=p.tau_m, v_th=p.v_th, v_reset=p.v_reset, t_ref=p.t_ref)
    for name, size in zip(POPULATIONS, (p.n_exc, p.n_inh), strict=True):
        net.population(name, size, model)
        net.record_spikes(name)
    for pre, degree, weight in (("exc", p.c_exc, p.j), ("inh", p.c_inh, -p.g * p.j)):
        for post in POPULATIONS:
            connector = fixed_in_degree(degree, self_connections=False)
            if p.a_plus > 0.0 and pre == post == "exc":
                rule = PairSTDP(
                    tau_plus=p.tau_stdp, tau_minus=p.tau_stdp, a_plus=p.a_plus, a_minus=p.a_minus,
                    w_max=2.0 * weight,
                )  # fmt: skip
                net.projection(pre, post, connector, weight=weight, delay=p.delay, rule=rule)
            else:
                net.projection(pre, post, connector, weight=weight, delay=p.delay)
    for post, size in zip(POPULATIONS, (p.n_exc, p.n_inh), strict=True):
        external = net.population(f"external {post}", size, Poisson(p.external_hz()))
        net.projection(external, post, one_to_one(), weight=p.j, delay=p.delay)
    return net
