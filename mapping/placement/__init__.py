"""Logical cores to physical cores. One file per method, found by its name.

To add a method, add a file ``mapping/placement/<name>.py`` whose docstring starts with one line
of description and that defines::

    def place(traffic: Traffic, mesh: Mesh, *, seed: int) -> Solution

with further keyword options as it likes. `Solution` is in `mapping.placement._base`.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from mapping import _discovery
from mapping.graph import IntArray
from mapping.mesh import Mesh
from mapping.placement._base import Convergence, Placement, Solution, placement_cost
from mapping.traffic import Traffic
from simulator.errors import MappingError

__all__ = ["Convergence", "Placement", "Solution", "place", "placement_cost", "placement_names"]

Method = Callable[..., Solution]


def placement_names() -> list[str]:
    """Names that `place` accepts."""
    return _discovery.names(sys.modules[__name__])


def place(
    traffic: Traffic,
    mesh: Mesh,
    method: str | Method = "annealing",
    *,
    seed: int = 0,
    **options: Any,
) -> Placement:
    """Give every logical core a physical core of its own.

    Parameters
    ----------
    traffic : Traffic
        Packets between logical cores.
    mesh : Mesh
        At least as many cores as `traffic`.
    method : str or callable
        A name of `placement_names()`, or a function of the same form.
    seed : int
        Same traffic, mesh, options and seed give the same placement.
    **options
        Passed to the method, which lists them in its docstring.

    Raises
    ------
    MappingError
        Too few physical cores, an unknown method or option, or a method that returned something
        that is not a placement.
    """
    if traffic.n_cores > mesh.n_cores:
        raise MappingError(
            f"{traffic.n_cores} logical cores do not fit on the {mesh.n_cores} cores of the "
            f"{mesh}: {traffic.n_cores - mesh.n_cores} short; take a larger mesh"
        )
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise MappingError(f"seed = {seed!r}; it must be an integer >= 0")
    if isinstance(method, str):
        name = method
        module = sys.modules[__name__]
        function = cast(Method, _discovery.load(module, name, "placement", "place"))
    else:
        name, function = getattr(method, "__name__", type(method).__name__), method
    known = list(inspect.signature(function).parameters)[2:]
    unknown = sorted(set(options) - set(known))
    if unknown:
        valid = [option for option in known if option != "seed"]
        raise MappingError(
            f"placement {name!r} has no option {unknown[0]!r}; it has {', '.join(valid) or 'none'}"
        )
    solution = function(traffic, mesh, seed=int(seed), **options)
    core_of = np.asarray(solution.core_of, dtype=np.int64)
    _check(core_of, traffic, mesh, name)
    return Placement(
        core_of=core_of,
        method=name,
        seed=int(seed),
        cost=placement_cost(traffic, core_of, mesh),
        convergence=solution.convergence,
    )


def _check(core_of: IntArray, traffic: Traffic, mesh: Mesh, name: str) -> None:
    if core_of.shape != (traffic.n_cores,):
        raise MappingError(
            f"placement {name!r} returned shape {core_of.shape}; expected ({traffic.n_cores},)"
        )
    if core_of.min() < 0 or core_of.max() >= mesh.n_cores:
        raise MappingError(f"placement {name!r} used a core outside 0..{mesh.n_cores - 1}")
    if np.unique(core_of).size != core_of.size:
        raise MappingError(f"placement {name!r} put two logical cores on one physical core")
