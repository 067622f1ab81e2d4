"""Placement problems whose best solution is known: QAPLIB's grids, and shuffled grids and
tori."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from experiments.datasets import search_places
from simulator.errors import DataError

if TYPE_CHECKING:
    from mapping import Mesh, Traffic

__all__ = ["Instance", "planted_grid", "qaplib_instance"]

ADDRESS = "https://qaplib.mgi.polymtl.ca (R. E. Burkard, S. E. Karisch, F. Rendl, QAPLIB)"


class Instance(NamedTuple):
    """A placement problem whose best known cost is known.

    Attributes
    ----------
    traffic : mapping.Traffic
    mesh : mapping.Mesh
    best : int
        [packets x hops] lowest cost known; proven for all of the instances used here but sko.
    """

    traffic: Traffic
    mesh: Mesh
    best: int


def qaplib_instance(name: str, data_dir: str | Path | None = None) -> Instance:
    """An instance from `qaplib/NAME.dat` and `NAME.sln` among the data sets.

    Raises
    ------
    DataError
        If a file is missing or damaged, or the instance is not one on a grid.
    """
    from mapping.qaplib import read_instance, read_solution

    if not name.isalnum():
        raise DataError(f"QAPLIB instance {name!r}; it is a name such as nug12")
    looked = [(place / "qaplib", why) for place, why in search_places(data_dir)]
    for folder, _ in looked:
        if (folder / f"{name}.dat").is_file() and (folder / f"{name}.sln").is_file():
            found = read_instance(folder / f"{name}.dat")
            return Instance(found.traffic, found.mesh, read_solution(folder / f"{name}.sln")[0])
    places = "".join(f"\n  {folder} ({why})" for folder, why in looked)
    raise DataError(
        f"{name}.dat and {name}.sln were not found. Looked in{places}\nDownload both from {ADDRESS}"
    )


def planted_grid(side: int, seed: int, *, torus: bool = False) -> Instance:
    """One packet between neighbours of a side x side grid or torus, with shuffled labels.

    The best cost is one hop per packet: 2 side (side - 1), or 2 side^2 on a torus of side >= 3.
    """
    from mapping import Mesh, Traffic

    mesh = Mesh(side, side, torus=torus)
    label = np.random.default_rng(seed).permutation(mesh.n_cores)
    packets = np.triu(mesh.distances == 1).astype(np.int64)[np.ix_(label, label)]
    return Instance(Traffic.from_matrix(packets, 1.0), mesh, int(packets.sum()))
