"""W-TCRL in Brian2's C++ standalone mode: ``python brian2_wtcrl.py parameters.json result.json``.

As the source's own program does it: Euler's method in steps of 0.1 ms and single precision.  The
encoder is given as its spikes, which is less work than to simulate it.  Parameters: ``network`` by
name (m, theta, ...), ``arrays``, an npz file with the encoder's spikes (``times`` in ms,
``neurons``) and the initial weights (``weights``, inputs by neurons), ``duration`` in ms.
"""

import json
import sys
import tempfile

import brian2 as b
import numpy as np
from brian2 import ms
from standalone import begin, build_and_run

NEURON = """
    dv/dt = (-v + sa + sl) / tau_m : 1 (unless refractory)
    dsa/dt = -sa / tau_f : 1
    dsl/dt = -sl / tau_l : 1
"""
SYNAPSE = """
    w : 1
    dx/dt = -x / tau_x : 1 (event-driven)
    dy/dt = -y / tau_y : 1 (event-driven)
"""
ON_PRE = """
    sa_post += w
    x = 1
    w = clip(w - int(y > epsilon) * a_minus * (1 - y), 0, 1)
"""
ON_POST = """
    y = 1
    w = clip(w + int(x > epsilon) * a_plus * (1 - x - w + w_offset), 0, 1)
"""


def main(given, result):
    with open(given) as file:
        d = json.load(file)
    p = d["network"]
    times = {k: p[k] * ms for k in ("tau_m", "tau_f", "tau_l", "tau_x", "tau_y", "tau_drift")}
    numbers = {k: v for k, v in p.items() if k not in times}
    with np.load(d["arrays"]) as file:
        arrays = dict(file)
    with tempfile.TemporaryDirectory() as folder:
        b.prefs.core.default_float_dtype = np.float32
        begin(folder, d["resolution"])
        b.seed(d["seed"])
        n_inputs, m = arrays["weights"].shape
        encoder = b.SpikeGeneratorGroup(n_inputs, arrays["neurons"], arrays["times"] * ms)
        layer = b.NeuronGroup(
            m,
            NEURON,
            threshold="v > theta",
            reset="v = 0",
            refractory=p["t_ref"] * ms,
            method="euler",
            namespace={**times, **numbers},
        )
        afferent = b.Synapses(
            encoder,
            layer,
            SYNAPSE,
            on_pre=ON_PRE,
            on_post=ON_POST,
            namespace={**times, **numbers},
        )
        afferent.connect()
        afferent.w = arrays["weights"].ravel()
        lateral = b.Synapses(
            layer,
            layer,
            on_pre="sl_post += w_end + (w_start - w_end) * exp(-t / tau_drift)",
            namespace={**times, **numbers},
        )
        lateral.connect("i != j")
        monitor = b.SpikeMonitor(layer)
        network = b.Network(encoder, layer, afferent, lateral, monitor)
        network.run(d["duration"] * ms)
        record = build_and_run(folder)
        record |= {
            "spikes": int(monitor.num_spikes),
            "mean_weight": float(np.mean(afferent.w[:])),
            "version": b.__version__,
        }
    with open(result, "w") as file:
        json.dump(record, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
