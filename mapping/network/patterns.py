"""Where the packets of a core go in a synthetic load, by name.

Cores are at column x and row y of a mesh of W columns and H rows; random choices depend on the
seed, the core and the number of its packet only. W. J. Dally, B. Towles, Principles and practices
of interconnection networks, 2004, table 3.1; transpose, tornado and bit complement are as in
BookSim 2 for a square mesh of a power of two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mapping.graph import IntArray
from mapping.mesh import Mesh
from simulator.errors import MappingError

__all__ = ["PATTERNS", "Pattern", "find_pattern"]

# (mesh, sources, uniform random numbers for each, the same size) -> targets
Pattern: TypeAlias = Callable[[Mesh, IntArray, NDArray[np.float64]], IntArray]


def uniform(mesh: Mesh, source: IntArray, random: NDArray[np.float64]) -> IntArray:
    """Any core with a working router, the sender's own included."""
    there = np.setdiff1d(np.arange(mesh.n_cores), mesh.faulty_routers)
    chosen: IntArray = there[(random * there.size).astype(np.int64)]
    return chosen


def transpose(mesh: Mesh, source: IntArray, random: NDArray[np.float64]) -> IntArray:
    """(x, y) to (y, x), on a square mesh; those on the diagonal send to themselves."""
    if mesh.width != mesh.height:
        raise MappingError(f"pattern 'transpose' needs a square mesh, not a {mesh}")
    return source % mesh.width * mesh.width + source // mesh.width


def bit_complement(mesh: Mesh, source: IntArray, random: NDArray[np.float64]) -> IntArray:
    """(x, y) to (W - 1 - x, H - 1 - y): all bits of the number, where W H is a power of two."""
    return mesh.n_cores - 1 - source


def tornado(mesh: Mesh, source: IntArray, random: NDArray[np.float64]) -> IntArray:
    """Just under half way round in both dimensions: x + ceil(W / 2) - 1, y + ceil(H / 2) - 1."""
    y, x = np.divmod(source, mesh.width)
    x = (x + (mesh.width + 1) // 2 - 1) % mesh.width
    y = (y + (mesh.height + 1) // 2 - 1) % mesh.height
    return np.asarray(y * mesh.width + x, dtype=np.int64)


def hotspot(mesh: Mesh, source: IntArray, random: NDArray[np.float64]) -> IntArray:
    """One packet in ten to the core in the middle, the others anywhere."""
    middle = mesh.core(mesh.width // 2, mesh.height // 2)
    rest = np.clip((random - 0.1) / 0.9, 0.0, 1.0 - 2.0**-53)
    return np.where(random < 0.1, middle, uniform(mesh, source, rest))


PATTERNS: dict[str, Pattern] = {
    kind.__name__: kind for kind in (uniform, transpose, bit_complement, tornado, hotspot)
}


def find_pattern(name: str | Pattern) -> Pattern:
    """A pattern by name, or the function itself.

    Raises
    ------
    MappingError
        Unknown name.
    """
    if callable(name):
        return name
    if name not in PATTERNS:
        raise MappingError(f"pattern {name!r}; the patterns are {', '.join(PATTERNS)}")
    return PATTERNS[name]
