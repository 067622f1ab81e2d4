"""What makes two networks the same for a saved state: everything but weights and recorders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.arrays import SPARSE
from simulator.compile import CompiledNetwork
from simulator.errors import SimulationError
from simulator.model import Parametrised
from simulator.plain_layout import plain_rows

__all__ = ["check_identity", "identity"]


def identity(compiled: CompiledNetwork) -> dict[str, str]:
    """One line for each thing in a network, with a digest of its numbers."""
    net, arrays = compiled.network, compiled.arrays
    lines = {"the seed": str(net.seed)}
    for pop in net.populations.values():
        lines[f"population {pop.name!r}"] = (
            f"{pop.size} x {_name(pop.model)} [{_digest(pop.model)}]"
        )
    for row, proj in zip(arrays.projs, net.projections.values(), strict=True):
        parts: list[Any] = [float(row.delay), int(row.port), proj.rule]
        if row.kind == SPARSE:
            first, post, delays = plain_rows(compiled, row)
            parts += [first, post, delays]
            what = f"{post.size} synapses"
        else:
            what = f"all-to-all, self connections {proj.connector.self_connections}"
        rule = f", {_name(proj.rule)}" if proj.rule is not None else ""
        if proj.modulator is not None:
            rule += f" that feels {proj.modulator.name!r}"
        lines[f"projection {proj.name!r}"] = (
            f"{proj.pre.name!r} to {proj.post.name!r}, {what}{rule} [{_digest(parts)}]"
        )
    if not net.left_alone:
        lines["neurons left alone"] = "none"
    if arrays.home.size:
        lines["the cores of its neurons"] = _digest(arrays.home)
    # The order of populations decides ties.
    lines["the order"] = ", ".join([*net.populations, *net.projections])
    return lines


def check_identity(saved: npt.NDArray[np.uint8], here: npt.NDArray[np.uint8]) -> None:
    """Refuse the identity of another network; both are JSON.

    Raises
    ------
    SimulationError
        Naming the first thing that differs.
    """
    if np.array_equal(saved, here):
        return
    try:
        then, now = (json.loads(text.tobytes()) for text in (saved, here))
        names = list(dict.fromkeys([*now, *then]))
        name = next(name for name in names if now.get(name) != then.get(name))
    except (ValueError, AttributeError, StopIteration):
        raise SimulationError("this is no saved state of a simulation: 'network' is damaged") from (
            None
        )
    raise SimulationError(
        f"the saved state belongs to another network: {name} is {then.get(name, 'missing')} there "
        f"and {now.get(name, 'missing')} here"
    )


def _name(thing: Any) -> str:
    return repr(thing) if isinstance(thing, Parametrised) else type(thing).__name__


def _digest(thing: Any) -> str:
    state = blake2b(digest_size=8)
    for part in _parts(thing):
        state.update(part)
        state.update(b"\x1f")
    return state.hexdigest()


def _parts(thing: Any) -> Iterator[bytes]:
    """The numbers and names that a thing is made of.

    Sets and mappings that it holds are passed over: a source may note there what it has done.
    """
    if isinstance(thing, np.ndarray):
        yield f"{thing.dtype} {thing.shape}".encode()
        yield np.ascontiguousarray(thing).tobytes()
    elif thing is None or isinstance(thing, (bool, int, float, str, bytes, np.generic)):
        yield repr(thing).encode()
    elif isinstance(thing, Parametrised):
        yield type(thing).__qualname__.encode()
        yield repr(tuple(thing.parameters)).encode()
    elif isinstance(thing, (tuple, list)):
        for one in thing:
            yield from _parts(one)
    elif not isinstance(thing, (set, dict)) and not callable(thing):
        yield type(thing).__qualname__.encode()
        for name, value in sorted(getattr(thing, "__dict__", {}).items()):
            yield name.encode()
            yield from _parts(value)
