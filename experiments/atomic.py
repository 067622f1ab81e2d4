"""Files that are whole or not there: written beside their place, flushed, and moved over it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from simulator.errors import DataError

__all__ = ["json_value", "write_atomically", "write_json"]


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Call `write(file)` on a scratch file and move it to `path` when it is on the disk.

    Raises
    ------
    DataError
        If the place cannot be written to; what was at `path` before stays.
    """
    scratch = path.with_name(f".{path.name}.new")
    try:
        try:
            with open(scratch, "wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(scratch, path)
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            f"cannot write '{path}': {error.strerror or error}; choose a place that can be written"
        ) from error


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write a JSON object; see `json_value` for what it may hold."""
    text = json.dumps(json_value(content, path.name), indent=2) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


def json_value(value: object, where: str) -> Any:
    """Turn numpy numbers and arrays, dataclasses, tuples and paths into what JSON has.

    Raises
    ------
    DataError
        If a number is NaN or infinite, which JSON has not, or the type has no JSON form;
        the text names the place as `where.key[index]`.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float | np.floating):
        number = float(value)
        if not math.isfinite(number):
            raise DataError(
                f"{where} = {number}; JSON holds finite numbers only, use None for a missing one"
            )
        return number
    if isinstance(value, np.integer | np.bool_):
        return value.item()
    if isinstance(value, np.ndarray):
        return json_value(value.tolist(), where)
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return json_value(asdict(value), where)
    if isinstance(value, Mapping):
        return {str(key): json_value(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item, f"{where}[{k}]") for k, item in enumerate(value)]
    raise DataError(f"{where} is a {type(value).__name__}, which has no JSON form")
