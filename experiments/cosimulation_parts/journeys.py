"""What the mesh did to the spikes of a co-simulation."""

from __future__ import annotations

import numpy as np

from mapping import CoSimulation
from mapping.metrics import interval_distortion, latency_statistics, spike_disorder

__all__ = ["journey_measures"]

LATENCIES = ("mean", "p50", "p99", "maximum")


def journey_measures(simulation: CoSimulation, since_ms: float = 0.0) -> dict[str, float | int]:
    """Latencies (ms), disorder and distortion of all copies of spikes emitted since a time.

    `offered` is their number by core and cycle up to now, `backlog` the share of all packets of the
    run that is still under way at its end.
    """
    journeys = simulation.journeys()
    kept = journeys.emitted >= since_ms
    neuron, core, emitted, arrived = (part[kept] for part in journeys)
    latency = latency_statistics(emitted, arrived)
    pair = neuron * simulation.mesh.n_cores + core
    packets = simulation.packet_network
    under_way = 0 if packets is None else packets.counts.in_flight + packets.n_waiting
    sent = journeys.neuron.size + under_way
    cycles = simulation.time * simulation.cycles_per_ms
    return {
        "packets": int(latency.n_packets),
        "offered": float(sent / (cycles * simulation.mesh.n_cores)) if np.isfinite(cycles) else 0.0,
        "backlog": under_way / sent if sent else 0.0,
        **{f"latency_{name}_ms": float(getattr(latency, name)) for name in LATENCIES},
        "disorder": float(spike_disorder(emitted, arrived, core)),
        "distortion_ms": float(interval_distortion(emitted, arrived, pair)),
    }
