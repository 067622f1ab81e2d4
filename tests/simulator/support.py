"""What the tests of the engines share: running a network on both, and comparing."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from encoders import SpikeTimes
from plasticity import WTCRL, ExponentialDrift
from simulator import Network, Simulation, all_to_all
from simulator.reference import Reference

__all__ = [
    "assert_equal_engines",
    "assert_same_spikes",
    "everything",
    "stored_weights",
    "through_a_file",
    "with_rules",
]

Spikes = dict[str, tuple[Any, Any]]


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
    if weights.ndim == 2 and proj.pre is proj.post and not proj.connector.self_connections:
        return weights[~np.eye(proj.pre.size, dtype=bool)]
    return weights.ravel()


def assert_equal_engines(
    simulation: Simulation, reference: Reference, ms: float = 1e-10, weight: float = 1e-12
) -> None:
    """The same spikes within ``ms`` and weights; ties may be recorded in another order."""
    got, expected = everything(simulation), everything(reference)
    for name, (times, neurons) in expected.items():
        a, b = (np.lexsort((t, i)) for t, i in (got[name], (times, neurons)))
        np.testing.assert_array_equal(got[name][1][a], neurons[b], err_msg=f"neurons of {name}")
        np.testing.assert_allclose(
            got[name][0][a], times[b], rtol=0, atol=ms, err_msg=f"times of {name}"
        )
    for name in simulation.network.projections:
        np.testing.assert_allclose(
            stored_weights(simulation, name),
            reference.weights(name),
            rtol=0,
            atol=weight,
            err_msg=f"weights of {name}",
        )


def through_a_file(saved: Any) -> Any:
    """A saved state as it comes back from a file."""
    file = io.BytesIO()
    np.savez(file, **saved)
    file.seek(0)
    with np.load(file) as back:
        return {name: back[name] for name in back.files}


def with_rules(net: Network) -> Network:
    """Add two idle projections, so that hand-made networks share one compiled event loop.

    A loop is compiled for the models of a network and its rules in the order of their first use.
    """
    model = next(p.model for p in net.populations.values() if not p.is_source)
    source = net.population("idle source", 1, SpikeTimes([]))
    target = net.population("idle", 1, type(model)())
    rules = (WTCRL(), ExponentialDrift())
    for k, rule in enumerate(rules):
        net.projection(source, target, all_to_all(), rule=rule, name=f"idle {k}")
    return net
