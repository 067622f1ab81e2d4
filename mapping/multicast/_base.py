"""A multicast tree: the channels by which one packet reaches many cores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from mapping.mesh import Mesh
from mapping.routing import Channel
from simulator.errors import MappingError

__all__ = ["MulticastTree", "Parents", "graft"]

# Parent channel of each channel, None for those that leave the source; parents come first.
Parents: TypeAlias = dict[Channel, Channel | None]


@dataclass(frozen=True, eq=False)
class MulticastTree:
    """Which channels a multicast packet takes.

    Attributes
    ----------
    method : str
    source : int
        Core.
    targets : tuple of int
        Cores, ascending; never the source.
    parent : mapping of Channel to Channel or None
        The channel each is fed from, None for those that leave the source; parents come first.
    arrival : mapping of int to Channel
        The channel after which each target takes its copy; the packet may go on from there.
    apart : bool
        The source sends one packet for each channel that leaves it, instead of one that branches.
    """

    method: str
    source: int
    targets: tuple[int, ...]
    parent: Mapping[Channel, Channel | None]
    arrival: Mapping[int, Channel]
    apart: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "parent", MappingProxyType(dict(self.parent)))
        object.__setattr__(self, "arrival", MappingProxyType(dict(self.arrival)))

    @property
    def n_hops(self) -> int:
        """Channels of the tree: link traversals of one packet."""
        return len(self.parent)

    def path(self, target: int) -> tuple[Channel, ...]:
        """Channels from the source to a target."""
        if target not in self.arrival:
            raise MappingError(f"core {target} is no target of this tree")
        path: list[Channel] = []
        channel: Channel | None = self.arrival[target]
        while channel is not None:
            path.append(channel)
            channel = self.parent[channel]
        return tuple(reversed(path))

    def depths(self) -> dict[int, int]:
        """Hops from the source to each target."""
        depth: dict[Channel | None, int] = {None: 0}
        for channel, parent in self.parent.items():
            depth[channel] = depth[parent] + 1
        return {target: depth[channel] for target, channel in self.arrival.items()}

    def packets(self) -> Iterator[dict[Channel, Channel | None]]:
        """The tree of each packet that is sent: one, or one per branch at the source."""
        if not self.apart:
            yield dict(self.parent)
            return
        root_of: dict[Channel, Channel] = {}
        for channel, parent in self.parent.items():
            root_of[channel] = channel if parent is None else root_of[parent]
        for root in [channel for channel, parent in self.parent.items() if parent is None]:
            yield {c: p for c, p in self.parent.items() if root_of[c] == root}

    def check(self, mesh: Mesh) -> None:
        """MappingError unless it is a tree from the source that reaches exactly its targets."""
        for channel, parent in self.parent.items():
            start = self.source if parent is None else mesh.link_target(parent.link)
            if mesh.link_source(channel.link) != start or parent == channel:
                raise MappingError(
                    f"{self.method}: {channel.text(mesh)} does not follow its parent"
                )
        if tuple(sorted(self.arrival)) != self.targets:
            raise MappingError(f"{self.method}: the tree does not reach its targets")
        for target in self.targets:
            path = self.path(target)
            if mesh.link_target(path[-1].link) != target or len(set(path)) != len(path):
                raise MappingError(f"{self.method}: no way to {mesh.coordinates(target)}")


def graft(mesh: Mesh, parents: Parents, came_by: dict[int, Channel], path: list[Channel]) -> None:
    """Add a path to a tree of routers, from the last of its routers that the tree has.

    `came_by` is the channel by which the tree enters each of its routers (not the source).
    """
    start = 0
    for k, channel in enumerate(path):
        if mesh.link_target(channel.link) in came_by:
            start = k + 1
    for channel in path[start:]:
        parents[channel] = came_by.get(mesh.link_source(channel.link))
        came_by[mesh.link_target(channel.link)] = channel
