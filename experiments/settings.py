"""Settings of an experiment: the fields of its frozen configuration, read from `key=value`.

A field is written `m: int = setting(64, "neurons")`; its type is the parser. Known types: int,
float, bool, str, Literal, tuples of these, and any of them or None.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from simulator.errors import DataError

__all__ = ["Setting", "configure", "describe", "parse_assignments", "require", "setting"]

T = TypeVar("T")
TRUE = ("true", "yes", "on", "1")
FALSE = ("false", "no", "off", "0")


def setting(default: T, help: str, *, unit: str = "1") -> T:
    """A field of a configuration with its description; unit "1" means a pure number or a name.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Config:
    ...     tau: float = setting(1.3, "presynaptic trace", unit="ms")
    >>> configure(Config, {"tau": "2.5"})
    Config(tau=2.5)
    """
    return dataclasses.field(default=default, metadata={"help": help, "unit": unit})


@dataclass(frozen=True)
class Setting:
    """What a user may know of one setting."""

    name: str
    type: str
    default: object
    unit: str
    help: str


def require(condition: bool, name: str, value: object, expected: str) -> None:
    """Refuse the value of a setting unless ``condition``.

    Raises
    ------
    DataError
        With the name of the setting, its value, and what is expected.
    """
    if not condition:
        raise DataError(f"setting '{name}' = {value}; it must be {expected}")


def describe(config: type[Any]) -> list[Setting]:
    """The settings of a configuration class, in the order of its fields."""
    hints = get_type_hints(config)
    return [
        Setting(
            field.name,
            _type_name(hints[field.name]),
            field.default,
            str(field.metadata.get("unit", "1")),
            str(field.metadata.get("help", "")),
        )
        for field in dataclasses.fields(config)
    ]


def parse_assignments(texts: Sequence[str]) -> dict[str, str]:
    """Split each `key=value`.

    Raises
    ------
    DataError
        If there is no `=`, or a key comes twice.
    """
    values: dict[str, str] = {}
    for text in texts:
        key, separator, value = (part.strip() for part in text.partition("="))
        if not separator or not key:
            raise DataError(f"'{text}' is not a setting; write key=value, as in m=32")
        if key in values:
            raise DataError(f"setting '{key}' is given twice: '{values[key]}' and '{value}'")
        values[key] = value
    return values


def configure(config: type[T], values: Mapping[str, object], owner: str = "the experiment") -> T:
    """Make a configuration from values: strings as typed by a user, JSON values, or the real thing.

    Parameters
    ----------
    config
        A frozen dataclass.
    values
        By name of the field; fields not named keep their defaults.
    owner
        Whose settings they are, for the errors.

    Raises
    ------
    DataError
        If a name is unknown, or a value is not of the field's type, or is NaN or infinite.
    """
    hints = get_type_hints(config)
    names = [field.name for field in dataclasses.fields(cast(Any, config))]
    for key in values:
        if key not in names:
            close = difflib.get_close_matches(key, names, n=1)
            hint = f" (did you mean '{close[0]}'?)" if close else ""
            raise DataError(f"{owner} has no setting '{key}'{hint}; it has {', '.join(names)}")
    return config(**{key: _convert(hints[key], value, key) for key, value in values.items()})


def _convert(kind: Any, value: object, key: str) -> object:
    """Turn a value into one of type `kind`."""
    origin = get_origin(kind)
    converted: object = None
    if origin in (Union, types.UnionType):
        members = [member for member in get_args(kind) if member is not type(None)]
        if value is None or (isinstance(value, str) and value.lower() == "none"):
            return None
        if len(members) == 1:
            return _convert(members[0], value, key)
    elif origin is Literal:
        matching = [choice for choice in get_args(kind) if value in (choice, str(choice))]
        converted = matching[0] if matching else None
    elif origin is tuple:
        return _convert_tuple(kind, value, key)
    elif kind in SCALARS:
        converted = SCALARS[kind](value)
    if converted is None:
        raise DataError(f"setting '{key}' = '{value}'; it must be {_type_name(kind)}")
    if isinstance(converted, float) and not math.isfinite(converted):
        raise DataError(f"setting '{key}' = {value}; it must be a finite number")
    return converted


def _to_bool(value: object) -> bool | None:
    if isinstance(value, str) and value.lower() in TRUE + FALSE:
        return value.lower() in TRUE
    return value if isinstance(value, bool) else None


def _to_int(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def _to_float(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _to_str(value: object) -> str | None:
    return value if isinstance(value, str) else None


# Each returns None for a value that is not of its type.
SCALARS: dict[type, Callable[[object], object]] = {
    bool: _to_bool,
    int: _to_int,
    float: _to_float,
    str: _to_str,
}


def _convert_tuple(kind: Any, value: object, key: str) -> tuple[object, ...]:
    members = get_args(kind)
    if isinstance(value, str):
        items: list[object] = [item.strip() for item in value.strip("()[]").split(",") if item]
    elif isinstance(value, list | tuple):
        items = list(value)
    else:
        items = [value]
    if len(members) == 2 and members[1] is Ellipsis:
        members = (members[0],) * len(items)
    if len(items) != len(members):
        raise DataError(f"setting '{key}' = '{value}'; it must be {_type_name(kind)}")
    return tuple(
        _convert(member, item, f"{key}[{k}]")
        for k, (member, item) in enumerate(zip(members, items, strict=True))
    )


def _type_name(kind: Any) -> str:
    """What a value must be, in words."""
    simple = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "a text",
        type(None): "none",
    }
    if kind in simple:
        return simple[kind]
    members = get_args(kind)
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(str(choice) for choice in members)
    if get_origin(kind) is tuple:
        if len(members) == 2 and members[1] is Ellipsis:
            return f"a list, each {_type_name(members[0])}, separated by commas"
        parts = " and ".join(_type_name(member) for member in members)
        return f"{len(members)} values separated by commas: {parts}"
    return " or ".join(_type_name(member) for member in members) or str(kind)
