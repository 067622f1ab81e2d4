"""Training presentations per second of processor time: symmetric STDP on digits, 400 neurons."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.peers import Peer
from benchmarks.process import Record, run_function
from benchmarks.rung import SPIKEMESH, Measured, Options, Rung, Subject, shown, table
from experiments.dastdp import Config, model_of
from experiments.dastdp_parts import network as net
from experiments.dastdp_parts.paper import PROGRAM_INHIBITION
from experiments.dastdp_parts.presenting import (
    HZ_PER_GREY,
    PRESENTATION_MS,
    REST_MS,
    Presenter,
)
from experiments.datasets import embedded_digits
from plasticity import SymmetricSTDP
from simulator.errors import DataError

ORDER = 3.7
N = 400
BRIAN2 = "Brian2, C++, grid of 0.5 ms"
BRIAN2_NEURONS = f"{BRIAN2}, traces kept by neurons"
ROW_MS = 50.0  # of the rates that Brian2 gets
GRID_MS = 0.5
NEXT_TO_NOTHING = 1e-12


def train(n: int, images: int, seed: int) -> Record:
    """Train on so many of the digits in the package; compiled and warm before the clock starts."""
    digits, labels = embedded_digits("train")
    model = _model(n, seed)
    simulation = model.training()
    totals = {net.INPUT_HIDDEN: model.hidden_total, net.HIDDEN_TAUGHT: model.output_total}
    presenter = Presenter(simulation, [net.HIDDEN], totals)
    presenter.show(digits[-1].ravel(), int(labels[-1]))
    spikes = attempts = 0
    before, start = simulation.deliveries, time.process_time()
    for k in range(images):
        answer = presenter.show(digits[k].ravel(), int(labels[k]))
        spikes += int(answer.counts[net.HIDDEN].sum())
        attempts += answer.attempts
    seconds = time.process_time() - start
    return {
        "work": attempts,
        "spikes_per_presentation": spikes / images,
        "deliveries": simulation.deliveries - before,
        "simulate_cpu_s": seconds,
    }


def train_brian2(peer: Peer, n: int, images: int, seed: int, traces: str) -> Record:
    """The same digits and labels in Brian2; each is shown once.

    Initial weights are smaller by what a step of the grid adds to the charge of an exponential.
    Nothing scales weights between presentations there, so that they would grow until all neurons
    fire: they learn at a rate that is lost in rounding, with the same operations.
    """
    digits, labels = embedded_digits("train")
    model = _model(n, seed)
    simulation = model.training()
    simulation.normalise_weights(net.INPUT_HIDDEN, model.hidden_total)
    simulation.normalise_weights(net.HIDDEN_TAUGHT, model.output_total)
    on, off = round(PRESENTATION_MS / ROW_MS), round(REST_MS / ROW_MS)
    shown = np.repeat(np.arange(images), on + off)
    lit = np.tile(np.arange(on + off) < on, images)[:, None]
    rule = SymmetricSTDP().parameters
    grid_charge = GRID_MS / -np.expm1(-GRID_MS)  # of a conductance of 1 ms
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "arrays.npz"
        np.savez(
            file,
            rates_hz=HZ_PER_GREY * digits.reshape(len(digits), -1)[shown] * lit,
            labels_hz=net.TEACHER_HZ * np.eye(net.CLASSES)[labels[shown]] * lit,
            hidden=simulation.weights(net.INPUT_HIDDEN) / grid_charge,
            output=simulation.weights(net.HIDDEN_TAUGHT),
        )
        record = peer.run(
            "brian2_dastdp.py",
            {
                "arrays": str(file),
                "duration": images * (PRESENTATION_MS + REST_MS),
                "resolution": GRID_MS,
                "traces": traces,
                "seed": seed,
                "network": {
                    "tau": rule.tau,
                    "increment": rule.increment,
                    "nu_hidden": NEXT_TO_NOTHING,
                    "nu_output": NEXT_TO_NOTHING,
                    "kappa": model.kappa,
                    "tau_theta": model.tau_theta,
                    "v_th": model.v_th,
                    "w_hidden": net.W_HIDDEN,
                    "w_output": model.output_ceiling,
                    "excite": net.EXCITE_PARTNER,
                    "inhibition": model.inhibition / grid_charge,
                },
            },
        )
    per_presentation = record["spikes"] / images
    if per_presentation > n:
        raise DataError(
            f"{per_presentation:,.0f} hidden spikes a presentation: the potentials have run away "
            "on the grid, and what that costs says nothing"
        )
    return {**record, "work": images, "spikes_per_presentation": per_presentation}


def subjects(options: Options) -> Sequence[Subject]:
    """Ours for some seconds, Brian2 for fewer presentations."""
    n = int(options.size(N, N, 4))
    images, images_peer = int(options.size(500, 100, 3)), int(options.size(50, 20, 2))
    where = f"{__name__}:train"
    brian2 = options.peers.brian2

    def engine(seed: int) -> Record:
        return run_function(where, {"n": n, "images": images, "seed": seed})

    def peer(seed: int, traces: str = "synapses") -> Record:
        return train_brian2(brian2, n, images_peer, seed, traces)

    kinds = ((BRIAN2, peer), (BRIAN2_NEURONS, partial(peer, traces="neurons")))
    return [
        Subject(SPIKEMESH, engine),
        *(
            Subject(name, None if brian2.missing else measure, brian2.missing, peer=True)
            for name, measure in kinds
        ),
    ]


def section(measured: Measured, folder: Path) -> Sequence[str]:
    """The table; ratios are speeds over ours."""
    rows = []
    ours = measured.cost(SPIKEMESH)
    for name in measured.subjects:
        cost = measured.cost(name)
        rows.append(
            (
                name,
                len(measured[name]),
                f"{measured.median(name, 'work'):,.0f}",
                f"{measured.median(name, 'spikes_per_presentation'):.1f}",
                f"{measured.median(name, 'simulate_cpu_s'):.3g}",
                shown(1.0 / cost),
                f"{cost / ours:.3g}",
            )
        )
    return [
        f"784 Poisson inputs, {N} hidden neurons that inhibit each other and 10 that a label makes "
        "fire, 350 ms of a digit and 150 ms of rest, a rule at every spike (experiment `dastdp`). "
        "Brian2 runs it as the source's program does, in single precision with Euler's method, "
        "and is spared the scaling of weights between presentations. Its documentation keeps the "
        "traces of STDP at every synapse; one a neuron is enough here, and less work.",
        "",
        *table(
            (
                "simulator",
                "runs",
                "presentations",
                "hidden spikes per presentation",
                "CPU time (s)",
                "presentations per CPU second",
                "Spikemesh is faster by",
            ),
            rows,
        ),
    ]


def _model(n: int, seed: int) -> net.Model:
    """With the program's inhibition: what the experiment uses instead is more than steps of 0.5 ms
    can follow."""
    return model_of(Config(n=n, data="embedded", inhibition=PROGRAM_INHIBITION), seed)


RUNG = Rung("dastdp", "Symmetric STDP: digits shown to a network that learns", subjects, section)
