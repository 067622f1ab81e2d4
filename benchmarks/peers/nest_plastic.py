"""Plastic synapses in NEST: ``python nest_plastic.py parameters.json result.json``.

Parameters: ``rule`` ("pair STDP" or "dopamine STDP"), ``n_inputs``, ``n_cells``, ``rate_hz``,
``dopamine_hz``, ``duration`` (ms), ``seed``.  Grid of 0.1 ms, one thread.
"""

import json
import sys
import time

import nest


def main(given, result):
    with open(given) as file:
        d = json.load(file)
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.set(resolution=0.1, local_num_threads=1, rng_seed=d["seed"])
    generator = nest.Create("poisson_generator", params={"rate": d["rate_hz"]})
    inputs = nest.Create("parrot_neuron", d["n_inputs"])
    nest.Connect(generator, inputs)
    cells = nest.Create(
        "iaf_psc_exp",
        d["n_cells"],
        {
            "tau_m": 20.0,
            "C_m": 20.0,
            "tau_syn_ex": 5.0,
            "tau_syn_in": 5.0,
            "E_L": 0.0,
            "V_m": 0.0,
            "V_th": 15.0,
            "V_reset": 0.0,
            "t_ref": 2.0,
            "tau_minus": 20.0,
        },
    )
    synapse = {"weight": nest.random.uniform(0.1, 0.4), "delay": 1.0}
    if d["rule"] == "pair STDP":
        more = {
            "synapse_model": "stdp_synapse",
            "lambda": 0.001,
            "alpha": 1.05,
            "mu_plus": 0.0,
            "mu_minus": 0.0,
            "Wmax": 1.0,
        }
    else:
        transmitter = nest.Create("volume_transmitter")
        dopamine = nest.Create("parrot_neuron")
        nest.Connect(nest.Create("poisson_generator", params={"rate": d["dopamine_hz"]}), dopamine)
        nest.Connect(dopamine, transmitter)
        nest.CopyModel(
            "stdp_dopamine_synapse",
            "dopa",
            {
                "volume_transmitter": transmitter,
                "A_plus": 1e-4,
                "A_minus": 1.05e-4,
                "tau_n": 200.0,
                "tau_c": 1000.0,
                "Wmax": 1.0,
            },
        )
        more = {"synapse_model": "dopa"}
    nest.Connect(inputs, cells, "all_to_all", {**synapse, **more})
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    sent = nest.Create("spike_recorder")
    nest.Connect(inputs, sent)
    nest.Prepare()
    built = time.process_time()
    nest.Run(d["duration"])
    done = time.process_time()
    nest.Cleanup()
    record = {
        "simulate_cpu_s": done - built,
        "work": int(sent.n_events) * d["n_cells"],
        "rate_hz": recorder.n_events / d["n_cells"] / d["duration"] * 1000.0,
        "version": nest.__version__,
    }
    with open(result, "w") as file:
        json.dump(record, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
