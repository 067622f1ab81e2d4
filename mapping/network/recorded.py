"""The spikes of a run through the packet network of a machine that they were mapped to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.graph import IntArray, SpikingGraph
from mapping.mesh import Mesh
from mapping.network.packet_network import PacketNetwork
from mapping.network.report import NetworkReport, run_packets
from mapping.network.spikes import spike_packets
from mapping.network.stall import StallError
from mapping.partition import Partition
from mapping.routing import RoutingFunction

__all__ = ["RecordedSpikes", "SpikeLatency"]

Outcome = Literal["stable", "unstable", "stalled", "silent"]


class SpikeLatency(NamedTuple):
    """What became of recorded spikes in the packet network.

    Attributes
    ----------
    outcome : str
        "stable"; "unstable" if the network does not keep up, so that there is no latency;
        "stalled" if the packets came to a deadlock; "silent" if no spike leaves its core.
    report : NetworkReport or None
        None for the last two.
    stall : str
        The deadlock in words, or empty.
    """

    outcome: Outcome
    report: NetworkReport | None = None
    stall: str = ""

    def text(self) -> str:
        """A line to read."""
        if self.report is None:
            return "no spike leaves its core" if self.outcome == "silent" else self.stall
        latency = self.report.latency
        if latency is None:
            return "unstable: the backlog grows, so that there is no mean latency"
        return (
            f"latency mean {latency.mean:.2f}, p99 {latency.p99:.0f}, maximum "
            f"{latency.maximum:.0f} cycles ({latency.n_packets:,} deliveries)"
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "outcome": self.outcome,
            "stall": self.stall,
            "report": None if self.report is None else self.report.to_dict(),
        }


@dataclass(frozen=True, eq=False)
class RecordedSpikes:
    """Spikes of a run, and the network that is to carry them.

    Attributes
    ----------
    neuron : int64 array, shape (n,)
        Of the whole graph, as in `SpikingGraph`.
    times_ms : float64 array, shape (n,)
        [ms] from the beginning of what is looked at.
    cycles_per_ms : float
        Of the machine, in a ms of the network.
    flits : int
        Length of a packet.
    lanes, buffer_flits : int
        As in `PacketNetwork`.
    """

    neuron: IntArray
    times_ms: NDArray[np.float64]
    cycles_per_ms: float
    flits: int = 1
    lanes: int = 1
    buffer_flits: int = 8

    def latency(
        self,
        graph: SpikingGraph,
        partition: Partition,
        core_of: IntArray,
        mesh: Mesh,
        routing: str | RoutingFunction | None = None,
        multicast: str | None = None,
    ) -> SpikeLatency:
        """Send them: a packet for each target by a routing function, or along multicast trees.

        Parameters
        ----------
        graph, partition, core_of, mesh
            As in `spike_packets`.
        routing : str or RoutingFunction, optional
            Without trees; None for dimension order.
        multicast : str, optional
            One of `mapping.multicast.multicast_names()`.

        Raises
        ------
        MappingError
            As `spike_packets` and `PacketNetwork`.
        """
        if routing is None:
            routing = "torus_dimension_order" if mesh.torus else "xy"
        network = PacketNetwork(
            mesh,
            routing,
            lanes=self.lanes,
            buffer_flits=self.buffer_flits,
            multicast=multicast is not None,
        )
        placed = (graph, partition, core_of, mesh, self.neuron, self.times_ms)
        if multicast is None:
            sent: Any = spike_packets(*placed, self.cycles_per_ms, self.flits)
        else:
            sent = spike_packets(*placed, self.cycles_per_ms, self.flits, multicast=multicast)
        if sent.n_packets == 0:
            return SpikeLatency("silent")
        try:
            report = run_packets(network, sent, neuron=self.neuron[sent.tag])
        except StallError as error:
            return SpikeLatency("stalled", stall=str(error))
        return SpikeLatency("stable" if report.stable else "unstable", report)
