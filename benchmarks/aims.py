"""What the program aims at, beside what was measured: the table at the head of the page."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.rung import SPIKEMESH, Measured, shown, table

__all__ = ["aims"]

COARSE = "Brian2, C++, grid of 0.5 ms"
NEST, BRIAN2 = "NEST, grid of 0.1 ms", "Brian2, C++, grid of 0.1 ms"


def aims(found: Mapping[str, Measured]) -> list[str]:
    """The table, with a row for each aim whose subjects were measured."""
    rows: list[tuple[str, str, str, str]] = []

    def add(what: str, value: float, aim: float, at_least: bool) -> None:
        sign = "≥" if at_least else "≤"
        reached = value >= aim if at_least else value <= aim
        rows.append((what, shown(value), f"{sign} {shown(aim)}", "yes" if reached else "no"))

    cuba, brunel, wtcrl = (found.get(name) for name in ("cuba", "brunel", "wtcrl"))
    if cuba and SPIKEMESH in cuba:
        speed = 1e-6 / cuba.cost(SPIKEMESH, "deliveries")
        add("CUBA: million deliveries per CPU second", speed, 15.0, True)
    if brunel and SPIKEMESH in brunel:
        for peer in (NEST, BRIAN2):
            if peer in brunel:
                ratio = brunel.cost(peer, "deliveries") / brunel.cost(SPIKEMESH, "deliveries")
                add(f"Brunel: time of {peer}, over ours", ratio, 1.0, True)
        each = brunel.median(SPIKEMESH, "growth_mb") / brunel.median(SPIKEMESH, "synapses") * 1e6
        add("Brunel: resident bytes per synapse", each, 16.0, False)
    if wtcrl and SPIKEMESH in wtcrl:
        speed = 1.0 / wtcrl.cost(SPIKEMESH)
        add("W-TCRL: presentations per CPU second", speed, 15_000.0, True)
        if BRIAN2 in wtcrl:
            ratio = wtcrl.cost(BRIAN2) * speed
            add(f"W-TCRL: time of {BRIAN2}, over ours", ratio, 10.0, True)
    stdp, plastic = found.get("brunel_stdp"), found.get("plastic")
    if stdp and SPIKEMESH in stdp and BRIAN2 in stdp:
        ratio = stdp.cost(BRIAN2, "duration_ms") / stdp.cost(SPIKEMESH, "duration_ms")
        add(f"Brunel with STDP: time of {BRIAN2}, over ours", ratio, 1.0, True)
    for rule, aim in (("pair STDP", 10.0), ("dopamine STDP", 4.0)):
        if plastic and f"{SPIKEMESH}, {rule}" in plastic:
            speed = 1e-6 / plastic.cost(f"{SPIKEMESH}, {rule}")
            add(f"{rule}: million presynaptic deliveries per CPU second", speed, aim, True)
    dastdp = found.get("dastdp")
    if dastdp and SPIKEMESH in dastdp:
        speed = 1.0 / dastdp.cost(SPIKEMESH)
        add("Symmetric STDP: presentations per CPU second", speed, 150.0, True)
        if COARSE in dastdp:
            ratio = dastdp.cost(COARSE) * speed
            add(f"Symmetric STDP: time of {COARSE}, over ours", ratio, 10.0, True)
    queue = found.get("queue")
    if queue and SPIKEMESH in queue:
        time = queue.cost(SPIKEMESH) * 1e9
        add("Queue: ns per delivery, rows of 1,000 synapses", time, 50.0, False)
        single = f"{SPIKEMESH}, 1 synapse a neuron"
        if single in queue:
            add("Queue: bytes each, rows of 1", queue.median(single, "bytes_each"), 24.0, False)
    network = found.get("network")
    for column in (
        "1 flit, 4 virtual channels",
        "5 flits, 4 virtual channels",
        "5 flits, 1 virtual channel",
    ):
        name = f"{SPIKEMESH}, {column}"
        if network and name in network:
            what = f"Packet network, 8x8, uniform 0.2, {column}: million flit hops per CPU second"
            add(what, 1e-6 / network.cost(name), 5.0, True)
    first = found.get("first_run")
    if first and first.subjects:
        for state, aim in (("cold", 15.0), ("warm", 2.0)):
            slowest = max(first.median(name, f"{state}_process_cpu_s") for name in first.subjects)
            add(f"First run, {state}: CPU seconds of the slowest", slowest, aim, False)
    if not rows:
        return []
    return ["## Aims", "", *table(("what", "measured", "aim", "reached"), rows), ""]
