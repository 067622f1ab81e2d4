"""A routing function as a relation: (where a packet is, where it goes) -> channels it may take."""

from __future__ import annotations

import operator
from abc import ABC
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mapping.mesh import Mesh
from mapping.routing._grid import EMPTY_TABLE, IntArray, Offers
from simulator.errors import MappingError

__all__ = [
    "Channel",
    "Flow",
    "RoutingFunction",
    "at_least",
    "checked_channels",
    "dead_end",
    "refuse_torus",
]

Flow: TypeAlias = tuple[int, int]


class Channel(NamedTuple):
    """A virtual channel of a link: the thing that a packet holds while it waits for the next."""

    link: int
    vc: int = 0

    def text(self, mesh: Mesh) -> str:
        """Readable form, "(x,y)-E->(x,y) vc 0"."""
        return f"{mesh.link_text(self.link)} vc {self.vc}"


class RoutingFunction(ABC):
    """Base of all routing functions. What it offers must never change once it was asked.

    A subclass defines `offers`, a plain function on arrays that is compiled where speed matters,
    or, for a first try and small meshes, `next_channels` in plain Python, which is then written
    down state by state.

    Attributes
    ----------
    name : str
        The name of its file.
    virtual_channels : int
        Virtual channels per link; channels are numbered 0..virtual_channels - 1.
    offers : function, or None
        ``offers(grid, router, came_by, target, out)`` writes the channel numbers (link *
        virtual_channels + vc) a packet may take next into `out`, best first, and returns how
        many; as a ``staticmethod``. `came_by` is -1 at injection; never called with router ==
        target; `out` has room for 4 * virtual_channels. Zero means a dead end. It uses only its
        arguments and constants, so that it can be compiled and run uncompiled.
    escape : function, or None
        The same for the escape channels of an adaptive function, as a ``staticmethod``: those of
        the channels offered on which a packet can always leave (Duato's routing subfunction).
        None: the deadlock analysis looks for some.
    """

    name: str
    virtual_channels: int = 1
    offers: ClassVar[Any] = None
    escape: ClassVar[Any] = None

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
            One for a deterministic function, several for an adaptive one; none is a dead end.
        """
        from mapping.routing._compiled import grid_of

        own = self.own_offers()
        if own is None:
            raise MappingError(f"routing {self.name!r} defines neither `offers` nor next_channels")
        lanes = self.virtual_channels
        out = np.zeros(4 * lanes, dtype=np.int64)
        held = -1 if came_by is None else came_by.link * lanes + came_by.vc
        count = own(grid_of(mesh, self), router, held, target, out)
        return tuple(Channel(*divmod(int(number), lanes)) for number in out[:count])

    def own_offers(self) -> Offers | None:
        """`offers`, unless a subclass of its class redefined `next_channels` alone."""
        for owner in type(self).__mro__:
            if owner is RoutingFunction:
                break
            if owner.__dict__.get("offers") is not None:
                found: Offers = type(self).offers
                return found
            if "next_channels" in owner.__dict__:
                break
        return None

    def table(self, mesh: Mesh) -> IntArray:
        """What `offers` finds as ``grid.table``, int64, shape (n,); empty by default."""
        return EMPTY_TABLE

    def connected(self, mesh: Mesh) -> NDArray[np.bool_] | None:
        """Which cores have a route to which, shape (n_cores, n_cores) [source, target].

        None, the default: all that can be used to all others.
        """
        return None

    def pairs(self, mesh: Mesh) -> Iterator[Flow]:
        """Every (source, target) of two different cores that can be used and have a route."""
        cores = mesh.usable_cores.tolist()
        connected = self.connected(mesh)
        return (
            (i, j)
            for j in cores
            for i in cores
            if i != j and (connected is None or connected[i, j])
        )

    def check_mesh(self, mesh: Mesh) -> None:  # noqa: B027 - most functions suit every mesh
        """Raise MappingError if the function is not meant for this mesh."""


def checked_channels(
    mesh: Mesh, routing: RoutingFunction, router: int, came_by: Channel | None, target: int
) -> Sequence[Channel]:
    """`routing.next_channels`, refusing dead ends and channels that are not there."""
    offered = routing.next_channels(mesh, router, came_by, target)
    where = f"routing {routing.name!r} at {mesh.coordinates(router)}"
    if not offered:
        raise dead_end(mesh, routing, router, target)
    for link, vc in offered:
        if not mesh.has_link(link) or link // 4 != router:
            raise MappingError(f"{where} offers link {link}, which does not leave that router")
        if not 0 <= vc < routing.virtual_channels:
            raise MappingError(
                f"{where} offers virtual channel {vc}; it declares {routing.virtual_channels}"
            )
    return offered


def dead_end(mesh: Mesh, routing: RoutingFunction, router: int, target: int) -> MappingError:
    """The error of a function that has no channel to offer."""
    return MappingError(
        f"routing {routing.name!r} at {mesh.coordinates(router)} offers no channel towards "
        f"{mesh.coordinates(target)}; on a mesh with missing links use 'up_down'"
    )


def refuse_torus(routing: RoutingFunction, mesh: Mesh) -> None:
    """MappingError if the mesh is a torus, for functions that know nothing of wrap-around."""
    if mesh.torus:
        raise MappingError(
            f"routing {routing.name!r} does not use the wrap-around links of a torus, so its "
            "routes are not shortest ones there; use 'torus_datelines'"
        )


def at_least(name: str, virtual_channels: int, least: int) -> int:
    """A number of virtual channels, refused below `least`."""
    try:
        number = operator.index(virtual_channels)
    except TypeError:
        number = 0
    if number < least or isinstance(virtual_channels, bool):
        raise MappingError(
            f"routing {name!r}: virtual_channels = {virtual_channels!r}; "
            f"it must be an integer >= {least}"
        )
    return number
