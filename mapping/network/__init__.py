"""The packet network: routers with virtual channels, simulated flit by flit.

    network = PacketNetwork(Mesh(8, 8), "xy", lanes=4)
    report = run_load(network, SyntheticTraffic(network.mesh, "uniform", rate=0.2))
    print(report.text())

`run_packets` sends recorded spikes (`spike_packets`) or a trace (`read_trace`) instead, and
`PacketNetwork` itself goes forward step by step, with packets injected at any time.
"""

from __future__ import annotations

from mapping.network.multicast_packets import (
    MulticastPackets,
    MulticastTrace,
    TargetSet,
    multicast_trace,
    packet_trees,
)
from mapping.network.packet_network import PacketNetwork
from mapping.network.packets import Packets, packets
from mapping.network.pairs import PairLatency
from mapping.network.pipeline import Pipeline
from mapping.network.recorded import RecordedSpikes, SpikeLatency
from mapping.network.records import Counts, Deliveries, Work
from mapping.network.replay import replay
from mapping.network.report import NetworkReport, run_load, run_packets
from mapping.network.saturation import Saturation
from mapping.network.spikes import spike_cycles, spike_packets
from mapping.network.stall import Stall, StallError, WaitingPacket
from mapping.network.synthetic import SyntheticTraffic
from mapping.network.trace_file import read_trace, write_trace
from mapping.network.trees import PacketTree

__all__ = [
    "Counts",
    "Deliveries",
    "MulticastPackets",
    "MulticastTrace",
    "NetworkReport",
    "PacketNetwork",
    "PacketTree",
    "Packets",
    "PairLatency",
    "Pipeline",
    "RecordedSpikes",
    "Saturation",
    "SpikeLatency",
    "Stall",
    "StallError",
    "SyntheticTraffic",
    "TargetSet",
    "WaitingPacket",
    "Work",
    "multicast_trace",
    "packet_trees",
    "packets",
    "read_trace",
    "replay",
    "run_load",
    "run_packets",
    "spike_cycles",
    "spike_packets",
    "write_trace",
]
