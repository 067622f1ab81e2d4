"""Flows in the form that compiled code reads: for every target, its sources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from mapping.mesh import Mesh
from mapping.routing import RoutingFunction
from mapping.routing._base import Flow
from mapping.routing._grid import IntArray
from simulator.ragged import row_starts

__all__ = ["FlowLists", "flow_lists"]


class FlowLists(NamedTuple):
    """Flows by target: the sources of ``targets[k]`` are ``sources[first[k]:last[k]]``.

    The target itself may be among them and is passed over.
    """

    targets: IntArray
    first: IntArray
    last: IntArray
    sources: IntArray

    def sources_of(self, target: int) -> list[int]:
        """Cores that send to it."""
        k = int(np.searchsorted(self.targets, target))
        some = self.sources[self.first[k] : self.last[k]].tolist()
        return [source for source in some if source != target]

    def targets_of(self, source: int) -> list[int]:
        """Cores that it sends to."""
        places = np.flatnonzero(self.sources == source)[:, np.newaxis]
        sent_to = ((self.first <= places) & (places < self.last)).any(axis=0)
        return [target for target in self.targets[sent_to].tolist() if target != source]


def flow_lists(mesh: Mesh, function: RoutingFunction, flows: Iterable[Flow] | None) -> FlowLists:
    """Flows by target, without those from a core to itself; None for all that the function has.

    Raises
    ------
    MappingError
        A flow from or to a core that is not there.
    """
    if flows is None:
        everyone = mesh.usable_cores
        connected = function.connected(mesh)
        if connected is None:  # one list serves all targets
            none, all_of_them = np.zeros_like(everyone), np.full_like(everyone, everyone.size)
            return FlowLists(everyone, none, all_of_them, everyone)
        target_place, place = np.nonzero(connected[np.ix_(everyone, everyone)].T)
        bounds = np.searchsorted(target_place, np.arange(everyone.size + 1))
        return FlowLists(everyone, bounds[:-1], bounds[1:], everyone[place])
    by_target: defaultdict[int, set[int]] = defaultdict(set)
    for source, target in flows:
        mesh.coordinates(source)
        mesh.coordinates(target)
        if source != target:
            by_target[target].add(source)
    targets = sorted(by_target)
    senders = [sorted(by_target[target]) for target in targets]
    ends = row_starts(map(len, senders))
    flat = [core for some in senders for core in some]
    lists = (targets, ends[:-1], ends[1:], flat)
    return FlowLists(*(np.array(part, dtype=np.int64) for part in lists))
