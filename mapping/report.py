"""A network on a machine, with every figure that says how good the mapping is."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from mapping import _report_dict, _report_text, metrics
from mapping.deadlock import Verdict
from mapping.deadlock_multicast import MulticastVerdict
from mapping.graph import IntArray, SpikingGraph
from mapping.limit import MappingLimit
from mapping.mesh import Mesh
from mapping.multicast import MulticastTree
from mapping.network.recorded import SpikeLatency
from mapping.partition import Partition
from mapping.placement import Placement
from mapping.traffic import Traffic
from simulator.errors import DataError

__all__ = ["BASELINES", "MappingReport", "Multicast"]

BASELINES = ("sequential", "serpentine")


class Multicast(NamedTuple):
    """The same traffic when one packet serves all targets of a spike.

    Attributes
    ----------
    n_packets : int
        Packets that enter the network; some methods send several for a spike.
    cost : int
        [packets x hops] packets over all links, each counted once per link of its tree.
    maximum_link_load : int
        [packets]
    energy_pj : float or None
        [pJ] None if the mesh states no energies.
    method : str or None
        Of `mapping.multicast.multicast_names()`; None for the union of the routes.
    trees : tuple of MulticastTree
        Of that method, one for each set of cores that a core sends to.
    verdict : MulticastVerdict or None
        Whether packets of these trees can block each other.
    """

    n_packets: int
    cost: int
    maximum_link_load: int
    energy_pj: float | None
    method: str | None = None
    trees: tuple[MulticastTree, ...] = ()
    verdict: MulticastVerdict | None = None


@dataclass(frozen=True, eq=False)
class MappingReport:
    """A mapping and its figures; `mapping.pipeline` makes it.

    Attributes
    ----------
    graph, mesh, partition, traffic, placement
        The input and the three steps.
    partition_method, routing : str
    baseline_costs : dict of str to int
        [packets x hops] cost of the same partition under each of `BASELINES`.
    hops : metrics.Hops
    limit : MappingLimit or None
        The cost beside what no placement can beat; None above 1,024 logical cores, where the
        bound takes minutes.
    added_storage : float
        Axons and synapses stored beyond once, of what there is: see `metrics.added_storage`.
    link_loads : int64 or float64 array, shape (mesh.n_link_ids,)
        Packets over each link, by link id, one packet per target.
    loads_are_expected : bool
        Whether the routing function leaves a choice, so that the loads are those of an even
        split (`metrics.expected_link_loads`).
    multicast : Multicast or None
        None if no method was asked for and the routing function leaves a choice, so that it
        defines no trees.
    utilisation : metrics.Utilisation
    link_utilisation : float
        Share of links in use.
    energy_pj : float or None
        [pJ] energy of all packets; None if the mesh states no energies.
    verdict : Verdict
        Of the routing function for all flows, whatever the traffic.
    traffic_verdict : Verdict
        Restricted to the flows of this network.
    spikes : SpikeLatency or None
        What became of recorded spikes in the packet network; None if none were given.
    """

    graph: SpikingGraph
    mesh: Mesh
    partition: Partition
    traffic: Traffic
    placement: Placement
    partition_method: str
    routing: str
    baseline_costs: dict[str, int]
    hops: metrics.Hops
    limit: MappingLimit | None
    added_storage: float
    link_loads: metrics.Loads
    loads_are_expected: bool
    multicast: Multicast | None
    utilisation: metrics.Utilisation
    link_utilisation: float
    energy_pj: float | None
    verdict: Verdict
    traffic_verdict: Verdict
    spikes: SpikeLatency | None = None

    @property
    def core_of(self) -> IntArray:
        """Physical core of every neuron, shape (n_neurons,)."""
        return self.placement.core_of[self.partition.core_of]

    @property
    def cost(self) -> int:
        """[packets x hops] communication cost."""
        return self.placement.cost

    @property
    def maximum_link_load(self) -> int:
        """[packets] load of the busiest link."""
        return metrics.maximum_link_load(self.link_loads)

    def summary_rows(self) -> list[tuple[str, str]]:
        """(label, value) pairs for a table, in reading order."""
        return _report_text.summary_rows(self)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-ready values; the layout carries a schema version."""
        return _report_dict.report_dict(self)

    def to_json(self, path: str | os.PathLike[str]) -> Path:
        """Write `to_dict` as JSON and return the path.

        Raises
        ------
        DataError
            The file cannot be written.
        """
        target = Path(path)
        text = json.dumps(self.to_dict(), allow_nan=False, indent=1)
        try:
            target.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise DataError(f"{target}: cannot write the mapping: {error.strerror}") from error
        return target
