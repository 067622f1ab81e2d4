"""The packet network: routers with virtual channels, simulated flit by flit."""

from __future__ import annotations

from mapping.network.packet_network import Counts, Deliveries, PacketNetwork
from mapping.network.pipeline import Pipeline

__all__ = ["Counts", "Deliveries", "PacketNetwork", "Pipeline"]
