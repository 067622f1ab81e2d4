"""Training presentations per second of processor time: W-TCRL with 64 neurons on digits."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import Peer
from benchmarks.process import Record, run_function
from benchmarks.rung import SPIKEMESH, Measured, Options, Rung, Subject, shown, table
from experiments.wtcrl_parts.network import AFFERENT, C_MAX, C_MIN, CODE, LAYER, Model
from experiments.wtcrl_parts.patches import load_patches
from plasticity import WTCRL
from simulator.reference import Reference

ORDER = 3
M, SIDE, TAU_M = 64, 5, 1.5
READABLE = f"{SPIKEMESH}, readable engine"
BRIAN2 = "Brian2, C++, grid of 0.1 ms"


def train(m: int, n: int, seed: int, readable: bool = False) -> Record:
    """Train on ``n`` patches of the digits in the package; compiled before the clock starts."""
    model, patches = _model(m, n, seed)
    if readable:
        simulation: Any = Reference(model.training(patches, 0.0).network)
    else:
        model.training(patches[:1], 0.0).run(1.0)
        simulation = model.training(patches, 0.0)
    start = time.process_time()
    simulation.run(n * CODE.period_ms)
    done = time.process_time()
    return _record(n, simulation.spikes(LAYER)[0].size, simulation.weights(AFFERENT)) | {
        "simulate_cpu_s": done - start
    }


def train_brian2(peer: Peer, m: int, n: int, seed: int) -> Record:
    """The same patches and initial weights in Brian2."""
    model, patches = _model(m, n, seed)
    latencies = CODE.latencies(patches).reshape(n, -1)
    times = latencies + CODE.period_ms * np.arange(n)[:, None]
    rule = WTCRL().parameters
    theta = model.threshold
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "arrays.npz"
        order = np.argsort(times, axis=None, kind="stable")
        np.savez(
            file,
            times=times.ravel()[order],
            neurons=np.tile(np.arange(model.n_inputs), n)[order],
            weights=model.training(patches[:1], 0.0).weights(AFFERENT),
        )
        record = peer.run(
            "brian2_wtcrl.py",
            {
                "arrays": str(file),
                "duration": n * CODE.period_ms,
                "resolution": 0.1,
                "seed": seed,
                "network": {
                    **rule._asdict(),
                    "tau_m": TAU_M,
                    "tau_f": 2.8,
                    "tau_l": 0.3,
                    "t_ref": 6.0,
                    "theta": theta,
                    "w_start": -C_MIN * theta,
                    "w_end": -C_MAX * theta,
                    "tau_drift": model.drift_ms,
                },
            },
        )
    return {**record, "work": n, "spikes_per_patch": record["spikes"] / n}


def subjects(options: Options) -> Sequence[Subject]:
    """Ours for some seconds, Brian2 for fewer presentations, the readable engine for a few."""
    m = int(options.size(M, M, 4))
    n = int(options.size(20_000, 2_000, 10))
    n_peer, n_readable = int(options.size(2_000, 200, 10)), int(options.size(10, 4, 1))
    where = f"{__name__}:train"
    brian2 = options.peers.brian2

    def engine(seed: int) -> Record:
        return run_function(where, {"m": m, "n": n, "seed": seed})

    def readable(seed: int) -> Record:
        return run_function(where, {"m": m, "n": n_readable, "seed": seed, "readable": True})

    def peer(seed: int) -> Record:
        return train_brian2(brian2, m, n_peer, seed)

    return [
        Subject(SPIKEMESH, engine),
        Subject(READABLE, readable, once=True),
        Subject(BRIAN2, None if brian2.missing else peer, brian2.missing, peer=True),
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
                f"{measured.median(name, 'spikes_per_patch'):.2f}",
                f"{measured.median(name, 'mean_weight'):.3f}",
                f"{measured.median(name, 'simulate_cpu_s'):.3g}",
                shown(1.0 / cost),
                f"{cost / ours:.3g}",
            )
        )
    return [
        f"{M} neurons learn 5 x 5 patches of digits, 250 spikes a presentation of 25 ms, a rule at "
        "every one of them (experiment `wtcrl`). Brian2 runs it as the source's program does, in "
        "single precision with Euler's method; the encoder's spikes are given to it. On its grid "
        "several neurons can win a presentation, which is more work for the rule.",
        "",
        *table(
            (
                "simulator",
                "runs",
                "presentations",
                "spikes per presentation",
                "mean weight at the end",
                "CPU time (s)",
                "presentations per CPU second",
                "Spikemesh is faster by",
            ),
            rows,
        ),
    ]


def _model(m: int, n: int, seed: int) -> tuple[Model, Any]:
    patches = load_patches(
        "embedded",
        seed=seed,
        side=SIDE,
        n_train=n,
        n_curve=1,
        n_train_images=None,
        n_test_images=None,
        evaluate_on="test",
        data_dir=None,
    )
    return Model(m, SIDE**2, n, TAU_M, 0.0, seed), patches.scaled(patches.train)


def _record(n: int, n_spikes: int, weights: Any) -> Record:
    return {
        "work": n,
        "spikes": int(n_spikes),
        "spikes_per_patch": n_spikes / n,
        "mean_weight": float(np.mean(weights)),
    }


RUNG = Rung("wtcrl", "W-TCRL: learning at every spike", subjects, section)
