"""Can multicast packets block each other? Dependencies of packets that branch.

A packet in wormhole switching stays whole: while one branch waits for a channel, the flits of the
others stop too, so it holds every channel of its tree that it has and waits for any that it has
not. Channel u may be held while v is asked for if v feeds from u, or if neither lies on the way
to the other. With virtual cut-through, where a whole packet fits into a buffer, a branch that has
its channel goes on alone, and only the first kind is left.

One tree alone depends on itself in circles, which is no deadlock: its packets come one behind the
other, and none waits for one that comes later. So a circle counts if it takes packets of two
trees. The proof of freedom is an order of groups of channels: dependencies go from group to later
group, or stay inside a group, where all of them come from one tree. A circle that is found is a
possible deadlock, not a certain one.

References
----------
X. Lin, L. M. Ni, ISCA 1991; R. V. Boppana, S. Chalasani, C. S. Raghavendra, Resource deadlocks and
performance of wormhole multicast routing algorithms, IEEE TPDS 9, 1998 (consumption channels).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mapping.deadlock import AnyChannel, channel_dependency_graph
from mapping.deadlock_causes import EndChannel
from mapping.mesh import Mesh
from mapping.multicast import MulticastTree
from mapping.routing import Channel, RoutingFunction
from mapping.routing._base import Flow
from simulator.errors import MappingError

__all__ = ["MulticastVerdict", "find_multicast_deadlock"]

UNICAST = -1
_MIXED = -2
_Edges = defaultdict[AnyChannel, dict[AnyChannel, set[int]]]


@dataclass(frozen=True)
class MulticastVerdict:
    """Answer of `find_multicast_deadlock`.

    Attributes
    ----------
    free : bool
    n_channels, n_dependencies : int
    groups : tuple of tuple of Channel or EndChannel, or None
        If free: the order that proves it.
    cycle : tuple of Channel or EndChannel, or None
        If not: channels, each of which may be held while the next is asked for.
    causes : tuple of int, or None
        For each of them the number of a tree whose packet does so, -1 for a unicast packet.
    """

    free: bool
    n_channels: int
    n_dependencies: int
    groups: tuple[tuple[AnyChannel, ...], ...] | None = None
    cycle: tuple[AnyChannel, ...] | None = None
    causes: tuple[int, ...] | None = None

    def text(self, mesh: Mesh, trees: Sequence[MulticastTree]) -> str:
        """The verdict in words."""
        size = f"{self.n_channels} channels, {self.n_dependencies} dependencies"
        if self.cycle is None or self.causes is None:
            return f"multicast on the {mesh}: free of deadlock ({size})"
        lines = [f"multicast on the {mesh}: deadlock possible ({size}):"]
        for k, channel in enumerate(self.cycle):
            wanted = self.cycle[(k + 1) % len(self.cycle)]
            cause = self.causes[k]
            who = "a unicast packet"
            if cause != UNICAST:
                x, y = mesh.coordinates(trees[cause].source)
                who = f"a multicast packet from ({x},{y}), tree {cause}"
            lines.append(f"  {channel.text(mesh)}, held by {who}, waits for {wanted.text(mesh)}")
        return "\n".join(lines)


def find_multicast_deadlock(
    mesh: Mesh,
    trees: Sequence[MulticastTree],
    *,
    routing: str | RoutingFunction | None = None,
    flows: Iterable[Flow] | None = None,
    switching: str = "wormhole",
    consumption: str = "unlimited",
) -> MulticastVerdict:
    """Prove that packets of these trees cannot block each other, or show a circle of channels.

    Parameters
    ----------
    mesh : Mesh
    trees : sequence of MulticastTree
    routing : str or RoutingFunction, or None
        Of unicast packets on the same channels; None for none.
    flows : iterable of (source, target), or None
        Of these unicast packets; None for every pair.
    switching : "wormhole" or "cut_through"
    consumption : "unlimited" or "single"
        Whether any number of packets can be taken in by a core at once, or one after the other:
        then the copy for the core is a branch like others.

    Raises
    ------
    MappingError
        An unknown option, or a tree that is none.
    """
    for name, value, known in (
        ("switching", switching, ("wormhole", "cut_through")),
        ("consumption", consumption, ("unlimited", "single")),
    ):
        if value not in known:
            raise MappingError(f"{name} = {value!r}; expected one of {', '.join(known)}")
    edges: _Edges = defaultdict(lambda: defaultdict(set))
    nodes: set[AnyChannel] = set()
    owner: list[int] = []
    for number, tree in enumerate(trees):
        tree.check(mesh)
        for packet in tree.packets():
            _add_packet(edges, nodes, tree, packet, len(owner), switching, consumption)
            owner.append(number)
    if routing is not None:
        graph = channel_dependency_graph(mesh, routing, flows)
        nodes.update(graph.nodes)
        for held, wanted in graph.edges:
            edges[held][wanted].add(UNICAST)
    size = (len(nodes), sum(len(following) for following in edges.values()))
    groups = _groups(nodes, edges)
    for group in groups:
        inside = {
            number
            for held in group
            for wanted, numbers in edges[held].items()
            if wanted in group and len(group) > 1
            for number in numbers
        }
        if len(inside) > 1 or UNICAST in inside:
            cycle, causes = _mixed_cycle(group, edges)
            named = tuple(UNICAST if c == UNICAST else owner[c] for c in causes)
            return MulticastVerdict(False, *size, cycle=tuple(cycle), causes=named)
    return MulticastVerdict(True, *size, groups=tuple(tuple(sorted(g, key=_key)) for g in groups))


def _key(channel: AnyChannel) -> tuple[bool, tuple[Any, ...]]:
    return isinstance(channel, EndChannel), tuple(channel)


def _add_packet(
    edges: _Edges,
    nodes: set[AnyChannel],
    tree: MulticastTree,
    packet: dict[Channel, Channel | None],
    number: int,
    switching: str,
    consumption: str,
) -> None:
    children: defaultdict[AnyChannel | None, list[AnyChannel]] = defaultdict(list)
    for channel, parent in packet.items():
        children[parent].append(channel)
    if consumption == "single":
        for target, last in tree.arrival.items():
            if last in packet:
                children[last].append(EndChannel("consumption", target))
    for feeder, branches in children.items():
        nodes.update(branches)
        if feeder is not None:
            for branch in branches:
                edges[feeder][branch].add(number)
        if switching == "wormhole" and len(branches) > 1:
            below = [_below(children, branch) for branch in branches]
            for a, held_side in enumerate(below):
                for b, wanted_side in enumerate(below):
                    if a != b:
                        for held in held_side:
                            for wanted in wanted_side:
                                edges[held][wanted].add(number)


def _below(
    children: dict[AnyChannel | None, list[AnyChannel]], branch: AnyChannel
) -> list[AnyChannel]:
    found = [branch]
    for channel in found:  # grows as it is read
        found.extend(children.get(channel, ()))
    return found


def _groups(nodes: set[AnyChannel], edges: _Edges) -> list[set[AnyChannel]]:
    """Strongly connected components, each before those that it leads to."""
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(sorted(nodes, key=_key))
    graph.add_edges_from((held, wanted) for held in edges for wanted in edges[held])
    components = list(nx.strongly_connected_components(graph))
    condensed = nx.condensation(graph, components)
    return [set(condensed.nodes[k]["members"]) for k in nx.topological_sort(condensed)]


def _mixed_cycle(group: set[AnyChannel], edges: _Edges) -> tuple[list[AnyChannel], list[int]]:
    """Shortest closed way inside a component by packets of two trees, or any unicast ones."""
    best: tuple[list[AnyChannel], list[int]] | None = None
    for start in sorted(group, key=_key):
        found = _closed_way(start, group, edges)
        if found is not None and (best is None or len(found[0]) < len(best[0])):
            best = found
            if len(best[0]) == 2:
                break
    assert best is not None  # a component holds a closed way through any two of its edges
    return best


def _closed_way(
    start: AnyChannel, group: set[AnyChannel], edges: _Edges
) -> tuple[list[AnyChannel], list[int]] | None:
    """Breadth first over (channel, the one tree so far or _MIXED)."""
    State = tuple[AnyChannel, int]
    before: dict[State, tuple[State | None, int]] = {}
    waiting: deque[State] = deque()

    def reach(state: State, earlier: State | None, number: int) -> None:
        if state not in before:
            before[state] = (earlier, number)
            waiting.append(state)

    for wanted, numbers in edges[start].items():
        if wanted in group:
            for number in sorted(numbers):
                reach((wanted, _MIXED if number == UNICAST else number), None, number)
    while waiting:
        state = waiting.popleft()
        channel, status = state
        if channel == start:
            if status != _MIXED:
                continue
            way: list[AnyChannel] = []
            causes: list[int] = []
            here: State | None = state
            while here is not None:
                here_before, number = before[here]
                way.append(here[0])
                causes.append(number)
                here = here_before
            return [start, *reversed(way)][:-1], causes[::-1]
        for wanted, numbers in edges[channel].items():
            if wanted in group:
                for number in sorted(numbers):
                    mixed = status == _MIXED or number in (UNICAST,) or number != status
                    reach((wanted, _MIXED if mixed else number), state, number)
    return None
