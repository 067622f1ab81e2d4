"""Logical cores to physical cores. One file per method, found by its name.

To add a method, add a file ``mapping/placement/<name>.py`` whose docstring starts with one line
of description and that defines::

    def place(traffic: Traffic, mesh: Mesh, *, seed: int) -> Solution

with further keyword options as it likes, which its docstring lists. `Solution` is in
`mapping.placement._base`. A method that declares a keyword `problem` is given a
`mapping.placement._problem.Problem`: the places each logical core may have, the objective, and
tables to compute it fast.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mapping import _discovery
from mapping.graph import IntArray
from mapping.mesh import Mesh
from mapping.placement._base import Convergence, Placement, Solution, placement_cost
from mapping.placement._course import Progress, Watch
from mapping.placement._options import positive
from mapping.placement._problem import Problem, pose_problem
from mapping.routing import RoutingFunction
from mapping.traffic import Traffic
from simulator.errors import MappingError

__all__ = [
    "Convergence",
    "Placement",
    "Progress",
    "Solution",
    "place",
    "placement_cost",
    "placement_names",
]

Method = Callable[..., Solution]


def placement_names() -> list[str]:
    """Names that `place` accepts."""
    return _discovery.names(sys.modules[__name__])


def place(
    traffic: Traffic,
    mesh: Mesh,
    method: str | Method = "auto",
    *,
    seed: int = 0,
    objective: str | Mapping[str, float] = "packet_hops",
    allowed: NDArray[np.bool_] | None = None,
    routing: str | RoutingFunction | None = None,
    progress: Callable[[Progress], bool | None] | None = None,
    time_limit_s: float | None = None,
    **options: Any,
) -> Placement:
    """Give every logical core a physical core of its own.

    Parameters
    ----------
    traffic : Traffic
        Packets between logical cores. Multicast is counted as one packet per target.
    mesh : Mesh
        At least as many usable cores as `traffic` has cores.
    method : str or callable
        A name of `placement_names()`, or a function of the same form.
    seed : int
        Same traffic, mesh, options and seed give the same placement.
    objective : str or mapping of str to float
        What to make small: "packet_hops" (sum of packets x hops along shortest paths),
        "max_link_load" (packets over the busiest link), "energy" (pJ, as
        `mapping.metrics.network_energy_pj`), or a weight >= 0 for each of some of them. The plain
        orders ("sequential", "serpentine", "hilbert", "hamiltonian_loop") and "spectral" have none.
    allowed : bool array, shape (n_logical, n_cores), optional
        Which physical cores each logical core may have; None for any. Cores that cannot be used
        are never used.
    routing : str or RoutingFunction, optional
        Deterministic routing for link loads and energies; None for dimension order.
    progress : callable, optional
        Called with a `Progress` now and then; if it returns False the best placement so far is
        returned.
    time_limit_s : float, optional
        [s] the best placement so far is returned soon after; with it the result depends on the
        speed of the machine.
    **options
        Passed to the method, which lists them in its docstring.

    Raises
    ------
    MappingError
        Too few physical cores, no placement within `allowed`, an unknown method, objective or
        option, a routing without a route for every pair of cores, more packets than costs can be
        exact for, or a method that returned something that is not a placement.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise MappingError(f"seed = {seed!r}; it must be an integer >= 0")
    if time_limit_s is not None:
        positive("place", time_limit_s=time_limit_s)
    if isinstance(method, str):
        name = method
        module = sys.modules[__name__]
        function = cast(Method, _discovery.load(module, name, "placement", "place"))
    else:
        name, function = getattr(method, "__name__", type(method).__name__), method
    known = list(inspect.signature(function).parameters)[2:]
    valid = [option for option in known if option not in ("seed", "problem")]
    unknown = sorted(set(options) - set(valid))
    if unknown:
        raise MappingError(
            f"placement {name!r} has no option {unknown[0]!r}; it has {', '.join(valid) or 'none'}"
        )
    problem = pose_problem(
        traffic,
        mesh,
        objective=objective,
        allowed=allowed,
        routing=routing,
        watch=Watch(progress, time_limit_s),
    )
    if "problem" in known:
        options["problem"] = problem
    solution = function(traffic, mesh, seed=int(seed), **options)
    core_of = np.asarray(solution.core_of, dtype=np.int64)
    _check(core_of, problem, name)
    return Placement(
        core_of=core_of,
        method=name,
        seed=int(seed),
        cost=placement_cost(traffic, core_of, mesh),
        convergence=solution.convergence,
        objective=dict(problem.weights),
        value=problem.value(core_of),
        remark=solution.remark,
    )


def _check(core_of: IntArray, problem: Problem, name: str) -> None:
    mesh = problem.mesh
    if core_of.shape != (problem.n,):
        raise MappingError(
            f"placement {name!r} returned shape {core_of.shape}; expected ({problem.n},)"
        )
    if core_of.min() < 0 or core_of.max() >= mesh.n_cores:
        raise MappingError(f"placement {name!r} used a core outside 0..{mesh.n_cores - 1}")
    if np.unique(core_of).size != core_of.size:
        raise MappingError(f"placement {name!r} put two logical cores on one physical core")
    wrong = np.flatnonzero(~problem.allowed[np.arange(problem.n), core_of])
    if wrong.size:
        i = int(wrong[0])
        raise MappingError(
            f"placement {name!r} put logical core {i} on core {core_of[i]}, which it may not have: "
            "it cannot be used, is not allowed, or is cut off from its partners"
        )
