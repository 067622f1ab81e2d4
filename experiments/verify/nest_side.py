"""A described network in NEST: `python nest_side.py IN.npz OUT.npz`.

In a process of its own, because NEST reads the command line, prints as it starts, and keeps one
kernel for all; it needs numpy and NEST alone, so the interpreter may be another one. Currents of
our models are in units of the potential: with C_m = tau_m in pF a current in pA is one in mV.
Conductances are in units of the leak.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["load", "run", "save"]

_MODELS = {
    "delta": "iaf_psc_delta_ps",
    "exp": "iaf_psc_exp_ps",
    "alpha": "iaf_psc_alpha_ps",
    "cond": "iaf_cond_exp",
}
_LEAK = 10.0  # nS
_TICS = 2**14  # per ms; a binary fraction, so that grid times are exact
_STEP = 2.0**-7  # ms; precise neurons fire off the grid all the same


def save(path: Path, description: dict[str, Any]) -> None:
    """Write a description; arrays as they are, the rest as JSON."""
    arrays = {k: v for k, v in description.items() if isinstance(v, np.ndarray)}
    rest = {k: v for k, v in description.items() if k not in arrays}
    np.savez(path, rest=json.dumps(rest), **arrays)  # type: ignore[arg-type]


def load(path: Path) -> dict[str, Any]:
    """Read a description."""
    with np.load(path) as file:
        arrays = {k: file[k] for k in file.files if k != "rest"}
        rest: dict[str, Any] = json.loads(str(file["rest"]))
    return arrays | rest


def run(d: dict[str, Any]) -> tuple[Any, Any]:
    """Spike times (ms) and neurons, ordered by time."""
    import nest

    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    precise = d["model"] != "cond"
    if precise:
        nest.set(tics_per_ms=_TICS, resolution=_STEP)
    else:
        nest.set(tics_per_ms=1000, resolution=d["resolution"])
    cells = nest.Create(_MODELS[d["model"]], len(d["v0"]), _parameters(d))
    cells.V_m = [float(v) for v in d["v0"]]
    _connect_inputs(nest, d, cells, precise)
    if d["pre"].size:
        _connect_recurrently(nest, d, cells)
    recorder = nest.Create("spike_recorder", {"record_to": "memory"})
    nest.Connect(cells, recorder)
    nest.Simulate(float(d["duration"]))
    times = np.asarray(recorder.events["times"])
    neurons = np.asarray(recorder.events["senders"]) - cells.tolist()[0]
    order = np.lexsort((neurons, times))
    return times[order], neurons[order]


def _parameters(d: dict[str, Any]) -> dict[str, float]:
    p = d["neuron"]
    made = {"E_L": p["v_rest"], "V_th": p["v_th"], "V_reset": p["v_reset"], "t_ref": p["t_ref"]}
    if d["model"] == "cond":
        made |= {"g_L": _LEAK, "C_m": p["tau_m"] * _LEAK, "I_e": p["bias"] * _LEAK}
        made |= {"E_ex": p["e_exc"], "E_in": p["e_inh"]}
    else:
        made |= {"tau_m": p["tau_m"], "C_m": p["tau_m"], "I_e": p["bias"]}
    if d["model"] != "delta":
        made |= {"tau_syn_ex": p["tau_exc"], "tau_syn_in": p["tau_inh"]}
    return made


def _connect_inputs(nest: Any, d: dict[str, Any], cells: Any, precise: bool) -> None:
    """A synapse without delay does not exist in NEST: inputs are sent earlier by their delay."""
    delay = 2 * _STEP if precise else 0.03
    unit = _LEAK if d["model"] == "cond" else 1.0
    weight = d["input_weights"] * unit
    for i, cell in enumerate(cells):
        own = np.flatnonzero(d["input_neurons"] == i)
        for w in np.unique(weight[own]):
            times = np.sort(d["input_times"][own[weight[own] == w]]) - delay
            if not precise:
                times = np.round(times * 1000.0) / 1000.0  # as tics are written
            generator = nest.Create("spike_generator")
            generator.set(precise_times=precise, spike_times=times.tolist())
            nest.Connect(generator, cell, "one_to_one", {"weight": float(w), "delay": delay})


def _connect_recurrently(nest: Any, d: dict[str, Any], cells: Any) -> None:
    """Connect rounds delays to the resolution; setting them afterwards does not."""
    ids = np.asarray(cells.tolist())
    synapse = {"synapse_model": "cont_delay_synapse", "weight": d["weight"], "delay": d["delay"]}
    nest.Connect(ids[d["pre"]], ids[d["post"]], "one_to_one", synapse)
    made = nest.GetConnections(synapse_model="cont_delay_synapse")
    pair = np.asarray(made.source) * (ids[-1] + 1) + np.asarray(made.target)  # pairs are unique
    wanted = ids[d["pre"]] * (ids[-1] + 1) + ids[d["post"]]
    order = np.argsort(wanted)
    made.set({"delay": d["delay"][order[np.searchsorted(wanted, pair, sorter=order)]].tolist()})


if __name__ == "__main__":
    source, result = Path(sys.argv[1]), Path(sys.argv[2])
    sys.argv = sys.argv[:1]
    times, neurons = run(load(source))
    np.savez(result, times=times, neurons=neurons)
