"""Escape channels: freedom from deadlock in spite of cycles of dependencies (Duato's theory).

A set of escape channels is ranked. If every packet, wherever it may be, is offered an escape
channel that ranks above all escape channels it may still hold, no set of packets can block each
other: the one holding the highest ranked of all channels held by them is offered a channel that
none of them holds. This is acyclicity of Duato's extended dependency graph with its direct,
indirect and cross dependencies: what a packet *may* hold is any escape channel on its way, taken
as an escape or not, whatever came in between.

It takes for granted that a virtual channel is given to a packet only when it is empty, or when the
whole packet fits into it (virtual cut-through): a packet that waits behind another one's tail, or
for room in a channel that it was given, is not offered anything any more. That packets are no
longer than a buffer is not enough.

`mapping.deadlock_ranks` finds the ranks.

References
----------
J. Duato, A new theory of deadlock-free adaptive routing in wormhole networks, IEEE TPDS 4, 1993,
theorem 1; A necessary and sufficient condition for deadlock-free adaptive routing in wormhole
networks, IEEE TPDS 6, 1995 (cross dependencies).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from numba import njit

from mapping.deadlock_cycles import BoolArray
from mapping.deadlock_flows import FlowLists, flow_lists
from mapping.deadlock_rank_kernels import DECLARED, LINKS, WHOLE
from mapping.deadlock_ranks import Candidate, EscapeRanks, find_ranks
from mapping.mesh import Mesh
from mapping.routing import (
    Grid,
    RoutingFunction,
    compiled_offers,
    grid_of,
    offers_signature,
    routing_function,
)
from mapping.routing._grid import IntArray, Offers
from simulator.errors import MappingError

__all__ = ["find_escape"]

_SEARCHED = ("xy", "yx", "west_first", "north_last", "negative_first")


def find_escape(
    mesh: Mesh,
    function: RoutingFunction,
    grid: Grid,
    flows: FlowLists,
    dependent: BoolArray,
    follows: IntArray,
) -> EscapeRanks | None:
    """Ranks of the escape channels that the function declares, or of some that are searched for.

    The search tries, on each virtual channel, XY, YX and the turn models as far as the function
    offers them, and the whole of the virtual channel. It is not exhaustive: None means that
    freedom is not proven.

    Parameters
    ----------
    dependent : bool array, shape (n_cores,)
        Cores that consume only when they can inject.
    follows : int64 array, shape (n_channels, n_words)
        All dependencies, as `find_dependencies` gives them.

    Raises
    ------
    MappingError
        A declared escape channel that the function does not offer.
    """
    if function.escape is not None:
        declared = _declared(function, grid)
        return find_ranks(mesh, function, grid, flows, dependent, declared, follows)
    promising = _promising_names(mesh, function)
    for candidate in _candidates(mesh, function, grid):
        if promising is None or candidate.name in promising:
            found = find_ranks(mesh, function, grid, flows, dependent, candidate)
            if found is not None:
                return found
    return None


def _declared(function: RoutingFunction, grid: Grid) -> Candidate:
    escape = type(function).escape
    return Candidate("as declared", _compiled_escape(escape), escape, grid, DECLARED, 0)


@cache
def _compiled_escape(escape: Offers) -> Any:
    return njit(offers_signature(), cache=True)(escape)


def _candidates(mesh: Mesh, function: RoutingFunction, grid: Grid) -> Iterator[Candidate]:
    for vc in range(grid.virtual_channels):
        for name in () if mesh.torus else _SEARCHED:
            simple = routing_function(name, mesh)
            kernel = compiled_offers(simple)
            words = f"{name} on virtual channel {vc}"
            yield Candidate(words, kernel, simple.offers, grid_of(mesh, simple), LINKS, vc)
        if grid.virtual_channels > 1:
            kernel = compiled_offers(function)
            own = function.own_offers() or _remembers
            yield Candidate(f"virtual channel {vc}", kernel, own, grid, WHOLE, vc)


def _remembers(grid: Grid, router: int, came_by: int, target: int, out: IntArray) -> int:
    """Stands for a relation of which nothing is known: it reads `came_by`."""
    return came_by


def _promising_names(mesh: Mesh, function: RoutingFunction) -> set[str] | None:
    """Names of the candidates that work on a small mesh of the kind; None if that says nothing.

    What fails there is not tried on a large one, where each try takes seconds.
    """
    if mesh.n_cores <= 36 or function.own_offers() is None:
        return None
    small = Mesh(min(mesh.width, 4), min(mesh.height, 4), mesh.torus)
    try:
        grid = grid_of(small, function)
        lists = flow_lists(small, function, None)
        nobody = np.zeros(small.n_cores, dtype=np.bool_)
        return {
            candidate.name
            for candidate in _candidates(small, function, grid)
            if find_ranks(small, function, grid, lists, nobody, candidate) is not None
        }
    except MappingError:  # a table that is made for the large mesh, for instance
        return None
