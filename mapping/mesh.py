"""The machine: a rectangular mesh (or torus) of tiles, each one core and one router.

Conventions, used everywhere in this package:

- Cores are numbered row by row: core ``y * width + x`` sits at coordinates ``(x, y)``.
  ``x`` grows to the east; ``y`` grows to the *south*, so row 0 is the top of every picture.
- A link is a one-way channel between neighbouring routers. Its id is ``4 * core + direction``,
  where `core` is the one it leaves and the directions are N, E, S, W = 0, 1, 2, 3. Ids do not
  depend on which links exist, so they stay the same when a part is missing; ids without a link
  (those leaving the border of a mesh) are simply absent from `Mesh.links`.

What it does not do yet: faulty parts, unlike cores, several chips on a board. All three only
change `links` and `distances`, which is why nothing else computes either.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import MappingError

__all__ = ["DIRECTIONS", "LOIHI_HOP_ENERGY", "HopEnergy", "Mesh"]

DIRECTIONS = ("N", "E", "S", "W")
_STEPS = ((0, -1), (1, 0), (0, 1), (-1, 0))


@dataclass(frozen=True)
class HopEnergy:
    """Energy of moving one packet, with the place the figures come from.

    Attributes
    ----------
    east_west_pj, north_south_pj : float
        [pJ] one hop along a row, along a column.
    local_pj : float
        [pJ] delivery inside a tile, paid once per packet wherever it comes from.
    source : str
        Publication or measurement; an energy without a source is refused.
    """

    east_west_pj: float
    north_south_pj: float
    local_pj: float
    source: str

    def __post_init__(self) -> None:
        for name in ("east_west_pj", "north_south_pj", "local_pj"):
            value = float(getattr(self, name))
            if not (np.isfinite(value) and value >= 0):
                raise MappingError(f"HopEnergy.{name} = {value} pJ; it must be finite and >= 0")
        if not self.source.strip():
            raise MappingError("HopEnergy.source is empty; say where the energies come from")


LOIHI_HOP_ENERGY = HopEnergy(
    east_west_pj=3.0,
    north_south_pj=4.0,
    local_pj=1.7,
    source="Davies et al., Loihi, IEEE Micro 38(1), 2018, table 2 (circuit simulation)",
)


@dataclass(frozen=True)
class Mesh:
    """A `width` x `height` array of tiles with hard capacities per core.

    Parameters
    ----------
    width, height : int
        Tiles per row and rows, >= 1.
    torus : bool
        With wrap-around links in every dimension of at least two tiles.
    neurons_per_core : int
        Neurons a core can hold.
    fan_in_per_core : int
        Inbound axons of a core: distinct source neurons, on any core, that have a synapse on it.
    synapses_per_core : int
        Synapses a core can store; a synapse is stored with its target neuron.
    energy : HopEnergy or None
        Energy per hop; None leaves energies out of every report.

    Raises
    ------
    MappingError
        A size or a capacity is not an integer >= 1.

    Notes
    -----
    The default capacities are those of one Loihi core: 1,024 neurons, 4,096 inbound axons and
    1 Mibit of synapse memory, taken here as 131,072 synapses of 8 bits. Loihi puts four cores on
    a tile; this machine puts one.

    References
    ----------
    M. Davies et al., Loihi: a neuromorphic manycore processor with on-chip learning, IEEE Micro
    38(1), 2018; the axon and memory limits are the constants of the nengo-loihi back end.

    Examples
    --------
    >>> mesh = Mesh.parse("4x2")
    >>> mesh.n_cores, mesh.core(3, 1), mesh.coordinates(7)
    (8, 7, (3, 1))
    >>> mesh.link_text(mesh.link(0, "E"))
    '(0,0)-E->(1,0)'
    """

    width: int
    height: int
    torus: bool = False
    neurons_per_core: int = 1024
    fan_in_per_core: int = 4096
    synapses_per_core: int = 131_072
    energy: HopEnergy | None = LOIHI_HOP_ENERGY

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name in ("torus", "energy"):
                continue
            value = getattr(self, field.name)
            try:
                number = operator.index(value)
            except TypeError:
                number = 0
            if number < 1 or isinstance(value, bool | np.bool_):
                raise MappingError(f"Mesh.{field.name} = {value!r}; it must be an integer >= 1")
            object.__setattr__(self, field.name, number)

    @classmethod
    def parse(cls, text: str, **options: Any) -> Mesh:
        """Mesh from "WIDTHxHEIGHT", such as "8x8"; `options` are those of `Mesh`.

        Raises
        ------
        MappingError
            `text` is not two positive integers joined by "x", or an option is unknown.
        """
        match = re.fullmatch(r"\s*(\d+)\s*[xX×]\s*(\d+)\s*", text)
        if match is None:
            raise MappingError(f"mesh {text!r}: expected WIDTHxHEIGHT in tiles, such as 8x8")
        known = [field.name for field in fields(cls)][2:]
        unknown = sorted(set(options) - set(known))
        if unknown:
            raise MappingError(f"Mesh has no option {unknown[0]!r}; it has {', '.join(known)}")
        return cls(int(match[1]), int(match[2]), **options)

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
    def _targets(self) -> tuple[int, ...]:
        """Core at the far end of every link id, -1 where there is no link."""
        targets = []
        for core in range(self.n_cores):
            y, x = divmod(core, self.width)
            for dx, dy in _STEPS:
                to_x, to_y = x + dx, y + dy
                # A dimension of one tile has no links: they would lead back to where they start.
                if self.torus and (self.width if dx else self.height) > 1:
                    to_x, to_y = to_x % self.width, to_y % self.height
                inside = 0 <= to_x < self.width and 0 <= to_y < self.height
                targets.append(to_y * self.width + to_x if inside else -1)
        return tuple(targets)

    @cached_property
    def links(self) -> tuple[int, ...]:
        """Ids of the links that exist, ascending."""
        return tuple(link for link, target in enumerate(self._targets) if target >= 0)

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

    @cached_property
    def distances(self) -> NDArray[np.int64]:
        """Shortest distance in hops between all pairs of cores, shape (n_cores, n_cores)."""

        def along(n: int) -> NDArray[np.int64]:
            gap = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
            return np.minimum(gap, n - gap) if self.torus else gap

        y, x = np.divmod(np.arange(self.n_cores), self.width)
        hops = along(self.width)[np.ix_(x, x)] + along(self.height)[np.ix_(y, y)]
        return np.asarray(hops, dtype=np.int64)
