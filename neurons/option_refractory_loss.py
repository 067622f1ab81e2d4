"""Input that is lost while refractory, an option of models with synaptic currents or conductances.

By itself a model of this package goes on integrating its synaptic currents while refractory: what
arrives then counts when V is released.  That is the convention of NEST's ``iaf_psc_exp``,
``iaf_psc_alpha`` and ``iaf_cond_exp``, and that of Brian2 where ``(unless refractory)`` stands at
the equation of V alone.  In ``refractory_loss(LIFExp)`` what arrives while refractory is lost; what
was there before goes on decaying, where Brian2 with ``(unless refractory)`` at the current too
would freeze it.  Delta synapses (``LIFDelta``) always lose it, as NEST's ``iaf_psc_delta`` does by
default and Brian2 with ``(unless refractory)`` at V.

Each synaptic state variable gets a shadow that hears nothing and takes its place when
refractoriness ends.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from neurons._variant import derive, jitable
from simulator.model import NeuronModel

__all__ = ["refractory_loss"]


@cache
def refractory_loss(model: type[NeuronModel]) -> type[NeuronModel]:
    """The model with input lost while refractory.

    Raises
    ------
    ModelError
        When the model names no synaptic state variables (``NeuronModel.synaptic``).

    Examples
    --------
    >>> from neurons import LIFExp, refractory_loss
    >>> list(refractory_loss(LIFExp).state)
    ['v', 'i_exc', 'i_inh', 'kept_i_exc', 'kept_i_inh']
    """
    model.require(
        bool(model.synaptic),
        "refractory_loss: it has no synaptic currents or conductances that go on while refractory",
    )
    made: Any = derive(
        model,
        __name__,
        f"Deaf{model.__name__}",
        parameters={},
        state={f"kept_{name}": 0.0 for name in model.synaptic},
    )
    names, n_base, count = list(model.state), len(model.state), len(model.synaptic)
    first = names.index(model.synaptic[0])
    end = first + count
    assert tuple(names[first:end]) == model.synaptic
    hold, reset, clamp, taus = jitable(model.hold, model.fire, model.clamp, model.time_constants)

    def keep(n: Any, j: int) -> None:
        for k in range(count):
            n[n_base + k][j] = n[first + k][j]

    def recall(n: Any, j: int) -> None:
        for k in range(count):
            n[first + k][j] = n[n_base + k][j]

    keep, recall = jitable(keep, recall)

    def hold_on(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        recall(n, j)
        hold(n, j, p, f)
        keep(n, j)

    def fire(n: Any, j: int, p: Any) -> float:
        rest: float = reset(n, j, p)
        keep(n, j)
        return rest

    def clamp_on(n: Any, j: int, p: Any) -> None:
        clamp(n, j, p)
        recall(n, j)

    def time_constants(p: Any) -> tuple[float, ...]:
        shadowed = taus(p)
        all_of_them: tuple[float, ...] = shadowed + shadowed[first:end]
        return all_of_them

    made.hold, made.fire, made.clamp = (staticmethod(f) for f in (hold_on, fire, clamp_on))
    made.time_constants = staticmethod(time_constants)
    result: type[NeuronModel] = made
    return result
