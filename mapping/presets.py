"""Machines that exist, from ``mapping/data/machines.toml``: every figure with what it rests on.

A capacity that no source states is not limited (`NO_LIMIT`), and `left_out` says so; an
energy that none states is left out of the reports.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from mapping._mesh_fields import integer
from mapping.hop_energy import HopEnergy
from simulator.errors import MappingError

__all__ = ["NO_LIMIT", "preset_fields", "preset_names", "preset_rows"]

# Above anything that fits, and a million cores of it still add up in 64 bits.
NO_LIMIT = 2**40

_CAPACITIES = ("neurons_per_core", "fan_in_per_core", "synapses_per_core")


@cache
def _machines() -> dict[str, Any]:
    text = (files("mapping") / "data" / "machines.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def preset_names() -> list[str]:
    """Names that `Mesh.preset` accepts, sorted."""
    return sorted(_machines())


def preset_fields(name: str, chips: tuple[int, int] = (1, 1)) -> dict[str, Any]:
    """Arguments of `Mesh` for a machine of `chips` (across, down) chips.

    Raises
    ------
    MappingError
        There is no such machine, or `chips` is not two integers >= 1.
    """
    machine = _machine(name)
    if not isinstance(chips, tuple | list) or len(chips) != 2:
        raise MappingError(f"preset {name!r}: chips = {chips!r}; expected (across, down)")
    across, down = (integer(f"preset {name!r}: chips[{k}]", chips[k], 1) for k in (0, 1))
    width, height = machine["tiles"]
    capacities = {key: machine[key]["value"] if key in machine else NO_LIMIT for key in _CAPACITIES}
    several = across * down > 1
    return {
        "width": across * width,
        "height": down * height,
        "chip_width": width if several else None,
        "chip_height": height if several else None,
        "energy": HopEnergy(**machine["energy"]) if "energy" in machine else None,
        "name": machine["title"],
        **capacities,
    }


def preset_rows(name: str) -> list[tuple[str, str, str]]:
    """(figure, value, source) of everything that is known of a machine, and what is left out."""
    machine = _machine(name)
    width, height = machine["tiles"]
    rows = [
        ("cores of a chip", f"{width} x {height}: {machine['layout']}", machine["tiles_source"])
    ]
    for key in _CAPACITIES:
        if key in machine:
            rows.append((key, f"{machine[key]['value']:,}", machine[key]["source"]))
    if "energy" in machine:
        energy = machine["energy"]
        value = (
            f"{energy['east_west_pj']} pJ a hop east or west, {energy['north_south_pj']} pJ north "
            f"or south, {energy['local_pj']} pJ inside a tile"
        )
        rows.append(("energy", value, energy["source"]))
    unknown = "in none of the sources named here"
    rows += [("left out", what, unknown) for what in machine["left_out"]]
    return rows


def _machine(name: str) -> dict[str, Any]:
    if name not in _machines():
        raise MappingError(f"unknown preset {name!r}; there are {', '.join(preset_names())}")
    machine: dict[str, Any] = _machines()[name]
    return machine
