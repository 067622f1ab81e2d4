"""The queue with a million deliveries pending: time and memory of each, against CPython's heapq."""

from __future__ import annotations

import heapq
import random
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cores import simulation_of
from benchmarks.networks.driven import driven
from benchmarks.process import Record, resident_mb, run_function
from benchmarks.rung import SPIKEMESH, Measured, Options, Rung, Subject, table
from simulator import Simulation

ORDER = 5
DELAY_MS, SPREAD_MS = 1.0, 98.0  # a mean of 50 ms
HEAPQ = "heapq, one tuple a delivery"


def fill(n: int, in_degree: int, pending: float, duration: float, seed: int) -> Record:
    """Run until ``pending`` deliveries are under way, then for ``duration`` ms more.

    The rate of the sources follows from it; how many are pending is counted, not computed.
    """
    mean_ms = DELAY_MS + SPREAD_MS / 2.0
    rate_hz = pending / (n * in_degree * mean_ms) * 1000.0
    network = driven(n, in_degree, rate_hz, DELAY_MS, SPREAD_MS, seed)
    network.record_spikes("sources")
    simulation = simulation_of(network)
    simulation.run(0.0)
    before, empty = resident_mb(), _bytes(simulation)
    simulation.run(DELAY_MS + SPREAD_MS)
    held, full = _pending(simulation, in_degree), _bytes(simulation)
    grown = resident_mb() - before
    first = simulation.deliveries
    start = time.process_time()
    simulation.run(DELAY_MS + SPREAD_MS + duration)
    done = time.process_time()
    deliveries = simulation.deliveries - first
    return {
        "pending": held,
        "work": deliveries,
        "simulate_cpu_s": done - start,
        "bytes_each": (full - empty) / held,
        "resident_bytes_each": grown * 1e6 / held,
        "pending_at_end": _pending(simulation, in_degree),
    }


def hold(pending: int, n: int, seed: int) -> Record:
    """CPython's heap of (time, synapse) tuples: take the earliest, put one back later."""
    draw = random.Random(seed)
    before = resident_mb()
    heap = [(draw.uniform(DELAY_MS, DELAY_MS + SPREAD_MS), k) for k in range(pending)]
    heapq.heapify(heap)
    grown = resident_mb() - before
    delays = [draw.uniform(DELAY_MS, DELAY_MS + SPREAD_MS) for _ in range(n)]
    start = time.process_time()
    for delay in delays:
        t, k = heap[0]
        heapq.heapreplace(heap, (t + delay, k))
    done = time.process_time()
    return {
        "pending": pending,
        "work": n,
        "simulate_cpu_s": done - start,
        "bytes_each": grown * 1e6 / pending,
        "resident_bytes_each": grown * 1e6 / pending,
        "pending_at_end": len(heap),
    }


def _pending(simulation: Simulation, in_degree: int) -> int:
    """Deliveries owed by the sources' spikes so far; every source has as many synapses on average,
    and the true number is known."""
    import numpy as np

    neurons = simulation.spikes("sources")[1]
    rows = simulation.compiled.arrays.row_ptr
    return int(np.sum(np.diff(rows)[neurons])) - simulation.deliveries


def _bytes(simulation: Simulation) -> int:
    """Of the queue, with the room that it has to spare."""
    from simulator.flights import QUEUE_FIELDS

    state = simulation._engine.state
    return sum(getattr(state, name).nbytes for name in QUEUE_FIELDS)


def subjects(options: Options) -> Sequence[Subject]:
    """Rows of a thousand synapses that differ in delay, rows of one, and tuples in a heap."""
    pending = int(options.size(1_000_000, 100_000, 1_000))
    duration = options.size(100.0, 50.0, 5.0)
    many, n = (1_000, 1_000) if not options.tiny else (20, 20)
    # A rate of some 200 Hz: a neuron has a few spikes under way, as it would have.
    single = max(pending // 10, 10)

    def rows(n: int, in_degree: int) -> Subject:
        def measure(seed: int) -> Record:
            given = {"n": n, "in_degree": in_degree, "pending": pending, "duration": duration}
            return run_function(f"{__name__}:fill", {**given, "seed": seed})

        label = "1 synapse" if in_degree == 1 else f"{in_degree:,} synapses"
        return Subject(SPIKEMESH if in_degree != 1 else f"{SPIKEMESH}, {label} a neuron", measure)

    def plain(seed: int) -> Record:
        work = int(options.size(1_000_000, 100_000, 1_000))
        return run_function(f"{__name__}:hold", {"pending": pending, "n": work, "seed": seed})

    return [rows(n, many), rows(single, 1), Subject(HEAPQ, plain)]


def section(measured: Measured, folder: Path) -> Sequence[str]:
    """The table."""
    rows = []
    ours = measured.cost(SPIKEMESH)
    for name in measured.subjects:
        rows.append(
            (
                name if name != SPIKEMESH else f"{SPIKEMESH}, 1,000 synapses a neuron",
                len(measured[name]),
                f"{measured.median(name, 'pending') / 1e6:.3g}",
                f"{measured.median(name, 'work') / 1e6:.3g}",
                f"{measured.cost(name) * 1e9:.0f}",
                f"{measured.cost(name) / ours:.3g}",
                f"{measured.median(name, 'bytes_each'):.1f}",
                f"{measured.median(name, 'resident_bytes_each'):.1f}",
            )
        )
    return [
        "Sources whose synapses differ in delay, uniformly from 1 to 99 ms, keep a million "
        "deliveries pending. A row of synapses has one entry for each spike under way, which moves "
        "from one synapse to the next. Time is of a whole delivery: queue, synapse and neuron; for "
        "heapq of taking the earliest entry and putting one back. Bytes are those by which the "
        "queue grew, room to spare included, and by which resident memory did, spikes recorded "
        "meanwhile included.",
        "",
        *table(
            (
                "queue",
                "runs",
                "pending (million)",
                "deliveries (million)",
                "ns per delivery",
                "over Spikemesh",
                "bytes per pending delivery",
                "resident bytes",
            ),
            rows,
        ),
    ]


RUNG = Rung("queue", "The queue at a million pending", subjects, section)
