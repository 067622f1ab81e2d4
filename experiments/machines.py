"""Machines as a command line names them: sizes, presets, chips and faulty parts in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.errors import MappingError

if TYPE_CHECKING:
    from mapping import Mesh

__all__ = ["MachineOptions", "machine", "parse_pins"]


@dataclass(frozen=True)
class MachineOptions:
    """What all machines of a command have in common.

    Attributes
    ----------
    torus : bool
        Whether rows and columns close on themselves.
    chips : str
        "2x1": chips across x down. A size is divided into them, a preset is repeated.
    board_link_cycles : int
        [cycles per flit] of links from chip to chip.
    faulty_cores, faulty_routers : str
        "3,5": ids, row by row from 0.
    faulty_links : str
        "3-4,9>1": both directions between neighbouring cores 3 and 4, one from 9 to 1.
    neurons_per_core, fan_in_per_core, synapses_per_core : int, optional
        Capacities of a core; None leaves those of `mapping.Mesh` or of the preset.
    """

    torus: bool = False
    chips: str = "1x1"
    board_link_cycles: int = 1
    faulty_cores: str = ""
    faulty_routers: str = ""
    faulty_links: str = ""
    neurons_per_core: int | None = None
    fan_in_per_core: int | None = None
    synapses_per_core: int | None = None


def machine(name: str, options: MachineOptions | None = None) -> Mesh:
    """A machine by its size, as "8x8", or by the name of a preset, as "loihi".

    Raises
    ------
    MappingError
        It is neither, or an option does not fit it.
    """
    from mapping import Mesh, preset_names

    options = options or MachineOptions()
    across, down = _size("chips", options.chips)
    fields: dict[str, Any] = {
        "torus": options.torus,
        "board_link_cycles": options.board_link_cycles,
    }
    for capacity in ("neurons_per_core", "fan_in_per_core", "synapses_per_core"):
        value = getattr(options, capacity)
        if value is not None:
            fields[capacity] = value
    if name in preset_names():
        mesh = Mesh.preset(name, chips=(across, down), **fields)
    else:
        width, height = _size("mesh", name, f" or one of {', '.join(preset_names())}")
        if across * down > 1:
            for what, tiles, chips in (("columns", width, across), ("rows", height, down)):
                if tiles % chips:
                    raise MappingError(
                        f"chips {options.chips}: {chips} chips do not divide the {tiles} {what} of "
                        f"the {name} mesh evenly"
                    )
            fields |= {"chip_width": width // across, "chip_height": height // down}
        mesh = Mesh(width, height, **fields)
    return mesh.with_faults(
        cores=_ids("faulty_cores", options.faulty_cores),
        routers=_ids("faulty_routers", options.faulty_routers),
        links=_links(mesh, options.faulty_links),
    )


def parse_pins(texts: Sequence[str]) -> dict[str, list[int]]:
    """Populations and the cores that alone may hold them, of texts such as "hidden=0,4-7".

    Raises
    ------
    MappingError
        A text is no such thing, or a population is given twice.
    """
    pins: dict[str, list[int]] = {}
    for text in texts:
        name, equals, cores = (part.strip() for part in text.partition("="))
        if not (name and equals):
            raise MappingError(f"pin {text!r}: expected POPULATION=CORES, such as hidden=0,4-7")
        if name in pins:
            raise MappingError(f"pin: population {name!r} is given twice; list all of its cores")
        pins[name] = []
        for word in cores.split(","):
            match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", word)
            if match is None or int(match[1]) > int(match[2] or match[1]):
                raise MappingError(
                    f"pin {text!r}: {word.strip()!r}; expected a core, or the first and the last "
                    "of some, as 4-7"
                )
            pins[name] += range(int(match[1]), int(match[2] or match[1]) + 1)
    return pins


def _size(what: str, text: str, alternative: str = "") -> tuple[int, int]:
    match = re.fullmatch(r"\s*(\d+)\s*[xX×]\s*(\d+)\s*", text)
    if match is None:
        raise MappingError(f"{what} {text!r}: expected WIDTHxHEIGHT, such as 8x8{alternative}")
    return int(match[1]), int(match[2])


def _ids(what: str, text: str) -> list[int]:
    found = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        if not word.isdecimal():
            raise MappingError(f"{what} {text!r}: {word!r} is no id; expected such as 3,5")
        found.append(int(word))
    return found


def _links(mesh: Mesh, text: str) -> list[int]:
    """Link ids of "a-b" (both ways) and "a>b" (one way) between neighbouring cores."""
    found: list[int] = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"(\d+)\s*([->])\s*(\d+)", word)
        if match is None:
            raise MappingError(
                f"faulty_links {text!r}: {word!r}; expected neighbouring cores, as 3-4 for both "
                "ways or 3>4 for one"
            )
        start, end = int(match[1]), int(match[3])
        mesh.coordinates(start)
        mesh.coordinates(end)
        ways = [(start, end), (end, start)] if match[2] == "-" else [(start, end)]
        for source, target in ways:
            # Two tiles of a torus that is two wide are joined twice in each direction.
            links = [i for i in range(4 * source, 4 * source + 4) if mesh.link_targets[i] == target]
            if not links:
                raise MappingError(f"faulty_links: no link of the {mesh} leads {source}>{target}")
            found += [link for link in links if link not in found]
    return found
