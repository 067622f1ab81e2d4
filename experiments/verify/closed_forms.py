"""Closed forms: potentials and spike times in fifty digits, and the textbook's synaptic potentials.

Models that integrate numerically are held to Taylor series instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.reporting import Reporter
from experiments.verify.arithmetic import DIGITS, Digits
from experiments.verify.brute_force import label, seed_of
from experiments.verify.decide import decide, pieces_of
from experiments.verify.draws import Intervals, draw
from experiments.verify.exact import exact, refined_root
from experiments.verify.probe import advanced, crossings
from experiments.verify.rows import Row, judged
from experiments.verify.taylor import ORDER, TaylorPieces
from simulator.model import NeuronModel

__all__ = ["exact_rows", "integrated_rows", "psp_rows"]

GROUP = "closed forms"
POTENTIAL = 1e-13  # of the size of what V is summed from
TIME_MS = 1e-10
INTEGRATED_MV = 1e-6  # with the default tolerance of 1e-9 mV a step
_CHUNK = 4_000
FINE, FINE_MV, FINE_MS = 1e-12, 1e-8, 1e-8  # a tolerance, and what it buys


def exact_rows(
    model: type[NeuronModel], size: int, reporter: Reporter, digits: Digits
) -> Iterator[Row]:
    """V after random times and times of spikes, of a model with a closed form."""
    name = model.__name__
    s = draw(model, 40 * size, seed_of(name, "digits"))
    few = s.take(np.arange(size))
    scale = pieces_of(few).scale
    after = advanced(model, few.p, few.n, few.length)
    v = after["v"] - few.p["v_th"] - after.get("theta", 0.0)
    with reporter.progress(f"{name}: {DIGITS} digits", 2 * size) as bar:
        worst = 0.0
        for j in range(size):
            true, _ = exact(few, j, digits)(digits.number(few.length[j]))
            worst = max(worst, float(abs(v[j] - true)) / float(scale[j]))
            bar.advance()
        compared = f"{DIGITS} digits, {size:,} random states and times"
        yield judged(GROUP, f"{name}: potential", compared, worst, POTENTIAL, "of its terms")
        found = crossings(model, s.p, s.n, s.length)
        times = decide(s, digits).time
        firing = np.flatnonzero(np.isfinite(times))[:size]
        worst = 0.0
        for j in firing:
            root = refined_root(exact(s, int(j), digits), times[j], digits)
            worst = max(worst, float(abs(found[j] - root)))  # infinity if the model is silent
            bar.advance()
    compared = f"root in {DIGITS} digits, {firing.size:,} spikes"
    yield judged(GROUP, f"{name}: spike times", compared, worst, TIME_MS, "ms")


def integrated_rows(
    model: type[NeuronModel], size: int, reporter: Reporter, variant: str
) -> Iterator[Row]:
    """States of a model that integrates, at its default tolerance and at a fine one."""
    name = label(model, variant)
    coarse = fine = times = 0.0
    spikes = 0
    with reporter.progress(f"{name}: Taylor series", size) as bar:
        for start in range(0, size, _CHUNK):
            s = draw(model, min(_CHUNK, size - start), seed_of(name, "states", start), variant)
            pieces = TaylorPieces(s)
            truth = decide(s, None, pieces).time
            firing = np.isfinite(truth)
            spikes += int(firing.sum())
            coarse = max(coarse, _state_error(s, pieces, ~firing))
            s.p["tolerance"] = np.full(s.size, FINE)
            fine = max(fine, _state_error(s, pieces, ~firing))
            found = crossings(model, s.p, s.n, s.length)
            apart = np.abs(found[firing] - truth[firing])
            times = max(times, float(apart.max(initial=0.0)))
            bar.advance(s.size)
    compared = f"Taylor series of order {ORDER}, {size - spikes:,} random states and times"
    yield judged(
        GROUP, f"{name}: potential, default tolerance", compared, coarse, INTEGRATED_MV, "mV"
    )
    yield judged(GROUP, f"{name}: potential, tolerance {FINE:g}", compared, fine, FINE_MV, "mV")
    compared = f"Taylor series of order {ORDER}, {spikes:,} spikes"
    yield judged(GROUP, f"{name}: spike times, tolerance {FINE:g}", compared, times, FINE_MS, "ms")


def _state_error(s: Intervals, pieces: TaylorPieces, silent: npt.NDArray[np.bool_]) -> float:
    """Largest error of V (mV) at the end of the intervals without a spike."""
    few = s.take(np.flatnonzero(silent))
    after = advanced(s.model, few.p, few.n, few.length)
    return float(np.abs(after["v"] - pieces.state["v"][silent]).max(initial=0.0))


def psp_rows(models: list[type[NeuronModel]], digits: Digits) -> Iterator[Row]:
    """The potential that one arriving spike makes, as textbooks print it."""
    printed = {"LIFDelta": _delta, "LIFExp": _exponential, "LIFAlpha": _alpha, "SRM": _unit_peak}
    for model in models:
        formula = next((printed[b.__name__] for b in model.__mro__ if b.__name__ in printed), None)
        if formula is None:
            continue
        p = model().parameters
        times = np.geomspace(0.01, 200.0, 60)
        worst = 0.0
        for t in times.tolist():
            n = SimpleNamespace(**{name: [start] for name, start in model.state.items()})
            model.receive(n, 0, p, 0, 1.0)
            model.advance(n, 0, p, model.factors(p, t))
            worst = max(worst, float(abs(n.v[0] - formula(p, digits.number(t), digits))))
        compared = f"printed formula in {DIGITS} digits, {times.size} times, unit weight"
        yield judged(
            GROUP, f"{model.__name__}: one synaptic potential", compared, worst, 1e-14, "mV"
        )


def _delta(p: Any, t: Any, digits: Digits) -> Any:
    return digits.mp.exp(-t / digits.number(p.tau_m))


def _exponential(p: Any, t: Any, digits: Digits) -> Any:
    """tau_s / (tau_m - tau_s) (exp(-t / tau_m) - exp(-t / tau_s))."""
    m, s, exp = digits.number(p.tau_m), digits.number(p.tau_exc), digits.mp.exp
    return s / (m - s) * (exp(-t / m) - exp(-t / s))


def _alpha(p: Any, t: Any, digits: Digits) -> Any:
    """Rotter & Diesmann 1999: the current e / tau t exp(-t / tau) through the membrane."""
    m, s, exp = digits.number(p.tau_m), digits.number(p.tau_exc), digits.mp.exp
    b = 1 / s - 1 / m
    return digits.mp.e / (s * m) * ((exp(-t / m) - exp(-t / s)) / b**2 - t * exp(-t / s) / b)


def _unit_peak(p: Any, t: Any, digits: Digits) -> Any:
    """Gütig & Sompolinsky 2006: V0 (exp(-t / tau_m) - exp(-t / tau_s)) with a peak of 1."""
    m, s, exp = digits.number(p.tau_m), digits.number(p.tau_s), digits.mp.exp
    b = m / s
    return b ** (b / (b - 1)) / (b - 1) * (exp(-t / m) - exp(-t / s))
