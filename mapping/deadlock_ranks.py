"""Ranks of escape channels under which nobody waits in a circle, found by raising them; compiled.

Ranks start as the lengths of the longest chains of direct dependencies, and are raised where an
indirect one asks for more, until none does. That ends unless there is a cycle.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mapping.deadlock_cycles import BoolArray, graph_of_edges, levels
from mapping.deadlock_flows import FlowLists
from mapping.deadlock_rank_kernels import CYCLIC, NONE_OFFERED, NOT_OFFERED, rank_kernels
from mapping.deadlock_states import BITS, is_memoryless, raise_status, set_bits
from mapping.mesh import Mesh
from mapping.routing import Grid, RoutingFunction, compiled_offers
from mapping.routing._grid import IntArray, Offers
from simulator.errors import MappingError

__all__ = ["Candidate", "EscapeRanks", "find_ranks"]


class EscapeRanks(NamedTuple):
    """A set of escape channels that works.

    Attributes
    ----------
    name : str
        Which it is, in words.
    rank : int64 array, shape (n_channels,)
        -1 for channels that are no escape channels.
    injection_rank, consumption_rank : int64 array, shape (n_cores,)
        Of the cores' own channels where consumption waits for injection; -1 elsewhere.
    """

    name: str
    rank: IntArray
    injection_rank: IntArray
    consumption_rank: IntArray


class Candidate(NamedTuple):
    """Escape channels to be tried: of the channels that a packet is offered, those that ...

    Attributes
    ----------
    name : str
    kernel : function
        Compiled `offers`.
    plain : function
        The same uncompiled.
    grid : Grid
        For the kernel.
    mode : int
        `DECLARED`: are what the kernel offers, which must be on offer; `LINKS`: are on virtual
        channel `vc` of the links that the kernel offers; `WHOLE`: are on virtual channel `vc`.
    vc : int
    """

    name: str
    kernel: Any
    plain: Offers
    grid: Grid
    mode: int
    vc: int


def find_ranks(
    mesh: Mesh,
    function: RoutingFunction,
    grid: Grid,
    flows: FlowLists,
    dependent: BoolArray,
    candidate: Candidate,
    follows: IntArray | None = None,
) -> EscapeRanks | None:
    """Ranks that prove freedom with these escape channels, None if there are none.

    Parameters
    ----------
    dependent : bool array, shape (n_cores,)
        Cores that consume only when they can inject.
    follows : int64 array, shape (n_channels, n_words), or None
        All dependencies, as `find_dependencies` gives them, for a candidate that works for sure:
        saves going through all packets once.

    Raises
    ------
    MappingError
        A declared escape channel that the function does not offer.
    """
    vcs = grid.virtual_channels
    own = function.own_offers()
    plain = is_memoryless(candidate.plain)
    memoryless = own is not None and is_memoryless(own) and plain
    status = np.zeros(4, dtype=np.int64)
    collect, settle, everywhere = rank_kernels()
    relation = (compiled_offers(function), candidate.kernel, grid, candidate.grid)
    how = (candidate.mode, candidate.vc, memoryless)

    def settled(is_escape: IntArray, rows: IntArray) -> EscapeRanks | None:
        rank = _chain_lengths(mesh, is_escape, rows, vcs)
        if rank is None:
            return None
        injection = np.where(dependent, 0, -1).astype(np.int64)
        consumption = injection.copy()
        status[:] = 0
        settle(*relation, *how, *flows, rank, injection, consumption, dependent, status)
        if status[0] in (CYCLIC, NONE_OFFERED):
            return None
        _raise_escape_status(mesh, function, status)
        return EscapeRanks(candidate.name, rank, injection, consumption)

    is_escape = np.zeros(4 * mesh.n_cores * vcs, dtype=np.int64)
    if follows is not None and plain:
        # Take all channels that the escape function has for anybody, and all dependencies among
        # them. If that is too much, look closer.
        everywhere(candidate.kernel, candidate.grid, flows.targets, is_escape)
        found = settled(is_escape, follows)
        if found is not None:
            return found
    is_escape[:] = 0
    rows = np.zeros((is_escape.size, -(-4 * vcs // BITS)), dtype=np.int64)
    status[:] = 0
    collect(*relation, *how, *flows, is_escape, rows, status)
    if status[0] == NONE_OFFERED:
        return None
    _raise_escape_status(mesh, function, status)
    return settled(is_escape, rows)


def _chain_lengths(mesh: Mesh, is_escape: IntArray, rows: IntArray, vcs: int) -> IntArray | None:
    """Longest chain of dependencies before each escape channel, -1 for others; None on a cycle."""
    start, place = set_bits(rows, vcs)
    end = 4 * vcs * mesh.link_targets[start // vcs] + place
    chosen = (is_escape[start] > 0) & (is_escape[end] > 0)
    rank = levels(graph_of_edges(is_escape.size, start[chosen], end[chosen]))
    if (rank[is_escape > 0] < 0).any():
        return None
    rank[is_escape == 0] = -1
    return rank


def _raise_escape_status(mesh: Mesh, function: RoutingFunction, status: IntArray) -> None:
    if status[0] == NOT_OFFERED:
        raise MappingError(
            f"routing {function.name!r} at {mesh.coordinates(int(status[1]))} declares escape "
            f"channel {status[3]} towards {mesh.coordinates(int(status[2]))}, which it does not "
            "offer there"
        )
    raise_status(mesh, function, status)
