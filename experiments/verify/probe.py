"""The compiled functions of a model, applied to many neurons with parameters of their own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from simulator.model import NeuronModel
from simulator.specialise import digest, jitable, record_from

__all__ = ["advanced", "crossings"]

Floats = npt.NDArray[np.float64]
Arrays = Mapping[str, Floats]


def crossings(model: type[NeuronModel], p: Arrays, n: Arrays, within: Floats) -> Floats:
    """When each neuron fires if nothing arrives (ms), infinity if not within ``within`` (ms).

    The bound ``may_cross`` is asked first and a model that looks only a little ahead is asked
    again there, as the engine does.
    """
    found = np.empty(within.size)
    kind: Any = model
    with np.errstate(all="ignore"):  # as compiled code does; without the compiler numpy warns
        _finder(kind)(_rows(model, p), _state(model, n), within, found)
    return np.where(found <= within, found, inf)


def advanced(model: type[NeuronModel], p: Arrays, n: Arrays, dt: Floats) -> dict[str, Floats]:
    """The state after ``dt`` (ms) without input."""
    state = _state(model, n)
    kind: Any = model
    with np.errstate(all="ignore"):
        _mover(kind)(_rows(model, p), state, dt)
    return dict(zip(model.state, state, strict=True))


def _rows(model: type[NeuronModel], p: Arrays) -> Floats:
    return np.stack([np.asarray(p[name], np.float64) for name in model.Parameters._fields], axis=1)


def _state(model: type[NeuronModel], n: Arrays) -> Any:
    return model.State(*(np.array(n[name], np.float64) for name in model.state))


@lru_cache(maxsize=32)
def _finder(model: Any) -> Any:
    may_cross, predict = jitable(model.may_cross, model.predictor())
    factors, advance = jitable(model.factors, model.advance)
    unpack = record_from(model.Parameters)
    source = _source(model)

    @njit(cache=True, error_model="numpy")
    def find(rows: Any, n: Any, within: Any, found: Any) -> None:
        _ = source  # closed over so that an edit of the model compiles anew
        for j in range(found.size):
            p, start, found[j] = unpack(rows[j]), 0.0, inf
            while start <= within[j] and may_cross(n, j, p, within[j] - start):
                due = predict(n, j, p)
                if due >= 0.0:
                    found[j] = start + due
                    break
                advance(n, j, p, factors(p, -due))
                start -= due

    return find


@lru_cache(maxsize=32)
def _mover(model: Any) -> Any:
    factors, advance = jitable(model.factors, model.advance)
    unpack = record_from(model.Parameters)
    source = _source(model)

    @njit(cache=True, error_model="numpy")
    def move(rows: Any, n: Any, dt: Any) -> None:
        _ = source
        for j in range(dt.size):
            p = unpack(rows[j])
            advance(n, j, p, factors(p, dt[j]))

    return move


def _source(model: type[NeuronModel]) -> str:
    return f"{model.__qualname__} {digest(*model.__mro__[:-1], record_from)}"
