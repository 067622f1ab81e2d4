"""Event-driven simulation of spiking networks: description, compilation, engines, recording."""

from simulator.connect import (
    all_to_all,
    explicit,
    fixed_in_degree,
    fixed_out_degree,
    fixed_probability,
    fixed_total_number,
    one_to_one,
)
from simulator.distributions import exponential, lognormal, normal, uniform
from simulator.errors import (
    DataError,
    MappingError,
    ModelError,
    NetworkError,
    SimulationError,
    SpikemeshError,
)
from simulator.model import Age, NeuronModel, PlasticityRule, Trace
from simulator.network import Network, Population, Projection
from simulator.simulation import Simulation
from simulator.sources import SpikeSource
from simulator.trial_rule import TrialRecord, TrialRule

__all__ = [
    "Age",
    "DataError",
    "MappingError",
    "ModelError",
    "Network",
    "NetworkError",
    "NeuronModel",
    "PlasticityRule",
    "Population",
    "Projection",
    "Simulation",
    "SimulationError",
    "SpikeSource",
    "SpikemeshError",
    "Trace",
    "TrialRecord",
    "TrialRule",
    "all_to_all",
    "explicit",
    "exponential",
    "fixed_in_degree",
    "fixed_out_degree",
    "fixed_probability",
    "fixed_total_number",
    "lognormal",
    "normal",
    "one_to_one",
    "uniform",
]
