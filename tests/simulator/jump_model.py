"""A neuron whose potential jumps: the model with which spikes travel on within one instant."""

from __future__ import annotations

from math import exp, inf
from typing import Any, NamedTuple

from simulator.model import NeuronModel

__all__ = ["Jump"]


class Jump(NeuronModel):
    """tau_m dV/dt = -V, V += w on arrival; a refractory neuron keeps V and what it receives."""

    class Parameters(NamedTuple):
        tau_m: float = 4.0  # [ms]
        v_th: float = 1.0  # [mV]
        t_ref: float = 0.0  # [ms]

    state = {"v": 0.0}  # noqa: RUF012
    ports = ("excitatory", "inhibitory")

    @staticmethod
    def factors(p: Any, dt: float) -> tuple[float, ...]:
        return (exp(-dt / p.tau_m),)

    @staticmethod
    def advance(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        n.v[j] *= f[0]

    @staticmethod
    def hold(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        pass

    @staticmethod
    def receive(n: Any, j: int, p: Any, port: int, w: float) -> None:
        n.v[j] += w

    @staticmethod
    def may_cross(n: Any, j: int, p: Any, dt: float) -> bool:
        return bool(n.v[j] >= p.v_th)

    @staticmethod
    def crossing(n: Any, j: int, p: Any) -> float:
        return 0.0 if n.v[j] >= p.v_th else inf

    @staticmethod
    def fire(n: Any, j: int, p: Any) -> float:
        n.v[j] = 0.0
        return float(p.t_ref)
