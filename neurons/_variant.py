"""Models derived from models: a state variable a neuron that moves one of its parameters.

Options that few networks need (threshold noise, a current that can be switched) would cost every
neuron memory and time if they were part of each model.  They are made on demand instead: a class
derived from the model, with a few more state variables, whose functions hand the model's own
functions a parameter record in which one number is the neuron's.

For this a model's ``factors`` and ``horizon`` must not read a parameter that may differ from neuron
to neuron: the threshold and the bias.
"""

from __future__ import annotations

import sys
from collections import namedtuple
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from simulator.inner import jitable, register_jitable
from simulator.model import NeuronModel

__all__ = ["derive", "jitable", "mover", "with_moved"]


def mover(record: Any, parameter: str) -> Callable[[Any, float], Any]:
    """``moved(p, by)`` -> the parameters ``p`` with one of them moved."""
    k = record._fields.index(parameter)
    after, end = k + 1, len(record._fields)  # further options may have added more at the end

    @register_jitable
    def moved(p: Any, by: float) -> Any:
        return record(*p[:k], p[k] + by, *p[after:end])

    return moved


def derive(
    base: type[NeuronModel],
    module: str,
    name: str,
    *,
    parameters: Mapping[str, float],
    state: Mapping[str, float],
) -> type[NeuronModel]:
    """A class derived from ``base`` with more parameters and state variables.

    It can be found as ``module.name``, so that compiled code that uses it can be kept on disk.
    New state variables are modes that do not decay.
    """
    fields = base.Parameters._fields
    defaults = base.Parameters._field_defaults
    record: Any = namedtuple(  # type: ignore[misc]
        "Parameters", [*fields, *parameters], defaults=[*defaults.values(), *parameters.values()]
    )
    record.__module__, record.__qualname__ = module, f"{name}.Parameters"
    text = {
        "__module__": module,
        "__qualname__": name,
        "__doc__": f"{base.__name__} with an option; see the text of {module}.",
        "Parameters": record,
        "state": {**base.state, **state},
    }
    made: Any = type(name, (base,), text)
    setattr(sys.modules[module], name, made)
    taus, kick = jitable(base.time_constants, base.kick)
    endless, nothing = (inf,) * len(state), (0.0,) * len(state)
    # What the base does for all neurons at once knows nothing of the option.
    made.advance_all = staticmethod(NeuronModel.advance_all)
    made.any_may_cross = staticmethod(NeuronModel.any_may_cross)
    made.time_constants = staticmethod(lambda p: taus(p) + endless)
    made.kick = staticmethod(lambda p, port: kick(p, port) + nothing)
    return made


def with_moved(
    made: Any, base: type[NeuronModel], parameter: str, variable: str
) -> Callable[[Any, int, Any], Any]:
    """Let the functions of ``made`` see ``parameter`` moved by the state variable ``variable``.

    Returns
    -------
    (n, j, p) -> p
        The parameters of neuron j.
    """
    moved, s = mover(made.Parameters, parameter), list(made.state).index(variable)

    @register_jitable
    def own(n: Any, j: int, p: Any) -> Any:
        return moved(p, n[s][j])

    advance, hold, may_cross, to_modes, from_modes, allowance = jitable(
        base.advance, base.hold, base.may_cross, base.to_modes, base.from_modes, base.allowance
    )
    (crossing,) = jitable(base.crossing, apart=True)
    made.advance = staticmethod(lambda n, j, p, f: advance(n, j, own(n, j, p), f))
    made.hold = staticmethod(lambda n, j, p, f: hold(n, j, own(n, j, p), f))
    made.may_cross = staticmethod(lambda n, j, p, dt: may_cross(n, j, own(n, j, p), dt))
    made.crossing = staticmethod(lambda n, j, p: crossing(n, j, own(n, j, p)))
    made.to_modes = staticmethod(lambda n, j, p: to_modes(n, j, own(n, j, p)))
    made.from_modes = staticmethod(lambda n, j, p: from_modes(n, j, own(n, j, p)))
    made.allowance = staticmethod(lambda n, j, p, h: allowance(n, j, own(n, j, p), h))
    if base.looks_ahead():
        (crossing_soon,) = jitable(base.crossing_soon, apart=True)
        made.crossing_soon = staticmethod(lambda n, j, p: crossing_soon(n, j, own(n, j, p)))
    return own
