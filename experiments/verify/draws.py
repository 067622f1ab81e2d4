"""Random parameters and states of every model: the intervals that the checks look at.

An interval is what lies between two events of a neuron: a state, and a time (ms) in which nothing
arrives.  Every interval has parameters of its own; time constants are spread over decades, and
often equal or nearly equal, where formulas lose digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.model import NeuronModel

__all__ = ["Intervals", "draw"]

Floats = npt.NDArray[np.float64]
_APART = np.array([0.0, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 0.05])


class Intervals:
    """``p`` and ``n``: parameters and states, (size,) arrays by name; ``length``: (size,) in ms."""

    def __init__(self, model: type[NeuronModel], size: int, rng: np.random.Generator) -> None:
        self.model, self.size, self.rng = model, size, rng
        defaults = model.Parameters()._asdict()
        self.p = {name: np.full(size, float(x)) for name, x in defaults.items()}
        self.n = {name: np.full(size, float(x)) for name, x in model.state.items()}
        self.length = 10.0 ** rng.uniform(-1.5, 2.3, size)

    def uniform(self, lo: float, hi: float) -> Floats:
        return self.rng.uniform(lo, hi, self.size)

    def often_zero(self, lo: float, hi: float, share: float = 0.3) -> Floats:
        """Uniform, but 0 in a share of the intervals."""
        return np.where(self.rng.random(self.size) < share, 0.0, self.uniform(lo, hi))

    def tau(self, lo: float = 0.3, hi: float = 50.0) -> Floats:
        """Time constants (ms), uniform in their logarithm."""
        return np.asarray(np.exp(self.uniform(np.log(lo), np.log(hi))))

    def near(self, tau: Floats) -> Floats:
        """Others, of which a half are equal to ``tau`` or close to it."""
        apart = self.rng.choice(_APART, self.size) * self.rng.choice([-1.0, 1.0], self.size)
        return np.where(self.rng.random(self.size) < 0.5, tau * (1.0 + apart), self.tau())

    def threshold(self) -> Floats:
        """Moves in half of the intervals; the potential then starts below it all the same."""
        self.p["tau_theta"] = self.near(self.p["tau_m"])
        return self.often_zero(0.0, 1.5, 0.5)

    def take(self, k: npt.NDArray[Any]) -> Intervals:
        """Some of the intervals."""
        made = object.__new__(Intervals)
        made.model, made.rng = self.model, self.rng
        made.p = {name: x[k] for name, x in self.p.items()}
        made.n = {name: x[k] for name, x in self.n.items()}
        made.length = self.length[k]
        made.size = made.length.size
        return made

    def joined(self, others: Sequence[Intervals]) -> Intervals:
        """These intervals and more of the same model."""
        made = self.take(np.arange(self.size))
        every = [made, *others]
        made.p = {name: np.concatenate([s.p[name] for s in every]) for name in self.p}
        made.n = {name: np.concatenate([s.n[name] for s in every]) for name in self.n}
        made.length = np.concatenate([s.length for s in every])
        made.size = made.length.size
        return made


def _leaky(s: Intervals) -> None:
    s.p["tau_m"] = s.tau()
    s.p["v_rest"] = s.often_zero(-1.0, 0.5)
    s.p["bias"] = s.often_zero(-1.0, 1.6)
    s.p["v_reset"] = np.full(s.size, -1.5)
    s.n["v"] = s.uniform(-2.0, 1.0)
    if "theta" in s.n:
        s.n["theta"] = s.threshold()


def _lif_exp(s: Intervals) -> None:
    _leaky(s)
    s.p["tau_exc"], s.p["tau_inh"] = s.near(s.p["tau_m"]), s.near(s.p["tau_m"])
    s.n["i_exc"], s.n["i_inh"] = s.often_zero(-3.0, 12.0), s.often_zero(-12.0, 3.0)


def _lif_alpha(s: Intervals) -> None:
    _lif_exp(s)
    for side in ("exc", "inh"):
        sign = 1.0 if side == "exc" else -1.0
        s.n[f"d_{side}"] = sign * s.often_zero(-3.0, 15.0) / s.p[f"tau_{side}"]


def _srm(s: Intervals) -> None:
    s.p["tau_m"] = s.tau()
    s.p["tau_s"] = s.near(s.p["tau_m"])
    s.n["v"], s.n["i"] = s.uniform(-3.0, 1.0), s.often_zero(-3.0, 4.0)
    s.n["theta"] = s.threshold()


def _lif_cond(s: Intervals) -> None:
    s.p["tau_m"] = s.tau(3.0, 50.0)
    s.p["tau_exc"] = s.p["tau_inh"] = np.clip(s.near(s.p["tau_m"]), 1.0, 50.0)
    s.p["bias"] = s.often_zero(-5.0, 20.0)
    s.n["v"] = s.uniform(-85.0, -50.0)
    s.n["g_exc"], s.n["g_inh"] = s.often_zero(0.0, 4.0), s.often_zero(0.0, 6.0)
    s.n["theta"] = 5.0 * s.threshold()


def _lif_cond_unequal(s: Intervals) -> None:
    _lif_cond(s)
    s.p["tau_inh"] = s.p["tau_exc"] * s.uniform(1.2, 4.0)


def _adex(s: Intervals) -> None:
    s.p["v_peak"] = np.full(s.size, -20.0)  # well on the upstroke; it ends 1e-6 ms later
    s.p["bias"] = s.often_zero(0.0, 1500.0)
    s.n["v"], s.n["w"] = s.uniform(-80.0, -48.0), s.uniform(-50.0, 300.0)
    s.n["i_exc"], s.n["i_inh"] = s.often_zero(0.0, 3000.0), s.often_zero(-1000.0, 0.0)


def _izhikevich(s: Intervals) -> None:
    s.p["a"], s.p["b"] = s.uniform(0.02, 0.1), s.uniform(0.15, 0.26)
    s.p["bias"] = s.often_zero(0.0, 20.0)
    s.n["v"], s.n["u"] = s.uniform(-80.0, -40.0), s.uniform(-18.0, 0.0)


_DRAWS: dict[str, Callable[[Intervals], None]] = {
    "LIFDelta": _leaky,
    "LIFExp": _lif_exp,
    "LIFAlpha": _lif_alpha,
    "SRM": _srm,
    "LIFCond": _lif_cond,
    "LIFCond unequal": _lif_cond_unequal,
    "AdEx": _adex,
    "Izhikevich": _izhikevich,
}


def draw(model: type[NeuronModel], size: int, seed: int, variant: str = "") -> Intervals:
    """``size`` random intervals of a model, or of one that derives from it.

    ``variant`` is "" or "unequal", for the two ways of ``LIFCond``.

    Raises
    ------
    LookupError
        For a model that nothing is known of.
    """
    made = Intervals(model, size, np.random.default_rng(seed))
    for base in model.__mro__:
        fill = _DRAWS.get(f"{base.__name__} {variant}".strip())
        if fill is not None:
            fill(made)
            return made
    raise LookupError(f"no intervals are known for {model.__name__}")
