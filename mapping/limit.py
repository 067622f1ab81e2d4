"""How far a placement is from what no placement can beat.

Three quantities of one traffic on one mesh, in packets x hops:

- *packets*, the mapping limit: every packet takes at least one hop (mapping-limit paper, equation
  23, M_ij = 1). It bounds multicast trees as well, since a tree needs a link for every core it
  reaches.
- *degree*, a bound that counts the places: a core of a mesh has at most 4 others at one hop, 8 at
  two, and fewer near the border, so a logical core with many partners cannot have them all near.
- *cost*, what the placement at hand costs with unicast along shortest paths.

The degree bound. Let w_ij = c_ij + c_ji and M_pq the shorter of the two distances between p and q.
With logical core i at place p, its partners are at different places, so its share of the cost is at
least B_ip = sum_k w_i(k) M_p(k), where w_i(1) >= w_i(2) >= ... are its packets and M_p(1) <= M_p(2)
<= ... the distances of the other usable places. Logical cores have different places, so the shares
sum to at least the cheapest assignment of B, and every packet is in two shares:

    C >= min over one-to-one pi of sum_i B_i,pi(i) / 2.

References
----------
P. C. Gilmore, Optimal and suboptimal algorithms for the quadratic assignment problem, J. SIAM 10,
1962; E. L. Lawler, The quadratic assignment problem, Management Science 9, 1963: for a symmetric
matrix of packets on a mesh without faults this is the bound of these two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.assignment import assign
from mapping.graph import IntArray
from mapping.mesh import Mesh
from mapping.placement import placement_cost
from mapping.traffic import Traffic
from simulator.errors import MappingError

__all__ = ["MappingLimit", "degree_bound", "mapping_limit"]

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class MappingLimit:
    """A placement's cost and the bounds below it; ``packets <= degree <= cost``.

    Attributes
    ----------
    packets : int
        [packets x hops] one hop per packet.
    degree : int
        [packets x hops] see `degree_bound`.
    cost : int
        [packets x hops] of the placement.
    """

    packets: int
    degree: int
    cost: int

    @property
    def gap_to_packets(self) -> float:
        """cost / packets - 1; 0 when no packet enters the network."""
        return self.cost / self.packets - 1.0 if self.packets else 0.0

    @property
    def gap_to_degree(self) -> float:
        """cost / degree - 1; 0 when no packet enters the network. No placement has less than 0, but
        the best one may have more: the bound is not always reached."""
        return self.cost / self.degree - 1.0 if self.degree else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The three quantities and the two gaps, for `mapping.json`."""
        return {
            "packets": self.packets,
            "degree": self.degree,
            "cost": self.cost,
            "gap_to_packets": self.gap_to_packets,
            "gap_to_degree": self.gap_to_degree,
        }


def mapping_limit(
    traffic: Traffic, mesh: Mesh, core_of: IntArray, *, allowed: BoolArray | None = None
) -> MappingLimit:
    """The three quantities for one placement.

    Parameters
    ----------
    traffic : Traffic
    mesh : Mesh
    core_of : int64 array, shape (n_logical,)
        Physical core of each logical core.
    allowed : bool array, shape (n_logical, n_cores), optional
        As in `degree_bound`.

    Raises
    ------
    MappingError
        As `degree_bound`; or `core_of` is not a placement of this traffic on this mesh, or puts
        packets where no path is.
    """
    places = np.asarray(core_of)
    if places.shape != (traffic.n_cores,) or places.dtype.kind not in "iu":
        raise MappingError(
            f"core_of has shape {places.shape} and type {places.dtype}; expected one core number "
            f"for each of the {traffic.n_cores} logical cores"
        )
    wrong = np.flatnonzero(~np.isin(places, mesh.usable_cores))
    if wrong.size:
        raise MappingError(
            f"core_of[{wrong[0]}] = {places[wrong[0]]}, which is no usable core of the {mesh}"
        )
    if np.unique(places).size != places.size:
        raise MappingError("core_of puts two logical cores on one physical core")
    cut_off = np.argwhere((mesh.distances[np.ix_(places, places)] < 0) & (traffic.packets > 0))
    if cut_off.size:
        i, j = cut_off[0]
        raise MappingError(
            f"core_of: {traffic.packets[i, j]} packets from logical core {i} to {j}, but no path "
            f"leads from core {places[i]} to {places[j]} of the {mesh}"
        )
    cost = placement_cost(traffic, places.astype(np.int64), mesh)
    return MappingLimit(traffic.n_packets, degree_bound(traffic, mesh, allowed=allowed), cost)


def degree_bound(traffic: Traffic, mesh: Mesh, *, allowed: BoolArray | None = None) -> int:
    """The least packets x hops that any placement can have, as far as places can be counted.

    Parameters
    ----------
    traffic : Traffic
    mesh : Mesh
        Any: a torus, or with faults. Cores that cannot be used are no places.
    allowed : bool array, shape (n_logical, n_cores), optional
        Places each logical core may have (large enough, not pinned elsewhere); fewer places give a
        higher bound.

    Raises
    ------
    MappingError
        More logical cores than usable ones, or no places that `allowed` and the paths leave for
        each. (A placement may be impossible all the same, as the bound asks for less than one.)
    """
    n = traffic.n_cores
    usable = mesh.usable_cores
    if n > usable.size:
        raise MappingError(f"{n} logical cores do not fit on {usable.size} usable cores")
    if allowed is not None and np.shape(allowed) != (n, mesh.n_cores):
        raise MappingError(f"allowed has shape {np.shape(allowed)}; expected ({n}, {mesh.n_cores})")
    shares, possible = _shares(traffic, mesh, usable)
    if allowed is not None:
        possible &= np.asarray(allowed, dtype=np.bool_)[:, usable]
    # One forbidden place costs more than any placement that needs none.
    forbidden = int(np.max(shares, axis=1, where=possible, initial=0).sum()) + 1
    costs = np.where(possible, shares, forbidden)
    chosen = assign(np.ascontiguousarray(costs))
    total = int(costs[np.arange(n), chosen].sum())
    if total >= forbidden:
        raise MappingError(
            "no placement exists: some logical cores have no usable core that is allowed and has "
            "paths to as many others as they exchange packets with"
        )
    return max(-(-total // 2), traffic.n_packets)


def _shares(traffic: Traffic, mesh: Mesh, usable: IntArray) -> tuple[IntArray, BoolArray]:
    """B_ip, and whether p has paths to enough places for the partners of i."""
    packets = traffic.packets + traffic.packets.T
    most = -np.sort(-packets, axis=1)
    partners = np.count_nonzero(packets, axis=1)
    columns = int(partners.max())
    hops = mesh.distances[np.ix_(usable, usable)]
    hops = np.minimum(_far_if_none(hops), _far_if_none(hops.T))
    np.fill_diagonal(hops, _NO_PATH)
    nearest = np.sort(hops, axis=1)[:, :columns]
    reached = np.count_nonzero(hops < _NO_PATH, axis=1)
    nearest = np.where(nearest < _NO_PATH, nearest, 0)  # met by no packet where it is possible
    most = most[:, :columns]
    # Matrix products of floats are fast, and exact as long as the sums are.
    largest = int(most.sum(axis=1).max(initial=0)) * int(nearest.max(initial=0))
    if largest < 2**53:
        shares = (most.astype(np.float64) @ nearest.T.astype(np.float64)).astype(np.int64)
    else:
        shares = most @ nearest.T
    return shares, partners[:, None] <= reached[None, :]


_NO_PATH = np.iinfo(np.int64).max


def _far_if_none(hops: IntArray) -> IntArray:
    return np.where(hops < 0, _NO_PATH, hops)
