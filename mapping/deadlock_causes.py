"""Which packet can hold one channel and ask for another: a flow, and its whole route."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from mapping.mesh import Mesh
from mapping.routing import Channel, Grid, RoutingFunction, compiled_offers
from mapping.routing._base import Flow

__all__ = ["Cause", "EndChannel", "Followed"]


class EndChannel(NamedTuple):
    """The channel from a core into its router ("injection") or back ("consumption")."""

    kind: str
    core: int

    def text(self, mesh: Mesh) -> str:
        """Readable form, "consumption channel of (x,y)"."""
        x, y = mesh.coordinates(self.core)
        return f"{self.kind} channel of ({x},{y})"


class Cause(NamedTuple):
    """Why one channel may wait for another.

    Attributes
    ----------
    flow : (source, target)
        Physical cores of a packet that holds the first and asks for the second. A core twice: it
        consumes only when it can inject.
    route : tuple of Channel
        A whole route of that packet, from injection to delivery, through both.
    """

    flow: Flow
    route: tuple[Channel, ...]


class Followed:
    """Packets of a routing function followed one target at a time, in channel numbers."""

    def __init__(self, mesh: Mesh, function: RoutingFunction, grid: Grid) -> None:
        self._kernel: Any = compiled_offers(function)
        self._grid = grid
        self._out = np.empty(4 * grid.virtual_channels, dtype=np.int64)
        self._targets = mesh.link_targets.tolist()
        self._lanes = grid.virtual_channels

    def end(self, channel: int) -> int:
        """Router where the channel ends."""
        return int(self._targets[channel // self._lanes])

    def offered(self, router: int, came_by: int, target: int) -> list[int]:
        """Channel numbers on offer; none at the target."""
        if router == target:
            return []
        count = self._kernel(self._grid, router, came_by, target, self._out)
        return [int(channel) for channel in self._out[:count]]

    def search(
        self, starts: Iterable[tuple[int, int]], target: int, wanted: int | None
    ) -> list[int] | None:
        """Fewest channels from any of the states (router, came_by) to and with `wanted`.

        None: to any channel that ends at the target. No way: None as well.
        """
        before: dict[int, int] = {}
        waiting: deque[int] = deque()
        for router, came_by in starts:
            for channel in self.offered(router, came_by, target):
                if channel not in before:
                    before[channel] = -1
                    waiting.append(channel)
        while waiting:
            channel = waiting.popleft()
            if channel == wanted or (wanted is None and self.end(channel) == target):
                path = [channel]
                while before[path[-1]] >= 0:
                    path.append(before[path[-1]])
                return path[::-1]
            for following in self.offered(self.end(channel), channel, target):
                if following not in before:
                    before[following] = channel
                    waiting.append(following)
        return None

    def through(
        self, sources: Sequence[int], target: int, held: int, wanted: int | None
    ) -> tuple[list[int], int] | None:
        """A route from one of the sources to the target through `held`, then `wanted`.

        Returns
        -------
        (route, place) or None
            Channel numbers, and where in it `held` is. The shortest way to `held`.
        """
        # A packet injected right before the channel holds nothing else: look there first.
        near = held // self._lanes // 4
        path = self.search([(near, -1)] if near in sources else [], target, held)
        if path is None or len(path) > 1:
            path = self.search([(source, -1) for source in sources], target, held)
        if path is None:
            return None
        place = len(path) - 1
        if wanted is not None:
            if wanted not in self.offered(self.end(held), held, target):
                return None
            path = [*path, wanted]
        if self.end(path[-1]) != target:
            rest = self.search([(self.end(path[-1]), path[-1])], target, None)
            if rest is None:
                return None
            path = path + rest
        return path, place
