"""Threshold noise, an option of every model: ``noisy_threshold(LIFExp)`` is a model.

Initially and at every spike, a neuron's threshold is drawn anew as v_th + theta_noise N(0, 1), kept
within the range that makes sense for the model (above v_reset, say: a draw beyond it counts as one
that lies a thousandth of the way from the end of the range to v_th inside it).  The adaptive part
of the threshold, if any, comes on top.  In ``AdEx`` it is v_t that is drawn, in ``Izhikevich``
v_peak; SRM takes v_th away at a spike whatever threshold was drawn.

The normal numbers depend on the network's seed, the population's name, the neuron and the number of
its spikes alone: they are the same in both engines, however a run is cut, and after a restore.

Source: escape noise as a random threshold, Gerstner & Kistler, Spiking Neuron Models (2002),
section 5.3; redrawn at spikes, Holden 1976.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from neurons._normal import normal
from neurons._variant import derive, jitable, with_moved
from simulator.model import NeuronModel

__all__ = ["noisy_threshold"]

_INSIDE = 0.999  # how much of the way from v_th to the end of its range a draw may go


@cache
def noisy_threshold(model: type[NeuronModel]) -> type[NeuronModel]:
    """The model with one more parameter, ``theta_noise`` in mV (standard deviation, >= 0).

    State variables more: ``shift`` (mV, of the present threshold), ``draws`` and ``key``.

    Examples
    --------
    >>> from neurons import LIFDelta, noisy_threshold
    >>> noisy_threshold(LIFDelta)(tau_m=10.0, theta_noise=0.1)
    NoisyLIFDelta(tau_m=10, v_rest=0, v_th=1, v_reset=0, t_ref=0, bias=0, theta_plus=0, \
tau_theta=100, theta_noise=0.1)
    """
    made: Any = derive(
        model,
        __name__,
        f"Noisy{model.__name__}",
        parameters={"theta_noise": 0.0},
        state={"shift": 0.0, "draws": 0.0, "key": 0.0},
    )
    with_moved(made, model, model.threshold, "shift")
    reset, limits = jitable(model.fire, model.threshold_range)
    place = model.Parameters._fields.index(model.threshold)

    def draw(n: Any, j: int, p: Any) -> None:
        low, high = limits(p)
        shift = p.theta_noise * normal(n.key[j], n.draws[j])
        n.shift[j] = min(max(shift, _INSIDE * (low - p[place])), _INSIDE * (high - p[place]))
        n.draws[j] += 1.0

    (drawn,) = jitable(draw)

    def start(n: Any, j: int, p: Any, key: float) -> None:
        model.start(n, j, p, key)
        n.key[j] = key
        draw(n, j, p)

    def fire(n: Any, j: int, p: Any) -> float:
        rest: float = reset(n, j, p)
        drawn(n, j, p)
        return rest

    def check(cls: Any, p: Any) -> None:
        super(made, cls).check(p)
        cls.require(p.theta_noise >= 0, f"theta_noise = {p.theta_noise} mV; it must be >= 0")

    made.start, made.fire, made.check = staticmethod(start), staticmethod(fire), classmethod(check)
    result: type[NeuronModel] = made
    return result
