"""A routing function as a relation: (where a packet is, where it goes) -> channels it may take."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from mapping.mesh import Mesh
from simulator.errors import MappingError

__all__ = ["Channel", "RoutingFunction", "checked_channels"]


class Channel(NamedTuple):
    """A virtual channel of a link: the thing that a packet holds while it waits for the next."""

    link: int
    vc: int = 0

    def text(self, mesh: Mesh) -> str:
        """Readable form, "(x,y)-E->(x,y) vc 0"."""
        return f"{mesh.link_text(self.link)} vc {self.vc}"


class RoutingFunction(ABC):
    """Base of all routing functions.

    Attributes
    ----------
    name : str
        The name of its file.
    virtual_channels : int
        Virtual channels per link; channels are numbered 0..virtual_channels - 1.
    """

    name: str
    virtual_channels: int = 1

    @abstractmethod
    def next_channels(
        self, mesh: Mesh, router: int, came_by: Channel | None, target: int
    ) -> Sequence[Channel]:
        """Channels that a packet for `target` may take next, best first.

        Parameters
        ----------
        mesh : Mesh
        router : int
            Where the packet's head is; never `target` itself, where it leaves the network.
        came_by : Channel or None
            The channel it holds, which ends at `router`; None for a packet being injected there.
        target : int
            Destination core.

        Returns
        -------
        sequence of Channel
            One for a deterministic function, several for an adaptive one, never none.
        """

    def check_mesh(self, mesh: Mesh) -> None:  # noqa: B027 - most functions suit every mesh
        """Raise MappingError if the function is not meant for this mesh."""


def checked_channels(
    mesh: Mesh, routing: RoutingFunction, router: int, came_by: Channel | None, target: int
) -> Sequence[Channel]:
    """`routing.next_channels`, refusing dead ends and channels that are not there."""
    offered = routing.next_channels(mesh, router, came_by, target)
    where = f"routing {routing.name!r} at {mesh.coordinates(router)}"
    if not offered:
        raise MappingError(f"{where} offers no channel towards {mesh.coordinates(target)}")
    for link, vc in offered:
        if not mesh.has_link(link) or link // 4 != router:
            raise MappingError(f"{where} offers link {link}, which does not leave that router")
        if not 0 <= vc < routing.virtual_channels:
            raise MappingError(
                f"{where} offers virtual channel {vc}; it declares {routing.virtual_channels}"
            )
    return offered
