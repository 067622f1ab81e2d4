"""The concentration of a neuromodulator, such as dopamine: raised by spikes, decaying.

::

    tau dz/dt = -z,   z += w   for each spike that arrives

It is a population of one "neuron" that never fires: spikes of dopamine neurons reach it over
ordinary projections, with their delays, and plastic projections that feel it name it as their
``modulator``.

Source: Izhikevich 2007, Cereb. Cortex 17, equation 3.
"""

from __future__ import annotations

from math import exp, inf
from typing import Any, NamedTuple

from simulator.model import NeuronModel

__all__ = ["Concentration"]


class Concentration(NeuronModel):
    """Of a neuromodulator; see the module's text."""

    class Parameters(NamedTuple):
        tau: float = 200.0  # [ms] time constant of its removal, > 0

    state = {"z": 0.0}  # noqa: RUF012  [1]
    ports = ("release",)
    modulates = True

    @classmethod
    def check(cls, p: Any) -> None:
        cls.require(p.tau > 0, f"tau = {p.tau} ms; time constants must be > 0")

    @staticmethod
    def threshold_range(p: Any) -> tuple[float, float]:
        return -inf, inf

    @staticmethod
    def factors(p: Any, dt: float) -> tuple[float, ...]:
        return (exp(-dt / p.tau),)

    @staticmethod
    def advance(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        n.z[j] *= f[0]

    @staticmethod
    def hold(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        n.z[j] *= f[0]

    @staticmethod
    def receive(n: Any, j: int, p: Any, port: int, w: float) -> None:
        n.z[j] += w

    @staticmethod
    def may_cross(n: Any, j: int, p: Any, dt: float) -> bool:
        return False

    @staticmethod
    def crossing(n: Any, j: int, p: Any) -> float:
        return inf

    @staticmethod
    def fire(n: Any, j: int, p: Any) -> float:
        return 0.0
