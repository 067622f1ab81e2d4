"""The packet network: flits over links per second, at a load that keeps every router busy."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.process import Record, run_function
from benchmarks.rung import SPIKEMESH, Measured, Options, Rung, Subject, table

ORDER = 10
RATE = 0.2  # flits per core and cycle
COLUMNS = ((1, 4), (5, 4), (5, 1))  # flits of a packet, virtual channels
LARGE_RATE = 0.02
BOOKSIM = "BookSim 2"
# Flit hops per second, measured on a machine of this class (8x8, uniform 0.2).
BOOKSIM_FIGURE = 0.22e6


def run(side: int, rate: float, flits: int, lanes: int, cycles: int, seed: int) -> Record:
    """Uniform load on a square mesh for ``cycles`` after a tenth of them.

    Compiled before the clock starts; making the load is not counted.
    """
    from mapping import Mesh
    from mapping.network import PacketNetwork, SyntheticTraffic

    mesh = Mesh(side, side)
    network = PacketNetwork(mesh, "xy", lanes=lanes)
    load = SyntheticTraffic(mesh, "uniform", rate, flits, seed=seed)
    warm_up = max(cycles // 10, 1)
    network.inject(*load.window(0, warm_up + cycles))
    network.run(warm_up)
    before = network.work
    start = time.process_time()
    network.run(warm_up + cycles)
    done = time.process_time()
    after = network.work
    return {
        "simulate_cpu_s": done - start,
        "work": after.flit_hops - before.flit_hops,
        "visits": after.router_visits - before.router_visits,
        "router_cycles": mesh.n_cores * cycles,
        "delivered": network.counts.delivered,
        "in_flight": network.counts.in_flight,
    }


def subject(flits: int, lanes: int) -> str:
    """Name of a column of COLUMNS."""
    channels = "1 virtual channel" if lanes == 1 else f"{lanes} virtual channels"
    return f"{SPIKEMESH}, {flits} flit{'s' if flits > 1 else ''}, {channels}"


LARGE = f"{SPIKEMESH}, 64x64, uniform {LARGE_RATE:g}"


def subjects(options: Options) -> Sequence[Subject]:
    """Three columns of the comparison with BookSim 2, and a mesh of 4,096 routers."""
    cycles = int(options.size(20_000, 5_000, 200))

    def on(side: int, rate: float, flits: int, lanes: int, n: int) -> Callable[[int], Record]:
        given = {"side": side, "rate": rate, "flits": flits, "lanes": lanes, "cycles": n}
        return lambda seed: run_function(f"{__name__}:run", {**given, "seed": seed})

    side = 4 if options.tiny else 8
    found = [Subject(subject(*column), on(side, RATE, *column, cycles)) for column in COLUMNS]
    large, n = (8, 20) if options.tiny else (64, int(options.size(1_000, 300, 20)))
    found.append(Subject(LARGE, on(large, LARGE_RATE, 1, 4, n)))
    missing = (
        f"not run by this ladder; {BOOKSIM_FIGURE / 1e6:g} million flit hops per second were "
        "measured on a machine of this class (8x8, uniform 0.2)"
    )
    found.append(Subject(BOOKSIM, missing=missing, peer=True))
    return found


def section(measured: Measured, folder: Path) -> Sequence[str]:
    """The table."""
    rows = [
        (
            name,
            len(measured[name]),
            f"{measured.median(name, 'work') / 1e6:.3g}",
            f"{measured.median(name, 'simulate_cpu_s'):.3g}",
            f"{1e-6 / measured.cost(name):.2f}",
            f"{measured.median(name, 'visits') / measured.median(name, 'work'):.2f}",
            f"{100 * measured.median(name, 'visits') / measured.median(name, 'router_cycles'):.3g}",
        )
        for name in measured.subjects
    ]
    return [
        f"Flits over links per second of processor time. Uniform load of {RATE:g} flits per core "
        "and cycle on an 8x8 mesh, XY, 8 flits for each virtual channel; and a mesh of 4,096 "
        "routers at a load of spikes.",
        "",
        *table(
            (
                "packets",
                "runs",
                "million flit hops",
                "CPU time (s)",
                "million flit hops per CPU second",
                "visits of routers per flit hop",
                "routers visited in a cycle (%)",
            ),
            rows,
        ),
    ]


RUNG = Rung("network", "The packet network", subjects, section)
