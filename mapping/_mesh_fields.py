"""What `Mesh` accepts in its fields: checked, sorted, and made hashable."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from simulator.errors import MappingError

__all__ = ["CoreCapacities", "CoreCapacity", "core_capacities", "ids", "integer"]


class CoreCapacity(NamedTuple):
    """What one core can hold; a core of 0 neurons is not used.

    Attributes
    ----------
    neurons, fan_in, synapses : int
        Neurons; inbound axons, that is distinct source neurons; synapses.
    """

    neurons: int
    fan_in: int
    synapses: int


CoreCapacities = Mapping[int, Sequence[int]] | Sequence[tuple[int, Sequence[int]]]


def integer(name: str, value: object, least: int) -> int:
    """`value` as a plain int >= `least`, or MappingError."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool | np.bool_):
        raise MappingError(f"{name} = {value!r}; it must be an integer >= {least}")
    return number


def ids(name: str, values: object, what: str, n: int) -> tuple[int, ...]:
    """Distinct ids in 0..n - 1, ascending."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise MappingError(f"{name} = {values!r}; expected a sequence of {what} ids")
    found: set[int] = set()
    for k, value in enumerate(values):
        number = integer(f"{name}[{k}]", value, 0)
        if number >= n:
            raise MappingError(f"{name}[{k}] = {number}; {what} ids are 0..{n - 1}")
        if number in found:
            raise MappingError(f"{name}: {what} {number} is given twice")
        found.add(number)
    return tuple(sorted(found))


def core_capacities(values: CoreCapacities, n_cores: int) -> tuple[tuple[int, CoreCapacity], ...]:
    """(core, capacity) of the cores that differ from the rest, ascending."""
    pairs = list(values.items() if isinstance(values, Mapping) else values)
    for pair in pairs:
        if not isinstance(pair, Sequence) or len(pair) != 2:
            raise MappingError(
                f"core_capacities: {pair!r}; expected core: (neurons, fan_in, synapses)"
            )
    cores = [core for core, _ in pairs]
    ids("core_capacities", cores, "core", n_cores)
    found = []
    for core, capacity in pairs:
        if isinstance(capacity, str) or not isinstance(capacity, Sequence) or len(capacity) != 3:
            raise MappingError(
                f"core_capacities[{core}] = {capacity!r}; expected (neurons, fan_in, synapses)"
            )
        numbers = [
            integer(f"core_capacities[{core}].{name}", value, 0)
            for name, value in zip(CoreCapacity._fields, capacity, strict=True)
        ]
        found.append((operator.index(core), CoreCapacity(*numbers)))
    return tuple(sorted(found))
