"""One relation, followed and judged: the graph of its dependencies, and the verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.deadlock_causes import Cause, EndChannel, Followed
from mapping.deadlock_cycles import Graph, graph_of_edges, levels, shortest_cycle
from mapping.deadlock_dependencies import find_dependencies
from mapping.deadlock_escape import find_escape
from mapping.deadlock_flows import FlowLists
from mapping.deadlock_ranks import EscapeRanks
from mapping.deadlock_states import set_bits
from mapping.deadlock_verdict import AnyChannel, Verdict
from mapping.mesh import Mesh
from mapping.routing import Channel, RoutingFunction
from mapping.routing._grid import Grid, IntArray

__all__ = ["Analysis"]


class Analysis:
    """One relation, its dependencies, and the answer.

    Nodes of the graph: channel numbers, then injection channels, then consumption channels.
    """

    def __init__(
        self,
        mesh: Mesh,
        function: RoutingFunction,
        grid: Grid,
        lists: FlowLists,
        dependent: NDArray[np.bool_],
    ) -> None:
        self.mesh, self.function, self.grid, self.lists = mesh, function, grid, lists
        self.dependent = dependent
        self.n_channels = 4 * mesh.n_cores * grid.virtual_channels
        self.found = find_dependencies(mesh, function, grid, lists)
        self.between = self._edges(self.found.follows)
        self.ends = self._end_edges(self.found.starts)

    def _edges(self, rows: IntArray) -> tuple[IntArray, IntArray]:
        """Dependencies between channels, from their bits."""
        start, place = set_bits(rows, self.grid.virtual_channels)
        router = self.mesh.link_targets[start // self.grid.virtual_channels]
        return start, 4 * self.grid.virtual_channels * router + place

    def _end_edges(self, starts: IntArray) -> tuple[IntArray, IntArray]:
        """Injection to first channels, last channels to consumption, consumption to injection."""
        if not self.dependent.any():
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        lanes, n = self.grid.virtual_channels, self.mesh.n_cores
        core, place = set_bits(starts, lanes)
        last = np.flatnonzero(self.found.ends)
        waits = np.flatnonzero(self.dependent)
        consumption = self.n_channels + n
        start = (self.n_channels + core, last, consumption + waits)
        first_channel = 4 * lanes * core + place
        at = self.mesh.link_targets[last // lanes]
        end = (first_channel, consumption + at, self.n_channels + waits)
        return np.concatenate(start), np.concatenate(end)

    def _graph(self, between: tuple[IntArray, IntArray], ends: tuple[IntArray, IntArray]) -> Graph:
        n_nodes = self.n_channels + 2 * self.mesh.n_cores
        start, end = (np.concatenate(pair) for pair in zip(between, ends, strict=True))
        return graph_of_edges(n_nodes, start, end)

    def verdict(self, all_flows: bool, lanes: int) -> Verdict:
        graph = self._graph(self.between, self.ends)
        used = self.found.used > 0
        at_ends = np.unique(np.concatenate(self.ends))
        at_ends = at_ends[at_ends >= self.n_channels]
        is_end = (self.ends[0] >= self.n_channels).astype(int) + (self.ends[1] >= self.n_channels)
        size: dict[str, Any] = {
            "routing": self.function.name,
            "all_flows": all_flows,
            "n_channels": int(used.sum()) * lanes + at_ends.size,
            "n_dependencies": self.between[0].size * lanes**2
            + int(np.where(is_end == 1, lanes, 1).sum()),
            "lanes": lanes,
            "message_dependence": bool(self.dependent.any()),
        }
        level = levels(graph)
        if (level >= 0).all():
            nodes = np.concatenate((np.flatnonzero(used), at_ends))
            return Verdict(True, **size, channel_order=self._in_order(nodes, level, lanes))
        if self.found.choice[0]:
            escape = find_escape(
                self.mesh,
                self.function,
                self.grid,
                self.lists,
                self.dependent,
                self.found.follows,
            )
            if escape is not None:
                order = self._escape_order(escape, lanes)
                return Verdict(True, **size, channel_order=order, escape=escape.name)
        sole_ends = self._end_edges(self.found.sole_starts)
        cycle = shortest_cycle(self._graph(self._edges(self.found.sole), sole_ends))
        certain = bool(cycle)
        if not certain:
            cycle = shortest_cycle(graph)
        causes = self._causes(cycle, certain)
        return Verdict(
            False,
            **size,
            cycle=tuple(self.channel(node, lanes) for node in cycle),
            flows=tuple(cause.flow for cause in causes),
            routes=tuple(
                tuple(Channel(link, vc * lanes) for link, vc in cause.route) for cause in causes
            ),
            sole_choice=certain,
        )

    def channel(self, node: int, lanes: int, lane: int = 0) -> AnyChannel:
        if node >= self.n_channels:
            kind, core = divmod(node - self.n_channels, self.mesh.n_cores)
            return EndChannel(("injection", "consumption")[kind], core)
        link, vc = divmod(node, self.grid.virtual_channels)
        return Channel(link, vc * lanes + lane)

    def _in_order(self, nodes: IntArray, rank: IntArray, lanes: int) -> tuple[AnyChannel, ...]:
        in_order = nodes[np.lexsort((nodes, rank[nodes]))].tolist()
        return tuple(
            self.channel(node, lanes, lane)
            for node in in_order
            for lane in range(lanes if node < self.n_channels else 1)
        )

    def _escape_order(self, escape: EscapeRanks, lanes: int) -> tuple[AnyChannel, ...]:
        rank = np.concatenate((escape.rank, escape.injection_rank, escape.consumption_rank))
        return self._in_order(np.flatnonzero(rank >= 0), rank, lanes)

    def _causes(self, cycle: list[int], certain: bool) -> list[Cause]:
        followed = Followed(self.mesh, self.function, self.grid)
        nexts = cycle[1:] + cycle[:1]
        return [
            self.cause(followed, held, wanted, certain)
            for held, wanted in zip(cycle, nexts, strict=True)
        ]

    def cause(self, followed: Followed, held: int, wanted: int, certain: bool) -> Cause:
        lanes, n = self.grid.virtual_channels, self.mesh.n_cores
        if held >= self.n_channels + n:
            core = held - self.n_channels - n
            return Cause((core, core), ())
        if held >= self.n_channels:
            return self._first_cause(followed, held - self.n_channels, wanted)
        if wanted >= self.n_channels:
            target, last = wanted - self.n_channels - n, None
        else:
            place = wanted - 4 * lanes * followed.end(held)
            by_target = self.found.sole_target if certain else self.found.follows_target
            target, last = int(by_target[held, place]), wanted
        sources = self.lists.sources_of(target)
        found = followed.through(sources, target, held, last)
        assert found is not None  # the dependency was found by following a packet
        return self._as_cause(found[0], target)

    def _first_cause(self, followed: Followed, core: int, wanted: int) -> Cause:
        for target in self.lists.targets.tolist():
            sends = core != target and core in self.lists.sources_of(target)
            if sends and wanted in followed.offered(core, -1, target):
                found = followed.through([core], target, wanted, None)
                if found is not None:
                    return self._as_cause(found[0], target)
        raise AssertionError("an injected packet asks for a channel that no flow is offered")

    def _as_cause(self, route: list[int], target: int) -> Cause:
        channels = tuple(Channel(*divmod(c, self.grid.virtual_channels)) for c in route)
        return Cause((channels[0].link // 4, target), channels)
