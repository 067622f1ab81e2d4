"""The whole state of an engine as arrays, and back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.engine import Engine
from simulator.errors import DataError, SimulationError
from simulator.identity import check_identity
from simulator.modulation import catch_up
from simulator.plain_layout import from_plain_layout, to_plain_layout
from simulator.sources import SetRates

__all__ = ["restore_engine", "save_engine"]

# Fields of the engine's state that a saved state consists of; the others are buffers.
_SAVED = [
    "engine",
    "neurons",
    "pops",
    "projs",
    "rings",
    "left",
    "granted",
    "granted_at",
    "use",
    "used_up",
    "deadline",
    "due_in",
    "ahead",
    "ahead_t",
    "x_value",
    "y_value",
    "past",
    "past_x",
    "slots_past",
]
# In their last dimension.
_GROWING = (
    "engine/rings",
    "engine/past",
    "engine/past_x",
    "flying",
    "calls/due",
    "calls/count",
    "calls/neurons",
    "network",
    "given/times",
    "given/neurons",
    "rates/hz",
)
SCHEMA = 4  # form of a saved state; another number, another form


def save_engine(engine: Engine) -> dict[str, npt.NDArray[Any]]:
    """States, weights, traces, spikes in flight, the place in the sources."""
    engine.drain()
    compiled = engine.compiled
    for q in np.flatnonzero(compiled.arrays.projs.waits):
        catch_up(compiled, engine.state, int(q), engine.time)
    saved = {f"engine/{name}": np.array(getattr(engine.state, name)) for name in _SAVED}
    saved["engine/projs"]["n_active"] = -1  # the lists are buffers
    saved["weight"] = compiled.arrays.weight.copy()
    saved["synaptic"] = compiled.arrays.synaptic.copy()
    saved["learns"] = compiled.arrays.projs.learns.copy()
    for g, block in enumerate(compiled.groups.states):
        saved[f"state/{g}"] = block.copy()
    saved["flying"] = np.array(engine.in_flight())
    saved.update((f"carried/{name}", array) for name, array in engine.carried().items())
    saved["piece_start"] = np.array(engine.piece_start)
    saved["given/times"], saved["given/neurons"] = (part.copy() for part in engine.given)
    saved.update(_saved_rates(engine))
    saved["schema"] = np.array(SCHEMA)
    saved["network"] = np.frombuffer(engine.identity, np.uint8)
    return to_plain_layout(compiled, saved)


def restore_engine(engine: Engine, saved: Mapping[str, npt.NDArray[Any]]) -> None:
    """Put the engine into a saved state, which :func:`check_entries` has accepted."""
    compiled = engine.compiled
    saved = from_plain_layout(compiled, saved)
    for g, block in enumerate(compiled.groups.states):
        block[:] = saved[f"state/{g}"]
    compiled.arrays.weight[:] = saved["weight"]
    compiled.arrays.synaptic[:] = saved["synaptic"]
    compiled.arrays.projs.learns = saved["learns"]
    engine.see_weights()
    renewed = {}
    for name in _SAVED:
        old = getattr(engine.state, name)
        array = np.array(saved[f"engine/{name}"])
        renewed[name] = array.view(np.recarray) if old.dtype.names else array
    engine.replace_state(engine.state._replace(**renewed))
    engine.state.waiting[:] = 0
    engine.rates = _restored_rates(engine, saved)
    engine.put_in_flight(np.array(saved["flying"]).view(np.recarray))
    engine.given = np.array(saved["given/times"]), np.array(saved["given/neurons"])
    if engine.has_run:
        engine.open_piece(float(saved["piece_start"]), after=engine.time)
    engine.restore_carried(
        {
            name.removeprefix("carried/"): array
            for name, array in saved.items()
            if name.startswith("carried/")
        }
    )
    engine.observe_from_now()


def _saved_rates(engine: Engine) -> dict[str, npt.NDArray[Any]]:
    """Rates that were set in the run: four numbers a population, and the rates one behind another.

    A population whose rates were not set has the number 0.
    """
    names = engine.network.populations
    found = [engine.rates.get(name) for name in names]
    return {
        "rates/number": np.array([0 if one is None else one.number for one in found]),
        "rates/start": np.array([0.0 if one is None else one.start for one in found]),
        "rates/stop": np.array([0.0 if one is None else one.stop for one in found]),
        "rates/hz": np.concatenate([np.empty(0), *(one.hz for one in found if one is not None)]),
    }


def _restored_rates(engine: Engine, saved: Mapping[str, npt.NDArray[Any]]) -> dict[str, SetRates]:
    rates, used = {}, 0
    for k, pop in enumerate(engine.network.populations.values()):
        number = int(saved["rates/number"][k])
        if number:
            hz = np.array(saved["rates/hz"][used : used + pop.size])
            start, stop = float(saved["rates/start"][k]), float(saved["rates/stop"][k])
            rates[pop.name] = SetRates(number, hz, start, stop)
            used += pop.size
    return rates


def check_entries(
    saved: Mapping[str, npt.NDArray[Any]], expected: Mapping[str, npt.NDArray[Any]]
) -> None:
    """Refuse what is no saved state, or that of another network or of another form.

    Raises
    ------
    SimulationError
        Naming the entry, or what is different about the network.
    """
    for name in expected:
        if name not in saved:
            raise SimulationError(f"this is no saved state of a simulation: {name!r} is missing")
    for name in ("schema", "network"):
        _check_shape(name, np.asarray(saved[name]), expected[name])
    if saved["schema"] != expected["schema"]:
        raise SimulationError(
            f"the saved state has form {int(saved['schema'])}, this program reads form "
            f"{int(expected['schema'])}; run the network again"
        )
    check_identity(saved["network"], expected["network"])
    for name, array in expected.items():
        _check_shape(name, np.asarray(saved[name]), array)


def _check_shape(name: str, given: npt.NDArray[Any], expected: npt.NDArray[Any]) -> None:
    grows = name in _GROWING or name.startswith(("trials/", "carried/"))
    fixed = -1 if grows else expected.ndim
    if (
        given.dtype != expected.dtype
        or given.ndim != expected.ndim
        or given.shape[:fixed] != expected.shape[:fixed]
    ):
        raise SimulationError(
            f"the saved state belongs to another network: {name!r} has shape {given.shape} and "
            f"type {given.dtype}, expected {expected.shape} and {expected.dtype}"
        )


def write_state(path: Path, saved: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write a saved state; whatever happens, the file is the old one or the new one, and whole."""
    scratch = path.with_name(f".{path.name}.new")
    try:
        with open(scratch, "wb") as file:
            np.savez(file, allow_pickle=False, **saved)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except OSError as error:
        raise DataError(f"cannot write '{path}': {error}") from error


def read_state_file(path: Path) -> dict[str, npt.NDArray[Any]]:
    """A saved state from its file.

    Raises
    ------
    DataError
        When there is no such file, or it is damaged.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise DataError(f"'{path}' does not exist: there is no saved state") from None
    except Exception as error:  # zipfile, zlib and numpy have many ways to say it
        raise DataError(f"'{path}' is no saved state, or damaged: {error}") from error
