"""All-to-all exchange: every core has a block that every other core is to get.

An exchange is a list of phases, one after the other; a phase is an array of transfers (source
position, target position), shape (n_transfers, 2), that go on at the same time. Positions become
cores by a placement, so hops, link loads and time are counted rather than taken from formulas.

References
----------
Approaching the mapping limit with closed-loop mapping strategy for deploying neural networks on
neuromorphic hardware, section 5.2 and equations 30 to 32. Two of the three printed closed forms are
not what counting gives; `exchange_formulas` has both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mapping.graph import IntArray
from mapping.mesh import Mesh
from mapping.metrics import link_loads
from mapping.routing import RoutingFunction
from mapping.traffic import Traffic
from simulator.errors import MappingError

__all__ = [
    "ExchangeCost",
    "ExchangeFormula",
    "direct_exchange",
    "exchange_cost",
    "exchange_formulas",
    "exchange_hops",
    "line_exchange",
    "ring_exchange",
]


def ring_exchange(n: int) -> list[IntArray]:
    """N - 1 phases in which every position passes on what it got last: i to (i + 1) mod N."""
    position = np.arange(_positions(n))
    return [np.stack([position, (position + 1) % n], axis=1)] * (n - 1)


def direct_exchange(n: int) -> list[IntArray]:
    """One phase in which everyone sends to everyone else."""
    return [np.argwhere(~np.eye(_positions(n), dtype=np.bool_)).astype(np.int64)]


def line_exchange(n: int) -> list[IntArray]:
    """Gather at one end, then N broadcasts along the line, each passed on from core to core.

    The paper's neighbouring placement with broadcast (equation 31): N - 1 blocks go to position 0
    in one phase, then each of the N blocks takes N - 1 hops from neighbour to neighbour.
    """
    position = np.arange(_positions(n))
    gather = np.stack([position[1:], np.zeros_like(position[1:])], axis=1)
    return [gather, *[np.stack([position[:-1], position[1:]], axis=1)] * n] if n > 1 else []


def exchange_hops(exchange: Sequence[IntArray], core_of: ArrayLike, mesh: Mesh) -> int:
    """[blocks x hops] Hops of all transfers; times block size and energy per hop, the energy."""
    core = np.asarray(core_of, dtype=np.int64)
    return sum(int(mesh.distances[core[p[:, 0]], core[p[:, 1]]].sum()) for p in exchange)


class ExchangeCost(NamedTuple):
    """What an exchange costs on a mesh.

    Attributes
    ----------
    phases : int
    hops : int
        [blocks x hops] see `exchange_hops`.
    link_slots : int
        [blocks] sum over phases of the heaviest link load.
    slots : int
        [blocks] sum over phases of the time in which blocks alone, without any delay, can pass: the
        heaviest of all links and of all cores' injections and ejections, one block at a time each.
    cycles : int
        slots x flits per block + sum over phases of the longest route x router delay.
    """

    phases: int
    hops: int
    link_slots: int
    slots: int
    cycles: int


def exchange_cost(
    exchange: Sequence[IntArray],
    core_of: ArrayLike,
    mesh: Mesh,
    routing: str | RoutingFunction = "xy",
    *,
    flits_per_block: int,
    router_cycles: int,
) -> ExchangeCost:
    """Count hops and time of an exchange on a mesh, phase by phase.

    Parameters
    ----------
    exchange : sequence of phases
    core_of : array of int, shape (n_positions,)
        Physical core of each position.
    mesh : Mesh
    routing : str or RoutingFunction
        A deterministic one.
    flits_per_block : int
        A link passes one flit per cycle.
    router_cycles : int
        [cycles] delay of a router, paid once per hop of the longest route of a phase: blocks are
        passed on flit by flit (wormhole).
    """
    core = np.asarray(core_of, dtype=np.int64)
    n = core.size
    counted: dict[bytes, tuple[int, int, int]] = {}
    totals = np.zeros(3, dtype=np.int64)
    for phase in exchange:
        key = phase.tobytes()
        if key not in counted:
            packets = np.zeros((n, n), dtype=np.int64)
            np.add.at(packets, (phase[:, 0], phase[:, 1]), 1)
            traffic = Traffic.from_matrix(packets, 1.0)
            heaviest = int(link_loads(traffic, core, mesh, routing).max(initial=0))
            ends = int(max(packets.sum(axis=0).max(), packets.sum(axis=1).max()))
            longest = int(mesh.distances[core[phase[:, 0]], core[phase[:, 1]]].max(initial=0))
            counted[key] = heaviest, max(heaviest, ends), longest
        totals += counted[key]
    link_slots, slots, longest_routes = totals.tolist()
    return ExchangeCost(
        len(exchange),
        exchange_hops(exchange, core, mesh),
        link_slots,
        slots,
        slots * flits_per_block + longest_routes * router_cycles,
    )


class ExchangeFormula(NamedTuple):
    """Hops of one way of exchanging, in blocks x hops.

    Attributes
    ----------
    name, equation : str
    hops : callable
        Of N; what counting gives.
    printed : callable
        Of N; the closed form as printed.
    printed_sum : callable
        Of N; the value of the sum printed before it.
    """

    name: str
    equation: str
    hops: Callable[[int], Fraction]
    printed: Callable[[int], Fraction]
    printed_sum: Callable[[int], Fraction]


def exchange_formulas() -> tuple[ExchangeFormula, ...]:
    """Closed forms of equations 30 to 32, right and as printed (there also divided by a period)."""
    return (
        ExchangeFormula(
            "ring on a Hamiltonian cycle",
            "30",
            lambda n: Fraction(n * (n - 1)),
            lambda n: Fraction(n * (n - 1)),
            lambda n: Fraction(n * n),  # N terms of 1, from i = 0 to N - 1
        ),
        ExchangeFormula(
            "gathered and broadcast on a line",
            "31",
            lambda n: Fraction(3 * n * (n - 1), 2),
            lambda n: Fraction((n - 1) * (3 * n - 2), 2),
            lambda n: Fraction(n * (n - 1), 2) + n * n,
        ),
        ExchangeFormula(
            "direct on a line",
            "32",
            lambda n: Fraction(n**3 - n, 3),
            lambda n: Fraction(2 * n**3 - 3 * n**2 + n, 6),
            lambda n: Fraction(n * (n + 1) * (n + 2), 3),
        ),
    )


def _positions(n: int) -> int:
    if n < 1:
        raise MappingError(f"an exchange among {n} cores; there must be one or more")
    return n
