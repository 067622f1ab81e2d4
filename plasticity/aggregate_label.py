"""Aggregate-label learning: how many spikes a neuron is to fire in a trial, not when.

The label comes when the trial is over.  The neuron compares it with the number of its spikes and,
if they differ, moves the critical threshold theta*_k, under which a k-th spike just appears, across
its real threshold: with o spikes fired and d desired,

::

    w += rate * d theta*_(o+1) / dw   if o < d,        w -= rate * d theta*_o / dw   if o > d

(the relative rule).  One update a trial, however far the number is off.  ``mode`` says how the
derivative is taken:

- ``"etdp"``: the spikes before the critical time move with the weights, each under the threshold as
  it is.  It has the direction of the exact derivative and is longer.
- ``"mst"``: the exact derivative; the threshold of those spikes moves with it.
- ``"tdp"``: each of them moves by itself, not because the ones before it do.

A spike that hardly rises above threshold moves far, and without a bound one such step can ruin all
weights; ``slope_floor`` bounds the slope that its shift is divided by from below ("gradient
prevention").  The source does not say by how much.  Where no threshold makes the neuron fire one
more spike, the weights of all synapses that were active in the trial grow by ``silent_step``.

The threshold, its time and the derivative are exact in continuous time: see
:mod:`plasticity._critical_threshold`.  Weights have no bounds and may change sign.  The neurons are
``SRM`` with a fixed threshold and no bias, tau_m > tau_s.  The derivative is taken at the weights
of when the feedback comes, which are those that change; the number of spikes is that of the trial.

Source: Zhang et al., An efficient threshold-driven aggregate-label learning algorithm for
multimodal information processing (ETDP), equations 4 to 21; MST: Gütig, Science 351 (2016); TDP as
ETDP quotes it.
"""

from __future__ import annotations

from math import isnan
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from plasticity._critical_threshold import Trial, critical_threshold, gradient
from simulator.model import NeuronModel
from simulator.trial_rule import TrialRecord, TrialRule

__all__ = ["AggregateLabel", "as_trial", "critical_threshold"]

MODES = ("mst", "etdp", "tdp")  # by the number that the kernel knows them by


class AggregateLabel(TrialRule):
    """Learns the number of spikes of a trial; see the module's text.

    Parameters
    ----------
    mode : {"etdp", "mst", "tdp"}
    rate, slope_floor, silent_step : float
    """

    class Parameters(NamedTuple):
        mode: float = float(MODES.index("etdp"))
        rate: float = 3e-4  # [mV] lambda: step of a weight for a derivative of 1, > 0
        slope_floor: float = 0.01  # [mV/ms] theta_b, least slope of V at earlier spikes, >= 0
        silent_step: float = (
            1e-3  # [mV] for active synapses of a neuron that nothing brings to fire
        )

    def __init__(self, mode: str = "etdp", **parameters: float) -> None:
        self.require(mode in MODES, f"mode = {mode!r}; it must be one of {MODES}")
        super().__init__(mode=float(MODES.index(mode)), **parameters)

    def __repr__(self) -> str:
        rest = ", ".join(f"{k}={v:g}" for k, v in list(self.parameters._asdict().items())[1:])
        return f"AggregateLabel(mode={MODES[int(self.parameters.mode)]!r}, {rest})"

    @classmethod
    def check(cls, p: Any) -> None:
        cls.require(p.rate > 0, f"rate = {p.rate}; it must be > 0")
        for name in ("slope_floor", "silent_step"):
            value = getattr(p, name)
            cls.require(value >= 0, f"{name} = {value}; it must be >= 0")

    @classmethod
    def check_neuron(cls, model: NeuronModel) -> None:
        fits = type(model).__name__ == "SRM"  # itself, and not with an option
        cls.require(fits, f"it is for neurons of the model SRM, not {type(model).__name__}")
        p = model.parameters
        still = p.theta_plus == 0.0 and p.bias == 0.0
        cls.require(
            still, "its neurons have theta_plus = 0 and bias = 0, a threshold that is fixed"
        )
        cls.require(
            p.tau_m > 1.01 * p.tau_s,
            f"tau_m = {p.tau_m} ms and tau_s = {p.tau_s} ms of the neurons; tau_m must be larger, "
            "by 1 % at least",
        )

    @classmethod
    def check_labels(cls, labels: npt.NDArray[np.float64]) -> None:
        counts = bool(np.all((labels >= 0) & (labels == np.floor(labels))))
        cls.require(counts, f"labels {labels}; numbers of spikes, whole ones >= 0, are needed")

    @staticmethod
    def on_feedback(
        record: TrialRecord, label: float, neuron: Any, p: Any
    ) -> npt.NDArray[np.float64]:
        fired, w = record.fired.size, record.weights
        if fired == label:
            return w
        trial = as_trial(record, neuron)
        wants_more = fired < label
        theta, t, before = critical_threshold(
            trial, neuron.v_th, fired + 1 if wants_more else fired
        )
        if isnan(theta):  # that many spikes are out of reach, with the weights as they are by now
            active = np.unique(record.synapse)
            w[active] += p.silent_step if wants_more else 0.0
            return w
        step = p.rate if wants_more else -p.rate
        return w + step * gradient(trial, theta, t, before, int(p.mode), p.slope_floor)


def as_trial(record: TrialRecord, neuron: Any) -> Trial:
    """The record in the terms of the kernel, V = slow - fast."""
    ratio = neuron.tau_m / neuron.tau_s
    gain = ratio ** (ratio / (ratio - 1.0)) / (ratio - 1.0)
    fast = gain * record.initial.i
    slow = record.initial.v + fast
    return Trial(
        record.times,
        record.synapse,
        record.weights,
        record.duration,
        slow,
        fast,
        neuron.tau_m,
        neuron.tau_s,
        gain,
    )
