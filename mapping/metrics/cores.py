"""How much of the cores a partition uses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mapping.graph import IntArray
from mapping.mesh import Mesh
from mapping.partition import Partition

__all__ = ["Utilisation", "core_utilisation"]


class Utilisation(NamedTuple):
    """Share of the machine in use, 0..1.

    Attributes
    ----------
    cores : float
        Cores that hold a neuron, of all that can be used.
    neurons, fan_in, synapses : float
        Highest use of that capacity over all cores, of the capacity.
    """

    cores: float
    neurons: float
    fan_in: float
    synapses: float


def core_utilisation(
    partition: Partition, mesh: Mesh, core_of: IntArray | None = None
) -> Utilisation:
    """Cores in use of all usable ones, and the fullest core's use of each capacity.

    max_i use(i) / capacity(p(i)) for each resource.

    Parameters
    ----------
    core_of : int64 array, shape (partition.n_cores,), or None
        Physical core of each logical one. None takes the capacities that most cores have, which
        is exact on a mesh of equal cores.
    """
    use = np.stack([partition.neurons, partition.fan_in, partition.synapses], axis=1)
    each = np.array([mesh.neurons_per_core, mesh.fan_in_per_core, mesh.synapses_per_core])
    capacity = each if core_of is None else mesh.capacities[core_of]
    # A core without axon memory may hold neurons that nothing reaches: 0 of 0 is no use.
    share = np.max(use / np.maximum(capacity, 1), axis=0)
    cores = partition.n_cores / max(1, mesh.usable_cores.size)
    return Utilisation(cores, float(share[0]), float(share[1]), float(share[2]))
