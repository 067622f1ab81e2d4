"""Run a benchmark network in Brian2's C++ standalone mode, on one core.

``python brian2_run.py parameters.json result.json``; the parameters are those of ``nest_run.py``
(without ``precise``: there is a grid only).  Time and memory are those of the compiled program.
"""

import json
import sys
import tempfile
import time

import brian2 as b
import numpy as np
from brian2 import Hz, ms, mV
from standalone import begin, build_and_run


def cuba(p, drawn):
    names = {
        "taum": p["tau_m"] * ms,
        "taue": p["tau_exc"] * ms,
        "taui": p["tau_inh"] * ms,
        "El": p["v_rest"] * mV,
        "Vt": p["v_th"] * mV,
        "Vr": p["v_reset"] * mV,
    }
    equations = """
        dv/dt = (ge + gi - (v - El)) / taum : volt (unless refractory)
        dge/dt = -ge / taue : volt
        dgi/dt = -gi / taui : volt
    """
    cells = b.NeuronGroup(
        p["n_exc"] + p["n_inh"],
        equations,
        threshold="v > Vt",
        reset="v = Vr",
        refractory=p["t_ref"] * ms,
        method="exact",
        namespace=names,
    )
    cells.v = (
        np.concatenate([drawn["exc/v"], drawn["inh/v"]]) * mV
        if drawn is not None
        else "Vr + rand() * (Vt - Vr)"
    )
    parts = {"exc": cells[: p["n_exc"]], "inh": cells[p["n_exc"] :]}
    made = [cells]
    for pre, port, weight in (("exc", "ge", p["w_exc"]), ("inh", "gi", p["w_inh"])):
        for post in ("exc", "inh"):
            synapses = b.Synapses(
                parts[pre],
                parts[post],
                on_pre=f"{port}_post += w",
                delay=p["delay"] * ms,
                namespace={"w": weight * mV},
            )
            if drawn is not None:
                synapses.connect(i=drawn[f"{pre}->{post}/pre"], j=drawn[f"{pre}->{post}/post"])
            elif pre == post:
                synapses.connect("i != j", p=p["probability"])
            else:
                synapses.connect(p=p["probability"])
            made.append(synapses)
    return cells, made


# Additive, all pairs; the traces belong to synapses, as in Brian2's own examples.
PAIR_STDP = {
    "model": """
        w : volt
        dx/dt = -x / tau : 1 (event-driven)
        dy/dt = -y / tau : 1 (event-driven)
    """,
    "on_pre": """
        v_post += w
        w = clip(w - a_minus * y * w_max, 0 * mV, w_max)
        x += 1
    """,
    "on_post": """
        w = clip(w + a_plus * x * w_max, 0 * mV, w_max)
        y += 1
    """,
}


def pair_stdp(p):
    return {
        "a_plus": p["a_plus"],
        "a_minus": p["a_minus"],
        "tau": p["tau_stdp"] * ms,
        "w_max": 2.0 * p["j"] * mV,
    }


def brunel(p, drawn):
    cells = b.NeuronGroup(
        p["n_exc"] + p["n_inh"],
        "dv/dt = -v / taum : volt (unless refractory)",
        threshold="v > Vt",
        reset="v = Vr",
        refractory=p["t_ref"] * ms,
        method="exact",
        namespace={
            "taum": p["tau_m"] * ms,
            "Vt": p["v_th"] * mV,
            "Vr": p["v_reset"] * mV,
        },
    )
    parts = {"exc": cells[: p["n_exc"]], "inh": cells[p["n_exc"] :]}
    made = [cells]
    for pre, degree, weight in (
        ("exc", p["c_exc"], p["j"]),
        ("inh", p["c_inh"], -p["g"] * p["j"]),
    ):
        for post in ("exc", "inh"):
            plastic = p.get("a_plus") and pre == post == "exc"
            synapses = b.Synapses(
                parts[pre],
                parts[post],
                delay={"pre": p["delay"] * ms},
                namespace=pair_stdp(p) if plastic else {"w": weight * mV},
                # No jump while refractory: v is marked so above.
                **(PAIR_STDP if plastic else {"on_pre": "v_post += w"}),
            )
            if drawn is not None:
                synapses.connect(i=drawn[f"{pre}->{post}/pre"], j=drawn[f"{pre}->{post}/post"])
            else:
                size = p[f"n_{pre}"]
                if pre == post:  # a sample of all but the neuron itself
                    own = f"k + int(k >= j) for k in sample({size - 1}, size={degree})"
                else:
                    own = f"k for k in sample({size}, size={degree})"
                synapses.connect(i=own)
            if plastic:
                synapses.w = p["j"] * mV
            made.append(synapses)
    rate = 1000.0 * p["eta"] * p["v_th"] / (p["j"] * p["tau_m"])
    made.append(b.PoissonInput(cells, "v", p["c_exc"], rate / p["c_exc"] * Hz, p["j"] * mV))
    return cells, made


def main(given, result):
    with open(given) as file:
        d = json.load(file)
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        begin(folder, d["resolution"])
        b.seed(d["seed"])
        drawn = np.load(d["drawn"]) if d.get("drawn") else None
        cells, made = {"cuba": cuba, "brunel": brunel}[d["network"]](d["p"], drawn)
        monitor = b.SpikeMonitor(cells)
        network = b.Network(*made, monitor)
        network.run(d["duration"] * ms)
        described = time.process_time()
        record = build_and_run(folder)
        times, neurons = np.asarray(monitor.t / ms), np.asarray(monitor.i)
        record |= {
            "describe_cpu_s": described - start,
            "spikes": int(times.size),
            "synapses": int(sum(len(s) for s in made if isinstance(s, b.Synapses))),
            "version": b.__version__,
        }
        if d.get("spikes"):
            n = d["p"]["n_exc"]
            first = neurons < n
            np.savez(
                d["spikes"],
                **{
                    "exc/t": times[first],
                    "exc/i": neurons[first],
                    "inh/t": times[~first],
                    "inh/i": neurons[~first] - n,
                },
            )
    with open(result, "w") as file:
        json.dump(record, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
