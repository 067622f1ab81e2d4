"""Simulations on a given number of cores: everything is measured on one, unless it says so."""

from __future__ import annotations

import inspect
from typing import Any

from simulator import Network, Simulation

__all__ = ["WORKERS", "simulation_of"]

WORKERS = "workers" in inspect.signature(Simulation).parameters  # whether it can be said


def simulation_of(network: Network, workers: int = 1) -> Simulation:
    """A simulation with so many workers."""
    given: dict[str, Any] = {"workers": workers} if WORKERS else {}
    return Simulation(network, **given)
