"""The exceptions of Spikemesh: one tree, so that a script can catch all of them at once.

Every message names the offending thing, what was expected, and the way out.
"""

from __future__ import annotations

__all__ = [
    "DataError",
    "MappingError",
    "ModelError",
    "NetworkError",
    "SimulationError",
    "SpikemeshError",
]


class SpikemeshError(Exception):
    """Base of every error that Spikemesh raises on purpose."""


class ModelError(SpikemeshError):
    """A neuron model, plasticity rule or encoder was given a parameter it cannot take."""


class NetworkError(SpikemeshError):
    """The description of a network is inconsistent or incomplete."""


class SimulationError(SpikemeshError):
    """A run cannot go on: a zero-delay loop, an exhausted buffer, a damaged checkpoint."""


class MappingError(SpikemeshError):
    """A network does not fit a machine, or a route or placement is not valid."""


class DataError(SpikemeshError):
    """A data set or a run directory is missing, damaged or cannot be written."""
