"""A busy network with every kind of projection, for the checks of the engine.

It has sparse and all-to-all projections, fractional, equal and zero delays, rules on three of them,
a Poisson source, and neurons that the compiled engine treats in three ways: left alone until they
might fire ("alone"), advanced at every arrival ("each"), advanced together ("together").
"""

from __future__ import annotations

from typing import Any

from encoders import Poisson, SpikeTimes
from neurons import LIFDelta, LIFExp
from plasticity import WTCRL, ExponentialDrift, PairSTDP
from simulator import Network, all_to_all, fixed_in_degree, fixed_probability, uniform

__all__ = ["COMPARED", "POPULATIONS", "busy_network", "shared_loop"]

POPULATIONS = ("in", "alone", "each", "together")
COMPARED = ("in->each", "in->alone", "each->each")  # projections that learn


def shared_loop(net: Network) -> None:
    """Add idle neurons and synapses, so that all networks here share one compiled loop: it is
    compiled for the models and rules of a network in the order of their first use."""
    source = net.population("idle source", 1, SpikeTimes([]))
    net.population("idle exp", 1, LIFExp())
    target = net.population("idle delta", 1, LIFDelta())
    for rule in (WTCRL(), ExponentialDrift(), PairSTDP()):
        net.projection(source, target, all_to_all(), rule=rule, name=f"idle {type(rule).__name__}")


def busy_network(seed: int, order: int = 1, alone: bool = True) -> Network:
    """The network; ``order`` -1 describes its populations the other way round, ``alone`` False
    leaves out the neurons that are left alone."""
    net = Network(seed=seed)
    shared_loop(net)
    currents = {"tau_m": 10.0, "tau_inh": 6.0, "t_ref": 1.5}
    start = {"v": uniform(0.0, 0.9)}
    described: dict[str, tuple[int, Any, Any]] = {
        "in": (30, Poisson(120.0), None),
        # With a time constant equal to the membrane's there are no modes to leave alone.
        "each": (25, LIFExp(tau_exc=10.0, bias=0.4, **currents), start),
        "together": (12, LIFExp(tau_exc=2.0, bias=0.9, **currents), start),
    }
    if alone:
        described["alone"] = (40, LIFExp(tau_exc=3.0, bias=0.6, **currents), start)
    for name in list(described)[::order]:
        net.population(name, *described[name])
    delay = uniform(0.1, 3.0)
    pairs = PairSTDP(tau_minus=30.0, a_plus=0.01, a_minus=0.012)
    net.projection("in", "each", fixed_probability(0.4), uniform(0.1, 0.7), delay, rule=pairs)
    net.projection("each", "each", fixed_in_degree(5), uniform(0.2, 0.6), delay, rule=WTCRL())
    drift = ExponentialDrift(w_start=-0.05, w_end=-0.1, tau=80.0)
    net.projection("together", "together", all_to_all(False), 1.0, 0.5, "inhibitory", drift)
    net.projection("in", "together", all_to_all(), 0.15, 0.3)
    net.projection("together", "each", fixed_probability(0.5), -0.3, 0.0, "inhibitory")
    if alone:
        net.projection(
            "in", "alone", fixed_probability(0.3), uniform(0.2, 0.9), delay, rule=WTCRL()
        )
        net.projection("alone", "alone", fixed_probability(0.2), 0.25, delay)
        net.projection("each", "alone", fixed_probability(0.2), uniform(0.1, 0.4), 0.7)
        net.projection("together", "alone", fixed_probability(0.3), -0.2, delay, "inhibitory")
        net.projection("alone", "each", fixed_probability(0.1), 0.2, delay)
    net.record_spikes(*described)
    return net
