"""A neuron that repeats what it is told: it spikes whenever something arrives on its first port.

::

    port "repeated":   a spike at the instant of the arrival, whatever the weight
    port "unheeded":   nothing

What arrives on the second port has no effect, but plastic synapses that end there learn from the
neuron's spikes like any others: the neuron is made to fire by a teacher while its inputs watch.
Several arrivals at one instant are one spike.

Source: NEST's ``parrot_neuron``, whose ports 0 and 1 these are; the output layer of Hao et al. 2020
in training, which is forced to fire by the label.
"""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

from simulator.model import NeuronModel

__all__ = ["Parrot"]


class Parrot(NeuronModel):
    """A repeater of spikes; see the module's text."""

    class Parameters(NamedTuple):
        v_th: float = 0.5  # [1] what has arrived at this instant must reach it; the count is 0 or 1

    state = {"told": 0.0}  # noqa: RUF012  [1] 1 from an arrival to the spike
    ports = ("repeated", "unheeded")
    synaptic = ("told",)

    @classmethod
    def check(cls, p: Any) -> None:
        cls.require(0.0 < p.v_th <= 1.0, f"v_th = {p.v_th}; it must lie in (0, 1]")

    @staticmethod
    def threshold_range(p: Any) -> tuple[float, float]:
        return 0.0, 1.0

    @staticmethod
    def factors(p: Any, dt: float) -> tuple[float, ...]:
        return (dt,)

    @staticmethod
    def advance(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        pass

    @staticmethod
    def hold(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        pass

    @staticmethod
    def receive(n: Any, j: int, p: Any, port: int, w: float) -> None:
        if port == 0:
            n.told[j] = 1.0

    @staticmethod
    def may_cross(n: Any, j: int, p: Any, dt: float) -> bool:
        return bool(n.told[j] >= p.v_th)

    @staticmethod
    def crossing(n: Any, j: int, p: Any) -> float:
        return 0.0 if n.told[j] >= p.v_th else inf

    @staticmethod
    def fire(n: Any, j: int, p: Any) -> float:
        n.told[j] = 0.0
        return 0.0
