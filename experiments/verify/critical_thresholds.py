"""Rules for the number of spikes: the critical threshold's derivative by finite differences."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from experiments.verify.rows import Row, judged
from neurons import SRM
from plasticity.aggregate_label import AggregateLabel, as_trial, critical_threshold
from simulator import TrialRecord

__all__ = ["derivative_row"]

Floats = npt.NDArray[np.float64]

_N = 30  # synapses
_SPAN = 300.0  # ms
_RATE = 12.0  # Hz
_SPIKES = (1, 3, 6, 10)
_STEP = 3e-7  # of a weight: small beside what bends theta*, large beside its rounding
_RELATIVE = 1e-6
_MOST = 8  # trials


def derivative_row(rule: type[AggregateLabel], group: str, trials: int) -> Row:
    """One step of the rule on random trials, with ``mst`` and no bound of the slope."""
    neuron = SRM().parameters
    p = rule("mst", rate=1.0, slope_floor=0.0).parameters
    worst, trials = 0.0, min(_MOST, max(1, trials // 20))
    spikes = _SPIKES if trials > 1 else _SPIKES[:2]
    for seed in range(trials):
        for k in spikes:
            record = _record(seed, k - 1)
            w = record.weights.copy()
            found = rule.on_feedback(record._replace(weights=w.copy()), float(k), neuron, p) - w
            expected = np.empty(_N)
            for i in range(_N):
                ends = []
                for sign in (1.0, -1.0):
                    moved = w.copy()
                    moved[i] += sign * _STEP
                    trial = as_trial(record._replace(weights=moved), neuron)
                    ends.append(critical_threshold(trial, neuron.v_th, k)[0])
                expected[i] = (ends[0] - ends[1]) / (2.0 * _STEP)
            difference = np.linalg.norm(found - expected) / np.linalg.norm(expected)
            worst = max(worst, float(difference))
    compared = f"finite differences of theta*, {trials * len(spikes)} x {_N} weights, relative"
    check = f"{rule.__name__}: derivative of the critical threshold"
    return judged(group, check, compared, worst, _RELATIVE)


def _record(seed: int, fired: int) -> TrialRecord:
    """Poisson arrivals at synapses of both signs."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(_N * _RATE * _SPAN / 1000.0)
    times, synapse = np.sort(rng.uniform(0.0, _SPAN, n)), rng.integers(0, _N, n)
    weights, spikes = rng.normal(0.15, 0.2, _N), np.arange(float(fired))
    ports, state = np.zeros(_N, np.int64), SRM.State(0.0, 0.0, 0.0)
    return TrialRecord(times, synapse, weights, ports, state, spikes, _SPAN)
