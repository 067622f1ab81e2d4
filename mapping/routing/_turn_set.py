"""Routing by a set of allowed turns: every shortest route that makes no other turn.

The eight turns of a mesh are E2N, E2S, W2N, W2S, N2E, N2W, S2E, S2W ("moving east, turns to
north"); going straight on is always allowed, turning back never. The turn models are such sets;
others close cycles, or leave pairs of cores without a route.

C. J. Glass, L. M. Ni, The turn model for adaptive routing, ISCA 1992.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mapping.mesh import DIRECTIONS, Mesh
from mapping.routing._base import RoutingFunction, refuse_torus
from mapping.routing._grid import IntArray
from mapping.routing._turn_table import Masks, direction_masks, offers, packed, straight_on
from simulator.errors import MappingError

__all__ = ["TURNS", "TurnSet"]

TURNS = ("E2N", "E2S", "W2N", "W2S", "N2E", "N2W", "S2E", "S2W")


class TurnSet(RoutingFunction):
    """All shortest routes with these turns only.

    Parameters
    ----------
    turns : iterable of str, or str
        Allowed turns, such as ``["E2N", "W2S"]`` or ``"E2N+W2S"``; the same in every router.
    minimal : bool
        Only routes as short as the mesh allows; otherwise the shortest that the turns allow.
    partial : bool
        Accept a set that leaves pairs of cores without a route; "all flows" are then those of
        the connected pairs.

    Raises
    ------
    MappingError
        An unknown turn; with `partial` false, on use, a mesh that the set does not connect.
    """

    offers = staticmethod(offers)

    def __init__(
        self, turns: Iterable[str] | str, *, minimal: bool = True, partial: bool = False
    ) -> None:
        given = [turn for turn in turns.split("+") if turn] if isinstance(turns, str) else turns
        self.turns = frozenset(given)
        unknown = sorted(self.turns - set(TURNS))
        if unknown:
            raise MappingError(f"unknown turn {unknown[0]!r}; the turns are {', '.join(TURNS)}")
        self.minimal = minimal
        self.partial = partial
        self.name = "turn_set:" + "+".join(turn for turn in TURNS if turn in self.turns)

    def table(self, mesh: Mesh) -> IntArray:
        masks = self._masks(mesh)
        if not self.partial:
            without = masks[:, :, 0] == 0
            np.fill_diagonal(without, False)
            cores = mesh.usable_cores
            lost = np.argwhere(without[np.ix_(cores, cores)])
            if lost.size:
                target, source = cores[lost[0]].tolist()
                raise MappingError(
                    f"routing {self.name!r} on the {mesh} has no route from "
                    f"{mesh.coordinates(source)} to {mesh.coordinates(target)}; "
                    "allow more turns, or pass partial=True"
                )
        return packed(masks)

    def connected(self, mesh: Mesh) -> NDArray[np.bool_] | None:
        """None if it connects all, as it must if it is not `partial`."""
        return self._masks(mesh)[:, :, 0].T > 0 if self.partial else None

    def check_mesh(self, mesh: Mesh) -> None:
        refuse_torus(self, mesh)

    def _masks(self, mesh: Mesh) -> Masks:
        allowed = straight_on(mesh.n_cores)
        for turn in self.turns:
            came, goes = DIRECTIONS.index(turn[0]), DIRECTIONS.index(turn[2])
            allowed[:, 1 + came, goes] = True
        return direction_masks(mesh, mesh.link_targets, allowed, minimal=self.minimal, single=False)
