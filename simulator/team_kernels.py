"""Kernels that put the spikes of all workers into the queues of one of them."""

from __future__ import annotations

from math import isnan

import numpy as np
import numpy.typing as npt
from numba import njit

from simulator.arrays import EngineState, NetworkArrays, Records
from simulator.queues import flight_push, send, synapse_delay

__all__ = ["send_spikes", "spread_flights"]

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
        if st.engine[0].n_flights + flights >= st.flights.size:
            return a
        for b in range(first[k], first[k + 1]):
            send(net, st, projections[b], neurons[a] - net.pops[k].lo, times[a])
    return int(times.size)


@njit(cache=True)
def spread_flights(net: NetworkArrays, st: EngineState, flights: Records, now: float) -> None:
    """Put spikes in flight into the heap, each at its next synapse that is reached after ``now``.

    The heap has room for them all.
    """
    for a in range(flights.size):
        q, i, s = flights[a].q, flights[a].i, flights[a].s
        row = net.projs[q].row_at + i * net.projs[q].stride
        for k in range(net.row_ptr[row], net.row_ptr[row + 1]):
            t = s + synapse_delay(net, q, k)
            if t > now:
                st.engine[0].n_flights = flight_push(st, st.engine[0].n_flights, t, s, q, i, k)
                break
