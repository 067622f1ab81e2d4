"""Encoders and spike sources: values or recordings in, spikes out."""

from encoders.latency import CircularLatency, LatencyCode
from encoders.noisy_latency import NoisyLatencyCode
from encoders.poisson import Poisson
from encoders.regular import Regular
from encoders.spike_times import SpikeTimes

__all__ = ["CircularLatency", "LatencyCode", "NoisyLatencyCode", "Poisson", "Regular", "SpikeTimes"]
