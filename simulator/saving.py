"""The whole state of an engine as arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine import Engine
from simulator.errors import SimulationError

__all__ = ["restore_engine", "save_engine"]

# Fields of the engine's state that a saved state consists of; the others are buffers.
_SAVED = [
    "engine",
    "neurons",
    "pops",
    "projs",
    "rings",
    "flights",
    "left",
    "used_up",
    "buckets",
    "x_value",
    "x_time",
    "y_value",
    "y_time",
]
# In their last dimension.
_GROWING = ("engine/rings", "engine/flights", "calls/due", "calls/count", "calls/neurons")


def save_engine(engine: Engine) -> dict[str, npt.NDArray[Any]]:
    """States, weights, traces, spikes in flight, the place in the sources."""
    engine.drain()
    compiled = engine.compiled
    saved = {f"engine/{name}": np.array(getattr(engine.state, name)) for name in _SAVED}
    saved["weight"] = compiled.arrays.weight.copy()
    saved["learns"] = compiled.arrays.projs.learns.copy()
    for g, block in enumerate(compiled.groups.states):
        saved[f"state/{g}"] = block.copy()
    saved["piece_start"] = np.array(engine.piece_start)
    return saved


def restore_engine(engine: Engine, saved: Mapping[str, npt.NDArray[Any]]) -> None:
    """Put the engine into a saved state, which :func:`check_entries` has accepted."""
    compiled = engine.compiled
    for g, block in enumerate(compiled.groups.states):
        block[:] = saved[f"state/{g}"]
    compiled.arrays.weight[:] = saved["weight"]
    compiled.arrays.projs.learns = saved["learns"]
    engine.see_weights()
    renewed = {}
    for name in _SAVED:
        old = getattr(engine.state, name)
        array = np.array(saved[f"engine/{name}"])
        renewed[name] = array.view(np.recarray) if old.dtype.names else array
    engine.replace_state(engine.state._replace(**renewed))
    if float(engine.state.engine[0].input_end) > 0.0:
        position = int(engine.state.engine[0].src_pos)
        engine.open_piece(float(saved["piece_start"]), position)


def check_entries(
    saved: Mapping[str, npt.NDArray[Any]], expected: Mapping[str, npt.NDArray[Any]]
) -> None:
    """Refuse a saved state without all entries of an expected one, or with others' shapes."""
    for name, array in expected.items():
        if name not in saved:
            raise SimulationError(f"this is no saved state of a simulation: {name!r} is missing")
        fixed = -1 if name in _GROWING else array.ndim
        given = np.asarray(saved[name])
        if (
            given.dtype != array.dtype
            or given.ndim != array.ndim
            or given.shape[:fixed] != array.shape[:fixed]
        ):
            raise SimulationError(
                f"the saved state belongs to another network: {name!r} has shape "
                f"{given.shape} and type {given.dtype}, expected {array.shape} "
                f"and {array.dtype}"
            )
