"""A placement problem as the methods see it: tables for the kernels, and the objective in full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.graph import IntArray
from mapping.kernel_part import kernel
from mapping.mesh import Mesh
from mapping.placement._base import placement_cost
from mapping.placement._course import Watch
from mapping.placement._legal import legal_mask
from mapping.placement._objective import objective_weights
from mapping.placement._routes import (
    RouteTable,
    add_route,
    default_routing,
    route_table,
    route_weights,
)
from mapping.routing import RoutingFunction
from mapping.traffic import Traffic
from simulator.errors import MappingError
from simulator.ragged import row_starts

__all__ = ["Problem", "Tables", "pose_problem"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]


class Tables(NamedTuple):
    """The problem in arrays. Lists of partners are compressed rows, one row per logical core.

    Attributes
    ----------
    start, partner, packets : int64 arrays
        Whom a core sends to, and how much. Where only sums over pairs count and distances are
        the same both ways, packets of both directions.
    start_in, partner_in, packets_in : int64 arrays
        Whom it hears from; empty rows where `packets` holds both directions.
    distance, distance_back : float64 arrays, shape (n_cores, n_cores)
        [unit of the objective per packet] from row to column; from column to row.
    allowed : bool array, shape (n_logical, n_cores)
    width, height : int
    torus : bool
    load_weight : float
        Weight of the heaviest link; 0 if links do not matter.
    routes : RouteTable
        Without entries if links do not matter.
    """

    start: IntArray
    partner: IntArray
    packets: IntArray
    start_in: IntArray
    partner_in: IntArray
    packets_in: IntArray
    distance: FloatArray
    distance_back: FloatArray
    allowed: BoolArray
    width: int
    height: int
    torus: bool
    load_weight: float
    routes: RouteTable


@dataclass(frozen=True, eq=False)
class Problem:
    """What is asked of a method that declares a keyword `problem`.

    Attributes
    ----------
    traffic : Traffic
    mesh : Mesh
    weights : dict
        Weight of each term of the objective.
    allowed : bool array, shape (n_logical, n_cores)
        Places each logical core may have: usable, allowed by the caller, and in one connected part
        of the mesh for cores that exchange packets. At least one placement is within it.
    open : bool
        Whether every logical core may go to every usable core.
    pairwise : bool
        Whether the objective is a sum over pairs of logical cores with the same distance both ways.
    constant : float
        What every placement adds to the objective.
    bound : float
        No placement has less.
    tables : Tables
    watch : Watch
        To be told of progress; says whether to go on.
    """

    traffic: Traffic
    mesh: Mesh
    weights: dict[str, float]
    allowed: BoolArray
    open: bool
    pairwise: bool
    constant: float
    bound: float
    tables: Tables
    watch: Watch

    @property
    def n(self) -> int:
        """Logical cores."""
        return self.traffic.n_cores

    @property
    def possible(self) -> BoolArray:
        """Places that some logical core may have, shape (n_cores,)."""
        return np.asarray(self.allowed.any(axis=0), dtype=np.bool_)

    def value(self, core_of: IntArray) -> float:
        """The objective, computed from the start."""
        total = self.constant
        if "packet_hops" in self.weights and len(self.weights) == 1:
            cost = placement_cost(self.traffic, core_of, self.mesh)
            return self.weights["packet_hops"] * float(cost)
        i, j = np.nonzero(self.traffic.packets)
        each = self.traffic.packets[i, j] * self.tables.distance[core_of[i], core_of[j]]
        total += float(np.sum(each))
        if self.tables.load_weight > 0:
            loads = np.zeros(self.mesh.n_link_ids, dtype=np.int64)
            route_loads(self.tables, core_of, loads)
            total += self.tables.load_weight * float(loads.max(initial=0))
        return total


def pose_problem(
    traffic: Traffic,
    mesh: Mesh,
    *,
    objective: str | Mapping[str, float],
    allowed: BoolArray | None,
    routing: str | RoutingFunction | None,
    watch: Watch,
) -> Problem:
    """Check the question and prepare the tables.

    Raises
    ------
    MappingError
        As `mapping.placement.place`.
    """
    weights = objective_weights(objective)
    mask = legal_mask(traffic, mesh, allowed)
    hops = mesh.distances
    if float(traffic.packets.sum(dtype=np.float64)) * float(hops.max()) >= 2.0**53:
        raise MappingError(
            f"placement: {traffic.packets.sum(dtype=np.float64):.3g} packets on the {mesh} exceed "
            "2^53 packets x hops, beyond which costs are not exact; scale the counts down"
        )
    # Places without a path between them are kept apart by the mask; no packet meets their zero.
    distance = weights.get("packet_hops", 0.0) * np.maximum(hops, 0).astype(np.float64)
    constant = bound = 0.0
    routes = _NO_ROUTES
    if "max_link_load" in weights or "energy" in weights:
        routes = route_table(mesh, default_routing(mesh) if routing is None else routing)
    if "energy" in weights:
        from mapping.metrics import link_energy_pj  # which imports this package

        each = link_energy_pj(mesh)
        distance += weights["energy"] * route_weights(routes, mesh, each)
        deliveries = traffic.n_packets + int(traffic.local.sum())
        constant = weights["energy"] * deliveries * (mesh.energy.local_pj if mesh.energy else 0.0)
    load_weight = weights.get("max_link_load", 0.0)
    if traffic.n_packets:
        apart = ~np.eye(mesh.n_cores, dtype=np.bool_) & (hops > 0)
        nearest = float(distance.min(where=apart, initial=np.inf))
        bound = traffic.n_packets * (nearest if np.isfinite(nearest) else 0.0)
    same_back = bool(np.array_equal(distance, distance.T))
    pairwise = same_back and load_weight == 0
    if pairwise:
        sent = _rows(traffic.packets + traffic.packets.T)
        heard = _rows(np.zeros_like(traffic.packets))
    else:
        sent, heard = _rows(traffic.packets), _rows(traffic.packets.T)
    usable = mesh.usable_cores
    return Problem(
        traffic=traffic,
        mesh=mesh,
        weights=weights,
        allowed=mask,
        open=bool(mask[:, usable].all()),
        pairwise=pairwise,
        constant=constant,
        bound=bound + constant,
        tables=Tables(
            *sent,
            *heard,
            distance,
            distance if same_back else np.ascontiguousarray(distance.T),
            mask,
            mesh.width,
            mesh.height,
            bool(mesh.torus),
            load_weight,
            routes if load_weight > 0 else _NO_ROUTES,
        ),
        watch=watch,
    )


_NO_ROUTES = RouteTable(
    np.zeros((0, 0), dtype=np.int32), np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32)
)


def _rows(matrix: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Non-zero entries of a square matrix in compressed rows."""
    row, column = np.nonzero(matrix)
    start = row_starts(np.bincount(row, minlength=len(matrix)))
    return start, column.astype(np.int64), matrix[row, column].astype(np.int64)


@kernel
def route_loads(t: Tables, core_of: IntArray, loads: IntArray) -> float:
    """Add the packets of all routes to `loads`; returns the sum of squared loads added."""
    squares = 0.0
    for i in range(core_of.size):
        for k in range(t.start[i], t.start[i + 1]):
            squares += add_route(t.routes, core_of[i], core_of[t.partner[k]], t.packets[k], loads)
    return squares
