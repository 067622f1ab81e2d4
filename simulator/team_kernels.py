"""A kernel that puts the spikes of all workers into the queues of one of them."""

from __future__ import annotations

from math import isnan

import numpy as np
import numpy.typing as npt
from numba import njit

from simulator.arrays import EngineState, NetworkArrays
from simulator.flight_queue import flight_room
from simulator.queues import send

__all__ = ["send_spikes"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)
def send_spikes(
    net: NetworkArrays,
    st: EngineState,
    first: Ints,
    projections: Ints,
    times: Floats,
    neurons: Ints,
    start: int,
) -> int:
    """Send the spikes from number ``start`` on along the projections of their population.

    ``projections[first[k] : first[k + 1]]`` belong to population k.  Returns the number of the
    first spike that found no room.
    """
    for a in range(start, times.size):
        k = st.neurons[neurons[a]].pop
        flights = 0
        for b in range(first[k], first[k + 1]):
            q = projections[b]
            if isnan(net.projs[q].delay):
                flights += 1
            elif st.projs[q].ring_n >= st.rings.shape[1]:
                return a
        if not flight_room(st, flights):
            return a
        for b in range(first[k], first[k + 1]):
            send(net, st, projections[b], neurons[a] - net.pops[k].lo, times[a])
    return int(times.size)
