"""The machine: a rectangular mesh (or torus) of tiles, each one core and one router.

Conventions, used everywhere in this package:

- Cores are numbered row by row: core ``y * width + x`` sits at coordinates ``(x, y)``.
  ``x`` grows to the east; ``y`` grows to the *south*, so row 0 is the top of every picture.
- A link is a one-way channel between neighbouring routers. Its id is ``4 * core + direction``,
  where `core` is the one it leaves and the directions are N, E, S, W = 0, 1, 2, 3. Ids do not
  depend on which links exist, so they stay the same when a part is missing; ids without a link
  (those leaving the border of a mesh, and those that fail) are simply absent from `Mesh.links`.

Faulty parts, unlike cores and several chips on a board change `links`, `distances`,
`capacities`, `usable_cores` and `link_cycles`, and nothing else: nobody else computes any of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mapping import _hop_distances
from mapping._mesh_fields import CoreCapacities, CoreCapacity, core_capacities, ids, integer
from mapping._tiles import DIRECTIONS, Tiles
from mapping.hop_energy import LOIHI_HOP_ENERGY, HopEnergy
from mapping.presets import preset_fields
from simulator.errors import MappingError

__all__ = ["DIRECTIONS", "LOIHI_HOP_ENERGY", "CoreCapacity", "HopEnergy", "Mesh"]

_PER_CORE = ("neurons_per_core", "fan_in_per_core", "synapses_per_core")


@dataclass(frozen=True)
class Mesh(Tiles):
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
    core_capacities : mapping of int to (neurons, fan_in, synapses)
        Cores that differ from the rest, by id; a core of 0 neurons is not used.
    faulty_cores : sequence of int
        Cores that hold no neurons; their routers work.
    faulty_routers : sequence of int
        Tiles without any link; their cores cannot be used.
    faulty_links : sequence of int
        Ids of links that fail, each in one direction; `with_faults` can fail both.
    chip_width, chip_height : int or None
        Tiles of one chip, which divide the mesh evenly; None for a single chip across.
    board_link_cycles : int
        [cycles per flit] of links from chip to chip, >= 1; a link inside a chip takes 1.
    name : str
        Of the machine, for reports.

    Raises
    ------
    MappingError
        A size or a capacity out of range, an id that is not there or given twice, or chips that
        do not divide the mesh.

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
    >>> int(mesh.with_faults(routers=[1]).distances[0, 2])
    4
    """

    neurons_per_core: int = 1024
    fan_in_per_core: int = 4096
    synapses_per_core: int = 131_072
    energy: HopEnergy | None = LOIHI_HOP_ENERGY
    core_capacities: CoreCapacities = ()
    faulty_cores: tuple[int, ...] = ()
    faulty_routers: tuple[int, ...] = ()
    faulty_links: tuple[int, ...] = ()
    chip_width: int | None = None
    chip_height: int | None = None
    board_link_cycles: int = 1
    name: str = ""

    def __post_init__(self) -> None:
        def keep(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        super().__post_init__()
        for name in (*_PER_CORE, "board_link_cycles"):
            keep(name, integer(f"Mesh.{name}", getattr(self, name), 1))
        keep("core_capacities", core_capacities(self.core_capacities, self.n_cores))
        keep("faulty_cores", ids("Mesh.faulty_cores", self.faulty_cores, "core", self.n_cores))
        routers = ids("Mesh.faulty_routers", self.faulty_routers, "router", self.n_cores)
        keep("faulty_routers", routers)
        keep("faulty_links", ids("Mesh.faulty_links", self.faulty_links, "link", self.n_link_ids))
        for link in self.faulty_links:
            if self._whole_grid[link] < 0:
                start, way = self.coordinates(link // 4), DIRECTIONS[link % 4]
                raise MappingError(
                    f"Mesh.faulty_links: {link} is no link; none leaves {start} to {way}"
                )
        for name, across in (("chip_width", self.width), ("chip_height", self.height)):
            value = getattr(self, name)
            if value is not None:
                size = integer(f"Mesh.{name}", value, 1)
                if across % size:
                    raise MappingError(
                        f"Mesh.{name} = {size} does not divide the {across} tiles of the {self}"
                    )
                keep(name, size)

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
        _check_options(cls, options)
        return cls(int(match[1]), int(match[2]), **options)

    @classmethod
    def preset(cls, name: str, *, chips: tuple[int, int] = (1, 1), **options: Any) -> Mesh:
        """A machine that exists, of `chips` (across, down); see `mapping.presets`.

        Parameters
        ----------
        name : str
            One of `preset_names()`: "loihi", "spinnaker2", "tianjicx", "truenorth".
        chips : tuple of int
            Chips across and down the board.
        **options
            Fields of `Mesh` that shall differ. Capacities that are not published are unlimited
            unless they are given here.

        Raises
        ------
        MappingError
            There is no such machine or option.

        Examples
        --------
        >>> board = Mesh.preset("truenorth", chips=(2, 1), board_link_cycles=4)
        >>> str(board), board.neurons_per_core, board.chip_width
        ('128x64 mesh', 256, 64)
        """
        found = preset_fields(name, chips)
        _check_options(cls, options)
        return cls(**(found | options))

    def with_faults(
        self,
        *,
        cores: Iterable[int] = (),
        routers: Iterable[int] = (),
        links: Iterable[int] = (),
        both_ways: bool = False,
    ) -> Mesh:
        """The same machine with more faulty parts; `both_ways` also fails each link's opposite."""
        failing = list(links)
        if both_ways:
            checked = ids("links", failing, "link", self.n_link_ids)
            opposite = {4 * int(self._whole_grid[i]) + (i + 2) % 4 for i in checked}
            failing += sorted(opposite - set(failing))

        def joined(name: str, more: Iterable[int]) -> tuple[int, ...]:
            before, more = getattr(self, name), list(more)
            return (*(part for part in before if part not in more), *more)

        return replace(
            self,
            faulty_cores=joined("faulty_cores", cores),
            faulty_routers=joined("faulty_routers", routers),
            faulty_links=joined("faulty_links", failing),
        )

    @cached_property
    def usable_cores(self) -> NDArray[np.int64]:
        """Cores that may hold neurons, ascending."""
        usable: NDArray[np.int64] = np.flatnonzero(self.capacities[:, 0])
        return usable

    @cached_property
    def capacities(self) -> NDArray[np.int64]:
        """Neurons, inbound axons and synapses of every core, shape (n_cores, 3).

        All zero for a core that cannot be used.
        """
        each = [getattr(self, name) for name in _PER_CORE]
        table = np.tile(np.array(each, dtype=np.int64), (self.n_cores, 1))
        for core, capacity in cast(tuple[tuple[int, CoreCapacity], ...], self.core_capacities):
            table[core] = capacity if capacity.neurons else 0
        table[[*self.faulty_cores, *self.faulty_routers]] = 0
        return table

    @cached_property
    def link_targets(self) -> NDArray[np.int64]:
        """Core at the far end of every link id, -1 where there is no working link."""
        targets = self._whole_grid.copy()
        targets[list(self.faulty_links)] = -1
        if self.faulty_routers:
            targets[np.isin(targets, self.faulty_routers)] = -1
            targets.reshape(-1, 4)[list(self.faulty_routers)] = -1
        return targets

    @cached_property
    def chip_of(self) -> NDArray[np.int64]:
        """Chip of every core, numbered row by row, shape (n_cores,)."""
        chip_width, chip_height = self.chip_width or self.width, self.chip_height or self.height
        y, x = np.divmod(np.arange(self.n_cores), self.width)
        chips_across = self.width // chip_width
        chip: NDArray[np.int64] = (y // chip_height) * chips_across + x // chip_width
        return chip

    @cached_property
    def link_cycles(self) -> NDArray[np.int64]:
        """[cycles per flit] of every link id, 0 where there is no link, shape (n_link_ids,)."""
        cycles = (self.link_targets >= 0).astype(np.int64)
        cycles[list(self.board_links)] = self.board_link_cycles
        return cycles

    @cached_property
    def board_links(self) -> tuple[int, ...]:
        """Ids of the links that lead from one chip to another, ascending."""
        link = np.array(self.links, dtype=np.int64)
        leaves = self.chip_of[link // 4] != self.chip_of[self.link_targets[link]]
        return tuple(link[leaves].tolist())

    @cached_property
    def distances(self) -> NDArray[np.int64]:
        """Shortest hops over working links between all pairs of cores, shape (n_cores, n_cores).

        [i, j] from core i to core j, -1 where there is no path, 0 on the diagonal. Symmetric
        unless a link fails in one direction only.
        """
        if self.faulty_links or self.faulty_routers:
            return _hop_distances.search_all(self.link_targets)
        return _hop_distances.grid_distances(self.width, self.height, self.torus)

    def check_connected(self) -> None:
        """Raise MappingError, naming two usable cores, if one cannot send to the other.

        In time proportional to the number of links.
        """
        usable = self.usable_cores
        if usable.size == 0:
            raise MappingError(f"{self}: no core can be used; all of them are faulty or empty")
        first = int(usable[0])
        for targets, forth in (
            (self.link_targets, True),
            (_hop_distances.reversed_links(self.link_targets), False),
        ):
            cut_off = usable[_hop_distances.search_from(targets, first)[usable] < 0]
            if cut_off.size:
                start, end = (first, int(cut_off[0])) if forth else (int(cut_off[0]), first)
                raise MappingError(
                    f"{self}: no path leads from core {start} at {self.coordinates(start)} to core "
                    f"{end} at {self.coordinates(end)} over the working links; mark the cores that "
                    "are cut off as faulty"
                )


def _check_options(mesh: type[Mesh], options: dict[str, Any]) -> None:
    known = [field.name for field in fields(mesh)][2:]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise MappingError(f"Mesh has no option {unknown[0]!r}; it has {', '.join(known)}")
