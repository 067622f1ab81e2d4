"""A current that can be switched, an option of every model: ``current_port(LIFExp)`` is a model.

It has one more port, "current": a weight that arrives there changes the neuron's constant current
``bias`` from then on, by that much and in its unit.  Between arrivals the current is constant, so
the model stays exact; a linear model stays linear, with a mode that does not decay.  The current
goes on during refractoriness, and a change of it is never lost.

:class:`encoders.StepCurrent` makes piecewise-constant currents of it.
"""

from __future__ import annotations

from functools import cache
from math import inf
from typing import Any

from neurons._variant import derive, jitable, with_moved
from simulator.model import NeuronModel

__all__ = ["current_port"]


@cache
def current_port(model: type[NeuronModel]) -> type[NeuronModel]:
    """The model with the port "current", and the state variable ``current`` that it changes.

    Examples
    --------
    >>> from neurons import LIFExp, current_port
    >>> current_port(LIFExp).ports
    ('excitatory', 'inhibitory', 'current')
    """
    made: Any = derive(
        model,
        __name__,
        f"Switched{model.__name__}",
        parameters={},
        state={"current": 0.0},
    )
    with_moved(made, model, "bias", "current")
    made.ports = (*model.ports, "current")
    receive, kick = jitable(model.receive, model.kick)
    port_of_current, n_modes = len(model.ports), len(model.state)
    # The first mode is V less what it tends to, which moves by as much as the current.
    change = (-1.0,) + (0.0,) * (n_modes - 1) + (1.0,)

    def receive_on(n: Any, j: int, p: Any, port: int, w: float) -> None:
        if port == port_of_current:
            n.current[j] += w
        else:
            receive(n, j, p, port, w)

    def kick_on(p: Any, port: int) -> tuple[float, ...]:
        if port == port_of_current:
            return change
        amounts: tuple[float, ...] = (*kick(p, port), 0.0)
        return amounts

    def lowest_weight(port: int) -> float:
        return -inf if port == port_of_current else model.lowest_weight(port)

    made.lowest_weight = staticmethod(lowest_weight)
    made.receive, made.kick = staticmethod(receive_on), staticmethod(kick_on)
    result: type[NeuronModel] = made
    return result
