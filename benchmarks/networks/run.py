"""Run a benchmark network here or in a peer, and say what it cost: jobs for fresh processes.

Processor time is divided into: ``build_cpu_s``, from the description to the network ready to run;
``compile_cpu_s``, making or loading machine code; ``simulate_cpu_s``, the simulation with its
recording.  Deliveries are spikes times the mean number of synapses of a neuron, for everybody.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.cores import simulation_of
from benchmarks.networks.brunel import BrunelParameters, brunel
from benchmarks.networks.cuba import CubaParameters, cuba
from benchmarks.peers import Peers
from benchmarks.process import Record, resident_mb, run_function
from benchmarks.rung import SPIKEMESH, Subject
from neurons import LIFDelta, LIFExp
from simulator import Network
from simulator.reference import Reference

__all__ = [
    "PER_DELIVERY",
    "READABLE",
    "peer_subjects",
    "simulate",
    "simulate_readable",
    "spikemesh_subjects",
]

READABLE = f"{SPIKEMESH}, readable engine"
PER_DELIVERY = f"{SPIKEMESH}, every delivery by itself"

NETWORKS: Mapping[str, tuple[Any, Any]] = {
    "cuba": (CubaParameters, cuba),
    "brunel": (BrunelParameters, brunel),
}


# Networks of the same models, to compile them before anything is measured: a compiler leaves its
# memory behind.
SMALL: Mapping[str, Mapping[str, int]] = {
    "cuba": {"n_exc": 80, "n_inh": 20},
    "brunel": {"n_exc": 80, "n_inh": 20, "c_exc": 8, "c_inh": 2},
}


class EveryDeliveryExp(LIFExp):
    """The same neuron, advanced at each of its arrivals: what an untuned event loop does."""

    linear = False


class EveryDeliveryDelta(LIFDelta):
    """Likewise."""

    linear = False


PLAIN: Mapping[str, Any] = {"cuba": EveryDeliveryExp, "brunel": EveryDeliveryDelta}


def simulate(
    network: str,
    p: Mapping[str, Any],
    duration: float,
    seed: int,
    every_delivery: bool = False,
    spikes: str | None = None,
) -> Record:
    """Run a network for ``duration`` ms in the compiled engine."""
    before = resident_mb()
    start = time.process_time()
    description = _describe(network, p, seed, every_delivery)
    simulation = simulation_of(description)
    built = time.process_time()
    simulation.run(0.0)
    compiled = time.process_time()
    simulation.run(duration)
    done = time.process_time()
    found = {name: simulation.spikes(name) for name in ("exc", "inh")}
    if spikes is not None:
        _save_spikes(spikes, found)
    return {
        **_counts(network, p, duration, sum(t.size for t, _ in found.values())),
        "build_cpu_s": built - start,
        "compile_cpu_s": compiled - built,
        "simulate_cpu_s": done - compiled,
        "growth_mb": resident_mb() - before,
    }


def simulate_readable(network: str, p: Mapping[str, Any], duration: float, seed: int) -> Record:
    """The same in the readable engine."""
    start = time.process_time()
    simulation = Reference(_describe(network, p, seed))
    built = time.process_time()
    simulation.run(duration)
    done = time.process_time()
    n_spikes = sum(simulation.spikes(name)[0].size for name in ("exc", "inh"))
    return {
        **_counts(network, p, duration, n_spikes),
        "build_cpu_s": built - start,
        "simulate_cpu_s": done - built,
    }


def spikemesh_subjects(
    network: str, p: Any, duration: float, every_ms: float, readable_ms: float
) -> list[Subject]:
    """The engine, and plain ways of doing the same, each for its number of ms (0: not at all)."""
    given = {"network": network, "p": p._asdict(), "duration": duration}

    def compiled(**more: Any) -> Record:
        job = "benchmarks.networks.run:simulate"
        small = {"p": p._replace(**SMALL[network])._asdict(), "duration": 1.0}
        run_function(job, {**given, **more, **small})
        return run_function(job, {**given, **more})

    def engine(seed: int) -> Record:
        return compiled(seed=seed)

    def every_delivery(seed: int) -> Record:
        return compiled(seed=seed, every_delivery=True, duration=every_ms)

    def readable(seed: int) -> Record:
        return run_function(
            "benchmarks.networks.run:simulate_readable",
            {**given, "seed": seed, "duration": readable_ms},
        )

    subjects = [Subject(SPIKEMESH, engine), Subject(PER_DELIVERY, every_delivery, once=True)]
    if readable_ms:
        subjects.append(Subject(READABLE, readable, once=True))
    return subjects


def peer_subjects(
    network: str, p: Any, durations: tuple[float, float, float], peers: Peers
) -> list[Subject]:
    """NEST on the grid, NEST off the grid, Brian2; each for its own number of ms."""
    given = {"network": network, "p": p._asdict(), "resolution": 0.1}

    def nest(precise: bool, duration: float) -> Any:
        def measure(seed: int) -> Record:
            more = {"duration": duration, "seed": seed, "precise": precise}
            return _counted(network, p, duration, peers.nest.run("nest_run.py", {**given, **more}))

        return measure

    def brian2(seed: int) -> Record:
        more = {"duration": durations[2], "seed": seed}
        record = peers.brian2.run("brian2_run.py", {**given, **more})
        return _counted(network, p, durations[2], record)

    def subject(name: str, measure: Any, missing: str | None, once: bool = False) -> Subject:
        return Subject(name, None if missing else measure, missing, peer=True, once=once)

    return [
        subject("NEST, grid of 0.1 ms", nest(False, durations[0]), peers.nest.missing),
        subject("NEST, precise", nest(True, durations[1]), peers.nest.missing, once=True),
        subject("Brian2, C++, grid of 0.1 ms", brian2, peers.brian2.missing),
    ]


def _describe(
    network: str, p: Mapping[str, Any], seed: int, every_delivery: bool = False
) -> Network:
    parameters, make = NETWORKS[network]
    more = {"neuron": PLAIN[network]} if every_delivery else {}
    described: Network = make(parameters(**p), seed=seed, **more)
    return described


def _counted(network: str, p: Any, duration: float, record: Record) -> Record:
    return {**record, **_counts(network, p._asdict(), duration, record["spikes"])}


def _counts(network: str, p: Mapping[str, Any], duration: float, n_spikes: int) -> Record:
    parameters = NETWORKS[network][0](**p)
    n = parameters.n_exc + parameters.n_inh
    return {
        "spikes": int(n_spikes),
        "deliveries": n_spikes * parameters.fan_out(),
        "synapses": n * parameters.fan_out(),
        "duration_ms": duration,
        "rate_hz": n_spikes / n / duration * 1000.0,
    }


def _save_spikes(file: str, found: Mapping[str, tuple[Any, Any]]) -> None:
    arrays: dict[str, Any] = {}
    for name, (times, neurons) in found.items():
        arrays |= {f"{name}/t": times, f"{name}/i": neurons}
    np.savez(file, **arrays)
