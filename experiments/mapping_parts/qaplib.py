"""Placement problems whose best solution is known: QAPLIB's grids, and shuffled grids.

QAPLIB's instances of Nugent, Skorin-Kapov, Wilhelm and Ward, and Thonemann and Boelte ask for
packets x hops on a mesh: their distances are Manhattan distances on a grid.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from experiments.datasets import search_places
from simulator.errors import DataError

if TYPE_CHECKING:
    from mapping import Mesh, Traffic

__all__ = ["Instance", "planted_grid", "read_instance"]

ADDRESS = "https://qaplib.mgi.polymtl.ca (R. E. Burkard, S. E. Karisch, F. Rendl, QAPLIB)"


class Instance(NamedTuple):
    """A placement problem whose best known cost is known.

    Attributes
    ----------
    traffic : mapping.Traffic
    mesh : mapping.Mesh
    best : int
        [packets x hops] lowest cost known; of all the instances used here proven, but for sko.
    """

    traffic: Traffic
    mesh: Mesh
    best: int


def read_instance(name: str, data_dir: str | Path | None = None) -> Instance:
    """An instance from `qaplib/NAME.dat` and `NAME.sln` among the data sets.

    Raises
    ------
    DataError
        If a file is missing or damaged, or the instance is not one on a grid.
    """
    folder = _folder(name, data_dir)
    numbers = _numbers(folder / f"{name}.dat")
    n = numbers[0] if numbers else 0
    if n < 1 or len(numbers) != 1 + 2 * n * n:
        raise DataError(f"'{folder / name}.dat' is damaged: not a size and two matrices of it")
    first, second = np.array(numbers[1:], dtype=np.int64).reshape(2, n, n)
    solution = _numbers(folder / f"{name}.sln")
    if len(solution) < 2 or solution[0] != n:
        raise DataError(f"'{folder / name}.sln' is damaged: no size {n} and cost")
    from mapping import Traffic

    for distances, packets in ((first, second), (second, first)):
        mesh = _mesh_with(distances)
        if mesh is not None:
            return Instance(Traffic.from_matrix(packets, 1.0), mesh, solution[1])
    raise DataError(f"QAPLIB instance '{name}': neither matrix holds the distances of a mesh")


def planted_grid(side: int, seed: int) -> Instance:
    """One packet between neighbours of a side x side grid, with shuffled labels.

    The best cost is one hop per packet, 2 side (side - 1).
    """
    from mapping import Mesh, Traffic

    mesh = Mesh(side, side)
    label = np.random.default_rng(seed).permutation(mesh.n_cores)
    packets = np.triu(mesh.distances == 1).astype(np.int64)[np.ix_(label, label)]
    return Instance(Traffic.from_matrix(packets, 1.0), mesh, 2 * side * (side - 1))


def _folder(name: str, data_dir: str | Path | None) -> Path:
    if not name.isalnum():
        raise DataError(f"QAPLIB instance {name!r}; it is a name such as nug12")
    looked = [(place / "qaplib", why) for place, why in search_places(data_dir)]
    for folder, _ in looked:
        if (folder / f"{name}.dat").is_file() and (folder / f"{name}.sln").is_file():
            return folder
    places = "".join(f"\n  {folder} ({why})" for folder, why in looked)
    raise DataError(
        f"{name}.dat and {name}.sln were not found. Looked in{places}\nDownload both from {ADDRESS}"
    )


def _numbers(path: Path) -> list[int]:
    # Some files separate by commas.
    words = path.read_text(encoding="ascii", errors="replace").replace(",", " ").split()
    try:
        return [int(word) for word in words]
    except ValueError as error:
        raise DataError(f"'{path}' is damaged: {error}") from error


def _mesh_with(distances: npt.NDArray[np.int64]) -> Mesh | None:
    """The mesh whose distances these are, cores in row order."""
    from mapping import Mesh

    n = distances.shape[0]
    for width in range(1, n + 1):
        if n % width == 0:
            mesh = Mesh(width, n // width)
            if np.array_equal(mesh.distances, distances):
                return mesh
    return None
