"""Encoders and spike sources: values or recordings in, spikes out."""

from encoders.current_latency import CurrentLatency
from encoders.latency import CircularLatency, LatencyCode
from encoders.noisy_latency import NoisyLatencyCode
from encoders.poisson import Poisson
from encoders.regular import Regular
from encoders.spike_times import SpikeTimes
from encoders.step_current import StepCurrent

__all__ = [
    "CircularLatency",
    "CurrentLatency",
    "LatencyCode",
    "NoisyLatencyCode",
    "Poisson",
    "Regular",
    "SpikeTimes",
    "StepCurrent",
]
