"""The packets of a network as arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mapping.network.packet_network import PacketNetwork
from mapping.network.tables import Tables

__all__ = ["packets_of", "put_packets"]

IntArray = NDArray[np.int64]


def packets_of(network: PacketNetwork) -> dict[str, IntArray]:
    """All packets, those that are still to be created as well, with the state of every router.

    Flat arrays: some of them grow with the number of packets.
    """
    network._sort_pending()
    saved = {name: array.ravel().copy() for name, array in network.tables._asdict().items()}
    saved["pending"] = network._pending.ravel().copy()
    saved["packets"] = np.array([network._packets])
    return saved


def put_packets(network: PacketNetwork, saved: Mapping[str, IntArray]) -> None:
    """Put a network of the same make into the state that `packets_of` gave."""

    def shaped(name: str, like: IntArray) -> IntArray:
        return np.array(saved[name], dtype=like.dtype).reshape(-1, *like.shape[1:])

    present = network.tables._asdict()
    network.tables = Tables(**{name: shaped(name, present[name]) for name in present})
    network._pending = shaped("pending", network._pending)
    network._added = []
    network._packets = int(saved["packets"][0])
