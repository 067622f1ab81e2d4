"""What plastic synapses cost: presynaptic deliveries with everything that a rule does at them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.cores import simulation_of
from benchmarks.networks.plastic import RULES, plastic
from benchmarks.process import Record, run_function
from benchmarks.rung import SPIKEMESH, Measured, Options, Rung, Subject, table

ORDER = 3.5
RATE_HZ, DOPAMINE_HZ = 20.0, 5.0


def run(rule: str, n_inputs: int, n_cells: int, duration: float, seed: int) -> Record:
    """Run for ``duration`` ms after a tenth of it; compiled before the clock starts."""
    network = plastic(rule, n_inputs, n_cells, RATE_HZ, DOPAMINE_HZ, seed)
    simulation = simulation_of(network)
    simulation.run(0.1 * duration)
    first, before = simulation.deliveries, simulation.spikes("cells")[0].size
    start = time.process_time()
    simulation.run(1.1 * duration)
    done = time.process_time()
    return {
        "simulate_cpu_s": done - start,
        "work": simulation.deliveries - first,
        "rate_hz": (simulation.spikes("cells")[0].size - before) / n_cells / duration * 1000.0,
    }


def subjects(options: Options) -> Sequence[Subject]:
    """Both rules, here and in NEST."""
    n_inputs, n_cells = (20, 5) if options.tiny else (1_000, 100)
    duration = options.size(5_000.0, 1_000.0, 100.0)
    given = {"n_inputs": n_inputs, "n_cells": n_cells}

    def ours(rule: str) -> Callable[[int], Record]:
        more = {**given, "rule": rule, "duration": duration}
        return lambda seed: run_function(f"{__name__}:run", {**more, "seed": seed})

    def nest(rule: str) -> Callable[[int], Record]:
        rates = {"rate_hz": RATE_HZ, "dopamine_hz": DOPAMINE_HZ}
        more = {**given, **rates, "rule": rule, "duration": duration / 2.0}
        return lambda seed: options.peers.nest.run("nest_plastic.py", {**more, "seed": seed})

    missing = options.peers.nest.missing
    found = []
    for rule in RULES:
        found.append(Subject(f"{SPIKEMESH}, {rule}", ours(rule)))
        theirs = None if missing else nest(rule)
        found.append(Subject(f"NEST, {rule}", theirs, missing, peer=True))
    return found


def section(measured: Measured, folder: Path) -> Sequence[str]:
    """The table."""
    rows = [
        (
            name,
            len(measured[name]),
            f"{measured.median(name, 'rate_hz'):.1f}",
            f"{measured.median(name, 'work') / 1e6:.3g}",
            f"{measured.median(name, 'simulate_cpu_s'):.3g}",
            f"{1e-6 / measured.cost(name):.3g}",
        )
        for name in measured.subjects
    ]
    return [
        "1,000 Poisson inputs at 20 Hz onto 100 neurons, all to all: additive pair STDP, and STDP "
        "that dopamine turns into weight, with 5 releases a second. Neurons, inputs and recording "
        "are included.",
        "",
        *table(
            (
                "simulator and rule",
                "runs",
                "output rate (Hz)",
                "million deliveries",
                "CPU time (s)",
                "million presynaptic deliveries per CPU second",
            ),
            rows,
        ),
    ]


RUNG = Rung("plastic", "Plastic synapses", subjects, section)
