"""Symmetric STDP in Brian2's C++ standalone mode: ``python brian2_dastdp.py parameters.json
result.json``.

As the source's own program does it: Euler's method in steps of 0.5 ms and single precision.  Traces
are kept by every synapse, as Brian2's documentation has it, or by the neurons, which is less work:
``traces``, "synapses" or "neurons".  Weights are not scaled between presentations, which standalone
mode has no cheap way of; they begin scaled.
Parameters: ``network`` by name, ``arrays``, an npz file with ``rates_hz`` (one row for each 50 ms,
by input), ``labels_hz`` (the same by class) and initial weights ``hidden`` and ``output``,
``duration`` in ms.
"""

import json
import sys
import tempfile

import brian2 as b
import numpy as np
from brian2 import Hz, ms
from standalone import begin, build_and_run

ROW_MS = 50.0
SOURCE = """
    dx/dt = -x / tau : 1
    told : 1  # what arrives there has no effect
    rate = {rates}(t, i) : Hz
"""
CELL = """
    dv/dt = (v_rest - v - ge * v + gi * (e_inh - v)) / tau_m : 1 (unless refractory)
    dge/dt = -ge / tau_syn : 1
    dgi/dt = -gi / tau_syn : 1
"""
HIDDEN = """
    dtheta/dt = -theta / tau_theta : 1
    dy/dt = -y / tau : 1
"""
# By where traces are kept: equations, what an arrival does, what a spike of the target does.
RULES = {
    "neurons": (
        "w : 1",
        "{send}; w = clip(w + nu * {y}_post, 0, w_max)",
        "w = clip(w + nu * {x}_pre, 0, w_max)",
    ),
    "synapses": (
        """
        w : 1
        dsx/dt = -sx / tau : 1 (event-driven)
        dsy/dt = -sy / tau : 1 (event-driven)
        """,
        "{send}; w = clip(w + nu * sy, 0, w_max); sx += increment",
        "w = clip(w + nu * sx, 0, w_max); sy += increment",
    ),
}


def cells(n, equations, reset, threshold, p, **numbers):
    """Conductance neurons that rest for 2 ms after a spike."""
    return b.NeuronGroup(
        n,
        CELL + equations,
        threshold=threshold,
        reset=reset,
        refractory=2 * ms,
        method="euler",
        namespace={
            "tau_syn": 1 * ms,
            "tau": p["tau"] * ms,
            "tau_theta": p["tau_theta"] * ms,
            "increment": p["increment"],
            "kappa": p["kappa"],
            "v_th": p["v_th"],
            "e_inh": -100.0,
            **numbers,
        },
    )


def main(given, result):
    with open(given) as file:
        d = json.load(file)
    p = d["network"]
    with np.load(d["arrays"]) as file:
        arrays = dict(file)
    with tempfile.TemporaryDirectory() as folder:
        b.prefs.core.default_float_dtype = np.float32
        begin(folder, d["resolution"])
        b.seed(d["seed"])
        n_inputs, n = arrays["hidden"].shape
        n_classes = arrays["output"].shape[1]
        rates = b.TimedArray(arrays["rates_hz"] * Hz, dt=ROW_MS * ms)
        labels = b.TimedArray(arrays["labels_hz"] * Hz, dt=ROW_MS * ms)
        traces = {"tau": p["tau"] * ms, "increment": p["increment"]}

        def source(size, name, array):
            return b.NeuronGroup(
                size,
                SOURCE.format(rates=name),
                threshold="rand() < rate * dt",
                reset="x += increment",
                method="exact",
                namespace={**traces, name: array},
            )

        inputs = source(n_inputs, "rates", rates)
        taught = source(n_classes, "labels", labels)
        hidden = cells(
            n,
            HIDDEN,
            "v = -65; y += increment; theta += kappa / abs(theta / 10 - 1)",
            "v > v_th + theta",
            p,
            v_rest=-65.0,
            tau_m=100 * ms,
        )
        hidden.v, hidden.theta = -105, 20
        # Where several neurons inhibit in one step, Euler's method leaps over the reversal
        # potential; the program has the same bound.
        hidden.run_regularly("v = clip(v, -100, 1e9)", when="after_groups")
        partners = cells(n, "", "v = -45", "v > -40", p, v_rest=-60.0, tau_m=10 * ms)
        partners.v = -100

        equations, on_pre, on_post = RULES[d["traces"]]

        def plastic(pre, post, layer, x, y, send):
            names = {"x": x, "y": y, "send": send}
            synapses = b.Synapses(
                pre,
                post,
                equations,
                on_pre=on_pre.format(**names),
                on_post=on_post.format(**names),
                namespace={"nu": p[f"nu_{layer}"], "w_max": p[f"w_{layer}"], **traces},
            )
            synapses.connect()
            synapses.w = arrays[layer].ravel()
            return synapses

        afferent = plastic(inputs, hidden, "hidden", "x", "y", "ge_post += w")
        output = plastic(hidden, taught, "output", "y", "x", "told_post += w")
        excite = b.Synapses(hidden, partners, on_pre=f"ge_post += {p['excite']}")
        excite.connect("i == j")
        inhibit = b.Synapses(partners, hidden, on_pre=f"gi_post += {p['inhibition']}")
        inhibit.connect("i != j")
        monitor = b.SpikeMonitor(hidden)
        counter = b.SpikeMonitor(inputs, record=False)
        network = b.Network(
            inputs, taught, hidden, partners, afferent, output, excite, inhibit, monitor, counter
        )
        network.run(d["duration"] * ms)
        record = build_and_run(folder)
        record |= {
            "spikes": int(monitor.num_spikes),
            "input_spikes": int(counter.num_spikes),
            "version": b.__version__,
        }
    with open(result, "w") as file:
        json.dump(record, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
