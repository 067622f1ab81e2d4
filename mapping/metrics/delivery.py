"""Measures of packets that were sent and delivered at known times, by a network or a trace.

Times are in any one unit (cycles, or ms), of packets in any order; `injected[k]` and
`delivered[k]` belong to packet k.

References
----------
A. Das et al., Mapping of local and global synapses on spiking neuromorphic hardware, DATE 2018,
and A. Balaji et al., Mapping spiking neural networks to neuromorphic hardware, IEEE Trans. VLSI
28(1), 2020: interval distortion and spike disorder, and why they matter where time carries the
information. W. J. Dally, B. Towles, Principles and practices of interconnection networks, 2004,
chapter 23: latency and accepted throughput.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mapping.graph import IntArray, integers
from mapping.mesh import Mesh
from simulator.errors import MappingError

__all__ = [
    "Latency",
    "interval_distortion",
    "latency_statistics",
    "link_busy_share",
    "spike_disorder",
    "throughput",
]

FloatArray = NDArray[np.float64]


class Latency(NamedTuple):
    """Delivery times minus injection times, in their unit; NaN where no packet was delivered.

    Attributes
    ----------
    n_packets : int
    mean, p50, p99, maximum : float
        A percentile q is the smallest latency that at least q % of the packets do not exceed, so
        it is the latency of a packet and not between two of them.
    """

    n_packets: int
    mean: float
    p50: float
    p99: float
    maximum: float


def latency_statistics(injected: ArrayLike, delivered: ArrayLike) -> Latency:
    """Latency of a packet: delivered - injected.

    Raises
    ------
    MappingError
        Unequal lengths, times that are not finite, or a packet delivered before it was sent.
    """
    start, end = _times(injected, delivered)
    latency = end - start
    if latency.size == 0:
        return Latency(0, *[float("nan")] * 4)
    p50, p99 = np.percentile(latency, [50, 99], method="inverted_cdf")
    return Latency(
        latency.size, float(latency.mean()), float(p50), float(p99), float(latency.max())
    )


def throughput(n_delivered: int, duration: float, n_cores: int) -> float:
    """Accepted packets (or flits) per core and unit of time: n_delivered / (duration n_cores).

    Raises
    ------
    MappingError
        A negative count, or a duration or number of cores that is not > 0.
    """
    if n_delivered < 0 or n_cores < 1 or not (np.isfinite(duration) and duration > 0):
        raise MappingError(
            f"throughput of {n_delivered} packets in {duration} on {n_cores} cores; expected a "
            "count >= 0, a duration > 0 and at least one core"
        )
    return n_delivered / (duration * n_cores)


def link_busy_share(flits: ArrayLike, mesh: Mesh, cycles: float) -> FloatArray:
    """Share of the time that each link is busy: flits(l) cycles_per_flit(l) / cycles.

    Parameters
    ----------
    flits : array, shape (mesh.n_link_ids,)
        Flits that crossed each link.
    cycles : float
        Length of the time in which they did, > 0.

    Returns
    -------
    float64 array, shape (mesh.n_link_ids,)
        0 where there is no link; above 1 where a link was asked for more than it can carry.
    """
    crossed = np.asarray(flits, dtype=np.float64)
    if crossed.shape != (mesh.n_link_ids,):
        raise MappingError(
            f"flits has shape {crossed.shape}; expected one entry for each of the "
            f"{mesh.n_link_ids} link ids of the {mesh}"
        )
    if not (np.isfinite(cycles) and cycles > 0):
        raise MappingError(f"cycles = {cycles}; it must be finite and > 0")
    share: FloatArray = crossed * mesh.link_cycles / cycles
    return share


def interval_distortion(
    injected: ArrayLike, delivered: ArrayLike, pair: ArrayLike | None = None
) -> float:
    """Mean change of the interval between successive spikes of one source at one destination.

    With spikes k of a pair (source, destination) in the order they were sent,
    D = mean over all pairs and k of |(delivered_{k+1} - delivered_k) - (injected_{k+1} -
    injected_k)|, in the unit of the times; 0 when every latency of a pair is the same.

    Parameters
    ----------
    pair : array of int, shape (n_packets,), or None
        Number of each packet's (source neuron, destination) pair; None: all are of one.

    Returns
    -------
    float
        NaN where no pair has two packets.
    """
    start, end = _times(injected, delivered)
    group = _groups("pair", pair, start.size)
    order = np.lexsort((end, start, group))
    start, end, group = start[order], end[order], group[order]
    same = group[1:] == group[:-1]
    change = np.abs(np.diff(end) - np.diff(start))[same]
    return float(change.mean()) if change.size else float("nan")


def spike_disorder(
    injected: ArrayLike, delivered: ArrayLike, destination: ArrayLike | None = None
) -> float:
    """Share of the packets that arrive before one sent strictly earlier to the same destination.

    A packet k is early if there is a j with the same destination, injected_j < injected_k and
    delivered_k < delivered_j. Equal times are in order, whichever way they come.

    Parameters
    ----------
    destination : array of int, shape (n_packets,), or None
        None: all packets go to one destination.

    Returns
    -------
    float
        0..1; NaN for no packets.

    Notes
    -----
    The sources count spikes out of order too, but their formulas differ; this share depends on
    nothing but the two times, and is 0 if and only if every destination sees its spikes in order.
    """
    start, end = _times(injected, delivered)
    group = _groups("destination", destination, start.size)
    if start.size == 0:
        return float("nan")
    order = np.lexsort((start, group))
    start, end, group = start[order], end[order], group[order]
    # Latest delivery among the packets of the group sent strictly earlier: a running maximum,
    # taken at the last packet before the first one of equal injection time.
    first_of_group = np.searchsorted(group, group, side="left")
    rank = np.searchsorted(np.unique(end), end) + 1.0
    # Groups are lifted above each other, so that one running maximum serves all of them.
    _, lift = np.unique(group, return_inverse=True)
    height = rank + lift * (end.size + 1.0)
    running = np.maximum.accumulate(height)
    new_instant = np.ones(end.size, dtype=bool)
    new_instant[1:] = (start[1:] != start[:-1]) | (group[1:] != group[:-1])
    first_of_instant = np.maximum.accumulate(np.where(new_instant, np.arange(end.size), 0))
    has_earlier = first_of_instant > first_of_group
    early = has_earlier & (height < running[np.maximum(first_of_instant - 1, 0)])
    return float(early.mean())


def _times(injected: ArrayLike, delivered: ArrayLike) -> tuple[FloatArray, FloatArray]:
    start = np.asarray(injected, dtype=np.float64)
    end = np.asarray(delivered, dtype=np.float64)
    if start.ndim != 1 or start.shape != end.shape:
        raise MappingError(
            f"injected has shape {start.shape} and delivered {end.shape}; one time each per packet"
        )
    for name, times in (("injected", start), ("delivered", end)):
        wrong = np.flatnonzero(~np.isfinite(times))
        if wrong.size:
            raise MappingError(
                f"{name}[{wrong[0]}] = {times[wrong[0]]}; leave out packets without a time"
            )
    wrong = np.flatnonzero(end < start)
    if wrong.size:
        k = wrong[0]
        raise MappingError(
            f"packet {k} is delivered at {end[k]:g}, before it is injected at {start[k]:g}"
        )
    return start, end


def _groups(name: str, values: ArrayLike | None, n: int) -> IntArray:
    if values is None:
        return np.zeros(n, dtype=np.int64)
    groups = integers(name, values)
    if groups.shape != (n,):
        raise MappingError(
            f"{name} has {groups.size} entries for {n} packets; one each is expected"
        )
    return groups
