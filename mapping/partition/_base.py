"""What a partition is, and what it must not exceed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.destinations import Destinations
from mapping.graph import IntArray, SpikingGraph
from mapping.mesh import Mesh
from simulator.errors import MappingError

__all__ = ["RESOURCES", "WORDS", "CapacityError", "Partition", "compatible_cores"]

RESOURCES = ("neurons_per_core", "fan_in_per_core", "synapses_per_core")
WORDS = ("neurons", "inbound axons", "synapses")


class CapacityError(MappingError):
    """The network does not fit the machine.

    Attributes
    ----------
    resource : str
        "cores", or the capacity of `Mesh` that one neuron alone exceeds.
    needed, available : int
        Amount of that resource; the shortfall is their difference.
    """

    def __init__(self, message: str, resource: str, needed: int, available: int) -> None:
        super().__init__(message)
        self.resource = resource
        self.needed = needed
        self.available = available


@dataclass(frozen=True, eq=False)
class Partition:
    """Which logical core holds each neuron, and how full the cores are.

    Attributes
    ----------
    core_of : int64 array, shape (n_neurons,)
    n_cores : int
        Logical cores in use; every one holds a neuron.
    neurons, fan_in, synapses : int64 arrays, shape (n_cores,)
        Use of the three capacities. `fan_in` counts distinct source neurons with a synapse on
        the core, those on the core itself included: they need an axon entry as well.
    destinations : Destinations
        Logical cores that each neuron's spikes go to; for a hypergraph, each net's.
    pinned_to : bool array, shape (n_cores, physical cores), or None
        Physical cores that pinning leaves to each logical core; None leaves them all.
    packets : float or None
        Packets that the spikes send to cores other than their source's: what the methods make
        small. In units of the net weights; spike counts for a network.
    method : str
    """

    core_of: IntArray
    n_cores: int
    neurons: IntArray
    fan_in: IntArray
    synapses: IntArray
    destinations: Destinations
    pinned_to: NDArray[np.bool_] | None = None
    packets: float | None = None
    method: str = "sequential"

    def population_counts(self, graph: SpikingGraph) -> IntArray:
        """Neurons of each population on each logical core, shape (n_cores, n_populations)."""
        counts = np.zeros((self.n_cores, graph.n_populations), dtype=np.int64)
        np.add.at(counts, (self.core_of, graph.population_of), 1)
        return counts

    @property
    def use(self) -> IntArray:
        """Neurons, inbound axons and synapses of each core, shape (n_cores, 3)."""
        return np.stack((self.neurons, self.fan_in, self.synapses), axis=1)


def compatible_cores(partition: Partition, mesh: Mesh) -> NDArray[np.bool_]:
    """Which physical cores can take each logical core.

    Returns
    -------
    bool array, shape (partition.n_cores, mesh.n_cores)
        True where the physical core is usable, large enough in all three resources, and not
        ruled out by pinning. Partitions made for this mesh always leave a way to give every
        logical core a physical core of its own.

    Raises
    ------
    MappingError
        A logical core fits nowhere, or the partition was pinned on a mesh of another size.
    """
    capacities = mesh.capacities
    fits: NDArray[np.bool_] = np.all(partition.use[:, None, :] <= capacities[None, :, :], axis=2)
    fits &= capacities[None, :, 0] > 0
    if partition.pinned_to is not None:
        if partition.pinned_to.shape != fits.shape:
            raise MappingError(
                f"the partition is pinned to a machine of {partition.pinned_to.shape[1]} cores "
                f"and the {mesh} has {mesh.n_cores}; partition again for this one"
            )
        fits &= partition.pinned_to
    homeless = np.flatnonzero(~fits.any(axis=1))
    if homeless.size:
        core = int(homeless[0])
        use = ", ".join(f"{n:,} {word}" for n, word in zip(partition.use[core], WORDS, strict=True))
        raise MappingError(
            f"logical core {core} holds {use}: no core of the {mesh} can take it; "
            "partition again for this one"
        )
    return fits
