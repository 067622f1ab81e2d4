"""Tiles in rows and columns: how cores and links are numbered, whatever may be missing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mapping._mesh_fields import integer
from simulator.errors import MappingError

__all__ = ["DIRECTIONS", "Tiles"]

DIRECTIONS = ("N", "E", "S", "W")
_STEPS = ((0, -1), (1, 0), (0, 1), (-1, 0))


@dataclass(frozen=True)
class Tiles:
    """A `width` x `height` array of tiles, closed to a torus or not; see `mapping.mesh`."""

    width: int
    height: int
    torus: bool = False

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            object.__setattr__(self, name, integer(f"Mesh.{name}", getattr(self, name), 1))
        if not isinstance(self.torus, bool | np.bool_):
            raise MappingError(f"Mesh.torus = {self.torus!r}; it must be True or False")
        object.__setattr__(self, "torus", bool(self.torus))

    def __str__(self) -> str:
        return f"{self.width}x{self.height} {'torus' if self.torus else 'mesh'}"

    @property
    def n_cores(self) -> int:
        return self.width * self.height

    @property
    def n_link_ids(self) -> int:
        """Length of an array indexed by link id; only `links` of them exist."""
        return 4 * self.n_cores

    def core(self, x: int, y: int) -> int:
        """Number of the core at column `x`, row `y`."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            raise MappingError(f"{self} has no core at ({x},{y})")
        return y * self.width + x

    def coordinates(self, core: int) -> tuple[int, int]:
        """Column and row of a core."""
        if not 0 <= core < self.n_cores:
            raise MappingError(f"{self} has no core {core}; cores are 0..{self.n_cores - 1}")
        y, x = divmod(core, self.width)
        return x, y

    @cached_property
    def _whole_grid(self) -> NDArray[np.int64]:
        """Core at the far end of every link id if nothing failed, -1 where there is no link."""
        y, x = np.divmod(np.arange(self.n_cores), self.width)
        targets = np.full((self.n_cores, 4), -1, dtype=np.int64)
        for direction, (dx, dy) in enumerate(_STEPS):
            to_x, to_y = x + dx, y + dy
            # A dimension of one tile has no links: they would lead back to where they start.
            if self.torus and (self.width if dx else self.height) > 1:
                to_x, to_y = to_x % self.width, to_y % self.height
            inside = (to_x >= 0) & (to_x < self.width) & (to_y >= 0) & (to_y < self.height)
            targets[inside, direction] = (to_y * self.width + to_x)[inside]
        return targets.ravel()

    @cached_property
    def link_targets(self) -> NDArray[np.int64]:
        """Core at the far end of every link id, -1 where there is no working link."""
        return self._whole_grid

    @cached_property
    def links(self) -> tuple[int, ...]:
        """Ids of the links that exist and work, ascending."""
        return tuple(np.flatnonzero(self.link_targets >= 0).tolist())

    @cached_property
    def _targets(self) -> tuple[int, ...]:
        # Plain integers, which Python reads several times faster than elements of an array.
        return tuple(self.link_targets.tolist())

    def has_link(self, link: int) -> bool:
        return 0 <= link < self.n_link_ids and self._targets[link] >= 0

    def link(self, core: int, direction: str) -> int:
        """Id of the link that leaves `core` towards "N", "E", "S" or "W"."""
        self.coordinates(core)
        if direction not in DIRECTIONS:
            raise MappingError(f"direction {direction!r}; the directions are {DIRECTIONS}")
        link = 4 * core + DIRECTIONS.index(direction)
        if self._targets[link] < 0:
            raise MappingError(f"{self}: no link leaves {self.coordinates(core)} to {direction}")
        return link

    def link_source(self, link: int) -> int:
        """Core whose router the link leaves."""
        self._check_link(link)
        return link // 4

    def link_target(self, link: int) -> int:
        """Core whose router the link enters."""
        self._check_link(link)
        return self._targets[link]

    def link_direction(self, link: int) -> str:
        """One of "N", "E", "S", "W"."""
        self._check_link(link)
        return DIRECTIONS[link % 4]

    def link_text(self, link: int) -> str:
        """Readable form, "(x,y)-E->(x,y)"."""
        start, end = self.coordinates(self.link_source(link)), self.coordinates(self._targets[link])
        arrow = self.link_direction(link)
        return f"({start[0]},{start[1]})-{arrow}->({end[0]},{end[1]})"

    def _check_link(self, link: int) -> None:
        if not self.has_link(link):
            raise MappingError(f"{self} has no link {link}")
