"""Can a routing function deadlock? The channel dependency graph answers, with proof either way.

Channel c1 depends on c2 if some packet may hold c1 and ask for c2 next. There are three answers:

*free*: the graph has no cycle; the proof is an order of the channels in which every packet
rises (Dally and Seitz 1987). Nothing is assumed of the buffers.

*free by escape set*: the graph has cycles, but every packet can always ask for an escape channel,
and those are never waited for in a circle (Duato 1993, 1995); the proof is an order of the escape
channels. Assumed: a virtual channel takes a packet only when it is empty, or packets fit into one
buffer (`mapping.deadlock_escape`).

*possible*: neither could be proven; the answer holds a shortest cycle of dependencies and the
packets that cause them. If none of these packets has another channel to ask for (`sole_choice`,
always so for a deterministic function), they are deadlocked once they hold their channels, and
`mapping.deadlock_witness` makes packets that do. If some have, the cycle alone is no deadlock.

`mapping.deadlock_check` checks the proofs and shares no code with what finds them.

References
----------
W. J. Dally, C. L. Seitz, IEEE Trans. Computers C-36, 1987. J. Duato, IEEE TPDS 4, 1993 and 6,
1995.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mapping.deadlock_causes import Cause, EndChannel, Followed
from mapping.deadlock_cycles import Graph, graph_of_edges, levels, shortest_cycle
from mapping.deadlock_dependencies import find_dependencies
from mapping.deadlock_escape import find_escape
from mapping.deadlock_flows import FlowLists, flow_lists
from mapping.deadlock_ranks import EscapeRanks
from mapping.deadlock_states import set_bits
from mapping.mesh import Mesh
from mapping.routing import Channel, RoutingFunction, grid_of, routing_function
from mapping.routing._base import Flow, at_least
from mapping.routing._grid import Grid, IntArray

__all__ = ["AnyChannel", "Flow", "Verdict", "channel_dependency_graph", "find_deadlock"]

AnyChannel: TypeAlias = Channel | EndChannel


@dataclass(frozen=True)
class Verdict:
    """Answer of `find_deadlock`, with what is needed to check it without trusting it.

    Attributes
    ----------
    free : bool
        True: no set of packets can wait for each other in a circle.
    routing : str
    all_flows : bool
        True if it holds for every pair of cores, False if only for the flows that were given.
    n_channels, n_dependencies : int
        Size of the channel dependency graph.
    channel_order : tuple of Channel or EndChannel, or None
        If free: an order in which every packet takes channels strictly upwards. If free by an
        escape set: an order of the escape channels alone, in which every packet is always
        offered one above all of them that it may hold.
    cycle : tuple of Channel or EndChannel, or None
        If not free: a shortest cycle, of those in which no packet has another channel to ask for
        if there are such; channel k may wait for channel k + 1, the last for the first. With
        several lanes: their lane 0.
    flows : tuple of (source, target), or None
        Physical cores of a packet that holds ``cycle[k]`` and asks for the next, for each k.
    routes : tuple of tuple of Channel, or None
        A whole route of that packet, for each k.
    escape : str or None
        Which escape set the proof uses.
    sole_choice : bool
        With a cycle: none of its packets is offered anything but the channel it waits for.
    lanes : int
        Copies of each virtual channel; channel ``vc`` has the lanes ``vc * lanes + 0..lanes-1``.
    message_dependence : bool
        Whether cores that consume only when they can inject were taken into account.
    """

    free: bool
    routing: str
    all_flows: bool
    n_channels: int
    n_dependencies: int
    channel_order: tuple[AnyChannel, ...] | None = None
    cycle: tuple[AnyChannel, ...] | None = None
    flows: tuple[Flow, ...] | None = None
    routes: tuple[tuple[Channel, ...], ...] | None = None
    escape: str | None = None
    sole_choice: bool = False
    lanes: int = 1
    message_dependence: bool = False

    @property
    def kind(self) -> str:
        """ "free", "free by escape set" or "possible"."""
        if not self.free:
            return "possible"
        return "free" if self.escape is None else "free by escape set"

    def text(self, mesh: Mesh) -> str:
        """The verdict in words; a witness is spelled out channel by channel."""
        scope = "all flows" if self.all_flows else "the flows of this network"
        on = f"{self.routing} on the {mesh}"
        if self.lanes > 1:
            on += f", {self.lanes} lanes"
        size = f"{self.n_channels} channels, {self.n_dependencies} dependencies"
        if self.cycle is None or self.flows is None or self.routes is None:
            if self.escape is None:
                return f"{on}: free of routing deadlock for {scope} ({size}, no cycle)"
            return (
                f"{on}: free of routing deadlock for {scope} by its escape channels, "
                f"{self.escape} ({size}; virtual channels must be empty before they are reused)"
            )
        lines = [
            f"{on}: deadlock possible for {scope}; {len(self.cycle)} channels wait for each other:"
        ]
        for k, channel in enumerate(self.cycle):
            waits_for = self.cycle[(k + 1) % len(self.cycle)]
            holder = _holder(mesh, self.flows[k], self.routes[k])
            lines.append(
                f"  {channel.text(mesh)}, held by {holder}, waits for {waits_for.text(mesh)}"
            )
        if not self.sole_choice:
            lines.append(
                "  some of these packets may take other channels: freedom is not proven, but "
                "this cycle alone is not a deadlock"
            )
        return "\n".join(lines)


def _holder(mesh: Mesh, flow: Flow, route: tuple[Channel, ...]) -> str:
    start, end = mesh.coordinates(flow[0]), mesh.coordinates(flow[1])
    if not route:
        return "what the core must send first"
    stops = [mesh.coordinates(mesh.link_target(channel.link)) for channel in route[:-1]]
    by = "".join(f" ({x},{y})" for x, y in stops)
    text = f"a packet ({start[0]},{start[1]}) to ({end[0]},{end[1]})"
    return f"{text} by{by}" if by else text


def find_deadlock(
    mesh: Mesh,
    routing: str | RoutingFunction,
    flows: Iterable[Flow] | None = None,
    *,
    lanes: int = 1,
    message_dependence: bool | Iterable[int] = False,
) -> Verdict:
    """Prove a routing function free of routing deadlock, or show a cycle of channels.

    Parameters
    ----------
    mesh : Mesh
    routing : str or RoutingFunction
    flows : iterable of (source, target), or None
        Physical cores that talk to each other; None for every pair that can be used.
    lanes : int
        Copies of each virtual channel, which a packet is free to choose from, >= 1: "XY on 4
        virtual channels" is "xy" with 4 lanes.
    message_dependence : bool or iterable of int
        Cores whose consumption waits for their own injection (True: all), because a spike that
        arrives makes one that must leave through finite buffers.

    Raises
    ------
    MappingError
        An unknown routing or core, or a relation that offers a dead end or a missing channel.

    Examples
    --------
    >>> find_deadlock(Mesh(3, 3), "xy").kind
    'free'
    >>> find_deadlock(Mesh(3, 3), "adaptive_escape").kind
    'free by escape set'
    >>> verdict = find_deadlock(Mesh(4, 1, torus=True), "torus_dimension_order")
    >>> verdict.kind, len(verdict.cycle)
    ('possible', 4)
    """
    function = routing_function(routing, mesh)
    lanes = at_least(f"{function.name}, lanes", lanes, 1)
    given = None if flows is None else tuple(flows)
    lists = flow_lists(mesh, function, given)
    grid = grid_of(mesh, function, given)
    analysis = _Analysis(mesh, function, grid, lists, _dependent(mesh, lists, message_dependence))
    return analysis.verdict(given is None, lanes)


def _dependent(
    mesh: Mesh, lists: FlowLists, message_dependence: bool | Iterable[int]
) -> NDArray[np.bool_]:
    """Cores where consumption waits for injection: those asked for that send anything."""
    asked = np.zeros(mesh.n_cores, dtype=np.bool_)
    if isinstance(message_dependence, bool):
        asked[:] = message_dependence
    else:
        for core in message_dependence:
            mesh.coordinates(core)
            asked[core] = True
    sends = np.zeros(mesh.n_cores, dtype=np.bool_)
    sends[lists.sources] = True
    return asked & sends


class _Analysis:
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

    def graph(self, between: tuple[IntArray, IntArray], ends: tuple[IntArray, IntArray]) -> Graph:
        n_nodes = self.n_channels + 2 * self.mesh.n_cores
        start, end = (np.concatenate(pair) for pair in zip(between, ends, strict=True))
        return graph_of_edges(n_nodes, start, end)

    def verdict(self, all_flows: bool, lanes: int) -> Verdict:
        graph = self.graph(self.between, self.ends)
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
        cycle = shortest_cycle(self.graph(self._edges(self.found.sole), sole_ends))
        certain = bool(cycle)
        if not certain:
            cycle = shortest_cycle(graph)
        causes = self._causes(cycle, certain)
        return Verdict(
            False,
            **size,
            cycle=tuple(self._channel(node, lanes) for node in cycle),
            flows=tuple(cause.flow for cause in causes),
            routes=tuple(
                tuple(Channel(link, vc * lanes) for link, vc in cause.route) for cause in causes
            ),
            sole_choice=certain,
        )

    def _channel(self, node: int, lanes: int, lane: int = 0) -> AnyChannel:
        if node >= self.n_channels:
            kind, core = divmod(node - self.n_channels, self.mesh.n_cores)
            return EndChannel(("injection", "consumption")[kind], core)
        link, vc = divmod(node, self.grid.virtual_channels)
        return Channel(link, vc * lanes + lane)

    def _in_order(self, nodes: IntArray, rank: IntArray, lanes: int) -> tuple[AnyChannel, ...]:
        in_order = nodes[np.lexsort((nodes, rank[nodes]))].tolist()
        return tuple(
            self._channel(node, lanes, lane)
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
            self._cause(followed, held, wanted, certain)
            for held, wanted in zip(cycle, nexts, strict=True)
        ]

    def _cause(self, followed: Followed, held: int, wanted: int, certain: bool) -> Cause:
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


def channel_dependency_graph(
    mesh: Mesh, routing: str | RoutingFunction, flows: Iterable[Flow] | None = None
) -> Any:
    """Channel dependency graph of a routing function, for looking at; not for large meshes.

    Parameters
    ----------
    mesh : Mesh
    routing : str or RoutingFunction
    flows : iterable of (source, target), or None
        Physical cores that talk to each other; None for every pair.

    Returns
    -------
    networkx.DiGraph
        Nodes: every `Channel` that a packet can use. Edge attribute ``flow``: one
        (source, target) whose packet can hold the first channel and ask for the second.

    Raises
    ------
    MappingError
        An unknown routing or core, or a relation that offers a dead end or a missing channel.
    """
    import networkx as nx

    function = routing_function(routing, mesh)
    given = None if flows is None else tuple(flows)
    lists = flow_lists(mesh, function, given)
    grid = grid_of(mesh, function, given)
    nobody = np.zeros(mesh.n_cores, dtype=np.bool_)
    analysis = _Analysis(mesh, function, grid, lists, nobody)
    followed = Followed(mesh, function, grid)
    graph = nx.DiGraph()
    for node in np.flatnonzero(analysis.found.used).tolist():
        graph.add_node(analysis._channel(node, 1))
    for held, wanted in zip(*(part.tolist() for part in analysis.between), strict=True):
        cause = analysis._cause(followed, held, wanted, False)
        ends = analysis._channel(held, 1), analysis._channel(wanted, 1)
        graph.add_edge(*ends, flow=cause.flow)
    return graph
