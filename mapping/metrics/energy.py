"""Energy of the packets on their way."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mapping.mesh import Mesh
from mapping.traffic import Traffic
from simulator.errors import MappingError

__all__ = ["link_energy_pj", "network_energy_pj"]


def link_energy_pj(mesh: Mesh) -> NDArray[np.float64]:
    """[pJ] energy of one packet over each link, shape (mesh.n_link_ids,); 0 where there is none.

    Raises
    ------
    MappingError
        The mesh states no energies.
    """
    energy = mesh.energy
    if energy is None:
        raise MappingError(f"the {mesh} states no energies; give it a HopEnergy with its source")
    by_direction = [energy.north_south_pj, energy.east_west_pj] * 2
    each = np.tile(np.array(by_direction, dtype=np.float64), mesh.n_cores)
    each[mesh.link_targets < 0] = 0.0
    if energy.board_pj is not None:
        each[list(mesh.board_links)] = energy.board_pj
    return each


def network_energy_pj(traffic: Traffic, loads: ArrayLike, mesh: Mesh) -> float:
    """[pJ] energy of all packets, from the constants of the machine.

    E = sum over links of e(l) load(l) + e_local (sum_ij c_ij + local deliveries), with e(l) that
    of a hop along a row, along a column, or from chip to chip.

    Equation 4 of the mapping-limit paper (see `mapping.metrics.cost`) with an energy per link and
    without its division by the working period, which makes a power of it. The constants are
    those of `Mesh.energy`, whose `source` says where they come from. Neurons and synapses are
    not in it.

    Parameters
    ----------
    loads : array, shape (mesh.n_link_ids,)
        Of `link_loads`, `expected_link_loads` or `multicast_link_loads`. A multicast packet is
        delivered once per target all the same.

    Raises
    ------
    MappingError
        The mesh states no energies.
    """
    on_links = float(np.dot(link_energy_pj(mesh), np.asarray(loads, dtype=np.float64)))
    deliveries = traffic.n_packets + int(traffic.local.sum())
    local_pj = 0.0 if mesh.energy is None else mesh.energy.local_pj
    return on_links + local_pj * deliveries
