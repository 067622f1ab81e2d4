"""Encoders and spike sources: values or recordings in, spikes out."""

from encoders.spike_times import SpikeTimes

__all__ = ["SpikeTimes"]
