"""Tables that grow, are saved, and come back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from mapping.network import counters as c
from mapping.network import layout as at
from mapping.network.setup import Setup
from mapping.network.tables import IntArray, Tables
from simulator.errors import MappingError

__all__ = ["restored", "saved", "with_room"]

# Not saved: another view of `words`, and what the routing function would say again.
_DERIVED = {"wide", "known"}
_OTHERS = {"setup", "pending", "packets", "roots"}


def with_room(t: Tables, n: int) -> Tables:
    """The tables with at least `n` free packet slots."""
    free, size = int(t.counters[c.FREE_SLOTS]), len(t.free_slots)
    if free >= n:
        return t
    more = max(n - free, size // 2, 64)
    packet = np.zeros((size + more) * at.PACKET_WORDS, dtype=t.packet.dtype)
    road = np.zeros((size + more) * at.ROAD_WORDS, dtype=t.road.dtype)
    packet[: t.packet.size], road[: t.road.size] = t.packet, t.road
    slots = np.zeros(size + more, dtype=t.free_slots.dtype)
    slots[:free] = t.free_slots[:free]
    slots[free : free + more] = np.arange(size + more - 1, size - 1, -1)
    t.counters[c.FREE_SLOTS] = free + more
    return t._replace(packet=packet, road=road, free_slots=slots)


def saved(setup: Setup, t: Tables) -> dict[str, IntArray]:
    """Copies of all that changes, by name."""
    kept = {name: table.copy() for name, table in t._asdict().items() if name not in _DERIVED}
    return {**kept, "setup": np.array(setup)}


def restored(
    setup: Setup, t: Tables, state: Mapping[str, ArrayLike]
) -> tuple[Tables, dict[str, IntArray]]:
    """Tables as they were saved, and what else the state holds; see `PacketNetwork.restore`.

    Parameters
    ----------
    t : Tables
        Of the network to restore into.
    """
    arrays = {name: np.array(values, dtype=np.int64) for name, values in state.items()}
    own = {name: table for name, table in t._asdict().items() if name not in _DERIVED}
    wanted = {*own, *_OTHERS}
    if set(arrays) != wanted:
        wrong = sorted(set(arrays) ^ wanted)[0]
        raise MappingError(f"state of a packet network: {wrong!r} is missing or unknown")
    growing = {"packet", "road", "free_slots", "tree", "twig"}
    if not np.array_equal(arrays["setup"], np.array(setup)) or any(
        arrays[name].shape != table.shape for name, table in own.items() if name not in growing
    ):
        raise MappingError(
            "state of a packet network with other parameters; restore it into one with the "
            "same mesh, routing and options"
        )
    tables = {name: arrays[name].astype(table.dtype) for name, table in own.items()}
    wide = tables["words"].view(np.int64)
    others = {name: arrays[name] for name in _OTHERS}
    return t._replace(**tables, wide=wide), others
