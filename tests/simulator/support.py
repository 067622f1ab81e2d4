"""What the tests of the engines share: running a network on both, and comparing."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np

from simulator import Network, Simulation
from simulator.reference import Reference

__all__ = ["assert_same_spikes", "assert_same_weights", "everything", "through_a_file"]

Spikes = dict[str, tuple[Any, Any]]

ENGINES: list[Callable[[Network], Any]] = [Reference, Simulation]


def everything(engine: Simulation | Reference) -> Spikes:
    """Recorded spikes of all populations: times (ms), neurons."""
    return {name: engine.spikes(name) for name in engine.network.populations}


def assert_same_spikes(got: Spikes, expected: Spikes) -> None:
    """The same spikes, bit for bit and in the same order."""
    assert got.keys() == expected.keys()
    for name, (times, neurons) in expected.items():
        np.testing.assert_array_equal(got[name][1], neurons, err_msg=f"neurons of {name}")
        np.testing.assert_array_equal(got[name][0], times, err_msg=f"times of {name}")


def stored_weights(simulation: Simulation, projection: str) -> Any:
    """Weights by presynaptic neuron, then target as stored: the order of Reference.weights."""
    proj = simulation.network.projections[projection]
    weights, order = simulation.weights(projection), simulation.compiled.orders[projection]
    if order is not None:
        return weights.ravel()[order]
    if proj.pre is proj.post and not proj.connector.self_connections:
        return weights[~np.eye(proj.pre.size, dtype=bool)]
    return weights.ravel()


def assert_same_weights(simulation: Simulation, reference: Reference) -> None:
    """Equal weights in every projection, bit for bit."""
    for name in simulation.network.projections:
        np.testing.assert_array_equal(
            stored_weights(simulation, name), reference.weights(name), err_msg=f"weights of {name}"
        )


def through_a_file(saved: Any) -> Any:
    """A saved state as it comes back from a file."""
    file = io.BytesIO()
    np.savez(file, **saved)
    file.seek(0)
    with np.load(file) as back:
        return {name: back[name] for name in back.files}
