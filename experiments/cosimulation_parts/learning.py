"""W-TCRL on a mesh: its encoder and its layer spread over the cores, its spikes as packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from experiments.cosimulation_parts.journeys import journey_measures
from experiments.experiment import Context
from experiments.wtcrl_parts.measures import Measures, measure, responses
from experiments.wtcrl_parts.network import AFFERENT, C_MAX, CODE, ENCODER, LAYER, Model
from experiments.wtcrl_parts.network import code_vectors as decoded
from experiments.wtcrl_parts.patches import Patches, load_patches
from mapping import CoSimulation, Edges, Mesh, SpikingGraph, homes_of, map_network
from simulator import Network, Simulation

if TYPE_CHECKING:
    from experiments.cosimulation import Config

__all__ = ["learn_on_a_mesh"]

Floats = npt.NDArray[np.float64]

M = 32  # neurons of the layer
N_CURVE = 1  # patches of the learning curve, which is not drawn
PIECE = 20  # presentations between two signs of life


def learn_on_a_mesh(config: Config, context: Context) -> dict[str, float | int]:
    """Train with the latency of the mesh, then test twice: on the mesh, and without latency."""
    patches = load_patches(
        config.data,
        seed=context.seed,
        side=5,
        n_train=config.presentations,
        n_curve=N_CURVE,
        n_train_images=None,
        n_test_images=None,
        evaluate_on="test",
        data_dir=context.data_dir,
    )
    model = Model(
        M, 25, config.presentations, 1.5, config.lateral_delay, context.seed, config.afferent_delay
    )
    mesh = Mesh.parse(config.mesh)
    homes = placed(model, mesh, context.seed)

    def meshed(network: Network) -> CoSimulation:
        return CoSimulation(
            network,
            mesh,
            homes,
            **config.machine,
        )

    training = meshed(model.describe(patches.scaled(patches.train)))
    present(training, len(patches.train), context, "train")
    weights = training.weights(AFFERENT)
    n = min(config.tested, len(patches.test))
    chosen = np.random.default_rng(context.seed).permutation(len(patches.test))[:n]
    tested = patches.test[chosen]
    trained = model.describe(patches.scaled(tested), 0.0, -C_MAX, -C_MAX)
    on_mesh, plain = (
        test(simulation, tested, patches, weights, context)
        for simulation in (meshed(trained), Simulation(trained))
    )
    context.directory.write_weights({AFFERENT: weights})
    return {
        "rms": on_mesh.rms,
        "rms_without_latency": plain.rms,
        "silent": on_mesh.silent,
        "spikes_per_patch": on_mesh.spikes_per_patch,
        **journey_measures(training),
    }


def placed(model: Model, mesh: Mesh, seed: int) -> dict[str, npt.NDArray[np.int64]]:
    """Cores of all neurons, on the whole mesh; each encoding neuron counts as one spike."""
    edges = [Edges(ENCODER, LAYER), Edges(LAYER, LAYER, self_connections=False)]
    counts = np.ones(model.n_inputs + model.m, np.int64)
    graph = SpikingGraph({ENCODER: model.n_inputs, LAYER: model.m}, edges, counts, CODE.period_ms)
    return homes_of(map_network(graph, mesh, placement="annealing", seed=seed))


def present(simulation: Simulation, n: int, context: Context, what: str) -> None:
    """Run through so many presentations."""
    with context.progress(what, n) as bar:
        for first in range(0, n, PIECE):
            end = min(first + PIECE, n)
            simulation.run(end * CODE.period_ms)
            bar.advance(end - first)


def test(
    simulation: Simulation, tested: Floats, patches: Patches, weights: Floats, context: Context
) -> Measures:
    """What the network with these weights makes of patches, with its plasticity off."""
    simulation.set_weights(AFFERENT, weights)
    simulation.set_learning(AFFERENT, False)
    present(simulation, len(tested), context, "test")
    times, neurons = simulation.spikes(LAYER)
    inside = times < len(tested) * CODE.period_ms
    answers = responses(times[inside], neurons[inside], len(tested), CODE.period_ms)
    return measure(tested, decoded(weights, patches), answers)
