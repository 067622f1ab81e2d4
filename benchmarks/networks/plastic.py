"""Poisson inputs onto a layer of neurons, all to all, plastic synapses: what learning costs."""

from __future__ import annotations

from encoders import Poisson
from neurons import Concentration, LIFExp
from plasticity import DopamineSTDP, PairSTDP
from simulator import Network, all_to_all, uniform

__all__ = ["RULES", "plastic"]

RULES = ("pair STDP", "dopamine STDP")


def plastic(
    rule: str, n_inputs: int, n_cells: int, rate_hz: float, dopamine_hz: float, seed: int
) -> Network:
    """``n_inputs`` Poisson inputs at ``rate_hz`` and ``n_cells`` neurons that fire at some 50 Hz.

    With dopamine STDP one more Poisson train, at ``dopamine_hz``, releases dopamine.
    """
    net = Network(seed=seed)
    u = net.population("inputs", n_inputs, Poisson(rate_hz))
    model = LIFExp(tau_m=20.0, tau_exc=5.0, tau_inh=5.0, v_th=15.0, v_reset=0.0, t_ref=2.0)
    v = net.population("cells", n_cells, model)
    weight = uniform(0.1, 0.4)
    if rule == "pair STDP":
        learning = PairSTDP(a_plus=0.001, a_minus=0.00105, w_max=1.0)
        net.projection(u, v, all_to_all(), weight, delay=1.0, rule=learning)
    else:
        dopamine = net.population("dopamine", 1, Concentration(tau=200.0))
        neuron = net.population("dopamine neuron", 1, Poisson(dopamine_hz))
        net.projection(neuron, dopamine, all_to_all(), weight=0.01, delay=1.0)
        net.projection(
            u, v, all_to_all(), weight, delay=1.0,
            rule=DopamineSTDP(a_plus=1e-4, a_minus=1.05e-4, w_max=1.0), modulator=dopamine,
        )  # fmt: skip
    net.record_spikes(v)
    return net
