"""Run a benchmark network in NEST: ``python nest_run.py parameters.json result.json``.

Parameters: ``network`` ("cuba" or "brunel"), ``p`` its parameters by name, ``precise`` (spike
times off the grid), ``resolution`` (ms), ``duration`` (ms), ``seed``; optional ``drawn``, an npz
file with the connections (``exc->inh/pre`` and so on) and initial potentials (``exc/v``), and
``spikes``, an npz file to write.  One thread.
"""

import json
import re
import sys
import time

import nest
import numpy as np


def cuba(p, precise, drawn):
    model = "iaf_psc_exp_ps" if precise else "iaf_psc_exp"
    # With a capacitance of tau_m (pF), a current of 1 pA is a drive of 1 mV.
    cells = {
        name: nest.Create(
            model,
            p[f"n_{name}"],
            {
                "tau_m": p["tau_m"],
                "C_m": p["tau_m"],
                "tau_syn_ex": p["tau_exc"],
                "tau_syn_in": p["tau_inh"],
                "E_L": p["v_rest"],
                "V_th": p["v_th"],
                "V_reset": p["v_reset"],
                "t_ref": p["t_ref"],
            },
        )
        for name in ("exc", "inh")
    }
    for name, population in cells.items():
        population.V_m = (
            drawn[f"{name}/v"].tolist()
            if drawn is not None
            else nest.random.uniform(p["v_reset"], p["v_th"])
        )
    rule = {"rule": "pairwise_bernoulli", "p": p["probability"], "allow_autapses": False}
    weights = {"exc": p["w_exc"], "inh": p["w_inh"]}
    connect(cells, weights, p["delay"], {"exc": rule, "inh": rule}, drawn)
    return cells


def brunel(p, precise, drawn):
    model = "iaf_psc_delta_ps" if precise else "iaf_psc_delta"
    cells = {
        name: nest.Create(
            model,
            p[f"n_{name}"],
            {
                "tau_m": p["tau_m"],
                "C_m": p["tau_m"],
                "E_L": 0.0,
                "V_m": 0.0,
                "V_th": p["v_th"],
                "V_reset": p["v_reset"],
                "t_ref": p["t_ref"],
            },
        )
        for name in ("exc", "inh")
    }
    rules = {
        name: {
            "rule": "fixed_indegree",
            "indegree": p[f"c_{name}"],
            "allow_autapses": False,
            "allow_multapses": False,
        }
        for name in ("exc", "inh")
    }
    connect(cells, {"exc": p["j"], "inh": -p["g"] * p["j"]}, p["delay"], rules, drawn)
    generator = nest.Create(
        "poisson_generator_ps" if precise else "poisson_generator",
        params={"rate": 1000.0 * p["eta"] * p["v_th"] / (p["j"] * p["tau_m"])},
    )
    for population in cells.values():
        nest.Connect(generator, population, syn_spec={"weight": p["j"], "delay": p["delay"]})
    return cells


def connect(cells, weights, delay, rules, drawn):
    ids = {name: np.asarray(population.tolist()) for name, population in cells.items()}
    for pre, weight in weights.items():
        nest.CopyModel("static_synapse_hom_w", pre, {"weight": weight, "delay": delay})
        for post in cells:
            if drawn is None:
                nest.Connect(cells[pre], cells[post], rules[pre], {"synapse_model": pre})
                continue
            a, b = (drawn[f"{pre}->{post}/{side}"] for side in ("pre", "post"))
            for lo in range(0, a.size, 500_000):
                part = slice(lo, lo + 500_000)
                n = a[part].size
                nest.Connect(
                    ids[pre][a[part]],
                    ids[post][b[part]],
                    "one_to_one",
                    {"synapse_model": pre, "delay": np.full(n, delay)},
                )


def main(given, result):
    with open(given) as file:
        d = json.load(file)
    start = time.process_time()
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.set(resolution=d["resolution"], local_num_threads=1, rng_seed=d["seed"])
    drawn = np.load(d["drawn"]) if d.get("drawn") else None
    cells = {"cuba": cuba, "brunel": brunel}[d["network"]](d["p"], d["precise"], drawn)
    recorders = {}
    for name, population in cells.items():
        recorders[name] = nest.Create("spike_recorder")
        nest.Connect(population, recorders[name])
    nest.Prepare()
    built = time.process_time()
    nest.Run(d["duration"])
    done = time.process_time()
    nest.Cleanup()
    spikes = {name: recorder.n_events for name, recorder in recorders.items()}
    n_synapses = sum(nest.GetDefaults(name, "num_connections") for name in cells)
    record = {
        "build_cpu_s": built - start,
        "simulate_cpu_s": done - built,
        "spikes": int(sum(spikes.values())),
        "synapses": int(n_synapses),
        "version": nest.__version__,
    }
    if d.get("spikes"):
        arrays = {}
        for name, recorder in recorders.items():
            events = recorder.events
            arrays[f"{name}/t"] = np.asarray(events["times"])
            arrays[f"{name}/i"] = np.asarray(events["senders"]) - cells[name][0].global_id
        np.savez(d["spikes"], **arrays)
    with open("/proc/self/status") as file:
        record["peak_mb"] = int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) * 1024 / 1e6
    with open(result, "w") as file:
        json.dump(record, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
