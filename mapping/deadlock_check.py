"""Check a proof of freedom from deadlock without the analysis that found it; plain Python.

The proof is an order of channels. It holds if every packet, wherever it may be, is offered a
channel of the order that comes behind all channels of the order that it may hold there. Then no
set of packets can wait for each other: the one that holds the last of all channels held by them
is offered one that none of them holds. If, further, every channel that is offered is in the order
and comes behind, the proof needs no assumption about buffers; else a virtual channel must be given
to a packet only when it is empty, or when the whole packet fits into it.

Nothing is imported here but the relation itself, asked one state at a time: slow, for tests and
for those who do not believe. (What a packet may hold is followed as the highest rank on any way
to a state, by going round until nothing changes.)
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from mapping.mesh import Mesh
from mapping.routing import Channel, RoutingFunction

__all__ = ["check_certificate"]

_State = tuple[int, Channel | None]


def check_certificate(
    mesh: Mesh,
    function: RoutingFunction,
    order: Sequence[Hashable],
    flows: Iterable[tuple[int, int]],
    *,
    complete: bool,
    dependent: Iterable[int] = (),
) -> str | None:
    """The first fault of the proof, in words; None if it holds.

    Parameters
    ----------
    order : sequence of Channel
        And of ``("injection", core)``, ``("consumption", core)`` where cores are `dependent`.
    flows : iterable of (source, target)
    complete : bool
        Demand that every channel offered is in the order and comes behind (no cycle at all),
        not only one (escape channels).
    dependent : iterable of int
        Cores that consume only when they can inject.
    """
    rank = {channel: place for place, channel in enumerate(order)}
    if len(rank) != len(order):
        return "a channel is twice in the order"
    waiting_cores = set(dependent)
    sources: dict[int, set[int]] = {}
    for source, target in flows:
        if source != target:
            sources.setdefault(target, set()).add(source)
    for core in waiting_cores:
        if core in sources and any(core in some for some in sources.values()):
            consumed, injected = rank.get(("consumption", core)), rank.get(("injection", core))
            if consumed is None or injected is None or consumed >= injected:
                return f"core {core} consumes only when it can inject, and that is not in order"
    for target, some in sources.items():
        fault = _check_target(mesh, function, rank, target, some, complete, waiting_cores)
        if fault is not None:
            return fault
    return None


def _check_target(
    mesh: Mesh,
    function: RoutingFunction,
    rank: dict[Hashable, int],
    target: int,
    sources: set[int],
    complete: bool,
    dependent: set[int],
) -> str | None:
    # Highest rank that a packet in this state may hold, -1 for none.
    held: dict[_State, int] = {}
    offered: dict[_State, list[Channel]] = {}
    waiting: list[_State] = []
    for source in sources:
        start = rank.get(("injection", source), -1) if source in dependent else -1
        held[source, None] = start
        waiting.append((source, None))
    delivered = -1
    while waiting:
        state = waiting.pop()
        if state not in offered:
            offered[state] = [
                Channel(*channel) for channel in function.next_channels(mesh, *state, target)
            ]
            if not offered[state]:
                return f"dead end at {mesh.coordinates(state[0])} for {mesh.coordinates(target)}"
        for channel in offered[state]:
            most = max(held[state], rank.get(channel, -1))
            end = mesh.link_target(channel.link)
            if end == target:
                delivered = max(delivered, most)
            elif held.get((end, channel), -2) < most:
                held[end, channel] = most
                waiting.append((end, channel))
    for state, channels in offered.items():
        ranks = [rank.get(channel, -1) for channel in channels]
        if (min(ranks) if complete else max(ranks)) <= held[state]:
            return (
                f"at {mesh.coordinates(state[0])}, come by {state[1]}, for "
                f"{mesh.coordinates(target)}: {channels} do not come behind what may be held"
            )
    sends = target in dependent and rank.get(("consumption", target), -1) >= 0
    if sends and rank["consumption", target] <= delivered:
        return f"the consumption channel of {mesh.coordinates(target)} comes too early"
    return None
