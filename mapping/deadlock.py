"""Can a routing function deadlock? The channel dependency graph answers, with proof either way.

Channel c1 depends on c2 if some packet may hold c1 and ask for c2 next. There are three answers:

*free*: the graph has no cycle; the proof is an order of the channels in which every packet
rises (Dally and Seitz 1987). Nothing is assumed of the buffers.

*free by escape set*: the graph has cycles, but every packet can always ask for an escape channel,
and those are never waited for in a circle (Duato 1993, 1995); the proof is an order of the escape
channels. Assumed: a virtual channel is given to a packet only when it is empty (`empty_first` of
`mapping.network.PacketNetwork`), or when the whole packet fits into it (virtual cut-through).

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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.deadlock_analysis import Analysis
from mapping.deadlock_causes import Followed
from mapping.deadlock_flows import FlowLists, flow_lists
from mapping.deadlock_verdict import AnyChannel, Verdict
from mapping.mesh import Mesh
from mapping.routing import RoutingFunction, grid_of, routing_function
from mapping.routing._base import Flow, at_least

__all__ = ["AnyChannel", "Flow", "Verdict", "channel_dependency_graph", "find_deadlock"]


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
    analysis = Analysis(mesh, function, grid, lists, _dependent(mesh, lists, message_dependence))
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
    analysis = Analysis(mesh, function, grid, lists, nobody)
    followed = Followed(mesh, function, grid)
    graph = nx.DiGraph()
    for node in np.flatnonzero(analysis.found.used).tolist():
        graph.add_node(analysis.channel(node, 1))
    for held, wanted in zip(*(part.tolist() for part in analysis.between), strict=True):
        cause = analysis.cause(followed, held, wanted, False)
        ends = analysis.channel(held, 1), analysis.channel(wanted, 1)
        graph.add_edge(*ends, flow=cause.flow)
    return graph
