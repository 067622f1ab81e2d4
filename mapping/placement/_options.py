"""Checks of the options of placement methods."""

from __future__ import annotations

import operator

from simulator.errors import MappingError

__all__ = ["at_least", "positive"]


def at_least(method: str, least: int, **options: int) -> None:
    """Refuse options that are not integers >= `least`."""
    for name, value in options.items():
        try:
            number = least - 1 if isinstance(value, bool) else operator.index(value)
        except TypeError:
            number = least - 1
        if number < least:
            raise MappingError(f"{method}: {name} = {value!r}; it must be an integer >= {least}")


def positive(method: str, **options: float) -> None:
    """Refuse options that are not finite numbers > 0."""
    for name, value in options.items():
        try:
            number = 0.0 if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            number = 0.0
        if not 0.0 < number < float("inf"):
            raise MappingError(f"{method}: {name} = {value!r}; it must be finite and > 0")
