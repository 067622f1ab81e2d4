"""What a packet network did with a load: one record of all measures."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mapping.graph import IntArray
from mapping.metrics import (
    Latency,
    interval_distortion,
    latency_statistics,
    link_busy_share,
    link_energy_pj,
    spike_disorder,
    throughput,
)
from mapping.network.multicast_packets import MulticastPackets
from mapping.network.packet_network import PacketNetwork
from mapping.network.packets import Packets
from mapping.network.pairs import PairLatency, pair_latency
from mapping.network.records import Counts, Deliveries, joined
from mapping.network.saturation import Saturation, search_saturation
from mapping.network.stability import is_stable
from mapping.network.synthetic import SyntheticTraffic
from simulator.errors import MappingError

__all__ = ["NetworkReport", "run_load", "run_packets"]

_LEAST_CYCLES = 256
_SCATTER = 1.05  # of the busiest wire's share of a random load, from run to run


@dataclass(frozen=True, eq=False)
class NetworkReport:
    """Measures of a run; latencies are those of the packets created while it was measured.

    Of a packet that branches every copy counts as one that was created, and that arrives, hops and
    takes its time; on a link, in a buffer and for the energy it is one until it branches.

    Attributes
    ----------
    stable : bool
        Whether the network kept up with the load (see `mapping.network.stability`).
    offered, accepted : float
        [flits per core and cycle] created and delivered while it was measured.
    latency : Latency or None
        [cycles] from creation to the arrival of the tail, the wait at the source included. None
        for an unstable run, whose latency grows for as long as one looks.
    network_latency : Latency or None
        [cycles] from the head's leaving its source to the arrival of the tail.
    mean_hops : float
        Links per packet; NaN without packets.
    link_flits : int64 array, shape (mesh.n_link_ids,)
        Flits that crossed each link while it was measured.
    link_busy : float64 array, shape (mesh.n_link_ids,)
        Share of the time that each link was busy.
    occupancy : float64 array, shape (mesh.n_link_ids,)
        [flits] mean number in the buffers at the end of each link.
    peak_occupancy : int
        [flits] most that any one buffer held since the network was made.
    energy_pj : float or None
        [pJ] of the hops and deliveries while it was measured; None if the mesh states no energies.
    disorder : float
        Share of packets that overtook an earlier one to the same core.
    interval_distortion : float
        [cycles] mean change of the interval between successive packets of one source core at one
        target core; of one source neuron, where `neuron` was given.
    saturation_margin : float
        Most that the load could be multiplied by before the busiest wire (of links, and of cores
        into and out of their routers) is busy all the time: an upper bound of `saturation`.
    counts : Counts
        Since the network was made.
    cycles : int
        Length of the measurement.
    pairs : PairLatency or None
        `latency` by source and target core; None as that is.
    saturation : Saturation or None
        Measured: by how much the load can be multiplied before the network no longer keeps up;
        None where it was not asked for.
    """

    stable: bool
    offered: float
    accepted: float
    latency: Latency | None
    network_latency: Latency | None
    mean_hops: float
    link_flits: IntArray
    link_busy: NDArray[np.float64]
    occupancy: NDArray[np.float64]
    peak_occupancy: int
    energy_pj: float | None
    disorder: float
    interval_distortion: float
    saturation_margin: float
    counts: Counts
    cycles: int
    pairs: PairLatency | None = None
    saturation: Saturation | None = None

    def text(self) -> str:
        """A few lines to read."""
        lines = [f"offered {self.offered:.4f}, accepted {self.accepted:.4f} flits per core, cycle"]
        if self.latency is None:
            lines.append("unstable: the backlog grows, so that there is no mean latency")
        else:
            lines.append(
                f"latency mean {self.latency.mean:.2f}, median {self.latency.p50:.0f}, "
                f"p99 {self.latency.p99:.0f}, maximum {self.latency.maximum:.0f} cycles"
            )
        lines.append(
            f"{self.mean_hops:.2f} hops per packet; busiest link {self.link_busy.max():.1%} of the "
            f"time; disorder {self.disorder:.2%}; interval distortion "
            f"{self.interval_distortion:.2f} cycles"
        )
        if self.counts.dropped or self.counts.refused:
            lines.append(f"{self.counts.dropped} dropped, {self.counts.refused} refused")
        if self.saturation is not None:
            lines.append(
                f"{self.saturation.text()}; wires bound it at {self.saturation_margin:.3g}"
            )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Its figures as JSON-ready values, without those of single links and pairs of cores."""

        def known(value: float | None) -> float | None:
            return None if value is None or not math.isfinite(value) else value

        return {
            "stable": self.stable,
            "offered": self.offered,
            "accepted": self.accepted,
            "latency": None if self.latency is None else self.latency._asdict(),
            "network_latency": (
                None if self.network_latency is None else self.network_latency._asdict()
            ),
            "mean_hops": known(self.mean_hops),
            "busiest_link": float(self.link_busy.max(initial=0.0)),
            "peak_occupancy": self.peak_occupancy,
            "energy_pj": self.energy_pj,
            "disorder": known(self.disorder),
            "interval_distortion": known(self.interval_distortion),
            "saturation_margin": known(self.saturation_margin),
            "saturation": (
                None
                if self.saturation is None
                else {name: known(value) for name, value in self.saturation._asdict().items()}
            ),
            "counts": self.counts._asdict(),
            "cycles": self.cycles,
        }


def run_packets(
    network: PacketNetwork,
    sent: Packets | MulticastPackets,
    *,
    neuron: ArrayLike | None = None,
    most_cycles: int = 10_000_000,
    saturation_tolerance: float | None = None,
) -> NetworkReport:
    """Send packets (a trace, or the spikes of a run), wait until all arrived, and measure.

    Parameters
    ----------
    network : PacketNetwork
        New, or one that has nothing in flight, made with `multicast` for packets that branch; the
        packets' cycles count from its `now`.
    neuron : array of int, shape (n_packets,), or None
        Source neuron of each packet, for the interval distortion.
    most_cycles : int
        After the last packet is created; a network that needs longer does not keep up.
    saturation_tolerance : float or None
        Also measure, to this relative tolerance, by how much the load can be multiplied: the same
        packets in less time, on some ten empty networks of the same parameters. Then packets of
        less than 256 cycles are refused, of whom it cannot be told whether a network keeps up.
    """
    if sent.n_packets == 0:
        raise MappingError("no packets to send")
    if saturation_tolerance is not None:
        _hurried(sent, 1.0)
        report = run_packets(network, sent, neuron=neuron, most_cycles=most_cycles)

        def faster(factor: float) -> NetworkReport:
            return run_packets(network.like(), _hurried(sent, factor), most_cycles=most_cycles)

        found = search_saturation(report, faster, saturation_tolerance, report.saturation_margin)
        return replace(report, saturation=found)
    first = network.now
    before = _Meters(network)
    number = np.arange(sent.n_packets)
    if isinstance(sent, MulticastPackets):
        trees = network.add_trees(sent.trees)
        network.inject_tree(sent.cycle + first, trees[sent.tree], sent.flits, number)
        copies = sent.copies
    else:
        network.inject(sent.cycle + first, sent.source, sent.target, sent.flits, number)
        copies = np.ones(sent.n_packets, dtype=np.int64)
    last = first + int(sent.cycle[-1]) + 1
    parts = [network.run(last)]
    parts.append(network.drain(most_cycles))
    arrived = joined(parts)
    # A packet has arrived when all its copies have.
    end = np.zeros(sent.n_packets, dtype=np.int64)
    np.maximum.at(end, arrived.tag, arrived.cycle)
    ever = np.bincount(arrived.tag, minlength=sent.n_packets) == copies
    stable = network.counts.in_flight == 0
    if stable and last - first >= 4:
        stable = is_stable(first, last, sent.cycle + first, end, sent.flits, ever)
    source = sent.source if neuron is None else np.asarray(neuron)
    pair = source[arrived.tag] * network.mesh.n_cores + arrived.target
    within = arrived.cycle < last
    accepted = int(arrived.flits[within].sum())
    return _report(
        network, before, _Meters(network), last - first, int((sent.flits * copies).sum()),
        accepted, arrived, pair, stable,
    )  # fmt: skip


def _hurried(sent: Packets | MulticastPackets, factor: float) -> Packets | MulticastPackets:
    """The same packets in less time."""
    cycle = (sent.cycle / factor).astype(np.int64)
    if cycle[-1] < _LEAST_CYCLES:
        raise MappingError(
            f"saturation: {sent.n_packets} packets created within {cycle[-1] + 1} cycles "
            f"({factor:.3g} times the load) are too few to tell whether a network keeps up; give "
            "more packets, over a longer time"
        )
    return sent._replace(cycle=cycle)


def run_load(
    network: PacketNetwork,
    load: SyntheticTraffic,
    *,
    warm_up: int = 5_000,
    cycles: int = 20_000,
    most_drain: int | None = None,
    saturation_tolerance: float | None = None,
) -> NetworkReport:
    """Apply a synthetic load and measure what happens to it once it is in full swing.

    The load goes on until every packet that was created during the measurement has arrived, so
    that the last ones do not find an empty network.

    Parameters
    ----------
    network : PacketNetwork
        A new one.
    warm_up, cycles : int
        [cycles] before and during the measurement.
    most_drain : int or None
        [cycles] to wait for the packets of the measurement; None for as many as `cycles`. If some
        have not arrived by then, the run counts as unstable.
    saturation_tolerance : float or None
        Also measure, to this relative tolerance, by how much the rate of the load can be
        multiplied, on some ten empty networks of the same parameters.
    """
    if network.now:
        raise MappingError("run_load needs a network that has not run yet")
    if saturation_tolerance is not None:
        times: dict[str, Any] = {"warm_up": warm_up, "cycles": cycles, "most_drain": most_drain}
        report = run_load(network, load, **times)

        def more(factor: float) -> NetworkReport:
            return run_load(network.like(), load.scaled(factor), **times)

        most = load.flits * (1.0 if load.burst_cycles is None else load.peak) / load.rate
        most = min(most, _SCATTER * report.saturation_margin)
        found = search_saturation(report, more, saturation_tolerance, most)
        return replace(report, saturation=found)
    chunk = 2_000
    limit = warm_up + cycles + (cycles if most_drain is None else most_drain)
    stop = warm_up + cycles
    made: list[Packets] = []
    parts: list[Deliveries] = []
    before = measured = _Meters(network)
    lost = network.counts
    outstanding = 0
    at = 0
    while at < limit:
        ends = [point for point in (warm_up, stop, limit) if point > at]
        until = min(at + chunk, ends[0])
        new = load.window(at, until)
        made.append(new)
        outstanding += int(((new.cycle >= warm_up) & (new.cycle < stop)).sum())
        network.inject(*new)
        arrived = network.run(until)
        parts.append(arrived)
        outstanding -= int(((arrived.created >= warm_up) & (arrived.created < stop)).sum())
        at = until
        if at == warm_up:
            before = _Meters(network)
        if at == stop:
            measured = _Meters(network)
            lost = network.counts
        # Packets that were dropped or refused never arrive.
        if at >= stop and outstanding <= lost.dropped + lost.refused:
            break
    sent = Packets(*(np.concatenate(column) for column in zip(*made, strict=True)))
    arrived = joined(parts)
    finished = np.zeros(network.packets_injected, dtype=bool)
    finished[arrived.number] = True
    end = np.zeros(finished.size, dtype=np.int64)
    end[arrived.number] = arrived.cycle
    stable = is_stable(warm_up, stop, sent.cycle, end, sent.flits, finished)
    if network.counts.dropped + network.counts.refused == 0:
        stable &= outstanding == 0
    created = (sent.cycle >= warm_up) & (sent.cycle < stop)
    within = (arrived.cycle >= warm_up) & (arrived.cycle < stop)
    accepted = int(arrived.flits[within].sum())
    chosen = (arrived.created >= warm_up) & (arrived.created < stop)
    arrived = Deliveries(*(column[chosen] for column in arrived))
    pair = arrived.source * network.mesh.n_cores + arrived.target
    return _report(
        network, before, measured, cycles, int(sent.flits[created].sum()), accepted, arrived,
        pair, stable,
    )  # fmt: skip


class _Meters:
    """Readings of the network at one moment."""

    def __init__(self, network: PacketNetwork) -> None:
        self.flits, self.packets = network.wire_flits.copy(), network.wire_packets.copy()
        self.occupied, self.now = network.occupied_flit_cycles, network.now


def _report(
    network: PacketNetwork,
    before: _Meters,
    after: _Meters,
    cycles: int,
    offered: int,
    accepted: int,
    arrived: Deliveries,
    pair: IntArray,
    stable: bool,
) -> NetworkReport:
    mesh = network.mesh
    n_links = mesh.n_link_ids
    flits = after.flits - before.flits
    crossed = after.packets - before.packets
    links = flits[:n_links]
    # Copies of one packet went into their router as one.
    once = np.unique(arrived.number, return_index=True)[1]
    busiest = max(
        float(link_busy_share(links, mesh, cycles).max(initial=0.0)),
        float(flits[n_links:].max(initial=0)) / cycles,
        float(np.bincount(arrived.source[once], arrived.flits[once], 1).max()) / cycles,
    )
    energy = None
    if mesh.energy is not None:
        hops = float((link_energy_pj(mesh) * crossed[:n_links]).sum())
        energy = hops + mesh.energy.local_pj * float(crossed[n_links:].sum())
    span = max(after.now - before.now, 1)
    return NetworkReport(
        stable=bool(stable),
        offered=throughput(offered, cycles, mesh.n_cores),
        accepted=throughput(accepted, cycles, mesh.n_cores),
        latency=latency_statistics(arrived.created, arrived.cycle) if stable else None,
        network_latency=latency_statistics(arrived.entered, arrived.cycle) if stable else None,
        mean_hops=float(arrived.hops.mean()) if arrived.hops.size else float("nan"),
        link_flits=links,
        link_busy=link_busy_share(links, mesh, span),
        occupancy=(after.occupied - before.occupied)[:n_links] / span,
        peak_occupancy=network.peak_occupancy,
        energy_pj=energy,
        disorder=spike_disorder(arrived.created, arrived.cycle, arrived.target),
        interval_distortion=interval_distortion(arrived.created, arrived.cycle, pair),
        saturation_margin=1.0 / busiest if busiest > 0 else float("inf"),
        counts=network.counts,
        cycles=cycles,
        pairs=pair_latency(arrived.source, arrived.target, arrived.latency) if stable else None,
    )
