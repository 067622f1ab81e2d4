"""What a packet network tells about its packets: counts, work and deliveries."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mapping.network.tables import DELIVERY, IntArray, rows

__all__ = ["Counts", "Deliveries", "Work", "deliveries_of", "joined"]


class Counts(NamedTuple):
    """Copies of packets, one for each core a packet goes to; see `PacketNetwork.counts`.

    At every cycle injected = delivered + dropped + in_flight; copies that were refused at a full
    injection queue never entered.
    """

    injected: int
    delivered: int
    dropped: int
    refused: int
    in_flight: int


class Work(NamedTuple):
    """Work of a simulation: flits sent over links, cycles not jumped over, visits of routers."""

    flit_hops: int
    cycles: int
    router_visits: int


class Deliveries(NamedTuple):
    """Packets whose tails reached their cores, in the order in which they did.

    Every field is an int64 array, shape (n,). `created` is the cycle given to `inject`, `entered`
    that in which the head left the injection queue, `cycle` that in which the tail arrived; `hops`
    counts links; `number` is that of the packet in the order of injection.
    """

    tag: IntArray
    source: IntArray
    target: IntArray
    flits: IntArray
    created: IntArray
    entered: IntArray
    cycle: IntArray
    hops: IntArray
    number: IntArray

    @property
    def latency(self) -> IntArray:
        """[cycles] from creation to the arrival of the tail, the wait at the source included."""
        return self.cycle - self.created


def deliveries_of(table: IntArray) -> Deliveries:
    """The rows of a delivery table."""
    return Deliveries(*np.ascontiguousarray(table.T))


def joined(parts: list[Deliveries]) -> Deliveries:
    """One after another."""
    if not parts:
        return deliveries_of(rows(0, DELIVERY))
    if len(parts) == 1:
        return parts[0]
    return Deliveries(*(np.concatenate(column) for column in zip(*parts, strict=True)))
