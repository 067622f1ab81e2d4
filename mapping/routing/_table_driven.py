"""Routing by a table of the user's: at this router, for that target, these channels."""

from __future__ import annotations

import csv
import os

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mapping.mesh import DIRECTIONS, Mesh
from mapping.routing._base import RoutingFunction, at_least
from mapping.routing._grid import Grid, IntArray
from simulator.errors import DataError, MappingError

__all__ = ["TableDriven"]


def offers(grid: Grid, router: int, came_by: int, target: int, out: IntArray) -> int:
    """The row of this router and target, up to its first -1."""
    cores = grid.width * grid.height
    room = grid.table.size // (cores * cores)
    start = (target * cores + router) * room
    count = 0
    while count < room and grid.table[start + count] >= 0:
        out[count] = grid.table[start + count]
        count += 1
    return count


class TableDriven(RoutingFunction):
    """What a table says, wherever a packet came from.

    Parameters
    ----------
    channels : int array, shape (n_cores, n_cores) or (n_cores, n_cores, n_choices)
        ``channels[router, target]``: channel numbers (``link * virtual_channels + vc``, with
        ``link = 4 * router + direction``), best first; -1 where there is none. The diagonal is
        not read. Pairs without a channel have no route: "all flows" are the others.
    virtual_channels : int
        Virtual channels per link, >= 1.
    name : str
        For reports.

    Raises
    ------
    MappingError
        A table of another shape or kind; on use, a channel that the mesh does not have.
    """

    offers = staticmethod(offers)

    def __init__(
        self, channels: ArrayLike, *, virtual_channels: int = 1, name: str = "table_driven"
    ) -> None:
        table = np.asarray(channels)
        if table.ndim == 2:
            table = table[:, :, np.newaxis]
        if table.ndim != 3 or table.shape[0] != table.shape[1] or table.size == 0:
            raise MappingError(
                f"routing {name!r}: channels have shape {np.shape(channels)}; expected "
                "(n_cores, n_cores) or (n_cores, n_cores, n_choices)"
            )
        if not np.issubdtype(table.dtype, np.integer):
            raise MappingError(f"routing {name!r}: channels are {table.dtype}; expected integers")
        self.name = name
        self.virtual_channels = at_least(name, virtual_channels, 1)
        if table.shape[2] > 4 * self.virtual_channels:
            raise MappingError(
                f"routing {name!r}: {table.shape[2]} choices; a router has "
                f"{4 * self.virtual_channels} channels"
            )
        self.channels = np.array(table, dtype=np.int64)  # a copy: nobody else writes to it
        self.channels.setflags(write=False)

    @classmethod
    def read_csv(cls, path: str | os.PathLike[str], mesh: Mesh) -> TableDriven:
        """Table with the columns router, target, direction ("N", "E", "S", "W").

        Raises
        ------
        DataError
            The file cannot be read; a line has other columns, cores or directions.
        """
        n = mesh.n_cores
        rows: list[list[list[int]]] = [[[] for _ in range(n)] for _ in range(n)]
        try:
            with open(path, newline="", encoding="utf-8") as file:
                for line, row in enumerate(csv.DictReader(file), start=2):
                    _add(rows, row, f"{path}, line {line}", n)
        except OSError as error:
            raise DataError(f"{path}: cannot read the routing table: {error.strerror}") from error
        table = np.full((n, n, 4), -1, dtype=np.int64)
        for router, by_target in enumerate(rows):
            for target, links in enumerate(by_target):
                table[router, target, : len(links)] = links
        return cls(table, name=f"table_driven:{os.fspath(path)}")

    def table(self, mesh: Mesh) -> IntArray:
        # By target first: whoever follows packets does so one target after the other.
        return self.channels.transpose(1, 0, 2).reshape(-1)

    def connected(self, mesh: Mesh) -> NDArray[np.bool_]:
        self.check_mesh(mesh)
        return self.channels[:, :, 0] >= 0

    def check_mesh(self, mesh: Mesh) -> None:
        if self.channels.shape[0] != mesh.n_cores:
            raise MappingError(
                f"routing {self.name!r} has a table for {self.channels.shape[0]} cores; "
                f"the {mesh} has {mesh.n_cores}"
            )
        routers = np.arange(mesh.n_cores)[:, np.newaxis, np.newaxis]
        links = self.channels // self.virtual_channels
        exists = np.isin(links, np.array(mesh.links, dtype=np.int64)) & (links // 4 == routers)
        wrong = (self.channels >= 0) & ~exists
        if wrong.any():
            router, target, choice = np.argwhere(wrong)[0].tolist()
            raise MappingError(
                f"routing {self.name!r}: channel {self.channels[router, target, choice]} at "
                f"{mesh.coordinates(router)} for {mesh.coordinates(target)} is on no link that "
                "leaves that router"
            )


def _add(rows: list[list[list[int]]], row: dict[str, str], where: str, n: int) -> None:
    try:
        router, target, direction = int(row["router"]), int(row["target"]), row["direction"].strip()
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DataError(f"{where}: expected the columns router, target, direction") from None
    if not (0 <= router < n and 0 <= target < n) or direction not in DIRECTIONS:
        raise DataError(
            f"{where}: router {router}, target {target}, direction {direction!r}; cores are "
            f"0..{n - 1} and directions N, E, S, W"
        )
    link = 4 * router + DIRECTIONS.index(direction)
    if link in rows[router][target]:
        raise DataError(f"{where}: direction {direction} is given twice")
    rows[router][target].append(link)
