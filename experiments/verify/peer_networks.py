"""Networks that this simulator and its peer can both run, described by numbers alone.

A description is a plain dict of numbers and arrays, so that the peer can run in a process of its
own: the name of the model, its parameters, initial potentials, recurrent synapses, and inputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from encoders import SpikeTimes
from neurons import LIFAlpha, LIFCond, LIFDelta, LIFExp
from simulator import Network, Simulation, explicit

__all__ = ["CASES", "conductance_neurons", "recurrent_network", "run_here"]

_MODELS = {"delta": LIFDelta, "exp": LIFExp, "alpha": LIFAlpha, "cond": LIFCond}
_LIF = {"tau_m": 20.0, "v_rest": 0.0, "v_th": 15.0, "v_reset": 0.0, "t_ref": 2.0, "bias": 0.0}

# name -> (model, neuron's parameters in ms and mV, weights of recurrent synapses and of inputs)
CASES: dict[str, tuple[str, dict[str, float], float, float]] = {
    "iaf_psc_delta_ps": ("delta", _LIF, 0.3, 0.8),
    "iaf_psc_exp_ps": ("exp", _LIF | {"tau_exc": 5.0, "tau_inh": 10.0}, 1.2, 3.0),
    "iaf_psc_exp_ps, equal tau": ("exp", _LIF | {"tau_exc": 5.0, "tau_inh": 5.0}, 1.2, 3.0),
    "iaf_psc_alpha_ps": ("alpha", _LIF | {"tau_exc": 2.0, "tau_inh": 4.0}, 1.2, 3.0),
    "iaf_psc_alpha_ps, equal tau": ("alpha", _LIF | {"tau_exc": 2.0, "tau_inh": 2.0}, 1.2, 3.0),
}


def recurrent_network(name: str, n: int = 400, duration: float = 300.0) -> dict[str, Any]:
    """``n`` neurons, 10 % connectivity, 80 % excitatory, delays anywhere from 0.5 to 3 ms."""
    model, neuron, weight, input_weight = CASES[name]
    rng = np.random.default_rng(1)
    pre, post = np.nonzero(rng.random((n, n)) < 0.1)
    count = rng.poisson(duration, n)  # 1000 Hz
    return {
        "model": model,
        "neuron": neuron,
        "v0": rng.uniform(0.0, 0.9, n) * neuron["v_th"],
        "duration": duration,
        "pre": pre,
        "post": post,
        "weight": np.where(pre < 0.8 * n, weight, -5.0 * weight),
        "delay": rng.uniform(0.5, 3.0, pre.size),
        "input_neurons": np.repeat(np.arange(n), count),
        "input_times": rng.uniform(1.0, duration, count.sum()),
        "input_weights": np.full(count.sum(), input_weight),
    }


def conductance_neurons(n: int = 40, duration: float = 300.0) -> dict[str, Any]:
    """Neurons without recurrent synapses, inputs on a grid of 0.03 ms, which steps of 0.01, 0.003
    and 0.001 ms all divide: what differs is the integration and the grid of the spikes."""
    rng = np.random.default_rng(1)
    ticks = [np.sort(rng.choice(np.arange(40, int(duration / 0.03)), 300, False)) for _ in range(n)]
    inhibitory = rng.random(300 * n) < 0.2
    neuron = {
        "tau_m": 20.0, "tau_exc": 5.0, "tau_inh": 10.0, "v_rest": -60.0, "e_exc": 0.0,
        "e_inh": -80.0, "v_th": -50.0, "v_reset": -60.0, "t_ref": 3.0, "bias": 0.0,
    }  # fmt: skip
    none = np.empty(0, np.int64)
    return {
        "model": "cond",
        "neuron": neuron,
        "v0": rng.uniform(-60.0, -51.0, n),
        "duration": duration,
        "pre": none,
        "post": none,
        "weight": np.empty(0),
        "delay": np.empty(0),
        "input_neurons": np.repeat(np.arange(n), 300),
        "input_times": np.concatenate(ticks) * 0.03,
        "input_weights": np.where(inhibitory, -0.3, 0.14),
    }


def run_here(d: dict[str, Any], **parameters: float) -> tuple[Any, Any]:
    """Spike times (ms) and neurons; ``parameters`` replace those of the description."""
    model = _MODELS[d["model"]]
    first, last = model.ports[0], model.ports[-1]
    net = Network(seed=1)
    n = len(d["v0"])
    channels = np.arange(d["input_times"].size)
    source = net.population("input", channels.size, SpikeTimes(d["input_times"], channels))
    cells = net.population("cells", n, model(**(d["neuron"] | parameters)), {"v": d["v0"]})
    recurrent = (cells, d["pre"], d["post"], d["weight"], d["delay"])
    inputs = (source, channels, d["input_neurons"], d["input_weights"], np.zeros(channels.size))
    for pre, i, j, weight, delay in (inputs, recurrent):
        for negative, port in ((False, first), (True, last)):
            k = np.flatnonzero((weight < 0) == negative)
            if k.size:
                # Conductances are positive on both ports.
                w = np.abs(weight[k]) if d["model"] == "cond" else weight[k]
                name = f"{pre.name} {'inhibitory' if negative else 'excitatory'}"
                net.projection(pre, cells, explicit(i[k], j[k]), w, delay[k], port, name=name)
    net.record_spikes(cells)
    simulation = Simulation(net)
    simulation.run(d["duration"])
    return simulation.spikes("cells")
