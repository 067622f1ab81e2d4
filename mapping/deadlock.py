"""Can a routing function deadlock? The channel dependency graph answers, with proof either way.

Channel c1 depends on c2 if some packet may hold c1 and ask for c2 next. A deterministic function
on a network with finite buffers is free of routing deadlock if and only if this graph has no
cycle (Dally and Seitz 1987, theorem 1). For an adaptive function the absence of cycles is still
sufficient; a cycle then only means that freedom is not proven (Duato 1993), and the verdict says
"possible".

Not here yet: escape channels, multicast branches, dependencies through core buffers.

References
----------
W. J. Dally, C. L. Seitz, IEEE Trans. Computers C-36, 1987. J. Duato, IEEE TPDS 4, 1993.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mapping.mesh import Mesh
from mapping.routing import Channel, RoutingFunction, checked_channels, routing_function

__all__ = ["Flow", "Verdict", "channel_dependency_graph", "find_deadlock"]

Flow = tuple[int, int]


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
    channel_order : tuple of Channel, or None
        If free: an order in which every packet takes channels strictly upwards.
    cycle : tuple of Channel, or None
        If not free: a shortest cycle; channel k may wait for channel k + 1, the last for the
        first.
    flows : tuple of (source, target), or None
        Physical cores of a packet that holds ``cycle[k]`` and asks for the next, for each k.
    """

    free: bool
    routing: str
    all_flows: bool
    n_channels: int
    n_dependencies: int
    channel_order: tuple[Channel, ...] | None = None
    cycle: tuple[Channel, ...] | None = None
    flows: tuple[Flow, ...] | None = None

    def text(self, mesh: Mesh) -> str:
        """The verdict in words; a witness is spelled out channel by channel."""
        scope = "all flows" if self.all_flows else "the flows of this network"
        if self.cycle is None or self.flows is None:
            return (
                f"{self.routing} on the {mesh}: free of routing deadlock for {scope} "
                f"({self.n_channels} channels, {self.n_dependencies} dependencies, no cycle)"
            )
        lines = [
            f"{self.routing} on the {mesh}: deadlock possible for {scope}; "
            f"{len(self.cycle)} channels wait for each other:"
        ]
        for k, (channel, (source, target)) in enumerate(zip(self.cycle, self.flows, strict=True)):
            waits_for = self.cycle[(k + 1) % len(self.cycle)]
            start, end = mesh.coordinates(source), mesh.coordinates(target)
            lines.append(
                f"  {channel.text(mesh)}, held by a packet ({start[0]},{start[1]}) to "
                f"({end[0]},{end[1]}), waits for {waits_for.text(mesh)}"
            )
        return "\n".join(lines)


def channel_dependency_graph(
    mesh: Mesh, routing: str | RoutingFunction, flows: Iterable[Flow] | None = None
) -> Any:
    """Channel dependency graph of a routing function.

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
    if flows is None:
        everyone = range(mesh.n_cores)
        sources_of = {target: list(everyone) for target in everyone}
    else:
        gathered: defaultdict[int, set[int]] = defaultdict(set)
        for source, target in flows:
            mesh.coordinates(source)
            mesh.coordinates(target)
            gathered[target].add(source)
        sources_of = {target: sorted(gathered[target]) for target in sorted(gathered)}

    graph = nx.DiGraph()
    for target, sources in sources_of.items():
        # What a packet may do next depends on its channel and target alone, so all sources of
        # one target are followed together, and `origin` remembers one source per channel.
        origin: dict[Channel, int] = {}
        waiting: deque[Channel] = deque()
        for source in sources:
            if source != target:
                for channel in checked_channels(mesh, function, source, None, target):
                    if channel not in origin:
                        origin[channel] = source
                        waiting.append(channel)
        while waiting:
            held = waiting.popleft()
            graph.add_node(held)
            router = mesh.link_target(held.link)
            if router == target:
                continue
            for wanted in checked_channels(mesh, function, router, held, target):
                if not graph.has_edge(held, wanted):
                    graph.add_edge(held, wanted, flow=(origin[held], target))
                if wanted not in origin:
                    origin[wanted] = origin[held]
                    waiting.append(wanted)
    return graph


def find_deadlock(
    mesh: Mesh, routing: str | RoutingFunction, flows: Iterable[Flow] | None = None
) -> Verdict:
    """Prove a routing function free of routing deadlock, or show a cycle of channels.

    Parameters and errors are those of `channel_dependency_graph`.

    Examples
    --------
    >>> find_deadlock(Mesh(3, 3), "xy").free
    True
    >>> ring = Mesh(4, 1, torus=True)
    >>> verdict = find_deadlock(ring, "torus_dimension_order")
    >>> verdict.free, len(verdict.cycle)
    (False, 4)
    """
    import networkx as nx

    function = routing_function(routing, mesh)
    graph = channel_dependency_graph(mesh, function, flows)
    size = (flows is None, graph.number_of_nodes(), graph.number_of_edges())
    if nx.is_directed_acyclic_graph(graph):
        order = tuple(nx.lexicographical_topological_sort(graph))
        return Verdict(True, function.name, *size, channel_order=order)
    cycle = _shortest_cycle(graph)
    edges = zip(cycle, (*cycle[1:], cycle[0]), strict=True)
    witnesses = tuple(graph.edges[edge]["flow"] for edge in edges)
    return Verdict(False, function.name, *size, cycle=cycle, flows=witnesses)


def _shortest_cycle(graph: Any) -> tuple[Channel, ...]:
    """Shortest cycle of a graph that has one; among equals, that of the lowest channel."""
    import networkx as nx

    best: tuple[Channel, ...] = ()
    for component in sorted(nx.strongly_connected_components(graph), key=min):
        for start in sorted(component):
            shorter_than = len(best) if best else len(component) + 1
            best = _cycle_through(graph, start, component, shorter_than) or best
    return best


def _cycle_through(
    graph: Any, start: Channel, component: set[Channel], shorter_than: int
) -> tuple[Channel, ...] | None:
    """Shortest cycle through `start` with fewer than `shorter_than` channels, breadth first."""
    parent: dict[Channel, Channel | None] = {start: None}
    level = [start]
    for _ in range(1, shorter_than):
        following = []
        for node in level:
            for successor in sorted(graph.successors(node)):
                if successor == start:
                    return _path_to(node, parent)
                if successor in component and successor not in parent:
                    parent[successor] = node
                    following.append(successor)
        level = following
    return None


def _path_to(node: Channel, parent: dict[Channel, Channel | None]) -> tuple[Channel, ...]:
    path: list[Channel] = []
    step: Channel | None = node
    while step is not None:
        path.append(step)
        step = parent[step]
    return tuple(reversed(path))
