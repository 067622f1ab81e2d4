"""A network that runs on the modelled machine: each spike takes as long as its packet.

The neurons are simulated exactly, as ever.  A spike makes a packet for each other core on which its
neuron has synapses, or one that branches along a multicast tree to all of them; the packet network
moves it, in competition with all others, and when its tail reaches a core at time a the spike goes
on to the synapses there as if it had been emitted at a, whenever it reaches the other cores.  So
congestion delays spikes, delayed spikes change who fires and what is learned, and that changes the
traffic.

A machine has a clock: ``cycles_per_ms`` cycles pass while the network of neurons lives through a
millisecond.  Few cycles mean little bandwidth for the same spikes; with infinitely many every
packet arrives as it is sent, and every bit is that of a plain :class:`simulator.Simulation`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mapping.graph import integers
from mapping.mesh import Mesh
from mapping.mesh_carrier import MeshCarrier
from mapping.multicast import MulticastTree, check_multicast
from mapping.network.packet_network import PacketNetwork
from mapping.report import MappingReport
from simulator import Network, Simulation
from simulator.compile import compile_network
from simulator.engine import Engine
from simulator.errors import MappingError
from simulator.spread import Arrivals, Carrier, InstantCarrier, Remote, SpreadEngine

__all__ = ["CoSimulation", "Journeys", "homes_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Journeys(NamedTuple):
    """Spikes that have reached another core, in the order of arrival; arrays of shape (n,).

    ``neuron`` is a number within the whole network, by population, then index; ``core`` the one
    reached; ``emitted`` and ``arrived`` are in ms.
    """

    neuron: Ints
    core: Ints
    emitted: Floats
    arrived: Floats


def homes_of(report: MappingReport) -> dict[str, Ints]:
    """Physical core of each neuron, by population, of a network that was mapped."""
    where = report.placement.core_of[report.partition.core_of]
    offsets = report.graph.offsets
    return {name: where[offsets[k] : offsets[k + 1]] for k, name in enumerate(report.graph.names)}


class CoSimulation(Simulation):
    """A :class:`simulator.Simulation` whose spikes travel over a mesh.

    Parameters
    ----------
    network : Network
        Compiled once, here.
    mesh : Mesh
    homes : mapping of str to array of int
        By population, the core of each neuron, shape (size,).  A population that is left out is
        outside the machine: its spikes come without latency.  Every population that
        receives anything from the machine must be there.
    cycles_per_ms : float
        Speed of the machine's clock against that of the neurons, > 0; infinity for a machine that
        takes no time.
    flits : int
        Length of the packet of a spike.
    multicast : str or None
        One of `mapping.multicast.multicast_names()`: a spike travels along such a tree, and leaves
        a copy at each of its cores. None: as a packet for each core, by the routing function.
    record_journeys : bool
        Whether :meth:`journeys` are kept; they take 32 bytes a packet.
    **options
        Of :class:`mapping.network.PacketNetwork`: routing, lanes, buffer_flits and so on.

    Attributes
    ----------
    trees : tuple of MulticastTree
        Those that spikes travel along, for `find_multicast_deadlock`; none without `multicast` and
        on a machine that takes no time.

    Raises
    ------
    MappingError
        Homes that are missing, of the wrong number or not cores that can be used; a clock that does
        not run; an unknown kind of tree; and what the packet network refuses.

    Notes
    -----
    A packet is created in the cycle after its spike.  Nothing is rounded but to the cycles of the
    machine: the engine runs until the first moment at which anything under way, or emitted
    meanwhile, could reach a synapse, then the two are brought together.
    """

    def __init__(
        self,
        network: Network,
        mesh: Mesh,
        homes: Mapping[str, npt.ArrayLike],
        *,
        cycles_per_ms: float,
        flits: int = 1,
        multicast: str | None = None,
        record_journeys: bool = True,
        **options: Any,
    ) -> None:
        self.mesh = mesh
        self._homes = _checked_homes(network, mesh, homes)
        if not cycles_per_ms > 0.0:
            raise MappingError(f"cycles_per_ms = {cycles_per_ms}; it must be > 0")
        check_multicast(multicast)
        self.cycles_per_ms = float(cycles_per_ms)
        self.packet_network = None
        if math.isfinite(self.cycles_per_ms):
            self.packet_network = PacketNetwork(mesh, multicast=multicast is not None, **options)
        self._flits, self._record_journeys = flits, record_journeys
        self.multicast = multicast
        self.trees: tuple[MulticastTree, ...] = ()
        self._journal: list[Arrivals] = []
        super().__init__(network, workers=1)

    def _make_engine(self, network: Network, workers: int | None) -> Engine:
        compiled = compile_network(network, homes=self._homes)
        engine = SpreadEngine(compiled, self._take_spikes, self._take_changes, self._make_carrier)
        engine.on_arrivals = self._take_arrivals
        return engine

    def _take_arrivals(self, arrived: Arrivals) -> None:
        self._trials.take_arrivals(arrived.times, arrived.neurons, arrived.cores, self.time)
        if self._record_journeys:
            self._journal.append(arrived)

    def _make_carrier(self, remote: Remote) -> Carrier:
        if self.packet_network is None:
            return InstantCarrier(remote)
        carrier = MeshCarrier(
            remote, self.packet_network, self.cycles_per_ms, self._flits, self.multicast
        )
        self.trees = carrier.trees
        return carrier

    def restore(self, saved: Mapping[str, npt.NDArray[Any]] | str | PathLike[str]) -> None:
        """See :meth:`simulator.Simulation.restore`; later journeys are dropped as well."""
        super().restore(saved)
        seen = math.nextafter(self.time, math.inf)
        self._journal[:] = [piece.where(piece.times <= seen) for piece in self._journal]

    def journeys(self) -> Journeys:
        """Spikes that have reached other cores so far.

        Raises
        ------
        MappingError
            If they were not to be kept.
        """
        if not self._record_journeys:
            raise MappingError("journeys were not recorded; ask for record_journeys=True")
        nothing = Arrivals(np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        times, neurons, cores, emitted = (
            np.concatenate(column) for column in zip(nothing, *self._journal, strict=True)
        )
        return Journeys(neurons, cores, emitted, times)


def _checked_homes(
    network: Network, mesh: Mesh, homes: Mapping[str, npt.ArrayLike]
) -> dict[str, Ints]:
    usable = np.zeros(mesh.n_cores, np.bool_)
    usable[mesh.usable_cores] = True
    checked = {}
    for name, cores in homes.items():
        pop = network.find_population(name)
        where = integers(f"homes of {name!r}", cores)
        if where.size != pop.size:
            raise MappingError(
                f"homes of {name!r}: {where.size} cores for {pop.size} neurons; one each is needed"
            )
        wrong = np.flatnonzero((where < 0) | (where >= mesh.n_cores))
        if wrong.size:
            raise MappingError(
                f"homes of {name!r}: neuron {wrong[0]} is on core {where[wrong[0]]}; the {mesh} "
                f"has cores 0..{mesh.n_cores - 1}"
            )
        wrong = np.flatnonzero(~usable[where])
        if wrong.size:
            raise MappingError(
                f"homes of {name!r}: neuron {wrong[0]} is on core {where[wrong[0]]}, which is "
                "faulty; place the network on mesh.usable_cores"
            )
        checked[pop.name] = where
    for proj in network.projections.values():
        if proj.post.name not in checked and proj.pre.name in checked:
            raise MappingError(
                f"homes: there is none for population {proj.post.name!r}, which "
                f"{proj.pre.name!r} projects to; give the core of each of its neurons"
            )
    return checked
